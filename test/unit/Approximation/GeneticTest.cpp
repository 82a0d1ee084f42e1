//===- GeneticTest.cpp - Genetic search for piecewise-linear tables -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Approximation/Genetic.h"

#include "TestUtils.h"

using namespace vitq;
using namespace vitq::approximation;
using namespace vitq::approximation::test;

static GeneticResult resultOf(llvm::Expected<GeneticResult> result) {
  if (result)
    return std::move(*result);
  ADD_FAILURE() << llvm::toString(result.takeError());
  return {};
}

/// Few and short runs.
static GeneticOptions quick(const FunctionInfo &info, unsigned entries, unsigned seeds) {
  GeneticOptions options = GeneticOptions::published(info, entries);
  options.generations = 60;
  options.seeds = seeds;
  return options;
}

TEST(Genetic, SameForEveryNumberOfThreads) {
  const FunctionInfo &info = functionNamed("gelu");
  const GeneticProblem problem = GeneticProblem::published(info, 8);
  GeneticOptions options = quick(info, 8, 7);
  options.threads = 1;
  unsigned calls = 0;
  const GeneticResult one =
      resultOf(fitGenetic(problem, options, [&](unsigned runs, double) { EXPECT_EQ(runs, ++calls); }));
  EXPECT_EQ(calls, 7u);
  options.threads = 3;
  const GeneticResult three = resultOf(fitGenetic(problem, options));
  EXPECT_EQ(one.breakpoints, three.breakpoints);
  EXPECT_EQ(one.slopes, three.slopes);
  EXPECT_EQ(one.intercepts, three.intercepts);
  EXPECT_EQ(one.seed, three.seed);
  EXPECT_EQ(one.runs, 7u);
  // Another seed goes another way.
  options.seed = 1000;
  EXPECT_NE(resultOf(fitGenetic(problem, options)).breakpoints, one.breakpoints);
}

// The errors that decide are those of the tables that come out.
TEST(Genetic, ErrorsAreThoseOfTheTables) {
  for (llvm::StringRef name : {"gelu", "exp", "rsqrt"}) {
    const FunctionInfo &info = functionNamed(name);
    const GeneticProblem problem = GeneticProblem::published(info, 8);
    const GeneticResult result = resultOf(fitGenetic(problem, quick(info, 8, 1)));
    ASSERT_EQ(result.scaleErrors.size(), 7u);
    double mean = 0.0;
    for (int k = 0; k <= 6; ++k) {
      const double scale = std::ldexp(1.0, -k);
      const FitProblem there = problemFor(name, scale, 8, info.fractionBits);
      const PiecewiseTable table = result.table(scale, problem.firstCode, problem.lastCode);
      EXPECT_NEAR(meanSquaredError(there, table), result.scaleErrors[k], 1e-10);
      mean += result.scaleErrors[k] / 7;
      // A power of two loses nothing in steps.
      const PiecewiseTable steps = result.table(scale, problem.firstCode, problem.lastCode, true);
      EXPECT_EQ(steps.value(problem.lastCode, scale), table.value(problem.lastCode, scale));
    }
    EXPECT_NEAR(mean, result.meanError, 1e-10);
  }
}

// Runs of the published search average up to three times the published
// tables' rows; this is the best of five. The longer search is docs/Approximation.md's.
TEST(Genetic, ApproachesThePublishedTables) {
  for (auto [name, entries, published] : {std::tuple("gelu", 8u, 1.00e-4),
                                          {"hardswish", 8u, 3.08e-4},
                                          {"exp", 8u, 1.22e-4},
                                          {"gelu", 16u, 9.06e-5},
                                          {"exp", 16u, 8.38e-5}}) {
    const FunctionInfo &info = functionNamed(name);
    GeneticOptions options = GeneticOptions::published(info, entries);
    options.seeds = 5;
    EXPECT_LT(resultOf(fitGenetic(GeneticProblem::published(info, entries), options)).meanError, 2.0 * published)
        << name << "-" << entries;
  }
}

// What the options are for.
TEST(Genetic, LeastSquaresLinesAndFitnessOverScalesAreBetter) {
  const FunctionInfo &info = functionNamed("gelu");
  const GeneticProblem problem = GeneticProblem::published(info, 8);
  GeneticOptions options = quick(info, 8, 4);
  const double published = resultOf(fitGenetic(problem, options)).meanError;
  options.lines = GeneticOptions::Lines::LeastSquares;
  options.fitness = GeneticOptions::Fitness::Scales;
  options.elitism = true;
  EXPECT_LT(resultOf(fitGenetic(problem, options)).meanError, 0.8 * published);
}

TEST(Genetic, TimedSearchRunsAtLeastOnce) {
  const FunctionInfo &info = functionNamed("exp");
  GeneticOptions options = quick(info, 8, 1);
  options.seconds = 1e-6;
  options.threads = 1;
  EXPECT_EQ(resultOf(fitGenetic(GeneticProblem::published(info, 8), options)).runs, 1u);
}

TEST(Genetic, Errors) {
  const FunctionInfo &info = functionNamed("reciprocal");
  GeneticProblem problem = GeneticProblem::published(info, 8);
  GeneticOptions options = quick(info, 8, 1);
  problem.format.fractionBits = 6;
  EXPECT_EQ(textOf(fitGenetic(problem, options)).substr(0, 36), "lambda 6 leaves 1 integer bit of 8-b");
  problem.format.fractionBits = 5;
  problem.scales = {0.5, -1.0};
  EXPECT_EQ(textOf(fitGenetic(problem, options)),
            "the input scale of reciprocal is -1; it must be positive and finite");
  problem.scales = {64.0};
  EXPECT_EQ(textOf(fitGenetic(problem, options)),
            "the range 0.5 to 4 of reciprocal holds no code at scale 64, or more than 2^20");
  problem.scales.clear();
  EXPECT_EQ(textOf(fitGenetic(problem, options)), "no input scale to judge reciprocal at");
  problem = GeneticProblem::published(info, 300);
  EXPECT_EQ(textOf(fitGenetic(problem, options)), "a table has 2 to 256 entries, not 300");
  problem = GeneticProblem::published(info, 8);
  problem.lower = problem.initialLower = problem.outerLower = -1.0;
  problem.gridStep = 0.5;
  EXPECT_EQ(textOf(fitGenetic(problem, options)).substr(0, 28), "reciprocal is not finite at ");
  std::swap(problem.lower, problem.upper);
  EXPECT_EQ(textOf(fitGenetic(problem, options)), "the range 4 to -1 of reciprocal is empty");

  problem = GeneticProblem::published(info, 8);
  options.population = 1;
  EXPECT_EQ(textOf(fitGenetic(problem, options)), "the population must be 2 to 100000, not 1");
  options = quick(info, 8, 0);
  EXPECT_EQ(textOf(fitGenetic(problem, options)), "the number of seeds must be 1 to 1000000000, not 0");
  options = quick(info, 8, 1);
  options.mutation = 1.5;
  EXPECT_EQ(textOf(fitGenetic(problem, options)), "probabilities must be 0 to 1");
  options = quick(info, 8, 1);
  options.tournament = 51;
  EXPECT_EQ(textOf(fitGenetic(problem, options)), "a tournament has 1 to 50 (the population) members, not 51");
}
