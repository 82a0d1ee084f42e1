//===- Gelu.cpp - ShiftGELU over one row -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Gelu.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

using namespace vitq::numerics;

unsigned vitq::numerics::shiftGeluBits(double scale, double amax) {
  const double bits = std::ceil(2.46 * scale * amax) + 6.0;
  return static_cast<unsigned>(std::clamp(bits, 8.0, 30.0));
}

void vitq::numerics::shiftGeluRow(const int32_t *in, int32_t *out, int64_t channels, int64_t x0, unsigned n,
                                  unsigned reciprocalBits, unsigned outBits) {
  assert(channels >= 1 && reciprocalBits <= 62 && outBits >= 2 && outBits <= 16 && reciprocalBits + 1 >= outBits &&
         "malformed ShiftGELU");
  const int64_t numerator = (int64_t(1) << reciprocalBits) - 1;
  const int64_t rowMax = *std::max_element(in, in + channels);
  const int64_t expOfMax = shiftExp(-rowMax, x0, n);
  const unsigned shift = reciprocalBits - outBits + 1;
  const int64_t top = (int64_t(1) << (outBits - 1)) - 1;
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t a = in[c];
    const int64_t e = shiftExp(a - rowMax, x0, n);
    const int64_t factor = numerator / std::min(e + expOfMax, numerator);
    out[c] = static_cast<int32_t>(a * std::min(e * factor >> shift, top));
  }
}

bool vitq::numerics::PolyGelu::fits(int64_t magnitude) const {
  constexpr int64_t limit = std::numeric_limits<int32_t>::max();
  if (clip < 0 || one < 1 || clip > 46340 || one > limit / 4)
    return false;
  // |erf| <= max(one, clip^2 - one).
  const int64_t erf = std::max(one, clip * clip - one);
  return magnitude * (one + erf) <= limit;
}

vitq::numerics::PolyGelu vitq::numerics::polyGeluConstants(double scale) {
  constexpr double a = 0.2888, c = 1.769;
  assert(scale > 0 && "no input step");
  // Steps so small that the constants do not fit are refused by `fits`.
  constexpr double most = 0x1p40;
  return {static_cast<int64_t>(std::floor(std::min(c * std::sqrt(2.0) / scale, most))),
          std::max<int64_t>(1, static_cast<int64_t>(std::floor(std::min(2.0 / (a * scale * scale), most))))};
}
