//===- VitOps.cpp - Shapes and verifiers of vit ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vit/Vit.h"
#include "vitq/Numerics/Hadamard.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::vit;

#define GET_OP_CLASSES
#include "dialects/vit/VitOps.cpp.inc"

using Components = SmallVectorImpl<ShapedTypeComponents>;

/// Hands an inferred shape on as the only result.
static LogicalResult setResultShape(FailureOr<Shape> shape, Components &results) {
  if (failed(shape))
    return failure();
  results.emplace_back(ArrayRef<int64_t>(*shape));
  return success();
}

static bool isQuantized(Value value) {
  return isa<quant::QuantizedType>(cast<ShapedType>(value.getType()).getElementType());
}

//===----------------------------------------------------------------------===//
// Casts
//===----------------------------------------------------------------------===//

static LogicalResult verifyQuantizedAxis(Operation *op, RankedTensorType type) {
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
  if (!perAxis)
    return success();
  int64_t axis = perAxis.getQuantizedDimension();
  if (axis >= type.getRank())
    return op->emitOpError("quantized axis ") << axis << " is outside rank " << type.getRank();
  if (static_cast<int64_t>(perAxis.getScales().size()) != type.getDimSize(axis))
    return op->emitOpError("type has ") << perAxis.getScales().size() << " scales for an axis of size "
                                        << type.getDimSize(axis);
  return success();
}

// C1
LogicalResult QuantizeOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return setResultShape(Shape(shapeOf(adaptor.getInput())), results);
}
// C2
LogicalResult QuantizeOp::verify() { return verifyQuantizedAxis(*this, getResult().getType()); }

// C1
LogicalResult DequantizeOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return setResultShape(Shape(shapeOf(adaptor.getInput())), results);
}
// C2
LogicalResult DequantizeOp::verify() { return verifyQuantizedAxis(*this, getInput().getType()); }

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// Whether two element types have the same storage, scales and zero points; axes
/// may differ.
static bool sameQuantization(Type a, Type b) {
  if (auto x = dyn_cast<quant::UniformQuantizedPerAxisType>(a)) {
    auto y = dyn_cast<quant::UniformQuantizedPerAxisType>(b);
    return y && x.getStorageType() == y.getStorageType() && x.isSigned() == y.isSigned() &&
           x.getScales() == y.getScales() && x.getZeroPoints() == y.getZeroPoints();
  }
  return a == b;
}

/// Operands, result and bias of a contraction are all float or all quantized.
static LogicalResult verifyContraction(Operation *op, Value lhs, Value rhs, Value bias) {
  bool quantized = isQuantized(lhs);
  if (quantized != isQuantized(rhs))
    return op->emitOpError("operands must both be float or both be quantized");
  Value result = op->getResult(0);
  if (quantized != isQuantized(result))
    return op->emitOpError("result must be ") << (quantized ? "quantized" : "float") << " like the operands";
  if (!bias)
    return success();
  if (quantized != isQuantized(bias))
    return op->emitOpError("the bias of a ")
           << (quantized ? "quantized contraction must be quantized to the accumulator's scale"
                         : "float contraction must be float");
  if (quantized && !sameQuantization(getElementTypeOrSelf(bias), getElementTypeOrSelf(result)))
    return op->emitOpError("the bias must have the storage type, scales and zero points of the result");
  return success();
}

// C1
LogicalResult LinearOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  FailureOr<Shape> shape = inferLinear(loc, shapeOf(adaptor.getInput()), shapeOf(adaptor.getWeight()));
  if (succeeded(shape) && adaptor.getBias() &&
      failed(checkVector(loc, "bias", shapeOf(adaptor.getBias()), shape->back())))
    return failure();
  return setResultShape(shape, results);
}
// C2, C3
LogicalResult LinearOp::verify() { return verifyContraction(*this, getInput(), getWeight(), getBias()); }

// C1
LogicalResult MatmulOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(inferMatmul(loc, shapeOf(adaptor.getLhs()), shapeOf(adaptor.getRhs()),
                                    adaptor.getTransposeRhs(),
                                    /*sharedRhs=*/false),
                        results);
}
LogicalResult MatmulOp::verify() {
  double scale = getScale().convertToDouble();
  if (!std::isfinite(scale) || scale <= 0) // C3
    return emitOpError("scale must be finite and positive");
  return verifyContraction(*this, getLhs(), getRhs(), nullptr); // C2
}

// C1
LogicalResult PatchEmbedOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  FailureOr<Shape> shape =
      inferPatchEmbed(loc, shapeOf(adaptor.getInput()), shapeOf(adaptor.getWeight()), adaptor.getChannelsLast());
  if (succeeded(shape) && adaptor.getBias() &&
      failed(checkVector(loc, "bias", shapeOf(adaptor.getBias()), shape->back())))
    return failure();
  return setResultShape(shape, results);
}
// C2, C3
LogicalResult PatchEmbedOp::verify() { return verifyContraction(*this, getInput(), getWeight(), getBias()); }

static Windows windowsOf(ArrayRef<int64_t> weight, ArrayRef<int64_t> strides, ArrayRef<int64_t> pads,
                         ArrayRef<int64_t> dilations) {
  Windows windows;
  windows.size = Shape(weight.size() == 4 ? weight.drop_front(2) : weight);
  windows.strides = Shape(strides);
  windows.pads = Shape(pads);
  windows.dilations = Shape(dilations);
  return windows;
}
Windows Conv2dOp::getWindows() { return windowsOf(shapeOf(getWeight()), getStrides(), getPads(), getDilations()); }
bool Conv2dOp::isDepthwise() {
  const auto groups = static_cast<int64_t>(getGroups());
  return groups == shapeOf(getInput())[3] && groups == shapeOf(getWeight())[0];
}
// C1
LogicalResult Conv2dOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  FailureOr<Shape> shape = inferConv2d(
      loc, shapeOf(adaptor.getInput()), shapeOf(adaptor.getWeight()),
      windowsOf(shapeOf(adaptor.getWeight()), adaptor.getStrides(), adaptor.getPads(), adaptor.getDilations()),
      adaptor.getGroups());
  if (succeeded(shape) && adaptor.getBias() &&
      failed(checkVector(loc, "bias", shapeOf(adaptor.getBias()), shape->back())))
    return failure();
  return setResultShape(shape, results);
}
LogicalResult Conv2dOp::verify() {
  const int64_t channels = shapeOf(getInput())[3];
  if (auto padding = getPadding();
      padding && (static_cast<int64_t>(padding->size()) != channels ||
                  !llvm::all_of(*padding, [](double p) { return std::isfinite(p); }))) // C4
    return emitOpError("padding needs a finite number for each of ") << channels << " channels";
  return verifyContraction(*this, getInput(), getWeight(), getBias()); // C2, C3
}

//===----------------------------------------------------------------------===//
// Attention and normalization
//===----------------------------------------------------------------------===//

LogicalResult SoftmaxOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  if (failed(inferRows(loc, shapeOf(adaptor.getInput()))))
    return failure();
  return setResultShape(Shape(shapeOf(adaptor.getInput())), results);
}

// C1
LogicalResult SoftmaxNumeratorOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor,
                                                            Components &results) {
  FailureOr<Shape> rows = inferRows(loc, shapeOf(adaptor.getInput()));
  if (failed(rows))
    return failure();
  results.emplace_back(shapeOf(adaptor.getInput()));
  return setResultShape(rows, results);
}
LogicalResult SoftmaxNumeratorOp::verify() {
  if (!isQuantized(getNumerator()))
    return success();
  auto numerator = dyn_cast<quant::UniformQuantizedType>(cast<ShapedType>(getNumerator().getType()).getElementType());
  auto sum = dyn_cast<quant::UniformQuantizedType>(cast<ShapedType>(getSum().getType()).getElementType());
  if (!numerator || numerator.getZeroPoint() != 0 || !sum || sum.getZeroPoint() != 0 ||
      sum.getScale() != numerator.getScale()) // C2
    return emitOpError("a quantized numerator needs one scale, which its sum shares, and zero point 0");
  return success();
}

// C1
LogicalResult DivideRowsOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  FailureOr<Shape> rows = inferRows(loc, input);
  if (failed(rows))
    return failure();
  if (ArrayRef<int64_t>(*rows) != shapeOf(adaptor.getDivisor()))
    return emitOptionalError(loc, "divisor must have the input's shape without its last axis");
  return setResultShape(Shape(input), results);
}
LogicalResult DivideRowsOp::verify() {
  double eps = getEps().convertToDouble();
  if (!std::isfinite(eps) || eps < 0) // C2
    return emitOpError("eps must be finite and not negative");
  return success();
}

// C1
LogicalResult LayerNormOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  if (failed(inferRows(loc, input)) || failed(checkVector(loc, "gamma", shapeOf(adaptor.getGamma()), input.back())) ||
      failed(checkVector(loc, "beta", shapeOf(adaptor.getBeta()), input.back())))
    return failure();
  return setResultShape(Shape(input), results);
}
LogicalResult LayerNormOp::verify() {
  double eps = getEps().convertToDouble();
  if (!std::isfinite(eps) || eps < 0) // C2
    return emitOpError("eps must be finite and not negative");
  return success();
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

#define VITQ_SAME_SHAPE(OP)                                                                                            \
  LogicalResult OP::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {           \
    return setResultShape(Shape(shapeOf(adaptor.getInput())), results);                                                \
  }
VITQ_SAME_SHAPE(GeluOp)
VITQ_SAME_SHAPE(ReluOp)
VITQ_SAME_SHAPE(SigmoidOp)
VITQ_SAME_SHAPE(TanhOp)
VITQ_SAME_SHAPE(HardSwishOp)
VITQ_SAME_SHAPE(SiluOp)
VITQ_SAME_SHAPE(MishOp)
VITQ_SAME_SHAPE(SoftplusOp)
VITQ_SAME_SHAPE(AbsOp)
VITQ_SAME_SHAPE(ClampOp)
VITQ_SAME_SHAPE(HardSigmoidOp)
VITQ_SAME_SHAPE(LeakyReluOp)
VITQ_SAME_SHAPE(EluOp)
VITQ_SAME_SHAPE(SqrtOp)
VITQ_SAME_SHAPE(ErfOp)
VITQ_SAME_SHAPE(ExpOp)
VITQ_SAME_SHAPE(IsNaNOp)
#undef VITQ_SAME_SHAPE

LogicalResult ClampOp::verify() {
  std::optional<APFloat> lo = getMin(), hi = getMax();
  auto isBad = [](const std::optional<APFloat> &bound) { return bound && !bound->isFinite(); };
  if ((!lo && !hi) || isBad(lo) || isBad(hi) || (lo && hi && *lo > *hi)) // C1
    return emitOpError("needs a bound, and bounds that are finite, with min <= max");
  return success();
}

/// The parameters of a function are finite.
static LogicalResult verifyFinite(Operation *op, ArrayRef<APFloat> parameters) {
  if (!llvm::all_of(parameters, [](const APFloat &parameter) { return parameter.isFinite(); })) // C1
    return op->emitOpError("has a parameter that is not finite");
  return success();
}
LogicalResult HardSigmoidOp::verify() { return verifyFinite(*this, {getAlpha(), getBeta()}); } // C1
LogicalResult LeakyReluOp::verify() { return verifyFinite(*this, {getAlpha()}); }              // C1
LogicalResult EluOp::verify() {
  if (failed(verifyFinite(*this, {getAlpha(), getGain(), getWidth()}))) // C1
    return failure();
  if (!(getWidth().convertToDouble() > 0))
    return emitOpError("width must be positive");
  return success();
}

#define VITQ_BROADCAST(OP)                                                                                             \
  LogicalResult OP::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {       \
    return setResultShape(inferBroadcast(loc, shapeOf(adaptor.getLhs()), shapeOf(adaptor.getRhs())), results);         \
  }
VITQ_BROADCAST(AddOp)
VITQ_BROADCAST(MulOp)
VITQ_BROADCAST(SubOp)
VITQ_BROADCAST(DivOp)
VITQ_BROADCAST(PowOp)
#undef VITQ_BROADCAST

LogicalResult WhereOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  FailureOr<Shape> shape = inferBroadcast(loc, shapeOf(adaptor.getLhs()), shapeOf(adaptor.getRhs()));
  if (failed(shape))
    return failure();
  return setResultShape(inferBroadcast(loc, *shape, shapeOf(adaptor.getCondition())), results);
}

// C1
LogicalResult MeanOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(inferReduce(loc, shapeOf(adaptor.getInput()), adaptor.getAxes(), adaptor.getKeepDims()),
                        results);
}

LogicalResult HadamardOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return setResultShape(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult HadamardOp::verify() {
  const auto block = static_cast<int64_t>(getBlock());
  if (!numerics::isHadamardBlock(block)) // C1
    return emitOpError("has blocks of ") << block << " channels: a power of two from 2 to "
                                         << numerics::kMaxHadamardBlock << " is needed";
  if (shapeOf(getInput()).empty() || shapeOf(getInput()).back() % block != 0) // C2
    return emitOpError("has blocks of ") << block << " channels, which do not divide the last axis";
  if (!numerics::areHadamardShifts(getShifts().value_or(ArrayRef<int8_t>()), shapeOf(getInput()).back())) // C3
    return emitOpError("needs a shift of 0 to ") << numerics::kMaxHadamardShift << " for each channel";
  if (std::optional<ArrayRef<float>> centers = getCenters();
      centers && (static_cast<int64_t>(centers->size()) != shapeOf(getInput()).back() ||
                  !llvm::all_of(*centers, [](float center) { return std::isfinite(center); }))) // C4
    return emitOpError("needs a finite center for each channel");
  return success();
}

//===----------------------------------------------------------------------===//
// Shape ops (all constraints are inferred shapes)
//===----------------------------------------------------------------------===//

// C1
LogicalResult ReshapeOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(inferReshape(loc, shapeOf(adaptor.getInput()), adaptor.getShape()), results);
}
// C1
LogicalResult TransposeOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(inferTranspose(loc, shapeOf(adaptor.getInput()), adaptor.getPermutation()), results);
}
// C1
LogicalResult ConcatOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(inferConcat(loc, llvm::map_to_vector(adaptor.getInputs(), shapeOf), adaptor.getAxis()),
                        results);
}
// C1
LogicalResult SliceOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(
      inferSlice(loc, shapeOf(adaptor.getInput()), adaptor.getOffsets(), adaptor.getSizes(), adaptor.getStrides()),
      results);
}
// C1
LogicalResult GatherOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(inferGather(loc, shapeOf(adaptor.getInput()), adaptor.getIndices(), adaptor.getAxis()),
                        results);
}
// C1
LogicalResult BroadcastOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(inferBroadcastTo(loc, shapeOf(adaptor.getInput()), adaptor.getShape()), results);
}
// C1
LogicalResult PadOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(inferPad(loc, shapeOf(adaptor.getInput()), adaptor.getLow(), adaptor.getHigh()), results);
}

//===----------------------------------------------------------------------===//
// Maps of features
//===----------------------------------------------------------------------===//

// C1, C2
LogicalResult MaxPoolOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(inferMaxPool(loc, shapeOf(adaptor.getInput()), adaptor.getKernel(), adaptor.getStrides(),
                                     adaptor.getPads(), adaptor.getDilations()),
                        results);
}

// C1, C2
LogicalResult ResampleOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return setResultShape(inferResample(loc, shapeOf(adaptor.getInput()), adaptor.getRows(), adaptor.getRowWeights(),
                                      adaptor.getColumns(), adaptor.getColumnWeights()),
                        results);
}
LogicalResult ResampleOp::verify() {
  if (static_cast<int64_t>(getDivisor()) < 1) // C3
    return emitOpError("divisor must be positive");
  const int64_t gain = resampleGain(getRows(), getRowWeights(), getColumns(), getColumnWeights());
  if (gain > int64_t(1) << 22) // C4
    return emitOpError("weights add up to ") << gain << ", and at most 2^22 fit 32 bits with codes of 8";
  return success();
}

//===----------------------------------------------------------------------===//
// Pixels
//===----------------------------------------------------------------------===//

// C1
LogicalResult NormalizePixelsOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor,
                                                           Components &results) {
  ArrayRef<int64_t> shape = shapeOf(adaptor.getPixels());
  if (shape.size() != 4)
    return emitOptionalError(loc, "expects pixels [B, H, W, C]");
  auto channels = static_cast<size_t>(shape[3]);
  if (adaptor.getMean().size() != channels || adaptor.getStd().size() != channels ||
      llvm::any_of(adaptor.getStd(), [](double s) { return !(s > 0) || !std::isfinite(s); }))
    return emitOptionalError(loc, "needs ", channels, " means and as many positive standard deviations");
  return setResultShape(Shape{shape[0], shape[3], shape[1], shape[2]}, results);
}
