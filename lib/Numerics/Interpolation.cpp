//===- Interpolation.cpp - Functions of 16-bit codes -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Interpolation.h"

#include "vitq/Numerics/Quantize.h"

using namespace vitq::numerics;

int64_t vitq::numerics::interpolate(int64_t x, const int16_t *table, const Interpolation &at) {
  assert(x >= INT16_MIN && x <= INT16_MAX && at.start >= INT16_MIN && at.start <= INT16_MAX && at.shift <= 6 &&
         at.tail.multiplier > 0 && "malformed interpolation");
  const int64_t distance = x - at.start;
  if (distance < 0)
    return table[0];
  if (x >= at.end())
    return requantize(x, at.tail, Rounding::HalfUp, 0, INT16_MIN, INT16_MAX);
  const int64_t i = distance >> at.shift;
  const int64_t fraction = distance - (i << at.shift);
  const int64_t step = table[i + 1] - table[i];
  return table[i] + ((step * fraction + ((1 << at.shift) >> 1)) >> at.shift);
}

void vitq::numerics::interpolateRow(const int32_t *in, int32_t *out, int64_t n, const int16_t *table,
                                    const Interpolation &at) {
  for (int64_t i = 0; i < n; ++i)
    out[i] = static_cast<int32_t>(interpolate(in[i], table, at));
}

InterpolationTable vitq::numerics::buildInterpolationTable(const std::function<double(double)> &fn, double inScale,
                                                           double outScale, int64_t start, unsigned shift) {
  assert(shift <= 6 && "shift out of range");
  InterpolationTable table{};
  for (int64_t i = 0; i <= kInterpolationIntervals; ++i) {
    const double x = dequantize(start + (i << shift), inScale);
    table[i] = static_cast<int16_t>(quantizeReal(fn(x), outScale, 0, INT16_MIN, INT16_MAX, Rounding::HalfUp));
  }
  return table;
}
