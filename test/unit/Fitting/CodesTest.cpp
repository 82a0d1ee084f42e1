//===- CodesTest.cpp - Codes of weights -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Fitting/Codes.h"

#include "TestUtils.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>

using namespace vitq::fitting;
using namespace vitq::test;

namespace {

Matrix gramOf(size_t columns, unsigned seed, size_t rows = 300) {
  const Samples samples = samplesOf(rows, columns, correlated(rows, columns, seed));
  return moments(samples, samples, serialFor);
}

Matrix weightsOf(size_t rows, size_t columns, unsigned seed) {
  return matrixOf(rows, columns, correlated(rows, columns, seed));
}

Matrix errorsOf(const Matrix &weights, const RowCodes &codes) {
  Matrix errors = weights;
  for (size_t i = 0; i < errors.values.size(); ++i)
    errors.values[i] -= codes.scales[i / weights.columns] * codes.codes[i];
  return errors;
}

std::vector<double> costs(const Matrix &gram, const Matrix &weights, const RowCodes &codes) {
  return quadraticErrors(gram, errorsOf(weights, codes), serialFor);
}

double sumOf(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values)
    sum += value;
  return sum;
}

RowCodes fit(const Matrix &gram, const Matrix &weights, const CodeOptions &options) {
  std::optional<CodeFitter> fitter = CodeFitter::create(gram, options);
  EXPECT_TRUE(fitter);
  return fitter->fit(weights, std::vector<double>(weights.rows, 1e-9), serialFor);
}

CodeOptions plain(unsigned bits) {
  CodeOptions options;
  options.bits = bits;
  options.propagate = false;
  options.sweeps = 0;
  return options;
}

TEST(CodesTest, QuadraticErrorsAreThoseOfTheMatrix) {
  const Matrix gram = gramOf(9, 1), errors = weightsOf(11, 9, 2);
  const std::vector<double> found = quadraticErrors(gram, errors, serialFor);
  for (size_t row = 0; row < errors.rows; ++row) {
    double sum = 0;
    for (size_t i = 0; i < 9; ++i)
      for (size_t j = 0; j < 9; ++j)
        sum += errors.at(row, i) * gram.at(i, j) * errors.at(row, j);
    EXPECT_NEAR(found[row], sum, 1e-9 * sum);
  }
}

/// The best codes of 3 bits for four weights at the fitted scale, by trying all 8^4: no fit is better, and the whole
/// search comes close.
TEST(CodesTest, ComesCloseToAllCodesTried) {
  constexpr size_t kColumns = 4;
  CodeOptions options;
  options.bits = 3;
  options.damping = 1e-6;
  options.sweeps = 3;
  const Matrix gram = gramOf(kColumns, 5), weights = weightsOf(40, kColumns, 6);
  const RowCodes found = fit(gram, weights, options);
  const std::vector<double> own = costs(gram, weights, found);
  std::vector<double> best(weights.rows, INFINITY);
  for (int combination = 0; combination < 8 * 8 * 8 * 8; ++combination) {
    RowCodes trial = found;
    for (size_t row = 0; row < weights.rows; ++row)
      for (size_t i = 0, rest = combination; i < kColumns; ++i, rest /= 8)
        trial.codes[row * kColumns + i] = static_cast<int8_t>(rest % 8) - 4;
    const std::vector<double> cost = costs(gram, weights, trial);
    for (size_t row = 0; row < weights.rows; ++row)
      best[row] = std::min(best[row], cost[row]);
  }
  for (size_t row = 0; row < weights.rows; ++row)
    EXPECT_GE(own[row], best[row] * (1 - 1e-9));
  EXPECT_LT(sumOf(own), 1.15 * sumOf(best));
}

/// Each part makes the error smaller: shrunk scales, propagation, candidates, descent.
TEST(CodesTest, EachPartHelps) {
  const Matrix gram = gramOf(48, 7), weights = weightsOf(24, 48, 8);
  CodeOptions options = plain(4);
  const double rounded = sumOf(costs(gram, weights, fit(gram, weights, options)));
  options.propagate = true;
  options.candidates = {1.0};
  const double propagated = sumOf(costs(gram, weights, fit(gram, weights, options)));
  options.candidates = {0.75, 0.9, 1.0, 1.2};
  const double candidates = sumOf(costs(gram, weights, fit(gram, weights, options)));
  options.sweeps = 1;
  const double descended = sumOf(costs(gram, weights, fit(gram, weights, options)));
  EXPECT_LT(propagated, 0.7 * rounded);
  EXPECT_LT(candidates, propagated);
  EXPECT_LT(descended, candidates);
}

/// Fitting scales and descent never makes the error of a row larger.
TEST(CodesTest, DescentIsMonotonous) {
  const Matrix gram = gramOf(20, 9), weights = weightsOf(30, 20, 10);
  CodeOptions options;
  options.damping = 1e-9;
  std::vector<double> last(weights.rows, INFINITY);
  for (unsigned sweeps : {0u, 1u, 2u, 5u}) {
    options.sweeps = sweeps;
    const std::vector<double> cost = costs(gram, weights, fit(gram, weights, options));
    for (size_t row = 0; row < weights.rows; ++row)
      EXPECT_LE(cost[row], last[row] * (1 + 1e-6));
    last = cost;
  }
}

TEST(CodesTest, CodesAndScalesStayInTheirRanges) {
  const Matrix gram = gramOf(20, 11), weights = weightsOf(13, 20, 12);
  for (unsigned bits = 2; bits <= 8; ++bits) {
    CodeOptions options;
    options.bits = bits;
    std::optional<CodeFitter> fitter = CodeFitter::create(gram, options);
    ASSERT_TRUE(fitter);
    const std::vector<double> smallest(weights.rows, 0.5);
    const RowCodes codes = fitter->fit(weights, smallest, serialFor);
    const vitq::numerics::Interval range = rangeOfCodes(bits);
    for (int8_t code : codes.codes)
      EXPECT_TRUE(code >= range.min && code <= range.max) << static_cast<int>(code);
    for (double scale : codes.scales)
      EXPECT_GE(scale, 0.5);
  }
}

TEST(CodesTest, DoesNotDependOnThreads) {
  const Matrix gram = gramOf(33, 13), weights = weightsOf(50, 33, 14);
  std::optional<CodeFitter> fitter = CodeFitter::create(gram, CodeOptions());
  ASSERT_TRUE(fitter);
  const std::vector<double> smallest(weights.rows, 1e-9);
  const RowCodes serial = fitter->fit(weights, smallest, serialFor);
  const RowCodes threaded = fitter->fit(weights, smallest, threadedFor);
  EXPECT_EQ(serial.codes, threaded.codes);
  EXPECT_EQ(serial.scales, threaded.scales);
}

/// Fewer samples than columns: damping makes up for it, raised where it is too little.
TEST(CodesTest, SamplesMayBeFewerThanColumns) {
  const Matrix gram = gramOf(60, 15, 20), weights = weightsOf(8, 60, 16);
  CodeOptions options;
  std::optional<CodeFitter> fitter = CodeFitter::create(gram, options);
  ASSERT_TRUE(fitter);
  EXPECT_EQ(fitter->damping(), 0.01);
  options.damping = 0;
  fitter = CodeFitter::create(gram, options);
  ASSERT_TRUE(fitter);
  EXPECT_GT(fitter->damping(), 0);
}

TEST(CodesTest, WhatIsNotFiniteIsRefused) {
  Matrix gram(2, 2);
  gram.values = {NAN, 0, 0, 1};
  EXPECT_FALSE(CodeFitter::create(gram, CodeOptions()));
  gram.values = {INFINITY, 0, 0, 1};
  EXPECT_FALSE(CodeFitter::create(gram, CodeOptions()));
}

/// Inputs that are 0 throughout: any codes will do, but there are some.
TEST(CodesTest, InputsOfZeros) {
  const RowCodes codes = fit(Matrix(3, 3), weightsOf(2, 3, 17), CodeOptions());
  EXPECT_EQ(codes.codes.size(), 6u);
  for (double scale : codes.scales)
    EXPECT_GT(scale, 0);
}

/// H = 1: the scale of the least squared error.
TEST(CodesTest, ForSquaresBeatsTheScaleOfTheLargest) {
  const Matrix weights = weightsOf(9, 100, 18);
  Matrix identity(100, 100);
  for (size_t i = 0; i < 100; ++i)
    identity.at(i, i) = 1;
  CodeOptions options;
  const RowCodes found =
      CodeFitter::forSquares(100, options).fit(weights, std::vector<double>(weights.rows, 1e-9), serialFor);
  RowCodes largest = found;
  for (size_t row = 0; row < weights.rows; ++row) {
    double absMax = 0;
    for (double value : weights.row(row))
      absMax = std::max(absMax, std::abs(value));
    largest.scales[row] = absMax / 7;
    for (size_t i = 0; i < 100; ++i)
      largest.codes[row * 100 + i] = static_cast<int8_t>(std::nearbyint(weights.at(row, i) / largest.scales[row]));
  }
  const std::vector<double> own = costs(identity, weights, found), other = costs(identity, weights, largest);
  for (size_t row = 0; row < weights.rows; ++row)
    EXPECT_LE(own[row], other[row]);
}

} // namespace
