//===- QuantizeWeights.cpp - Constants and weights of vit-quantize -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeDetail.h"

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

Value quantize::dequantizedConstant(RewriterBase &rewriter, Location loc, Value constant, ArrayRef<int64_t> codes,
                                    quant::QuantizedType type) {
  auto storage = withElementType(constant.getType(), type.getStorageType());
  auto integers = createIntConstant(rewriter, loc, storage, codes, getBlobName(constant));
  Value cast = quant::StorageCastOp::create(rewriter, loc, withElementType(constant.getType(), type), integers);
  return DequantizeOp::create(rewriter, loc, constant.getType(), cast);
}

FailureOr<Value> quantize::quantizeConstant(RewriterBase &rewriter, Location loc, Value constant,
                                            quant::UniformQuantizedType type) {
  std::optional<std::vector<double>> values = getFloatConstant(constant);
  if (!values)
    return emitError(loc, "operand is no constant whose elements can be read");
  SmallVector<int64_t> codes;
  for (double value : *values)
    codes.push_back(numerics::quantizeReal(value, type.getScale(), type.getZeroPoint(), type.getStorageTypeMin(),
                                           type.getStorageTypeMax(), numerics::Rounding::HalfUp));
  return dequantizedConstant(rewriter, loc, constant, codes, type);
}

namespace {

/// Codes of a weight and their scales, one per output channel.
struct Weight {
  SmallVector<int64_t> codes;
  SmallVector<double> scales;
};

Weight quantizeRows(ArrayRef<double> values, int64_t channels, unsigned bits) {
  Weight weight;
  int64_t row = values.size() / channels, limit = (int64_t(1) << (bits - 1)) - 1;
  for (int64_t c = 0; c < channels; ++c) {
    double absMax = 0;
    for (int64_t i = 0; i < row; ++i)
      absMax = std::max(absMax, std::abs(values[c * row + i]));
    weight.scales.push_back(numerics::symmetricScale(absMax, bits));
    for (int64_t i = 0; i < row; ++i)
      weight.codes.push_back(numerics::quantizeReal(values[c * row + i], weight.scales.back(), 0, -limit, limit,
                                                    numerics::Rounding::HalfEven));
  }
  return weight;
}

FailureOr<std::vector<double>> weightValues(Operation *op, Value weight) {
  if (std::optional<std::vector<double>> values = getFloatConstant(weight))
    return *values;
  return op->emitError("weight is no constant; only products of activations (vit.matmul) may vary");
}

/// Elements of the bias of `op`, zeros when it has none.
FailureOr<std::vector<double>> biasValues(Operation *op, Value bias, int64_t channels) {
  if (!bias)
    return std::vector<double>(channels, 0.0);
  if (std::optional<std::vector<double>> values = getFloatConstant(bias))
    return *values;
  return op->emitError("bias is no constant");
}

Value biasConstant(RewriterBase &rewriter, Operation *op, Value old, ArrayRef<double> values, StringRef name) {
  std::vector<float> floats(values.begin(), values.end());
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())}, rewriter.getF32Type());
  return createFloatConstant(rewriter, op->getLoc(), type, floats, old ? getBlobName(old) : name);
}

Value weightValue(RewriterBase &rewriter, Operation *op, Value old, const Weight &weight, unsigned bits) {
  return dequantizedConstant(rewriter, op->getLoc(), old, weight.codes,
                             getSymmetricPerAxisType(op->getContext(), 8, bits, weight.scales, 0));
}

} // namespace

LogicalResult quantize::quantizeLinear(RewriterBase &rewriter, LinearOp op, const LinearInput &input,
                                       const Parameters &parameters) {
  rewriter.setInsertionPoint(op);
  FailureOr<std::vector<double>> values = weightValues(op, op.getWeight());
  if (failed(values))
    return failure();
  int64_t channels = shapeOf(op.getWeight())[0], k = shapeOf(op.getWeight())[1];
  if (!input.factors.empty())
    for (auto [i, value] : llvm::enumerate(*values))
      value *= input.factors[i % k];
  Weight weight = quantizeRows(*values, channels, parameters.weightBits);
  if (parameters.compensateBias && static_cast<int64_t>(input.means.size()) == k) {
    FailureOr<std::vector<double>> bias = biasValues(op, op.getBias(), channels);
    if (failed(bias))
      return failure();
    for (int64_t n = 0; n < channels; ++n)
      for (int64_t i = 0; i < k; ++i) {
        double error = (*values)[n * k + i] - weight.scales[n] * static_cast<double>(weight.codes[n * k + i]);
        (*bias)[n] += error * input.means[i] / (input.factors.empty() ? 1.0 : input.factors[i]);
      }
    op.getBiasMutable().assign(biasConstant(rewriter, op, op.getBias(), *bias, "bias"));
  }
  op.getWeightMutable().assign(weightValue(rewriter, op, op.getWeight(), weight, parameters.weightBits));
  return success();
}

LogicalResult quantize::quantizePatchEmbed(RewriterBase &rewriter, PatchEmbedOp op, bool foldPixels,
                                           const Parameters &parameters) {
  rewriter.setInsertionPoint(op);
  FailureOr<std::vector<double>> values = weightValues(op, op.getWeight());
  if (failed(values))
    return failure();
  auto pixels = foldPixels ? op.getInput().getDefiningOp<NormalizePixelsOp>() : NormalizePixelsOp();
  ArrayRef<int64_t> shape = shapeOf(op.getWeight());
  int64_t channels = shape[1], area = shape[2] * shape[3];
  if (pixels)
    for (auto [i, value] : llvm::enumerate(*values))
      value /= pixels.getStd()[(i / area) % channels];
  Weight weight = quantizeRows(*values, shape[0], parameters.weightBits);
  Value dequantized = weightValue(rewriter, op, op.getWeight(), weight, parameters.weightBits);
  if (!pixels) {
    op.getWeightMutable().assign(dequantized);
    return success();
  }
  FailureOr<std::vector<double>> bias = biasValues(op, op.getBias(), shape[0]);
  if (failed(bias))
    return failure();
  for (int64_t d = 0; d < shape[0]; ++d)
    for (int64_t c = 0; c < channels; ++c) {
      int64_t sum = 0;
      for (int64_t i = 0; i < area; ++i)
        sum += weight.codes[(d * channels + c) * area + i];
      (*bias)[d] -= pixels.getMean()[c] * weight.scales[d] * static_cast<double>(sum);
    }
  Value newBias = biasConstant(rewriter, op, op.getBias(), *bias, "patch_embed_bias");
  Value real =
      DequantizeOp::create(rewriter, pixels.getLoc(),
                           withElementType(pixels.getPixels().getType(), rewriter.getF32Type()), pixels.getPixels());
  auto embed = PatchEmbedOp::create(rewriter, op.getLoc(), op.getType(), real, dequantized, newBias,
                                    /*channels_last=*/true);
  embed->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.replaceOp(op, embed);
  if (pixels->use_empty())
    rewriter.eraseOp(pixels);
  return success();
}
