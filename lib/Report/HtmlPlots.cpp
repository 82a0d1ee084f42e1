//===- HtmlPlots.cpp - Plots as inline SVG -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Html.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace vitq;
using namespace vitq::reporting;
using namespace vitq::reporting::html;
using llvm::formatv;

namespace {

/// The area between the axes, in the units of the picture.
struct Frame {
  double left = 76, top = 14, width = 760, height = 190;
  double bottom() const { return top + height; }
  double right() const { return left + width; }
  double pictureWidth() const { return right() + 14; }
  double pictureHeight() const { return bottom() + 46; }
};

} // namespace

static std::string coordinate(double value) { return format(value, 6); }

static void open(llvm::raw_ostream &os, const Frame &frame, llvm::StringRef label) {
  os << formatv("<svg{3} viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"{2}\">\n", coordinate(frame.pictureWidth()),
                coordinate(frame.pictureHeight()), escape(label), frame.width > 500 ? " class=\"wide\"" : "");
}

static void text(llvm::raw_ostream &os, double x, double y, llvm::StringRef anchor, llvm::StringRef content,
                 llvm::StringRef type = "tick") {
  os << formatv("<text class=\"{0}\" x=\"{1}\" y=\"{2}\" text-anchor=\"{3}\">{4}</text>\n", type, coordinate(x),
                coordinate(y), anchor, escape(content));
}

static void line(llvm::raw_ostream &os, llvm::StringRef type, double x1, double y1, double x2, double y2) {
  os << formatv("<line class=\"{0}\" x1=\"{1}\" y1=\"{2}\" x2=\"{3}\" y2=\"{4}\"/>\n", type, coordinate(x1),
                coordinate(y1), coordinate(x2), coordinate(y2));
}

/// A round distance between about `count` ticks.
static double tickStep(double range, int count) {
  double raw = range / count, power = std::pow(10.0, std::floor(std::log10(raw)));
  for (double factor : {1.0, 2.0, 5.0})
    if (factor * power >= raw)
      return factor * power;
  return 10 * power;
}

void html::linePlot(llvm::raw_ostream &os, llvm::ArrayRef<Point> points, llvm::StringRef unit) {
  if (points.empty())
    return;
  Frame frame;
  double low = 0, high = 0;
  for (const Point &point : points) {
    low = std::min(low, point.value);
    high = std::max(high, point.value);
  }
  double step = tickStep(std::max(high - low, 1.0), 5);
  high = std::ceil(high / step + 0.01) * step;
  low = std::floor(low / step) * step;
  double across = frame.width / std::max<double>(1, static_cast<double>(points.size()) - 1);
  auto x = [&](size_t i) { return frame.left + across * static_cast<double>(i); };
  auto y = [&](double value) { return frame.bottom() - (value - low) / (high - low) * frame.height; };
  open(os, frame, "line plot");
  for (int i = 0; low + i * step <= high + step / 2; ++i) {
    const double tick = low + i * step;
    line(os, "grid", frame.left, y(tick), frame.right(), y(tick));
    text(os, frame.left - 8, y(tick) + 4, "end", format(tick) + " " + unit.str());
  }
  os << "<polyline class=\"curve\" points=\"";
  for (auto [i, point] : llvm::enumerate(points))
    os << coordinate(x(i)) << "," << coordinate(y(point.value)) << " ";
  os << "\"/>\n";
  double lastTick = -1e9;
  for (auto [i, point] : llvm::enumerate(points)) {
    os << formatv("<circle class=\"dot\" cx=\"{0}\" cy=\"{1}\" r=\"4\"><title>{2}</title></circle>\n", coordinate(x(i)),
                  coordinate(y(point.value)), escape(point.title));
    if (!point.tick.empty() && x(i) - lastTick > 24) {
      lastTick = x(i);
      text(os, x(i), frame.bottom() + 20, "middle", point.tick);
    }
  }
  text(os, frame.left + frame.width / 2, frame.bottom() + 42, "middle", "transformer block");
  os << "</svg>\n";
}

void html::barChart(llvm::raw_ostream &os, llvm::ArrayRef<Bar> bars) {
  double largest = 0;
  for (const Bar &bar : bars)
    largest = std::max(largest, bar.value);
  if (!(largest > 0))
    return;
  os << "<div class=\"bars\">\n";
  for (const Bar &bar : bars)
    os << formatv("<div class=\"bar\" title=\"{0}\"><span class=\"name\">{1}</span><span class=\"track\"><span "
                  "class=\"fill{2}\" style=\"width:{3}%\"></span></span><span class=\"note\">{4}<span "
                  "class=\"more\">{5}</span></span></div>\n",
                  escape(bar.title), bar.label, bar.bad ? " bad" : "",
                  coordinate(std::max(0.3, 100 * bar.value / largest)), escape(bar.note), escape(bar.more));
  os << "</div>\n";
}

void html::channelPlot(llvm::raw_ostream &os, const Outlier &outlier) {
  Frame frame;
  frame.height = 130;
  llvm::ArrayRef<double> values = outlier.tensor->channelMax;
  double high = outlier.max > 0 ? outlier.max * 1.05 : 1;
  auto y = [&](double value) { return frame.bottom() - value / high * frame.height; };
  double across = frame.width / static_cast<double>(values.size());
  auto x = [&](size_t i) { return frame.left + across * (static_cast<double>(i) + 0.5); };
  open(os, frame, "largest value of each channel");
  double step = tickStep(high, 3);
  for (int i = 0; i * step <= high; ++i) {
    const double tick = i * step;
    line(os, "grid", frame.left, y(tick), frame.right(), y(tick));
    text(os, frame.left - 8, y(tick) + 4, "end", format(tick));
  }
  os << formatv("<path class=\"columns\" style=\"stroke-width:{0}\" d=\"", coordinate(std::max(0.6, across * 0.8)));
  for (auto [i, value] : llvm::enumerate(values))
    os << "M" << coordinate(x(i)) << "," << coordinate(frame.bottom()) << "V" << coordinate(y(value));
  os << "\"/>\n";
  auto channel = static_cast<size_t>(outlier.channel);
  line(os, "outlier", x(channel), frame.bottom(), x(channel), y(outlier.max));
  bool right = x(channel) > frame.left + frame.width * 0.7;
  text(os, x(channel) + (right ? -8 : 8), y(outlier.max) + 10, right ? "end" : "start",
       formatv("channel {0}: {1}", outlier.channel, format(outlier.max)).str(), "mark");
  line(os, "limit", frame.left, y(outlier.step), frame.right(), y(outlier.step));
  text(os, frame.right(), y(outlier.step) - 4, "end", "one step: " + format(outlier.step, 3), "mark");
  text(os, frame.left, frame.bottom() + 18, "start", "0");
  text(os, frame.right(), frame.bottom() + 18, "end", std::to_string(values.size() - 1));
  text(os, frame.left + frame.width / 2, frame.bottom() + 18, "middle", "channel");
  os << "</svg>\n";
}

void html::histogramPlot(llvm::raw_ostream &os, const LinearHistogram &histogram,
                         std::optional<std::pair<double, double>> representable) {
  if (histogram.counts.empty())
    return;
  Frame frame;
  frame.left = 40;
  frame.width = 300;
  frame.height = 110;
  double low = histogram.min, high = histogram.max;
  if (representable) {
    low = std::min(low, representable->first);
    high = std::max(high, representable->second);
  }
  double largest = 1;
  for (double count : histogram.counts)
    largest = std::max(largest, count);
  double decades = std::max(1.0, std::ceil(std::log10(largest + 1)));
  auto x = [&](double value) { return frame.left + (value - low) / (high - low) * frame.width; };
  auto y = [&](double count) { return frame.bottom() - std::log10(count + 1) / decades * frame.height; };
  open(os, frame, "histogram");
  if (representable)
    os << formatv("<rect class=\"range\" x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\"><title>the codes hold {4} to "
                  "{5}</title></rect>\n",
                  coordinate(x(representable->first)), coordinate(frame.top),
                  coordinate(x(representable->second) - x(representable->first)), coordinate(frame.height),
                  format(representable->first), format(representable->second));
  const int last = static_cast<int>(decades), every = last > 4 ? 2 : 1;
  for (int decade = 0; decade <= last; decade += every) {
    double height = frame.bottom() - decade / decades * frame.height;
    line(os, "grid", frame.left, height, frame.right(), height);
    text(os, frame.left - 8, height + 4, "end", decade ? formatv("1e{0}", decade).str() : "0");
  }
  double width = (histogram.max - histogram.min) / static_cast<double>(histogram.counts.size());
  for (auto [i, count] : llvm::enumerate(histogram.counts)) {
    if (!(count > 0))
      continue;
    double from = histogram.min + width * static_cast<double>(i);
    os << formatv("<rect class=\"column\" x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\"/>\n", coordinate(x(from)),
                  coordinate(y(count)), coordinate(std::max(0.5, x(from + width) - x(from) - 0.6)),
                  coordinate(frame.bottom() - y(count)));
  }
  text(os, frame.left, frame.bottom() + 18, "start", format(low, 3));
  text(os, frame.right(), frame.bottom() + 18, "end", format(high, 3));
  if (low < 0 && high > 0 && x(0) - frame.left > 50 && frame.right() - x(0) > 50)
    text(os, x(0), frame.bottom() + 18, "middle", "0");
  os << "</svg>\n";
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

static void rectangle(llvm::raw_ostream &os, llvm::StringRef type, double x, double y, double width, double height,
                      llvm::StringRef title) {
  os << formatv("<rect class=\"{0}\" x=\"{1}\" y=\"{2}\" width=\"{3}\" height=\"{4}\"><title>{5}</title></rect>\n",
                type, coordinate(x), coordinate(y), coordinate(width), coordinate(height), escape(title));
}

void html::stepPlot(llvm::raw_ostream &os, llvm::ArrayRef<NativeFacts::Step> steps) {
  double most = 0;
  for (const NativeFacts::Step &step : steps)
    most = std::max(most, step.time.value_or(0));
  if (!(most > 0))
    return;
  Frame frame;
  const double tick = tickStep(most, 4), high = std::ceil(most / tick) * tick;
  const double across = frame.width / static_cast<double>(steps.size());
  auto y = [&](double time) { return frame.bottom() - time / high * frame.height; };
  open(os, frame, "time of each step");
  for (int i = 0; i * tick <= high + tick / 2; ++i) {
    line(os, "grid", frame.left, y(i * tick), frame.right(), y(i * tick));
    text(os, frame.left - 8, y(i * tick) + 4, "end", format(i * tick) + " \u00b5s");
  }
  for (auto [i, step] : llvm::enumerate(steps)) {
    const double x = frame.left + across * (static_cast<double>(i) + 0.1), width = std::max(across * 0.8, 0.6);
    const double time = step.time.value_or(0), least = std::min(step.limit.value_or(0), time);
    const std::string title = step.node + " (" + step.op + "): " + format(time) + " \u00b5s" +
                              (step.limit ? ", limit " + format(*step.limit) + " \u00b5s" : "");
    rectangle(os, "least", x, y(least), width, frame.bottom() - y(least), title);
    rectangle(os, "rest", x, y(time), width, y(least) - y(time), title);
  }
  text(os, frame.left + frame.width / 2, frame.bottom() + 20, "middle", "steps in the order of the program");
  os << "</svg>\n";
}

void html::arenaPlot(llvm::raw_ostream &os, const NativeFacts &facts) {
  int64_t steps = static_cast<int64_t>(facts.steps.size()), top = 1, largest = 0;
  for (const NativeFacts::Buffer &buffer : facts.arenaPlan) {
    steps = std::max(steps, buffer.last + 1);
    top = std::max(top, buffer.offset + buffer.size);
    largest = std::max(largest, buffer.size);
  }
  Frame frame;
  const double across = frame.width / static_cast<double>(std::max<int64_t>(steps, 1));
  auto y = [&](int64_t address) {
    return frame.bottom() - static_cast<double>(address) / static_cast<double>(top) * frame.height;
  };
  open(os, frame, "buffers of the arena over the steps");
  for (int quarter = 0; quarter <= 4; ++quarter) {
    const int64_t address = top / 4 * quarter;
    line(os, "grid", frame.left, y(address), frame.right(), y(address));
    text(os, frame.left - 8, y(address) + 4, "end", bytes(address));
  }
  auto nodeOf = [&](int64_t step) {
    return step < static_cast<int64_t>(facts.steps.size()) ? facts.steps[static_cast<size_t>(step)].node : "";
  };
  for (const NativeFacts::Buffer &buffer : facts.arenaPlan)
    rectangle(os, 2 * buffer.size > largest ? "buffer large" : "buffer",
              frame.left + across * static_cast<double>(buffer.first), y(buffer.offset + buffer.size),
              across * static_cast<double>(buffer.last - buffer.first + 1),
              y(buffer.offset) - y(buffer.offset + buffer.size),
              bytes(buffer.size) + " at " + std::to_string(buffer.offset) + ", steps " + std::to_string(buffer.first) +
                  " to " + std::to_string(buffer.last) + ", first of " + nodeOf(buffer.first));
  text(os, frame.left + frame.width / 2, frame.bottom() + 20, "middle", "steps in the order of the program");
  os << "</svg>\n";
}

namespace {

/// A vertical axis of some values, with a little room.
struct Axis {
  double low = INFINITY, high = -INFINITY;

  void add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void widen() {
    const double room = std::max((high - low) * 0.06, 1e-12);
    low -= room;
    high += room;
  }
  double place(double value, double top, double height) const {
    return top + height - (value - low) / (high - low) * height;
  }
};

} // namespace

void html::curvePlot(llvm::raw_ostream &os, llvm::ArrayRef<comparison::CurvePoint> points) {
  if (points.size() < 2)
    return;
  Frame frame;
  frame.left = 46;
  frame.width = 290;
  frame.height = 180;
  constexpr double kErrorHeight = 54, kBetween = 12;
  const double above = frame.height - kErrorHeight - kBetween, errorTop = frame.top + above + kBetween;
  Axis x, value, error;
  error.add(0);
  for (const comparison::CurvePoint &point : points) {
    x.add(point.x);
    value.add(point.exact);
    value.add(point.computed);
    error.add(static_cast<double>(point.computed) - point.exact);
  }
  value.widen();
  error.widen();
  auto across = [&](double at) { return frame.left + (at - x.low) / (x.high - x.low) * frame.width; };
  open(os, frame, "a function and its error");
  for (double at : {value.low, value.high})
    line(os, "grid", frame.left, value.place(at, frame.top, above), frame.right(), value.place(at, frame.top, above));
  text(os, frame.left - 6, frame.top + above, "end", format(value.low, 2));
  text(os, frame.left - 6, frame.top + 10, "end", format(value.high, 2));
  line(os, "grid", frame.left, error.place(0, errorTop, kErrorHeight), frame.right(),
       error.place(0, errorTop, kErrorHeight));
  text(os, frame.left - 6, errorTop + kErrorHeight, "end", format(error.low, 2));
  text(os, frame.left - 6, errorTop + 10, "end", format(error.high, 2));
  auto curve = [&](llvm::StringRef type, llvm::function_ref<double(const comparison::CurvePoint &)> place) {
    os << "<polyline class=\"" << type << "\" points=\"";
    for (const comparison::CurvePoint &point : points)
      os << coordinate(across(point.x)) << "," << coordinate(place(point)) << " ";
    os << "\"/>\n";
  };
  curve("curve", [&](const auto &point) { return value.place(point.computed, frame.top, above); });
  curve("exact", [&](const auto &point) { return value.place(point.exact, frame.top, above); });
  curve("error", [&](const auto &point) {
    return error.place(static_cast<double>(point.computed) - point.exact, errorTop, kErrorHeight);
  });
  text(os, frame.left, frame.bottom() + 18, "start", format(x.low, 3));
  text(os, frame.right(), frame.bottom() + 18, "end", format(x.high, 3));
  os << "</svg>\n";
}

//===----------------------------------------------------------------------===//
// Bits
//===----------------------------------------------------------------------===//

namespace {

/// Where choices of bits lie in the picture: bytes in MB, or shares; a decade of loss is a line.
class FrontAxes {
public:
  explicit FrontAxes(const BitFront &front) : isSize(front.costText(1).back() == 'B') {
    frame.top = 26;
    frame.height = 300;
    std::vector<BitFront::Point> all(front.points);
    all.insert(all.end(), {front.chosen, front.eight, front.four});
    double least = INFINITY, most = 0, cheapest = INFINITY;
    for (const BitFront::Point &point : all) {
      cheapest = std::min(cheapest, costOf(point));
      dearest = std::max(dearest, costOf(point));
      if (point.loss > 0)
        least = std::min(least, point.loss);
      most = std::max(most, point.loss);
    }
    if (!(most > 0))
      least = most = 1;
    low = std::floor(std::log10(least));
    high = std::max(low + 1, std::ceil(std::log10(most)));
    step = tickStep(std::max(dearest - cheapest, dearest * 1e-3), 8);
    first = std::floor(cheapest / step) * step;
    dearest = std::ceil(dearest / step) * step;
  }

  double costOf(const BitFront::Point &point) const { return isSize ? point.cost / 1e6 : point.cost; }
  double x(double cost) const { return frame.left + (cost - first) / (dearest - first) * frame.width; }
  double y(double decade) const { return frame.bottom() - (decade - low) / (high - low) * frame.height; }
  double x(const BitFront::Point &point) const { return x(costOf(point)); }
  /// What loses nothing is at the bottom.
  double y(const BitFront::Point &point) const { return y(point.loss > 0 ? std::log10(point.loss) : low); }

  void draw(llvm::raw_ostream &os, const BitFront &front) const {
    open(os, frame, "loss over cost of bits");
    for (double decade = low; decade <= high; ++decade) {
      line(os, "grid", frame.left, y(decade), frame.right(), y(decade));
      text(os, frame.left - 8, y(decade) + 4, "end", format(std::pow(10.0, decade)));
    }
    for (int i = 0; first + i * step <= dearest + step / 2; ++i) {
      line(os, "grid", x(first + i * step), frame.bottom(), x(first + i * step), frame.bottom() + 5);
      text(os, x(first + i * step), frame.bottom() + 20, "middle", format(first + i * step));
    }
    text(os, frame.left, frame.top - 10, "start", "KL divergence of the classes, nats");
    text(os, frame.left + frame.width / 2, frame.bottom() + 42, "middle",
         isSize ? "weights of layers, MB" : front.costName());
  }

private:
  bool isSize;
  Frame frame;
  double low = 0, high = 0, step = 0, first = 0, dearest = 0;
};

} // namespace

void html::frontPlot(llvm::raw_ostream &os, const BitFront &front) {
  const FrontAxes axes(front);
  axes.draw(os, front);
  os << "<polyline class=\"curve\" points=\"";
  for (const BitFront::Point &point : front.points)
    os << coordinate(axes.x(point)) << "," << coordinate(axes.y(point)) << " ";
  os << "\"/>\n";
  auto circle = [&](llvm::StringRef type, int radius, const BitFront::Point &point) {
    os << formatv("<circle class=\"{0}\" cx=\"{1}\" cy=\"{2}\" r=\"{3}\"><title>{4}, {5} nats</title></circle>\n", type,
                  coordinate(axes.x(point)), coordinate(axes.y(point)), radius, escape(front.costText(point.cost)),
                  format(point.loss, 3));
  };
  for (const BitFront::Point &point : front.points)
    circle("dot", 3, point);
  for (auto [point, name] : {std::pair(front.eight, "8 bits"), {front.four, "4 bits"}}) {
    circle("other", 6, point);
    text(os, axes.x(point) - 10, axes.y(point) - 10, "end", name);
  }
  circle("chosen", 6, front.chosen);
  text(os, axes.x(front.chosen) + 10, axes.y(front.chosen) - 10, "start", "chosen", "mark");
  os << "</svg>\n";
}
