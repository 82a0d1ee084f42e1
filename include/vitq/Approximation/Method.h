//===- Method.h - One call for all ways to fit -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_APPROXIMATION_METHOD_H
#define VITQ_APPROXIMATION_METHOD_H

#include "vitq/Approximation/Fit.h"

namespace vitq::approximation {

enum class Method { Optimal, Genetic, Uniform };

/// The table of `problem` with the largest lambda, at most its own, that the widths
/// allow. `Genetic` searches by GQA-LUT's settings for `function` (its name in
/// Functions.h) at the power of two nearest to the problem's scale, five runs with fixed
/// seeds, and moves the breakpoints to the scale; its lines have 8-bit intercepts, then
/// in steps. Deterministic.
llvm::Expected<PiecewiseTable> fitBy(Method method, const FitProblem &problem, llvm::StringRef function);

} // namespace vitq::approximation

#endif // VITQ_APPROXIMATION_METHOD_H
