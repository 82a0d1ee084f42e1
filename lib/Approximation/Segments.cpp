//===- Segments.cpp - Lines over ranges of samples -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Segments.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace vitq;
using namespace vitq::approximation;
using llvm::formatv;

std::string approximation::number(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%g", value);
  return text;
}

void Moments::add(double w, double position, double value) {
  weight += w;
  t += w * position;
  tt += w * position * position;
  f += w * value;
  tf += w * position * value;
  ff += w * value * value;
}

double Moments::error(double slope, double intercept) const {
  if (!(weight > 0.0))
    return 0.0;
  const double offset = meanF() - slope * meanT() - intercept;
  const double shape = spreadF() - 2.0 * slope * spreadTF() + slope * slope * spreadT();
  return std::max(shape, 0.0) + weight * offset * offset;
}

LineFitter::LineFitter(const TableFormat &format, double scale, int64_t origin)
    : slopeUnit(format.slopeUnit(scale)), interceptUnit(format.interceptUnit(scale)),
      slopeLimit(int64_t(1) << (format.slopeBits - 1)), interceptLimit(int64_t(1) << (format.interceptBits - 1)),
      origin(static_cast<double>(origin)) {}

LineFitter LineFitter::unlimited() const {
  LineFitter copy = *this;
  copy.slopeLimit = copy.interceptLimit = int64_t(1) << 60;
  return copy;
}

/// Half to even, within [-limit, limit - 1].
static int64_t roundWithin(double value, int64_t limit) {
  return std::llrint(std::clamp(value, -static_cast<double>(limit), static_cast<double>(limit - 1)));
}

/// Slope of the least-squares line; a single sample has none of its own.
static double leastSquaresSlope(const Moments &moments, double direction) {
  const double spread = moments.spreadT();
  return spread > 1e-6 * moments.weight ? moments.spreadTF() / spread : direction;
}

std::pair<double, double> LineFitter::real(const Moments &moments, double direction) const {
  const double slope = leastSquaresSlope(moments, direction);
  return {slope / slopeUnit, (moments.meanF() - slope * (moments.meanT() + origin)) / interceptUnit};
}

Line LineFitter::round(double slopePerCode, double intercept) const {
  return {roundWithin(slopePerCode / slopeUnit, slopeLimit), roundWithin(intercept / interceptUnit, interceptLimit)};
}

Line LineFitter::fit(const Moments &moments, double direction) const {
  constexpr int64_t reach = 32;
  const double best = leastSquaresSlope(moments, direction);
  const double spread = moments.spreadT();
  const double rest = std::max(moments.spreadF() - 2.0 * best * moments.spreadTF() + best * best * spread, 0.0);
  const double middle = moments.meanT() + origin;

  Line line;
  line.error = std::numeric_limits<double>::infinity();
  // Returns whether a slope this far away can win at all.
  auto consider = [&](int64_t slope) {
    if (slope < -slopeLimit || slope >= slopeLimit)
      return true;
    const double value = static_cast<double>(slope) * slopeUnit;
    const double turned = rest + (value - best) * (value - best) * spread;
    if (turned >= line.error)
      return false;
    const double intercept = (moments.meanF() - value * middle) / interceptUnit;
    const int64_t rounded = roundWithin(intercept, interceptLimit);
    const double shifted = (static_cast<double>(rounded) - intercept) * interceptUnit;
    const double error = turned + moments.weight * shifted * shifted;
    if (error < line.error)
      line = {slope, rounded, error};
    return true;
  };

  const int64_t start = roundWithin(best / slopeUnit, slopeLimit);
  consider(start);
  for (int64_t distance = 1; distance <= reach; ++distance) {
    const bool above = consider(start + distance);
    const bool below = consider(start - distance);
    if (!above && !below)
      break;
  }
  return line;
}

FittingProblem::FittingProblem(const FitProblem &problem)
    : problem(problem), size(problem.lastCode - problem.firstCode + 1),
      origin(problem.firstCode + static_cast<int64_t>(size / 2)), sums(size),
      fitter(LineFitter(problem.format, problem.scale, origin).unlimited()) {
  weights.assign(size, 1.0);
  if (!problem.weights.empty()) {
    double mean = 0.0;
    for (double weight : problem.weights)
      mean += weight / static_cast<double>(size);
    for (size_t i = 0; i < size; ++i)
      weights[i] = problem.weights[i] / mean + 1e-9;
  }
  values.reserve(size);
  for (size_t i = 0; i < size; ++i) {
    const int64_t code = problem.firstCode + static_cast<int64_t>(i);
    values.push_back(problem.function(static_cast<double>(code) * problem.scale));
    sums.add(weights[i], static_cast<double>(code - origin), values.back());
  }
}

double FittingProblem::direction(size_t begin, size_t end) const {
  if (size == 1) {
    const double next = problem.function(static_cast<double>(problem.firstCode + 1) * problem.scale) - values[0];
    return std::isfinite(next) ? next : 0.0;
  }
  const size_t low = begin > 0 ? begin - 1 : begin, high = std::min(end, size - 1);
  return high > low ? (values[high] - values[low]) / static_cast<double>(high - low) : 0.0;
}

Line FittingProblem::fit(size_t begin, size_t end) const {
  return fitter.fit(sums.range(begin, end), end - begin == 1 ? direction(begin, end) : 0.0);
}

Moments FittingProblem::momentsAbout(size_t begin, size_t end, double middle) const {
  Moments moments;
  for (size_t i = begin; i < end; ++i)
    moments.add(weights[i], static_cast<double>(problem.firstCode) + static_cast<double>(i) - middle, values[i]);
  return moments;
}

Line FittingProblem::fitExactly(size_t begin, size_t end) const {
  const int64_t middle = problem.firstCode + static_cast<int64_t>((begin + end) / 2);
  return LineFitter(problem.format, problem.scale, middle)
      .fit(momentsAbout(begin, end, static_cast<double>(middle)), direction(begin, end));
}

llvm::Error approximation::checkWidth(const TableFormat &format, double scale, const std::string &name,
                                      double largestSlope, double largestIntercept) {
  // Both are in stored units, signed; one beyond the end costs little and is moved to it.
  auto check = [&](double stored, unsigned bits, double unit, const char *what) -> llvm::Error {
    const double limit = std::ldexp(1.0, bits - 1);
    if (stored >= -limit - 1.0 && stored <= limit)
      return llvm::Error::success();
    unsigned needed = bits;
    while (stored < -std::ldexp(1.0, needed - 1) || stored > std::ldexp(1.0, needed - 1) - 1.0)
      ++needed;
    const int lambda = static_cast<int>(format.fractionBits), missing = static_cast<int>(needed - bits);
    const int available = static_cast<int>(bits) - 1 - lambda;
    std::string remedy = formatv("give them {0} bits", needed).str();
    if (missing <= lambda)
      remedy = formatv("lower lambda to {0} or {1}", lambda - missing, remedy).str();
    if (format.interceptInSteps && what[0] == 'i')
      return llvm::createStringError(
          formatv("at lambda {0} and scale {1}, {2}-bit intercepts in steps are too narrow; those of {3} reach {4:f2}: "
                  "{5}",
                  lambda, number(scale), bits, name, std::fabs(stored) * unit, remedy)
              .str());
    return llvm::createStringError(
        formatv("lambda {0} leaves {1} integer bit{2} of {3}-bit {4}s; the {4}s of {5} reach {6:f2} and need {7}: {8}",
                lambda, available, available == 1 ? "" : "s", bits, what, name, std::fabs(stored) * unit,
                available + missing, remedy)
            .str());
  };
  const double perStep = format.slopeUnit(scale) / scale;
  if (llvm::Error error = check(largestSlope, format.slopeBits, perStep, "slope"))
    return error;
  return check(largestIntercept, format.interceptBits, format.interceptUnit(scale), "intercept");
}

llvm::Error FittingProblem::checkWidths(llvm::ArrayRef<size_t> starts) const {
  double largestSlope = 0.0, largestIntercept = 0.0;
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t begin = starts[i], end = i + 1 < starts.size() ? starts[i + 1] : size;
    auto [slope, intercept] = fitter.real(momentsAbout(begin, end, static_cast<double>(origin)), direction(begin, end));
    if (std::fabs(slope) > std::fabs(largestSlope))
      largestSlope = slope;
    if (std::fabs(intercept) > std::fabs(largestIntercept))
      largestIntercept = intercept;
  }
  if (llvm::Error error = checkWidth(problem.format, problem.scale, problem.name, largestSlope, largestIntercept))
    return error;

  // Steeper than any line can be.
  double steepest = 0.0;
  for (size_t i = 1; i < size; ++i)
    steepest = std::max(steepest, std::fabs(values[i] - values[i - 1]) / problem.scale);
  const unsigned lambda = problem.format.fractionBits;
  if (steepest == 0.0 || std::ldexp(steepest, lambda) >= 0.5)
    return llvm::Error::success();
  return llvm::createStringError(
      formatv("lambda {0} is too small: slopes are multiples of {1}, those of {2} reach {3} and all round to 0; "
              "they need a lambda of at least {4}",
              lambda, number(std::ldexp(1.0, -static_cast<int>(lambda))), problem.name, number(steepest),
              static_cast<int>(std::ceil(-1.0 - std::log2(steepest))))
          .str());
}

llvm::Expected<PiecewiseTable> FittingProblem::table(llvm::ArrayRef<size_t> starts) const {
  if (llvm::Error error = checkWidths(starts))
    return error;
  PiecewiseTable table;
  table.fractionBits = problem.format.fractionBits;
  table.interceptInSteps = problem.format.interceptInSteps;
  for (size_t i = 0; i < starts.size(); ++i) {
    const Line line = fitExactly(starts[i], i + 1 < starts.size() ? starts[i + 1] : size);
    if (i > 0)
      table.breakpoints.push_back(problem.firstCode + static_cast<int64_t>(starts[i]));
    table.slopes.push_back(line.slope);
    table.intercepts.push_back(line.intercept);
  }
  // Unused entries in front; codes below the range meet the first, a copy of the line
  // that serves its beginning.
  const size_t unused = problem.entries - table.entries();
  table.breakpoints.insert(table.breakpoints.begin(), unused, problem.firstCode);
  table.slopes.insert(table.slopes.begin(), unused, table.slopes.front());
  table.intercepts.insert(table.intercepts.begin(), unused, table.intercepts.front());
  if (table.interceptInSteps && !table.lines().fits(problem.firstCode, problem.lastCode))
    return llvm::createStringError(
        formatv("lambda {0} is too large: lines of {1} exceed 32 bits on the codes {2}..{3}; lower lambda",
                table.fractionBits, problem.name, problem.firstCode, problem.lastCode)
            .str());
  return table;
}
