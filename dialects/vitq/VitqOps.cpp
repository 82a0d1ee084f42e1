//===- VitqOps.cpp - Shapes, verifiers and folders of vitq ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vitq/Vitq.h"
#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/Hadamard.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/ReciprocalLines.h"
#include "vitq/Numerics/Table.h"

using namespace mlir;
using namespace ::vitq;
using namespace vitq::integer;
using ::vitq::vit::OptLoc;
using ::vitq::vit::Shape;
using ::vitq::vit::shapeOf;
namespace shapes = ::vitq::vit;

#define GET_OP_CLASSES
#include "dialects/vitq/VitqOps.cpp.inc"

using Components = SmallVectorImpl<ShapedTypeComponents>;

static LogicalResult addShape(FailureOr<Shape> shape, Components &results) {
  if (failed(shape))
    return failure();
  results.emplace_back(ArrayRef<int64_t>(*shape));
  return success();
}

static unsigned widthOf(Value value) { return cast<ShapedType>(value.getType()).getElementTypeBitWidth(); }

static LogicalResult verifyZeroPoint(Operation *op, StringRef what, CodeAttr attr, Value value) {
  const numerics::Code code = codeOf(value, attr);
  if (!code.contains(code.zero))
    return op->emitOpError(what) << " " << code.zero << " is outside [" << code.min() << ", " << code.max() << "]";
  if (code.bits == 32 && code.zero != 0)
    return op->emitOpError(what) << " of a 32-bit value must be 0";
  return success();
}

/// One multiplier, or one per index of `axis` (from the end when negative).
static LogicalResult verifyChannels(Operation *op, StringRef what, DyadicAttr dyadic, Value value, int64_t axis) {
  if (dyadic.size() == 1)
    return success();
  ArrayRef<int64_t> shape = shapeOf(value);
  int64_t rank = shape.size(), index = axis < 0 ? axis + rank : axis;
  if (index < 0 || index >= rank)
    return op->emitOpError("axis ") << axis << " is outside rank " << rank;
  if (static_cast<int64_t>(dyadic.size()) != shape[index])
    return op->emitOpError(what) << " has " << dyadic.size() << " multipliers for " << shape[index] << " channels";
  return success();
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

// C1
LogicalResult MatmulOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  FailureOr<Shape> shape = shapes::inferMatmul(loc, shapeOf(adaptor.getLhs()), shapeOf(adaptor.getRhs()),
                                               adaptor.getTransposeRhs(), /*sharedRhs=*/true);
  if (succeeded(shape) && adaptor.getBias() &&
      failed(shapes::checkVector(loc, "bias", shapeOf(adaptor.getBias()), shape->back())))
    return failure();
  return addShape(shape, results);
}
LogicalResult MatmulOp::verify() {
  return verifyZeroPoint(*this, "lhs zero point", getLhsCode(), getLhs()); // C2
}

static shapes::Windows depthwiseWindows(ArrayRef<int64_t> weight, std::optional<ArrayRef<int64_t>> strides,
                                        std::optional<ArrayRef<int64_t>> pads,
                                        std::optional<ArrayRef<int64_t>> dilations) {
  ArrayRef<int64_t> none;
  return {weight.take_front(std::min<size_t>(2, weight.size())), strides.value_or(none), pads.value_or(none),
          dilations.value_or(none)};
}
shapes::Windows DepthwiseConv2dOp::getWindows() {
  return depthwiseWindows(shapeOf(getWeight()), getStrides(), getPads(), getDilations());
}
// C1
LogicalResult DepthwiseConv2dOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor,
                                                           Components &results) {
  ArrayRef<int64_t> weight = shapeOf(adaptor.getWeight());
  FailureOr<Shape> shape =
      shapes::inferDepthwise(loc, shapeOf(adaptor.getInput()), weight,
                             depthwiseWindows(weight, adaptor.getStrides(), adaptor.getPads(), adaptor.getDilations()));
  if (succeeded(shape) && adaptor.getBias() &&
      failed(shapes::checkVector(loc, "bias", shapeOf(adaptor.getBias()), shape->back())))
    return failure();
  return addShape(shape, results);
}
LogicalResult DepthwiseConv2dOp::verify() {
  return verifyZeroPoint(*this, "input zero point", getInputCode(), getInput()); // C2
}

LogicalResult RequantOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return addShape(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult RequantOp::verify() {
  if (failed(verifyChannels(*this, "requantization", getBy(), getInput(), getAxis()))) // C1
    return failure();
  const auto [lo, hi] = codeOf(getResult(), getResultCode()).range();
  int64_t min = getMin().value_or(lo), max = getMax().value_or(hi);
  if (min < lo || max > hi || min > max) // C2
    return emitOpError("clamp range [") << min << ", " << max << "] is not inside [" << lo << ", " << hi << "]";
  if (failed(verifyZeroPoint(*this, "input zero point", getInputCode(), getInput())) || // C3
      failed(verifyZeroPoint(*this, "zero point", getResultCode(), getResult())))
    return failure();
  return success();
}

LogicalResult AddOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferBroadcastTo(loc, shapeOf(adaptor.getRhs()), shapeOf(adaptor.getLhs())), results); // C1
}
LogicalResult AddOp::verify() {
  if (failed(verifyChannels(*this, "lhs", getLhsBy(), getLhs(), -1)) || // C2
      failed(verifyChannels(*this, "rhs", getRhsBy(), getLhs(), -1)) ||
      failed(verifyZeroPoint(*this, "lhs zero point", getLhsCode(), getLhs())) || // C3
      failed(verifyZeroPoint(*this, "rhs zero point", getRhsCode(), getRhs())) ||
      failed(verifyZeroPoint(*this, "zero point", getResultCode(), getResult())))
    return failure();
  return success();
}

LogicalResult MulOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferBroadcastTo(loc, shapeOf(adaptor.getRhs()), shapeOf(adaptor.getLhs())), results); // C1
}
LogicalResult MulOp::verify() {
  if (failed(verifyChannels(*this, "product", getBy(), getLhs(), -1)) ||          // C2
      failed(verifyZeroPoint(*this, "lhs zero point", getLhsCode(), getLhs())) || // C3
      failed(verifyZeroPoint(*this, "rhs zero point", getRhsCode(), getRhs())) ||
      failed(verifyZeroPoint(*this, "zero point", getResultCode(), getResult())))
    return failure();
  int64_t largest = codeOf(getLhs(), getLhsCode()).magnitude() * codeOf(getRhs(), getRhsCode()).magnitude();
  if (largest >= int64_t(1) << 31) // C4
    return emitOpError("products up to ") << largest << " do not fit 32 bits";
  return success();
}

// C1
LogicalResult SumOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferReduce(loc, shapeOf(adaptor.getInput()), adaptor.getAxes(), adaptor.getKeepDims()),
                  results);
}
LogicalResult SumOp::verify() {
  if (failed(verifyZeroPoint(*this, "input zero point", getInputCode(), getInput()))) // C3
    return failure();
  int64_t count = 1;
  for (int64_t axis : getAxes())
    count *= shapeOf(getInput())[axis];
  if (count > (int64_t(1) << (31 - widthOf(getInput())))) // C2: |x - z| < 2^width
    return emitOpError("a sum of ") << count << " values of " << widthOf(getInput()) << " bits may not fit 32 bits";
  return success();
}

LogicalResult HadamardOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return addShape(SmallVector<int64_t>(shapeOf(adaptor.getInput())), results);
}
LogicalResult HadamardOp::verify() {
  const auto block = static_cast<int64_t>(getBlock());
  if (!numerics::isHadamardBlock(block)) // C1
    return emitOpError("has blocks of ") << block << " channels: a power of two from 2 to "
                                         << numerics::kMaxHadamardBlock << " is needed";
  if (shapeOf(getInput()).empty() || shapeOf(getInput()).back() % block != 0) // C2
    return emitOpError("has blocks of ") << block << " channels, which do not divide the last axis";
  if (!numerics::areHadamardShifts(getShifts().value_or(ArrayRef<int8_t>()), shapeOf(getInput()).back())) // C4
    return emitOpError("needs a shift of 0 to ") << numerics::kMaxHadamardShift << " for each channel";
  const numerics::Code code = codeOf(getInput(), getInputCode());
  if (std::optional<ArrayRef<int32_t>> zeros = getZeros();
      zeros && (static_cast<int64_t>(zeros->size()) != shapeOf(getInput()).back() ||
                !llvm::all_of(*zeros, [&](int32_t zero) { return zero >= code.min() && zero <= code.max(); }))) // C5
    return emitOpError("needs a zero point in [") << code.min() << ", " << code.max() << "] for each channel";
  return verifyZeroPoint(*this, "input zero point", getInputCode(), getInput()); // C3
}

// C1, C2
LogicalResult ResampleOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferResample(loc, shapeOf(adaptor.getInput()), adaptor.getRows(), adaptor.getRowWeights(),
                                        adaptor.getColumns(), adaptor.getColumnWeights()),
                  results);
}
LogicalResult ResampleOp::verify() {
  if (getBy().size() != 1) // C4
    return emitOpError("needs exactly one multiplier");
  if (failed(verifyZeroPoint(*this, "input zero point", getInputCode(), getInput())) || // C5
      failed(verifyZeroPoint(*this, "zero point", getResultCode(), getResult())))
    return failure();
  const int64_t gain = shapes::resampleGain(getRows(), getRowWeights(), getColumns(), getColumnWeights());
  const int64_t magnitude = codeOf(getInput(), getInputCode()).magnitude();
  if (gain > (int64_t(1) << 31) / magnitude || gain * magnitude >= int64_t(1) << 31) // C3
    return emitOpError("sums of codes times weights of ") << gain << " in all do not fit 32 bits";
  return success();
}

//===----------------------------------------------------------------------===//
// Nonlinear functions
//===----------------------------------------------------------------------===//

LogicalResult TableOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return addShape(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult TableOp::verify() {
  ArrayRef<int64_t> table = shapeOf(getTable()), input = shapeOf(getInput());
  const int64_t entries = codeOf(getInput(), getInputCode()).count();
  if (getIndex() ? table.size() != 2 || table[1] != entries || table[0] > numerics::kMaxTables || input.empty() ||
                       shapeOf(getIndex()) != input.take_back()
                 : table != ArrayRef<int64_t>{entries}) // C1
    return emitOpError("needs a table [") << entries << "], or a table [T, " << entries
                                          << "], T <= " << numerics::kMaxTables << ", with one index per channel";
  if (cast<ShapedType>(getTable().getType()).getElementType() != cast<ShapedType>(getType()).getElementType()) // C2
    return emitOpError("table and result must have the same element type");
  return success();
}

LogicalResult InterpolateOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return addShape(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult InterpolateOp::verify() {
  if (shapeOf(getTable()) != ArrayRef<int64_t>{1025}) // C1
    return emitOpError("needs a table [1025]");
  auto start = static_cast<int64_t>(getStart()), shift = static_cast<int64_t>(getShift());
  const auto [lo, hi] = numerics::codeRange(static_cast<int>(widthOf(getInput())), /*isSigned=*/true);
  if (shift < 0 || shift > 6) // C2
    return emitOpError("shift ") << shift << " is outside [0, 6]";
  if (start < lo || start > hi)
    return emitOpError("start ") << start << " is outside [" << lo << ", " << hi << "]";
  if (getTailBy().size() != 1 || getTailBy().multiplier(0) <= 0) // C3
    return emitOpError("tail needs exactly one multiplier, which is positive");
  return success();
}

/// What the functions of one code share: multipliers along the last axis, zero points.
template <typename OpT>
static LogicalResult verifyFunction(OpT op) {
  if (failed(verifyChannels(op, "by", op.getBy(), op.getInput(), -1)) ||                   // C2
      failed(verifyZeroPoint(op, "input zero point", op.getInputCode(), op.getInput())) || // C3
      failed(verifyZeroPoint(op, "zero point", op.getResultCode(), op.getResult())))
    return failure();
  return success();
}

LogicalResult PwlOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return addShape(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult PwlOp::verify() {
  if (failed(verifyFunction(*this))) // C2, C3
    return failure();
  const numerics::Interval values = codeOf(getInput(), getInputCode()).values();
  if (!getLines().lines().fits(values.min, values.max)) // C1
    return emitOpError("has a line that leaves 32 bits for some code of its input");
  return success();
}

LogicalResult PolyGeluOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return addShape(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult PolyGeluOp::verify() {
  if (failed(verifyFunction(*this))) // C2, C3
    return failure();
  const numerics::PolyGelu gelu{static_cast<int64_t>(getClip()), static_cast<int64_t>(getOne())};
  if (!gelu.fits(codeOf(getInput(), getInputCode()).magnitude())) // C1
    return emitOpError("needs clip >= 0, one >= 1 and a product within 32 bits; got clip ")
           << gelu.clip << " and one " << gelu.one;
  return success();
}

LogicalResult GeluOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  if (failed(shapes::inferRows(loc, shapeOf(adaptor.getInput()))))
    return failure();
  return addShape(Shape(shapeOf(adaptor.getInput())), results);
}
static LogicalResult verifyShiftConstants(Operation *op, int64_t exponentStep, int64_t fractionBits,
                                          int64_t leastStep = -65536) {
  if (exponentStep >= 0 || exponentStep < leastStep)
    return op->emitOpError("exponent step ") << exponentStep << " is outside [" << leastStep << ", -1]";
  if (fractionBits < 1 || fractionBits > 30)
    return op->emitOpError("fraction bits ") << fractionBits << " are outside [1, 30]";
  return success();
}
static LogicalResult verifyReciprocalBits(Operation *op, int64_t bits) {
  if (bits != 31 && bits != 62)
    return op->emitOpError("reciprocal bits ") << bits << " are neither 31 nor 62";
  return success();
}
LogicalResult GeluOp::verify() {
  if (getBy().size() != 1) // C2
    return emitOpError("needs exactly one multiplier");
  if (failed(verifyShiftConstants(*this, getExponentStep(), getFractionBits())) ||      // C1
      failed(verifyZeroPoint(*this, "input zero point", getInputCode(), getInput())) || // C3
      failed(verifyZeroPoint(*this, "zero point", getResultCode(), getResult())))
    return failure();
  return verifyReciprocalBits(*this, getReciprocalBits()); // C4
}

LogicalResult SoftmaxOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  FailureOr<Shape> rows = shapes::inferRows(loc, input);
  if (failed(rows))
    return failure();
  if (input.back() > (int64_t(1) << 23)) // C1
    return emitOptionalError(loc, "rows of more than 2^23 elements overflow the sum of codes");
  results.emplace_back(input);
  return addShape(rows, results);
}
LogicalResult SoftmaxOp::verify() {
  if (getBy().size() != 1 && shapeOf(getInput()).size() < 3)
    return emitOpError("multipliers per head need an input of rank >= 3");
  if (failed(verifyChannels(*this, "softmax", getBy(), getInput(), 1))) // C2
    return failure();
  if (llvm::any_of(getBy().getMultipliers(), [](int32_t m) { return m <= 0; }))
    return emitOpError("multipliers must be positive");
  return getAlgorithm().verifyCodes([&] { return emitOpError(); }, widthOf(getCodes()),
                                    shapeOf(getInput()).back()); // C3
}

LogicalResult ShiftmaxOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  if (failed(shapes::inferRows(loc, shapeOf(adaptor.getInput())))) // C1
    return failure();
  return addShape(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult ShiftmaxOp::verify() {
  if (failed(verifyShiftConstants(*this, getExponentStep(), getFractionBits(), -(int64_t(1) << 30))) || // C2
      failed(verifyReciprocalBits(*this, getReciprocalBits())))                                         // C3
    return failure();
  auto bits = static_cast<int64_t>(getResultBits());
  if (bits != widthOf(getResult())) // C4
    return emitOpError("result bits ") << bits << " are not the width of the result, " << widthOf(getResult());
  return success();
}

// C1
LogicalResult DivideRowsOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  ArrayRef<int64_t> input = shapeOf(adaptor.getInput());
  FailureOr<Shape> rows = shapes::inferRows(loc, input);
  if (failed(rows))
    return failure();
  if (ArrayRef<int64_t>(*rows) != shapeOf(adaptor.getSums()))
    return emitOptionalError(loc, "sums must have the input's shape without its last axis");
  return addShape(Shape(input), results);
}
LogicalResult DivideRowsOp::verify() {
  if (failed(verifyChannels(*this, "requantization", getBy(), getInput(), getAxis()))) // C2
    return failure();
  if (getLines() && !numerics::reciprocalLinesFit(getLines()->lines())) // C4
    return emitOpError("lines must stay between 5/8 of the reciprocal and the reciprocal");
  return verifyZeroPoint(*this, "zero point", getResultCode(), getResult()); // C3
}

LogicalResult LayerNormOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  if (failed(shapes::inferRows(loc, shapeOf(adaptor.getInput()))))
    return failure();
  return addShape(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult LayerNormOp::verify() {
  const int64_t channels = shapeOf(getInput()).back();
  if (failed(getAlgorithm().verifyRows([&] { return emitOpError(); }, channels, widthOf(getInput())))) // C2
    return failure();
  auto perChannel = [&](size_t n) { return static_cast<int64_t>(n) == channels; };
  if (!perChannel(getBy().size()) || !perChannel(getOffsets().size())) // C1
    return emitOpError("needs one multiplier and one offset for each of ") << channels << " channels";
  if (!getAlgorithm().isCentered() && (getInputCode().isUnsigned() || getInputCode().getZero() != 0)) // C4
    return emitOpError("without centering needs signed codes with zero point 0");
  return verifyZeroPoint(*this, "zero point", getResultCode(), getResult()); // C3
}

//===----------------------------------------------------------------------===//
// Quantizers made of comparisons
//===----------------------------------------------------------------------===//

/// min and min + levels are values of the result type.
static LogicalResult verifyLevels(Operation *op, int64_t min, int64_t levels, CodeAttr code) {
  const auto [lo, hi] = codeOf(op->getResult(0), code).range();
  if (min < lo || min > hi - levels)
    return op->emitOpError("levels ") << min << " to " << min + levels << " are not inside [" << lo << ", " << hi
                                      << "]";
  return success();
}

LogicalResult NormQuantOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  if (failed(shapes::inferRows(loc, shapeOf(adaptor.getInput()))))
    return failure();
  return addShape(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult NormQuantOp::verify() {
  const int64_t channels = shapeOf(getInput()).back(), eps = getEps();
  ArrayRef<int64_t> squares = shapeOf(getSquares());
  if (squares.size() != 2 || squares[1] != channels || squares[0] < 1 || squares[0] > numerics::kNormQuantLevels ||
      static_cast<int64_t>(getNegative().size()) != channels) // C1
    return emitOpError("needs squares [L, ") << channels << "] with 1 <= L <= 15, and a sign for each channel";
  if (eps < 1 || channels > numerics::kNormQuantChannels ||
      !numerics::layerNormFits(channels, widthOf(getInput()), eps)) // C2
    return emitOpError("with ") << channels << " channels and eps " << eps << " overflows 64 bits";
  return verifyLevels(*this, getMin(), squares[0], getResultCode()); // C3
}

LogicalResult ThresholdOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return addShape(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult ThresholdOp::verify() {
  ArrayRef<int64_t> thresholds = shapeOf(getThresholds()), input = shapeOf(getInput());
  const bool shared = thresholds.size() == 1;
  if ((!shared && (thresholds.size() != 2 || input.empty() || thresholds[1] != input.back())) || thresholds[0] < 1 ||
      thresholds[0] > 15) // C1
    return emitOpError("needs thresholds [L], or [L, C] with one column for each channel, 1 <= L <= 15");
  if (getInputCode().isUnsigned() && widthOf(getInput()) == 32) // C3
    return emitOpError("a 32-bit input must be signed");
  return verifyLevels(*this, getMin(), thresholds[0], getResultCode()); // C2
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

/// Without strides patches lie side by side.
static shapes::Windows patchWindows(ArrayRef<int64_t> patch, std::optional<ArrayRef<int64_t>> strides,
                                    std::optional<ArrayRef<int64_t>> pads, std::optional<ArrayRef<int64_t>> dilations) {
  return {patch, strides.value_or(patch), pads.value_or(ArrayRef<int64_t>()), dilations.value_or(ArrayRef<int64_t>())};
}
shapes::Windows ExtractPatchesOp::getWindows() {
  return patchWindows(getPatch(), getStrides(), getPads(), getDilations());
}
int64_t ExtractPatchesOp::paddingOf(int64_t channel) {
  ArrayRef<int64_t> padding = getPadding().value_or(ArrayRef<int64_t>());
  return padding.empty() ? 0 : padding.size() == 1 ? padding.front() : padding[channel];
}
// C1
LogicalResult ExtractPatchesOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor,
                                                          Components &results) {
  shapes::Windows windows =
      patchWindows(adaptor.getPatch(), adaptor.getStrides(), adaptor.getPads(), adaptor.getDilations());
  const bool mustTile = !adaptor.getStrides() && !adaptor.getPads() && !adaptor.getDilations();
  return addShape(shapes::inferPatches(loc, shapeOf(adaptor.getInput()), windows, mustTile, adaptor.getAsMap()),
                  results);
}
LogicalResult ExtractPatchesOp::verify() {
  ArrayRef<int64_t> padding = getPadding().value_or(ArrayRef<int64_t>());
  const int bits = static_cast<int>(widthOf(getInput()));
  auto fits = [&](int64_t code) {
    return code >= numerics::codeRange(bits, true).min && code <= numerics::codeRange(bits, false).max;
  };
  const int64_t channels = shapeOf(getInput())[3];
  if (getPadding() &&
      ((padding.size() != 1 && static_cast<int64_t>(padding.size()) != channels) || !llvm::all_of(padding, fits))) // C2
    return emitOpError("padding needs one code of ") << bits << " bits, or one for each of " << channels << " channels";
  return success();
}
// C1
LogicalResult ReshapeOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferReshape(loc, shapeOf(adaptor.getInput()), adaptor.getShape()), results);
}
// C1
LogicalResult TransposeOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferTranspose(loc, shapeOf(adaptor.getInput()), adaptor.getPermutation()), results);
}
// C1
LogicalResult ConcatOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  for (Value input : adaptor.getInputs())
    if (cast<ShapedType>(input.getType()).getElementType() !=
        cast<ShapedType>(adaptor.getInputs().front().getType()).getElementType())
      return emitOptionalError(loc, "inputs must have the same element type");
  return addShape(shapes::inferConcat(loc, llvm::map_to_vector(adaptor.getInputs(), shapeOf), adaptor.getAxis()),
                  results);
}
// C1
LogicalResult SliceOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferSlice(loc, shapeOf(adaptor.getInput()), adaptor.getOffsets(), adaptor.getSizes(),
                                     adaptor.getStrides()),
                  results);
}
// C1
LogicalResult GatherOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferGather(loc, shapeOf(adaptor.getInput()), adaptor.getIndices(), adaptor.getAxis()),
                  results);
}
// C1
LogicalResult BroadcastOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferBroadcastTo(loc, shapeOf(adaptor.getInput()), adaptor.getShape()), results);
}
// C1
LogicalResult PadOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferPad(loc, shapeOf(adaptor.getInput()), adaptor.getLow(), adaptor.getHigh()), results);
}
// C1, C2
LogicalResult MaxPoolOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return addShape(shapes::inferMaxPool(loc, shapeOf(adaptor.getInput()), adaptor.getKernel(), adaptor.getStrides(),
                                       adaptor.getPads(), adaptor.getDilations()),
                  results);
}
LogicalResult PadOp::verify() {
  auto value = static_cast<int64_t>(getValue());
  const int bits = static_cast<int>(widthOf(getInput()));
  if (value < numerics::codeRange(bits, true).min || value > numerics::codeRange(bits, false).max) // C2
    return emitOpError("value ") << value << " does not fit " << widthOf(getInput()) << " bits";
  return success();
}

//===----------------------------------------------------------------------===//
// Folders
//===----------------------------------------------------------------------===//

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  if (auto inner = getInput().getDefiningOp<ReshapeOp>()) {
    getInputMutable().assign(inner.getInput());
    return getResult();
  }
  return {};
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  for (auto [i, axis] : llvm::enumerate(getPermutation()))
    if (axis != static_cast<int64_t>(i))
      return {};
  return getInput();
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  return getInput().getType() == getType() ? OpFoldResult(getInput()) : OpFoldResult();
}

/// A table of a constant is a constant.
OpFoldResult TableOp::fold(FoldAdaptor adaptor) {
  auto input = dyn_cast_or_null<DenseIntElementsAttr>(adaptor.getInput());
  auto table = dyn_cast_or_null<DenseIntElementsAttr>(adaptor.getTable());
  if (!input || !table || getIndex())
    return {};
  SmallVector<APInt> entries(table.getValues<APInt>()), values;
  const numerics::Code code = codeOf(getInput(), getInputCode());
  for (const APInt &x : input.getValues<APInt>())
    values.push_back(
        entries[static_cast<size_t>(code.index(numerics::readCode(x.getSExtValue(), code.bits, code.isUnsigned)))]);
  return DenseElementsAttr::get(getType(), values);
}
