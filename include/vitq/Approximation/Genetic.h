//===- Genetic.h - Genetic search for piecewise-linear tables ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// GQA-LUT (Dong et al., DAC 2024, arXiv 2403.19591): one set of slopes and intercepts
// for every input step that is a power of two; only the breakpoints are rounded anew
// for each step. See docs/Approximation.md.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_APPROXIMATION_GENETIC_H
#define VITQ_APPROXIMATION_GENETIC_H

#include "vitq/Approximation/Functions.h"
#include "vitq/Approximation/PiecewiseTable.h"

namespace vitq::approximation {

/// What is searched for; ranges are real.
struct GeneticProblem {
  std::function<double(double)> function;
  std::string name = "the function";
  double lower = 0.0, upper = 0.0;               ///< where errors count
  double initialLower = 0.0, initialUpper = 0.0; ///< of the first breakpoints
  double outerLower = 0.0, outerUpper = 0.0;     ///< ends of the outer secants
  double gridStep = 0.01;                        ///< of the fitness, from `lower` on, without `upper`
  unsigned entries = 8;
  /// Intercepts are stored independent of the step: `interceptInSteps` is not looked at.
  TableFormat format;
  /// Input steps whose errors decide between candidates, and the codes they come in.
  std::vector<double> scales;
  int64_t firstCode = 0, lastCode = 0;

  /// The published settings for a function: steps 1, 1/2 ... 1/64 and 8-bit codes.
  static GeneticProblem published(const FunctionInfo &info, unsigned entries);
};

struct GeneticOptions {
  unsigned population = 50;
  unsigned generations = 500;
  unsigned tournament = 3;
  double crossover = 0.7; ///< probability, of adjacent pairs, two points
  double mutation = 0.2;  ///< probability, of an individual
  /// Rounding mutation: each breakpoint of a mutated individual meets, for j = first ..
  /// last, a draw that rounds it to j fractional bits with `roundingProbability` or
  /// moves it by a normal deviate with `kickProbability`. Off: one draw, moves only.
  bool roundingMutation = true;
  unsigned roundingFirst = 0, roundingLast = 6;
  double roundingProbability = 0.05;
  double kickProbability = 0.1;
  double kickDeviation = 0.2;

  /// Lines: through the function at both ends of a segment as published, or the
  /// least-squares lines of the samples between them.
  enum class Lines { Secant, LeastSquares };
  Lines lines = Lines::Secant;
  /// What evolves: the error on the real grid with breakpoints that are not rounded, as
  /// published, or the mean error over the scales with rounded ones.
  enum class Fitness { Grid, Scales };
  Fitness fitness = Fitness::Grid;
  /// Whether the best individual is carried over to the next generation.
  bool elitism = false;
  /// Which individuals the result is chosen from, by the mean error over the scales:
  /// those of the last generation, or all that ever were.
  enum class Choice { LastGeneration, Any };
  Choice choice = Choice::Any;

  uint64_t seed = 42; ///< run i begins with seed + i
  unsigned seeds = 1;
  /// If positive, as many runs as begin within this time, at least one, instead of
  /// `seeds`; how many is then up to the machine.
  double seconds = 0.0;
  unsigned threads = 0; ///< 0: one for each processor; the result does not depend on it

  /// The published settings for a function; result chosen as above.
  static GeneticOptions published(const FunctionInfo &info, unsigned entries);
};

struct GeneticResult {
  std::vector<double> breakpoints; ///< real, rising
  std::vector<int64_t> slopes, intercepts;
  unsigned fractionBits = 0;
  double gridError = 0.0;          ///< mean squared, breakpoints not rounded
  std::vector<double> scaleErrors; ///< mean squared at each of the problem's scales
  double meanError = 0.0;          ///< mean of scaleErrors
  uint64_t seed = 0;               ///< of the run that found it
  unsigned runs = 0;

  /// The table for an input step: breakpoints rounded half to even to codes and clamped
  /// to [firstCode, lastCode + 1], the last of which no code reaches; intercepts in
  /// steps if wanted.
  PiecewiseTable table(double scale, int64_t firstCode, int64_t lastCode, bool interceptInSteps = false) const;
};

/// Called after each run with the number of runs done and the least mean error so
/// far, never by two threads at once.
using GeneticProgress = std::function<void(unsigned runs, double error)>;

/// The best result of all runs: of least mean error over the scales, the first seed's
/// among equals. Fails where ranges, scales, entries, widths or options make no sense,
/// or the lines found do not fit their widths.
llvm::Expected<GeneticResult> fitGenetic(const GeneticProblem &problem, const GeneticOptions &options = {},
                                         const GeneticProgress &progress = {});

} // namespace vitq::approximation

#endif // VITQ_APPROXIMATION_GENETIC_H
