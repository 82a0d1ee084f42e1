//===- Resample.cpp - Weights of pooling and resizing as integers -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Resample.h"

#include <algorithm>
#include <cassert>
#include <cmath>

using namespace vitq::numerics;

static constexpr double kTolerance = 1e-6;

RationalWeights vitq::numerics::rationalWeights(const std::vector<double> &weights, size_t taps, int64_t limit) {
  assert(limit >= 1 && taps >= 1 && weights.size() % taps == 0 && "no sums of that many terms");
  RationalWeights result;
  result.weights.resize(weights.size());
  auto isMultiple = [&](double weight) {
    const auto divisor = static_cast<double>(result.divisor);
    return std::abs(weight - std::round(weight * divisor) / divisor) <= kTolerance;
  };
  while (result.divisor <= limit && !std::ranges::all_of(weights, isMultiple))
    ++result.divisor;
  result.isExact = result.divisor <= limit;
  result.divisor = std::min(result.divisor, limit);
  const auto divisor = static_cast<double>(result.divisor);
  for (size_t first = 0; first < weights.size(); first += taps) {
    double sum = 0;
    int64_t rounded = 0;
    size_t largest = first;
    for (size_t i = first; i < first + taps; ++i) {
      sum += weights[i];
      result.weights[i] = std::llround(weights[i] * divisor);
      rounded += result.weights[i];
      largest = weights[i] > weights[largest] ? i : largest;
    }
    if (!result.isExact)
      result.weights[largest] += std::llround(sum * divisor) - rounded;
  }
  return result;
}
