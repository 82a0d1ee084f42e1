//===- ShiftExp.cpp - Exponential by shifts -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/ShiftExp.h"

#include "vitq/Numerics/Requantize.h"

#include <algorithm>
#include <cassert>
#include <cmath>

using namespace vitq::numerics;

int64_t vitq::numerics::shiftX0(double scale) {
  assert(scale > 0.0 && "scale must be positive");
  return static_cast<int64_t>(std::clamp(std::floor(-1.0 / scale), -0x1p30, -1.0));
}

int64_t vitq::numerics::shiftExp(int64_t a, int64_t x0, unsigned n) {
  assert(x0 <= -1 && x0 >= -(int64_t(1) << 30) && n <= 30 && a <= (int64_t(1) << 33) && a >= -(int64_t(1) << 33) &&
         "shiftExp operand out of range");
  const int64_t bits = n;
  const int64_t p = std::max(a + (a >> 1) - (a >> 4), bits * x0);
  const int64_t q = floorDiv(p, x0);
  // The remainder has the sign of x0, so the mantissa is in (|x0|, 2|x0|].
  const int64_t mantissa = p - q * x0 - 2 * x0;
  const int64_t shift = bits - q - 1;
  if (shift < 0)
    return mantissa >> 1;
  if (shift >= 62 || mantissa > (kShiftExpMax >> shift))
    return kShiftExpMax;
  return mantissa << shift;
}
