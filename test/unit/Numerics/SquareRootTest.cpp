//===- SquareRootTest.cpp - Integer square roots --------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/SquareRoot.h"
#include "vitq/Numerics/RootSteps.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace vitq::numerics;

namespace {

void expectRoot(uint64_t v) {
  auto k = static_cast<uint64_t>(std::sqrt(static_cast<long double>(v)));
  while (k > 0xffffffffu || k * k > v)
    --k;
  while (k < 0xffffffffu && (k + 1) * (k + 1) <= v)
    ++k;
  ASSERT_EQ(isqrt64(v), k) << v;
}

TEST(SquareRoot, ExhaustiveSmall) {
  uint64_t k = 0;
  for (uint64_t v = 0; v < (1u << 20); ++v) {
    k += (k + 1) * (k + 1) <= v;
    ASSERT_EQ(isqrt64(v), k) << v;
  }
}

TEST(SquareRoot, SquaresAndNeighbours) {
  std::mt19937_64 rng(4);
  for (int i = 0; i < 100000; ++i) {
    const uint64_t k = (rng() >> 32) >> (rng() % 32);
    expectRoot(k * k);
    expectRoot(k * k + 1);
    if (k)
      expectRoot(k * k - 1);
    expectRoot(rng() >> (rng() % 64));
  }
  expectRoot(~uint64_t(0));
  expectRoot(uint64_t(1) << 63);
  expectRoot(uint64_t(0xffffffff) * 0xffffffff);
}

/// The arithmetic of rootBySteps on numbers.
struct Numbers {
  using T = uint64_t;
  ReciprocalRootTable table = reciprocalRootTable();

  T clz(T x) const { return 64 - bitLength(x); }
  T entry(T i) const { return table.at(i); }
  T add(T x, T y) const { return x + y; }
  T sub(T x, T y) const { return x - y; }
  T mul(T x, T y) const { return x * y; }
  T shl(T x, T y) const { return x << y; }
  T shr(T x, T y) const { return x >> y; }
  T andC(T x, T y) const { return x & y; }
  T minC(T x, T y) const { return std::min(x, y); }
  T lessSigned(T x, T y) const { return static_cast<int64_t>(x) < static_cast<int64_t>(y); }
};

void expectSteps(Numbers &numbers, uint64_t v) {
  if (v == 0)
    return;
  const uint64_t k = rootBySteps(numbers, v);
  ASSERT_TRUE(k <= UINT32_MAX && k * k <= v && v - k * k <= 2 * k) << v << " " << k;
}

TEST(RootSteps, ExactForEveryEntryOfTheTable) {
  Numbers numbers;
  for (uint64_t v = 1; v < (1u << 20); ++v)
    expectSteps(numbers, v);
  // Where an entry begins and ends, and beside the squares nearby, at every scale.
  for (uint64_t i = 128; i <= 512; ++i)
    for (unsigned shift = 0; shift <= 55; ++shift)
      for (uint64_t distance = 0; distance < 3; ++distance) {
        const uint64_t begin = i == 512 && shift == 55 ? 0 : i << shift;
        const uint64_t k = isqrt64(begin - 1);
        for (uint64_t v : {begin + distance, begin - distance - 1, k * k + distance, k * k - distance})
          expectSteps(numbers, v);
      }
}

TEST(RootSteps, SquaresAndNeighbours) {
  Numbers numbers;
  std::mt19937_64 rng(5);
  for (int i = 0; i < 300000; ++i) {
    const uint64_t k = (rng() >> 32) >> (rng() % 32);
    for (uint64_t v : {k * k, k * k + 1, k * k - 1, k * k + 2 * k, rng() >> (rng() % 64)})
      expectSteps(numbers, v);
  }
  for (uint64_t below = 1; below < 100000; ++below)
    expectSteps(numbers, 0 - below);
}

TEST(SquareRoot, BitLengthAndStart) {
  EXPECT_EQ(bitLength(0), 0u);
  EXPECT_EQ(bitLength(1), 1u);
  EXPECT_EQ(bitLength(255), 8u);
  EXPECT_EQ(bitLength(256), 9u);
  EXPECT_EQ(bitLength(~uint64_t(0)), 64u);
  EXPECT_EQ(newtonStart(0), 1u);
  EXPECT_EQ(newtonStart(255), 16u);
  EXPECT_EQ(newtonStart(256), 32u);
  EXPECT_EQ(newtonStart(~uint64_t(0)), uint64_t(1) << 32);
}

TEST(NewtonSqrt, GoldenSequence) {
  const uint64_t golden[] = {32784, 16425, 8280, 4274, 2397, 1662, 1500, 1491, 1491, 1491};
  for (unsigned i = 1; i <= 10; ++i)
    EXPECT_EQ(newtonSqrt(2225278, 1 << 16, i), golden[i - 1]);
}

TEST(NewtonSqrt, PublishedStartFailsBelow16Bits) {
  // {V, k, floor sqrt V}: where 10 steps from 2^16 end.
  const uint64_t cases[][3] = {{16, 64, 4}, {324, 65, 18}, {1296, 70, 36}, {5329, 89, 73}, {21903, 150, 147}};
  for (const auto &[v, k, root] : cases) {
    EXPECT_EQ(newtonSqrt(v, 1 << 16, 10), k);
    EXPECT_EQ(isqrt64(v), root);
  }
  for (uint64_t v = 1 << 16; v < (uint64_t(1) << 36); v += 1 + v / 100) {
    EXPECT_GE(newtonSqrt(v, 1 << 16, 10), isqrt64(v));
    EXPECT_LE(newtonSqrt(v, 1 << 16, 10), isqrt64(v) + 1);
  }
}

TEST(NewtonSqrt, BitLengthStartConvergesInFive) {
  std::mt19937_64 rng(5);
  for (int i = 0; i < 100000; ++i) {
    const uint64_t v = (rng() >> 24) >> (rng() % 40);
    const auto exact = static_cast<int64_t>(isqrt64(v));
    const auto k = static_cast<int64_t>(newtonSqrt(v, newtonStart(v), 5));
    EXPECT_LE(std::abs(k - exact), 1) << v;
  }
}

TEST(NewtonSqrt, Guards) {
  EXPECT_EQ(newtonSqrt(0, 0, 10), 1u);
  EXPECT_EQ(newtonSqrt(0, 1, 10), 1u);
  EXPECT_EQ(newtonSqrt(0, 1 << 16, 10), 64u);
  EXPECT_EQ(newtonSqrt(0, 1 << 16, 40), 1u);
  EXPECT_EQ(newtonSqrt(~uint64_t(0), 1, 1), uint64_t(1) << 63);
  EXPECT_EQ(newtonSqrt(~uint64_t(0), ~uint64_t(0), 1), uint64_t(1) << 63);
}

} // namespace
