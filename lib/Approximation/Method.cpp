//===- Method.cpp - One call for all ways to fit -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Approximation/Method.h"

#include "vitq/Approximation/Genetic.h"

using namespace vitq::approximation;

static llvm::Expected<PiecewiseTable> fitGenetically(const FitProblem &problem, llvm::StringRef function) {
  llvm::Expected<const FunctionInfo *> info = findFunction(function);
  if (!info)
    return info.takeError();
  GeneticProblem search = GeneticProblem::published(**info, problem.entries);
  search.scales = {nearestPowerOfTwo(problem.scale)};
  search.format.fractionBits = (*info)->fractionBits;
  GeneticOptions options = GeneticOptions::published(**info, problem.entries);
  options.seeds = 5;
  llvm::Expected<GeneticResult> result = fitGenetic(search, options);
  if (!result)
    return result.takeError();
  return result->table(problem.scale, problem.firstCode, problem.lastCode, problem.format.interceptInSteps);
}

llvm::Expected<PiecewiseTable> vitq::approximation::fitBy(Method method, const FitProblem &problem,
                                                          llvm::StringRef function) {
  if (llvm::Error error = checkProblem(problem))
    return error;
  if (method == Method::Genetic)
    return fitGenetically(problem, function);
  FitProblem own = problem;
  llvm::Expected<unsigned> fraction = largestFractionBits(own);
  if (!fraction)
    return fraction.takeError();
  own.format.fractionBits = *fraction;
  return method == Method::Uniform ? fitUniform(own) : fitOptimal(own);
}
