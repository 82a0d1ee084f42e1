//===- Interpolation.h - Functions of 16-bit codes --------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A function of a 16-bit code as a table with linear interpolation between its
// entries, constant below the table and the identity above it. See
// docs/Numerics.md, Interpolation.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_INTERPOLATION_H
#define VITQ_NUMERICS_INTERPOLATION_H

#include "vitq/Numerics/Requantize.h"

#include <array>
#include <cstdint>
#include <functional>

namespace vitq::numerics {

/// 1024 intervals have 1025 ends.
inline constexpr int64_t kInterpolationIntervals = 1024;
using InterpolationTable = std::array<int16_t, kInterpolationIntervals + 1>;

/// Where a table lies: entry i stands for the code start + (i << shift).
struct Interpolation {
  int64_t start = 0;  ///< a 16-bit code
  unsigned shift = 0; ///< 0..6; 6 covers all 2^16 codes from the lowest one
  Dyadic tail;        ///< > 0; inScale / outScale makes the tail the identity

  /// The first code of the tail.
  int64_t end() const { return start + (kInterpolationIntervals << shift); }
};

/// With d = x - start, i = d >> shift, f = d - (i << shift):
///   table[0]                                                      if d < 0,
///   clamp16(round-half-up(x * tail))                              if x >= end(),
///   table[i] + (((table[i+1] - table[i])*f + (2^shift >> 1)) >> shift)  else.
/// The last lies between its two entries; every intermediate fits int32, the
/// product of the tail int64. x is a 16-bit code, both zero points are 0.
int64_t interpolate(int64_t x, const int16_t *table, const Interpolation &at);

/// The same for `n` codes; out == in allowed.
void interpolateRow(const int32_t *in, int32_t *out, int64_t n, const int16_t *table, const Interpolation &at);

/// entry[i] = fn(inScale * (start + (i << shift))) / outScale, rounded half up
/// and clamped to 16 bits. Preconditions: outScale > 0, those of Interpolation.
InterpolationTable buildInterpolationTable(const std::function<double(double)> &fn, double inScale, double outScale,
                                           int64_t start, unsigned shift);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_INTERPOLATION_H
