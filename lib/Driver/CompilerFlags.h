//===- CompilerFlags.h - The flags of vitq-opt --compile -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_DRIVER_COMPILERFLAGS_H
#define VITQ_LIB_DRIVER_COMPILERFLAGS_H

#include "vitq/Driver/Driver.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"

#include <cmath>

namespace vitq {

/// Reads one of the values of an option; an error names all of them.
template <typename T>
class ValueParser : public llvm::cl::parser<T> {
public:
  using llvm::cl::parser<T>::parser;

  bool parse(llvm::cl::Option &option, llvm::StringRef, llvm::StringRef text, T &value) {
    std::string names;
    for (const auto &known : this->Values) {
      if (known.Name == text) {
        value = known.V.getValue();
        return false;
      }
      names += (names.empty() ? "" : ", ") + known.Name.str();
    }
    return option.error("'" + text + "' is none of " + names);
  }
};

/// Reads a finite number.
class NumberParser : public llvm::cl::parser<double> {
public:
  using parser::parser;

  bool parse(llvm::cl::Option &option, llvm::StringRef, llvm::StringRef text, double &value) {
    if (text.getAsDouble(value) || !std::isfinite(value))
      return option.error("'" + text + "' is no finite number");
    return false;
  }
};

template <typename T>
using ValueOption = llvm::cl::opt<T, /*ExternalStorage=*/false, ValueParser<T>>;
using NumberOption = llvm::cl::opt<double, /*ExternalStorage=*/false, NumberParser>;

/// The values of --emit: those of every target, then those that one or another has.
inline const std::vector<EmitKind> &emitKinds() {
  static const std::vector<EmitKind> all = [] {
    std::vector<EmitKind> kinds(3);
    kinds[0].name = "mlir";
    kinds[0].description = "MLIR text";
    kinds[1].name = "bytecode";
    kinds[1].description = "MLIR bytecode";
    kinds[2].name = kOnnxKind;
    kinds[2].description = "ONNX model with QuantizeLinear and DequantizeLinear, of the quantized phase; with "
                           "--stop-after=integer one of the program's integers";
    for (const TargetBackend *backend : registeredTargets())
      for (const EmitKind &kind : backend->emitKinds())
        if (llvm::none_of(kinds, [&](const EmitKind &known) { return known.name == kind.name; }))
          kinds.push_back(kind);
    return kinds;
  }();
  return all;
}

/// An index into emitKinds.
enum class EmitIndex : unsigned {};

class EmitParser : public ValueParser<EmitIndex> {
public:
  explicit EmitParser(llvm::cl::Option &option) : ValueParser<EmitIndex>(option) {
    for (auto [i, kind] : llvm::enumerate(emitKinds()))
      addLiteralOption(kind.name, static_cast<EmitIndex>(i), kind.description);
  }
};

/// How --target is written.
inline std::string describeTargets() {
  std::string text;
  for (const TargetBackend *backend : registeredTargets())
    text += (text.empty() ? "" : "; or for " + backend->subject().str() + " ") + backend->syntax().str() + " (" +
            backend->example().str() + ")";
  return text;
}

/// The options of the compiler. mlir-opt registers its own beside them.
struct CompilerFlags {
  llvm::cl::OptionCategory category{"vitq: compiling a model"};
  llvm::cl::opt<bool> compile{"compile", llvm::cl::desc("Compile the model through all phases"),
                              llvm::cl::cat(category)};
  ValueOption<Phase> stopAfter{
      "stop-after", llvm::cl::desc("Stop compiling after this phase and write the module (implies --compile)"),
      llvm::cl::values(clEnumValN(Phase::Float, "float", "the recovered float model"),
                       clEnumValN(Phase::Quantized, "quantized", "calibrated, with casts"),
                       clEnumValN(Phase::Deferred, "deferred", "dequantization deferred"),
                       clEnumValN(Phase::Integer, "integer", "integers only"),
                       clEnumValN(Phase::Target, "target", "LLVM dialect, or tile programs of a systolic array")),
      llvm::cl::init(Phase::Target), llvm::cl::cat(category)};
  llvm::cl::opt<EmitIndex, /*ExternalStorage=*/false, EmitParser> emit{
      "emit", llvm::cl::desc("What to write (implies --compile)"), llvm::cl::init(EmitIndex()),
      llvm::cl::cat(category)};
  const std::string targets = describeTargets();
  llvm::cl::opt<std::string> target{"target", llvm::cl::desc(targets), llvm::cl::init("native"),
                                    llvm::cl::cat(category)};
  llvm::cl::opt<std::string> hostTarget{"host-target",
                                        llvm::cl::desc("CPU beside a systolic array, spelt as a --target (native)"),
                                        llvm::cl::init("native"), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> place{
      "place",
      llvm::cl::desc("Ops that run on the systolic array or the host whatever the compiler would choose: "
                     "OP=array or OP=host, OP an op's or a node's name; several with commas"),
      llvm::cl::cat(category)};
  llvm::cl::list<std::string> outputs{
      "output", llvm::cl::CommaSeparated, llvm::cl::value_desc("NAME,..."),
      llvm::cl::desc("What of an ONNX model is compiled: outputs, or values or nodes of its graph (its first output)"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> name{"name", llvm::cl::desc("Name of the program (default: stem of the output file)"),
                                  llvm::cl::cat(category)};
  llvm::cl::opt<bool> externalData{"external-data",
                                   llvm::cl::desc("Of --emit=onnx: write the weights to a file beside the model"),
                                   llvm::cl::cat(category)};
  llvm::cl::opt<bool> openmp{"openmp", llvm::cl::desc("Make NAME_run_mt too, which runs in several threads (libomp)"),
                             llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> batch{"batch", llvm::cl::desc("Images of one run of the program (1)"), llvm::cl::init(1),
                               llvm::cl::cat(category)};
  llvm::cl::list<std::string> shapes{
      "shape", llvm::cl::desc("Shape of an input whose axes an ONNX model leaves open: INPUT:1x3x224x224"),
      llvm::cl::cat(category)};
  ValueOption<BatchSchedule> batchSchedule{
      "batch-schedule", llvm::cl::desc("How compiled code computes a batch"),
      llvm::cl::values(clEnumValN(BatchSchedule::Auto, "auto", "what reads less memory (default)"),
                       clEnumValN(BatchSchedule::Together, "together", "every step for all images"),
                       clEnumValN(BatchSchedule::InTurn, "in-turn", "all steps for one image after the other")),
      llvm::cl::init(BatchSchedule::Auto), llvm::cl::cat(category)};
  ValueOption<WeightPlacement> weights{
      "weights", llvm::cl::desc("Where the weights of a program as C are"),
      llvm::cl::values(clEnumValN(WeightPlacement::Inside, "inside", "constants of the file (default)"),
                       clEnumValN(WeightPlacement::Separate, "separate", "in NAME.bin, to be placed in flash")),
      llvm::cl::init(WeightPlacement::Inside), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> ram{"ram", llvm::cl::desc("RAM that a program as C may take beside the stack, as in 64K"),
                                 llvm::cl::cat(category)};
  llvm::cl::opt<std::string> flash{"flash", llvm::cl::desc("Flash that a program as C may take, as in 1M"),
                                   llvm::cl::cat(category)};
  llvm::cl::opt<std::string> data{
      "calibration-data",
      llvm::cl::desc("Images to calibrate on: a folder of JPEG or PNG, or .npy/.npz; as a last "
                     "resort synthetic:N, made up"),
      llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> limit{"calibration-limit", llvm::cl::desc("Calibrate on the first N images only (0 = all)"),
                               llvm::cl::init(0), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> preprocess{
      "preprocess", llvm::cl::desc("e.g. resize=248,crop=224,mean=0.5,std=0.5, or @preprocessor_config.json"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> saveRanges{"save-ranges", llvm::cl::desc("Write the calibrated ranges to this JSON file"),
                                        llvm::cl::cat(category)};
  llvm::cl::opt<std::string> loadRanges{
      "load-ranges",
      llvm::cl::desc("Use the ranges in this JSON file instead of calibrating; several, separated by "
                     "commas, are merged"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> nonlinear{
      "nonlinear",
      llvm::cl::desc("Integer algorithms of nonlinear functions: table (default), shift, lut:N, poly, log2 or auto; "
                     "FUNCTION=ALGORITHM; @layers.json; several separated by commas"),
      llvm::cl::init("table"), llvm::cl::cat(category)};
  ValueOption<approximation::Method> lutMethod{"lut-method", llvm::cl::desc("How tables of lines (lut:N) are fitted"),
                                               CompileOptions::lutMethodValues(),
                                               llvm::cl::init(approximation::Method::Optimal), llvm::cl::cat(category)};
  NumberOption nonlinearBudget{"nonlinear-budget",
                               llvm::cl::desc("Loss of SQNR in dB that --nonlinear=auto accepts in a layer (0.5)"),
                               llvm::cl::init(0.5), llvm::cl::cat(category)};
  ValueOption<Recipe> recipe{"recipe", llvm::cl::desc("How tensors are quantized"), CompileOptions::recipeValues(),
                             llvm::cl::init(Recipe::Default), llvm::cl::cat(category)};
  ValueOption<Toggle> rotateResidual =
      toggle("rotate-residual", "Rotate the residual stream, so that no channel reaches far");
  ValueOption<Toggle> rotateHeads = toggle("rotate-heads", "Rotate queries, keys and values in each head");
  ValueOption<Toggle> rotateHidden =
      toggle("rotate-hidden", "Spread the result of GELU over blocks of channels at run time", llvm::cl::Hidden);
  ValueOption<Toggle> shiftChannels =
      toggle("shift-channels", "Spread GELU's channels by what they count", llvm::cl::Hidden);
  llvm::cl::opt<unsigned> weightBits{"weight-bits", llvm::cl::desc("Bits of weights, 2 to 8 (8)"), llvm::cl::init(8),
                                     llvm::cl::cat(category)};
  llvm::cl::opt<unsigned> activationBits{"activation-bits",
                                         llvm::cl::desc("Bits of what products and layers read, 2 to 8 (8)"),
                                         llvm::cl::init(8), llvm::cl::cat(category)};
  llvm::cl::opt<std::string> bits{
      "bits",
      llvm::cl::desc("Bits of single tensors: KIND=N with KIND weights, norm, query, key, value, qkv, probabilities, "
                     "attention, hidden, activations or residual; @layers.json; auto:size=3MB, auto:latency=0.6, "
                     "auto:energy=0.5 or "
                     "auto:drop=1: chosen by measuring; several separated by commas"),
      llvm::cl::cat(category)};
  ValueOption<Toggle> fitWeights = toggle(
      "fit-weights", "Choose codes of weights by the errors of products, on the calibration images", llvm::cl::Hidden);
  llvm::cl::opt<std::string> bitsFront{
      "bits-front", llvm::cl::desc("Write what --bits=auto would choose within other budgets to this JSON file"),
      llvm::cl::cat(category)};
  ValueOption<Toggle> centerChannels =
      toggle("center-channels", "Take the mean of each channel out of what is coded", llvm::cl::Hidden);
  ValueOption<Toggle> fitCodeRanges =
      toggle("fit-code-ranges", "Choose the range of few codes by their squared error", llvm::cl::Hidden);
  llvm::cl::opt<uint64_t> seed{"seed",
                               llvm::cl::desc("Seed of the signs that rotations begin with, and of synthetic images"),
                               llvm::cl::init(0), llvm::cl::cat(category)};
  NumberOption splitOutliers{
      "split-outliers",
      llvm::cl::desc("Compute channels beyond this many times the median channel's maximum in 16 bits (0: none)"),
      llvm::cl::init(-1.0), llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> ownScales{"own-scales",
                                   llvm::cl::desc("Give this many channels of GELU their own scale (0: none)"),
                                   llvm::cl::init(-1), llvm::cl::cat(category)};
  ValueOption<Toggle> headScales = toggle("head-scales", "One scale for each head of queries, keys and values");
  ValueOption<Toggle> normScales =
      toggle("norm-scales", "One scale for each channel of LayerNorm, folded into the next layer");
  ValueOption<Toggle> fitFunctionRanges =
      toggle("fit-function-ranges", "Choose the input range of GELU by the error of its output");
  ValueOption<Toggle> biasCompensation =
      toggle("bias-compensation", "Add to each bias what rounding the weights takes from the mean");
  llvm::cl::opt<std::string> observer{
      "observer",
      llvm::cl::desc("Ranges: KIND=minmax|percentile:P|mse,... with KIND residual, attention, function, argument, "
                     "linear or all"),
      llvm::cl::cat(category)};
  NumberOption headroom{"headroom",
                        llvm::cl::desc("Factor by which the residual stream's range exceeds the calibrated one"),
                        llvm::cl::init(0.0), llvm::cl::cat(category)};
  llvm::cl::list<std::string> reports{
      "report",
      llvm::cl::desc("Write a report: JSON or one HTML page when the path ends in .json or .html, else text; may be "
                     "given several times"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> reportData{
      "report-data", llvm::cl::desc("Images that the report measures on (default: those of the calibration)"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> reportLabels{"report-labels",
                                          llvm::cl::desc("Their classes, for the accuracy: .csv (file,class) or .npy"),
                                          llvm::cl::cat(category)};
  llvm::cl::opt<int64_t> reportLimit{"report-limit",
                                     llvm::cl::desc("Images that are compared op by op (default 16, 0 = all)"),
                                     llvm::cl::init(16), llvm::cl::cat(category)};
  llvm::cl::opt<bool> reportTimes{
      "report-times", llvm::cl::desc("Report the time and memory of each pass (=false: reports that can be compared)"),
      llvm::cl::init(true), llvm::cl::cat(category)};

  /// `hidden`: not in --help, which is a page, but in --help-hidden.
  ValueOption<Toggle> toggle(llvm::StringRef name, llvm::StringRef description,
                             llvm::cl::OptionHidden hidden = llvm::cl::NotHidden) {
    return ValueOption<Toggle>(name, llvm::cl::desc(description), CompileOptions::toggleValues(),
                               llvm::cl::init(Toggle::Recipe), llvm::cl::cat(category), hidden);
  }

  /// Whether the user asked for the compiler.
  bool wanted() const {
    return compile || stopAfter.getNumOccurrences() || emit.getNumOccurrences() || !reports.empty();
  }
};

} // namespace vitq

#endif // VITQ_LIB_DRIVER_COMPILERFLAGS_H
