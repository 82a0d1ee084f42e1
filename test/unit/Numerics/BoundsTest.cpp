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

} // namespace
