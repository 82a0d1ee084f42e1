//===- FitWeights.cpp - Codes of weights by the errors of products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FitWeights.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Support/Progress.h"

#include "llvm/Support/DebugLog.h"
#include "llvm/Support/FormatVariadic.h"

#define DEBUG_TYPE "vit-fit-weights"

namespace vitq {
#define GEN_PASS_DEF_VITFITWEIGHTSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

/// Least squares on fewer images fits these, not the layer.
static constexpr size_t kLeastImages = 32;

namespace {

class FitWeights : public vitq::impl::VitFitWeightsPassBase<FitWeights> {
  using VitFitWeightsPassBase::VitFitWeightsPassBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function) || failed(checkOptions()) || failed(fit(*function)))
      signalPassFailure();
  }

  LogicalResult checkOptions();
  LogicalResult fit(func::FuncOp function);
  unsigned bitsFor(WeightedOp op) const {
    return op->hasAttr(kWeightBitsAttr) ? ::vitq::getWeightBits(op) : weightBits;
  }
  void choose(const WeightedOps &weighted);
  FailureOr<RowWeights> findRows(func::FuncOp function, const WeightedOps &weighted, const CalibrationImages &images);
  FitOptions optionsFor(unsigned bits, size_t images) const;
  FailureOr<FittedLayer> fitLayer(Streams &streams, WeightedOp op, const FoldedWeight &folded, const WeightInput &input,
                                  unsigned bits, const RowWeights &rowWeights, LayerInputs &inputs);
  LogicalResult step(Streams &streams, const WeightedOps &weighted, WeightedOp op, const RowWeights &rowWeights,
                     LayerInputs &inputs);
  void write(WeightedOp op, const FittedLayer &layer, unsigned bits);

  void remarkOnStarved() const;

  size_t imageCount = 0;
  /// Layers with more inputs than rows to fit them to.
  struct Starved {
    WeightedOp op;
    size_t columns, samples;
    double damping;
  };
  std::vector<Starved> starved;
  /// What to fit, and what came out of it.
  llvm::DenseMap<Operation *, unsigned> fittedBits;
  std::vector<std::pair<WeightedOp, FittedLayer>> layers;
};

} // namespace

LogicalResult FitWeights::checkOptions() {
  auto error = [&] { return emitError(getOperation().getLoc(), "vit-fit-weights: "); };
  if (weightBits < 2 || weightBits > 8)
    return error() << "bits must be 2 to 8";
  if (!(damping >= 0 && damping <= 1))
    return error() << "damping must be 0 to 1";
  if (leastSquares != -1 && !(leastSquares >= 0 && std::isfinite(leastSquares)))
    return error() << "least-squares must be a ridge of 0 or more, or -1";
  if (sweeps < -1 || sweeps > 100)
    return error() << "sweeps must be 0 to 100, or -1";
  if (!(classWeight >= 0 && std::isfinite(classWeight)))
    return error() << "class-weight must not be negative";
  if (!llvm::all_of(candidates, [](double factor) { return factor > 0 && factor <= 4; }))
    return error() << "candidates must be above 0 and at most 4";
  return success();
}

/// Ops whose weights are to be fitted: float ones that read no pixels.
void FitWeights::choose(const WeightedOps &weighted) {
  fittedBits.clear();
  layers.clear();
  starved.clear();
  for (WeightedOp op : weighted.ops()) {
    const unsigned bits = bitsFor(op);
    if ((bits < 8 || all) && !isCodedConstant(weightOf(op)) && !pixelsOf(op))
      fittedBits[op] = bits;
  }
}

FitOptions FitWeights::optionsFor(unsigned bits, size_t count) const {
  FitOptions options;
  options.codes.bits = bits;
  const bool few = bits <= 3;
  options.codes.damping = damping > 0 ? damping : few ? 0.05 : 0.01;
  options.codes.propagate = gptq;
  if (!candidates.empty())
    options.codes.candidates.assign(candidates.begin(), candidates.end());
  options.codes.sweeps = static_cast<unsigned>(sweeps >= 0 ? sweeps : few ? 3 : 1);
  options.matchBias = matchBias;
  if (leastSquares > 0)
    options.ridges = {leastSquares};
  else if (leastSquares < 0 && count >= kLeastImages)
    options.ridges = {0.01, 0.03, 0.1, 0.3, 1, 3};
  return options;
}

FailureOr<FittedLayer> FitWeights::fitLayer(Streams &streams, WeightedOp op, const FoldedWeight &folded,
                                            const WeightInput &input, unsigned bits, const RowWeights &rowWeights,
                                            LayerInputs &inputs) {
  FitOptions options = optionsFor(bits, imageCount);
  FailureOr<std::optional<FittedLayer>> layer = std::optional<FittedLayer>();
  if (op.isRowProduct()) {
    const auto rows =
        static_cast<size_t>(cast<ShapedType>(op->getResult(0).getType()).getNumElements() / folded.rows());
    const double special = classWeight > 0 ? classWeight : bits <= 3 ? 30 : 10;
    const size_t samples = rows / streams.imagesOfRun() * imageCount, columns = folded.rowSize();
    if (samples < columns) {
      options.codes.damping *= std::min(10.0, static_cast<double>(columns) / static_cast<double>(samples));
      options.ridges.clear();
      // A head that reads one row of an image has few, and is fitted because it costs nothing.
      if (bits < 8)
        starved.push_back({op, columns, samples, options.codes.damping});
    }
    layer = fitRowProduct(streams, op, folded, input, options, rowWeights.of(op, rows, special), inputs);
    if (succeeded(layer) && *layer)
      (*layer)->rows = rowWeights.describe(op, rows, special);
  } else {
    layer = fitOther(streams, op, folded, options);
  }
  if (failed(layer))
    return failure();
  if (!*layer)
    return op->emitError("'") << nodeName(op.getLoc())
                              << "' reads or gives values that are NaN or infinite for the calibration images, so that "
                                 "its weights cannot be fitted; check the model's weights and --preprocess";
  return std::move(**layer);
}

void FitWeights::remarkOnStarved() const {
  if (starved.empty())
    return;
  Starved first = starved.front();
  InFlightDiagnostic remark = emitRemark(first.op.getLoc(), "'");
  remark << nodeName(first.op.getLoc()) << "' has " << first.columns << " inputs, but the images give only "
         << first.samples << " rows to fit its weights to: damping is " << llvm::formatv("{0:f3}", first.damping).str();
  if (const size_t others = starved.size() - 1; others > 0)
    remark << "; so it is with " << others << " other layer" << (others > 1 ? "s" : "");
  remark << "; more images would be better";
}

void FitWeights::write(WeightedOp op, const FittedLayer &layer, unsigned bits) {
  IRRewriter rewriter(op->getContext());
  rewriter.setInsertionPoint(op);
  op->setOperand(1, weightConstant(rewriter, op, weightOf(op), layer.weight, bits));
  if (matchBias)
    setBias(op, biasConstant(rewriter, op, biasOf(op), layer.bias, "bias"));
  op->removeAttr(kWeightBitsAttr);
  ++numFitted;
}

static std::string describe(const FittedLayer &layer, unsigned bits) {
  const std::string squares =
      layer.ridge > 0 ? llvm::formatv(", with least squares, ridge {0:f2}", layer.ridge).str() : "";
  return llvm::formatv("weights of {0} bits: {1:f1} dB rounded, {2:f1} dB fitted{3}{4}{5}", bits, layer.before,
                       layer.after, squares, layer.rows.empty() ? "" : ", ", layer.rows)
      .str();
}

FailureOr<RowWeights> FitWeights::findRows(func::FuncOp function, const WeightedOps &weighted,
                                           const CalibrationImages &images) {
  if (classWeight == 1)
    return RowWeights();
  FailureOr<Tensor> input = images.batch(0, function.getLoc());
  if (failed(input))
    return failure();
  return RowWeights::find(function, weighted.ops(), *input);
}

/// Fits the weight of `op`, or rounds it as vit-quantize-weights does, and goes on behind it.
LogicalResult FitWeights::step(Streams &streams, const WeightedOps &weighted, WeightedOp op,
                               const RowWeights &rowWeights, LayerInputs &inputs) {
  if (failed(streams.runUntil(op)))
    return failure();
  Tensor weight, bias;
  if (!isCodedConstant(weightOf(op))) {
    FailureOr<FoldedWeight> folded = weighted.fold(op);
    const unsigned bits = bitsFor(op);
    if (failed(folded))
      return failure();
    if (fittedBits.contains(op)) {
      FailureOr<FittedLayer> layer = fitLayer(streams, op, *folded, weighted.inputOf(op), bits, rowWeights, inputs);
      if (failed(layer))
        return failure();
      weight = dequantized(op, *folded, layer->weight);
      bias = matchBias ? realBias(layer->bias) : Tensor();
      LDBG() << nodeName(op.getLoc()) << ": " << describe(*layer, bits);
      layers.emplace_back(op, std::move(*layer));
    } else {
      weight = dequantized(op, *folded, roundRows(*folded, bits));
    }
  }
  FailureOr<std::vector<Tensor>> results = streams.compute(weight, bias);
  if (failed(results))
    return failure();
  streams.finish(*results);
  return success();
}

LogicalResult FitWeights::fit(func::FuncOp function) {
  const WeightedOps weighted(function);
  choose(weighted);
  if (fittedBits.empty())
    return success();
  FailureOr<CalibrationImages> images =
      CalibrationImages::open(function, data, preprocess, limit, "fitting weights of few bits ");
  if (failed(images))
    return failure();
  imageCount = images->size();
  FailureOr<std::unique_ptr<Streams>> streams = Streams::create(function, *images, sums, shifted);
  if (failed(streams))
    return failure();
  FailureOr<RowWeights> rowWeights = findRows(function, weighted, *images);
  if (failed(rowWeights))
    return failure();
  LayerInputs inputs;
  Progress progress("fitting weights", fittedBits.size());
  for (WeightedOp op : weighted.ops()) {
    const size_t before = layers.size();
    // What comes behind the last one need not be computed.
    if (before == fittedBits.size())
      break;
    if (failed(step(**streams, weighted, op, *rowWeights, inputs)))
      return failure();
    progress.advance(layers.size() - before);
  }
  remarkOnStarved();
  for (auto &[op, layer] : layers) {
    recordDecision(op, "vit-fit-weights", describe(layer, fittedBits[op]));
    write(op, layer, fittedBits[op]);
  }
  return success();
}
