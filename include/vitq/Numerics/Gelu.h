//===- Gelu.h - ShiftGELU over one row --------------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See docs/Numerics.md, GELU. Element-wise functions of 8-bit
// codes are tables instead (Table.h).
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_GELU_H
#define VITQ_NUMERICS_GELU_H

#include "vitq/Numerics/ShiftExp.h"

#include <cstdint>

namespace vitq::numerics {

/// x0 = floor(-1 / (1.702 * scale)): GELU(x) ~ x * sigmoid(1.702 x).
inline int64_t shiftGeluX0(double scale) { return shiftX0(1.702 * scale); }

/// The recommended n = max(8, ceil(2.46 * scale * amax) + 6), at most 30, for
/// codes up to amax in magnitude; use a 62-bit reciprocal with it.
unsigned shiftGeluBits(double scale, double amax);

/// With m = max of the row, E = shiftExp(a - m, x0, n), Em = shiftExp(-m, x0,
/// n), M = reciprocalBits (31 as published, 62 recommended), k = outBits (8):
///   s = min(floor(E * floor((2^M-1) / min(E+Em, 2^M-1)) / 2^(M-k+1)),
///           2^(k-1) - 1)
///   out = a * s, of scale inScale * 2^-(k-1).
/// Codes are signed with zero point 0; |a| < 2^24 keeps out in int32 for k = 8.
/// E*F < 2^62 always. The last min acts only when E alone exceeds 2^M - 1.
/// Em with m < 0 saturates at kShiftExpMax (shiftExp). out == in allowed.
void shiftGeluRow(const int32_t *in, int32_t *out, int64_t channels, int64_t x0, unsigned n = 23,
                  unsigned reciprocalBits = 31, unsigned outBits = 8);

/// I-BERT's GELU (docs/Numerics.md, GELU by a polynomial) of a code: with
/// erf(t) ~ sgn(t) * (1 - a * (min(|t|, c) - c)^2), a = 0.2888, c = 1.769, and t the
/// argument over sqrt 2 in steps of S/sqrt 2,
///   one = floor(2 / (a * S^2)), clip = floor(c * sqrt 2 / S),
///   y = q * (one + sgn(q) * (one - (min(|q|, clip) - clip)^2)), of scale S / (2 * one).
struct PolyGelu {
  int64_t clip = 0; ///< >= 0
  int64_t one = 1;  ///< >= 1

  int64_t evaluate(int64_t q) const {
    const int64_t magnitude = q < 0 ? -q : q, beyond = (magnitude < clip ? magnitude : clip) - clip;
    const int64_t erf = one - beyond * beyond;
    return q * (one + (q > 0 ? erf : q < 0 ? -erf : 0));
  }
  /// Whether every intermediate of codes up to `magnitude` fits 32 bits.
  bool fits(int64_t magnitude) const;
};

/// Constants for an input step. Precondition: 0 < scale < 2.6, so that one >= 1.
PolyGelu polyGeluConstants(double scale);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_GELU_H
