//===- Optimal.cpp - Tables of least squared error -*- C++ -*-===//
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

using namespace vitq;
using namespace vitq::approximation;

/// Where entries may begin: the number of places a dynamic program looks at.
static constexpr size_t kCandidates = 512;

/// Samples at which an entry may begin, from 0; all of them if they are few. Where
/// there are more, 30 % of the candidates are spread evenly; the density of the others
/// is (weight * f''^2)^(1/5), which is that of the best breakpoints as their number
/// grows.
static std::vector<size_t> candidates(const FittingProblem &fitting) {
  const size_t size = fitting.codes();
  std::vector<size_t> places;
  if (size <= kCandidates) {
    for (size_t i = 0; i < size; ++i)
      places.push_back(i);
    return places;
  }
  const size_t stride = std::max<size_t>(size / (4 * kCandidates), 1);
  std::vector<double> density(size, 0.0);
  double total = 0.0;
  for (size_t i = 0; i < size; ++i) {
    const size_t middle = std::clamp(i, stride, size - 1 - stride);
    const double bend =
        fitting.values[middle + stride] - 2.0 * fitting.values[middle] + fitting.values[middle - stride];
    density[i] = std::pow(fitting.weights[i] * bend * bend, 0.2);
    total += density[i];
  }
  const double even = total > 0.0 ? 0.3 : 1.0;
  double reached = 0.0;
  for (size_t i = 0; i < size; ++i) {
    if (reached * kCandidates >= static_cast<double>(places.size()))
      places.push_back(i);
    reached += even / static_cast<double>(size) + (total > 0.0 ? (1.0 - even) * density[i] / total : 0.0);
  }
  return places;
}

/// The best places for at most `entries` entries among `places`.
static std::vector<size_t> search(const FittingProblem &fitting, llvm::ArrayRef<size_t> places, unsigned entries) {
  const size_t count = places.size();
  // errors[i * (count + 1) + j]: one line over the places i..j-1.
  std::vector<double> errors(count * (count + 1));
  auto placeOf = [&](size_t i) { return i < count ? places[i] : fitting.codes(); };
  for (size_t i = 0; i < count; ++i)
    for (size_t j = i + 1; j <= count; ++j)
      errors[i * (count + 1) + j] = fitting.fit(placeOf(i), placeOf(j)).error;

  const size_t most = std::min<size_t>(entries, count);
  // best[j]: the least error of places 0..j-1 with the present number of entries.
  std::vector<double> best(count + 1, std::numeric_limits<double>::infinity()), previous;
  std::vector<std::vector<uint32_t>> cameFrom;
  std::vector<double> totals;
  best[0] = 0.0;
  for (size_t used = 1; used <= most; ++used) {
    previous = best;
    std::vector<uint32_t> &from = cameFrom.emplace_back(count + 1, 0);
    best.assign(count + 1, std::numeric_limits<double>::infinity());
    for (size_t i = used - 1; i < count; ++i)
      for (size_t j = i + 1; j <= count; ++j)
        if (const double sum = previous[i] + errors[i * (count + 1) + j]; sum < best[j]) {
          best[j] = sum;
          from[j] = static_cast<uint32_t>(i);
        }
    totals.push_back(best[count]);
  }
  size_t used = 1;
  const double least = *llvm::min_element(totals);
  while (totals[used - 1] > least * (1.0 + 1e-12))
    ++used;
  std::vector<size_t> starts(used);
  for (size_t i = used, at = count; i > 0; --i) {
    at = cameFrom[i - 1][at];
    starts[i - 1] = places[at];
  }
  return starts;
}

/// Moves each start, in turn, to the best sample between its neighbours that a
/// search with halved steps finds; until nothing improves.
static void refine(const FittingProblem &fitting, std::vector<size_t> &starts) {
  constexpr int sweeps = 8;
  bool moved = true;
  for (int sweep = 0; sweep < sweeps && moved; ++sweep) {
    moved = false;
    for (size_t i = 1; i < starts.size(); ++i) {
      const size_t left = starts[i - 1], right = i + 1 < starts.size() ? starts[i + 1] : fitting.codes();
      auto error = [&](size_t at) { return fitting.fit(left, at).error + fitting.fit(at, right).error; };
      double least = error(starts[i]);
      for (size_t step = std::max<size_t>((right - left) / 8, 1); step > 0; step /= 2)
        for (bool upwards : {false, true})
          while (upwards ? starts[i] + step < right : starts[i] > left + step) {
            const size_t at = upwards ? starts[i] + step : starts[i] - step;
            const double candidate = error(at);
            if (!(candidate < least * (1.0 - 1e-12)))
              break;
            least = candidate;
            starts[i] = at;
            moved = true;
          }
    }
  }
}

llvm::Expected<PiecewiseTable> approximation::fitOptimal(const FitProblem &problem) {
  if (llvm::Error error = checkProblem(problem))
    return error;
  FittingProblem fitting(problem);
  std::vector<size_t> starts = search(fitting, candidates(fitting), problem.entries);
  if (fitting.codes() > kCandidates)
    refine(fitting, starts);
  return fitting.table(starts);
}

llvm::Expected<unsigned> approximation::largestFractionBits(FitProblem problem) {
  if (llvm::Error error = checkProblem(problem))
    return error;
  for (;; --problem.format.fractionBits) {
    llvm::Expected<PiecewiseTable> table = fitOptimal(problem);
    if (table)
      return problem.format.fractionBits;
    if (problem.format.fractionBits == 0)
      return table.takeError();
    llvm::consumeError(table.takeError());
  }
}

llvm::Expected<PiecewiseTable> approximation::fitUniform(const FitProblem &problem) {
  if (llvm::Error error = checkProblem(problem))
    return error;
  FittingProblem fitting(problem);
  std::vector<size_t> starts;
  for (size_t i = 0; i < problem.entries; ++i) {
    const size_t start = i * fitting.codes() / problem.entries;
    if (starts.empty() || start > starts.back())
      starts.push_back(start);
  }
  return fitting.table(starts);
}
