//===- FloatRowsTest.cpp - Functions of rows of floats -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Interpreter/FloatKernels.h"
#include "gtest/gtest.h"

#include <cmath>
#include <random>
#include <vector>

using namespace vitq::interp;

namespace {

std::vector<float> randomRow(int64_t n) {
  std::mt19937 random(static_cast<unsigned>(n));
  std::normal_distribution<float> normal(1.0f, 3.0f);
  std::vector<float> row(static_cast<size_t>(n));
  for (float &value : row)
    value = normal(random);
  return row;
}

/// Rows of floats are those of doubles but for a rounding of each result, and of what
/// it is made from.
constexpr double kRounding = 0x1p-22;

TEST(FloatRows, Exponentials) {
  for (int64_t n : {1, 7, 8, 9, 16, 100, 301}) {
    const std::vector<float> x = randomRow(n);
    const std::vector<double> reals(x.begin(), x.end());
    std::vector<float> e(x.size());
    std::vector<double> expected(x.size());
    const double sum = exponentialRow(x.data(), e.data(), n), exact = exponentialRow(reals.data(), expected.data(), n);
    EXPECT_NEAR(sum, exact, exact * kRounding * 16);
    divideRow(e.data(), sum, e.data(), n);
    for (int64_t i = 0; i < n; ++i)
      // A difference of scores is rounded before the exponential.
      EXPECT_NEAR(e[i], expected[i] / exact, expected[i] / exact * kRounding * 16);
  }
}

TEST(FloatRows, LayerNorm) {
  for (bool centered : {false, true})
    for (int64_t n : {1, 7, 8, 9, 16, 100, 301}) {
      const std::vector<float> x = randomRow(n), gamma = randomRow(n + 1), beta = randomRow(n + 2);
      const std::vector<double> reals(x.begin(), x.end()), gammas(gamma.begin(), gamma.end()),
          betas(beta.begin(), beta.end());
      std::vector<float> y(x.size());
      std::vector<double> expected(x.size());
      layerNormRow(x.data(), gamma.data(), beta.data(), y.data(), n, 1e-6, centered);
      layerNormRow(reals.data(), gammas.data(), betas.data(), expected.data(), n, 1e-6, centered);
      for (int64_t i = 0; i < n; ++i)
        EXPECT_NEAR(y[i], expected[i], std::fabs(expected[i]) * kRounding + 1e-12);
    }
}

TEST(FloatRows, WhatIsNoNumberStaysNone) {
  std::vector<float> x(40, 1.0f), e(40);
  for (size_t at : {0, 13, 39}) {
    std::vector<float> row = x;
    row[at] = NAN;
    exponentialRow(row.data(), e.data(), 40);
    EXPECT_TRUE(std::isnan(e[at]));
  }
  // A row that is masked altogether.
  std::vector<float> masked(40, -INFINITY);
  EXPECT_TRUE(std::isnan(exponentialRow(masked.data(), e.data(), 40)));
}

} // namespace
