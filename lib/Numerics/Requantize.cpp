//===- Requantize.cpp - Rounding shifts and dyadic rescaling -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Requantize.h"

#include <cmath>

using namespace vitq::numerics;

double Dyadic::toReal() const { return std::ldexp(multiplier, -shift); }

std::optional<Dyadic> vitq::numerics::dyadicFromReal(double ratio, unsigned mantissaBits) {
  assert(mantissaBits >= 2 && mantissaBits <= 31 && "mantissa width");
  if (!std::isfinite(ratio))
    return std::nullopt;
  if (ratio == 0.0)
    return Dyadic{};

  int exponent = 0;
  const double fraction = std::frexp(ratio, &exponent);
  const int bits = static_cast<int>(mantissaBits);
  // Scaling by a power of two is exact, and std::round goes half away.
  auto multiplier = static_cast<int64_t>(std::round(std::ldexp(fraction, bits)));
  int shift = bits - exponent;
  if (multiplier == int64_t(1) << bits || multiplier == -(int64_t(1) << bits)) {
    multiplier /= 2;
    --shift;
  }
  if (shift < 1)
    return std::nullopt;
  if (shift > 62)
    return Dyadic{};
  return Dyadic{static_cast<int32_t>(multiplier), shift};
}
