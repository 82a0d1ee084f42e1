//===- Genetic.cpp - Genetic search for piecewise-linear tables -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Approximation/Genetic.h"
#include "vitq/Numerics/Quantize.h"

#include "GeneticFitness.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <numbers>
#include <random>
#include <thread>

using namespace vitq;
using namespace vitq::approximation;
using llvm::createStringError;
using llvm::formatv;

GeneticProblem GeneticProblem::published(const FunctionInfo &info, unsigned entries) {
  GeneticProblem problem;
  problem.function = info.evaluate;
  problem.name = info.name.str();
  problem.lower = info.lower;
  problem.upper = info.upper;
  problem.initialLower = entries >= 16 ? info.initialLowerMany : info.initialLower;
  problem.initialUpper = info.initialUpper;
  problem.outerLower = info.outerLower;
  problem.outerUpper = info.outerUpper;
  problem.entries = entries;
  problem.format.fractionBits = info.fractionBits;
  for (int k = 0; k <= 6; ++k)
    problem.scales.push_back(std::ldexp(1.0, -k));
  const numerics::Interval codes = numerics::codeRange(8, info.isSigned);
  problem.firstCode = codes.min;
  problem.lastCode = codes.max;
  return problem;
}

GeneticOptions GeneticOptions::published(const FunctionInfo &info, unsigned entries) {
  GeneticOptions options;
  options.roundingMutation = info.roundingMutation;
  options.roundingFirst = entries > 8 ? info.roundingMany : info.roundingFew;
  return options;
}

namespace {

/// Draws that are the same everywhere: the standard fixes the generator, not its
/// distributions.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}

  /// In [0, 1).
  double uniform() { return static_cast<double>(engine() >> 11) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// In 0..bound-1.
  size_t index(size_t bound) {
    return std::min(static_cast<size_t>(uniform() * static_cast<double>(bound)), bound - 1);
  }
  double normal(double deviation) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return deviation * radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

private:
  std::mt19937_64 engine;
};

struct Individual {
  std::vector<double> breakpoints;
  double fitness = std::numeric_limits<double>::infinity();
  double meanError = std::numeric_limits<double>::infinity();
  bool evaluated = false;
};

/// One run from one seed.
class Evolution {
public:
  Evolution(const GeneticFitness &fitness, const GeneticOptions &options, uint64_t seed)
      : fitness(fitness), problem(fitness.problem), options(options), random(seed) {}

  Individual run() {
    population.resize(options.population);
    for (Individual &individual : population)
      for (unsigned i = 0; i + 1 < problem.entries; ++i)
        individual.breakpoints.push_back(random.uniform(problem.initialLower, problem.initialUpper));
    evaluateAll();
    for (unsigned generation = 0; generation < options.generations; ++generation) {
      select();
      for (size_t i = 1; i < population.size(); i += 2)
        if (random.uniform() < options.crossover)
          cross(population[i - 1], population[i]);
      for (Individual &individual : population)
        if (random.uniform() < options.mutation)
          mutate(individual);
      if (options.elitism)
        population.front() = elite;
      evaluateAll();
    }
    if (options.choice == GeneticOptions::Choice::LastGeneration) {
      best = Individual();
      for (Individual &individual : population)
        offer(individual);
    }
    return best;
  }

private:
  void evaluateAll() {
    for (Individual &individual : population) {
      if (individual.evaluated)
        continue;
      llvm::sort(individual.breakpoints);
      fitness.fitLines(individual.breakpoints, lines);
      // Lines beyond the widths lose against any that fit.
      const double penalty = fitness.excess(lines) * 1e3;
      individual.meanError = fitness.meanError(individual.breakpoints, lines) + penalty;
      individual.fitness = options.fitness == GeneticOptions::Fitness::Scales
                               ? individual.meanError
                               : fitness.gridError(individual.breakpoints, lines) + penalty;
      individual.evaluated = true;
      if (individual.fitness < elite.fitness)
        elite = individual;
      if (options.choice == GeneticOptions::Choice::Any)
        offer(individual);
    }
  }

  void offer(const Individual &individual) {
    if (individual.meanError < best.meanError)
      best = individual;
  }

  /// Tournaments: each place goes to the best of some drawn with replacement.
  void select() {
    std::vector<Individual> chosen;
    chosen.reserve(population.size());
    for (size_t i = 0; i < population.size(); ++i) {
      const Individual *winner = nullptr;
      for (unsigned round = 0; round < options.tournament; ++round) {
        const Individual &drawn = population[random.index(population.size())];
        if (!winner || drawn.fitness < winner->fitness)
          winner = &drawn;
      }
      chosen.push_back(*winner);
    }
    population = std::move(chosen);
  }

  /// Exchanges the breakpoints between two places.
  void cross(Individual &a, Individual &b) {
    const size_t size = a.breakpoints.size();
    size_t first = random.index(size + 1), second = random.index(size + 1);
    if (first > second)
      std::swap(first, second);
    if (first == second)
      return;
    std::swap_ranges(a.breakpoints.begin() + first, a.breakpoints.begin() + second, b.breakpoints.begin() + first);
    a.evaluated = b.evaluated = false;
  }

  void mutate(Individual &individual) {
    for (double &breakpoint : individual.breakpoints) {
      if (!options.roundingMutation) {
        if (random.uniform() < options.kickProbability)
          breakpoint += random.normal(options.kickDeviation);
      } else {
        for (unsigned bits = options.roundingFirst; bits <= options.roundingLast; ++bits)
          roundOrKick(breakpoint, bits);
      }
      breakpoint = std::clamp(breakpoint, problem.lower, problem.upper);
    }
    individual.evaluated = false;
  }

  void roundOrKick(double &breakpoint, unsigned bits) {
    const double draw = random.uniform();
    const double low = options.roundingProbability * bits;
    if (draw >= low && draw < low + options.roundingProbability)
      breakpoint = std::ldexp(std::nearbyint(std::ldexp(breakpoint, bits)), -static_cast<int>(bits));
    else if (draw >= 1.0 - options.kickProbability)
      breakpoint += random.normal(options.kickDeviation);
  }

  const GeneticFitness &fitness;
  const GeneticProblem &problem;
  const GeneticOptions &options;
  Random random;
  std::vector<Individual> population;
  Individual best, elite;
  Lines lines;
};

/// Runs, spread over threads; the outcome is that of the best run, whoever ran it.
class Runs {
public:
  Runs(const GeneticFitness &fitness, const GeneticOptions &options, const GeneticProgress &progress)
      : fitness(fitness), options(options), progress(progress) {}

  void all() {
    unsigned threads = options.threads ? options.threads : std::max(std::thread::hardware_concurrency(), 1u);
    if (options.seconds <= 0.0)
      threads = std::min(threads, options.seeds);
    std::vector<std::thread> workers;
    for (unsigned i = 1; i < threads; ++i)
      workers.emplace_back([this] { work(); });
    work();
    for (std::thread &worker : workers)
      worker.join();
  }

  Individual best;
  unsigned bestRun = 0;
  unsigned done = 0;

private:
  using Clock = std::chrono::steady_clock;

  bool enough(unsigned run) const {
    if (options.seconds <= 0.0)
      return run >= options.seeds;
    return run > 0 && std::chrono::duration<double>(Clock::now() - start).count() >= options.seconds;
  }

  void work() {
    for (unsigned run = next++; !enough(run); run = next++) {
      Individual found = Evolution(fitness, options, options.seed + run).run();
      std::lock_guard<std::mutex> lock(mutex);
      if (done == 0 || std::pair(found.meanError, run) < std::pair(best.meanError, bestRun)) {
        best = std::move(found);
        bestRun = run;
      }
      ++done;
      if (progress)
        progress(done, best.meanError);
    }
  }

  const GeneticFitness &fitness;
  const GeneticOptions &options;
  const GeneticProgress &progress;
  const Clock::time_point start = Clock::now();
  std::atomic<unsigned> next{0};
  std::mutex mutex;
};

} // namespace

static llvm::Error checkOptions(const GeneticOptions &options) {
  auto probability = [](double value) { return value >= 0.0 && value <= 1.0; };
  if (options.population < 2 || options.population > 100000)
    return createStringError(formatv("the population must be 2 to 100000, not {0}", options.population).str());
  if (options.generations > 1000000)
    return createStringError(formatv("at most 1000000 generations, not {0}", options.generations).str());
  if (options.tournament < 1 || options.tournament > options.population)
    return createStringError(
        formatv("a tournament has 1 to {0} (the population) members, not {1}", options.population, options.tournament)
            .str());
  if (!probability(options.crossover) || !probability(options.mutation) || !probability(options.roundingProbability) ||
      !probability(options.kickProbability))
    return createStringError("probabilities must be 0 to 1");
  if (options.roundingFirst > options.roundingLast || options.roundingLast > 30)
    return createStringError("rounding mutation goes from few to at most 30 fractional bits");
  if (!(options.kickDeviation >= 0.0) || !std::isfinite(options.kickDeviation))
    return createStringError("the deviation of a move must be finite and not negative");
  if (options.seeds < 1 || options.seeds > 1000000000)
    return createStringError(formatv("the number of seeds must be 1 to 1000000000, not {0}", options.seeds).str());
  if (!(options.seconds >= 0.0) || !std::isfinite(options.seconds))
    return createStringError("the time for the search must be finite and not negative");
  if (options.threads > 1024)
    return createStringError(formatv("at most 1024 threads, not {0}", options.threads).str());
  return llvm::Error::success();
}

static llvm::Error checkGeneticProblem(const GeneticProblem &problem) {
  if (problem.entries < kMinEntries || problem.entries > kMaxEntries)
    return createStringError(
        formatv("a table has {0} to {1} entries, not {2}", kMinEntries, kMaxEntries, problem.entries).str());
  if (llvm::Error error = checkFormat(problem.format))
    return error;
  if (!(problem.lower < problem.upper) || !std::isfinite(problem.lower) || !std::isfinite(problem.upper))
    return createStringError(
        formatv("the range {0} to {1} of {2} is empty", number(problem.lower), number(problem.upper), problem.name)
            .str());
  if (!(problem.initialLower <= problem.initialUpper) || problem.initialLower < problem.lower ||
      problem.initialUpper > problem.upper)
    return createStringError(formatv("the first breakpoints of {0} must be within its range", problem.name).str());
  if (!(problem.outerLower <= problem.lower) || !(problem.outerUpper >= problem.upper))
    return createStringError(formatv("the outer secants of {0} must end outside its range", problem.name).str());
  const double steps = (problem.upper - problem.lower) / problem.gridStep;
  if (!(problem.gridStep > 0.0) || !(steps <= 1e6))
    return createStringError(
        formatv("the grid of {0} must have a positive step and at most 1000000 points", problem.name).str());
  for (int64_t i = 0; i <= static_cast<int64_t>(steps); ++i) {
    const double x = problem.lower + problem.gridStep * static_cast<double>(i);
    if (!std::isfinite(problem.function(x)))
      return createStringError(
          formatv("{0} is not finite at {1}: choose a range without it", problem.name, number(x)).str());
  }
  if (!std::isfinite(problem.function(problem.outerLower)) || !std::isfinite(problem.function(problem.outerUpper)))
    return createStringError(formatv("{0} is not finite where its outer secants end", problem.name).str());
  if (problem.scales.empty())
    return createStringError(formatv("no input scale to judge {0} at", problem.name).str());
  for (double scale : problem.scales) {
    if (!(scale > 0.0) || !std::isfinite(scale))
      return createStringError(
          formatv("the input scale of {0} is {1}; it must be positive and finite", problem.name, number(scale)).str());
    const double first = std::max(std::ceil(problem.lower / scale), static_cast<double>(problem.firstCode));
    const double last = std::min(std::floor(problem.upper / scale), static_cast<double>(problem.lastCode));
    if (!(first <= last) || last - first > 0x1p20)
      return createStringError(formatv("the range {0} to {1} of {2} holds no code at scale {3}, or more than 2^20",
                                       number(problem.lower), number(problem.upper), problem.name, number(scale))
                                   .str());
  }
  return llvm::Error::success();
}

llvm::Expected<GeneticResult> approximation::fitGenetic(const GeneticProblem &problem, const GeneticOptions &options,
                                                        const GeneticProgress &progress) {
  if (llvm::Error error = checkOptions(options))
    return error;
  if (llvm::Error error = checkGeneticProblem(problem))
    return error;
  GeneticFitness fitness(problem, options.lines);
  Runs runs(fitness, options, progress);
  runs.all();

  GeneticResult result;
  result.breakpoints = runs.best.breakpoints;
  Lines lines;
  fitness.fitLines(result.breakpoints, lines);
  TableFormat format = problem.format;
  format.interceptInSteps = false;
  if (llvm::Error error = checkWidth(format, 1.0, problem.name, lines.largestSlope, lines.largestIntercept))
    return error;
  result.slopes = lines.slopes;
  result.intercepts = lines.intercepts;
  result.fractionBits = problem.format.fractionBits;
  result.gridError = fitness.gridError(result.breakpoints, lines);
  for (size_t i = 0; i < problem.scales.size(); ++i)
    result.scaleErrors.push_back(fitness.scaleError(i, result.breakpoints, lines));
  result.meanError = runs.best.meanError;
  result.seed = options.seed + runs.bestRun;
  result.runs = runs.done;
  return result;
}

PiecewiseTable GeneticResult::table(double scale, int64_t firstCode, int64_t lastCode, bool interceptInSteps) const {
  PiecewiseTable table;
  table.fractionBits = fractionBits;
  table.slopes = slopes;
  table.intercepts = intercepts;
  for (double breakpoint : breakpoints)
    table.breakpoints.push_back(
        std::llrint(std::clamp(breakpoint / scale, static_cast<double>(firstCode), static_cast<double>(lastCode + 1))));
  return interceptInSteps ? table.inSteps(scale) : table;
}
