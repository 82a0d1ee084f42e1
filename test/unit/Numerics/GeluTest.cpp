//===- GeluTest.cpp - ShiftGELU -------------------------------------------===//

#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/RealFunctions.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
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
  // METHODS.md 2.5: errors of the recommended rule, and of the published one.
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

} // namespace
