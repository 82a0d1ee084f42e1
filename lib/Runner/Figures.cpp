//===- Figures.cpp - Measured figures as JSON and as a table -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/Runner.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

#include <variant>
#include <vector>

using namespace vitq;
using namespace vitq::runner;

namespace {
struct Entry {
  const char *key;
  const char *title;
  const char *unit;
  std::variant<std::optional<int64_t>, std::optional<double>> value;
  int digits = 2;
};
} // namespace

static std::vector<Entry> entriesOf(const Figures &f) {
  return {{"images", "images", "", f.images},
          {"top1", "top-1", "%", f.top1},
          {"top5", "top-5", "%", f.top5},
          {"reference_top1", "top-1 of the reference", "%", f.referenceTop1},
          {"reference_top5", "top-5 of the reference", "%", f.referenceTop5},
          {"pixel_accuracy", "pixels of the right class", "%", f.pixelAccuracy},
          {"mean_iou", "mean IoU", "%", f.meanIoU},
          {"reference_pixel_accuracy", "right pixels of the reference", "%", f.referencePixelAccuracy},
          {"reference_mean_iou", "mean IoU of the reference", "%", f.referenceMeanIoU},
          {"agreement", "agreement with the reference", "%", f.agreement},
          {"logits_sqnr_db", "SQNR of the logits", "dB", f.logitsSqnrDb},
          {"threads", "threads", "", f.threads},
          {"batch", "batch", "", f.batch},
          {"latency_ms_median", "latency, median", "ms", f.latencyMedian, 4},
          {"latency_ms_p10", "latency, 10th percentile", "ms", f.latencyP10, 4},
          {"latency_ms_p90", "latency, 90th percentile", "ms", f.latencyP90, 4},
          {"image_ms_median", "time of an image", "ms", f.imageMedian, 4},
          {"gops", "operations", "GOP/s", f.gops, 1},
          {"limit_ms", "limit of this core", "ms", f.limit, 4},
          {"time_over_limit", "time / limit", "", f.timeOverLimit, 3},
          {"peak_share", "share of the peak", "%", f.peakShare, 1},
          {"peak_gmacs", "peak of this core", "GMAC/s", f.peakGmacs, 1},
          {"machine_peak_gmacs", "peak by its best instruction", "GMAC/s", f.machinePeakGmacs, 1},
          {"macs", "multiply-accumulates", "", f.macs},
          {"arena_bytes", "arena", "bytes", f.arenaBytes},
          {"arena_lower_bound", "arena, lower bound", "bytes", f.arenaLowerBound},
          {"weight_bytes", "weights", "bytes", f.weightBytes},
          {"code_bytes", "code", "bytes", f.codeBytes},
          {"cycles", "cycles of the array (simulated)", "", f.cycles},
          {"rtl_cycles", "cycles of the array (RTL)", "", f.rtlCycles},
          {"rtl_difference", "simulated beside RTL, at most apart", "%", f.rtlDifference},
          {"linear_utilization", "utilization, linear layers", "%", f.linearUtilization},
          {"attention_utilization", "utilization, attention", "%", f.attentionUtilization},
          {"cycles_over_roofline", "cycles / roofline", "", f.cyclesOverRoofline, 3},
          {"dram_bytes", "DRAM read and written", "bytes", f.dramBytes},
          {"energy_pj", "energy, by the proxy", "pJ", f.energyPicojoules, 0},
          {"area_mm2", "elements and units, 0.18 um cells", "mm2", f.arrayArea, 2}};
}

void Figures::setOutputFigures(std::vector<comparison::OutputFigures> figures) {
  outputFigures = std::move(figures);
  auto classes = llvm::find_if(outputFigures, [](const auto &output) { return output.agreement.has_value(); });
  if (classes == outputFigures.end())
    return;
  agreement = 100 * *classes->agreement;
  logitsSqnrDb = classes->sqnrDb;
}

/// The outputs, with null for what was not measured.
static llvm::json::Array outputsOf(const Figures &figures) {
  llvm::json::Array array;
  for (auto [i, output] : llvm::enumerate(figures.outputs)) {
    const comparison::OutputFigures own =
        i < figures.outputFigures.size() ? figures.outputFigures[i] : comparison::OutputFigures();
    array.push_back(
        llvm::json::Object{{"name", llvm::json::fixUTF8(output.name)},
                           {"shape", llvm::json::Array(output.shape)},
                           {"sqnr_db", own.sqnrDb ? llvm::json::Value(*own.sqnrDb) : nullptr},
                           {"agreement", own.agreement ? llvm::json::Value(100 * *own.agreement) : nullptr}});
  }
  return array;
}

/// Whether the figures of the outputs are those of the logits.
static bool hasOnlyLogits(const Figures &figures) {
  return figures.outputFigures.size() == 1 && figures.outputFigures[0].agreement;
}

/// The SQNR of each output, aligned.
static void printOutputs(llvm::raw_ostream &os, llvm::ArrayRef<comparison::OutputFigures> outputs) {
  size_t width = 32;
  for (const comparison::OutputFigures &output : outputs)
    width = std::max(width, output.name.size() + llvm::StringRef("SQNR of ''").size() + 1);
  for (const comparison::OutputFigures &output : outputs)
    if (output.sqnrDb)
      os << llvm::left_justify("SQNR of '" + output.name + "'", width)
         << llvm::right_justify(llvm::formatv("{0:f2}", *output.sqnrDb).str(), 14) << " dB\n";
}

llvm::json::Value Figures::toJSON() const {
  llvm::json::Object object;
  for (const Entry &entry : entriesOf(*this))
    std::visit([&](const auto &value) { object[entry.key] = value ? llvm::json::Value(*value) : nullptr; },
               entry.value);
  object["outputs"] = outputsOf(*this);
  object["profile"] = profile            ? profile->toJSON()
                      : simulationInFull ? simulation->toJSON()
                                         : llvm::json::Value(nullptr);
  object["comparison"] = comparison ? comparison->toJSON() : llvm::json::Value(nullptr);
  return object;
}

void Figures::print(llvm::raw_ostream &os) const {
  const bool onlyLogits = outputFigures.empty() || hasOnlyLogits(*this);
  for (const Entry &entry : entriesOf(*this)) {
    // Of several outputs each has a line below.
    if (!onlyLogits && llvm::StringRef(entry.key) == "logits_sqnr_db")
      continue;
    std::string text;
    llvm::raw_string_ostream number(text);
    if (const auto *real = std::get_if<std::optional<double>>(&entry.value)) {
      if (*real)
        number << llvm::format("%.*f", entry.digits, **real);
    } else if (const auto &integer = std::get<std::optional<int64_t>>(entry.value)) {
      number << *integer;
    }
    if (!text.empty())
      os << llvm::left_justify(entry.title, 32) << llvm::right_justify(text, 14) << (*entry.unit ? " " : "")
         << entry.unit << "\n";
  }
  if (!onlyLogits)
    printOutputs(os, outputFigures);
  if (profile) {
    os << "\n";
    profile->print(os);
  }
  if (simulationInFull) {
    os << "\n";
    simulation->print(os);
  }
  if (comparison) {
    os << "\n";
    comparison->print(os);
  }
}
