//===- Rescale.h - Dyadic multiplication in kernels -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The IR counterpart of vitq/Numerics/Requantize.h: every kernel that changes a
// scale does it here.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_RESCALE_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_RESCALE_H

#include "Blob.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/Target/Isa/TargetDesc.h"

namespace vitq::kernels {

/// Which multiplier belongs to an element of a [rows, cols] view: the only one,
/// that of its column, or number `row / divisor % count`.
struct ChannelMap {
  enum Kind { Single, Column, Row } kind = Single;
  int64_t divisor = 1, count = 1;

  /// For `dyadic` along `axis` of a tensor of this shape whose last axis is cols.
  static ChannelMap of(integer::DyadicAttr dyadic, llvm::ArrayRef<int64_t> shape, int64_t axis);
};

/// round(x * M / 2^c) on scalars or vectors of 32 bits.
///
/// Two forms, exact both. In general the product and the shift take 64 bits. If
/// every shift is at least 33, possibly after multiplying narrow operands by 2^pre,
/// the low half of the product cannot carry into the result, so
/// `(x*M + 2^(c-1)) >> c = (hi(x*M) + 2^(c-33)) >> (c-32)` with hi the upper 32
/// bits; the result then is below 2^29 in magnitude and everything stays in 32 bits.
/// A tie, which half-even rounding must see, has the low half zero and nothing below
/// the rounding bit of the upper one.
class Rescale {
public:
  /// Puts the constants into the blob. |x| <= 2^operandBits.
  Rescale() = default;
  /// `addend` is added to results if that costs nothing, which `adds()` tells.
  Rescale(const TargetDesc &target, Blob &blob, integer::DyadicAttr dyadic, integer::Rounding rounding,
          unsigned operandBits, ChannelMap map, std::optional<int64_t> addend = std::nullopt);

  /// Whether results have 32 bits (and |result| <= 2^29) instead of 64.
  bool isFast() const { return fast; }
  bool adds() const { return addsUp; }

  /// Result for `x`, elements (row, col ...) of 32 bits. `positive`: neither x nor any
  /// multiplier is negative.
  Value apply(Emitter &e, Value blob, Value x, Value row, Value col, bool positive = false) const;

  /// (p + 2^(c-1)) >> c and the other roundings, p and c of 64 bits.
  static Value roundShift(Emitter &e, Value p, Value shift, integer::Rounding rounding);

private:
  Value constantOf(Emitter &e, Value blob, Slot slot, Value x, Value row, Value col) const;
  std::pair<Value, std::optional<Value>> multiply(Emitter &e, Value x, Value m, Value oddM, bool positive,
                                                  bool wantsLow) const;

  bool fast = false, addsUp = false, multipliesEvenLanes = false;
  integer::Rounding rounding = integer::Rounding::HalfUp;
  ChannelMap map;
  Slot multipliers, shifts, halves;
  /// The exponent `pre`, where operands are narrow enough to have room for it.
  std::optional<Slot> pres;
};

/// Literal range of a result's codes and the data that narrows it.
struct Clamp {
  /// Of an element in memory.
  unsigned width = 8;
  numerics::Code code;
  std::optional<Slot> lo, hi;

  static Clamp of(Value result, integer::CodeAttr code) {
    return {widthOf(result), integer::codeOf(result, code), {}, {}};
  }
  int64_t literalLo() const { return code.min(); }
  int64_t literalHi() const { return code.max(); }
  /// Whether all bounds are values of int32.
  bool fits32() const { return width < 32 || !code.isUnsigned; }
  /// What may be added to a number of 32 bits before it is clamped, if anything may.
  std::optional<int64_t> addend() const { return fits32() ? std::optional<int64_t>(code.zero) : std::nullopt; }
  /// clamp(y) as the result type; y has 32 or 64 bits.
  Value apply(Emitter &e, Value blob, Value y) const;

private:
  Value applyPacked(Emitter &e, Value blob, Value y) const;
};

/// How vectors cover a row: `whole` columns with vectors of `lanes`, and the rest
/// with one of `tail` lanes, the last ones of the row. It overlaps its neighbour:
/// only its last `rest()` lanes are new. No tail where `rest()` is 0.
struct Columns {
  int64_t cols, lanes, whole, tail;
  /// Columns behind the row that the last vector reaches over.
  int64_t beyond = 0;

  /// `room`: columns that may be touched. With enough of it the last vector begins where the others end.
  static Columns of(const TargetDesc &target, int64_t cols, unsigned bitsPerLane, int64_t room = 0);
  int64_t rest() const { return cols - whole; }
  /// Where the last vector begins.
  int64_t tailColumn() const { return cols + beyond - tail; }
  /// Whether there are vectors at all; else all columns are `whole`, one at a time.
  bool vectors() const { return lanes > 1; }
  /// `value`, of the last `tail` lanes, with 0 in those that are not new.
  Value onlyNew(Emitter &e, Value value) const;
};

/// Calls `body(col, lanes)` so that all columns are covered: vectors first, the
/// last one overlapping its neighbour; scalars where there are too few columns or
/// `vectors` is false. `body` must be free to run twice on an element.
void forColumns(Emitter &e, const TargetDesc &target, int64_t cols, bool vectors, unsigned bitsPerLane,
                llvm::function_ref<void(Value, int64_t)> body);

/// Values carried over the vectors of a row: `body(col, isNew, carried)`
/// gives the next ones. The last vector has as many lanes as the others; where
/// `isNew` is not null, only its lanes where it is true were not seen before.
Values reduceColumns(Emitter &e, const Columns &columns, ValueRange inits,
                     llvm::function_ref<Values(Value, Value, ValueRange)> body);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_RESCALE_H
