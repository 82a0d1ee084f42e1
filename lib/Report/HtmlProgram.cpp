//===- HtmlProgram.cpp - What a program takes, and its functions -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Html.h"

#include "llvm/Support/FormatVariadic.h"

using namespace vitq;
using namespace vitq::reporting;
using namespace vitq::reporting::html;
using llvm::formatv;

static std::string microseconds(double time) {
  return time >= 1000 ? formatFixed(time / 1000, 2) + " ms" : formatFixed(time, 1) + " \u00b5s";
}

/// Steps that lose the most, with how far they are from their limit.
static void slowestTable(llvm::raw_ostream &os, llvm::ArrayRef<const NativeFacts::Step *> slowest) {
  os << "<div class=\"scroll\"><table>\n<tr><th>node</th><th>ops</th><th class=\"n\">time</th><th "
        "class=\"n\">limit</th><th class=\"n\">ratio</th></tr>\n";
  for (const NativeFacts::Step *step : slowest.take_front(10)) {
    const bool hasLimit = step->limit && *step->limit > 0;
    os << formatv("<tr><td>{0}</td><td>{1}</td><td class=\"n\">{2}</td><td class=\"n\">{3}</td><td "
                  "class=\"n\">{4}</td></tr>\n",
                  shortName(step->node, 44), shortName(step->op, 44), microseconds(*step->time),
                  hasLimit ? microseconds(*step->limit) : "-",
                  hasLimit ? formatFixed(*step->time / *step->limit, 2) : "-");
  }
  os << "</table></div>\n";
}

static void timeSection(llvm::raw_ostream &os, const Data &data) {
  std::vector<const NativeFacts::Step *> slowest = data.slowestSteps();
  if (slowest.empty())
    return;
  const auto [time, limit] = data.timeAndLimit();
  os << "<section id=\"time\"><h2>Time of the steps</h2>\n"
     << formatv("<p class=\"soft\">One thread of the machine that compiled, the median of some runs: {0} in all",
                microseconds(time));
  if (limit > 0)
    os << formatv(", {0} times the {1} that the multiply-accumulates alone take at its peak (light)",
                  formatFixed(time / limit, 2), microseconds(limit));
  os << ". Below, the steps that lose the most.</p>\n";
  stepPlot(os, data.native.steps);
  slowestTable(os, slowest);
  os << "</section>\n";
}

static void memorySection(llvm::raw_ostream &os, const Data &data) {
  const NativeFacts &facts = data.native;
  if (facts.arenaPlan.empty() || facts.steps.empty() || !facts.arenaBytes)
    return;
  os << "<section id=\"memory\"><h2>Working memory over time</h2>\n"
     << formatv("<p class=\"soft\">{0} buffers in an arena of {1}; what is in use at one time takes {2} at most. Each "
                "box is a buffer, from the step that writes it first to the last that reads it.</p>\n",
                facts.arenaPlan.size(), bytes(*facts.arenaBytes),
                bytes(facts.arenaLowerBound.value_or(*facts.arenaBytes)));
  arenaPlot(os, facts);
  os << "</section>\n";
}

void html::programSections(llvm::raw_ostream &os, const Data &data) {
  timeSection(os, data);
  memorySection(os, data);
}

void html::curveSection(llvm::raw_ostream &os, const Data &data) {
  std::vector<const OpEntry *> curves = data.curves();
  if (curves.empty())
    return;
  constexpr size_t kShown = 6;
  os << "<section id=\"curves\"><h2>Functions and their errors</h2>\n<p class=\"soft\">At the codes that occurred: the "
        "float function (gray), what the program computes (blue), and their difference (red, its own axis). "
     << (curves.size() > kShown ? formatv("The worst {0} of {1}.", kShown, curves.size()).str() : "")
     << "</p>\n<div class=\"plots\">\n";
  for (const OpEntry *op : llvm::ArrayRef(curves).take_front(kShown)) {
    const std::string algorithm = data.algorithmOf(op->node);
    const comparison::ValueFigures &value = *data.measured(*op);
    os << formatv("<div><h3>{0}</h3><p class=\"soft\">{1} by {2}, own error {3} dB</p>\n", escape(op->node),
                  escape(value.referenceOp), escape(algorithm.empty() ? op->op : algorithm),
                  formatFixed(value.addedSqnrDb, 1));
    curvePlot(os, value.curve);
    os << "</div>\n";
  }
  os << "</div></section>\n";
}
