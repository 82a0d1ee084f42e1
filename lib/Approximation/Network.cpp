//===- Network.cpp - Tables from a small network -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Segments.h"
#include "vitq/Approximation/Fit.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

using namespace vitq;
using namespace vitq::approximation;

namespace {

/// value = sum_j outer[j] * max(0, inner[j] * x + offset[j]) + constant, for x in
/// [-1, 1]; parameters are kept in one vector for the optimizer.
class Network {
public:
  Network(size_t units, uint64_t seed) : units(units), parameters(3 * units + 1, 0.0) {
    std::mt19937_64 random(seed);
    auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
    for (size_t j = 0; j < units; ++j) {
      // Kinks spread over the range, units open to alternating sides.
      const double kink = 2.0 * (static_cast<double>(j) + 0.25 + 0.5 * uniform()) / static_cast<double>(units) - 1.0;
      inner(j) = j % 2 ? -1.0 : 1.0;
      offset(j) = -inner(j) * kink;
      outer(j) = 0.5 * (uniform() - 0.5);
    }
  }

  double &inner(size_t j) { return parameters[j]; }
  double &offset(size_t j) { return parameters[units + j]; }
  double &outer(size_t j) { return parameters[2 * units + j]; }
  double &constant() { return parameters.back(); }

  double evaluate(double x) {
    double value = constant();
    for (size_t j = 0; j < units; ++j)
      value += outer(j) * std::max(0.0, inner(j) * x + offset(j));
    return value;
  }
  /// Adds to `gradient` the derivatives of a loss whose slope in the value at x is given.
  void accumulate(double x, double slopeOfLoss, std::vector<double> &gradient) {
    for (size_t j = 0; j < units; ++j) {
      const double input = inner(j) * x + offset(j);
      if (input <= 0.0)
        continue;
      gradient[j] += slopeOfLoss * outer(j) * x;
      gradient[units + j] += slopeOfLoss * outer(j);
      gradient[2 * units + j] += slopeOfLoss * input;
    }
    gradient.back() += slopeOfLoss;
  }

  size_t units;
  std::vector<double> parameters;
};

} // namespace

/// Adam on all samples at once.
static void train(Network &network, llvm::ArrayRef<double> xs, llvm::ArrayRef<double> targets,
                  llvm::ArrayRef<double> sampleWeights, const NetworkOptions &options) {
  constexpr double firstDecay = 0.9, secondDecay = 0.999, floor = 1e-12;
  const size_t count = network.parameters.size();
  std::vector<double> first(count, 0.0), second(count, 0.0), gradient(count);
  for (unsigned step = 1; step <= options.steps; ++step) {
    llvm::fill(gradient, 0.0);
    for (size_t i = 0; i < xs.size(); ++i)
      network.accumulate(xs[i], sampleWeights[i] * (network.evaluate(xs[i]) - targets[i]), gradient);
    const double fall = 0.5 * (1.0 + std::cos(std::numbers::pi * step / options.steps));
    const double rate = options.rate * (0.01 + 0.99 * fall);
    for (size_t p = 0; p < count; ++p) {
      first[p] = firstDecay * first[p] + (1.0 - firstDecay) * gradient[p];
      second[p] = secondDecay * second[p] + (1.0 - secondDecay) * gradient[p] * gradient[p];
      const double mean = first[p] / (1.0 - std::pow(firstDecay, step));
      const double size = std::sqrt(second[p] / (1.0 - std::pow(secondDecay, step)));
      network.parameters[p] -= rate * mean / (size + floor);
    }
  }
}

namespace {

/// Samples to train on: every code, or 512 of them.
struct TrainingSet {
  std::vector<double> xs, targets, weights;
  double middle = 0.0, halfWidth = 1.0; ///< code = middle + halfWidth * x
  double valueOffset = 0.0, valueScale = 1.0;

  explicit TrainingSet(const FittingProblem &fitting) {
    const size_t size = fitting.codes(), count = std::min<size_t>(size, 512);
    const double first = static_cast<double>(fitting.problem.firstCode);
    const double last = static_cast<double>(fitting.problem.lastCode);
    middle = 0.5 * (first + last);
    halfWidth = std::max(0.5 * (last - first), 0.5);
    auto [low, high] = std::minmax_element(fitting.values.begin(), fitting.values.end());
    valueOffset = *low;
    valueScale = *high > *low ? *high - *low : 1.0;
    double total = 0.0;
    for (size_t i = 0; i < count; ++i) {
      const size_t sample = count > 1 ? i * (size - 1) / (count - 1) : 0;
      xs.push_back((first + static_cast<double>(sample) - middle) / halfWidth);
      targets.push_back((fitting.values[sample] - valueOffset) / valueScale);
      weights.push_back(fitting.weights[sample]);
      total += weights.back();
    }
    for (double &weight : weights)
      weight /= total;
  }
};

} // namespace

/// The kinks of the network as codes, rising. A unit bends the function where its input
/// is 0; one that never bends within the range is a line over all of it, its kink at the
/// nearer end.
static std::vector<double> kinksOf(Network &network, const TrainingSet &set) {
  std::vector<double> kinks;
  for (size_t j = 0; j < network.units; ++j) {
    const double kink = network.inner(j) != 0.0 ? -network.offset(j) / network.inner(j) : 2.0;
    kinks.push_back(set.middle + set.halfWidth * std::clamp(kink, -1.0, 1.0));
  }
  llvm::sort(kinks);
  return kinks;
}

/// The network's line around a code, slope per code and value at code 0: that of the
/// units which are open there.
static std::pair<double, double> lineAround(Network &network, const TrainingSet &set, double code) {
  const double x = (code - set.middle) / set.halfWidth;
  double slope = 0.0, intercept = network.constant();
  for (size_t j = 0; j < network.units; ++j)
    if (network.inner(j) * x + network.offset(j) > 0.0) {
      slope += network.outer(j) * network.inner(j);
      intercept += network.outer(j) * network.offset(j);
    }
  const double perCode = slope * set.valueScale / set.halfWidth;
  return {perCode, intercept * set.valueScale + set.valueOffset - perCode * set.middle};
}

llvm::Expected<PiecewiseTable> approximation::fitNetwork(const FitProblem &problem, const NetworkOptions &options) {
  if (llvm::Error error = checkProblem(problem))
    return error;
  FittingProblem fitting(problem);
  TrainingSet set(fitting);
  Network network(problem.entries - 1, options.seed);
  train(network, set.xs, set.targets, set.weights, options);

  PiecewiseTable table;
  table.fractionBits = problem.format.fractionBits;
  table.interceptInSteps = problem.format.interceptInSteps;
  LineFitter fitter(problem.format, problem.scale, 0);
  double largestSlope = 0.0, largestIntercept = 0.0;
  const std::vector<double> kinks = kinksOf(network, set);
  for (size_t i = 0; i <= kinks.size(); ++i) {
    if (i < kinks.size())
      table.breakpoints.push_back(std::llrint(kinks[i]));
    const double low = i > 0 ? kinks[i - 1] : set.middle - 2.0 * set.halfWidth;
    const double high = i < kinks.size() ? kinks[i] : set.middle + 2.0 * set.halfWidth;
    auto [slope, intercept] = lineAround(network, set, 0.5 * (low + high));
    const Line line = fitter.round(slope, intercept);
    table.slopes.push_back(line.slope);
    table.intercepts.push_back(line.intercept);
    slope /= problem.format.slopeUnit(problem.scale);
    intercept /= problem.format.interceptUnit(problem.scale);
    largestSlope = std::fabs(slope) > std::fabs(largestSlope) ? slope : largestSlope;
    largestIntercept = std::fabs(intercept) > std::fabs(largestIntercept) ? intercept : largestIntercept;
  }
  if (llvm::Error error = checkWidth(problem.format, problem.scale, problem.name, largestSlope, largestIntercept))
    return error;
  return table;
}
