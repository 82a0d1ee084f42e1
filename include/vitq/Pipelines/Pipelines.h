//===- Pipelines.h - vitq's pass pipelines -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_PIPELINES_PIPELINES_H
#define VITQ_PIPELINES_PIPELINES_H

#include "dialects/vit/Vit.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "vitq/Approximation/Method.h"

namespace vitq {

/// How a float model becomes integers (docs/Recipes.md).
enum class Recipe {
  /// Outlier channels at 16 bits, scales for heads and large channels, function
  /// ranges by the error of the output.
  Default,
  /// Rotated and centered, and GELU's results spread, as `Default` does below 8 bits.
  Best,
  /// One scale for each tensor, from the calibrated minimum and maximum.
  MinMax,
  /// I-ViT's layout and operators.
  IVit
};

/// A part of a recipe: as the recipe has it, or as the user wants it.
enum class Toggle { Recipe, On, Off };

/// What the way from a float vit module to an integer vitq module depends on.
/// The defaults are those of `vitq-opt --compile`.
struct CompileOptions : public mlir::PassPipelineOptions<CompileOptions> {
  Option<std::string> data{*this, "data", llvm::cl::desc("Calibration images: a folder, or .npy/.npz of uint8 pixels")};
  Option<std::string> preprocess{*this, "preprocess",
                                 llvm::cl::desc("Preprocessing, e.g. resize=248,crop=224,mean=0.5,std=0.5")};
  Option<int64_t> limit{*this, "limit", llvm::cl::desc("Use the first N calibration images (0 = all)"),
                        llvm::cl::init(0)};
  Option<std::string> saveRanges{*this, "save-ranges", llvm::cl::desc("Write the calibrated ranges to this JSON file")};
  Option<std::string> loadRanges{*this, "load-ranges",
                                 llvm::cl::desc("Read ranges from this JSON file instead of calibrating")};
  Option<Recipe> recipe{*this, "recipe", llvm::cl::desc("How tensors are quantized"), llvm::cl::init(Recipe::Default),
                        recipeValues()};
  Option<Toggle> rotateResidual{*this, "rotate-residual",
                                llvm::cl::desc("Rotate the residual stream, so that no channel reaches far"),
                                llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<Toggle> rotateHeads{*this, "rotate-heads", llvm::cl::desc("Rotate queries, keys and values in each head"),
                             llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<Toggle> rotateHidden{*this, "rotate-hidden",
                              llvm::cl::desc("Spread the result of GELU over blocks of channels at run time"),
                              llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<Toggle> shiftChannels{*this, "shift-channels", llvm::cl::desc("Spread GELU's channels by what they count"),
                               llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<uint64_t> seed{*this, "seed", llvm::cl::desc("Seed of the rotations' signs"), llvm::cl::init(0)};
  Option<unsigned> weightBits{*this, "weight-bits", llvm::cl::desc("Bits of weights, 2 to 8"), llvm::cl::init(8)};
  Option<unsigned> activationBits{*this, "activation-bits", llvm::cl::desc("Bits of what products read, 2 to 8"),
                                  llvm::cl::init(8)};
  Option<std::string> bits{*this, "bits",
                           llvm::cl::desc("Bits of single tensors: KIND=N with KIND weights, norm, query, key, value, "
                                          "qkv, probabilities, attention, hidden, activations or residual; "
                                          "@layers.json; auto:size=3MB; several with commas")};
  Option<Toggle> fitWeights{
      *this, "fit-weights",
      llvm::cl::desc("Choose codes of weights by the errors of products, on the calibration images"),
      llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<std::string> bitsFront{
      *this, "bits-front", llvm::cl::desc("Write what bits=auto would choose within other budgets to this JSON file")};
  Option<Toggle> centerChannels{*this, "center-channels",
                                llvm::cl::desc("Take the mean of each channel out of what is coded"),
                                llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<Toggle> fitCodeRanges{*this, "fit-code-ranges",
                               llvm::cl::desc("Choose the range of few codes by their squared error"),
                               llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<double> splitOutliers{*this, "split-outliers",
                               llvm::cl::desc("Compute channels beyond this many times the median channel's maximum in "
                                              "16 bits (0: none, -1: as the recipe says)"),
                               llvm::cl::init(-1.0)};
  Option<int64_t> ownScales{
      *this, "own-scales",
      llvm::cl::desc("Give this many channels of GELU their own scale (0: none, -1: as the recipe says)"),
      llvm::cl::init(-1)};
  Option<Toggle> headScales{*this, "head-scales", llvm::cl::desc("One scale for each head of queries, keys and values"),
                            llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<Toggle> normScales{*this, "norm-scales",
                            llvm::cl::desc("One scale for each channel of LayerNorm, folded into the next layer"),
                            llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<Toggle> fitFunctionRanges{*this, "fit-function-ranges",
                                   llvm::cl::desc("Choose the input range of GELU by the error of its output"),
                                   llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<Toggle> biasCompensation{*this, "bias-compensation",
                                  llvm::cl::desc("Add to each bias what rounding the weights takes from the mean"),
                                  llvm::cl::init(Toggle::Recipe), toggleValues()};
  Option<std::string> observer{*this, "observer",
                               llvm::cl::desc("Ranges: KIND=minmax|percentile:P|mse,... with KIND residual, attention, "
                                              "function, argument, linear or all")};
  Option<double> headroom{
      *this, "headroom",
      llvm::cl::desc("Factor by which the residual stream's range exceeds the calibrated one (0: as "
                     "the recipe says)"),
      llvm::cl::init(0.0)};
  /// Has no effect in `recipe=ivit`, which has its own.
  Option<std::string> nonlinear{*this, "nonlinear",
                                llvm::cl::desc("Integer algorithms of nonlinear functions: table, shift, lut:N, poly, "
                                               "log2 or auto, FUNCTION=ALGORITHM, @layers.json; several with commas"),
                                llvm::cl::init("table")};
  Option<double> nonlinearBudget{*this, "nonlinear-budget",
                                 llvm::cl::desc("Loss of SQNR in dB that nonlinear=auto accepts in a layer"),
                                 llvm::cl::init(0.5)};
  Option<approximation::Method> lutMethod{*this, "lut-method", llvm::cl::desc("How tables of lines (lut:N) are fitted"),
                                          llvm::cl::init(approximation::Method::Optimal), lutMethodValues()};
  /// Whose costs `nonlinear=auto` and `bits=auto` compare.
  Option<std::string> target{*this, "target", llvm::cl::desc("Target (as vitq-opt --target)"),
                             llvm::cl::init("native")};
  Option<std::string> hostTarget{*this, "host-target",
                                 llvm::cl::desc("CPU beside an accelerator (as vitq-opt --host-target)"),
                                 llvm::cl::init("native")};

  /// The spellings of the options' values.
  static llvm::cl::ValuesClass recipeValues();
  static llvm::cl::ValuesClass toggleValues();
  static llvm::cl::ValuesClass lutMethodValues();
};

/// What `weight-bits`, `activation-bits` and `bits` say together, as `BitChoice::parse` reads it; empty where all have
/// 8 bits.
std::string bitsOf(const CompileOptions &options);

/// The images that passes are told to look at: `data`, synthetic ones with the seed.
std::string calibrationData(const CompileOptions &options);

/// Imported float module -> verified float phase.
void addFloatPasses(mlir::OpPassManager &pm);
/// Float phase -> float phase that computes the same function in rotated bases, where the options ask for it. Ranges
/// belong to one basis: the module must have none yet.
void addRotatePasses(mlir::OpPassManager &pm, const CompileOptions &options);
/// Float phase -> float phase with calibrated ranges. No pass when the options name
/// neither images nor ranges: then the module must hold ranges already.
void addCalibratePasses(mlir::OpPassManager &pm, const CompileOptions &options);
/// Calibrated float phase -> quantized phase.
void addQuantizePasses(mlir::OpPassManager &pm, const CompileOptions &options);
/// Quantized phase -> quantized phase with deferred dequantization.
void addDeferPasses(mlir::OpPassManager &pm);
/// Deferred phase -> verified integer phase.
void addIntegerPasses(mlir::OpPassManager &pm, const CompileOptions &options);

/// An array, and where ops run (as options of systolic-set-target).
struct SystolicOptions : public mlir::PassPipelineOptions<SystolicOptions> {
  Option<std::string> config{*this, "config", llvm::cl::desc("The array: PRESET or PRESET,KEY=VALUE,..."),
                             llvm::cl::init("gemmini-16x16")};
  Option<std::string> place{*this, "place", llvm::cl::desc("Where ops run: OP=array or OP=host, several with commas")};
};

/// Integer phase -> launches of an array, and what stays on the host.
void addSystolicPasses(mlir::OpPassManager &pm, const SystolicOptions &options);

/// Registers the pipelines `vitq-to-float`, `vitq-to-quantized`, `vitq-to-deferred`,
/// `vitq-to-integer` (one phase each), `vitq-compile` (all four) and `vitq-to-systolic`.
void registerPipelines();

} // namespace vitq

#endif // VITQ_PIPELINES_PIPELINES_H
