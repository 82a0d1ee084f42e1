//===- HtmlTables.cpp - The table of all ops -*- C++ -*-===//
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

static void cell(llvm::raw_ostream &os, llvm::StringRef content) { os << "<td>" << escape(content) << "</td>"; }
static void number(llvm::raw_ostream &os, llvm::StringRef content) {
  os << "<td class=\"n\">" << escape(content) << "</td>";
}

static std::string bitsOf(const OpEntry &op) {
  std::string text;
  for (unsigned bits : op.operandBits)
    text += (text.empty() ? "" : ", ") + std::to_string(bits);
  text += " \xe2\x86\x92 ";
  for (auto [i, bits] : llvm::enumerate(op.resultBits))
    text += (i ? ", " : "") + std::to_string(bits);
  return text;
}

static std::string scaleOf(const OpEntry &op) {
  if (op.scales.empty())
    return "";
  return op.scales.size() == 1 ? format(op.scales[0]) : std::to_string(op.scales.size()) + " scales";
}

static void row(llvm::raw_ostream &os, const OpEntry &op, const comparison::ValueFigures *value) {
  os << "<tr><td class=\"node\">" << shortName(op.node, 44) << "</td>";
  cell(os, llvm::StringRef(op.op).split('.').second);
  cell(os, op.algorithm);
  number(os, bitsOf(op));
  number(os, scaleOf(op));
  number(os, op.zeroPoints.empty() ? "" : std::to_string(op.zeroPoints[0]));
  number(os, op.range ? format(op.range->first, 3) : "");
  number(os, op.range ? format(op.range->second, 3) : "");
  number(os, value ? formatFixed(value->sqnrDb, 1) : "");
  number(os, value ? formatFixed(value->addedSqnrDb, 1) : "");
  number(os, value && value->addedShare > 0 ? formatFixed(100 * value->addedShare, 1) : "");
  number(os, value && value->saturation > 0 ? formatFixed(100 * value->saturation, 2) : "");
  number(os, op.macs ? formatFixed(static_cast<double>(op.macs) / 1e6, 2) : "");
  number(os, op.constantBytes ? formatCount(op.constantBytes) : "");
  number(os, formatCount(op.resultBytes));
  os << "</tr>\n";
}

void html::opTable(llvm::raw_ostream &os, const Data &data) {
  os << "<div class=\"scroll\"><table>\n<thead><tr><th>node</th><th>op</th><th>algorithm</th><th class=\"n\">bits</th>"
        "<th class=\"n\">scale</th><th class=\"n\">zero point</th><th class=\"n\">min</th><th class=\"n\">max</th>"
        "<th class=\"n\">SQNR dB</th><th class=\"n\">own error dB</th><th class=\"n\">added %</th>"
        "<th class=\"n\">clipped %</th><th class=\"n\">MMAC</th><th class=\"n\">constants B</th>"
        "<th class=\"n\">result B</th></tr></thead>\n<tbody>\n";
  for (const OpEntry &op : data.ops)
    row(os, op, data.measured(op));
  os << "</tbody></table></div>\n";
}

void html::stageTable(llvm::raw_ostream &os, const Data &data) {
  constexpr double mib = 1 << 20;
  os << "<div class=\"scroll\"><table>\n<thead><tr><th>pass</th><th class=\"n\">seconds</th>"
        "<th class=\"n\">MiB after</th><th class=\"n\">peak growth MiB</th></tr></thead>\n<tbody>\n";
  for (const StageCost &stage : data.slowestStages()) {
    os << "<tr>";
    cell(os, stage.name);
    number(os, formatFixed(stage.seconds, 3));
    number(os, formatFixed(static_cast<double>(stage.residentBytes) / mib, 1));
    number(os, formatFixed(static_cast<double>(stage.peakGrowthBytes) / mib, 1));
    os << "</tr>\n";
  }
  os << "</tbody></table></div>\n";
}
