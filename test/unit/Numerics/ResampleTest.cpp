//===- ResampleTest.cpp - Weights as integers over one divisor -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Resample.h"

#include "gtest/gtest.h"

#include <cmath>
#include <numeric>

using namespace vitq::numerics;

TEST(ResampleTest, LeastDivisor) {
  RationalWeights doubled = rationalWeights({0.75, 0.25, 0.25, 0.75}, 2, 1024);
  EXPECT_TRUE(doubled.isExact);
  EXPECT_EQ(doubled.divisor, 4);
  EXPECT_EQ(doubled.weights, (std::vector<int64_t>{3, 1, 1, 3}));
  // The mean of two at a border, of three inside.
  RationalWeights mean = rationalWeights({0.5, 0.5, 0, 1.0 / 3, 1.0 / 3, 1.0 / 3}, 3, 1024);
  EXPECT_EQ(mean.divisor, 6);
  EXPECT_EQ(mean.weights, (std::vector<int64_t>{3, 3, 0, 2, 2, 2}));
  EXPECT_EQ(rationalWeights({1.0}, 1, 1).divisor, 1);
}

/// Corners aligned: the weights are multiples of 1 / (outputs - 1).
TEST(ResampleTest, EveryRatioOfSizes) {
  for (int from = 2; from < 40; ++from)
    for (int to = 2; to < 40; ++to) {
      std::vector<double> weights;
      for (int i = 0; i < to; ++i) {
        const double at = static_cast<double>(i) * (from - 1) / (to - 1), rest = at - std::floor(at);
        weights.insert(weights.end(), {1 - rest, rest});
      }
      RationalWeights rational = rationalWeights(weights, 2, 1024);
      EXPECT_TRUE(rational.isExact);
      EXPECT_EQ((to - 1) % rational.divisor, 0) << from << " to " << to;
      for (size_t i = 0; i < weights.size(); ++i)
        EXPECT_NEAR(static_cast<double>(rational.weights[i]) / static_cast<double>(rational.divisor), weights[i], 1e-6);
    }
}

TEST(ResampleTest, RoundedWeightsAddUp) {
  const std::vector<double> weights = {0.1234567, 0.3333339, 0.5432094, -0.1, 0.7071068, 0.3928932};
  RationalWeights rational = rationalWeights(weights, 3, 64);
  EXPECT_FALSE(rational.isExact);
  EXPECT_EQ(rational.divisor, 64);
  for (size_t first : {0, 3})
    EXPECT_EQ(std::accumulate(&rational.weights[first], &rational.weights[first] + 3, int64_t(0)), 64);
  for (size_t i = 0; i < weights.size(); ++i)
    EXPECT_NEAR(static_cast<double>(rational.weights[i]) / 64, weights[i], 1.0 / 64);
}
