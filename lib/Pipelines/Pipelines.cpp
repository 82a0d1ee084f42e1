//===- Pipelines.cpp - vitq's pass pipelines -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Pipelines/Pipelines.h"

#include "vitq/Analysis/BitChoice.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Data/Synthetic.h"
#include "vitq/Target/Backend/TargetBackend.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace vitq {

void addFloatPasses(OpPassManager &pm) {
  pm.addPass(createVitRecoverPatternsPass());
  pm.addPass(createVitGatherRowsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createVitVerifyFloatPass());
}

llvm::cl::ValuesClass CompileOptions::recipeValues() {
  return llvm::cl::values(
      clEnumValN(Recipe::Default, "default", "keeps the accuracy: outlier channels, heads and large channels apart"),
      clEnumValN(Recipe::Best, "best", "rotated and centered too: more accurate, a sixth slower"),
      clEnumValN(Recipe::MinMax, "minmax", "one scale for each tensor, from its calibrated range"),
      clEnumValN(Recipe::IVit, "ivit", "I-ViT's layout and operators"));
}

llvm::cl::ValuesClass CompileOptions::toggleValues() {
  return llvm::cl::values(clEnumValN(Toggle::Recipe, "recipe", "as the recipe says"),
                          clEnumValN(Toggle::On, "on", "yes"), clEnumValN(Toggle::Off, "off", "no"));
}

llvm::cl::ValuesClass CompileOptions::lutMethodValues() {
  return llvm::cl::values(
      clEnumValN(approximation::Method::Optimal, "optimal", "least squared error for the input's scale"),
      clEnumValN(approximation::Method::Genetic, "genetic", "GQA-LUT's search"),
      clEnumValN(approximation::Method::Uniform, "uniform", "breakpoints at equal distances"));
}

static bool isOn(Toggle toggle, bool recipe) { return toggle == Toggle::Recipe ? recipe : toggle == Toggle::On; }

/// Whether a target multiplies codes of 16 bits. One that cannot be read is an error of the passes that need it.
static bool multiplies16Bits(StringRef name) {
  llvm::Expected<std::unique_ptr<Target>> target = parseTarget(name);
  if (target)
    return (*target)->operandBits() >= 16;
  llvm::consumeError(target.takeError());
  return true;
}

std::string bitsOf(const CompileOptions &options) {
  llvm::SmallVector<std::string> items;
  // Of 8 bits those of norms lose the most.
  if (options.recipe == Recipe::Best && options.weightBits == 8 && options.activationBits == 8 &&
      multiplies16Bits(options.target.getValue()))
    items.push_back("norm=16");
  if (options.weightBits != 8)
    items.push_back("weights=" + std::to_string(options.weightBits));
  if (options.activationBits != 8)
    items.push_back("activations=" + std::to_string(options.activationBits));
  if (!options.bits.empty())
    items.push_back(options.bits.getValue());
  return llvm::join(items, ",");
}

std::string calibrationData(const CompileOptions &options) {
  if (!data::SyntheticSpec::isMeant(options.data.getValue()))
    return options.data;
  // What cannot be read is an error of the pass that reads it.
  llvm::Expected<data::SyntheticSpec> spec = data::SyntheticSpec::parse(options.data.getValue());
  if (!spec) {
    llvm::consumeError(spec.takeError());
    return options.data;
  }
  if (options.seed != 0)
    spec->seed = options.seed;
  return spec->str();
}

namespace {

/// What the bits asked for make of the recipe; `best` is at 8 bits what `default` is below.
struct FewBits {
  explicit FewBits(const CompileOptions &options) : text(bitsOf(options)) {
    // What cannot be read is an error of vit-assign-bits.
    if (llvm::Expected<BitChoice> parsed = BitChoice::parse(text))
      choice = std::move(*parsed);
    else
      llvm::consumeError(parsed.takeError());
    weights = choice.isBelow(8, /*weights=*/true);
    activations = choice.isBelow(8, /*weights=*/false);
    isBest = options.recipe == Recipe::Best;
    isDefault = options.recipe == Recipe::Default || isBest;
  }
  /// Whether the recipe prepares for few bits.
  bool any() const { return isBest || (isDefault && (weights || activations)); }

  std::string text;
  BitChoice choice;
  bool isBest, isDefault, weights = false, activations = false;
};

} // namespace

void addRotatePasses(OpPassManager &pm, const CompileOptions &options) {
  const FewBits few(options);
  if (isOn(options.rotateResidual, few.any()))
    pm.addPass(createVitRotateResidualPass({options.seed}));
  if (isOn(options.rotateHeads, few.any()))
    pm.addPass(createVitRotateHeadsPass({options.seed}));
}

/// `again`: of a module that computes the same function in another way, whose ranges are nobody's to keep.
static void addCalibration(OpPassManager &pm, const CompileOptions &options, bool again) {
  if (options.data.empty() && options.loadRanges.empty())
    return;
  VitCalibratePassOptions calibrate;
  calibrate.data = calibrationData(options);
  calibrate.preprocess = options.preprocess;
  calibrate.limit = options.limit;
  if (!again)
    calibrate.saveRanges = options.saveRanges;
  calibrate.loadRanges = options.loadRanges;
  pm.addPass(createVitCalibratePass(calibrate));
}

void addCalibratePasses(OpPassManager &pm, const CompileOptions &options) {
  addCalibration(pm, options, /*again=*/false);
}

void addQuantizePasses(OpPassManager &pm, const CompileOptions &options) {
  const FewBits few(options);
  const bool isDefault = few.isDefault, isIVit = options.recipe == Recipe::IVit;
  pm.addPass(createVitAdoptCodesPass());
  VitSplitOutliersPassOptions split;
  // What is no sensible number goes to the pass, which refuses it.
  split.threshold = options.splitOutliers != -1 ? options.splitOutliers : isDefault ? 4.0 : 0.0;
  if (split.threshold != 0)
    pm.addPass(createVitSplitOutliersPass(split));
  VitDeferSoftmaxDivisionPassOptions division;
  division.maskedOnly = isIVit;
  pm.addPass(createVitDeferSoftmaxDivisionPass(division));
  if (!few.text.empty())
    pm.addPass(createVitAssignBitsPass({few.text}));
  if (few.choice.budget()) {
    VitChooseBitsPassOptions choose;
    choose.bits = few.text;
    choose.target = options.target;
    choose.hostTarget = options.hostTarget;
    choose.data = calibrationData(options);
    choose.preprocess = options.preprocess;
    choose.frontFile = options.bitsFront;
    choose.limit = static_cast<uint64_t>(options.limit);
    pm.addPass(createVitChooseBitsPass(choose));
  }
  const bool rotates = isOn(options.rotateHidden, few.any());
  const bool centers = isOn(options.centerChannels, few.any());
  if (rotates) {
    VitRotateHiddenPassOptions hidden;
    hidden.atMost = options.rotateHidden == Toggle::On || few.isBest ? 8 : 7;
    pm.addPass(createVitRotateHiddenPass(hidden));
    if (isOn(options.shiftChannels, few.isDefault && few.choice.isBelow(5, /*weights=*/false)))
      pm.addPass(createVitShiftChannelsPass({options.data, options.preprocess, static_cast<uint64_t>(options.limit),
                                             /*atMost=*/options.shiftChannels == Toggle::On ? 8 : 4}));
  }
  if (centers)
    pm.addPass(createVitCenterChannelsPass());
  if (centers || rotates)
    addCalibration(pm, options, /*again=*/true);
  if (!options.observer.empty()) {
    VitClipRangesPassOptions clip;
    clip.observers = options.observer;
    pm.addPass(createVitClipRangesPass(clip));
  }
  if (isOn(options.fitFunctionRanges, isDefault))
    pm.addPass(createVitFitFunctionRangesPass());
  // What is made even in front of few codes of weights is uneven in these.
  if (isDefault && !few.weights && !few.isBest)
    pm.addPass(createVitBalanceChannelsPass());
  VitAssignChannelScalesPassOptions assign;
  assign.heads = isOn(options.headScales, isDefault);
  int64_t own = options.ownScales != -1 ? options.ownScales : isDefault && !few.any() ? 8 : 0;
  assign.own = static_cast<unsigned>(own < 0 ? INT32_MAX : std::min<int64_t>(own, INT32_MAX));
  assign.depthwise = isDefault;
  if (options.normScales == Toggle::Recipe)
    assign.norms = isDefault && !few.any() ? NormScales::Auto : NormScales::Off;
  else
    assign.norms = options.normScales == Toggle::On ? NormScales::On : NormScales::Off;
  if (assign.heads || assign.depthwise || assign.own > 0 || assign.norms != NormScales::Off)
    pm.addPass(createVitAssignChannelScalesPass(assign));
  if (isOn(options.fitCodeRanges, few.activations && isDefault))
    pm.addPass(createVitFitCodeRangesPass(
        {calibrationData(options), options.preprocess, static_cast<uint64_t>(options.limit)}));
  pm.addPass(createVitTakePixelsPass());
  VitQuantizePassOptions quantize;
  quantize.layout = isIVit ? QuantizedLayout::IVit : QuantizedLayout::Vitq;
  quantize.headroom = options.headroom != 0 ? options.headroom : isIVit ? 1.0 : 1.1;
  pm.addPass(createVitQuantizePass(quantize));
  if (isOn(options.fitWeights, few.any())) {
    VitFitWeightsPassOptions fit;
    fit.data = calibrationData(options);
    fit.preprocess = options.preprocess;
    fit.limit = static_cast<uint64_t>(options.limit);
    fit.all = options.fitWeights == Toggle::On || !few.weights;
    // Copies show directions that narrow weights may not err in. Where codes of activations err more they gain nothing.
    fit.shifted = few.choice.isBelow(5, /*weights=*/true) && !few.activations;
    pm.addPass(createVitFitWeightsPass(fit));
  }
  VitQuantizeWeightsPassOptions weights;
  weights.compensateBias = isOn(options.biasCompensation, false);
  pm.addPass(createVitQuantizeWeightsPass(weights));
  VitQuantizeResultPassOptions result;
  result.layout = quantize.layout;
  result.headroom = quantize.headroom;
  pm.addPass(createVitQuantizeResultPass(result));
  pm.addPass(createCSEPass());
  pm.addPass(createVitVerifyQuantizedPass());
}

void addDeferPasses(OpPassManager &pm) {
  VitDeferDequantPassOptions defer;
  defer.remarks = false;
  pm.addPass(createVitDeferDequantPass(defer));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  VitVerifyQuantizedPassOptions verify;
  verify.deferred = true;
  pm.addPass(createVitVerifyQuantizedPass(verify));
}

void addIntegerPasses(OpPassManager &pm, const CompileOptions &options) {
  VitSelectNonlinearPassOptions select;
  select.nonlinear = options.recipe == Recipe::IVit ? "ivit" : options.nonlinear.getValue();
  select.budget = options.nonlinearBudget;
  select.lutMethod = options.lutMethod;
  select.target = options.target;
  select.hostTarget = options.hostTarget;
  select.data = calibrationData(options);
  select.preprocess = options.preprocess;
  // No more images than the calibration has.
  if (options.limit > 0)
    select.limit = std::min<int64_t>(select.limit, options.limit);
  pm.addPass(createVitSelectNonlinearPass(select));
  ConvertVitToVitqPassOptions convert;
  convert.lutMethod = options.lutMethod;
  pm.addPass(createConvertVitToVitqPass(convert));
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createVitqVerifyIntegerOnlyPass());
  pm.addPass(createVitqProveAccumulatorsPass());
}

void addSystolicPasses(OpPassManager &pm, const SystolicOptions &options) {
  SystolicSetTargetPassOptions target;
  target.config = options.config;
  target.place = options.place;
  pm.addPass(createSystolicSetTargetPass(target));
  pm.addPass(createVitqFormKernelsPass());
  pm.addPass(createConvertVitqToSystolicPass());
}

void registerPipelines() {
  PassPipelineRegistration<>("vitq-to-float", "Recover patterns and verify the float phase", addFloatPasses);
  PassPipelineRegistration<CompileOptions>("vitq-to-quantized", "Calibrate and quantize the float phase",
                                           [](OpPassManager &pm, const CompileOptions &options) {
                                             addRotatePasses(pm, options);
                                             addCalibratePasses(pm, options);
                                             addQuantizePasses(pm, options);
                                           });
  PassPipelineRegistration<>("vitq-to-deferred", "Defer the dequantizations of the quantized phase", addDeferPasses);
  PassPipelineRegistration<CompileOptions>("vitq-to-integer", "Lower the deferred phase to integers", addIntegerPasses);
  PassPipelineRegistration<CompileOptions>("vitq-compile", "From an imported float module to the integer phase",
                                           [](OpPassManager &pm, const CompileOptions &options) {
                                             addFloatPasses(pm);
                                             addRotatePasses(pm, options);
                                             addCalibratePasses(pm, options);
                                             addQuantizePasses(pm, options);
                                             addDeferPasses(pm);
                                             addIntegerPasses(pm, options);
                                           });
  PassPipelineRegistration<SystolicOptions>(
      "vitq-to-systolic", "From the integer phase to launches of a systolic array", addSystolicPasses);
}

} // namespace vitq
