//===- Requantize.h - Rounding shifts and dyadic rescaling ------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The arithmetic behind every change of scale. All values are codes (integers
// without a unit); `>>` of a negative value is arithmetic, i.e. floor division
// by a power of two. See docs/Numerics.md, Requantization.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_REQUANTIZE_H
#define VITQ_NUMERICS_REQUANTIZE_H

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <limits>
#include <optional>

namespace vitq::numerics {

/// What a rounding does with the fraction it drops.
///   HalfUp:   nearest, ties toward +infinity (the default of the compiler).
///   HalfEven: nearest, ties to the even neighbour.
///   HalfAway: nearest, ties away from zero.
///   Floor:    toward -infinity.
enum class Rounding { HalfUp, HalfEven, HalfAway, Floor };

/// round(p / 2^c) for c in 0..62. Defined for every int64 p: the remainder is
/// inspected instead of adding 2^(c-1), so nothing can overflow. For
/// p <= 2^63 - 1 - 2^(c-1), HalfUp equals (p + 2^(c-1)) >> c (c >= 1).
inline int64_t roundShift(int64_t p, unsigned c, Rounding rounding) {
  assert(c <= 62 && "shift out of range");
  if (c == 0)
    return p;
  const int64_t quotient = p >> c;
  const uint64_t rest = static_cast<uint64_t>(p) & ((uint64_t(1) << c) - 1);
  const uint64_t half = uint64_t(1) << (c - 1);
  switch (rounding) {
  case Rounding::HalfUp:
    return quotient + (rest >= half);
  case Rounding::HalfEven:
    return quotient + (rest > half || (rest == half && (quotient & 1)));
  case Rounding::HalfAway:
    return quotient + (p >= 0 ? rest >= half : rest > half);
  case Rounding::Floor:
    break;
  }
  return quotient;
}

/// The rational multiplier / 2^shift, shift in 1..62. The multiplier may be
/// negative (a LayerNorm channel with negative gamma).
struct Dyadic {
  int32_t multiplier = 0;
  int32_t shift = 1;

  double toReal() const;

  friend bool operator==(Dyadic a, Dyadic b) { return a.multiplier == b.multiplier && a.shift == b.shift; }
  friend bool operator!=(Dyadic a, Dyadic b) { return !(a == b); }
};

/// The dyadic nearest to `ratio` whose multiplier has exactly `mantissaBits`
/// (2..31) bits: 2^(bits-1) <= |multiplier| < 2^bits, rounded half away from
/// zero, renormalised when the rounding reaches 2^bits (docs/Numerics.md).
///   0, and ratios whose shift would exceed 62 (|ratio| < 2^(bits-63), so that
///   |x * ratio| < 1/2 for every |x| <= 2^31), give {0, 1}.
///   Ratios whose shift would be below 1 (|ratio| >= 2^(bits-1), after
///   rounding), NaN and infinities give nullopt.
std::optional<Dyadic> dyadicFromReal(double ratio, unsigned mantissaBits = 31);

/// round(x * D), not clamped. Precondition |x| <= 2^31 (any int32, and its
/// negation): the product is at most 2^62 in magnitude.
inline int64_t rescale(int64_t x, Dyadic d, Rounding rounding) {
  assert(x >= -(int64_t(1) << 31) && x <= (int64_t(1) << 31) && "operand of a dyadic product exceeds 32 bits");
  assert(d.shift >= 0 && d.shift <= 62 && "shift out of range");
  return roundShift(x * d.multiplier, static_cast<unsigned>(d.shift), rounding);
}

/// clamp(zeroPoint + round(x * D), lo, hi): accumulator to code.
/// Preconditions: |x| <= 2^31, |zeroPoint| <= 2^32, lo <= hi.
inline int64_t requantize(int64_t x, Dyadic d, Rounding rounding, int64_t zeroPoint, int64_t lo, int64_t hi) {
  return std::clamp(zeroPoint + rescale(x, d, rounding), lo, hi);
}

/// clamp(zeroPoint + round(a * Da) + round(b * Db), lo, hi): the residual add.
/// The operands (input zero points already subtracted) are rounded separately
/// (docs/Rules.md, R12), so either side may be rescaled by itself. Preconditions:
/// |a|, |b| <= 2^31, |zeroPoint| <= 2^32, lo <= hi. Each product is below 2^62
/// and each shift at least 1, so the sum stays within int64.
inline int64_t requantizeAdd(int64_t a, Dyadic da, int64_t b, Dyadic db, Rounding rounding, int64_t zeroPoint,
                             int64_t lo, int64_t hi) {
  return std::clamp(zeroPoint + rescale(a, da, rounding) + rescale(b, db, rounding), lo, hi);
}

/// `x` limited to the int32 range.
inline int64_t saturateInt32(int64_t x) {
  return std::clamp<int64_t>(x, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
}

/// Floor and ceiling of a / b for b != 0, signs as in mathematics (C++ `/`
/// truncates). Precondition: not (a == INT64_MIN and b == -1).
inline int64_t floorDiv(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return q - (a % b != 0 && ((a < 0) != (b < 0)));
}
inline int64_t ceilDiv(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return q + (a % b != 0 && ((a < 0) == (b < 0)));
}

/// a / b rounded half to even, b >= 1, |a| < 2^62.
inline int64_t divideHalfEven(int64_t a, int64_t b) {
  assert(b >= 1 && "divisor must be positive");
  const int64_t q = floorDiv(a, b);
  const int64_t r = a - q * b; // 0 <= r < b
  return q + (r > b - r || (r == b - r && (q & 1)));
}

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_REQUANTIZE_H
