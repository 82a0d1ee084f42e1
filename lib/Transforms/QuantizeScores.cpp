//===- QuantizeScores.cpp - Scores to which constants are added -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeScores.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/Scores.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

void BiasedScores::find(func::FuncOp function, bool keepAccumulators, llvm::function_ref<int64_t(MatmulOp)> axisOf) {
  for (Operation &op : function.front())
    for (Value result : op.getResults())
      if (isMaskedScores(result))
        masked.insert(result);
  if (keepAccumulators)
    function.walk([&](MatmulOp op) { findExactSums(op, axisOf(op)); });
}

/// The largest magnitude that calibration saw; 0 where it saw none.
static double reachOf(Value value) {
  std::pair<double, double> range = getCalibratedRange(value).value_or(std::pair(0.0, 0.0));
  return std::max(std::abs(range.first), std::abs(range.second));
}

double BiasedScores::lowestTerm(Operation *sum, unsigned index) const {
  if (!masked.contains(sum->getResult(0)))
    return -std::numeric_limits<double>::infinity();
  return -2 * (headroom * (reachOf(sum->getResult(0)) + kSoftmaxReach) + reachOf(sum->getOperand(1 - index)));
}

/// At most the units that the accumulator of a product of activations will have; 0 where nothing is
/// known of them.
static double smallestUnit(MatmulOp product) {
  double unit = product.getScale().convertToDouble();
  for (Value operand : product->getOperands()) {
    Value source = root(operand);
    if (isConstant(source))
      return 0;
    if (isCoded(source)) {
      auto real = source.getDefiningOp<DequantizeOp>();
      auto codes = real ? getUniformParameters(getQuantizedType(real.getInput())) : std::nullopt;
      unit *= codes ? *llvm::min_element(codes->scales) : 0;
      continue;
    }
    double reach = reachOf(source);
    // Heads that are 0 throughout have the scale of another one.
    if (Operation *producer = source.getDefiningOp(); producer && producer->hasAttr(kCodeRangesAttr)) {
      ChannelRanges ranges = getCodeRanges(producer).value_or(ChannelRanges());
      for (auto [min, max] : llvm::zip_equal(ranges.min, ranges.max))
        if (double own = std::max(std::abs(min), std::abs(max)); own > numerics::kTinyRange)
          reach = std::min(reach, own);
    }
    constexpr double mostSteps = 255;
    unit *= reach / mostSteps;
  }
  return unit;
}

/// Codes of constants end here, which leaves room for the sum in 32 bits and for a few more of them.
/// What a mask removes has the lowest one.
static constexpr int64_t kLargestTerm = 1 << 28;

/// Whether the codes of a constant term fit, and no row is masked altogether: its scores would still
/// be told apart.
bool BiasedScores::fits(AddOp sum, unsigned index, double unit) const {
  Value constant = sum->getOperand(index);
  FailureOr<std::vector<double>> values = getFloatConstant(constant);
  if (failed(values) || values->empty() || shapeOf(constant).empty())
    return false;
  const double lowest = lowestTerm(sum, index), most = static_cast<double>(kLargestTerm) * unit;
  for (ArrayRef<double> rest = *values; !rest.empty(); rest = rest.drop_front(shapeOf(constant).back())) {
    ArrayRef<double> row = rest.take_front(shapeOf(constant).back());
    if (llvm::any_of(row, [&](double value) { return !(std::abs(std::max(value, lowest)) <= most); }) ||
        llvm::all_of(row, [](double value) { return value <= kMaskedRow; }))
      return false;
  }
  return true;
}

/// The axis of the reshaped tensor that is its input's `axis`: of the same size and stride. None
/// where there is none.
static std::optional<int64_t> axisBehind(ReshapeOp op, int64_t axis) {
  ArrayRef<int64_t> from = shapeOf(op.getInput());
  int64_t before = computeProduct(from.take_front(axis)), product = 1;
  for (auto [i, size] : llvm::enumerate(op.getShape())) {
    if (product == before && size == from[axis])
      return i;
    product *= size;
  }
  return std::nullopt;
}

/// Follows the scores to the softmax that alone reads them, past moves and constants.
void BiasedScores::findExactSums(MatmulOp product, int64_t axis) {
  const double unit = smallestUnit(product);
  SmallVector<AddOp> sums;
  unsigned masks = 0;
  Value value = product.getResult();
  while (value.hasOneUse() && unit > 0) {
    Operation *user = *value.user_begin();
    if (auto reshape = dyn_cast<ReshapeOp>(user)) {
      std::optional<int64_t> moved = axis == kNoAxis ? axis : axisBehind(reshape, axis);
      if (!moved)
        return;
      axis = *moved;
    } else if (auto sum = dyn_cast<AddOp>(user)) {
      const unsigned index = sum.getLhs() == value ? 1 : 0;
      if (!isConstant(sum->getOperand(index)) || shapeOf(value) != shapeOf(sum.getResult()) || !fits(sum, index, unit))
        return;
      sums.push_back(sum);
      // Together, two masks might leave nothing of a row.
      if (FailureOr<std::vector<double>> values = getFloatConstant(sum->getOperand(index)); succeeded(values))
        masks += llvm::any_of(*values, [](double value) { return value <= kMaskedRow; });
    } else {
      auto reader = dyn_cast<SoftmaxNumeratorOp>(user);
      if (reader && masks < 2 && (axis == kNoAxis || axis == reader.getOperandCode(0).channelAxis))
        exact.insert(sums.begin(), sums.end());
      return;
    }
    value = user->getResult(0);
  }
}

/// The quantized type of what moves lead to from a product of codes; null where it has none.
static Type accumulatorTypeOf(Value value) {
  auto op = value.getDefiningOp<CommutesWithDequant>();
  if (!op) {
    auto real = value.getDefiningOp<DequantizeOp>();
    return real ? getQuantizedType(real.getInput()) : Type();
  }
  SmallVector<Type> types(op->getNumOperands());
  for (unsigned i : op.getDeferrableOperands())
    if (types[i] = accumulatorTypeOf(op->getOperand(i)); !types[i])
      return {};
  std::string reason;
  return op.getDeferredElementType(types, reason).value_or(Type());
}

/// The constant of a sum of accumulators of `type`, as one of them; repeated along the axis of the
/// scales.
static Value termOf(RewriterBase &rewriter, AddOp sum, Value constant, ArrayRef<double> values, double lowest,
                    quant::QuantizedType type) {
  const UniformParameters parameters = *getUniformParameters(type);
  const auto rank = static_cast<int64_t>(shapeOf(sum.getResult()).size());
  SmallVector<int64_t> shape(rank - shapeOf(constant).size(), 1);
  llvm::append_range(shape, shapeOf(constant));
  Tensor reals = Tensor::of<double>(shape, values);
  int64_t inner = 1, channels = 1;
  if (parameters.axis >= 0) {
    channels = shape[parameters.axis] = shapeOf(sum.getResult())[parameters.axis];
    inner = computeProduct(ArrayRef(shape).drop_front(parameters.axis + 1));
    reals = broadcastTo(reals, shape);
  }
  Tensor codes = Tensor::allocate(ElementKind::I32, shape);
  for (auto [i, value] : llvm::enumerate(reals.values<double>()))
    codes.setInt(i, value < lowest
                        ? -kLargestTerm
                        : numerics::quantizeReal(value, parameters.scale(static_cast<int64_t>(i) / inner % channels), 0,
                                                 -kLargestTerm, kLargestTerm, numerics::Rounding::HalfUp));
  auto whole = RankedTensorType::get(shape, cast<ShapedType>(constant.getType()).getElementType());
  auto integers =
      createConstant(rewriter, sum.getLoc(), cast<RankedTensorType>(withElementType(whole, type.getStorageType())),
                     codes, getBlobName(constant));
  Value cast = quant::StorageCastOp::create(rewriter, sum.getLoc(), withElementType(whole, type), integers);
  return DequantizeOp::create(rewriter, sum.getLoc(), whole, cast);
}

void BiasedScores::quantizeExactSums(RewriterBase &rewriter, QuantizedLayout layout) const {
  for (Operation *op : exact) {
    auto sum = cast<AddOp>(op);
    const unsigned index = isConstant(sum.getRhs()) ? 1 : 0;
    auto type = dyn_cast_or_null<quant::QuantizedType>(accumulatorTypeOf(sum->getOperand(1 - index)));
    FailureOr<std::vector<double>> values = getFloatConstant(sum->getOperand(index));
    if (!type || failed(values))
      continue; // vit-defer-dequant says why the product has no unit
    rewriter.setInsertionPoint(sum);
    sum->setOperand(index, termOf(rewriter, sum, sum->getOperand(index), *values, lowestTerm(sum, index), type));
    rewriter.setInsertionPointAfter(sum);
    Value real = castPair(rewriter, sum.getLoc(), sum.getResult(), type, layout);
    rewriter.replaceAllUsesExcept(sum.getResult(), real, real.getDefiningOp()->getOperand(0).getDefiningOp());
  }
}
