//===- VitDequantRules.cpp - Which vit ops commute with dequantization -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The rules of docs/Rules.md, one implementation of CommutesWithDequant an op. A
// failure's reason names the rule and the remedy: it becomes the text of the remark
// or error that vit-defer-dequant prints.

#include "dialects/vit/Vit.h"
#include "dialects/vit/VitRules.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::vit;
using quant::QuantizedType;
using quant::UniformQuantizedPerAxisType;
using quant::UniformQuantizedType;

using MaybeType = FailureOr<Type>;

static MaybeType refuse(std::string &reason, llvm::StringRef rule, const llvm::Twine &text) {
  reason = (rule + ": " + text).str();
  return failure();
}

namespace {
/// Scales of a uniform type: one, or one per index of `axis`.
struct Layout {
  SmallVector<double> scales;
  int64_t axis = -1; // -1: per tensor
  bool perTensor() const { return axis < 0; }
};
} // namespace

static std::optional<Layout> layoutOf(Type type) {
  if (auto uniform = dyn_cast_or_null<UniformQuantizedType>(type))
    return Layout{{uniform.getScale()}, -1};
  if (auto perAxis = dyn_cast_or_null<UniformQuantizedPerAxisType>(type))
    return Layout{SmallVector<double>(perAxis.getScales()), perAxis.getQuantizedDimension()};
  return std::nullopt;
}

/// The accumulator's type: i32, zero point 0.
static Type accumulatorType(MLIRContext *context, const Layout &layout) {
  Type storage = IntegerType::get(context, 32), expressed = Float32Type::get(context);
  int64_t lo = QuantizedType::getDefaultMinimumForInteger(true, 32),
          hi = QuantizedType::getDefaultMaximumForInteger(true, 32);
  if (layout.perTensor())
    return UniformQuantizedType::get(quant::QuantizationFlags::Signed, storage, expressed, layout.scales[0], 0, lo, hi);
  SmallVector<int64_t> zeroPoints(layout.scales.size(), 0);
  return UniformQuantizedPerAxisType::get(quant::QuantizationFlags::Signed, storage, expressed, layout.scales,
                                          zeroPoints, static_cast<int32_t>(layout.axis), lo, hi);
}

/// The same type with its axis moved.
static Type withAxis(UniformQuantizedPerAxisType type, int64_t axis) {
  return UniformQuantizedPerAxisType::get(type.getFlags(), type.getStorageType(), type.getExpressedType(),
                                          type.getScales(), type.getZeroPoints(), static_cast<int32_t>(axis),
                                          type.getStorageTypeMin(), type.getStorageTypeMax());
}

//===----------------------------------------------------------------------===//
// Contractions: R1, R2, R4, R5
//===----------------------------------------------------------------------===//

/// `contractsSpace`: sums run over axes of the input besides its last one.
static MaybeType deferLinear(Operation *op, ArrayRef<Type> types, int64_t resultAxis, bool contractsSpace,
                             std::string &reason) {
  std::optional<Layout> input = layoutOf(types[0]), weight = layoutOf(types[1]);
  if (!input)
    return refuse(reason, rules::kLinear, "the input has scales in blocks; quantize it per tensor");
  if (!weight)
    return refuse(reason, rules::kLinear,
                  "the weight has scales in blocks; quantize it per tensor or per output channel");
  if (!weight->perTensor() && weight->axis != 0)
    return refuse(reason, rules::kLinear,
                  "weight scales vary along the contracted axis; fold them into the weight before it is "
                  "quantized");
  int64_t inputRank = shapeOf(op->getOperand(0)).size();
  if (!input->perTensor()) {
    if (input->axis == inputRank - 1 || contractsSpace)
      return refuse(reason, rules::kLinear,
                    "input scales vary along the contracted axis; fold them into the weight before it is "
                    "quantized, or calibrate the input per tensor");
    if (op->getNumOperands() == 3)
      return refuse(reason, rules::kLinear,
                    "with one input scale per token the bias has no common scale; calibrate the input per "
                    "tensor, or add the bias after the dequantization");
    if (!weight->perTensor())
      return refuse(reason, rules::kLinear,
                    "per-token input scales and per-channel weight scales need two scale axes; quantize the "
                    "weight per tensor, or the input per tensor");
    Layout layout = *input;
    for (double &s : layout.scales)
      s *= weight->scales[0];
    return MaybeType(accumulatorType(op->getContext(), layout));
  }
  Layout layout = *weight;
  layout.axis = weight->perTensor() ? -1 : resultAxis;
  for (double &s : layout.scales)
    s *= input->scales[0];
  return MaybeType(accumulatorType(op->getContext(), layout));
}

MaybeType LinearOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  return deferLinear(*this, types, cast<ShapedType>(getType()).getRank() - 1, /*contractsSpace=*/false, reason);
}
SmallVector<unsigned> LinearOp::getDeferrableOperands() { return {0, 1}; }
int LinearOp::getBiasOperandIndex() { return getBias() ? 2 : -1; }

MaybeType PatchEmbedOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  return deferLinear(*this, types, 2, /*contractsSpace=*/true, reason);
}
SmallVector<unsigned> PatchEmbedOp::getDeferrableOperands() { return {0, 1}; }
int PatchEmbedOp::getBiasOperandIndex() { return getBias() ? 2 : -1; }

/// Each sum of a depthwise convolution reads one channel, whose scale is then the sum's.
static std::optional<Layout> deferDepthwise(const Layout &input, const Layout &weight, int64_t channels) {
  if (input.axis != 3 || (!weight.perTensor() && weight.axis != 0))
    return std::nullopt;
  Layout layout{{}, 3};
  for (int64_t c = 0; c < channels; ++c)
    layout.scales.push_back(input.scales[c] * weight.scales[weight.perTensor() ? 0 : c]);
  return layout;
}

MaybeType Conv2dOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  std::optional<Layout> input = layoutOf(types[0]), weight = layoutOf(types[1]);
  if (input && weight && isDepthwise())
    if (std::optional<Layout> layout = deferDepthwise(*input, *weight, shapeOf(getInput())[3]))
      return MaybeType(accumulatorType(getContext(), *layout));
  return deferLinear(*this, types, 3, /*contractsSpace=*/true, reason);
}
SmallVector<unsigned> Conv2dOp::getDeferrableOperands() { return {0, 1}; }
int Conv2dOp::getBiasOperandIndex() { return getBias() ? 2 : -1; }

SmallVector<unsigned> MatmulOp::getDeferrableOperands() { return {0, 1}; }
int MatmulOp::getBiasOperandIndex() { return -1; }
MaybeType MatmulOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  const llvm::StringRef rule = getTransposeRhs() ? rules::kScores : rules::kWeightedSum;
  std::optional<Layout> lhs = layoutOf(types[0]), rhs = layoutOf(types[1]);
  if (!lhs || !rhs)
    return refuse(reason, rule, "an operand has scales in blocks; quantize it per tensor, or along one axis");
  int64_t rank = shapeOf(getLhs()).size();
  int64_t rhsContracted = getTransposeRhs() ? rank - 1 : rank - 2;
  int64_t rhsColumns = getTransposeRhs() ? rank - 2 : rank - 1;
  if (lhs->axis == rank - 1)
    return refuse(reason, rule,
                  "lhs scales vary along the contracted axis; requantize it per tensor, per head or per "
                  "row first");
  if (rhs->axis == rhsContracted)
    return refuse(reason, rule,
                  getTransposeRhs()
                      ? "K has one scale per channel, the contracted axis of Q*K^T; requantize it per "
                        "tensor, per head or per token first"
                      : "V has one scale per token, the contracted axis of P*V; requantize it per tensor, "
                        "per head or per channel first");
  // Axis of the result along which each operand's scale varies.
  int64_t lhsAxis = lhs->axis, rhsAxis = rhs->perTensor() ? -1 : (rhs->axis == rhsColumns ? rank - 1 : rhs->axis);
  if (lhsAxis >= 0 && rhsAxis >= 0 && lhsAxis != rhsAxis)
    return refuse(reason, rule,
                  "the scales of lhs and rhs vary along different axes and a type holds one; make one of "
                  "them per tensor");
  Layout layout = lhsAxis >= 0 ? *lhs : *rhs;
  layout.axis = lhsAxis >= 0 ? lhsAxis : rhsAxis;
  double factor = getScale().convertToDouble();
  for (auto [i, s] : llvm::enumerate(layout.scales)) {
    double l = lhs->scales[lhs->perTensor() ? 0 : i], r = rhs->scales[rhs->perTensor() ? 0 : i];
    s = l * r * factor;
  }
  return MaybeType(accumulatorType(getContext(), layout));
}

//===----------------------------------------------------------------------===//
// Moves and means: R13
//===----------------------------------------------------------------------===//

/// A per-tensor type crosses any move; a per-axis one where its axis survives.
template <typename MapAxis>
static MaybeType deferMove(Type type, std::string &reason, MapAxis mapAxis) {
  if (isa_and_nonnull<UniformQuantizedType>(type))
    return type;
  auto perAxis = dyn_cast_or_null<UniformQuantizedPerAxisType>(type);
  if (!perAxis)
    return refuse(reason, rules::kMove,
                  "elements with scales in blocks cannot be moved; quantize per tensor, or along one axis");
  std::optional<int64_t> axis = mapAxis(perAxis.getQuantizedDimension());
  if (!axis)
    return refuse(reason, rules::kMove,
                  "the op changes axis " + llvm::Twine(perAxis.getQuantizedDimension()) +
                      ", along which the scales vary; requantize per tensor first");
  return MaybeType(withAxis(perAxis, *axis));
}

/// [..., C, ...] -> [..., H, d, ...] with scales that agree inside each of the H
/// groups: one scale for each group.
static Type deferSplit(UniformQuantizedPerAxisType type, ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  int64_t axis = type.getQuantizedDimension();
  if (to.size() != from.size() + 1 || from.take_front(axis) != to.take_front(axis) ||
      from.drop_front(axis + 1) != to.drop_front(axis + 2))
    return {};
  int64_t width = to[axis + 1];
  SmallVector<double> scales;
  SmallVector<int64_t> zeroPoints;
  for (int64_t i = 0; i < from[axis]; ++i) {
    if (i % width == 0) {
      scales.push_back(type.getScales()[i]);
      zeroPoints.push_back(type.getZeroPoints()[i]);
    } else if (type.getScales()[i] != scales.back() || type.getZeroPoints()[i] != zeroPoints.back()) {
      return {};
    }
  }
  return UniformQuantizedPerAxisType::get(type.getFlags(), type.getStorageType(), type.getExpressedType(), scales,
                                          zeroPoints, static_cast<int32_t>(axis), type.getStorageTypeMin(),
                                          type.getStorageTypeMax());
}

MaybeType ReshapeOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  ArrayRef<int64_t> from = shapeOf(getInput()), to = getShape();
  if (auto perAxis = dyn_cast_or_null<UniformQuantizedPerAxisType>(types[0]))
    if (Type split = deferSplit(perAxis, from, to))
      return split;
  return deferMove(types[0], reason, [&](int64_t axis) -> std::optional<int64_t> {
    // The axis survives where the same size has the same stride on both sides.
    int64_t before = 1, result = 1;
    for (int64_t i = 0; i < axis; ++i)
      before *= from[i];
    for (int64_t i = 0; i < static_cast<int64_t>(to.size()); ++i) {
      if (result == before && to[i] == from[axis])
        return i;
      result *= to[i];
    }
    return std::nullopt;
  });
}

MaybeType TransposeOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  return deferMove(types[0], reason, [&](int64_t axis) -> std::optional<int64_t> {
    return std::distance(getPermutation().begin(), llvm::find(getPermutation(), axis));
  });
}

MaybeType ConcatOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  for (Type type : types) {
    if (type != types[0])
      return refuse(reason, rules::kMove, "the inputs' scales differ; they are requantized to the result's");
  }
  return deferMove(types[0], reason, [&](int64_t axis) -> std::optional<int64_t> {
    return axis == static_cast<int64_t>(getAxis()) ? std::nullopt : std::optional<int64_t>(axis);
  });
}

/// Ops that leave all axes but the changed ones as they are.
static MaybeType deferSameAxes(Type type, std::string &reason, ArrayRef<int64_t> from, ArrayRef<int64_t> to,
                               llvm::function_ref<bool(int64_t)> touched) {
  int64_t shift = static_cast<int64_t>(to.size()) - static_cast<int64_t>(from.size());
  return deferMove(type, reason, [&](int64_t axis) -> std::optional<int64_t> {
    return touched(axis) ? std::nullopt : std::optional<int64_t>(axis + shift);
  });
}

MaybeType SliceOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  ArrayRef<int64_t> from = shapeOf(getInput());
  return deferSameAxes(types[0], reason, from, getSizes(),
                       [&](int64_t axis) { return getSizes()[axis] != from[axis]; });
}

MaybeType GatherOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  return deferSameAxes(types[0], reason, shapeOf(getInput()), shapeOf(getResult()),
                       [&](int64_t axis) { return axis == static_cast<int64_t>(getAxis()); });
}

MaybeType BroadcastOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  ArrayRef<int64_t> from = shapeOf(getInput()), to = getShape();
  size_t shift = to.size() - from.size();
  return deferSameAxes(types[0], reason, from, to, [&](int64_t axis) { return from[axis] != to[axis + shift]; });
}

MaybeType PadOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  return deferSameAxes(types[0], reason, shapeOf(getInput()), shapeOf(getResult()),
                       [&](int64_t axis) { return getLow()[axis] || getHigh()[axis]; });
}

MaybeType MaxPoolOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  return deferSameAxes(types[0], reason, shapeOf(getInput()), shapeOf(getResult()),
                       [](int64_t axis) { return axis == 1 || axis == 2; });
}

MaybeType HadamardOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  std::optional<Layout> layout = layoutOf(types[0]);
  if (!layout || !layout->perTensor())
    return refuse(reason, rules::kMove, "a transform mixes channels; requantize per tensor first");
  layout->scales[0] /= std::sqrt(static_cast<double>(getBlock())); // the integer result is the sum
  return MaybeType(accumulatorType(getContext(), *layout));
}

MaybeType MeanOp::getDeferredElementType(ArrayRef<Type> types, std::string &reason) {
  std::optional<Layout> layout = layoutOf(types[0]);
  if (!layout)
    return refuse(reason, rules::kMove, "a mean over scales in blocks has no scale; requantize per tensor first");
  int64_t count = 1, axis = layout->axis;
  for (int64_t reduced : getAxes()) {
    count *= shapeOf(getInput())[reduced];
    if (reduced == layout->axis)
      return refuse(reason, rules::kMove, "the mean runs along the axis of the scales; requantize per tensor first");
    if (!getKeepDims() && !layout->perTensor() && reduced < layout->axis)
      --axis;
  }
  layout->axis = axis;
  for (double &s : layout->scales)
    s /= static_cast<double>(count); // the integer result is the sum
  return MaybeType(accumulatorType(getContext(), *layout));
}
