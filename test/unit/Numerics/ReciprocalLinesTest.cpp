//===- ReciprocalLinesTest.cpp - Reciprocals of rows by lines -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinesOfFunctions.h"

#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/Softmax.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace vitq::numerics;
using vitq::test::inverseRootLines;
using vitq::test::reciprocalLines;

namespace {

/// Every power of two and its neighbours, and random numbers of every length.
std::vector<int64_t> numbersBelow(unsigned bits) {
  std::mt19937_64 rng(3);
  std::vector<int64_t> numbers;
  for (unsigned b = 0; b < bits; ++b) {
    const int64_t power = int64_t(1) << b;
    for (int64_t v : {power - 1, power, power + 1, 2 * power - 1})
      numbers.push_back(std::max<int64_t>(v, 1));
    for (int i = 0; i < 200; ++i)
      numbers.push_back(power + static_cast<int64_t>(rng() % static_cast<uint64_t>(power)));
  }
  return numbers;
}

TEST(ReciprocalLines, NeverAboveTheQuotient) {
  for (int entries : {2, 8, 16}) {
    const PiecewiseLinear lines = reciprocalLines(entries);
    ASSERT_TRUE(reciprocalLinesFit(lines));
    const double worst = entries == 2 ? 0.7 : entries == 8 ? 0.979 : 0.992;
    for (int64_t v : numbersBelow(31)) {
      const int64_t r = reciprocalByLines(v, lines), exact = (int64_t(1) << 40) / v;
      ASSERT_LE(r, exact) << v;
      // The shift of a large number loses one unit.
      ASSERT_GE(static_cast<double>(r) + 1, worst * 0x1p40 / static_cast<double>(v)) << v;
    }
  }
}

TEST(ReciprocalLines, NeverAboveTheInverseRoot) {
  for (int entries : {2, 8, 16}) {
    const PiecewiseLinear lines = inverseRootLines(entries);
    ASSERT_TRUE(inverseRootLinesFit(lines));
    const double worst = entries == 2 ? 0.8 : entries == 8 ? 0.983 : 0.993;
    for (int64_t v : numbersBelow(52)) {
      const double exact = 0x1p40 / std::sqrt(static_cast<double>(v));
      const auto f = static_cast<double>(inverseRootByLines(v, lines));
      ASSERT_LE(f, exact) << v;
      ASSERT_GE(f + 1, worst * exact) << v;
    }
  }
}

TEST(ReciprocalLines, LinesBesideTheFunctionAreRefused) {
  PiecewiseLinear lines = reciprocalLines(8), roots = inverseRootLines(8);
  for (auto change : {+300000, -2000000}) {
    PiecewiseLinear off = lines, offRoots = roots;
    off.intercepts[3] += change;
    offRoots.intercepts[3] += 3 * change;
    EXPECT_FALSE(reciprocalLinesFit(off)) << change;
    EXPECT_FALSE(inverseRootLinesFit(offRoots)) << change;
  }
  EXPECT_FALSE(reciprocalLinesFit({{0}, {0, INT32_MAX}, {0, 0}}));
  EXPECT_FALSE(inverseRootLinesFit({{0}, {0, INT32_MIN}, {0, 0}}));
}

/// With a factor that the lines stay below by, quotients are those of a division.
TEST(ReciprocalLines, DivideRow) {
  const PiecewiseLinear lines = reciprocalLines(16);
  std::mt19937_64 rng(5);
  for (int64_t sum : numbersBelow(31)) {
    const auto s = static_cast<int32_t>(sum);
    for (double v : {-128.0, -17.5, 0.0, 1.0, 127.0}) {
      const double product = v * static_cast<double>(sum);
      if (std::abs(product) >= 0x1p31)
        continue;
      const auto acc = static_cast<int32_t>(product);
      const double u = static_cast<double>(softmaxQuotient(acc, s, &lines)) * 0x1p-24;
      const double exact = static_cast<double>(acc) / static_cast<double>(sum);
      ASSERT_NEAR(u, exact, std::abs(exact) * 0.008 + 0x1p-7) << sum;
      ASSERT_LE(std::abs(u), std::abs(exact) + 0x1p-23);
    }
    // Beyond 256 times the sum both saturate.
    if (sum < 1 << 23) {
      ASSERT_EQ(softmaxQuotient(INT32_MAX, s, &lines), INT32_MAX) << sum;
      ASSERT_EQ(softmaxQuotient(INT32_MIN, s, &lines), INT32_MIN) << sum;
    }
  }
  int32_t out = 0;
  const int32_t acc = -100;
  divideRow(&acc, 0, &out, 1, {1 << 30, 30}, Rounding::HalfUp, 0, INT32_MIN, INT32_MAX, &lines);
  EXPECT_EQ(out, softmaxQuotient(-100, 1, &lines)); // a sum of 0 counts as 1
}

TEST(ReciprocalLines, LayerNormStaysWithinItsBound) {
  const PiecewiseLinear lines = inverseRootLines(8);
  std::mt19937_64 rng(6);
  for (int64_t channels : {1, 2, 7, 192, 2048})
    for (int kind = 0; kind < 6; ++kind) {
      std::vector<int32_t> x(channels), y(channels), exact(channels);
      for (int64_t c = 0; c < channels; ++c)
        x[c] = kind == 0   ? 12345
               : kind == 1 ? (c == 0 ? 32767 : -32768)
               : kind == 2 ? (c + 1 == channels ? 32767 : -32768)
               : kind == 3 ? (c % 2 ? 32767 : -32768)
               : kind == 4 ? static_cast<int32_t>(c == channels / 2)
                           : static_cast<int32_t>(rng() % 4001) - 2000;
      layerNormNormalizeByLines(x.data(), y.data(), channels, 1, lines);
      layerNormNormalize(x.data(), exact.data(), channels, 1);
      for (int64_t c = 0; c < channels; ++c) {
        ASSERT_LE(std::abs(y[c]), layerNormNormalizedBound(channels));
        ASSERT_NEAR(y[c], exact[c], std::abs(exact[c]) * 0.02 + 1) << channels << " " << kind;
      }
    }
}

} // namespace
