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

Rescale::Rescale(const TargetDesc &target, Blob &blob, DyadicAttr dyadic, Rounding rounding, unsigned operandBits,
                 ChannelMap map, std::optional<int64_t> addend)
    : multipliesEvenLanes(target.isa->multipliesEvenLanes), rounding(rounding), map(map) {
  const auto [least, most] = std::minmax_element(dyadic.getShifts().begin(), dyadic.getShifts().end());
  // Room to multiply an operand by 2^pre within 2^30 (a full 32-bit one has none).
  const int room = operandBits < 30 ? 30 - static_cast<int>(operandBits) : 0;
  const int wanted = std::max(0, 33 - *least);
  fast = rounding != Rounding::HalfAway && wanted <= room && *most + wanted <= 62;
  const int pre = fast ? wanted : 0;

  // (s >> c) + a = (s + (a << c)) >> c, if there is room: the upper half of a product
  // takes 30 bits. A tie to even would look at the sum.
  addsUp =
      addend && fast && rounding != Rounding::HalfEven && std::abs(*addend) << (*most + pre - 32) <= (int64_t(1) << 29);

  std::vector<int32_t> shift, half;
  for (int32_t c : dyadic.getShifts()) {
    const int amount = fast ? c + pre - 32 : c;
    shift.push_back(amount);
    half.push_back(fast && rounding != Rounding::Floor ? int32_t(1) << (amount - 1) : 0);
    if (addsUp)
      half.back() += static_cast<int32_t>(*addend * (int64_t(1) << amount));
  }
  // One more is read beside the last of them (apply).
  std::vector<int32_t> factors(dyadic.getMultipliers().begin(), dyadic.getMultipliers().end());
  if (map.kind == ChannelMap::Column)
    factors.push_back(0);
  multipliers = blob.array(factors);
  shifts = blob.array(shift);
  if (!fast)
    return;
  halves = blob.array(half);
  // In the data, not in the code: blocks of a model differ in it.
  if (room > 0)
    pres = blob.array(std::vector<int32_t>(std::max(1U, target.vectorBits / 32), pre));
}

/// The number in `slot`, as many times as a vector has lanes, for lanes like those of `x`. Two vectors shift by an
/// operand in memory, which takes no register.
static Value repeated(Emitter &e, Value blob, Slot slot, Value x) {
  Value view = Blob::view(e, blob, slot), zero = e.index(0);
  auto type = dyn_cast<VectorType>(x.getType());
  if (!type || slot.count == 1 || type.getNumElements() != 2 * slot.count)
    return e.splatLike(e.load(view, zero), x);
  return e.join(Values(2, e.load(view, zero, slot.count)));
}

Value Rescale::constantOf(Emitter &e, Value blob, Slot slot, Value x, Value row, Value col) const {
  Value view = Blob::view(e, blob, slot);
  auto vector = dyn_cast<VectorType>(x.getType());
  if (map.kind == ChannelMap::Column)
    return e.load(view, col, vector ? vector.getNumElements() : 1);
  Value number = e.index(0);
  if (map.kind == ChannelMap::Row) {
    number = map.divisor == 1 ? row : e.divu(row, e.index(map.divisor));
    number = e.remu(number, e.index(map.count));
  }
  return e.splatLike(e.load(view, number), x);
}

Value Rescale::apply(Emitter &e, Value blob, Value x, Value row, Value col, bool positive) const {
  Value m = constantOf(e, blob, multipliers, x, row, col);
  Value c = constantOf(e, blob, shifts, x, row, col);
  if (!fast)
    return roundShift(e, e.mul(e.sext(x, 64), e.sext(m, 64)), e.sext(c, 64), rounding);
  Value half = constantOf(e, blob, halves, x, row, col);
  if (pres)
    x = e.shl(x, repeated(e, blob, *pres, x));
  // Multipliers of odd lanes in even ones, as the instruction reads them.
  Value odd = map.kind == ChannelMap::Column && isa<VectorType>(x.getType())
                  ? constantOf(e, blob, multipliers, x, row, e.indexAdd(col, 1))
                  : m;
  auto [high, low] = multiply(e, x, m, odd, positive, /*wantsLow=*/rounding == Rounding::HalfEven);
  Value sum = e.add(high, half);
  Value y = e.sra(sum, c);
  if (!low)
    return y;
  // Of a tie y is the upper neighbour.
  Value below = e.op<arith::OrIOp>(*low, e.sub(sum, e.shl(y, c)));
  Value tie = e.cmp(arith::CmpIPredicate::eq, below, e.like(below, 0));
  return e.select(tie, e.op<arith::AndIOp>(y, e.like(y, -2)), y);
}

/// The upper halves of the products of 64 bits, and the lower ones.
std::pair<Value, std::optional<Value>> Rescale::multiply(Emitter &e, Value x, Value m, Value oddM, bool positive,
                                                         bool wantsLow) const {
  auto type = dyn_cast<VectorType>(x.getType());
  const int64_t lanes = type ? type.getNumElements() : 1;
  if (!multipliesEvenLanes || lanes % 2) {
    // One kind of extension on both sides is what makes it an instruction.
    Value p = e.mul(e.extend(x, 64, positive), e.extend(m, 64, positive));
    return {e.trunc(e.sra(p, 32), 32), wantsLow ? std::optional(e.trunc(p, 32)) : std::nullopt};
  }
  // Lanes stay where they are: even ones are multiplied, then odd ones, which are brought to their places.
  auto pairs = VectorType::get({lanes / 2}, e.intType(64));
  auto factor = [&](Value v, bool isOdd = false) {
    v = e.op<vector::BitCastOp>(pairs, v);
    if (!isOdd)
      v = e.shl(v, 32);
    return positive ? e.srl(v, e.like(v, 32)) : e.sra(v, 32);
  };
  Value even = e.op<vector::BitCastOp>(type, e.mul(factor(x), factor(m)));
  Value odd = e.op<vector::BitCastOp>(type, e.mul(factor(x, /*isOdd=*/true), factor(oddM)));
  auto halves = [&](int64_t part) {
    SmallVector<int64_t> order;
    for (int64_t lane = 0; lane < lanes; lane += 2)
      order.append({lane + part, lanes + lane + part});
    return e.op<vector::ShuffleOp>(even, odd, order);
  };
  return {halves(1), wantsLow ? std::optional(halves(0)) : std::nullopt};
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

/// The same for lanes that are packed: what their width does not limit is limited in it.
Value Clamp::applyPacked(Emitter &e, Value blob, Value y) const {
  y = width == 8 ? e.packBytes(y, code.isUnsigned) : e.packWords(y);
  auto limit = [&](Value low, Value high) {
    y = code.isUnsigned ? e.umin(e.op<arith::MaxUIOp>(y, low), high) : e.clamp(y, low, high);
  };
  if (code.bits < width)
    limit(e.like(y, literalLo()), e.like(y, literalHi()));
  if (lo)
    limit(e.splatLike(Blob::load(e, blob, *lo, width), y), e.splatLike(Blob::load(e, blob, *hi, width), y));
  return y;
}

Value Clamp::apply(Emitter &e, Value blob, Value y) const {
  if ((width == 8 || (width == 16 && !code.isUnsigned)) && e.packsTo(width, y))
    return applyPacked(e, blob, y);
  const unsigned wide = widthOf(y);
  if (wide > width || code.isUnsigned || code.bits < width)
    y = e.clamp(y, e.like(y, literalLo()), e.like(y, literalHi()));
  if (lo)
    y = e.clamp(y, e.splatLike(Blob::load(e, blob, *lo, wide), y), e.splatLike(Blob::load(e, blob, *hi, wide), y));
  return e.trunc(y, width);
}

Columns Columns::of(const TargetDesc &target, int64_t cols, unsigned bitsPerLane, int64_t room) {
  int64_t lanes = target.vectorBits / bitsPerLane;
  while (lanes > cols)
    lanes /= 2;
  if (!target.variableShifts || lanes < 4)
    return {cols, 1, cols, 0};
  const int64_t whole = cols / lanes * lanes, rest = cols - whole;
  const auto least = std::min<int64_t>(lanes, 128 / bitsPerLane);
  const int64_t tail = rest ? std::max<int64_t>(least, llvm::PowerOf2Ceil(rest)) : 0;
  const Columns within{cols, lanes, whole, tail};
  if (!tail)
    return within;
  Columns beyond = within;
  // All of a short row in one vector.
  if (lanes < target.vectorBits / bitsPerLane && 2 * lanes <= room)
    beyond = {cols, 2 * lanes, 0, 2 * lanes};
  beyond.beyond = beyond.tail - beyond.rest();
  return beyond.whole + beyond.tail <= room ? beyond : within;
}

Value Columns::onlyNew(Emitter &e, Value value) const {
  if (tail == rest())
    return value;
  const int64_t last = tail - beyond;
  return e.select(e.lanesBetween(tail, last - rest(), last), value, e.like(value, 0));
}

void vitq::kernels::forColumns(Emitter &e, const TargetDesc &target, int64_t cols, bool vectors, unsigned bitsPerLane,
                               function_ref<void(Value, int64_t)> body) {
  const Columns columns = Columns::of(target, cols, bitsPerLane);
  if (!vectors || !columns.vectors())
    return e.loop(cols, [&](Value col) { body(col, 1); });
  e.loop(e.index(0), e.index(columns.whole), columns.lanes, [&](Value col) { body(col, columns.lanes); });
  if (columns.tail)
    body(e.index(cols - columns.tail), columns.tail);
}

Values vitq::kernels::reduceColumns(Emitter &e, const Columns &columns, ValueRange inits,
                                    function_ref<Values(Value, Value, ValueRange)> body) {
  Values carried = e.loop(e.index(0), e.index(columns.whole), columns.lanes, inits,
                          [&](Value col, ValueRange carried) { return body(col, Value(), carried); });
  if (columns.rest() == 0)
    return carried;
  Value isNew = e.lanesBetween(columns.lanes, columns.lanes - columns.rest(), columns.lanes);
  return body(e.index(columns.cols - columns.lanes), isNew, carried);
}
