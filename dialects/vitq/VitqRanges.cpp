//===- VitqRanges.cpp - Integer ranges of vitq results -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// InferIntRangeInterface: the union over all elements of a result. Ranges are
// those of the signed reading of the bits; an op whose result is unsigned gives
// the full range when its values pass the sign bit.

#include "dialects/vitq/Vitq.h"
#include "vitq/Numerics/Hadamard.h"
#include "vitq/Numerics/Requantize.h"

using namespace mlir;
using namespace ::vitq;
using namespace vitq::integer;
using ::vitq::vit::shapeOf;

static unsigned widthOf(Value value) { return cast<ShapedType>(value.getType()).getElementTypeBitWidth(); }

static ConstantIntRanges full(Value value) { return ConstantIntRanges::maxRange(widthOf(value)); }

/// [lo, hi] of a result, read as unsigned or signed.
static ConstantIntRanges interval(Value value, bool isUnsigned, int64_t lo, int64_t hi) {
  unsigned width = widthOf(value);
  APInt low(64, lo, true), high(64, hi, true);
  if (isUnsigned)
    return ConstantIntRanges::fromUnsigned(low.trunc(width), high.trunc(width));
  return ConstantIntRanges::fromSigned(low.trunc(width), high.trunc(width));
}

/// What codes of a range stand for.
static numerics::Interval valuesIn(const ConstantIntRanges &range, CodeAttr code) {
  if (code.isUnsigned())
    return {static_cast<int64_t>(range.umin().getZExtValue()) - code.getZero(),
            static_cast<int64_t>(range.umax().getZExtValue()) - code.getZero()};
  return {range.smin().getSExtValue() - code.getZero(), range.smax().getSExtValue() - code.getZero()};
}

#define VITQ_FULL_RANGE(OP)                                                                                            \
  void OP::inferResultRanges(ArrayRef<ConstantIntRanges>, SetIntRangeFn setRange) {                                    \
    setRange(getResult(), full(getResult()));                                                                          \
  }
VITQ_FULL_RANGE(AddOp)
VITQ_FULL_RANGE(MulOp)
VITQ_FULL_RANGE(GeluOp)
VITQ_FULL_RANGE(PwlOp)
VITQ_FULL_RANGE(PolyGeluOp)
VITQ_FULL_RANGE(DivideRowsOp)
VITQ_FULL_RANGE(LayerNormOp)
VITQ_FULL_RANGE(ResampleOp)
#undef VITQ_FULL_RANGE

#define VITQ_INPUT_RANGE(OP)                                                                                           \
  void OP::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setRange) {                             \
    setRange(getResult(), ranges[0]);                                                                                  \
  }
VITQ_INPUT_RANGE(ReshapeOp)
VITQ_INPUT_RANGE(TransposeOp)
VITQ_INPUT_RANGE(SliceOp)
VITQ_INPUT_RANGE(GatherOp)
VITQ_INPUT_RANGE(BroadcastOp)
VITQ_INPUT_RANGE(MaxPoolOp)
#undef VITQ_INPUT_RANGE

void ConcatOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setRange) {
  ConstantIntRanges all = ranges[0];
  for (const ConstantIntRanges &range : ranges.drop_front())
    all = all.rangeUnion(range);
  setRange(getResult(), all);
}

void ExtractPatchesOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setRange) {
  ConstantIntRanges all = ranges[0];
  if (getWindows().isPadded())
    for (int64_t channel = 0; channel < shapeOf(getInput())[3]; ++channel)
      all =
          all.rangeUnion(ConstantIntRanges::constant(APInt(64, paddingOf(channel), true).trunc(widthOf(getResult()))));
  setRange(getResult(), all);
}

void PadOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setRange) {
  APInt value = APInt(64, getValue(), true).trunc(widthOf(getResult()));
  setRange(getResult(), ranges[0].rangeUnion(ConstantIntRanges::constant(value)));
}

void RequantOp::inferResultRanges(ArrayRef<ConstantIntRanges>, SetIntRangeFn setRange) {
  const numerics::Code code = codeOf(getResult(), getResultCode());
  setRange(getResult(),
           interval(getResult(), code.isUnsigned, getMin().value_or(code.min()), getMax().value_or(code.max())));
}

void SumOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setRange) {
  int64_t count = 1;
  for (int64_t axis : getAxes())
    count *= shapeOf(getInput())[axis];
  const numerics::Interval values = valuesIn(ranges[0], getInputCode());
  setRange(getResult(), interval(getResult(), false, count * values.min, count * values.max));
}

void HadamardOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setRange) {
  // Signs either way: as many of the farthest value.
  const numerics::Interval values = valuesIn(ranges[0], getInputCode());
  const int64_t zero = getInputCode() ? getInputCode().getZero() : 0;
  const int64_t reach =
      numerics::hadamardReach({values.min + zero, values.max + zero}, zero, getZeros().value_or(ArrayRef<int32_t>()),
                              getShifts().value_or(ArrayRef<int8_t>()), static_cast<int64_t>(getBlock()));
  setRange(getResult(), interval(getResult(), false, -reach, reach));
}

void TableOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setRange) {
  setRange(getResult(), ranges[1]);
}

/// An interpolated value lies between two entries; the tail grows with x.
void InterpolateOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setRange) {
  const numerics::Dyadic by = getTailBy().entry(0);
  auto tail = [&](int64_t x) {
    return APInt(16, numerics::requantize(x, by, numerics::Rounding::HalfUp, 0, INT16_MIN, INT16_MAX), true);
  };
  int64_t first = static_cast<int64_t>(getStart()) + (int64_t(1024) << getShift());
  int64_t lo = std::max(first, ranges[0].smin().getSExtValue()), hi = ranges[0].smax().getSExtValue();
  ConstantIntRanges result = ranges[1];
  if (lo <= hi)
    result = result.rangeUnion(ConstantIntRanges::fromSigned(tail(lo), tail(hi)));
  setRange(getResult(), result);
}

void ShiftmaxOp::inferResultRanges(ArrayRef<ConstantIntRanges>, SetIntRangeFn setRange) {
  int64_t largest = (int64_t(1) << (widthOf(getResult()) - 1)) - 1;
  setRange(getResult(), interval(getResult(), false, 0, largest));
}

void SoftmaxOp::inferResultRanges(ArrayRef<ConstantIntRanges>, SetIntRangeFn setRange) {
  const unsigned bits = widthOf(getCodes());
  const int64_t largest = getAlgorithm().getLargestCode(bits);
  setRange(getCodes(), interval(getCodes(), hasUnsignedCodes(), 0, largest));
  setRange(getSums(), interval(getSums(), false, 0, largest * shapeOf(getInput()).back()));
}

void NormQuantOp::inferResultRanges(ArrayRef<ConstantIntRanges>, SetIntRangeFn setRange) {
  const int64_t min = getMin();
  setRange(getResult(), interval(getResult(), getResultCode().isUnsigned(), min, min + shapeOf(getSquares())[0]));
}

void ThresholdOp::inferResultRanges(ArrayRef<ConstantIntRanges>, SetIntRangeFn setRange) {
  const int64_t min = getMin();
  setRange(getResult(), interval(getResult(), getResultCode().isUnsigned(), min, min + shapeOf(getThresholds())[0]));
}

/// The weight-independent bound `count * max|x - z| * max|w|` and the bias (docs/Rules.md, R3); the pass
/// vitq-prove-accumulators knows the weights and proves more.
static void setProductRange(Value result, int64_t count, const numerics::Interval &values,
                            const ConstantIntRanges &weights, const ConstantIntRanges *bias, SetIntRangeFn setRange) {
  int64_t magnitude = std::max(std::abs(values.min), std::abs(values.max));
  int64_t weight = std::max(std::abs(weights.smin().getSExtValue()), std::abs(weights.smax().getSExtValue()));
  int64_t bound = count * magnitude * weight;
  int64_t low = -bound, high = bound;
  if (bias) {
    low += bias->smin().getSExtValue();
    high += bias->smax().getSExtValue();
  }
  if (low < std::numeric_limits<int32_t>::min() || high > std::numeric_limits<int32_t>::max())
    setRange(result, full(result));
  else
    setRange(result, interval(result, false, low, high));
}

void MatmulOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setRange) {
  setProductRange(getResult(), shapeOf(getLhs()).back(), valuesIn(ranges[0], getLhsCode()), ranges[1],
                  getBias() ? &ranges[2] : nullptr, setRange);
}

void DepthwiseConv2dOp::inferResultRanges(ArrayRef<ConstantIntRanges> ranges, SetIntRangeFn setRange) {
  ArrayRef<int64_t> weight = shapeOf(getWeight());
  setProductRange(getResult(), weight[0] * weight[1], valuesIn(ranges[0], getInputCode()), ranges[1],
                  getBias() ? &ranges[2] : nullptr, setRange);
}
