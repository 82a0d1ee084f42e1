//===- Fit.h - Fitting piecewise-linear tables ------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fits for one input step. The genetic search, which serves many, is in Genetic.h.
// All are deterministic; errors name the function and say what to change.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_APPROXIMATION_FIT_H
#define VITQ_APPROXIMATION_FIT_H

#include "vitq/Approximation/PiecewiseTable.h"

namespace vitq::approximation {

/// The table of least weighted squared error: dynamic programming over all places of
/// the breakpoints, each line the best pair of stored integers (every slope that can
/// win is tried, up to 32 units beside the least-squares one). Up to 512 codes every
/// code may be a breakpoint and the result is exact; beyond, the dynamic program sees
/// 512 candidates, denser where the function bends, and each breakpoint then moves to
/// the best code nearby.
///
/// Entries that do not lower the error repeat the first breakpoint.
///
/// Fails where `checkProblem` does, and where the slopes or intercepts do not fit
/// their widths or all slopes round to zero.
llvm::Expected<PiecewiseTable> fitOptimal(const FitProblem &problem);

/// The largest lambda, at most that of `problem.format`, with which `fitOptimal`
/// finds a table whose lines fit their widths; its error with the last one tried if
/// there is none.
llvm::Expected<unsigned> largestFractionBits(FitProblem problem);

/// The same lines between breakpoints at equal distances: a baseline.
llvm::Expected<PiecewiseTable> fitUniform(const FitProblem &problem);

struct NetworkOptions {
  unsigned steps = 4000;
  double rate = 0.01; ///< of Adam, falling to a hundredth of it along a cosine
  uint64_t seed = 1;
};

/// A network of entries-1 rectified units with one hidden layer is trained on the
/// real function, and its kinks and lines are then rounded: a baseline in the manner
/// of NN-LUT, where rounding is no part of the training.
llvm::Expected<PiecewiseTable> fitNetwork(const FitProblem &problem, const NetworkOptions &options = {});

} // namespace vitq::approximation

#endif // VITQ_APPROXIMATION_FIT_H
