//===- Thresholds.h - Quantizers made of comparisons ------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A requantization to few levels as the number of thresholds that a value has
// reached: no multiplication (docs/Rules.md, R6).
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_THRESHOLDS_H
#define VITQ_NUMERICS_THRESHOLDS_H

#include "vitq/Numerics/Bounds.h"
#include "vitq/Numerics/Requantize.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace vitq::numerics {

/// T[k-1], k = 1 .. hi - lo: the smallest x of `inputs` for which
///   requantize(x - inputZeroPoint, d, rounding, zeroPoint, lo, hi) >= lo + k,
/// found by bisection on the requantization itself, so that lo + #{k : x >= T[k]} is
/// equal to it for every x of `inputs`, ties included. inputs.max + 1 stands for a
/// level that no input reaches. nullopt if d is negative (the function would fall) or
/// such a number does not fit 32 bits. Preconditions: those of requantize.
std::optional<std::vector<int32_t>> requantizeThresholds(Dyadic d, Rounding rounding, int64_t inputZeroPoint,
                                                         int64_t zeroPoint, int64_t lo, int64_t hi, Interval inputs);

/// lo + #{k < levels : x >= thresholds[k * stride]}. stride: channels, where every
/// channel has thresholds of its own, stored level by level.
inline int64_t thresholdCode(int64_t x, const int32_t *thresholds, int64_t levels, int64_t stride, int64_t lo) {
  for (int64_t k = 0; k < levels; ++k)
    lo += x >= thresholds[k * stride];
  return lo;
}

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_THRESHOLDS_H
