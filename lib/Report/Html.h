//===- Html.h - Pieces of the report's page -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Node names and paths come from files that anybody may have made: every text goes
// through `escape` on its way into the page, and nothing of it into a script, for
// there is none.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_REPORT_HTML_H
#define VITQ_LIB_REPORT_HTML_H

#include "Data.h"

namespace vitq::reporting::html {

/// Text as HTML, safe in elements and in quoted attributes.
std::string escape(llvm::StringRef text);
/// The end of a long name, escaped, with the whole as a tooltip.
std::string shortName(llvm::StringRef name, size_t length);

/// One point of a line plot.
struct Point {
  double value;
  /// Under the axis; empty for none.
  std::string tick;
  /// Shown when pointed at.
  std::string title;
};
/// A line over equidistant points.
void linePlot(llvm::raw_ostream &os, llvm::ArrayRef<Point> points, llvm::StringRef unit);

struct Bar {
  /// HTML of the name; tooltip; text behind the bar, and what follows it where there is
  /// room.
  std::string label, title, note, more;
  double value;
  /// Drawn in the colour of what is wrong.
  bool bad = false;
};
/// Horizontal bars with names, of values from 0.
void barChart(llvm::raw_ostream &os, llvm::ArrayRef<Bar> bars);

/// The largest value of every channel as a column, the outlier's in red; a line at
/// the step of the quantization.
void channelPlot(llvm::raw_ostream &os, const Outlier &outlier);

/// A histogram with logarithmic counts; what the codes hold is shaded.
void histogramPlot(llvm::raw_ostream &os, const LinearHistogram &histogram,
                   std::optional<std::pair<double, double>> representable);

/// Cost across, loss on a logarithmic axis: the front as a line, what was chosen, and 8 and 4 bits for all.
void frontPlot(llvm::raw_ostream &os, const BitFront &front);

/// The time of every step as a column, and that of its multiply-accumulates alone; none without times.
void stepPlot(llvm::raw_ostream &os, llvm::ArrayRef<NativeFacts::Step> steps);

/// The buffers of the arena: steps across, addresses upwards.
void arenaPlot(llvm::raw_ostream &os, const NativeFacts &facts);

/// A function and what the program computes, over a picture of the error.
void curvePlot(llvm::raw_ostream &os, llvm::ArrayRef<comparison::CurvePoint> points);

/// What the program takes, step by step: time and memory.
void programSections(llvm::raw_ostream &os, const Data &data);

/// Functions of one variable, with their errors.
void curveSection(llvm::raw_ostream &os, const Data &data);

/// Text as bytes, KiB or MiB.
std::string bytes(int64_t count);

/// Choices of bits within other budgets.
void bitFrontSection(llvm::raw_ostream &os, const BitFront &front);

/// The table of the stages of the compilation, the slowest first.
void stageTable(llvm::raw_ostream &os, const Data &data);

/// The table of all ops.
void opTable(llvm::raw_ostream &os, const Data &data);

/// What a systolic array does: figures, kinds of launches, where every op runs.
void arraySection(llvm::raw_ostream &os, const ArrayFacts &array);

} // namespace vitq::reporting::html

#endif // VITQ_LIB_REPORT_HTML_H
