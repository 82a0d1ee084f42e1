//===- FloatRows.cpp - Functions of rows of floats -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatRows.h"

#include "vitq/Numerics/RealArrays.h"
#include "vitq/Numerics/TargetClones.h"

#include <cmath>

using namespace vitq;

#pragma STDC FP_CONTRACT OFF // vitq/Numerics/TargetClones.h

static constexpr int64_t kLanes = 8;

/// The sum of f(x[i]).
template <typename Function>
VITQ_INLINE double sumOf(const float *x, int64_t n, Function f) {
  double sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane)
      sums[lane] += f(static_cast<double>(x[i + lane]));
  for (int64_t lane = 0; i < n; ++i, ++lane)
    sums[lane] += f(static_cast<double>(x[i]));
  return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
}

VITQ_CLONES
static void subtract(const float *x, float y, float *difference, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    difference[i] = x[i] - y;
}

VITQ_CLONES
static double sumOfRow(const float *x, int64_t n) {
  return sumOf(x, n, [](double value) { return value; });
}

double interp::exponentialFloats(const float *x, float *e, int64_t n) {
  // A NaN that the maximum passes over stays one.
  subtract(x, numerics::maxReal(x, n), e, n);
  numerics::expReals(e, e, n);
  return sumOfRow(e, n);
}

VITQ_CLONES
void interp::layerNormFloats(const float *x, const float *gamma, const float *beta, float *y, int64_t n, double eps,
                             bool centered) {
  const auto count = static_cast<double>(n);
  const double mean = centered ? sumOf(x, n, [](double value) { return value; }) / count : 0.0;
  const double squares = sumOf(x, n, [=](double value) { return (value - mean) * (value - mean); });
  const double inverse = 1.0 / std::sqrt(squares / count + eps);
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<float>((x[i] - mean) * inverse * gamma[i] + beta[i]);
}

VITQ_CLONES
void interp::divideFloats(const float *x, double divisor, float *y, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<float>(x[i] / divisor);
}
