//===- Measure.cpp - What a report measures on images -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Driver/Measure.h"

#include "vitq/Runner/Evaluation.h"
#include "vitq/Support/Stages.h"

#include "llvm/Support/Format.h"

using namespace mlir;
using namespace vitq::runner;

namespace vitq {
namespace {

/// Images that count which error reaches the logits. Two: on a ViT-Tiny each costs
/// a few seconds, and more hardly change the order.
constexpr int64_t kRankedImages = 2;

class Measurement {
public:
  Measurement(ModuleOp reference, ModuleOp program, const DriverOptions &options, Report &report)
      : reference(reference), program(program), options(options), report(report) {}
  llvm::Error run();
  /// What a user should know of the report's own images; calibration spoke of its own.
  std::string remark() const { return options.reportData.empty() ? "" : source->orientationRemark(); }

private:
  llvm::Error open();
  llvm::Error evaluate(const comparison::Comparison &comparison);

  ModuleOp reference, program;
  const DriverOptions &options;
  Report &report;
  std::unique_ptr<Program> floatProgram, integerProgram;
  std::unique_ptr<data::ImageSource> source;
  /// Images at hand.
  int64_t images = 0;
};

} // namespace

llvm::Error Measurement::open() {
  auto wrapped = wrapModule(reference, options.input);
  if (!wrapped)
    return wrapped.takeError();
  floatProgram = std::move(*wrapped);
  auto lowered = wrapModule(program, options.input);
  if (!lowered)
    return lowered.takeError();
  integerProgram = std::move(*lowered);
  const ProgramInfo &info = floatProgram->info();
  auto find = [&](llvm::StringRef path, std::optional<data::Size> size = std::nullopt) {
    return data::ImageSource::open(path, info.preprocess.value_or(data::Preprocess()),
                                   static_cast<int>(info.channels()), size);
  };
  if (!options.compile.data.empty()) {
    const data::Size size{static_cast<int>(info.height()), static_cast<int>(info.width())};
    auto calibration = find(calibrationData(options.compile), size);
    if (!calibration)
      return calibration.takeError();
    source = std::move(*calibration);
    images = static_cast<int64_t>(source->size());
    if (options.compile.limit > 0)
      images = std::min<int64_t>(images, options.compile.limit);
    report.setCalibrationImages(images);
  }
  if (!options.reportData.empty()) {
    auto own = find(options.reportData);
    if (!own)
      return own.takeError();
    source = std::move(*own);
    images = static_cast<int64_t>(source->size());
  }
  return checkSource(integerProgram->info(), *source);
}

/// Accuracy and agreement, on all images that were given for it; else what the
/// comparison has seen.
llvm::Error Measurement::evaluate(const comparison::Comparison &comparison) {
  AccuracyFacts facts;
  facts.data = source->path().str();
  if (options.reportData.empty() && options.reportLabels.empty()) {
    facts.images = comparison.images;
    facts.setOutputs(comparison.outputs);
    report.setAccuracy(std::move(facts));
    return llvm::Error::success();
  }
  facts.images = images;
  const Subject own(integerProgram.get()), original(floatProgram.get());
  const size_t classes = findClasses(own).value_or(0);
  std::vector<int64_t> labels;
  if (!options.reportLabels.empty()) {
    auto read = readLabels(options.reportLabels, *source, facts.images, own.output(classes).size());
    if (!read)
      return read.takeError();
    labels = std::move(*read);
  }
  auto outputs = runAll({own, original}, *source, facts.images);
  if (!outputs)
    return outputs.takeError();
  std::vector<comparison::OutputFigures> compared;
  for (size_t i = 0; i < own.outputs.size(); ++i)
    compared.push_back(compareOutputs(own.output(i), (*outputs)[0][i], original.output(i), (*outputs)[1][i]));
  facts.setOutputs(std::move(compared));
  if (!labels.empty()) {
    Accuracy own = accuracyOf((*outputs)[0][classes], labels), original = accuracyOf((*outputs)[1][classes], labels);
    facts.top1 = own.top1;
    facts.top5 = own.top5;
    facts.referenceTop1 = original.top1;
    facts.referenceTop5 = original.top5;
  }
  report.setAccuracy(std::move(facts));
  return llvm::Error::success();
}

llvm::Error Measurement::run() {
  if (llvm::Error error = open())
    return error;
  int64_t compared = options.reportLimit ? std::min(images, options.reportLimit) : images;
  auto comparison =
      compareOpByOp(Subject(floatProgram.get()), Subject(integerProgram.get()), *source, compared, kRankedImages);
  if (!comparison)
    return comparison.takeError();
  if (llvm::Error error = evaluate(*comparison))
    return error;
  report.setComparison(std::move(*comparison));
  return llvm::Error::success();
}

LogicalResult measure(ModuleOp reference, ModuleOp program, const DriverOptions &options, Report &report) {
  if (options.reportData.empty() && options.compile.data.empty())
    return success();
  Stage stage("measure for the report");
  Measurement measurement(reference, program, options, report);
  if (llvm::Error error = measurement.run())
    return emitError(UnknownLoc::get(program.getContext()), llvm::toString(std::move(error)));
  if (std::string remark = measurement.remark(); !remark.empty())
    emitRemark(UnknownLoc::get(program.getContext()), remark);
  return success();
}

static llvm::StringRef nameOf(Recipe recipe) {
  switch (recipe) {
  case Recipe::Default:
    return "default";
  case Recipe::Best:
    return "best";
  case Recipe::MinMax:
    return "minmax";
  case Recipe::IVit:
    return "ivit";
  }
  return "";
}

/// Empty for what the recipe decides.
static llvm::StringRef nameOf(Toggle toggle) {
  return toggle == Toggle::Recipe ? "" : toggle == Toggle::On ? "on" : "off";
}

std::vector<std::pair<std::string, std::string>> describeOptions(const CompileOptions &options) {
  std::vector<std::pair<std::string, std::string>> result;
  auto add = [&](llvm::StringRef name, llvm::StringRef text) {
    if (!text.empty())
      result.emplace_back(name.str(), text.str());
  };
  auto number = [](double value) {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("%g", value);
    return text;
  };
  add("recipe", nameOf(options.recipe));
  add("calibration-data", options.data.getValue());
  if (!options.data.empty())
    add("calibration-limit", std::to_string(options.limit));
  add("load-ranges", options.loadRanges.getValue());
  add("observer", options.observer.getValue());
  if (options.splitOutliers != -1)
    add("split-outliers", number(options.splitOutliers));
  if (options.ownScales != -1)
    add("own-scales", std::to_string(options.ownScales));
  if (options.headroom != 0)
    add("headroom", number(options.headroom));
  add("bits", bitsOf(options));
  add("center-channels", nameOf(options.centerChannels));
  add("fit-weights", nameOf(options.fitWeights));
  add("fit-code-ranges", nameOf(options.fitCodeRanges));
  add("rotate-residual", nameOf(options.rotateResidual));
  add("rotate-hidden", nameOf(options.rotateHidden));
  add("shift-channels", nameOf(options.shiftChannels));
  add("rotate-heads", nameOf(options.rotateHeads));
  if (options.seed != 0)
    add("seed", std::to_string(options.seed));
  add("head-scales", nameOf(options.headScales));
  add("norm-scales", nameOf(options.normScales));
  add("fit-function-ranges", nameOf(options.fitFunctionRanges));
  add("bias-compensation", nameOf(options.biasCompensation));
  if (options.lutMethod != approximation::Method::Optimal)
    add("lut-method", options.lutMethod == approximation::Method::Genetic ? "genetic" : "uniform");
  return result;
}

} // namespace vitq
