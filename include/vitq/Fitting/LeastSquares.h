//===- LeastSquares.h - Weights for changed inputs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_FITTING_LEASTSQUARES_H
#define VITQ_FITTING_LEASTSQUARES_H

#include "vitq/Fitting/Moments.h"

#include <optional>

namespace vitq::fitting {

/// Sums over samples of inputs x `[K]` and of what weights leave of the wanted outputs, residuals r `[N]`.
struct Moments {
  /// Sums of x x^T, `[K, K]`.
  Matrix gram;
  /// Sums of r x^T, `[N, K]`.
  Matrix cross;

  Moments &operator+=(const Moments &other);
};

/// What to add to the weights, `[N, K]`, so that the squared residuals become least, with a ridge: `ridge` times
/// the mean of the diagonal of `gram` stands for the square of a change. None where the system cannot be solved.
std::optional<Matrix> leastSquaresStep(const Moments &moments, double ridge);

/// How the sum of squared residuals changes by `step`, on the samples of `moments`.
double changeOfError(const Moments &moments, const Matrix &step, ParallelFor parallelFor);

} // namespace vitq::fitting

#endif // VITQ_FITTING_LEASTSQUARES_H
