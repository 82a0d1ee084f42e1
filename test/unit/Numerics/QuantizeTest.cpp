//===- QuantizeTest.cpp - Reals to codes, choice of scales ----------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Quantize.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace vitq::numerics;

namespace {

TEST(QuantizeReal, Rounding) {
  const auto q = [](double x, Rounding r) { return quantizeReal(x, 1.0, 0, -100, 100, r); };
  EXPECT_EQ(q(2.5, Rounding::HalfUp), 3);
  EXPECT_EQ(q(2.5, Rounding::HalfEven), 2);
  EXPECT_EQ(q(3.5, Rounding::HalfEven), 4);
  EXPECT_EQ(q(2.5, Rounding::HalfAway), 3);
  EXPECT_EQ(q(2.5, Rounding::Floor), 2);
  EXPECT_EQ(q(-2.5, Rounding::HalfUp), -2);
  EXPECT_EQ(q(-2.5, Rounding::HalfEven), -2);
  EXPECT_EQ(q(-1.5, Rounding::HalfEven), -2);
  EXPECT_EQ(q(-2.5, Rounding::HalfAway), -3);
  EXPECT_EQ(q(-2.5, Rounding::Floor), -3);
  // floor(x + 0.5) would give 1.
  EXPECT_EQ(q(0.49999999999999994, Rounding::HalfUp), 0);
}

TEST(QuantizeReal, SaturatesBeforeNarrowing) {
  const double inf = std::numeric_limits<double>::infinity();
  for (double huge : {inf, 1e300, 0x1p63, 1e10}) {
    EXPECT_EQ(quantizeReal(huge, 1.0, 7, -128, 127), 127);
    EXPECT_EQ(quantizeReal(-huge, 1.0, 7, -128, 127), -128);
  }
  EXPECT_EQ(quantizeReal(1.0, 5e-324, 7, 0, 255), 255);
  EXPECT_EQ(quantizeReal(std::nan(""), 0.1, 7, 0, 255), 7);
  EXPECT_EQ(quantizeReal(std::nan(""), 0.1, 300, 0, 255), 255);
  EXPECT_EQ(quantizeReal(0.26, 0.1, 7, 0, 255), 10);
}

TEST(Scale, Symmetric) {
  EXPECT_DOUBLE_EQ(symmetricScale(12.7, 8), 0.1);
  EXPECT_DOUBLE_EQ(symmetricScale(32767.0, 16, 1.1), 1.1);
  EXPECT_EQ(symmetricScale(0.0, 8), 1.0);
  EXPECT_EQ(symmetricScale(1e-200, 8), kTinyRange / 127);
  EXPECT_EQ(quantizeReal(-12.7, symmetricScale(12.7, 8), 0, -128, 127), -127);
}

TEST(Scale, AsymmetricCoversZeroAndBothEnds) {
  for (bool isSigned : {false, true})
    for (int bits : {4, 8, 16})
      for (auto [low, high] :
           {std::pair{-1.0, 3.0}, {-0.17, 8.3}, {2.0, 5.0}, {-5.0, -2.0}, {-3.0, 0.0}, {0.0, 1e-3}}) {
        const ScaleZeroPoint q = asymmetricScale(low, high, bits, isSigned);
        const Interval codes = codeRange(bits, isSigned);
        EXPECT_GE(q.zeroPoint, codes.min);
        EXPECT_LE(q.zeroPoint, codes.max);
        EXPECT_EQ(quantizeReal(0.0, q.scale, q.zeroPoint, codes.min, codes.max), q.zeroPoint);
        for (double x : {low, high, 0.3 * low + 0.7 * high}) {
          const int64_t code = quantizeReal(x, q.scale, q.zeroPoint, codes.min, codes.max);
          EXPECT_LE(std::abs(dequantize(code, q.scale, q.zeroPoint) - x), 0.5000001 * q.scale);
        }
      }
  EXPECT_EQ(asymmetricScale(0, 0, 8).scale, 1.0);
  EXPECT_EQ(asymmetricScale(0, 0, 8, true).zeroPoint, 0);
  EXPECT_DOUBLE_EQ(asymmetricScale(-1, 1.55, 8, false, 2.0).scale, 0.02);
}

TEST(Scale, AroundAZeroPoint) {
  const Interval bytes = codeRange(8, false);
  EXPECT_DOUBLE_EQ(scaleAround({-1, 1}, 128, bytes), 1.0 / 127);
  EXPECT_DOUBLE_EQ(scaleAround({-1, 1}, 127, bytes), 1.0 / 127);
  EXPECT_DOUBLE_EQ(scaleAround({2, 5}, 55, bytes), 5.0 / 200);
  EXPECT_DOUBLE_EQ(scaleAround({0, 5.1}, 0, bytes), 0.02);
  EXPECT_DOUBLE_EQ(scaleAround({-5.1, -1}, 255, bytes), 0.02);
  // A side without codes: rounding covers half a step, no more.
  EXPECT_DOUBLE_EQ(scaleAround({-0.009, 5.1}, 0, bytes), 0.02);
  EXPECT_TRUE(std::isinf(scaleAround({-0.011, 5.1}, 0, bytes)));
  EXPECT_TRUE(std::isinf(scaleAround({-1, -0.5}, 0, bytes)));
  EXPECT_EQ(scaleAround({0, 0}, 7, bytes), 1.0);
}

TEST(Scale, SharedZeroPoint) {
  const Interval bytes = codeRange(8, false);
  double cost = 0;
  // Alike: what one would have, rounded so that the larger step is smallest.
  EXPECT_EQ(sharedZeroPoint({{-0.17, 5}, {-0.17, 5}}, bytes, &cost), 9);
  EXPECT_LT(cost, 1.01);
  // A channel that is always on, and narrow: it does not decide.
  EXPECT_EQ(sharedZeroPoint({{-0.17, 5}, {-0.17, 5}, {5.9, 6.1}}, bytes), 9);
  // One that is wide does not either.
  EXPECT_GT(sharedZeroPoint({{-1, 1}, {-1, 1}, {-1, 1}, {8, 100}}, bytes, &cost), 115);
  EXPECT_LT(cost, 2);
  // All on one side; no channel at all; nothing but zeros.
  EXPECT_EQ(sharedZeroPoint({{1, 2}, {0, 3}}, bytes), 0);
  EXPECT_EQ(sharedZeroPoint({{-2, -1}, {-3, 0}}, bytes), 255);
  EXPECT_EQ(sharedZeroPoint({}, bytes, &cost), 0);
  EXPECT_EQ(sharedZeroPoint({{0, 0}, {0, 0}}, bytes), 0);
  // No side of any channel is left out.
  for (double far : {1e-6, 1e-3, 0.1, 1.0, 1e3})
    EXPECT_TRUE(
        std::isfinite(zeroPointCost({{-far, 1}, {-1, far}}, sharedZeroPoint({{-far, 1}, {-1, far}}, bytes), bytes)))
        << far;
}

TEST(Scale, CodeRanges) {
  EXPECT_EQ(codeRange(8, true), (Interval{-128, 127}));
  EXPECT_EQ(codeRange(8, false), (Interval{0, 255}));
  EXPECT_EQ(codeRange(32, true), (Interval{INT32_MIN, INT32_MAX}));
}

} // namespace
