//===- InterpolationTest.cpp - Functions of 16-bit codes ------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Interpolation.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/RealFunctions.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace vitq::numerics;

namespace {

/// Every code of GELU against the rounded true value.
void expectWithinOne(double inScale, double outScale, int64_t start, unsigned shift) {
  const InterpolationTable table = buildInterpolationTable(geluErfReal, inScale, outScale, start, shift);
  const Interpolation at{start, shift, *dyadicFromReal(inScale / outScale)};
  for (int64_t x = INT16_MIN; x <= INT16_MAX; ++x) {
    const int64_t exact =
        quantizeReal(geluErfReal(inScale * double(x)), outScale, 0, INT16_MIN, INT16_MAX, Rounding::HalfUp);
    ASSERT_LE(std::abs(interpolate(x, table.data(), at) - exact), 1) << x << " shift " << shift;
  }
}

TEST(Interpolation, GeluWithinOneCode) {
  // Intervals of up to 16 codes, from -3.7, -7.5, ... The chord of the widest
  // is off by 0.0073 * 16^2 / 8 * max|gelu''| (0.8) codes, a fifth.
  expectWithinOne(0.0073, 0.0073, -512, 0);
  for (unsigned shift : {1u, 2u, 3u, 4u})
    expectWithinOne(0.0073, 0.0073, -1024, shift);
  // A result of another scale, coarser and so wide that the tail saturates.
  expectWithinOne(0.0073, 0.02, -1024, 2);
  expectWithinOne(0.0073, 0.0051, -1100, 2);
}

TEST(Interpolation, MatchesTheDefinition) {
  std::mt19937_64 rng(21);
  for (unsigned shift = 0; shift <= 6; ++shift)
    for (int64_t start : {int64_t(INT16_MIN), int64_t(-1000), int64_t(0), int64_t(32000), int64_t(INT16_MAX)}) {
      InterpolationTable table;
      for (int16_t &entry : table)
        entry = static_cast<int16_t>(rng());
      table[7] = INT16_MIN;
      table[8] = INT16_MAX;
      const Interpolation at{start, shift, {static_cast<int32_t>(1 + (rng() >> 34)), 30}};
      for (int64_t x = INT16_MIN; x <= INT16_MAX; ++x) {
        const double width = std::exp2(shift);
        const int64_t d = x - start;
        double expected = table[0];
        if (d >= 1024 * width) {
          expected = std::floor(double(x) * at.tail.multiplier * 0x1p-30 + 0.5);
          expected = std::min(std::max(expected, -32768.0), 32767.0);
        } else if (d >= 0) {
          const auto i = static_cast<int64_t>(std::floor(double(d) / width));
          const double part = double(d) / width - double(i);
          // 2^shift >> 1 is half a unit but for shift 0, where nothing is rounded.
          expected = table[i] + std::floor((table[i + 1] - table[i]) * part + 0.5);
          ASSERT_GE(expected, std::min(table[i], table[i + 1]));
          ASSERT_LE(expected, std::max(table[i], table[i + 1]));
        }
        ASSERT_EQ(double(interpolate(x, table.data(), at)), expected) << x << " start " << start << " shift " << shift;
      }
    }
}

TEST(Interpolation, EndsAndRows) {
  const InterpolationTable table =
      buildInterpolationTable([](double x) { return 3.0 * x; }, 1.0, 1.0, /*start=*/-10, /*shift=*/2);
  EXPECT_EQ(table[0], -30);
  EXPECT_EQ(table[1024], 3 * (4096 - 10));
  const Interpolation at{-10, 2, {1 << 30, 29}};
  EXPECT_EQ(at.end(), 4086);
  const int32_t in[] = {INT16_MIN, -11, -10, -9, 0, 4085, 4086, INT16_MAX};
  int32_t out[8];
  interpolateRow(in, out, 8, table.data(), at);
  const int32_t expected[] = {-30, -30, -30, -27, 0, 3 * 4085, 2 * 4086, INT16_MAX};
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(out[i], expected[i]) << in[i];
  // Entries saturate.
  EXPECT_EQ(buildInterpolationTable([](double x) { return 1e9 * x; }, 1.0, 1.0, 1, 0)[0], INT16_MAX);
}

} // namespace
