//===- Text.cpp - A report as text -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Data.h"

#include "llvm/Support/Format.h"

using namespace vitq;
using namespace vitq::reporting;

static void printSummary(const Data &data, llvm::raw_ostream &os) {
  auto line = [&](llvm::StringRef name, llvm::StringRef text) {
    os << llvm::left_justify(name, 21) << " " << text << "\n";
  };
  auto number = [&](llvm::StringRef name, std::optional<int64_t> value) {
    line(name, value ? std::to_string(*value) : "not measured");
  };
  auto real = [&](llvm::StringRef name, std::optional<double> value, llvm::StringRef unit) {
    line(name, value ? formatFixed(value, 2) + " " + unit.str() : "not measured");
  };
  auto budget = [&](llvm::StringRef name, std::optional<int64_t> bytes, std::optional<int64_t> of) {
    if (bytes)
      line(name, std::to_string(*bytes) + (of ? " of " + std::to_string(*of) : ""));
  };
  line("model", data.model);
  line("preprocessing", data.preprocess.empty() ? "none" : data.preprocess);
  line("nonlinear functions", data.nonlinear);
  for (const auto &[name, text] : data.options)
    if (!text.empty())
      line("--" + name, text);
  line("target", data.native.target.empty() ? "none" : data.native.target);
  number("multiply-accumulates", data.macs);
  number("constant bytes", data.weightBytes);
  number("weight bytes", data.native.weightBytes);
  number("arena bytes", data.native.arenaBytes);
  number("arena lower bound", data.native.arenaLowerBound);
  number("code bytes", data.native.codeBytes);
  budget("RAM bytes", data.native.ramBytes, data.native.ramBudget);
  budget("flash bytes, about", data.native.flashBytes, data.native.flashBudget);
  number("float instructions", data.native.floatInstructions);
  if (data.accuracy) {
    real("top-1", data.accuracy->top1, "%");
    real("top-1 of the float", data.accuracy->referenceTop1, "%");
    real("agreement", data.accuracy->agreement, "%");
  }
  if (!data.comparison)
    return real("SQNR of the logits", std::nullopt, "dB");
  const bool onlyLogits = data.comparison->outputsName() == "logits";
  for (const comparison::OutputFigures &output : data.comparison->outputs)
    real(onlyLogits ? "SQNR of the logits" : "SQNR of '" + output.name + "'", output.sqnrDb, "dB");
}

static void printFindings(const Data &data, llvm::raw_ostream &os) {
  std::vector<Finding> findings = data.findings();
  os << "\nfindings: " << (findings.empty() ? "none" : std::to_string(findings.size())) << "\n";
  for (const Finding &finding : findings)
    os << "  " << llvm::left_justify(toString(finding.severity), 7) << finding.text << " Try " << finding.flag << "\n";
}

static void printDecisions(const Data &data, llvm::raw_ostream &os) {
  if (data.decisions.empty())
    return;
  os << "\nwhat passes decided\n";
  for (const Decision &decision : data.decisions)
    os << "  " << llvm::left_justify(decision.pass, 27) << decision.node << ": " << decision.text << "\n";
}

static void printBlocks(const Data &data, llvm::raw_ostream &os) {
  if (!data.comparison)
    return;
  os << "\nresidual stream, SQNR on " << data.comparison->images << " images\n";
  for (size_t i : data.comparison->residualStream()) {
    const comparison::ValueFigures &value = data.comparison->values[i];
    os << "  " << llvm::left_justify(value.block ? "block " + std::to_string(*value.block) : "-", 10)
       << llvm::left_justify(value.node, 44) << llvm::right_justify(formatFixed(value.sqnrDb, 1), 8) << " dB\n";
  }
}

static void printOp(const Data &data, const OpEntry &op, llvm::raw_ostream &os) {
  std::string bits;
  for (unsigned width : op.operandBits)
    bits += (bits.empty() ? "" : ",") + std::to_string(width);
  bits += "->";
  for (auto [i, width] : llvm::enumerate(op.resultBits))
    bits += (i ? "," : "") + std::to_string(width);
  llvm::StringRef node = op.node;
  os << llvm::left_justify(node.size() > 43 ? (".." + node.take_back(41)).str() : node.str(), 44)
     << llvm::left_justify(op.op, 22) << llvm::left_justify(bits, 14)
     << llvm::left_justify(op.algorithm.empty() ? "-" : op.algorithm, 11);
  if (op.scales.empty())
    os << llvm::right_justify("-", 12);
  else if (op.scales.size() == 1)
    os << llvm::format("%12.4g", op.scales[0]);
  else
    os << llvm::right_justify(std::to_string(op.scales.size()) + " scales", 12);
  os << llvm::right_justify(op.zeroPoints.empty() ? "-" : std::to_string(op.zeroPoints[0]), 6);
  if (op.range)
    os << llvm::format("%10.3g%10.3g", op.range->first, op.range->second);
  else
    os << llvm::right_justify("-", 10) << llvm::right_justify("-", 10);
  os << llvm::format("%9.2f", static_cast<double>(op.macs) / 1e6)
     << llvm::right_justify(std::to_string(op.constantBytes + op.resultBytes), 10);
  const comparison::ValueFigures *value = data.measured(op);
  os << llvm::right_justify(value ? formatFixed(value->sqnrDb, 1) : "-", 8)
     << llvm::right_justify(value && value->addedShare > 0 ? formatFixed(100 * value->addedShare, 1) + " %" : "-", 9)
     << "\n";
}

static void printStages(const Data &data, llvm::raw_ostream &os) {
  if (data.stages.empty())
    return;
  constexpr double mib = 1 << 20;
  os << "\n"
     << llvm::left_justify("compilation", 44) << llvm::right_justify("seconds", 10)
     << llvm::right_justify("MiB after", 12) << llvm::right_justify("peak growth", 13) << "\n";
  for (const StageCost &stage : data.slowestStages())
    os << llvm::left_justify(stage.name, 44)
       << llvm::format("%10.3f%12.1f%13.1f\n", stage.seconds, static_cast<double>(stage.residentBytes) / mib,
                       static_cast<double>(stage.peakGrowthBytes) / mib);
}

static void printSteps(const Data &data, llvm::raw_ostream &os) {
  std::vector<const NativeFacts::Step *> slowest = data.slowestSteps();
  if (slowest.empty())
    return;
  const auto [time, limit] = data.timeAndLimit();
  os << "\n"
     << llvm::left_justify("steps on this machine, one thread", 44) << llvm::left_justify("op", 44)
     << llvm::right_justify("us", 10) << llvm::right_justify("limit", 10) << "\n";
  auto line = [&](llvm::StringRef node, llvm::StringRef op, double microseconds, std::optional<double> least) {
    os << llvm::left_justify(node.size() > 43 ? (".." + node.take_back(41)).str() : node.str(), 44)
       << llvm::left_justify(op.size() > 43 ? (op.take_front(41) + "..").str() : op.str(), 44)
       << llvm::format("%10.1f", microseconds) << llvm::right_justify(formatFixed(least, 1), 10) << "\n";
  };
  line("all " + std::to_string(slowest.size()), "", time, limit);
  for (const NativeFacts::Step *step : llvm::ArrayRef(slowest).take_front(10))
    line(step->node, step->op, *step->time, step->limit);
}

void reporting::printText(const Data &data, llvm::raw_ostream &os) {
  printSummary(data, os);
  printFindings(data, os);
  if (data.bitFront)
    printBitFront(*data.bitFront, os);
  printDecisions(data, os);
  printBlocks(data, os);
  if (data.array)
    printArray(*data.array, os);
  printSteps(data, os);
  os << "\n"
     << llvm::left_justify("node", 44) << llvm::left_justify("op", 22) << llvm::left_justify("bits", 14)
     << llvm::left_justify("algorithm", 11) << llvm::right_justify("scale", 12) << llvm::right_justify("zero", 6)
     << llvm::right_justify("min", 10) << llvm::right_justify("max", 10) << llvm::right_justify("MMAC", 9)
     << llvm::right_justify("bytes", 10) << llvm::right_justify("SQNR", 8) << llvm::right_justify("added", 9) << "\n";
  for (const OpEntry &op : data.ops)
    printOp(data, op, os);
  printStages(data, os);
}
