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

/// How long sums of products may stay in 16 bits. K products are taken in steps of `group` (the last may have less),
/// of each of which the first half is added to one sum and the second to another, modulo 2^16 but for the halves
/// themselves, which saturate. Gives the largest power of two c, not more than need be for all steps, such that both
/// sums fit after the steps 0 to c - 1, c to 2c - 1 and so on, begun at 0, whatever x[k] in [lhsLo, lhsHi] are; 0 if
/// half a group does not fit. The precondition is that of dotBound.
int64_t shortSumSteps(const int8_t *w, int64_t k, int64_t lhsLo, int64_t lhsHi, int64_t group, int64_t stride = 1);

/// The same for right operands of which only the range is known.
int64_t shortSumSteps(Interval rhs, int64_t k, int64_t lhsLo, int64_t lhsHi, int64_t group);

/// The interval shifted by a bias.
inline Interval addConstant(Interval a, int64_t c) { return {a.min + c, a.max + c}; }
/// The smallest interval containing both: per-channel bounds to a tensor's.
inline Interval unite(Interval a, Interval b) { return {std::min(a.min, b.min), std::max(a.max, b.max)}; }

/// Width of the narrowest two's complement type holding the interval (>= 1).
int signedBitsFor(Interval range);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_BOUNDS_H
