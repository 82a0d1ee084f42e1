//===- LeastSquaresTest.cpp - Weights for changed inputs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Fitting/LeastSquares.h"

#include "TestUtils.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace vitq::fitting;
using namespace vitq::test;

namespace {

constexpr size_t kRows = 400, kInputs = 12, kOutputs = 3;

/// Residuals that `step` would explain, and noise.
Moments momentsFor(const Matrix &step, float noise, unsigned seed) {
  const std::vector<float> x = correlated(kRows, kInputs, seed), e = correlated(kRows, kOutputs, seed + 1);
  std::vector<float> r(kRows * kOutputs);
  for (size_t row = 0; row < kRows; ++row)
    for (size_t n = 0; n < kOutputs; ++n) {
      double sum = noise * e[row * kOutputs + n];
      for (size_t k = 0; k < kInputs; ++k)
        sum += step.at(n, k) * x[row * kInputs + k];
      r[row * kOutputs + n] = static_cast<float>(sum);
    }
  const Samples inputs = samplesOf(kRows, kInputs, x);
  return {moments(inputs, inputs, serialFor), moments(samplesOf(kRows, kOutputs, r), inputs, serialFor)};
}

TEST(LeastSquaresTest, FindsWhatExplainsTheResiduals) {
  const Matrix step = matrixOf(kOutputs, kInputs, correlated(kOutputs, kInputs, 7));
  const Moments known = momentsFor(step, 0, 8);
  const std::optional<Matrix> found = leastSquaresStep(known, 0);
  ASSERT_TRUE(found);
  for (size_t i = 0; i < step.values.size(); ++i)
    EXPECT_NEAR(found->values[i], step.values[i], 1e-4); // sums of floats
  EXPECT_LT(changeOfError(known, *found, serialFor), 0);
}

/// More ridge, a smaller step; and the step is less of an error than none.
TEST(LeastSquaresTest, RidgeShrinksTheStep) {
  const Moments known = momentsFor(matrixOf(kOutputs, kInputs, correlated(kOutputs, kInputs, 7)), 0.5, 9);
  double last = INFINITY;
  for (double ridge : {0.0, 0.1, 1.0, 10.0}) {
    const std::optional<Matrix> step = leastSquaresStep(known, ridge);
    ASSERT_TRUE(step);
    double norm = 0;
    for (double value : step->values)
      norm += value * value;
    EXPECT_LT(norm, last);
    EXPECT_LT(changeOfError(known, *step, serialFor), 0);
    last = norm;
  }
}

/// Of noise alone, the step that fits some samples is an error on others.
TEST(LeastSquaresTest, OthersTellNoiseFromWhatIsThere) {
  const Matrix none(kOutputs, kInputs), step = matrixOf(kOutputs, kInputs, correlated(kOutputs, kInputs, 7));
  std::optional<Matrix> fitted = leastSquaresStep(momentsFor(none, 1, 20), 0.01);
  ASSERT_TRUE(fitted);
  EXPECT_GT(changeOfError(momentsFor(none, 1, 30), *fitted, serialFor), 0);
  fitted = leastSquaresStep(momentsFor(step, 1, 20), 0.01);
  ASSERT_TRUE(fitted);
  EXPECT_LT(changeOfError(momentsFor(step, 1, 30), *fitted, serialFor), 0);
}

TEST(LeastSquaresTest, MomentsAddUp) {
  const Matrix step = matrixOf(kOutputs, kInputs, correlated(kOutputs, kInputs, 7));
  Moments sum = momentsFor(step, 1, 40);
  const Moments first = sum, second = momentsFor(step, 1, 41);
  sum += second;
  EXPECT_DOUBLE_EQ(sum.gram.at(1, 2), first.gram.at(1, 2) + second.gram.at(1, 2));
  EXPECT_DOUBLE_EQ(sum.cross.at(2, 1), first.cross.at(2, 1) + second.cross.at(2, 1));
}

TEST(LeastSquaresTest, WhatIsNotFiniteHasNoSolution) {
  Moments broken{Matrix(2, 2), Matrix(1, 2)};
  EXPECT_FALSE(leastSquaresStep(broken, 1));
  broken.gram.values = {NAN, 0, 0, 1};
  EXPECT_FALSE(leastSquaresStep(broken, 1));
}

} // namespace
