//===- PiecewiseLinear.cpp - Functions as a few lines -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/PiecewiseLinear.h"

#include "vitq/Numerics/Requantize.h"

#include <algorithm>

using namespace vitq::numerics;

size_t PiecewiseLinear::entryOf(int64_t q) const {
  return static_cast<size_t>(std::upper_bound(breakpoints.begin(), breakpoints.end(), q) - breakpoints.begin());
}

int64_t PiecewiseLinear::evaluate(int64_t q) const {
  const size_t i = entryOf(q);
  return static_cast<int64_t>(slopes[i]) * q + intercepts[i];
}

bool PiecewiseLinear::fits(int64_t lo, int64_t hi) const {
  for (size_t i = 0; i < entries(); ++i)
    for (int64_t q : {lo, hi}) {
      const int64_t y = static_cast<int64_t>(slopes[i]) * q + intercepts[i];
      if (y != saturateInt32(y))
        return false;
    }
  return true;
}
