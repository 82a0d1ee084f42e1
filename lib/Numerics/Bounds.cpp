//===- Bounds.cpp - Ranges of accumulators -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Bounds.h"

#include <algorithm>
#include <vector>

using namespace vitq::numerics;

template <typename Weight>
static Interval dotBoundImpl(const Weight *w, int64_t k, int64_t lhsLo, int64_t lhsHi, int64_t stride) {
  assert(lhsLo <= lhsHi && "empty range");
  Interval bound;
  for (int64_t i = 0; i < k; ++i) {
    const int64_t weight = w[i * stride];
    bound.min += weight * (weight >= 0 ? lhsLo : lhsHi);
    bound.max += weight * (weight >= 0 ? lhsHi : lhsLo);
  }
  return bound;
}

Interval vitq::numerics::dotBound(const int8_t *w, int64_t k, int64_t lhsLo, int64_t lhsHi, int64_t stride) {
  return dotBoundImpl(w, k, lhsLo, lhsHi, stride);
}

Interval vitq::numerics::dotBound(const int32_t *w, int64_t k, int64_t lhsLo, int64_t lhsHi, int64_t stride) {
  return dotBoundImpl(w, k, lhsLo, lhsHi, stride);
}

Interval vitq::numerics::productBound(Interval a, Interval b) {
  const auto [low, high] = std::minmax({a.min * b.min, a.min * b.max, a.max * b.min, a.max * b.max});
  return {low, high};
}

Interval vitq::numerics::dotBound(Interval a, Interval b, int64_t k) {
  const Interval product = productBound(a, b);
  return {product.min * k, product.max * k};
}

static bool fitShort(const std::vector<Interval> &sums) {
  return std::all_of(sums.begin(), sums.end(),
                     [](Interval sum) { return sum.min >= INT16_MIN && sum.max <= INT16_MAX; });
}

int64_t vitq::numerics::shortSumSteps(const int8_t *w, int64_t k, int64_t lhsLo, int64_t lhsHi, int64_t group,
                                      int64_t stride) {
  const int64_t half = group / 2, all = (k + group - 1) / group;
  // Of the halves of each step, then of twice as many steps each time.
  std::vector<Interval> sums(2 * all);
  for (int64_t i = 0; i * half < k; ++i)
    sums[i] = dotBound(w + i * half * stride, std::min(half, k - i * half), lhsLo, lhsHi, stride);
  if (!fitShort(sums))
    return 0;
  int64_t steps = 1;
  for (; steps < all; steps *= 2) {
    const size_t count = sums.size() / 2;
    for (size_t i = 0; i < count; i += 2)
      for (size_t h : {size_t{0}, size_t{1}}) {
        const Interval other = i + 1 < count ? sums[2 * i + 2 + h] : Interval{};
        sums[i + h] = {sums[2 * i + h].min + other.min, sums[2 * i + h].max + other.max};
      }
    sums.resize((count + 1) / 2 * 2);
    if (!fitShort(sums))
      break;
  }
  return steps;
}

int64_t vitq::numerics::shortSumSteps(Interval rhs, int64_t k, int64_t lhsLo, int64_t lhsHi, int64_t group) {
  const int64_t half = group / 2, all = (k + group - 1) / group;
  auto fits = [&](int64_t steps) { return fitShort({dotBound(rhs, {lhsLo, lhsHi}, steps * half)}); };
  int64_t steps = fits(1) ? 1 : 0;
  while (steps && steps < all && fits(2 * steps))
    steps *= 2;
  return steps;
}

int vitq::numerics::signedBitsFor(Interval range) {
  int bits = 1;
  while (bits < 64 && (range.min < -(int64_t(1) << (bits - 1)) || range.max > (int64_t(1) << (bits - 1)) - 1))
    ++bits;
  return bits;
}
