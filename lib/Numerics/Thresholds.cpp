//===- Thresholds.cpp - Quantizers made of comparisons -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Thresholds.h"

using namespace vitq::numerics;

std::optional<std::vector<int32_t>> vitq::numerics::requantizeThresholds(Dyadic d, Rounding rounding,
                                                                         int64_t inputZeroPoint, int64_t zeroPoint,
                                                                         int64_t lo, int64_t hi, Interval inputs) {
  if (d.multiplier < 0)
    return std::nullopt;
  std::vector<int32_t> thresholds;
  int64_t first = inputs.min;
  for (int64_t level = lo + 1; level <= hi; ++level) {
    // The function never falls: no level is reached before the one below it.
    int64_t last = inputs.max + 1;
    while (first < last) {
      const int64_t middle = first + (last - first) / 2;
      if (requantize(middle - inputZeroPoint, d, rounding, zeroPoint, lo, hi) >= level)
        last = middle;
      else
        first = middle + 1;
    }
    if (first != saturateInt32(first))
      return std::nullopt;
    thresholds.push_back(static_cast<int32_t>(first));
  }
  return thresholds;
}
