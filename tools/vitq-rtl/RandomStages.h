//===- RandomStages.h - Stages that try the units in RTL -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TOOLS_VITQRTL_RANDOMSTAGES_H
#define VITQ_TOOLS_VITQRTL_RANDOMSTAGES_H

#include "vitq/Numerics/Quantize.h"
#include "vitq/Simulator/Stages.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace vitq::rtl {

/// Draws numbers, extremes of a range more often than others.
class Draw {
public:
  explicit Draw(std::mt19937_64 &rng) : rng(rng) {}
  int64_t pick(int64_t lo, int64_t hi) { return std::uniform_int_distribution<int64_t>(lo, hi)(rng); }
  bool flip() { return pick(0, 1) != 0; }
  int64_t extreme(int64_t lo, int64_t hi) {
    switch (pick(0, 9)) {
    case 0:
      return lo;
    case 1:
      return hi;
    case 2:
      return std::clamp<int64_t>(pick(-2, 2), lo, hi);
    default:
      return pick(lo, hi);
    }
  }
  /// Of a random length.
  int64_t ofAnySize(int64_t lo, int64_t hi) {
    const int64_t value = extreme(lo, hi);
    return std::clamp(value >> pick(0, 40), lo, hi);
  }
  template <typename T>
  std::vector<T> all(int64_t n, int64_t lo, int64_t hi) {
    std::vector<T> values;
    for (int64_t i = 0; i < n; ++i)
      values.push_back(static_cast<T>(extreme(lo, hi)));
    return values;
  }

private:
  std::mt19937_64 &rng;
};

/// Makes random stages for rows of so many channels, and says what their input may be.
class StageMaker {
public:
  StageMaker(Draw &draw, int64_t channels, int64_t batches) : draw(draw), channels(channels), batches(batches) {}

  /// What a stage that comes first may read.
  numerics::Interval input{INT32_MIN, INT32_MAX};

  /// A stage by its name in assembly; of `layer_norm` also `layer_norm_lines` and `layer_norm_shift`.
  simulator::Stage make(llvm::StringRef name, bool first);

private:
  numerics::Rounding rounding() { return static_cast<numerics::Rounding>(draw.pick(0, 3)); }
  simulator::OutputRange output();
  numerics::Dyadic dyadic(bool positive = false);
  simulator::Multipliers some(int64_t n, bool positive = false);
  simulator::Multipliers each() { return some(draw.flip() ? 1 : channels); }
  simulator::Multipliers ofBatches() { return some(draw.flip() ? 1 : batches, /*positive=*/true); }
  numerics::PiecewiseLinear lines(int64_t entries, int64_t lo, int64_t hi, int64_t slope);
  numerics::PiecewiseLinear nearCurve(bool root);
  simulator::Stage threshold();
  simulator::Stage table();
  simulator::Stage pwl(bool first);
  simulator::Stage softmaxShift();
  simulator::Stage divideRows();
  simulator::Stage layerNorm(llvm::StringRef name);
  simulator::Stage normQuant();

  Draw &draw;
  int64_t channels, batches;
};

} // namespace vitq::rtl

#endif // VITQ_TOOLS_VITQRTL_RANDOMSTAGES_H
