//===- Findings.cpp - What is worth doing -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A finding is made only where something was lost that a flag may bring back. The
// thresholds are here, and docs/Report.md repeats them.
//
//===----------------------------------------------------------------------===//

#include "Data.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

using namespace vitq;
using namespace vitq::reporting;
using Severity = Finding::Severity;

namespace {

/// Without measured errors: an outlier counts when the median channel has fewer steps.
constexpr double kFewSteps = 16;
/// With measured errors: when its op adds at least this share of the noise ...
constexpr double kOutlierShare = 0.02;
/// ... and other ops from this share on. Nobody needs to hear of noise that is this
/// far below the logits.
constexpr double kErrorShare = 0.10, kHarmlessDb = 25;
constexpr double kSaturation = 0.01;
constexpr int64_t kFewImages = 8;
constexpr double kAccuracyDrop = 1;
constexpr size_t kMaxOutliers = 5, kMaxErrors = 3;

class Finder {
public:
  explicit Finder(const Data &data) : data(data) {}
  std::vector<Finding> run();

private:
  void findOutliers();
  void findErrors();
  void findSaturation();
  void findCalibration();
  void findAccuracy();
  const comparison::ValueFigures *measured(llvm::StringRef node) const;
  std::string flagFor(const comparison::ValueFigures &value) const;
  bool hasRecipe(llvm::StringRef name) const { return data.option("recipe") == name; }
  bool isPlain() const { return hasRecipe("minmax") || hasRecipe("ivit"); }
  /// Whether a part of the recipe is off that `--NAME=on` would turn on.
  bool isOff(llvm::StringRef name, bool defaultOn) const;

  const Data &data;
  std::vector<Finding> findings;
  /// Nodes that have a finding.
  llvm::StringSet<> named;
};

} // namespace

static std::string percent(double share) { return formatFixed(100 * share, share < 0.1 ? 1 : 0) + " %"; }

static std::string inBlock(std::optional<int64_t> block) {
  return block ? " of block " + std::to_string(*block) : std::string();
}

const comparison::ValueFigures *Finder::measured(llvm::StringRef node) const {
  const comparison::ValueFigures *found = nullptr;
  if (data.comparison)
    for (const comparison::ValueFigures &value : data.comparison->values)
      if (value.node == node)
        found = &value;
  return found;
}

bool Finder::isOff(llvm::StringRef name, bool defaultOn) const {
  llvm::StringRef text = data.option(name);
  return text == "off" || (text != "on" && (!defaultOn || isPlain()));
}

/// One channel widens the step of a tensor until the others have few codes.
void Finder::findOutliers() {
  struct Candidate {
    Outlier outlier;
    const comparison::ValueFigures *value;
  };
  std::vector<Candidate> candidates;
  for (const Outlier &outlier : data.outliers()) {
    const comparison::ValueFigures *value = measured(outlier.tensor->node);
    bool counts = data.comparison ? value && value->addedShare >= kOutlierShare &&
                                        value->addedAtLogitsDb.value_or(kHarmlessDb) < kHarmlessDb
                                  : outlier.medianSteps() < kFewSteps;
    // Others have errors of their own, which the split does not remove.
    if (counts && outlier.max > 2 * outlier.next)
      candidates.push_back({outlier, value});
  }
  if (data.comparison)
    llvm::sort(candidates, [](const Candidate &a, const Candidate &b) {
      return std::make_pair(-a.value->addedShare, a.outlier.tensor) <
             std::make_pair(-b.value->addedShare, b.outlier.tensor);
    });
  for (const auto &[outlier, value] : candidates) {
    if (findings.size() == kMaxOutliers)
      return;
    Finding finding;
    finding.node = outlier.tensor->consumers.front();
    finding.channel = outlier.channel;
    finding.severity = !value || value->addedShare >= kErrorShare ? Severity::High : Severity::Medium;
    std::optional<int64_t> block = value ? value->block : outlier.tensor->block;
    finding.text =
        llvm::formatv("the input of '{0}'{1} is 8 bits with one step of {2}, because channel {3} of '{4}' reaches {5}; "
                      "the next largest channel ends at {6}, the median one at {7}, {8} steps.",
                      finding.node, inBlock(block), format(outlier.step, 3), outlier.channel, outlier.tensor->node,
                      format(outlier.max), format(outlier.next, 3), format(outlier.median, 3),
                      format(outlier.medianSteps(), 2))
            .str();
    if (value)
      finding.text += " It adds " + percent(value->addedShare) + " of the noise at the " +
                      data.comparison->outputsName().str() + ".";
    finding.flag = isPlain() ? "--recipe=default" : "--split-outliers=4";
    named.insert(outlier.tensor->node);
    findings.push_back(std::move(finding));
  }
}

std::string Finder::flagFor(const comparison::ValueFigures &value) const {
  const OpEntry *op = data.lastOf(value.node);
  // An approximation, where an exact form exists.
  bool approximate = op && (llvm::is_contained({"shift", "poly", "log2"}, op->algorithm) ||
                            llvm::StringRef(op->algorithm).starts_with("lut:"));
  if (hasRecipe("ivit"))
    return "--recipe=default";
  if (approximate)
    return "--nonlinear=table";
  if (isPlain())
    return "--recipe=default";
  llvm::StringRef kind = value.referenceOp;
  bool attention = kind == "vit.softmax" || kind == "vit.matmul" || llvm::StringRef(value.node).ends_with(".q") ||
                   llvm::StringRef(value.node).ends_with(".k") || llvm::StringRef(value.node).ends_with(".v");
  bool function = kind == "vit.gelu" || kind == "vit.silu" || kind == "vit.sigmoid" || kind == "vit.tanh";
  if (attention && isOff("head-scales", true))
    return "--head-scales=on";
  if (function && isOff("fit-function-ranges", true))
    return "--fit-function-ranges=on";
  if (value.residual)
    return "--headroom=1";
  // Finer codes in front of every linear layer; what is left is the weights'.
  return isOff("norm-scales", true) ? "--norm-scales=on" : "--bias-compensation=on";
}

void Finder::findErrors() {
  if (!data.comparison)
    return;
  size_t count = 0;
  for (size_t i : data.comparison->ranking()) {
    const comparison::ValueFigures &value = data.comparison->values[i];
    if (value.addedShare < kErrorShare || count == kMaxErrors)
      return;
    ++count;
    if (value.addedAtLogitsDb.value_or(kHarmlessDb) >= kHarmlessDb || !named.insert(value.node).second)
      continue;
    Finding finding;
    finding.node = value.node;
    finding.severity = value.addedShare >= 0.3 ? Severity::High : Severity::Medium;
    finding.text = llvm::formatv("'{0}'{1} ({2}) adds {3} of the noise at the {6}: alone it leaves them an SQNR of "
                                 "{4} dB; its own result has {5} dB against the float op on the same input.",
                                 value.node, inBlock(value.block), value.op, percent(value.addedShare),
                                 formatFixed(value.addedAtLogitsDb, 1), formatFixed(value.addedSqnrDb, 1),
                                 data.comparison->outputsName())
                       .str();
    finding.flag = flagFor(value);
    findings.push_back(std::move(finding));
  }
}

void Finder::findSaturation() {
  if (!data.comparison)
    return;
  for (const comparison::ValueFigures &value : data.comparison->values) {
    // A range may end on purpose where a function is flat: then nothing is lost. Nor where others make good for it.
    bool harmless = data.comparison->rankedImages > 0 &&
                    (value.addedShare == 0 || value.addedAtLogitsDb.value_or(kHarmlessDb) >= kHarmlessDb);
    if (value.saturation <= kSaturation || harmless)
      continue;
    Finding finding;
    finding.node = value.node;
    finding.severity = value.saturation > 5 * kSaturation ? Severity::High : Severity::Medium;
    finding.text =
        llvm::formatv("'{0}'{1} clips {2} of its values: {3} bits hold [{4}, {5}], the float model goes from "
                      "{6} to {7}.",
                      value.node, inBlock(value.block), percent(value.saturation), value.bits, format(value.min, 3),
                      format(value.max, 3), format(value.referenceMin, 3), format(value.referenceMax, 3))
            .str();
    llvm::StringRef observer = data.option("observer");
    finding.flag = value.residual                                  ? "--headroom=1.2"
                   : !observer.empty() && observer != "all=minmax" ? "--observer=all=minmax"
                                                                   : "--calibration-limit=0";
    if (finding.flag == "--calibration-limit=0" && data.option("calibration-limit") == "0")
      finding.flag = "--calibration-data=FOLDER";
    findings.push_back(std::move(finding));
  }
}

void Finder::findCalibration() {
  if (!data.calibrationImages || *data.calibrationImages == 0 || *data.calibrationImages >= kFewImages)
    return;
  Finding finding;
  finding.severity = Severity::Medium;
  finding.text = llvm::formatv("the ranges come from {0} image{1}; other images may go beyond them. Ranges of whole "
                               "tensors want 8 images, ranges of channels 64.",
                               *data.calibrationImages, *data.calibrationImages == 1 ? "" : "s")
                     .str();
  llvm::StringRef limit = data.option("calibration-limit");
  finding.flag = limit.empty() || limit == "0" ? "--calibration-data=FOLDER" : "--calibration-limit=0";
  findings.push_back(std::move(finding));
}

void Finder::findAccuracy() {
  if (!data.accuracy || !data.accuracy->top1 || !data.accuracy->referenceTop1)
    return;
  double drop = *data.accuracy->referenceTop1 - *data.accuracy->top1;
  if (drop <= kAccuracyDrop)
    return;
  Finding finding;
  finding.severity = Severity::High;
  finding.text = llvm::formatv("top-1 is {0} %, {1} points below the float model's {2} %, on {3} images.",
                               formatFixed(data.accuracy->top1, 2), formatFixed(drop, 2),
                               formatFixed(data.accuracy->referenceTop1, 2), data.accuracy->images)
                     .str();
  finding.flag = isPlain()                    ? "--recipe=default"
                 : data.nonlinear != "table"  ? "--nonlinear=table"
                 : isOff("norm-scales", true) ? "--norm-scales=on"
                                              : "--bias-compensation=on";
  findings.push_back(std::move(finding));
}

std::vector<Finding> Finder::run() {
  findOutliers();
  findErrors();
  findAccuracy();
  findSaturation();
  findCalibration();
  std::vector<Finding> sorted;
  for (Severity severity : {Severity::High, Severity::Medium, Severity::Low})
    llvm::copy_if(findings, std::back_inserter(sorted), [&](const Finding &f) { return f.severity == severity; });
  return sorted;
}

std::vector<Finding> Data::findings() const { return Finder(*this).run(); }
