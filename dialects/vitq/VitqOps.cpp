//===- VitqOps.cpp - Shapes, verifiers and folders of vitq ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vitq/Vitq.h"
#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/ReciprocalLines.h"
#include "vitq/Numerics/Softmax.h"

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

static LogicalResult give(FailureOr<Shape> shape, Components &results) {
  if (failed(shape))
    return failure();
  results.emplace_back(ArrayRef<int64_t>(*shape));
  return success();
}

static unsigned widthOf(Value value) { return cast<ShapedType>(value.getType()).getElementTypeBitWidth(); }

/// Range of a value read as signed or unsigned.
static std::pair<int64_t, int64_t> rangeOf(Value value, bool isUnsigned) {
  unsigned width = widthOf(value);
  if (isUnsigned)
    return {0, (int64_t(1) << width) - 1};
  return {-(int64_t(1) << (width - 1)), (int64_t(1) << (width - 1)) - 1};
}

static LogicalResult verifyZeroPoint(Operation *op, StringRef what, int64_t zeroPoint, Value value, bool isUnsigned) {
  auto [lo, hi] = rangeOf(value, isUnsigned);
  if (zeroPoint < lo || zeroPoint > hi)
    return op->emitOpError(what) << " " << zeroPoint << " is outside [" << lo << ", " << hi << "]";
  if (widthOf(value) == 32 && zeroPoint != 0)
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
  return give(shape, results);
}
LogicalResult MatmulOp::verify() {
  return verifyZeroPoint(*this, "lhs zero point", getLhsZeroPoint(), getLhs(), getLhsUnsigned()); // C2
}

LogicalResult RequantOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return give(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult RequantOp::verify() {
  if (failed(verifyChannels(*this, "requantization", getBy(), getInput(), getAxis()))) // C1
    return failure();
  auto [lo, hi] = rangeOf(getResult(), getResultUnsigned());
  int64_t min = getMin().value_or(lo), max = getMax().value_or(hi);
  if (min < lo || max > hi || min > max) // C2
    return emitOpError("clamp range [") << min << ", " << max << "] is not inside [" << lo << ", " << hi << "]";
  if (failed(verifyZeroPoint(*this, "input zero point", getInputZeroPoint(), getInput(), getInputUnsigned())) || // C3
      failed(verifyZeroPoint(*this, "zero point", getZeroPoint(), getResult(), getResultUnsigned())))
    return failure();
  return success();
}

LogicalResult AddOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return give(shapes::inferBroadcastTo(loc, shapeOf(adaptor.getRhs()), shapeOf(adaptor.getLhs())), results); // C1
}
LogicalResult AddOp::verify() {
  if (failed(verifyChannels(*this, "lhs", getLhsBy(), getLhs(), -1)) || // C2
      failed(verifyChannels(*this, "rhs", getRhsBy(), getLhs(), -1)) ||
      failed(verifyZeroPoint(*this, "lhs zero point", getLhsZeroPoint(), getLhs(), getLhsUnsigned())) || // C3
      failed(verifyZeroPoint(*this, "rhs zero point", getRhsZeroPoint(), getRhs(), getRhsUnsigned())) ||
      failed(verifyZeroPoint(*this, "zero point", getZeroPoint(), getResult(), getResultUnsigned())))
    return failure();
  return success();
}

/// The largest |x - zeroPoint|.
static int64_t magnitude(Value value, bool isUnsigned, int64_t zeroPoint) {
  auto [lo, hi] = rangeOf(value, isUnsigned);
  return std::max(hi - zeroPoint, zeroPoint - lo);
}

LogicalResult MulOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return give(shapes::inferBroadcastTo(loc, shapeOf(adaptor.getRhs()), shapeOf(adaptor.getLhs())), results); // C1
}
LogicalResult MulOp::verify() {
  if (getBy().size() != 1) // C2
    return emitOpError("needs exactly one multiplier");
  if (failed(verifyZeroPoint(*this, "lhs zero point", getLhsZeroPoint(), getLhs(), getLhsUnsigned())) || // C3
      failed(verifyZeroPoint(*this, "rhs zero point", getRhsZeroPoint(), getRhs(), getRhsUnsigned())) ||
      failed(verifyZeroPoint(*this, "zero point", getZeroPoint(), getResult(), getResultUnsigned())))
    return failure();
  int64_t largest = magnitude(getLhs(), getLhsUnsigned(), getLhsZeroPoint()) *
                    magnitude(getRhs(), getRhsUnsigned(), getRhsZeroPoint());
  if (largest >= int64_t(1) << 31) // C4
    return emitOpError("products up to ") << largest << " do not fit 32 bits";
  return success();
}

// C1
LogicalResult SumOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return give(shapes::inferReduce(loc, shapeOf(adaptor.getInput()), adaptor.getAxes(), adaptor.getKeepDims()), results);
}
LogicalResult SumOp::verify() {
  if (failed(verifyZeroPoint(*this, "input zero point", getInputZeroPoint(), getInput(), getInputUnsigned()))) // C3
    return failure();
  int64_t count = 1;
  for (int64_t axis : getAxes())
    count *= shapeOf(getInput())[axis];
  if (count > (int64_t(1) << (31 - widthOf(getInput())))) // C2: |x - z| < 2^width
    return emitOpError("a sum of ") << count << " values of " << widthOf(getInput()) << " bits may not fit 32 bits";
  return success();
}

//===----------------------------------------------------------------------===//
// Nonlinear functions
//===----------------------------------------------------------------------===//

LogicalResult TableOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return give(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult TableOp::verify() {
  ArrayRef<int64_t> table = shapeOf(getTable()), input = shapeOf(getInput());
  if (getIndex() ? table.size() != 2 || table[1] != 256 || table[0] > 128 || input.empty() ||
                       shapeOf(getIndex()) != input.take_back()
                 : table != ArrayRef<int64_t>{256}) // C1
    return emitOpError("needs a table [256], or a table [T, 256], T <= 128, with one index per channel");
  if (cast<ShapedType>(getTable().getType()).getElementType() != cast<ShapedType>(getType()).getElementType()) // C2
    return emitOpError("table and result must have the same element type");
  return success();
}

LogicalResult InterpolateOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return give(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult InterpolateOp::verify() {
  if (shapeOf(getTable()) != ArrayRef<int64_t>{1025}) // C1
    return emitOpError("needs a table [1025]");
  auto start = static_cast<int64_t>(getStart()), shift = static_cast<int64_t>(getShift());
  auto [lo, hi] = rangeOf(getInput(), false);
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
  if (failed(verifyChannels(op, "by", op.getBy(), op.getInput(), -1)) || // C2
      failed(verifyZeroPoint(op, "input zero point", op.getInputZeroPoint(), op.getInput(),
                             op.getInputUnsigned())) || // C3
      failed(verifyZeroPoint(op, "zero point", op.getZeroPoint(), op.getResult(), op.getResultUnsigned())))
    return failure();
  return success();
}

LogicalResult PwlOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return give(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult PwlOp::verify() {
  if (failed(verifyFunction(*this))) // C2, C3
    return failure();
  auto [lo, hi] = rangeOf(getInput(), getInputUnsigned());
  const auto zero = static_cast<int64_t>(getInputZeroPoint());
  if (!getLines().lines().fits(lo - zero, hi - zero)) // C1
    return emitOpError("has a line that leaves 32 bits for some code of its input");
  return success();
}

LogicalResult PolyGeluOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return give(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult PolyGeluOp::verify() {
  if (failed(verifyFunction(*this))) // C2, C3
    return failure();
  auto [lo, hi] = rangeOf(getInput(), getInputUnsigned());
  const auto zero = static_cast<int64_t>(getInputZeroPoint());
  const numerics::PolyGelu gelu{static_cast<int64_t>(getClip()), static_cast<int64_t>(getOne())};
  if (!gelu.fits(std::max(zero - lo, hi - zero))) // C1
    return emitOpError("needs clip >= 0, one >= 1 and a product within 32 bits; got clip ")
           << gelu.clip << " and one " << gelu.one;
  return success();
}

LogicalResult GeluOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  if (failed(shapes::inferRows(loc, shapeOf(adaptor.getInput()))))
    return failure();
  return give(Shape(shapeOf(adaptor.getInput())), results);
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
  if (failed(verifyShiftConstants(*this, getExponentStep(), getFractionBits())) ||                               // C1
      failed(verifyZeroPoint(*this, "input zero point", getInputZeroPoint(), getInput(), getInputUnsigned())) || // C3
      failed(verifyZeroPoint(*this, "zero point", getZeroPoint(), getResult(), getResultUnsigned())))
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
  return give(rows, results);
}
/// What each algorithm needs, and must not have otherwise.
static LogicalResult verifySoftmaxConstants(SoftmaxOp op) {
  const SoftmaxAlgorithm algorithm = op.getAlgorithm();
  const bool shift = algorithm == SoftmaxAlgorithm::Shift, pwl = algorithm == SoftmaxAlgorithm::Pwl,
             poly = algorithm == SoftmaxAlgorithm::Poly;
  const std::tuple<StringRef, bool, bool> constants[] = {
      {"table", op.getTable() != nullptr, algorithm == SoftmaxAlgorithm::Table},
      {"exponent_step", op.getExponentStep().has_value(), shift || poly},
      {"fraction_bits", op.getFractionBits().has_value(), shift || poly},
      {"code_shift", op.getCodeShift().has_value(), shift || poly || pwl},
      {"lines", op.getLines().has_value(), pwl},
      {"linear", op.getLinear().has_value(), poly},
      {"offset", op.getOffset().has_value(), poly},
      {"top_exponent", op.getTopExponent().has_value(), algorithm == SoftmaxAlgorithm::Log2}};
  for (auto [name, given, needed] : constants)
    if (given != needed)
      return op.emitOpError("'") << stringifySoftmaxAlgorithm(algorithm) << "' " << (needed ? "needs" : "has no")
                                 << " '" << name << "'";
  if (op.getTable() && shapeOf(op.getTable()) != ArrayRef<int64_t>{256})
    return op.emitOpError("needs a table [256]");
  return success();
}

LogicalResult SoftmaxOp::verify() {
  if (failed(verifySoftmaxConstants(*this))) // C2
    return failure();
  if (getBy().size() != 1 && shapeOf(getInput()).size() < 3)
    return emitOpError("multipliers per head need an input of rank >= 3");
  if (failed(verifyChannels(*this, "softmax", getBy(), getInput(), 1))) // C3
    return failure();
  if (llvm::any_of(getBy().getMultipliers(), [](int32_t m) { return m <= 0; }))
    return emitOpError("multipliers must be positive");
  const unsigned width = getAlgorithm() == SoftmaxAlgorithm::Log2 ? 16 : 8;
  if (widthOf(getCodes()) != width) // C5
    return emitOpError("codes of '") << stringifySoftmaxAlgorithm(getAlgorithm()) << "' have " << width << " bits";
  if (std::optional<int64_t> top = getTopExponent()) {
    if (*top < 1 || *top > 14) // C6
      return emitOpError("top exponent ") << *top << " is outside [1, 14]";
    if (shapeOf(getInput()).back() > (int64_t(INT32_MAX) >> *top)) // C1
      return emitOpError("the sum of ") << shapeOf(getInput()).back() << " codes up to 2^" << *top
                                        << " may not fit 32 bits";
  }
  if (std::optional<int64_t> shift = getCodeShift(); shift && (*shift < 1 || *shift > 46)) // C4
    return emitOpError("code shift ") << *shift << " is outside [1, 46]";
  if (getExponentStep() && failed(verifyShiftConstants(*this, *getExponentStep(), *getFractionBits())))
    return failure();
  if (getLinear() &&
      !numerics::softmaxPolynomialFits({static_cast<int64_t>(*getExponentStep()), static_cast<int64_t>(*getLinear()),
                                        static_cast<int64_t>(*getOffset()), static_cast<unsigned>(*getFractionBits()),
                                        static_cast<unsigned>(*getCodeShift())})) // C7
    return emitOpError("the polynomial is not positive on an octave, or exceeds 62 bits");
  if (getLines() && (!getLines()->lines().fits(-255, 0) || *getCodeShift() > 30)) // C8
    return emitOpError("has a line that leaves 32 bits for some distance, or a code shift above 30");
  return success();
}

LogicalResult ShiftmaxOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  if (failed(shapes::inferRows(loc, shapeOf(adaptor.getInput())))) // C1
    return failure();
  return give(Shape(shapeOf(adaptor.getInput())), results);
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
  return give(Shape(input), results);
}
LogicalResult DivideRowsOp::verify() {
  if (failed(verifyChannels(*this, "requantization", getBy(), getInput(), getAxis()))) // C2
    return failure();
  if (getLines() && !numerics::reciprocalLinesFit(getLines()->lines())) // C4
    return emitOpError("lines must stay between 5/8 of the reciprocal and the reciprocal");
  return verifyZeroPoint(*this, "zero point", getZeroPoint(), getResult(), getResultUnsigned()); // C3
}

LogicalResult LayerNormOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  if (failed(shapes::inferRows(loc, shapeOf(adaptor.getInput()))))
    return failure();
  return give(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult LayerNormOp::verify() {
  int64_t channels = shapeOf(getInput()).back();
  const bool shift = getAlgorithm() == NormAlgorithm::Shift, pwl = getAlgorithm() == NormAlgorithm::Pwl;
  auto perChannel = [&](size_t n) { return static_cast<int64_t>(n) == channels; };
  if (!perChannel(getBy().size()) || !perChannel(getOffsets().size()) ||
      (getPostOffsets() && (!shift || !perChannel(getPostOffsets()->size())))) // C1
    return emitOpError("needs one multiplier and one offset for each of ") << channels << " channels";
  int64_t eps = getEps();
  if (shift ? channels > 65536 : eps < 1 || !numerics::layerNormFits(channels, widthOf(getInput()), eps)) // C2
    return emitOpError("with ") << channels << " channels and eps " << eps << " overflows 64 bits";
  if (!shift && getRounding() != Rounding::HalfUp) // C4
    return emitOpError("'") << stringifyNormAlgorithm(getAlgorithm()) << "' rounds half_up only";
  if (pwl != getLines().has_value()) // C5
    return emitOpError("'") << stringifyNormAlgorithm(getAlgorithm()) << "' " << (pwl ? "needs" : "has no") << " lines";
  if (pwl && !numerics::inverseRootLinesFit(getLines()->lines())) // C6
    return emitOpError("lines must stay between half of the inverse root and the inverse root");
  return verifyZeroPoint(*this, "zero point", getZeroPoint(), getResult(), getResultUnsigned()); // C3
}

//===----------------------------------------------------------------------===//
// Quantizers made of comparisons
//===----------------------------------------------------------------------===//

/// min and min + levels are values of the result type.
static LogicalResult verifyLevels(Operation *op, int64_t min, int64_t levels, bool isUnsigned) {
  auto [lo, hi] = rangeOf(op->getResult(0), isUnsigned);
  if (min < lo || min > hi - levels)
    return op->emitOpError("levels ") << min << " to " << min + levels << " are not inside [" << lo << ", " << hi
                                      << "]";
  return success();
}

LogicalResult NormQuantOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  if (failed(shapes::inferRows(loc, shapeOf(adaptor.getInput()))))
    return failure();
  return give(Shape(shapeOf(adaptor.getInput())), results);
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
  return verifyLevels(*this, getMin(), squares[0], getResultUnsigned()); // C3
}

LogicalResult ThresholdOp::inferReturnTypeComponents(MLIRContext *, OptLoc, Adaptor adaptor, Components &results) {
  return give(Shape(shapeOf(adaptor.getInput())), results);
}
LogicalResult ThresholdOp::verify() {
  ArrayRef<int64_t> thresholds = shapeOf(getThresholds()), input = shapeOf(getInput());
  const bool shared = thresholds.size() == 1;
  if ((!shared && (thresholds.size() != 2 || input.empty() || thresholds[1] != input.back())) || thresholds[0] < 1 ||
      thresholds[0] > 15) // C1
    return emitOpError("needs thresholds [L], or [L, C] with one column for each channel, 1 <= L <= 15");
  if (getInputUnsigned() && widthOf(getInput()) == 32) // C3
    return emitOpError("a 32-bit input must be signed");
  return verifyLevels(*this, getMin(), thresholds[0], getResultUnsigned()); // C2
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

// C1
LogicalResult ExtractPatchesOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor,
                                                          Components &results) {
  return give(shapes::inferPatches(loc, shapeOf(adaptor.getInput()), adaptor.getPatch()), results);
}
// C1
LogicalResult ReshapeOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return give(shapes::inferReshape(loc, shapeOf(adaptor.getInput()), adaptor.getShape()), results);
}
// C1
LogicalResult TransposeOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return give(shapes::inferTranspose(loc, shapeOf(adaptor.getInput()), adaptor.getPermutation()), results);
}
// C1
LogicalResult ConcatOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  for (Value input : adaptor.getInputs())
    if (cast<ShapedType>(input.getType()).getElementType() !=
        cast<ShapedType>(adaptor.getInputs().front().getType()).getElementType())
      return emitOptionalError(loc, "inputs must have the same element type");
  return give(shapes::inferConcat(loc, llvm::map_to_vector(adaptor.getInputs(), shapeOf), adaptor.getAxis()), results);
}
// C1
LogicalResult SliceOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return give(shapes::inferSlice(loc, shapeOf(adaptor.getInput()), adaptor.getOffsets(), adaptor.getSizes(),
                                 adaptor.getStrides()),
              results);
}
// C1
LogicalResult GatherOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return give(shapes::inferGather(loc, shapeOf(adaptor.getInput()), adaptor.getIndices(), adaptor.getAxis()), results);
}
// C1
LogicalResult BroadcastOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return give(shapes::inferBroadcastTo(loc, shapeOf(adaptor.getInput()), adaptor.getShape()), results);
}
// C1
LogicalResult PadOp::inferReturnTypeComponents(MLIRContext *, OptLoc loc, Adaptor adaptor, Components &results) {
  return give(shapes::inferPad(loc, shapeOf(adaptor.getInput()), adaptor.getLow(), adaptor.getHigh()), results);
}
LogicalResult PadOp::verify() {
  auto value = static_cast<int64_t>(getValue());
  if (value < rangeOf(getInput(), false).first || value > rangeOf(getInput(), true).second) // C2
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
  for (const APInt &x : input.getValues<APInt>())
    values.push_back(entries[getInputUnsigned() ? x.getZExtValue() : static_cast<uint64_t>(x.getSExtValue() + 128)]);
  return DenseElementsAttr::get(getType(), values);
}
