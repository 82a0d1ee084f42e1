//===- TraceSvg.cpp - Timelines as pictures -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A strip for each lane over the cycles. Few events are drawn one by one; of many, a
// column of a pixel shows for which part of its cycles instructions of each opcode ran.
//
//===----------------------------------------------------------------------===//

#include "Timeline.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <array>
#include <cmath>

using namespace vitq;
using namespace vitq::simulator;
using llvm::formatv;

namespace {

constexpr int64_t kWidth = 1240, kLeft = 84, kRight = 24, kColumns = kWidth - kLeft - kRight;
constexpr int64_t kTop = 84, kStrip = 56, kGap = 12;
/// The most events that are drawn one by one.
constexpr size_t kMostEvents = 1500;

/// Strips from top to bottom. Preloads and computes overlap, so each has a strip.
constexpr llvm::StringLiteral kStrips[] = {"load", "preload", "compute", "store", "units"};
constexpr int64_t kNumStrips = std::size(kStrips);

} // namespace

static int64_t stripOf(Opcode opcode) {
  switch (opcode) {
  case Opcode::Preload:
    return 1;
  case Opcode::Compute:
    return 2;
  case Opcode::Mvout:
    return 3;
  case Opcode::Units:
    return 4;
  default:
    return 0;
  }
}

/// Colours that stay apart for the colour-blind (Okabe and Ito), by opcode.
static llvm::StringRef colourOf(Opcode opcode) {
  static constexpr llvm::StringLiteral colours[kNumOpcodes] = {"#999999", "#56b4e9", "#0072b2", "#e69f00",
                                                               "#009e73", "#cc79a7", "#d55e00"};
  return colours[static_cast<unsigned>(opcode)];
}

/// A number of cycles with its thousands apart.
static std::string grouped(uint64_t n) {
  std::string text = llvm::utostr(n);
  for (size_t at = text.size(); at > 3; at -= 3)
    text.insert(at - 3, " ");
  return text;
}

static std::string escaped(llvm::StringRef text) {
  std::string result;
  llvm::raw_string_ostream os(result);
  llvm::printHTMLEscaped(text, os);
  return result;
}

namespace {

class Picture {
public:
  Picture(llvm::raw_ostream &os, llvm::ArrayRef<TimelineEvent> events, const Counters &counters)
      : os(os), events(events), cycles(std::max<uint64_t>(counters.cycles, 1)) {
    for (const TimelineEvent &event : events)
      used[static_cast<unsigned>(event.opcode)] = true;
    std::array<bool, kNumStrips> drawn = {};
    for (unsigned opcode = 0; opcode < kNumOpcodes; ++opcode)
      drawn[static_cast<size_t>(stripOf(static_cast<Opcode>(opcode)))] |= used[opcode];
    for (int64_t strip = 0; strip < kNumStrips; ++strip) {
      tops[static_cast<size_t>(strip)] = drawn[static_cast<size_t>(strip)] ? bottom : -1;
      bottom += drawn[static_cast<size_t>(strip)] ? kStrip + kGap : 0;
    }
  }

  /// Where the last strip ends.
  int64_t getBottom() const { return bottom; }
  /// Of many events a pixel shows a part of its cycles.
  bool areEventsApart() const { return events.size() <= kMostEvents; }
  void writeFrame();
  void writeAxis();
  void writeEvents();
  void writeColumns();
  void writeLegend();

private:
  int64_t topOf(int64_t strip) const { return tops[static_cast<size_t>(strip)]; }
  double atX(uint64_t cycle) const {
    return kLeft + static_cast<double>(cycle) * kColumns / static_cast<double>(cycles);
  }

  llvm::raw_ostream &os;
  llvm::ArrayRef<TimelineEvent> events;
  uint64_t cycles;
  /// Opcodes that there are events of, and the strips' tops: -1 without any.
  std::array<bool, kNumOpcodes> used = {};
  std::array<int64_t, kNumStrips> tops;
  int64_t bottom = kTop;
};

} // namespace

void Picture::writeFrame() {
  for (int64_t strip = 0; strip < kNumStrips; ++strip) {
    if (topOf(strip) < 0)
      continue;
    os << formatv("<rect class=\"strip\" x=\"{0}\" y=\"{1}\" width=\"{2}\" height=\"{3}\"/>\n", kLeft, topOf(strip),
                  kColumns, kStrip);
    os << formatv("<text x=\"{0}\" y=\"{1}\" text-anchor=\"end\">{2}</text>\n", kLeft - 10,
                  topOf(strip) + kStrip / 2 + 4, kStrips[strip]);
  }
}

void Picture::writeAxis() {
  // Steps of 1, 2 or 5 times a power of ten, about ten of them.
  double step = std::pow(10.0, std::floor(std::log10(static_cast<double>(cycles) / 10.0)));
  for (double factor : {2.0, 2.5, 2.0})
    if (static_cast<double>(cycles) / step > 12.0)
      step *= factor;
  const auto every = std::max<uint64_t>(1, static_cast<uint64_t>(step));
  for (uint64_t cycle = 0; cycle <= cycles; cycle += every) {
    os << formatv("<line class=\"grid\" x1=\"{0:f1}\" x2=\"{0:f1}\" y1=\"{1}\" y2=\"{2}\"/>\n", atX(cycle), kTop,
                  bottom - kGap + 5);
    os << formatv("<text x=\"{0:f1}\" y=\"{1}\" text-anchor=\"middle\">{2}</text>\n", atX(cycle), bottom + 10,
                  grouped(cycle));
  }
  os << formatv("<text x=\"{0}\" y=\"{1}\" text-anchor=\"middle\">cycles</text>\n", kLeft + kColumns / 2, bottom + 30);
}

void Picture::writeEvents() {
  // Events of a lane that overlap share the height of its strip.
  RowsOfLanes rows;
  std::vector<unsigned> rowOf;
  for (const TimelineEvent &event : events)
    rowOf.push_back(rows.rowOf(event));
  for (auto [event, row] : llvm::zip_equal(events, rowOf)) {
    const bool isExecute = event.lane == TimelineEvent::Lane::Execute;
    const double height = static_cast<double>(kStrip) /
                          (isExecute ? 1.0 : static_cast<double>(rows.rows(static_cast<unsigned>(event.lane))));
    const double top = static_cast<double>(topOf(stripOf(event.opcode))) + (isExecute ? 0.0 : height * row);
    os << formatv("<rect class=\"event\" x=\"{0:f2}\" y=\"{1:f2}\" width=\"{2:f2}\" height=\"{3:f2}\" fill=\"{4}\">"
                  "<title>{5} {6}: {7} to {8}</title></rect>\n",
                  atX(event.start), top, atX(event.end) - atX(event.start), height, colourOf(event.opcode), event.index,
                  opcodeName(event.opcode), event.start, event.end);
  }
}

void Picture::writeColumns() {
  // The part of every column's cycles in which an opcode ran; more than one instruction
  // at a time counts as one.
  std::array<std::vector<double>, kNumOpcodes> busy;
  std::array<uint64_t, kNumOpcodes> covered = {};
  for (std::vector<double> &parts : busy)
    parts.resize(kColumns, 0.0);
  const double width = static_cast<double>(cycles) / kColumns;
  for (const TimelineEvent &event : events) {
    const auto opcode = static_cast<unsigned>(event.opcode);
    const uint64_t from = std::max(event.start, covered[opcode]);
    if (from >= event.end)
      continue;
    covered[opcode] = event.end;
    const auto start = static_cast<double>(from), end = static_cast<double>(event.end);
    for (auto column = static_cast<int64_t>(start / width); column < kColumns; ++column) {
      const double left = static_cast<double>(column) * width, right = left + width;
      if (left >= end)
        break;
      busy[opcode][static_cast<size_t>(column)] += (std::min(right, end) - std::max(left, start)) / width;
    }
  }
  std::vector<std::vector<double>> filled(kNumStrips, std::vector<double>(kColumns, 0.0));
  for (unsigned opcode = 0; opcode < kNumOpcodes; ++opcode) {
    if (!used[opcode])
      continue;
    const int64_t strip = stripOf(static_cast<Opcode>(opcode));
    std::vector<double> &below = filled[static_cast<size_t>(strip)];
    os << "<path fill=\"" << colourOf(static_cast<Opcode>(opcode)) << "\" d=\"";
    for (size_t column = 0; column < static_cast<size_t>(kColumns); ++column) {
      const double part = std::min(busy[opcode][column], 1.0 - below[column]);
      if (part < 0.002)
        continue;
      const double y = static_cast<double>(topOf(strip) + kStrip) - (below[column] + part) * kStrip;
      os << formatv("M{0} {1:f1}h1v{2:f1}h-1z", kLeft + static_cast<int64_t>(column), y, part * kStrip);
      below[column] += part;
    }
    os << "\"/>\n";
  }
}

void Picture::writeLegend() {
  int64_t x = kLeft;
  for (Opcode opcode :
       {Opcode::Mvin, Opcode::MvinAcc, Opcode::Preload, Opcode::Compute, Opcode::Mvout, Opcode::Units}) {
    if (!used[static_cast<unsigned>(opcode)])
      continue;
    os << formatv("<rect x=\"{0}\" y=\"58\" width=\"12\" height=\"12\" fill=\"{1}\"/>", x, colourOf(opcode));
    os << formatv("<text x=\"{0}\" y=\"68\">{1}</text>\n", x + 18, opcodeName(opcode));
    x += 110;
  }
  if (!areEventsApart())
    os << formatv("<text x=\"{0}\" y=\"68\" text-anchor=\"end\">height: for which part of a pixel's {1} cycles such an "
                  "instruction is under way</text>\n",
                  kLeft + kColumns, grouped(std::max<uint64_t>(1, cycles / kColumns)));
}

/// What the queues waited for.
static std::string describeWaits(const Counters &counters) {
  auto part = [&](uint64_t cycles) {
    return formatv("{0:f1} %",
                   100.0 * static_cast<double>(cycles) / static_cast<double>(std::max<uint64_t>(counters.cycles, 1)))
        .str();
  };
  return formatv("busy: array {0}, read {1}, write {2}, units {3}; execute waits for loads {4}, for stores {5}; "
                 "{6} bytes read, {7} written",
                 part(counters.executeBusy), part(counters.loadBusy), part(counters.storeBusy), part(counters.unitBusy),
                 part(counters.executeWaitLoad), part(counters.executeWaitStore), grouped(counters.bytesRead),
                 grouped(counters.bytesWritten));
}

void simulator::writeTimelineSvg(llvm::raw_ostream &os, const Program &program, uint32_t number,
                                 llvm::ArrayRef<TimelineEvent> events, const Counters &counters) {
  const Launch &launch = program.launches[number];
  Picture picture(os, events, counters);
  const int64_t height = picture.getBottom() + 44;
  os << formatv("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\">\n",
                kWidth, height);
  os << "<style>text { font: 12px sans-serif; fill: #222 } .title { font-size: 15px; font-weight: bold } "
        ".strip { fill: #f4f4f4; stroke: #bbb } .grid { stroke: #ddd; stroke-width: 0.7 } "
        ".event { stroke: #fff; stroke-width: 0.3 }</style>\n";
  os << formatv("<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n", kWidth, height);
  const std::string title = launch.node + " (" + launch.op + ")";
  os << formatv("<text class=\"title\" x=\"{0}\" y=\"24\">{1}: {2} cycles, utilization {3:f1} %, {4}</text>\n", kLeft,
                escaped(title), grouped(counters.cycles), 100.0 * counters.utilization(program.config),
                escaped(program.config.str()));
  os << formatv("<text x=\"{0}\" y=\"44\">{1}</text>\n", kLeft, describeWaits(counters));
  picture.writeLegend();
  picture.writeFrame();
  picture.writeAxis();
  if (picture.areEventsApart())
    picture.writeEvents();
  else
    picture.writeColumns();
  os << "</svg>\n";
}
