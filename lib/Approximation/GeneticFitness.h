//===- GeneticFitness.h - How good an individual is -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_APPROXIMATION_GENETICFITNESS_H
#define VITQ_LIB_APPROXIMATION_GENETICFITNESS_H

#include "Segments.h"
#include "vitq/Approximation/Genetic.h"

namespace vitq::approximation {

/// The lines of an individual, as stored.
struct Lines {
  std::vector<int64_t> slopes, intercepts;
  /// The largest before rounding, in stored units.
  double largestSlope = 0.0, largestIntercept = 0.0;
};

/// The samples of a problem, and the errors of breakpoints on them. Not changed by use:
/// threads share one.
class GeneticFitness {
public:
  GeneticFitness(const GeneticProblem &problem, GeneticOptions::Lines kind);

  /// Lines for rising breakpoints, rounded.
  void fitLines(llvm::ArrayRef<double> breakpoints, Lines &lines) const;

  /// Mean squared error on the grid.
  double gridError(llvm::ArrayRef<double> breakpoints, const Lines &lines) const;
  /// Mean squared error at scale number `index`, breakpoints rounded.
  double scaleError(size_t index, llvm::ArrayRef<double> breakpoints, const Lines &lines) const;
  /// Mean of those at all scales.
  double meanError(llvm::ArrayRef<double> breakpoints, const Lines &lines) const;

  /// How far lines exceed the widths, relative to them; 0 if they fit.
  double excess(const Lines &lines) const;

  const GeneticProblem &problem;

private:
  struct Samples {
    RunningMoments sums; ///< positions are real
    double scale;
    int64_t firstCode;
  };
  template <typename IndexOf>
  double error(const RunningMoments &sums, llvm::ArrayRef<double> breakpoints, const Lines &lines,
               IndexOf &&indexOf) const;
  size_t gridIndex(double position) const;

  GeneticOptions::Lines kind;
  LineFitter fitter;
  double unit; ///< of slopes and intercepts
  double atLower, atUpper;
  RunningMoments grid;
  std::vector<Samples> scales;
};

} // namespace vitq::approximation

#endif // VITQ_LIB_APPROXIMATION_GENETICFITNESS_H
