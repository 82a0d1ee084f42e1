//===- ReciprocalLines.cpp - Reciprocals of rows by lines -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/ReciprocalLines.h"

using namespace vitq::numerics;

/// floor(y * 2^exponent)
static int64_t shifted(int64_t y, int exponent) { return exponent >= 0 ? y << exponent : y >> -exponent; }

int64_t vitq::numerics::reciprocalByLines(int64_t v, const PiecewiseLinear &lines) {
  assert(v >= 1 && v < int64_t(1) << 31 && "reciprocal out of range");
  const RangeScaling::Scaled scaled = kReciprocalCodes.reduce(static_cast<uint64_t>(v));
  // 2^40 / (code * 2^(3g)) = (2^32 / code) * 2^(8 - 3g)
  return shifted(lines.evaluate(static_cast<int64_t>(scaled.code)),
                 8 + kReciprocalCodes.reciprocalExponent(scaled.group));
}

int64_t vitq::numerics::inverseRootByLines(int64_t v, const PiecewiseLinear &lines) {
  assert(v >= 1 && v < int64_t(1) << 52 && "inverse root out of range");
  const RangeScaling::Scaled scaled = kInverseRootCodes.reduce(static_cast<uint64_t>(v));
  // 2^40 / sqrt(code * 2^(4g)) = (2^27 / sqrt(code)) * 2^(13 - 2g)
  return shifted(lines.evaluate(static_cast<int64_t>(scaled.code)), 13 + kInverseRootCodes.rootExponent(scaled.group));
}

template <typename Holds>
static bool holdsAtAllCodes(const RangeScaling &codes, const PiecewiseLinear &lines, Holds holds) {
  for (int64_t c = int64_t(1) << (codes.bits - codes.octaves); c < int64_t(1) << codes.bits; ++c) {
    const int64_t y = lines.evaluate(c);
    // Twice the largest value of either function; squares stay within 64 bits.
    if (y < 1 || y > int64_t(1) << 24 || !holds(y, c))
      return false;
  }
  return true;
}

bool vitq::numerics::reciprocalLinesFit(const PiecewiseLinear &lines) {
  return holdsAtAllCodes(kReciprocalCodes, lines, [](int64_t y, int64_t c) {
    return y * (c + 1) <= int64_t(1) << 32 && 8 * y * c >= int64_t(5) << 32;
  });
}

bool vitq::numerics::inverseRootLinesFit(const PiecewiseLinear &lines) {
  return holdsAtAllCodes(kInverseRootCodes, lines, [](int64_t y, int64_t c) {
    return y * y * (c + 1) <= int64_t(1) << 54 && 4 * y * y * c >= int64_t(1) << 54;
  });
}
