//===- VitQuantization.cpp - Which codes vit ops want and give -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// One implementation of QuantizableOp an op.

#include "dialects/vit/Vit.h"
#include "dialects/vit/VitRules.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/Softmax.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::vit;

/// The reason of a barrier.
static std::string because(StringRef rule, StringRef why) { return (rule + ": " + why).str(); }

static int64_t lastAxis(Value value) { return static_cast<int64_t>(shapeOf(value).size()) - 1; }

bool vit::isMove(Operation *op) { return op && op->hasTrait<MoveOp>(); }

bool vit::isResidual(Operation *op) {
  if (auto quantizable = dyn_cast_or_null<QuantizableOp>(op))
    return quantizable.getResultCode(0).kind == CodeKind::Residual;
  return isMove(op) && op->getNumOperands() > 1;
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

// Weights and biases are coded for the scale of the input, by a pass of their own. Scales
// of input channels fold into a constant weight.
CodeSpec LinearOp::getOperandCode(unsigned index) {
  if (index != 0)
    return {};
  return {CodeKind::Code, TensorKind::Linear, /*isSigned=*/false, /*takesAccumulator=*/false, lastAxis(getInput())};
}
CodeSpec LinearOp::getResultCode(unsigned) {
  return {CodeKind::Accumulator, TensorKind::Other, /*isSigned=*/true, false, lastAxis(getResult())};
}
ResultRounding LinearOp::getResultRounding() { return ResultRounding::Chosen; }

CodeSpec PatchEmbedOp::getOperandCode(unsigned index) { return index == 0 ? CodeSpec{CodeKind::Code} : CodeSpec{}; }
CodeSpec PatchEmbedOp::getResultCode(unsigned) {
  return {CodeKind::Accumulator, TensorKind::Other, /*isSigned=*/true, false, lastAxis(getResult())};
}
ResultRounding PatchEmbedOp::getResultRounding() { return ResultRounding::Chosen; }

// A depthwise one sums few products and is little work beside other layers: there is room for 16 bits.
CodeSpec Conv2dOp::getOperandCode(unsigned index) {
  if (index != 0)
    return {};
  CodeSpec code{CodeKind::Code, TensorKind::Linear};
  code.takesWide = isDepthwise();
  return code;
}
CodeSpec Conv2dOp::getResultCode(unsigned) {
  return {CodeKind::Accumulator, TensorKind::Other, /*isSigned=*/true, false, lastAxis(getResult())};
}
ResultRounding Conv2dOp::getResultRounding() { return ResultRounding::Chosen; }

// The left zero point folds into row sums of the right operand. Heads are axis 1.
CodeSpec MatmulOp::getOperandCode(unsigned index) {
  return {CodeKind::Code, TensorKind::Attention, /*isSigned=*/index == 1, /*takesAccumulator=*/false,
          lastAxis(getLhs()) > 2 ? 1 : kNoAxis};
}
CodeSpec MatmulOp::getResultCode(unsigned) {
  return {CodeKind::Accumulator, TensorKind::Other, /*isSigned=*/true, false, lastAxis(getLhs()) > 2 ? 1 : kNoAxis};
}
ResultRounding MatmulOp::getResultRounding() { return ResultRounding::Chosen; }

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

int64_t LinearOp::getInputChannel(int64_t element) { return element % shapeOf(getWeight())[1]; }
bool LinearOp::isRowProduct() { return true; }

int64_t PatchEmbedOp::getInputChannel(int64_t element) {
  ArrayRef<int64_t> shape = shapeOf(getWeight());
  return element / (shape[2] * shape[3]) % shape[1];
}
bool PatchEmbedOp::canReadPixels() { return true; }
Operation *PatchEmbedOp::makeOnPixels(OpBuilder &builder, Value image, Value weight, Value bias, ArrayRef<double>) {
  return PatchEmbedOp::create(builder, getLoc(), getType(), image, weight, bias, /*channels_last=*/true);
}

int64_t Conv2dOp::getInputChannel(int64_t element) {
  ArrayRef<int64_t> shape = shapeOf(getWeight());
  const int64_t row = shape[1] * shape[2] * shape[3], rows = shape[0] / static_cast<int64_t>(getGroups());
  return element / row / rows * shape[1] + element / (shape[2] * shape[3]) % shape[1];
}
// The channels of a grouped one pad with codes of their own, for which there is no integer form.
bool Conv2dOp::canReadPixels() { return getGroups() == 1; }
Operation *Conv2dOp::makeOnPixels(OpBuilder &builder, Value image, Value weight, Value bias, ArrayRef<double> padding) {
  return Conv2dOp::create(builder, getLoc(), getType(), image, weight, bias, getStridesAttr(), getPadsAttr(),
                          getDilationsAttr(), getGroupsAttr(), builder.getDenseF64ArrayAttr(padding));
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

CodeSpec SoftmaxOp::getOperandCode(unsigned) { return {CodeKind::Code, TensorKind::Other, /*isSigned=*/true}; }
CodeSpec SoftmaxOp::getResultCode(unsigned) { return {CodeKind::Probability}; }
ResultRounding SoftmaxOp::getResultRounding() { return ResultRounding::Floor; } // Shiftmax's
std::string SoftmaxOp::getBarrierReason() { return because(rules::kSoftmax, "it is not scale-covariant"); }

// A row has one scale; heads may have scales of their own.
CodeSpec SoftmaxNumeratorOp::getOperandCode(unsigned) {
  return {CodeKind::Residual, TensorKind::Other, /*isSigned=*/true, /*takesAccumulator=*/true,
          lastAxis(getInput()) > 1 ? 1 : kNoAxis};
}
/// Codes relative to the row maximum, and the sums of the codes.
Type SoftmaxNumeratorOp::getFixedResultType(unsigned index) {
  Type expressed = Float32Type::get(getContext());
  constexpr unsigned kCodeBits = 8;
  const unsigned top = numerics::softmaxLog2Top(shapeOf(getInput()).back());
  const bool isWide = getWide() && top > 0;
  unsigned width = index != 0 ? 32 : isWide ? 16 : kCodeBits;
  bool isSigned = index != 0 || isWide;
  // The largest code stands for 1.
  const double scale = isWide ? std::ldexp(1.0, -static_cast<int>(top)) : 1.0 / ((1 << kCodeBits) - 1);
  return quant::UniformQuantizedType::get(isSigned ? quant::QuantizationFlags::Signed : 0,
                                          IntegerType::get(getContext(), width), expressed, scale, 0,
                                          quant::QuantizedType::getDefaultMinimumForInteger(isSigned, width),
                                          quant::QuantizedType::getDefaultMaximumForInteger(isSigned, width));
}
std::string SoftmaxNumeratorOp::getBarrierReason() {
  return because(rules::kSoftmax, "the exponential is not scale-covariant; only the division by the row sum moves on");
}

// Sums of products and sums of codes, in every layout.
CodeSpec DivideRowsOp::getOperandCode(unsigned) {
  return {CodeKind::Accumulator, TensorKind::Other, /*isSigned=*/true, /*takesAccumulator=*/true, kAnyAxis};
}
std::string DivideRowsOp::getBarrierReason() {
  return because(rules::kSoftmax, "the reciprocal of the row sum is taken here, once per row");
}

CodeSpec LayerNormOp::getOperandCode(unsigned index) {
  // Sums over maps (GroupNorm) leave room for codes of 8 bits only.
  if (index == 0 && shapeOf(getInput()).back() > numerics::layerNormChannelLimit(16))
    return {CodeKind::Code, TensorKind::Residual, /*isSigned=*/true};
  return index == 0 ? CodeSpec{CodeKind::Residual, TensorKind::Residual, /*isSigned=*/true} : CodeSpec{};
}
ResultRounding LayerNormOp::getResultRounding() { return ResultRounding::Chosen; }
std::string LayerNormOp::getBarrierReason() {
  return because(rules::kLayerNorm, "a common scale cancels, so the dequantization ends here");
}

CodeSpec MeanOp::getOperandCode(unsigned) { return {CodeKind::Residual, TensorKind::Other, /*isSigned=*/true}; }
bool MeanOp::hasWideResult() { return true; } // a sum; 1/N is in its scale
// vit-rotate-hidden says where 8 bits would be too few.
CodeSpec HadamardOp::getOperandCode(unsigned) { return {CodeKind::Code}; }
bool HadamardOp::hasWideResult() { return true; }
ResultRounding HadamardOp::getResultRounding() { return ResultRounding::Chosen; }

ResultRounding MeanOp::getResultRounding() { return ResultRounding::Chosen; }

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

// Each term is brought to the sum's scale by itself, which may differ along the last axis.
CodeSpec AddOp::getOperandCode(unsigned index) {
  return {CodeKind::Residual, TensorKind::Residual, /*isSigned=*/true, /*takesAccumulator=*/true,
          lastAxis(getOperand(index))};
}
CodeSpec AddOp::getResultCode(unsigned) { return {CodeKind::Residual, TensorKind::Residual, /*isSigned=*/true}; }
ResultRounding AddOp::getResultRounding() { return ResultRounding::Chosen; }
std::string AddOp::getBarrierReason() {
  return because(rules::kAdd, "the operands have scales of their own and are requantized to the sum's");
}

// Sums of codes of 8 bits fit 32, whatever the weights are.
CodeSpec ResampleOp::getOperandCode(unsigned) { return {CodeKind::Code}; }
bool ResampleOp::hasWideResult() { return true; }
std::string ResampleOp::getBarrierReason() { return "a weighted sum over a window is requantized at once"; }

// Their product fits 32 bits, so that nothing is lost before it is requantized.
CodeSpec MulOp::getOperandCode(unsigned) { return {CodeKind::Residual, TensorKind::Other, /*isSigned=*/true}; }
std::string MulOp::getBarrierReason() { return "the product of two quantized tensors is requantized at once"; }

CodeSpec NormalizePixelsOp::getOperandCode(unsigned) { return {}; }
std::string NormalizePixelsOp::getBarrierReason() { return "pixels become codes of the normalized image by a table"; }

CodeSpec ReluOp::getOperandCode(unsigned) {
  return {CodeKind::Residual, TensorKind::Argument, /*isSigned=*/true, /*takesAccumulator=*/true, lastAxis(getInput())};
}
bool ReluOp::hasWideResult() { return true; }
std::string ReluOp::getBarrierReason() {
  return because(rules::kFunction, "a rectifier bounds the range; the clamp of the requantization does it");
}

CodeSpec ClampOp::getOperandCode(unsigned) {
  return {CodeKind::Residual, TensorKind::Argument, /*isSigned=*/true, /*takesAccumulator=*/true, lastAxis(getInput())};
}
bool ClampOp::hasWideResult() { return true; }
std::string ClampOp::getBarrierReason() {
  return because(rules::kFunction, "bounds are the clamp of the requantization");
}

ResultRounding GeluOp::getResultRounding() { return ResultRounding::Chosen; }

#define VITQ_FUNCTION(OP)                                                                                              \
  CodeSpec OP::getOperandCode(unsigned) { return {CodeKind::Code, TensorKind::Argument}; }                             \
  std::string OP::getBarrierReason() {                                                                                 \
    return because(rules::kFunction, "it is not scale-covariant; it is computed on codes");                            \
  }
VITQ_FUNCTION(GeluOp)
VITQ_FUNCTION(SigmoidOp)
VITQ_FUNCTION(TanhOp)
VITQ_FUNCTION(HardSwishOp)
VITQ_FUNCTION(SiluOp)
VITQ_FUNCTION(MishOp)
VITQ_FUNCTION(SoftplusOp)
VITQ_FUNCTION(AbsOp)
VITQ_FUNCTION(HardSigmoidOp)
VITQ_FUNCTION(LeakyReluOp)
VITQ_FUNCTION(EluOp)
#undef VITQ_FUNCTION
