//===- GeluTest.cpp - ShiftGELU -------------------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/RealFunctions.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace vitq::numerics;

namespace {

TEST(ShiftGelu, GoldenRow) {
  const std::vector<int32_t> in = {-100, -50, -10, 0, 10, 25, 60, 100};
  EXPECT_EQ(shiftGeluX0(0.04), -15);
  EXPECT_EQ(shiftExp(-100, -15, 23), 180224);
  std::vector<int32_t> out(8);
  shiftGeluRow(in.data(), out.data(), 8, -15, 23, 31, 8);
  EXPECT_EQ(out, (std::vector<int32_t>{0, -200, -420, 0, 830, 2650, 7500, 12700}));
}

double maxError(double scale, unsigned n, unsigned reciprocalBits) {
  std::vector<int32_t> in, out(256);
  for (int32_t a = -128; a < 128; ++a)
    in.push_back(a);
  shiftGeluRow(in.data(), out.data(), 256, shiftGeluX0(scale), n, reciprocalBits, 8);
  double worst = 0;
  for (int i = 0; i < 256; ++i)
    worst = std::max(worst, std::abs(out[i] * scale / 128 - geluErfReal(in[i] * scale)));
  return worst;
}

TEST(ShiftGelu, RecommendedBits) {
  EXPECT_EQ(shiftGeluBits(0.01, 127), 10u);
  EXPECT_EQ(shiftGeluBits(0.0001, 127), 8u);
  EXPECT_EQ(shiftGeluBits(0.05, 127), 22u);
  EXPECT_EQ(shiftGeluBits(1.0, 127), 30u);
  // Largest errors of the recommended rule, and of the published one.
  const double scales[] = {0.07, 0.05, 0.03, 0.02, 0.01};
  const double rule[] = {0.069, 0.050, 0.041, 0.042, 0.012};
  const double published[] = {1.12, 0.24, 0.24, 0.29, 0.28};
  for (int i = 0; i < 5; ++i) {
    EXPECT_NEAR(maxError(scales[i], shiftGeluBits(scales[i], 127), 62), rule[i], 0.02 + 0.1 * rule[i]) << scales[i];
    EXPECT_NEAR(maxError(scales[i], 23, 31), published[i], 0.15 * published[i]) << scales[i];
  }
  EXPECT_GT(maxError(0.1, 23, 31), 6.0);
}

TEST(ShiftGelu, NegativeRowsAndExtremes) {
  // The maximum is negative, so the exponential of its negation grows.
  const std::vector<int32_t> in = {-128, -90, -60, -40};
  std::vector<int32_t> out(4);
  for (int64_t x0 : {int64_t(-1), int64_t(-15), int64_t(-4096)})
    for (unsigned n : {0u, 8u, 23u, 30u})
      for (unsigned m : {31u, 62u}) {
        shiftGeluRow(in.data(), out.data(), 4, x0, n, m, 8);
        for (int i = 0; i < 4; ++i) {
          EXPECT_LE(out[i], 0);
          EXPECT_GE(out[i], in[i] * 127);
        }
      }
  // One code far above the others and E beyond 31 bits: sigmoid stays at 127.
  const int32_t top = 127;
  int32_t result = 0;
  shiftGeluRow(&top, &result, 1, -4096, 23, 31, 8);
  EXPECT_LE(result, 127 * 127);
}

double maxPolynomialError(double scale, int32_t codes) {
  const PolyGelu gelu = polyGeluConstants(scale);
  double worst = 0;
  for (int32_t q = -codes; q < codes; ++q)
    worst =
        std::max(worst, std::abs(static_cast<double>(gelu.evaluate(q)) * scale / (2.0 * static_cast<double>(gelu.one)) -
                                 geluErfReal(q * scale)));
  return worst;
}

TEST(PolyGelu, Constants) {
  // 1.769 * sqrt(2) / 0.1 = 25.02, 2 / (0.2888 * 0.01) = 692.5
  EXPECT_EQ(polyGeluConstants(0.1).clip, 25);
  EXPECT_EQ(polyGeluConstants(0.1).one, 692);
  // q * (one + erf): 692 - (10 - 25)^2 = 467.
  EXPECT_EQ(polyGeluConstants(0.1).evaluate(10), 10 * (692 + 467));
  EXPECT_EQ(polyGeluConstants(0.1).evaluate(-10), -10 * (692 - 467));
  // Beyond the clip erf is one.
  EXPECT_EQ(polyGeluConstants(0.1).evaluate(25), 25 * 2 * 692);
  EXPECT_EQ(polyGeluConstants(0.1).evaluate(26), 26 * 2 * 692);
  EXPECT_EQ(polyGeluConstants(0.1).evaluate(-25), 0);
  EXPECT_EQ(polyGeluConstants(0.1).evaluate(-1000), 0);
  EXPECT_EQ(polyGeluConstants(0.1).evaluate(0), 0);
}

/// I-BERT gives 0.018 for the polynomial (Table 2 of Kim et al. 2021). The floors of clip
/// and one add little until a step is as wide as the function's bend.
TEST(PolyGelu, Error) {
  EXPECT_NEAR(maxPolynomialError(0.001, 8000), 0.018, 0.001);
  for (double scale : {0.01, 0.02, 0.03, 0.05, 0.1})
    EXPECT_NEAR(maxPolynomialError(scale, 800), 0.018, 0.001) << scale;
  EXPECT_LE(maxPolynomialError(0.5, 128), 0.019);
  EXPECT_LE(maxPolynomialError(1.0, 128), 0.08);
}

TEST(PolyGelu, Fits) {
  const int64_t most = std::numeric_limits<int32_t>::max();
  EXPECT_TRUE(polyGeluConstants(0.1).fits(128));
  EXPECT_TRUE(polyGeluConstants(2.5).fits(65535));
  EXPECT_TRUE(polyGeluConstants(0.0013).fits(255));
  EXPECT_FALSE(polyGeluConstants(0.0009).fits(128));
  EXPECT_FALSE(polyGeluConstants(1e-9).fits(128));
  EXPECT_TRUE((PolyGelu{0, 1}.fits(65535)));
  EXPECT_FALSE((PolyGelu{-1, 1}.fits(1)));
  EXPECT_FALSE((PolyGelu{0, 0}.fits(1)));
  // 2 * one * magnitude, and where the parabola goes below -one.
  EXPECT_TRUE((PolyGelu{0, 8388607}.fits(128)));
  EXPECT_FALSE((PolyGelu{0, 8388608}.fits(128)));
  EXPECT_TRUE((PolyGelu{4095, 1}.fits(128)));
  EXPECT_FALSE((PolyGelu{4096, 1}.fits(128)));
  EXPECT_FALSE((PolyGelu{most, 1}.fits(1)));
  EXPECT_FALSE((PolyGelu{0, most}.fits(1)));
  // What fits stays in 32 bits.
  for (PolyGelu gelu : {polyGeluConstants(0.02), PolyGelu{4095, 1}, PolyGelu{0, 8388607}, PolyGelu{1000, 7000000}})
    for (int64_t q = -128; q <= 128; ++q)
      EXPECT_LE(std::abs(gelu.evaluate(q)), gelu.fits(128) ? most : std::numeric_limits<int64_t>::max()) << q;
}

} // namespace
