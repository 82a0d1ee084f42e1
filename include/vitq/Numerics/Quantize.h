//===- Quantize.h - Real numbers to codes, choice of scales -----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compile-time arithmetic: the only place where reals become codes.
// See docs/Numerics.md, Reals to codes.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_QUANTIZE_H
#define VITQ_NUMERICS_QUANTIZE_H

#include "vitq/Numerics/Requantize.h"

#include <cstdint>
#include <vector>

namespace vitq::numerics {

/// A closed range of integers.
struct Interval {
  int64_t min = 0;
  int64_t max = 0;

  friend bool operator==(Interval a, Interval b) { return a.min == b.min && a.max == b.max; }
};

/// All codes of a type: [-2^(bits-1), 2^(bits-1) - 1] or [0, 2^bits - 1];
/// bits in 1..62.
inline Interval codeRange(int bits, bool isSigned) {
  assert(bits >= 1 && bits <= 62 && "width out of range");
  const int64_t one = 1;
  if (isSigned)
    return {-(one << (bits - 1)), (one << (bits - 1)) - 1};
  return {0, (one << bits) - 1};
}

/// A finite real rounded to an integer-valued real; exact in double.
double roundReal(double x, Rounding rounding);

/// clamp(zeroPoint + round(x / scale), lo, hi). It divides (no product with a
/// reciprocal) and clamps before narrowing, so large values and infinities
/// saturate; NaN gives clamp(zeroPoint). Preconditions: scale > 0,
/// |zeroPoint| < 2^61, lo <= hi.
int64_t quantizeReal(double x, double scale, int64_t zeroPoint, int64_t lo, int64_t hi,
                     Rounding rounding = Rounding::HalfEven);

/// scale * (code - zeroPoint).
inline double dequantize(int64_t code, double scale, int64_t zeroPoint = 0) {
  return scale * static_cast<double>(code - zeroPoint);
}

/// Ranges below this are widened to it, so that a scale is never subnormal as
/// a 32-bit float.
inline constexpr double kTinyRange = 0x1p-100;

/// Scale of a symmetric quantizer (zero point 0) of `bits` >= 2 bits for
/// values of magnitude up to absMax:
///   max(absMax * headroom, kTinyRange) / (2^(bits-1) - 1);
/// an all-zero range gives 1. Preconditions: absMax finite and >= 0,
/// headroom > 0 (1.1 = ten per cent above the calibrated range).
double symmetricScale(double absMax, int bits, double headroom = 1.0);

struct ScaleZeroPoint {
  double scale = 1.0;
  int64_t zeroPoint = 0;
};

/// Scale and zero point of an asymmetric quantizer for [min, max], widened to
/// contain 0 and multiplied by `headroom`:
///   scale = (max - min) / (2^bits - 1), zeroPoint = qmin - rne(min / scale).
/// Real 0 is exactly the code zeroPoint, which lies in the code range.
/// Rounding the zero point moves the range by at most half a step, so an end
/// of the range is still represented to half a step. An all-zero range gives
/// scale 1 and zero point 0 clamped to the code range. Preconditions: min <=
/// max, both finite; bits in 1..31.
ScaleZeroPoint asymmetricScale(double min, double max, int bits, bool isSigned = false, double headroom = 1.0);

/// A closed range of reals; finite, min <= max.
struct RealInterval {
  double min = 0;
  double max = 0;
};

/// The smallest scale at which codes with this zero point reach both ends of
/// `range`, widened to contain 0. A side of 0 without codes (zeroPoint is that end of
/// the codes) is left out where it is shorter than half a step of the other, which
/// rounding covers; otherwise the scale is infinite. An all-zero range gives 1.
double scaleAround(RealInterval range, int64_t zeroPoint, Interval codes);

/// The zero point for channels that have scales of their own and share it: the one at
/// which the squares of the channels' steps, each in units of the step that it would
/// have with a zero point of its own, have the smallest sum. So no channel, narrow
/// or lopsided as it may be, takes the codes of others away. Ties: the smallest. Without
/// a channel that is not all zero, 0 clamped to the codes. The mean of these
/// squares, at least 1, is `*cost` unless null.
int64_t sharedZeroPoint(const std::vector<RealInterval> &channels, Interval codes, double *cost = nullptr);
/// That mean for one zero point.
double zeroPointCost(const std::vector<RealInterval> &channels, int64_t zeroPoint, Interval codes);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_QUANTIZE_H
