//===- PiecewiseTable.cpp - Tables, problems and their errors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Approximation/PiecewiseTable.h"

#include "Segments.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <cmath>

using namespace vitq;
using namespace vitq::approximation;
using llvm::createStringError;
using llvm::formatv;

double TableFormat::slopeUnit(double scale) const { return std::ldexp(scale, -static_cast<int>(fractionBits)); }

double TableFormat::interceptUnit(double scale) const {
  return std::ldexp(interceptInSteps ? scale : 1.0, -static_cast<int>(fractionBits));
}

size_t PiecewiseTable::entryOf(int64_t code) const {
  return llvm::upper_bound(breakpoints, code) - breakpoints.begin();
}

double PiecewiseTable::value(int64_t code, double scale) const {
  const size_t entry = entryOf(code);
  const double product = static_cast<double>(slopes[entry] * code);
  const double intercept = static_cast<double>(intercepts[entry]);
  const double sum = interceptInSteps ? (product + intercept) * scale : product * scale + intercept;
  return std::ldexp(sum, -static_cast<int>(fractionBits));
}

PiecewiseTable PiecewiseTable::inSteps(double scale) const {
  PiecewiseTable table = *this;
  if (!interceptInSteps)
    for (int64_t &intercept : table.intercepts)
      intercept = std::llrint(std::clamp(static_cast<double>(intercept) / scale, -0x1p62, 0x1p62));
  table.interceptInSteps = true;
  return table;
}

numerics::PiecewiseLinear PiecewiseTable::lines() const {
  numerics::PiecewiseLinear lines;
  lines.breakpoints.assign(breakpoints.begin(), breakpoints.end());
  lines.slopes.assign(slopes.begin(), slopes.end());
  lines.intercepts.assign(intercepts.begin(), intercepts.end());
  return lines;
}

llvm::Error approximation::checkFormat(const TableFormat &format) {
  if (format.fractionBits > 30)
    return createStringError(formatv("lambda must be 0 to 30, not {0}", format.fractionBits).str());
  if (format.slopeBits < 2 || format.slopeBits > 32)
    return createStringError(formatv("slopes must have 2 to 32 bits, not {0}", format.slopeBits).str());
  if (format.interceptBits < 2 || format.interceptBits > 32)
    return createStringError(formatv("intercepts must have 2 to 32 bits, not {0}", format.interceptBits).str());
  return llvm::Error::success();
}

static llvm::Error checkWeights(const FitProblem &problem, size_t codes) {
  if (problem.weights.empty())
    return llvm::Error::success();
  if (problem.weights.size() != codes)
    return createStringError(
        formatv("{0} weights for the {1} codes of {2}", problem.weights.size(), codes, problem.name).str());
  double sum = 0.0;
  for (auto [index, weight] : llvm::enumerate(problem.weights)) {
    if (!(weight >= 0.0) || !std::isfinite(weight))
      return createStringError(formatv("the weight of code {0} of {1} is {2}; weights are finite and not negative",
                                       problem.firstCode + static_cast<int64_t>(index), problem.name, number(weight))
                                   .str());
    sum += weight;
  }
  if (!(sum > 0.0))
    return createStringError(formatv("the range {0}..{1} of {2} excludes the data: every weight in it is 0",
                                     problem.firstCode, problem.lastCode, problem.name)
                                 .str());
  return llvm::Error::success();
}

llvm::Error approximation::checkProblem(const FitProblem &problem) {
  if (!(problem.scale > 0.0) || !std::isfinite(problem.scale))
    return createStringError(
        formatv("the input scale of {0} is {1}; it must be positive and finite", problem.name, number(problem.scale))
            .str());
  if (problem.entries < kMinEntries || problem.entries > kMaxEntries)
    return createStringError(
        formatv("a table has {0} to {1} entries, not {2}", kMinEntries, kMaxEntries, problem.entries).str());
  if (llvm::Error error = checkFormat(problem.format))
    return error;
  constexpr int64_t limit = int64_t(1) << 20;
  if (problem.firstCode > problem.lastCode)
    return createStringError(formatv("the range of {0} holds no code: at scale {1} it begins at {2} and ends at {3}",
                                     problem.name, number(problem.scale), problem.firstCode, problem.lastCode)
                                 .str());
  if (problem.firstCode < -limit || problem.lastCode > limit || problem.lastCode - problem.firstCode >= limit)
    return createStringError(
        formatv("the range {0}..{1} of {2} is wider than 20 bits", problem.firstCode, problem.lastCode, problem.name)
            .str());
  for (int64_t code = problem.firstCode; code <= problem.lastCode; ++code) {
    const double x = static_cast<double>(code) * problem.scale;
    if (!std::isfinite(problem.function(x)))
      return createStringError(
          formatv("{0} is not finite at code {1} (x = {2}): choose a range without it", problem.name, code, number(x))
              .str());
  }
  return checkWeights(problem, problem.lastCode - problem.firstCode + 1);
}

double approximation::meanSquaredError(const FitProblem &problem, const PiecewiseTable &table) {
  double sum = 0.0, weights = 0.0;
  for (int64_t code = problem.firstCode; code <= problem.lastCode; ++code) {
    const double weight = problem.weights.empty() ? 1.0 : problem.weights[code - problem.firstCode];
    const double error = table.value(code, problem.scale) - problem.function(code * problem.scale);
    sum += weight * error * error;
    weights += weight;
  }
  return weights > 0.0 ? sum / weights : 0.0;
}

double approximation::largestError(const FitProblem &problem, const PiecewiseTable &table) {
  double largest = 0.0;
  for (int64_t code = problem.firstCode; code <= problem.lastCode; ++code)
    largest = std::max(largest, std::fabs(table.value(code, problem.scale) - problem.function(code * problem.scale)));
  return largest;
}

PiecewiseTable approximation::moveToScale(const PiecewiseTable &table, double from, double to, int64_t firstCode,
                                          int64_t lastCode) {
  PiecewiseTable moved = table;
  const double ratio = from / to;
  for (int64_t &breakpoint : moved.breakpoints)
    breakpoint = std::llrint(std::clamp(static_cast<double>(breakpoint) * ratio, static_cast<double>(firstCode),
                                        static_cast<double>(lastCode + 1)));
  if (table.interceptInSteps)
    for (int64_t &intercept : moved.intercepts)
      intercept = std::llrint(std::clamp(static_cast<double>(intercept) * ratio, -0x1p62, 0x1p62));
  return moved;
}

double approximation::nearestPowerOfTwo(double scale) { return std::exp2(std::nearbyint(std::log2(scale))); }
