//===- Random.h - Random choices of tests -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_RANDOM_H
#define VITQ_TEST_UNIT_RANDOM_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>
#include <initializer_list>
#include <random>

namespace vitq::test {

/// Random choices that are the same on every platform.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}

  /// Uniform in [lo, hi].
  int64_t between(int64_t lo, int64_t hi) {
    const uint64_t span = static_cast<uint64_t>(hi) - static_cast<uint64_t>(lo) + 1;
    return static_cast<int64_t>(static_cast<uint64_t>(lo) + (span ? engine() % span : engine()));
  }
  bool oneIn(int64_t n) { return between(1, n) == 1; }
  template <typename T>
  T pick(llvm::ArrayRef<T> choices) {
    return choices[between(0, static_cast<int64_t>(choices.size()) - 1)];
  }
  template <typename T>
  T pick(std::initializer_list<T> choices) {
    return pick(llvm::ArrayRef<T>(choices.begin(), choices.size()));
  }

  /// Uniform in [lo, hi), in steps of 2^-53 of the range.
  double real(double lo = 0, double hi = 1) { return lo + (hi - lo) * static_cast<double>(engine() >> 11) * 0x1p-53; }
  /// Mean 0, standard deviation 1: a sum of 12 uniform numbers, which needs no function
  /// of a mathematical library.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i)
      sum += real();
    return sum;
  }

private:
  std::mt19937_64 engine;
};

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_RANDOM_H
