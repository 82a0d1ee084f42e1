//===- QuantizeWeights.cpp - Codes and scales of constant weights -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightCodes.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-quantize-weights"

namespace vitq {
#define GEN_PASS_DEF_VITQUANTIZEWEIGHTSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

namespace {

class WeightQuantizer {
public:
  WeightQuantizer(func::FuncOp function, unsigned bits, bool compensateBias)
      : rewriter(function.getContext()), weighted(function), defaultBits(bits), compensateBias(compensateBias) {}

  LogicalResult run() {
    for (WeightedOp op : weighted.ops())
      if (failed(quantizeWeight(op)))
        return failure();
    for (Operation *sum : weighted.sums())
      if (failed(quantizeSum(sum)))
        return failure();
    return success();
  }

private:
  /// Of the channels that `op` reads, over the calibration images; empty: not known, or not wanted.
  std::vector<double> meansOf(WeightedOp op) const {
    auto read = root(op->getOperand(0)).getDefiningOp<DequantizeOp>();
    if (!read || !compensateBias)
      return {};
    // Statistics are on the op that gives the value, or on the last move.
    Value value = op->getOperand(0) == read.getResult() ? realSource(read.getResult()) : op->getOperand(0);
    Operation *source = value.getDefiningOp();
    return source ? getChannelMeans(source).value_or(std::vector<double>()) : std::vector<double>();
  }

  /// The weight, multiplied by the factors of the input's channels, symmetric per row. The normalization of
  /// pixels that the op reads, if it was not quantized, is folded into weight and bias; with bias compensation the
  /// bias takes up what the weight's rounding changes in the mean output.
  LogicalResult quantizeWeight(WeightedOp op) {
    const WeightInput &input = weighted.inputOf(op);
    rewriter.setInsertionPoint(op);
    if (isCodedConstant(weightOf(op))) {
      NormalizePixelsOp pixels = pixelsOf(op);
      return pixels ? readPixels(op, pixels) : success();
    }
    FailureOr<FoldedWeight> folded = weighted.fold(op);
    FailureOr<unsigned> bits = getWeightBits(op, defaultBits);
    if (failed(folded) || failed(bits))
      return failure();
    WeightCodes weight = roundRows(*folded, *bits);
    LDBG() << nodeName(op.getLoc()) << ": " << folded->rows() << " scales"
           << (folded->pixels          ? ", with the normalization of pixels"
               : input.factors.empty() ? ""
                                       : ", with those of the input's channels");
    Value dequantized = weightConstant(rewriter, op, weightOf(op), weight, *bits);
    if (folded->pixels)
      return replacePixels(op, folded->pixels, dequantized, weight, folded->bias);
    const std::vector<double> means = meansOf(op);
    if (const int64_t row = folded->rowSize(); static_cast<int64_t>(means.size()) == row) {
      for (auto [i, value] : llvm::enumerate(folded->values)) {
        const int64_t n = static_cast<int64_t>(i) / row, channel = op.getInputChannel(i);
        double error = value - weight.scales[n] * weight.codes.realAt(i);
        folded->bias[n] += error * means[channel] / (input.factors.empty() ? 1.0 : input.factors[channel]);
      }
      setBias(op, biasConstant(rewriter, op, biasOf(op), folded->bias, "bias"));
    }
    op->setOperand(1, dequantized);
    return success();
  }

  /// For codes that the model brought: the deviation of all channels is a factor of their scales.
  LogicalResult readPixels(WeightedOp op, NormalizePixelsOp pixels) {
    auto read = weightOf(op).getDefiningOp<DequantizeOp>();
    auto cast = read ? read.getInput().getDefiningOp<quant::StorageCastOp>() : quant::StorageCastOp();
    const int64_t rows = shapeOf(weightOf(op))[0];
    FailureOr<Tensor> codes = getIntTensor(cast ? cast.getInput() : Value());
    FailureOr<std::vector<double>> bias = biasValues(op, biasOf(op), rows);
    if (failed(codes) || failed(bias))
      return op->emitError("weight is no constant; only products of activations (vit.matmul) may vary");
    UniformParameters parameters = *getUniformParameters(getQuantizedType(read.getInput()));
    WeightCodes weight{*codes, {}};
    for (int64_t d = 0; d < rows; ++d)
      weight.scales.push_back(parameters.scale(d) / pixels.getStd()[0]);
    auto old = getQuantizedType(read.getInput());
    auto type = quant::UniformQuantizedPerAxisType::get(
        quant::QuantizationFlags::Signed, old.getStorageType(), old.getExpressedType(), weight.scales,
        SmallVector<int64_t>(weight.scales.size(), 0), 0, old.getStorageTypeMin(), old.getStorageTypeMax());
    return replacePixels(op, pixels, dequantizedConstant(rewriter, op.getLoc(), weightOf(op), *codes, type), weight,
                         *bias);
  }

  /// What stands around the bytes of an image for what does around the normalized one, on the grid of bytes
  /// (rounded half up).
  static SmallVector<double> paddingOfPixels(WeightedOp op, NormalizePixelsOp pixels) {
    const UniformParameters bytes = *getUniformParameters(getQuantizedType(pixels.getPixels()));
    auto normalized = op->getAttrOfType<DenseF64ArrayAttr>("padding");
    SmallVector<double> padding;
    for (auto [c, mean] : llvm::enumerate(pixels.getMean())) {
      const double value = mean + (normalized ? normalized[c] * pixels.getStd()[c] : 0.0);
      const int64_t code = numerics::quantizeReal(value, bytes.scale(), bytes.zeroPoint(), bytes.min, bytes.max,
                                                  numerics::Rounding::HalfUp);
      padding.push_back(numerics::dequantize(code, bytes.scale(), bytes.zeroPoint()));
    }
    return padding;
  }

  /// The op on bytes in place of `op`, with a weight that has the deviation in it; the mean goes into the bias.
  LogicalResult replacePixels(WeightedOp op, NormalizePixelsOp pixels, Value dequantized, const WeightCodes &weight,
                              std::vector<double> bias) {
    const int64_t count = weight.codes.numElements(), row = count / static_cast<int64_t>(bias.size());
    for (int64_t d = 0, rows = static_cast<int64_t>(bias.size()); d < rows; ++d) {
      SmallVector<int64_t> sums(pixels.getMean().size(), 0);
      for (int64_t i = d * row; i < (d + 1) * row; ++i)
        sums[op.getInputChannel(i)] += weight.codes.intAt(i);
      for (auto [sum, mean] : llvm::zip_equal(sums, pixels.getMean()))
        bias[d] -= mean * weight.scales[d] * static_cast<double>(sum);
    }
    Value newBias = biasConstant(rewriter, op, biasOf(op), bias, "patch_embed_bias");
    Value real =
        DequantizeOp::create(rewriter, pixels.getLoc(),
                             withElementType(pixels.getPixels().getType(), rewriter.getF32Type()), pixels.getPixels());
    Operation *onPixels = op.makeOnPixels(rewriter, real, dequantized, newBias, paddingOfPixels(op, pixels));
    onPixels->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    Operation *view = op->getOperand(0).getDefiningOp();
    rewriter.replaceOp(op, onPixels);
    eraseUnread(view);
    if (pixels->use_empty())
      rewriter.eraseOp(pixels);
    return success();
  }

  /// The sum of two accumulators in units of the first.
  LogicalResult quantizeSum(Operation *op) {
    Value result = op->getResult(0);
    auto first = op->getOperand(0).getDefiningOp<CommutesWithDequant>();
    SmallVector<Type> types(first->getNumOperands());
    for (unsigned i : first.getDeferrableOperands())
      if (auto dequantize = root(first->getOperand(i)).getDefiningOp<DequantizeOp>())
        types[i] = getQuantizedType(dequantize.getInput());
    std::string reason;
    FailureOr<Type> type = first.getDeferredElementType(types, reason);
    if (failed(type))
      return op->emitError("the accumulator of '") << nodeName(first->getLoc()) << "' has no scale: " << reason;
    rewriter.setInsertionPointAfter(op);
    Value real = castPair(rewriter, op->getLoc(), result, cast<quant::QuantizedType>(*type), QuantizedLayout::Vitq);
    rewriter.replaceAllUsesExcept(result, real, real.getDefiningOp()->getOperand(0).getDefiningOp());
    return success();
  }

  IRRewriter rewriter;
  WeightedOps weighted;
  unsigned defaultBits;
  bool compensateBias;
};

class QuantizeWeights : public vitq::impl::VitQuantizeWeightsPassBase<QuantizeWeights> {
  using VitQuantizeWeightsPassBase::VitQuantizeWeightsPassBase;

  void runOnOperation() override {
    if (weightBits < 2 || weightBits > 8) {
      getOperation().emitError("vit-quantize-weights: weight-bits must be 2 to 8");
      return signalPassFailure();
    }
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function) || failed(WeightQuantizer(*function, weightBits, compensateBias).run()))
      signalPassFailure();
  }
};

} // namespace
