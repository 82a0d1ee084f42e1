//===- MomentsTest.cpp - Sums of products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include "gtest/gtest.h"

using namespace vitq::fitting;
using namespace vitq::test;

namespace {

/// Sizes that fill chunks and panels, and such that do not.
TEST(MomentsTest, AreSumsOfProducts) {
  for (auto [rows, left, right] : {std::tuple(1, 1, 1), {256, 16, 32}, {300, 17, 5}, {700, 40, 33}}) {
    const std::vector<float> a = correlated(rows, left, 1), b = correlated(rows, right, 2);
    const Matrix sums = moments(samplesOf(rows, left, a), samplesOf(rows, right, b), serialFor);
    ASSERT_EQ(sums.rows, size_t(left));
    ASSERT_EQ(sums.columns, size_t(right));
    for (int i = 0; i < left; ++i)
      for (int j = 0; j < right; ++j) {
        double sum = 0, magnitude = 0;
        for (int row = 0; row < rows; ++row) {
          const double product = static_cast<double>(a[row * left + i]) * static_cast<double>(b[row * right + j]);
          sum += product;
          magnitude += std::abs(product);
        }
        // 256 roundings of a sum of floats, each at most 2^-24 of what was added so far.
        EXPECT_NEAR(sums.at(i, j), sum, 256 * 0x1p-24 * magnitude);
      }
  }
}

TEST(MomentsTest, OfItselfIsSymmetric) {
  const Samples samples = samplesOf(500, 37, correlated(500, 37, 3));
  const Samples same = samplesOf(500, 37, correlated(500, 37, 3));
  const Matrix half = moments(samples, samples, serialFor), full = moments(samples, same, serialFor);
  for (size_t i = 0; i < 37; ++i)
    for (size_t j = 0; j < 37; ++j) {
      EXPECT_EQ(half.at(i, j), half.at(j, i));
      EXPECT_EQ(half.at(i, j), full.at(i, j));
    }
}

TEST(MomentsTest, DoNotDependOnThreads) {
  const Samples a = samplesOf(900, 70, correlated(900, 70, 4)), b = samplesOf(900, 21, correlated(900, 21, 5));
  EXPECT_EQ(moments(a, a, serialFor).values, moments(a, a, threadedFor).values);
  EXPECT_EQ(moments(a, b, serialFor).values, moments(a, b, threadedFor).values);
}

TEST(MomentsTest, SamplesAreLessOffsetsTimesFactors) {
  Samples samples(2, 2);
  const std::vector<float> values = {3, 5, 7, 11};
  samples.write(0, values.data(), {1.0, 2.0}, {1.0});
  samples.write(1, values.data() + 2, {1.0, 2.0}, {0.5});
  // Rows (2, 3) and (3, 4.5).
  EXPECT_EQ(moments(samples, samples, serialFor).values, (std::vector<double>{13, 19.5, 19.5, 29.25}));
}

} // namespace
