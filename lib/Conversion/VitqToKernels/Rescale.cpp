//===- Rescale.cpp - Dyadic multiplication in kernels -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rescale.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using integer::DyadicAttr;
using integer::Rounding;

ChannelMap ChannelMap::of(DyadicAttr dyadic, ArrayRef<int64_t> shape, int64_t axis) {
  const auto rank = static_cast<int64_t>(shape.size());
  if (axis < 0)
    axis += rank;
  if (dyadic.size() == 1)
    return {};
  if (axis == rank - 1)
    return {Column, 1, shape.back()};
  ChannelMap map{Row, 1, shape[axis]};
  for (int64_t i = axis + 1; i + 1 < rank; ++i)
    map.divisor *= shape[i];
  return map;
}

Rescale::Rescale(Blob &blob, DyadicAttr dyadic, Rounding rounding, unsigned operandBits, ChannelMap map)
    : rounding(rounding), map(map) {
  const auto [least, most] = std::minmax_element(dyadic.getShifts().begin(), dyadic.getShifts().end());
  // Room to multiply an operand by 2^pre within 2^30 (a full 32-bit one has none).
  const int room = operandBits < 30 ? 30 - static_cast<int>(operandBits) : 0;
  const int wanted = std::max(0, 33 - *least);
  fast = rounding != Rounding::HalfAway && wanted <= room && *most + wanted <= 62;
  const int pre = fast ? wanted : 0;

  std::vector<int32_t> shift, half;
  for (int32_t c : dyadic.getShifts()) {
    const int amount = fast ? c + pre - 32 : c;
    shift.push_back(amount);
    half.push_back(fast && rounding != Rounding::Floor ? int32_t(1) << (amount - 1) : 0);
  }
  multipliers = blob.array(dyadic.getMultipliers());
  shifts = blob.array(shift);
  if (!fast)
    return;
  halves = blob.array(half);
  // In the data, not in the code: blocks of a model differ in it.
  if (room > 0)
    pres = blob.array(ArrayRef<int32_t>(pre));
}

std::string Rescale::key() const {
  // Where Floor is fast, it adds a half of 0.
  const Rounding shape = fast && rounding == Rounding::Floor ? Rounding::HalfUp : rounding;
  return "r" + std::to_string(fast) + "." + std::to_string(pres.has_value()) + "." +
         std::to_string(static_cast<int>(shape)) + "." + std::to_string(map.kind) + "." + std::to_string(map.divisor) +
         "." + std::to_string(map.count);
}

Value Rescale::constantOf(Emitter &e, Value blob, Slot slot, Value x, Value row, Value col) const {
  Value view = Blob::view(e, blob, slot);
  auto vector = dyn_cast<VectorType>(x.getType());
  if (map.kind == ChannelMap::Column)
    return e.load(view, col, vector ? vector.getNumElements() : 1);
  Value at = e.index(0);
  if (map.kind == ChannelMap::Row) {
    at = map.divisor == 1 ? row : e.divu(row, e.index(map.divisor));
    at = e.remu(at, e.index(map.count));
  }
  return e.splatLike(e.load(view, at), x);
}

Value Rescale::apply(Emitter &e, Value blob, Value x, Value row, Value col) const {
  Value m = constantOf(e, blob, multipliers, x, row, col);
  Value c = constantOf(e, blob, shifts, x, row, col);
  if (!fast)
    return roundShift(e, e.mul(e.sext(x, 64), e.sext(m, 64)), e.sext(c, 64), rounding);
  Value half = constantOf(e, blob, halves, x, row, col);
  if (pres)
    x = e.shl(x, e.splatLike(e.load(Blob::view(e, blob, *pres), e.index(0)), x));
  Value p = e.mul(e.sext(x, 64), e.sext(m, 64));
  Value sum = e.add(e.trunc(e.sra(p, 32), 32), half);
  Value y = e.sra(sum, c);
  if (rounding != Rounding::HalfEven)
    return y;
  // Of a tie y is the upper neighbour.
  Value below = e.op<arith::OrIOp>(e.trunc(p, 32), e.sub(sum, e.shl(y, c)));
  Value tie = e.cmp(arith::CmpIPredicate::eq, below, e.like(below, 0));
  return e.select(tie, e.op<arith::AndIOp>(y, e.like(y, -2)), y);
}

Value Rescale::roundShift(Emitter &e, Value p, Value shift, Rounding rounding) {
  if (rounding == Rounding::Floor)
    return e.sra(p, shift);
  Value one = e.like(p, 1);
  Value half = e.shl(one, e.sub(shift, one));
  if (rounding == Rounding::HalfUp)
    return e.sra(e.add(p, half), shift);

  // The nearest, told from the remainder.
  Value quotient = e.sra(p, shift);
  Value rest = e.sub(p, e.shl(quotient, shift));
  Value above = e.cmp(arith::CmpIPredicate::ugt, rest, half);
  Value tie = e.cmp(arith::CmpIPredicate::eq, rest, half);
  Value up = rounding == Rounding::HalfAway
                 ? e.cmp(arith::CmpIPredicate::sge, p, e.like(p, 0))
                 : e.cmp(arith::CmpIPredicate::ne, e.op<arith::AndIOp>(quotient, one), e.like(p, 0));
  Value increment = e.op<arith::OrIOp>(above, e.op<arith::AndIOp>(tie, up));
  return e.add(quotient, e.zext(increment, 64));
}

Value Clamp::apply(Emitter &e, Value blob, Value y) const {
  const unsigned wide = widthOf(y);
  if (wide > width || isUnsigned)
    y = e.clamp(y, e.like(y, literalLo()), e.like(y, literalHi()));
  if (lo)
    y = e.clamp(y, e.splatLike(Blob::load(e, blob, *lo, wide), y), e.splatLike(Blob::load(e, blob, *hi, wide), y));
  return e.trunc(y, width);
}

void vitq::kernels::forColumns(Emitter &e, const TargetDesc &target, int64_t cols, bool vectors, unsigned bitsPerLane,
                               function_ref<void(Value, int64_t)> body) {
  int64_t lanes = target.vectorBits / bitsPerLane;
  while (lanes > cols)
    lanes /= 2;
  if (!vectors || !target.variableShifts || lanes < 4)
    return e.loop(cols, [&](Value col) { body(col, 1); });
  const int64_t whole = cols / lanes * lanes;
  e.loop(e.index(0), e.index(whole), lanes, [&](Value col) { body(col, lanes); });
  if (whole != cols)
    body(e.index(cols - lanes), lanes);
}
