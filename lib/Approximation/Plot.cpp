//===- Plot.cpp - Tables as pictures -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Segments.h"
#include "vitq/Approximation/Write.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <cmath>

using namespace vitq;
using namespace vitq::approximation;
using llvm::formatv;

namespace {

constexpr double kWidth = 760.0, kHeight = 620.0;
constexpr double kLeft = 84.0, kRight = 20.0;

struct Point {
  double x, y;
};

/// One set of axes: a rectangle of the picture and the reals it shows.
class Panel {
public:
  Panel(double top, double bottom, double lowX, double highX, double lowY, double highY)
      : top(top), bottom(bottom), lowX(lowX), highX(highX), lowY(lowY), highY(highY) {}

  double atX(double x) const { return kLeft + (x - lowX) / (highX - lowX) * (kWidth - kLeft - kRight); }
  double atY(double y) const { return bottom - (y - lowY) / (highY - lowY) * (bottom - top); }

  /// Frame, grid, numbers and the label of the vertical axis.
  void drawAxes(llvm::raw_ostream &os, llvm::StringRef label, bool numbersBelow) const {
    for (double x : ticks(lowX, highX, 12)) {
      os << formatv("<line class=\"grid\" x1=\"{0:f1}\" x2=\"{0:f1}\" y1=\"{1:f1}\" y2=\"{2:f1}\"/>\n", atX(x), top,
                    bottom);
      if (numbersBelow)
        os << formatv("<text x=\"{0:f1}\" y=\"{1:f1}\" text-anchor=\"middle\">{2}</text>\n", atX(x), bottom + 18.0,
                      number(x));
    }
    for (double y : ticks(lowY, highY, 6)) {
      os << formatv("<line class=\"{3}\" x1=\"{0:f1}\" x2=\"{1:f1}\" y1=\"{2:f1}\" y2=\"{2:f1}\"/>\n", kLeft,
                    kWidth - kRight, atY(y), y == 0.0 ? "zero" : "grid");
      os << formatv("<text x=\"{0:f1}\" y=\"{1:f1}\" text-anchor=\"end\">{2}</text>\n", kLeft - 8.0, atY(y) + 4.0,
                    number(y));
    }
    os << formatv("<rect class=\"frame\" x=\"{0:f1}\" y=\"{1:f1}\" width=\"{2:f1}\" height=\"{3:f1}\"/>\n", kLeft, top,
                  kWidth - kLeft - kRight, bottom - top);
    const double middle = 0.5 * (top + bottom);
    os << formatv("<text x=\"16\" y=\"{0:f1}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {0:f1})\">{1}</text>\n",
                  middle, label);
  }

  void drawLine(llvm::raw_ostream &os, llvm::StringRef style, llvm::ArrayRef<Point> points) const {
    os << "<polyline class=\"" << style << "\" points=\"";
    for (auto [index, point] : llvm::enumerate(points))
      os << formatv("{0}{1:f1},{2:f1}", index ? " " : "", atX(point.x), atY(point.y));
    os << "\"/>\n";
  }

  /// Dims what lies beyond [from, to].
  void drawBeyond(llvm::raw_ostream &os, double from, double to) const {
    auto dim = [&](double low, double high) {
      if (atX(high) - atX(low) > 1.0)
        os << formatv("<rect class=\"beyond\" x=\"{0:f1}\" y=\"{1:f1}\" width=\"{2:f1}\" height=\"{3:f1}\"/>\n",
                      atX(low), top, atX(high) - atX(low), bottom - top);
    };
    dim(lowX, from);
    dim(to, highX);
  }

  const double top, bottom, lowX, highX, lowY, highY;

private:
  /// About `count` round numbers in [low, high].
  static std::vector<double> ticks(double low, double high, int count) {
    const double raw = (high - low) / count, power = std::pow(10.0, std::floor(std::log10(raw)));
    double step = 10.0 * power;
    for (double factor : {1.0, 2.0, 5.0})
      if (factor * power >= raw * 0.999) {
        step = factor * power;
        break;
      }
    std::vector<double> places;
    const int64_t last = std::llround(std::floor(high / step + 1e-9));
    for (int64_t i = std::llround(std::ceil(low / step - 1e-9)); i <= last; ++i)
      places.push_back(static_cast<double>(i) * step);
    return places;
  }
};

} // namespace

/// Two digits are enough in a picture.
static std::string brief(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.2g", value);
  return text;
}

/// A range about the values, a little wider.
static std::pair<double, double> padded(double low, double high) {
  const double pad = high > low ? 0.06 * (high - low) : std::max(std::fabs(high), 1e-9) * 0.1;
  return {low - pad, high + pad};
}

namespace {

/// The samples of a picture.
struct Curves {
  std::vector<Point> function, errors;
  /// One for each entry that serves a code, over the codes it serves.
  std::vector<std::vector<Point>> lines;
  double lowY = 0.0, highY = 0.0, largestError = 0.0;

  Curves(const TableDocument &document, int64_t first, int64_t last) {
    // A picture has fewer columns than a 16-bit type has codes.
    const int64_t stride = std::max<int64_t>((last - first) / 4096, 1);
    size_t entry = ~size_t(0);
    lowY = highY = document.evaluate(static_cast<double>(first) * document.scale);
    for (int64_t code = first; code <= last; code += stride) {
      const double x = static_cast<double>(code) * document.scale;
      const double real = document.evaluate(x), value = document.table.value(code, document.scale);
      function.push_back({x, real});
      errors.push_back({x, value - real});
      largestError = std::max(largestError, std::fabs(value - real));
      lowY = std::min({lowY, real, value});
      highY = std::max({highY, real, value});
      if (document.table.entryOf(code) != entry) {
        entry = document.table.entryOf(code);
        lines.emplace_back();
      }
      lines.back().push_back({x, value});
    }
    // Few codes: the function is smooth between them all the same.
    if (last - first < 256) {
      function.clear();
      for (int i = 0; i <= 512; ++i) {
        const double x = (static_cast<double>(first) + static_cast<double>(last - first) * i / 512.0) * document.scale;
        function.push_back({x, document.evaluate(x)});
      }
    }
  }
};

} // namespace

static void drawKey(llvm::raw_ostream &os, double x, llvm::StringRef style, llvm::StringRef text) {
  os << formatv("<line class=\"{0}\" x1=\"{1:f1}\" x2=\"{2:f1}\" y1=\"44\" y2=\"44\"/>"
                "<text x=\"{3:f1}\" y=\"48\">{4}</text>\n",
                style, x, x + 26.0, x + 32.0, text);
}

/// The head of the file, the title and the key.
static void drawHeading(llvm::raw_ostream &os, const TableDocument &document) {
  os << formatv("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:f0}\" height=\"{1:f0}\" viewBox=\"0 0 {0:f0} "
                "{1:f0}\" role=\"img\" aria-label=\"{2} as {3} lines\">\n",
                kWidth, kHeight, document.function, document.table.entries());
  os << "<style>text{font:13px sans-serif;fill:#333}.title{font-weight:bold;font-size:15px}"
        "line,polyline,rect{fill:none}.grid{stroke:#e4e4e4}.zero{stroke:#999}.frame{stroke:#666}"
        "rect.beyond{fill:#eeeeee;fill-opacity:.75}.function{stroke:#111;stroke-width:1.3}"
        ".lines{stroke:#ee8a6d;stroke-width:5;stroke-linecap:round;stroke-linejoin:round}.error{stroke:#1f62b5;stroke-"
        "width:1.3}"
        ".break{stroke:#d6401f;stroke-opacity:.55;stroke-dasharray:3 3}</style>\n";
  os << formatv("<rect x=\"0\" y=\"0\" width=\"{0:f0}\" height=\"{1:f0}\" style=\"fill:#fff\"/>\n", kWidth, kHeight);
  os << formatv(
      "<text class=\"title\" x=\"{0:f0}\" y=\"24\">{1}: {2} entries, {3}, input scale {4}, lambda {5}</text>\n", kLeft,
      document.function, document.table.entries(), document.method, number(document.scale),
      document.table.fractionBits);
  drawKey(os, kLeft, "function", document.function);
  drawKey(os, kLeft + 120.0, "lines", "table");
  drawKey(os, kLeft + 210.0, "break", "breakpoint");
  os << formatv("<text x=\"{0:f0}\" y=\"48\" text-anchor=\"end\">mean squared error {1}, largest {2}</text>\n",
                kWidth - kRight, brief(document.meanSquaredError), brief(document.largestError));
}

void approximation::writePlot(llvm::raw_ostream &os, const TableDocument &document) {
  // A quarter of the range on either side, where inputs can be there.
  const int64_t margin = std::max<int64_t>((document.lastCode - document.firstCode) / 4, 1);
  const int64_t first = std::max(document.firstInput, document.firstCode - margin);
  const int64_t last = std::min(document.lastInput, document.lastCode + margin);
  const Curves curves(document, first, last);
  const double lowX = static_cast<double>(first) * document.scale;
  const double highX = std::max(static_cast<double>(last) * document.scale, lowX + document.scale);
  auto [lowY, highY] = padded(curves.lowY, curves.highY);
  const double reach = curves.largestError > 0.0 ? 1.1 * curves.largestError : 1e-9;
  const Panel upper(64.0, 380.0, lowX, highX, lowY, highY), lower(404.0, 560.0, lowX, highX, -reach, reach);
  const double from = static_cast<double>(document.firstCode) * document.scale;
  const double to = static_cast<double>(document.lastCode) * document.scale;

  drawHeading(os, document);
  for (const Panel *panel : {&upper, &lower}) {
    panel->drawBeyond(os, from, to);
    panel->drawAxes(os, panel == &upper ? "value" : "table - function", panel == &lower);
    for (int64_t breakpoint : document.table.breakpoints)
      if (breakpoint > first && breakpoint <= last)
        os << formatv("<line class=\"break\" x1=\"{0:f1}\" x2=\"{0:f1}\" y1=\"{1:f1}\" y2=\"{2:f1}\"/>\n",
                      panel->atX((static_cast<double>(breakpoint) - 0.5) * document.scale), panel->top, panel->bottom);
  }
  for (std::vector<Point> line : curves.lines) {
    // A line of no length is not drawn.
    if (line.size() == 1)
      line.push_back({line[0].x + 0.0002 * (highX - lowX), line[0].y});
    upper.drawLine(os, "lines", line);
  }
  upper.drawLine(os, "function", curves.function);
  lower.drawLine(os, "error", curves.errors);
  os << formatv("<text x=\"{0:f1}\" y=\"{1:f1}\" text-anchor=\"middle\">x = input scale * q (grey: beyond the fitted "
                "range)</text>\n</svg>\n",
                0.5 * (kLeft + kWidth - kRight), kHeight - 16.0);
}
