//===- RowLines.cpp - Lines for what rows compute -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowLines.h"

#include "vitq/Approximation/Fit.h"
#include "vitq/Numerics/ReciprocalLines.h"
#include "vitq/Numerics/Softmax.h"

#include <cmath>

using namespace vitq;
using namespace vitq::lowering;
using approximation::FitProblem;

static llvm::Expected<numerics::PiecewiseLinear> fitLines(const FitProblem &problem) {
  llvm::Expected<approximation::PiecewiseTable> table = approximation::fitOptimal(problem);
  if (!table)
    return table.takeError();
  return table->lines();
}

llvm::Expected<ExponentialLines> lowering::fitExponential(unsigned entries, approximation::Method method,
                                                          unsigned bits) {
  FitProblem problem;
  problem.function = [](double x) { return std::exp(x); };
  problem.name = "exp";
  problem.scale = ExponentialLines::kStep;
  problem.firstCode = 1 - numerics::kDistances;
  problem.lastCode = 0;
  problem.entries = entries;
  problem.format = {/*fractionBits=*/8, /*slopeBits=*/10, /*interceptBits=*/24, /*interceptInSteps=*/true};
  llvm::Expected<approximation::PiecewiseTable> table = approximation::fitBy(method, problem, "exp");
  if (!table)
    return table.takeError();
  // Values are in units of 2^-(5 + lambda), codes of 2^-bits.
  return ExponentialLines{table->lines(), table->fractionBits + 5 - bits};
}

/// The best lines of a function times the largest factor, found in few steps, with which
/// they stay below it.
static llvm::Expected<ScaledLines> fitBelow(FitProblem problem, const numerics::RangeScaling &codes,
                                            llvm::function_ref<double(double)> function,
                                            llvm::function_ref<bool(const numerics::PiecewiseLinear &)> fits) {
  problem.scale = std::ldexp(1.0, -static_cast<int>(numerics::kReciprocalCodeBits));
  problem.firstCode = int64_t(1) << (codes.bits - codes.octaves);
  problem.lastCode = (int64_t(1) << codes.bits) - 1;
  problem.format = {numerics::kReciprocalValueBits - numerics::kReciprocalCodeBits, /*slopeBits=*/16,
                    /*interceptBits=*/26, /*interceptInSteps=*/true};
  // A relative error is the same gain whatever the number; logarithms are taken to be
  // spread evenly.
  for (int64_t c = problem.firstCode; c <= problem.lastCode; ++c) {
    const double x = static_cast<double>(c) * problem.scale, y = function(x);
    problem.weights.push_back(1.0 / (y * y * x));
  }
  double factor = 1.0;
  for (int attempt = 0; attempt < 8; ++attempt) {
    problem.function = [=](double x) { return factor * function(x); };
    llvm::Expected<numerics::PiecewiseLinear> lines = fitLines(problem);
    if (!lines)
      return lines.takeError();
    double highest = 0.0, sum = 0.0, weight = 0.0;
    for (int64_t c = problem.firstCode; c <= problem.lastCode; ++c) {
      const auto code = static_cast<double>(c);
      const double y =
          std::ldexp(static_cast<double>(lines->evaluate(c)), -static_cast<int>(numerics::kReciprocalValueBits));
      highest = std::max(highest, y / function((code + 1.0) * problem.scale));
      sum += y / function(code * problem.scale) / code;
      weight += 1.0 / code;
    }
    if (fits(*lines))
      return ScaledLines{std::move(*lines), sum / weight};
    factor *= (1.0 - 0x1p-14) / std::max(highest, 1.0);
  }
  return llvm::createStringError("no table of %u entries for %s stays below it", problem.entries, problem.name.c_str());
}

llvm::Expected<ScaledLines> lowering::fitReciprocal(unsigned entries) {
  FitProblem problem;
  problem.name = "1/x";
  problem.entries = entries;
  return fitBelow(problem, numerics::kReciprocalCodes, [](double x) { return 1.0 / x; }, numerics::reciprocalLinesFit);
}

llvm::Expected<ScaledLines> lowering::fitInverseRoot(unsigned entries) {
  FitProblem problem;
  problem.name = "1/sqrt(x)";
  problem.entries = entries;
  return fitBelow(
      problem, numerics::kInverseRootCodes, [](double x) { return 1.0 / std::sqrt(x); }, numerics::inverseRootLinesFit);
}
