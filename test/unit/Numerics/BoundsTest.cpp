//===- BoundsTest.cpp - Ranges of accumulators ----------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Bounds.h"

#include "gtest/gtest.h"

#include <random>
#include <vector>

using namespace vitq::numerics;

namespace {

TEST(DotBound, AttainedAndNeverExceeded) {
  std::mt19937_64 rng(13);
  std::vector<int8_t> w(64);
  for (int8_t &v : w)
    v = static_cast<int8_t>(rng());
  w[5] = -128;
  for (Interval x : {Interval{-128, 127}, {0, 255}, {-7, -3}, {5, 9}}) {
    const Interval bound = dotBound(w.data(), 64, x.min, x.max);
    int64_t low = 0, high = 0;
    for (int8_t v : w) {
      low += std::min(v * x.min, v * x.max);
      high += std::max(v * x.min, v * x.max);
    }
    EXPECT_EQ(bound, (Interval{low, high}));
    for (int i = 0; i < 100; ++i) {
      int64_t sum = 0;
      for (int8_t v : w)
        sum += v * (x.min + int64_t(rng() % uint64_t(x.max - x.min + 1)));
      EXPECT_GE(sum, bound.min);
      EXPECT_LE(sum, bound.max);
    }
  }
}

TEST(DotBound, StrideAndWideWeights) {
  const int8_t w[] = {1, 100, -2, 100, 3, 100};
  EXPECT_EQ(dotBound(w, 3, -1, 2, 2), (Interval{-8, 10}));
  const int32_t wide[] = {100000, -100000};
  EXPECT_EQ(dotBound(wide, 2, 0, 10), (Interval{-1000000, 1000000}));
  EXPECT_EQ(dotBound(w, 0, -1, 1), Interval{});
}

TEST(DotBound, ProductsAndWidths) {
  EXPECT_EQ(productBound({-128, 127}, {-128, 127}), (Interval{-16256, 16384}));
  EXPECT_EQ(dotBound(Interval{-128, 127}, Interval{0, 255}, 64), (Interval{-128 * 255 * 64, 127 * 255 * 64}));
  EXPECT_EQ(addConstant({-1, 2}, 10), (Interval{9, 12}));
  EXPECT_EQ(unite({-1, 2}, {0, 5}), (Interval{-1, 5}));
  EXPECT_EQ(signedBitsFor({0, 0}), 1);
  EXPECT_EQ(signedBitsFor({-1, 0}), 1);
  EXPECT_EQ(signedBitsFor({-128, 127}), 8);
  EXPECT_EQ(signedBitsFor({-129, 0}), 9);
  EXPECT_EQ(signedBitsFor({0, 128}), 9);
  EXPECT_EQ(signedBitsFor({INT32_MIN, INT32_MAX}), 32);
  EXPECT_EQ(signedBitsFor({INT64_MIN, INT64_MAX}), 64);
  // docs/Rules.md, R3: K = 384, symmetric weights: int8 needs 24 bits.
  const std::vector<int8_t> w(384, -127);
  EXPECT_EQ(signedBitsFor(dotBound(w.data(), 384, -128, 127)), 24);
}

/// The definition, tried for one number of steps.
bool fits(const std::vector<int8_t> &w, Interval x, int64_t group, int64_t steps) {
  const auto k = static_cast<int64_t>(w.size()), half = group / 2;
  for (int64_t first = 0; first < k; first += steps * group)
    for (int64_t h = 0; h < 2; ++h) {
      Interval sum;
      for (int64_t i = 0; i < steps * group && first + i < k; ++i)
        if (i / half % 2 == h) {
          const int64_t a = w[first + i] * x.min, b = w[first + i] * x.max;
          sum = {sum.min + std::min(a, b), sum.max + std::max(a, b)};
        }
      if (sum.min < INT16_MIN || sum.max > INT16_MAX)
        return false;
    }
  return true;
}

TEST(ShortSumSteps, AreTheMostThatFit) {
  std::mt19937_64 rng(5);
  for (int trial = 0; trial < 2000; ++trial) {
    const int64_t k = 1 + int64_t(rng() % 150), group = trial % 2 ? 4 : 2;
    const int limit = 1 << (1 + rng() % 7);
    std::vector<int8_t> w(k);
    for (int8_t &v : w)
      v = static_cast<int8_t>(int(rng() % (2 * limit)) - limit);
    for (Interval x : {Interval{0, 255}, {-128, 127}, {0, 15}, {120, 135}}) {
      const int64_t steps = shortSumSteps(w.data(), k, x.min, x.max, group), all = (k + group - 1) / group;
      for (int64_t s = 1; s <= steps; s *= 2)
        EXPECT_TRUE(fits(w, x, group, s));
      EXPECT_TRUE(steps >= all || !fits(w, x, group, steps ? 2 * steps : 1));
      EXPECT_LT(steps, 2 * all);
    }
  }
}

TEST(ShortSumSteps, OfRanges) {
  const Interval x{0, 255};
  // Two products of a group in each sum: 2 * 255 * 2^(b-1) below 2^15 for 7 bits.
  EXPECT_EQ(shortSumSteps({-128, 127}, 384, x.min, x.max, 4), 0);
  EXPECT_EQ(shortSumSteps({-64, 63}, 384, x.min, x.max, 4), 1);
  EXPECT_EQ(shortSumSteps({-8, 7}, 384, x.min, x.max, 4), 8);
  EXPECT_EQ(shortSumSteps({-2, 1}, 384, x.min, x.max, 4), 32);
  // -128 * -8 * 32 is 2^15; of weights without -8, 32 fit.
  EXPECT_EQ(shortSumSteps({-8, 7}, 384, -128, 127, 2), 16);
  EXPECT_EQ(shortSumSteps({-7, 7}, 384, -128, 127, 2), 32);
  // No more than the steps there are.
  EXPECT_EQ(shortSumSteps({-1, 1}, 12, x.min, x.max, 4), 4);
  // As columns of the same range.
  const std::vector<int8_t> w(384, -8);
  EXPECT_EQ(shortSumSteps(w.data(), 384, 0, 255, 4), 8);
  EXPECT_EQ(shortSumSteps(w.data(), 192, 0, 255, 4, 2), 8);
}

} // namespace
