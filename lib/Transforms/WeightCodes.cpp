//===- WeightCodes.cpp - What gives weights their codes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightCodes.h"

#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static FailureOr<std::vector<double>> weightValues(Operation *op, Value weight) {
  if (!isConstant(weight))
    return op->emitError("weight is no constant; only products of activations (vit.matmul) may vary");
  return getFloatConstant(weight, [&] { return op->emitError("weight "); });
}

FailureOr<std::vector<double>> quantize::biasValues(Operation *op, Value bias, int64_t channels) {
  if (!bias)
    return std::vector<double>(channels, 0.0);
  if (!isConstant(bias))
    return op->emitError("bias is no constant");
  return getFloatConstant(bias, [&] { return op->emitError("bias "); });
}

void quantize::setBias(WeightedOp op, Value bias) {
  if (biasOf(op))
    op->setOperand(2, bias);
  else
    op->insertOperands(2, bias);
}

Value quantize::biasConstant(RewriterBase &rewriter, Operation *op, Value old, ArrayRef<double> values,
                             StringRef name) {
  std::vector<float> floats(values.begin(), values.end());
  auto type = RankedTensorType::get({static_cast<int64_t>(values.size())}, rewriter.getF32Type());
  return createFloatConstant(rewriter, op->getLoc(), type, floats, old ? getBlobName(old) : name);
}

/// Symmetric, of as many bits as there are codes for; below 8 bits with the lowest code, which fitted weights use.
static quant::QuantizedType weightType(MLIRContext *context, unsigned bits, ArrayRef<double> scales) {
  if (bits == 8)
    return getSymmetricPerAxisType(context, 8, bits, scales, 0);
  const numerics::Interval range = numerics::codeRange(static_cast<int>(bits), /*isSigned=*/true);
  SmallVector<int64_t> zeroPoints(scales.size(), 0);
  return quant::UniformQuantizedPerAxisType::get(quant::QuantizationFlags::Signed, IntegerType::get(context, bits),
                                                 Float32Type::get(context), scales, zeroPoints, 0, range.min,
                                                 range.max);
}

Value quantize::weightConstant(RewriterBase &rewriter, Operation *op, Value old, const WeightCodes &weight,
                               unsigned bits) {
  return dequantizedConstant(rewriter, op->getLoc(), old, weight.codes,
                             weightType(op->getContext(), bits, weight.scales));
}

/// The reals of a weight, float or coded already.
static FailureOr<std::vector<double>> realWeight(Value weight) {
  if (!isCodedConstant(weight))
    return getFloatConstant(weight);
  auto read = weight.getDefiningOp<DequantizeOp>();
  FailureOr<Tensor> codes = getIntTensor(read.getInput().getDefiningOp<quant::StorageCastOp>().getInput());
  std::optional<UniformParameters> type = getUniformParameters(getQuantizedType(read.getInput()));
  if (failed(codes) || !type || type->axis > 0)
    return failure();
  std::vector<double> values(codes->numElements());
  const auto row = codes->numElements() / codes->shape()[0];
  for (auto [i, value] : llvm::enumerate(values)) {
    const size_t channel = type->axis < 0 ? 0 : i / static_cast<size_t>(row);
    value = type->scales[channel] * static_cast<double>(codes->intAt(i) - type->zeroPoints[channel]);
  }
  return values;
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

Accumulator Accumulator::of(const std::optional<UniformParameters> &input, ArrayRef<double> bias) {
  Accumulator result;
  if (input) {
    result.inputScale = input->scale();
    result.inputReach = static_cast<double>(std::max(input->max - input->zeroPoint(), input->zeroPoint() - input->min));
  }
  for (double value : bias)
    result.addends.push_back(std::abs(value));
  return result;
}

double Accumulator::smallestScale(int64_t c, int64_t row, int64_t limit) const {
  double products = 2.0 * static_cast<double>(row) * static_cast<double>(limit) * inputReach;
  double room = std::max(0x1p31 - 1 - products, 0x1p24);
  return std::max(addends[c] / room, 0x1p-120) / inputScale;
}

WeightCodes quantize::roundRows(const FoldedWeight &folded, unsigned bits) {
  ArrayRef<double> values(folded.values);
  const Accumulator &accumulator = folded.accumulator;
  WeightCodes weight;
  weight.codes = Tensor::allocate(ElementKind::I8, {static_cast<int64_t>(values.size())});
  int64_t row = folded.rowSize(), limit = (int64_t(1) << (bits - 1)) - 1;
  for (int64_t c = 0; c < folded.rows(); ++c) {
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

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

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

static WeightInput readInput(WeightedOp op) {
  WeightInput input;
  auto read = root(op->getOperand(0)).getDefiningOp<DequantizeOp>();
  if (!read)
    return input;
  input.codes = getUniformParameters(getQuantizedType(read.getInput()));
  if (op->getOperand(0) == read.getResult())
    input.factors = foldedFactors(read);
  return input;
}

/// What each output channel of `op`, whose weight has yet to be coded or is already, may reach in magnitude.
static std::vector<double> reachOf(LinearOp op, const WeightInput &input) {
  int64_t channels = shapeOf(op.getWeight())[0], k = shapeOf(op.getWeight())[1];
  const bool coded = isCodedConstant(op.getWeight());
  FailureOr<std::vector<double>> weight = realWeight(op.getWeight());
  FailureOr<std::vector<double>> bias = getFloatConstant(op.getBias());
  std::vector<double> reach(channels, 0.0);
  if (failed(weight) || !input.codes)
    return reach;
  Accumulator accumulator = Accumulator::of(input.codes, {});
  double most = accumulator.inputScale * accumulator.inputReach;
  // Codes hold the factors already.
  for (auto [i, value] : llvm::enumerate(*weight))
    reach[i / k] += std::abs(value) * (coded || input.factors.empty() ? 1.0 : input.factors[i % k]) * most;
  if (succeeded(bias))
    for (auto [n, value] : llvm::enumerate(*bias))
      reach[n] += std::abs(value);
  return reach;
}

WeightedOps::WeightedOps(func::FuncOp function) {
  for (Operation &op : function.front()) {
    if (auto weighted = dyn_cast<WeightedOp>(op))
      contractions.push_back(weighted);
    if (op.getNumResults() == 1 && isAccumulatorSum(op.getResult(0)))
      accumulatorSums.push_back(&op);
  }
  for (WeightedOp op : contractions)
    inputs[op] = readInput(op);
  for (Operation *sum : accumulatorSums) {
    auto first = sum->getOperand(0).getDefiningOp<LinearOp>(), second = sum->getOperand(1).getDefiningOp<LinearOp>();
    inputs[first].added = reachOf(second, inputs[second]);
  }
}

FailureOr<FoldedWeight> WeightedOps::fold(WeightedOp op) const {
  const WeightInput &input = inputOf(op);
  FoldedWeight folded;
  folded.pixels = pixelsOf(op);
  FailureOr<std::vector<double>> values = weightValues(op, weightOf(op));
  if (failed(values))
    return failure();
  folded.values = std::move(*values);
  FailureOr<std::vector<double>> bias = biasValues(op, biasOf(op), shapeOf(weightOf(op))[0]);
  if (failed(bias))
    return failure();
  folded.bias = std::move(*bias);
  NormalizePixelsOp pixels = folded.pixels;
  for (auto [i, value] : llvm::enumerate(folded.values)) {
    if (pixels)
      value /= pixels.getStd()[op.getInputChannel(i)];
    else if (!input.factors.empty())
      value *= input.factors[op.getInputChannel(i)];
  }
  folded.accumulator =
      Accumulator::of(pixels ? getUniformParameters(getQuantizedType(pixels.getPixels())) : input.codes, folded.bias);
  for (auto [n, reach] : llvm::enumerate(input.added))
    folded.accumulator.addends[n] += reach;
  if (pixels)
    for (auto [i, value] : llvm::enumerate(folded.values))
      folded.accumulator.addends[i / folded.rowSize()] += std::abs(value * pixels.getMean()[op.getInputChannel(i)]);
  return folded;
}
