//===- Bounds.h - Ranges of accumulators ------------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Per-output-channel bounds of integer dot products (docs/Rules.md, R3).
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_BOUNDS_H
#define VITQ_NUMERICS_BOUNDS_H

#include "vitq/Numerics/Quantize.h"

#include <cstdint>

namespace vitq::numerics {

/// {min, max} of sum over k < K of w[k*stride] * x[k], each x[k] anywhere in
/// [lhsLo, lhsHi]. Both ends are attained. Also bounds every partial sum when
/// lhsLo <= 0 <= lhsHi. Precondition: 128 * K * max(|lhsLo|, |lhsHi|) < 2^63.
Interval dotBound(const int8_t *w, int64_t k, int64_t lhsLo, int64_t lhsHi, int64_t stride = 1);

/// The same for 32-bit weights; 2^31 * K * max(|lhsLo|, |lhsHi|) < 2^63.
Interval dotBound(const int32_t *w, int64_t k, int64_t lhsLo, int64_t lhsHi, int64_t stride = 1);

/// {min, max} of a product of one value of each range.
Interval productBound(Interval a, Interval b);

/// {min, max} of a sum of K such products: activations times activations.
Interval dotBound(Interval a, Interval b, int64_t k);

/// The interval shifted by a bias.
inline Interval addConstant(Interval a, int64_t c) { return {a.min + c, a.max + c}; }
/// The smallest interval containing both: per-channel bounds to a tensor's.
inline Interval unite(Interval a, Interval b) { return {std::min(a.min, b.min), std::max(a.max, b.max)}; }

/// Width of the narrowest two's complement type holding the interval (>= 1).
int signedBitsFor(Interval range);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_BOUNDS_H
