//===- QuantizeWeights.cpp - Codes and scales of constant weights -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeDetail.h"

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

/// Codes of a weight and their scales, one per output channel.
struct Weight {
  Tensor codes;
  SmallVector<double> scales;
};

/// What the scale of a weight's row is chosen for besides its values: the accumulator,
/// in units of input scale times row scale, also holds the bias.
struct Accumulator {
  /// Of the input codes, and their largest distance to the zero point.
  double inputScale = 1;
  double inputReach = static_cast<double>(numerics::codeRange(8, /*isSigned=*/false).max);
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

/// What is known of the input of a contraction with constant weights.
struct Input {
  /// Its codes, which moves leave as they are; none: not quantized.
  std::optional<UniformParameters> codes;
  /// Real values per unit of the folded codes, one for each input channel; empty: all 1.
  SmallVector<double> factors;
  /// Means over the calibration images; empty: not known, or not wanted.
  std::vector<double> means;
  /// Magnitude of what another accumulator adds to each row's, in reals; empty: nothing.
  std::vector<double> added;
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
  weight.codes = Tensor::allocate(ElementKind::I8, {static_cast<int64_t>(values.size())});
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
      weight.codes.setInt(c * row + i, numerics::quantizeReal(values[c * row + i], scale, 0, -limit, limit,
                                                              numerics::Rounding::HalfEven));
  }
  return weight;
}

FailureOr<std::vector<double>> weightValues(Operation *op, Value weight) {
  if (!isConstant(weight))
    return op->emitError("weight is no constant; only products of activations (vit.matmul) may vary");
  return getFloatConstant(weight, [&] { return op->emitError("weight "); });
}

/// Elements of the bias of `op`, zeros when it has none.
FailureOr<std::vector<double>> biasValues(Operation *op, Value bias, int64_t channels) {
  if (!bias)
    return std::vector<double>(channels, 0.0);
  if (!isConstant(bias))
    return op->emitError("bias is no constant");
  return getFloatConstant(bias, [&] { return op->emitError("bias "); });
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

class WeightQuantizer {
public:
  WeightQuantizer(func::FuncOp function, unsigned defaultBits, bool compensateBias)
      : function(function), rewriter(function.getContext()), defaultBits(defaultBits), compensateBias(compensateBias) {}

  LogicalResult run() {
    SmallVector<Operation *> sums;
    SmallVector<WeightedOp> contractions;
    for (Operation &op : function.front()) {
      if (auto weighted = dyn_cast<WeightedOp>(op))
        contractions.push_back(weighted);
      if (op.getNumResults() == 1 && isAccumulatorSum(op.getResult(0)))
        sums.push_back(&op);
    }
    for (WeightedOp op : contractions)
      inputs[op] = inputOf(op);
    for (Operation *sum : sums) {
      auto first = sum->getOperand(0).getDefiningOp<LinearOp>(), second = sum->getOperand(1).getDefiningOp<LinearOp>();
      inputs[first].added = reachOf(second, inputs[second]);
    }
    for (WeightedOp op : contractions)
      if (failed(quantizeWeight(op)))
        return failure();
    for (Operation *sum : sums)
      if (failed(quantizeSum(sum)))
        return failure();
    return success();
  }

private:
  /// Scales that vit-quantize folded: codes of differing scales that are read as if they
  /// had one.
  static SmallVector<double> foldedFactors(DequantizeOp read) {
    auto folded = read.getInput().getDefiningOp<quant::StorageCastOp>();
    auto integers = folded ? folded.getInput().getDefiningOp<quant::StorageCastOp>() : quant::StorageCastOp();
    auto own = integers
                   ? dyn_cast<quant::UniformQuantizedPerAxisType>(getElementTypeOrSelf(integers.getInput().getType()))
                   : quant::UniformQuantizedPerAxisType();
    if (!own)
      return {};
    double common = cast<quant::UniformQuantizedType>(getQuantizedType(read.getInput())).getScale();
    return llvm::map_to_vector(own.getScales(), [=](double scale) { return scale / common; });
  }

  Input inputOf(WeightedOp op) const {
    Input input;
    auto read = root(op->getOperand(0)).getDefiningOp<DequantizeOp>();
    if (!read)
      return input;
    input.codes = getUniformParameters(getQuantizedType(read.getInput()));
    if (op->getOperand(0) == read.getResult())
      input.factors = foldedFactors(read);
    // Statistics are on the op that gives the value, or on the last move.
    Value value = op->getOperand(0) == read.getResult() ? realSource(read.getResult()) : op->getOperand(0);
    if (Operation *source = value.getDefiningOp(); source && compensateBias)
      input.means = getChannelMeans(source).value_or(std::vector<double>());
    return input;
  }

  static Value weightOf(WeightedOp op) { return op->getOperand(1); }
  static Value biasOf(WeightedOp op) { return op->getNumOperands() > 2 ? op->getOperand(2) : Value(); }
  static void setBias(WeightedOp op, Value bias) {
    if (biasOf(op))
      op->setOperand(2, bias);
    else
      op->insertOperands(2, bias);
  }

  /// The weight, multiplied by the factors of the input's channels, symmetric per row. The normalization of
  /// pixels that the op reads, if it was not quantized, is folded into weight and bias; with bias compensation the
  /// bias takes up what the weight's rounding changes in the mean output.
  LogicalResult quantizeWeight(WeightedOp op) {
    const Input &input = inputs[op];
    rewriter.setInsertionPoint(op);
    NormalizePixelsOp pixels = pixelsOf(op);
    if (isCodedConstant(weightOf(op)))
      return pixels ? readPixels(op, pixels) : success();
    const int64_t rows = shapeOf(weightOf(op))[0];
    FailureOr<std::vector<double>> values = weightValues(op, weightOf(op));
    if (failed(values))
      return failure();
    FailureOr<std::vector<double>> bias = biasValues(op, biasOf(op), rows);
    if (failed(bias))
      return failure();
    for (auto [i, value] : llvm::enumerate(*values)) {
      if (pixels)
        value /= pixels.getStd()[op.getInputChannel(i)];
      else if (!input.factors.empty())
        value *= input.factors[op.getInputChannel(i)];
    }
    const int64_t row = static_cast<int64_t>(values->size()) / rows;
    Accumulator accumulator =
        accumulatorFor(pixels ? getUniformParameters(getQuantizedType(pixels.getPixels())) : input.codes, *bias);
    for (auto [n, reach] : llvm::enumerate(input.added))
      accumulator.addends[n] += reach;
    if (pixels)
      for (auto [i, value] : llvm::enumerate(*values))
        accumulator.addends[i / row] += std::abs(value * pixels.getMean()[op.getInputChannel(i)]);
    const unsigned bits = op->hasAttr(kWeightBitsAttr) ? getWeightBits(op) : defaultBits;
    Weight weight = quantizeRows(*values, rows, bits, accumulator);
    op->removeAttr(kWeightBitsAttr);
    LDBG() << nodeName(op.getLoc()) << ": " << rows << " scales"
           << (pixels                  ? ", with the normalization of pixels"
               : input.factors.empty() ? ""
                                       : ", with those of the input's channels");
    Value dequantized = weightValue(rewriter, op, weightOf(op), weight, bits);
    if (pixels)
      return replacePixels(op, pixels, dequantized, weight, *bias);
    if (static_cast<int64_t>(input.means.size()) == row) {
      for (auto [i, value] : llvm::enumerate(*values)) {
        const int64_t n = static_cast<int64_t>(i) / row, channel = op.getInputChannel(i);
        double error = value - weight.scales[n] * weight.codes.realAt(i);
        (*bias)[n] += error * input.means[channel] / (input.factors.empty() ? 1.0 : input.factors[channel]);
      }
      setBias(op, biasConstant(rewriter, op, biasOf(op), *bias, "bias"));
    }
    op->setOperand(1, dequantized);
    return success();
  }

  /// What each output channel of `op`, whose weight is float still, may reach in magnitude.
  static std::vector<double> reachOf(LinearOp op, const Input &input) {
    int64_t channels = shapeOf(op.getWeight())[0], k = shapeOf(op.getWeight())[1];
    FailureOr<std::vector<double>> weight = getFloatConstant(op.getWeight());
    FailureOr<std::vector<double>> bias = getFloatConstant(op.getBias());
    std::vector<double> reach(channels, 0.0);
    if (failed(weight) || !input.codes)
      return reach;
    Accumulator accumulator = accumulatorFor(input.codes, {});
    double most = accumulator.inputScale * accumulator.inputReach;
    for (auto [i, value] : llvm::enumerate(*weight))
      reach[i / k] += std::abs(value) * (input.factors.empty() ? 1.0 : input.factors[i % k]) * most;
    if (succeeded(bias))
      for (auto [n, value] : llvm::enumerate(*bias))
        reach[n] += std::abs(value);
    return reach;
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
    Weight weight{*codes, {}};
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
  LogicalResult replacePixels(WeightedOp op, NormalizePixelsOp pixels, Value dequantized, const Weight &weight,
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

  func::FuncOp function;
  IRRewriter rewriter;
  unsigned defaultBits;
  bool compensateBias;
  llvm::DenseMap<Operation *, Input> inputs;
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
