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

/// What the scale of a weight's row is chosen for besides its values: the accumulator,
/// in units of input scale times row scale, also holds the bias.
struct Accumulator {
  /// Of the input codes, and their largest distance to the zero point.
  double inputScale = 1;
  double inputReach = 255;
  /// Magnitude of what is added to the products of each row, in reals.
  std::vector<double> addends;

  /// The smallest scale of row `c`, of `row` codes up to `limit`, at which the sum stays
  /// below 2^31: products, the zero point's share, and the addend. Not so small either
  /// that its product with the input's leaves the normal range of a 32-bit float.
  double smallestScale(int64_t c, int64_t row, int64_t limit) const {
    double products = 2.0 * static_cast<double>(row) * static_cast<double>(limit) * inputReach;
    double room = std::max(0x1p31 - 1 - products, 0x1p24);
    return std::max(addends[c] / room, 0x1p-120) / inputScale;
  }
};

/// Of a contraction whose bias is `bias` [N].
Accumulator accumulatorFor(std::optional<UniformParameters> input, ArrayRef<double> bias) {
  Accumulator result;
  if (input) {
    result.inputScale = input->scale();
    result.inputReach = static_cast<double>(std::max(input->max - input->zeroPoint(), input->zeroPoint() - input->min));
  }
  for (double value : bias)
    result.addends.push_back(std::abs(value));
  return result;
}

/// Symmetric, a row a scale: that of its largest magnitude, unless the accumulator needs
/// a larger one. Codes of a row that is small beside its bias come out small, or 0;
/// what that loses vanishes beside a bias that fills the accumulator.
Weight quantizeRows(ArrayRef<double> values, int64_t channels, unsigned bits, const Accumulator &accumulator) {
  Weight weight;
  int64_t row = values.size() / channels, limit = (int64_t(1) << (bits - 1)) - 1;
  for (int64_t c = 0; c < channels; ++c) {
    double absMax = 0;
    for (int64_t i = 0; i < row; ++i)
      absMax = std::max(absMax, std::abs(values[c * row + i]));
    double scale = numerics::symmetricScale(absMax, bits);
    double smallest = accumulator.smallestScale(c, row, limit);
    // A row of zeros has any scale: the one at which its bias is finest.
    scale = absMax == 0 && accumulator.addends[c] > 0 ? smallest : std::max(scale, smallest);
    weight.scales.push_back(scale);
    for (int64_t i = 0; i < row; ++i)
      weight.codes.push_back(
          numerics::quantizeReal(values[c * row + i], scale, 0, -limit, limit, numerics::Rounding::HalfEven));
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

LogicalResult quantize::quantizeLinear(RewriterBase &rewriter, LinearOp op, const ContractionInput &input,
                                       const Parameters &parameters) {
  rewriter.setInsertionPoint(op);
  FailureOr<std::vector<double>> values = weightValues(op, op.getWeight());
  if (failed(values))
    return failure();
  int64_t channels = shapeOf(op.getWeight())[0], k = shapeOf(op.getWeight())[1];
  if (!input.factors.empty())
    for (auto [i, value] : llvm::enumerate(*values))
      value *= input.factors[i % k];
  FailureOr<std::vector<double>> bias = biasValues(op, op.getBias(), channels);
  if (failed(bias))
    return failure();
  Accumulator accumulator = accumulatorFor(input.codes, *bias);
  for (auto [n, reach] : llvm::enumerate(input.added))
    accumulator.addends[n] += reach;
  Weight weight = quantizeRows(*values, channels, parameters.weightBits, accumulator);
  if (parameters.compensateBias && static_cast<int64_t>(input.means.size()) == k) {
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

std::vector<double> quantize::reachOf(LinearOp op, const ContractionInput &input) {
  int64_t channels = shapeOf(op.getWeight())[0], k = shapeOf(op.getWeight())[1];
  std::optional<std::vector<double>> weight = getFloatConstant(op.getWeight()), bias = getFloatConstant(op.getBias());
  std::vector<double> reach(channels, 0.0);
  if (!weight || !input.codes)
    return reach;
  Accumulator accumulator = accumulatorFor(input.codes, {});
  double most = accumulator.inputScale * accumulator.inputReach;
  for (auto [i, value] : llvm::enumerate(*weight))
    reach[i / k] += std::abs(value) * (input.factors.empty() ? 1.0 : input.factors[i % k]) * most;
  if (bias)
    for (auto [n, value] : llvm::enumerate(*bias))
      reach[n] += std::abs(value);
  return reach;
}

LogicalResult quantize::quantizePatchEmbed(RewriterBase &rewriter, PatchEmbedOp op, bool foldPixels,
                                           const ContractionInput &input, const Parameters &parameters) {
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
  FailureOr<std::vector<double>> bias = biasValues(op, op.getBias(), shape[0]);
  if (failed(bias))
    return failure();
  Accumulator accumulator =
      accumulatorFor(pixels ? getUniformParameters(getQuantizedType(pixels.getPixels())) : input.codes, *bias);
  if (pixels)
    for (auto [i, value] : llvm::enumerate(*values))
      accumulator.addends[i / (channels * area)] += std::abs(value * pixels.getMean()[(i / area) % channels]);
  Weight weight = quantizeRows(*values, shape[0], parameters.weightBits, accumulator);
  Value dequantized = weightValue(rewriter, op, op.getWeight(), weight, parameters.weightBits);
  if (!pixels) {
    op.getWeightMutable().assign(dequantized);
    return success();
  }
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
