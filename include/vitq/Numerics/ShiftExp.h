//===- ShiftExp.h - Exponential by shifts -----------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The exponential shared by Shiftmax and ShiftGELU. See docs/Numerics.md,
// shiftExp.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_SHIFTEXP_H
#define VITQ_NUMERICS_SHIFTEXP_H

#include <cstdint>

namespace vitq::numerics {

/// Largest value of shiftExp; two of them still add within int64.
inline constexpr int64_t kShiftExpMax = (int64_t(1) << 62) - 1;

/// floor(-1 / scale), one octave in units of `scale` after the log2(e) factor;
/// in [-2^30, -1]. Precondition: scale > 0.
int64_t shiftX0(double scale);

/// About |x0| * 2^n * exp(scale * a), scale = -1/x0:
///   p = a + (a >> 1) - (a >> 4), p = max(p, n*x0), q = floor(p/x0),
///   r = p - q*x0 in (x0, 0],
///   E = (r - 2*x0) << (n-q-1) if n-q >= 1, else (r - 2*x0) >> 1.
/// At least 1. a > 0 makes q negative and the shift larger than n: a result
/// above kShiftExpMax saturates to it. For a <= 0, E <= |x0| * 2^n.
/// Preconditions: |a| <= 2^33, x0 in [-2^30, -1], n in 0..30.
int64_t shiftExp(int64_t a, int64_t x0, unsigned n);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_SHIFTEXP_H
