//===- Bounds.cpp - Ranges of accumulators -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Bounds.h"

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

int vitq::numerics::signedBitsFor(Interval range) {
  int bits = 1;
  while (bits < 64 && (range.min < -(int64_t(1) << (bits - 1)) || range.max > (int64_t(1) << (bits - 1)) - 1))
    ++bits;
  return bits;
}
