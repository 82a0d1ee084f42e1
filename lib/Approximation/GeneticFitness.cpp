//===- GeneticFitness.cpp - How good an individual is -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GeneticFitness.h"

#include <algorithm>
#include <cmath>

using namespace vitq;
using namespace vitq::approximation;

/// Intercepts as the published tables store them: a line over real x is one with step 1.
static TableFormat storedFormat(TableFormat format) {
  format.interceptInSteps = false;
  return format;
}

GeneticFitness::GeneticFitness(const GeneticProblem &problem, GeneticOptions::Lines kind)
    : problem(problem), kind(kind), fitter(storedFormat(problem.format), 1.0, 0),
      unit(storedFormat(problem.format).interceptUnit(1.0)), atLower(problem.function(problem.outerLower)),
      atUpper(problem.function(problem.outerUpper)) {
  const auto count = static_cast<size_t>(std::ceil((problem.upper - problem.lower) / problem.gridStep - 1e-6));
  for (size_t i = 0; i < count; ++i) {
    const double x = problem.lower + problem.gridStep * static_cast<double>(i);
    grid.add(1.0, x, problem.function(x));
  }
  for (double scale : problem.scales) {
    // A grid that the checks admit has at most 2^20 codes here.
    const auto low = static_cast<double>(problem.firstCode), high = static_cast<double>(problem.lastCode);
    const int64_t first = std::llround(std::max(low, std::ceil(problem.lower / scale)));
    const int64_t last = std::llround(std::min(high, std::floor(problem.upper / scale)));
    Samples samples{RunningMoments(), scale, first};
    for (int64_t code = first; code <= last; ++code) {
      const double x = static_cast<double>(code) * scale;
      samples.sums.add(1.0, x, problem.function(x));
    }
    scales.push_back(std::move(samples));
  }
}

size_t GeneticFitness::gridIndex(double position) const {
  const double index = std::ceil((position - problem.lower) / problem.gridStep - 1e-9);
  return static_cast<size_t>(std::clamp(index, 0.0, static_cast<double>(grid.size())));
}

void GeneticFitness::fitLines(llvm::ArrayRef<double> breakpoints, Lines &lines) const {
  const size_t entries = breakpoints.size() + 1;
  lines.slopes.resize(entries);
  lines.intercepts.resize(entries);
  lines.largestSlope = lines.largestIntercept = 0.0;
  double left = problem.outerLower, atLeft = atLower;
  size_t begin = 0;
  for (size_t i = 0; i < entries; ++i) {
    const bool last = i + 1 == entries;
    const double right = last ? problem.outerUpper : breakpoints[i];
    const double atRight = last ? atUpper : problem.function(right);
    // An entry between equal breakpoints serves nothing: any line will do.
    double slope = right > left ? (atRight - atLeft) / (right - left) : 0.0;
    double intercept = last ? atLeft - slope * left : atRight - slope * right;
    const size_t end = last ? grid.size() : gridIndex(right);
    Line line = fitter.round(slope, intercept);
    if (kind == GeneticOptions::Lines::LeastSquares && end > begin + 1) {
      const Moments moments = grid.range(begin, end);
      line = fitter.fit(moments, slope);
      std::tie(slope, intercept) = fitter.real(moments, slope);
      slope *= unit;
      intercept *= unit;
    }
    lines.slopes[i] = line.slope;
    lines.intercepts[i] = line.intercept;
    if (std::fabs(slope) > std::fabs(lines.largestSlope))
      lines.largestSlope = slope;
    if (std::fabs(intercept) > std::fabs(lines.largestIntercept))
      lines.largestIntercept = intercept;
    left = right;
    atLeft = atRight;
    begin = end;
  }
  lines.largestSlope /= unit;
  lines.largestIntercept /= unit;
}

template <typename IndexOf>
double GeneticFitness::error(const RunningMoments &sums, llvm::ArrayRef<double> breakpoints, const Lines &lines,
                             IndexOf &&indexOf) const {
  double sum = 0.0;
  size_t begin = 0;
  for (size_t i = 0; i <= breakpoints.size(); ++i) {
    const size_t end = i < breakpoints.size() ? indexOf(breakpoints[i]) : sums.size();
    if (end > begin)
      sum += sums.range(begin, end)
                 .error(static_cast<double>(lines.slopes[i]) * unit, static_cast<double>(lines.intercepts[i]) * unit);
    begin = std::max(begin, end);
  }
  return sum / static_cast<double>(sums.size());
}

double GeneticFitness::gridError(llvm::ArrayRef<double> breakpoints, const Lines &lines) const {
  return error(grid, breakpoints, lines, [&](double position) { return gridIndex(position); });
}

double GeneticFitness::scaleError(size_t index, llvm::ArrayRef<double> breakpoints, const Lines &lines) const {
  const Samples &samples = scales[index];
  const auto size = static_cast<double>(samples.sums.size());
  // As `GeneticResult::table` does it.
  return error(samples.sums, breakpoints, lines, [&](double position) {
    const double code = std::nearbyint(position / samples.scale) - static_cast<double>(samples.firstCode);
    return static_cast<size_t>(std::clamp(code, 0.0, size));
  });
}

double GeneticFitness::meanError(llvm::ArrayRef<double> breakpoints, const Lines &lines) const {
  double sum = 0.0;
  for (size_t i = 0; i < scales.size(); ++i)
    sum += scaleError(i, breakpoints, lines);
  return sum / static_cast<double>(scales.size());
}

double GeneticFitness::excess(const Lines &lines) const {
  auto beyond = [](double stored, unsigned bits) {
    const double limit = std::ldexp(1.0, bits - 1);
    return std::max({stored - limit, -limit - 1.0 - stored, 0.0}) / limit;
  };
  return beyond(lines.largestSlope, problem.format.slopeBits) +
         beyond(lines.largestIntercept, problem.format.interceptBits);
}
