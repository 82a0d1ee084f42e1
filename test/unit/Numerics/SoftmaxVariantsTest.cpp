//===- SoftmaxVariantsTest.cpp - Exponentials by other means -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Softmax.h"

#include "gtest/gtest.h"

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

using namespace vitq::numerics;

namespace {

const double kLn2 = std::log(2.0);

TEST(SoftmaxPolynomial, Constants) {
  const SoftmaxPolynomial p = softmaxPolynomialConstants(0.6931471805599453 / 16);
  EXPECT_EQ(p.x0, -16);
  EXPECT_EQ(p.b, 62);
  EXPECT_EQ(p.c, 1487);
  EXPECT_EQ(p.n, 15u);
  EXPECT_TRUE(softmaxPolynomialFits(p));
  const SoftmaxPolynomial q = softmaxPolynomialConstants(0.6931471805599453 / 26);
  EXPECT_EQ(q.x0, -26);
  EXPECT_EQ(softmaxPolynomialCode(0, q), 246);
  // No n of this family overflows, whatever the step.
  for (double step = 0x1p-14; step <= 0.25; step *= 1.01)
    EXPECT_TRUE(softmaxPolynomialFits(softmaxPolynomialConstants(step))) << step;
}

TEST(SoftmaxPolynomial, FollowsTheExponential) {
  for (double step : {kLn2 / 16, kLn2 / 26, kLn2 / 28, 1.0 / 24, 1.0 / 64}) {
    const SoftmaxPolynomial p = softmaxPolynomialConstants(step);
    const auto table = softmaxPolynomialTable(p);
    const double top = table[0];
    EXPECT_GE(top, 128);
    for (int d = 0; d < 256; ++d) {
      EXPECT_EQ(table[d], softmaxPolynomialCode(d, p));
      EXPECT_NEAR(table[d] / top, std::exp(-d * step), 0.02) << d;
      if (d > 0) {
        EXPECT_LE(table[d], table[d - 1]);
      }
    }
  }
}

TEST(SoftmaxPolynomial, WidthsAreChecked) {
  const SoftmaxPolynomial good = softmaxPolynomialConstants(kLn2 / 16);
  auto with = [&](auto change) {
    SoftmaxPolynomial p = good;
    change(p);
    return softmaxPolynomialFits(p);
  };
  EXPECT_FALSE(with([](auto &p) { p.x0 = 0; }));
  EXPECT_FALSE(with([](auto &p) { p.b = 31; }));
  EXPECT_FALSE(with([](auto &p) { p.c = 16 * 46; }));
  EXPECT_FALSE(with([](auto &p) { p.c = int64_t(1) << 47; }));
  EXPECT_FALSE(with([](auto &p) { p.n = 31; }));
  EXPECT_FALSE(with([](auto &p) { p.t = 0; }));
}

TEST(SoftmaxLines, RoundsAndClamps) {
  // 255 at d = 0 falling to 0 at d = 64, in units of 1/8 code; flat beyond.
  const PiecewiseLinear lines{{-64}, {0, 32}, {-5, 2048}};
  for (int d = 0; d < 256; ++d) {
    const int64_t value = d > 64 ? -5 : 2048 - 32 * d;
    EXPECT_EQ(softmaxLinesCode(d, lines, 3), std::clamp<int64_t>((value + 4) >> 3, 0, 255)) << d;
    EXPECT_EQ(softmaxLinesTable(lines, 3)[d], softmaxLinesCode(d, lines, 3));
  }
  EXPECT_EQ(softmaxLinesCode(0, lines, 3), 255);
  EXPECT_EQ(softmaxLinesCode(64, lines, 3), 0);
  EXPECT_EQ(softmaxLinesCode(255, lines, 3), 0);
}

TEST(SoftmaxLog2, PowersOfTwo) {
  const Dyadic d = *dyadicFromReal(0.01 / kLn2);
  for (unsigned top : {1u, 8u, 14u}) {
    std::vector<int32_t> acc(2000);
    std::iota(acc.begin(), acc.end(), -1999);
    std::vector<int16_t> codes(acc.size());
    int32_t sum = 0;
    softmaxLog2Row(acc.data(), codes.data(), &sum, 2000, d, top);
    EXPECT_EQ(sum, std::accumulate(codes.begin(), codes.end(), 0));
    for (size_t i = 0; i < acc.size(); ++i) {
      // Rounded half up in the logarithm: the boundary between 1 and 1/2 is at sqrt(1/2).
      const auto octaves = static_cast<int>(std::floor(-acc[i] * 0.01 / kLn2 + 0.5));
      EXPECT_EQ(codes[i], octaves > static_cast<int>(top) ? 0 : 1 << (static_cast<int>(top) - octaves)) << acc[i];
    }
  }
}

TEST(SoftmaxLog2, ExtremeRows) {
  const Dyadic d = *dyadicFromReal(0.01 / kLn2);
  for (int64_t n : {1, 2, 197, 1023, 1024, 4096}) {
    const unsigned top = softmaxLog2Top(n);
    EXPECT_LT(n << (top + 7), int64_t(1) << 31);
    EXPECT_TRUE(top == 14 || n << (top + 8) >= int64_t(1) << 31);
    for (int kind = 0; kind < 4; ++kind) {
      std::vector<int32_t> acc(n, kind == 0 ? 77 : INT32_MIN);
      acc[kind == 1 ? 0 : n - 1] = kind == 0 ? 77 : INT32_MAX;
      if (kind == 3)
        acc.assign(n, INT32_MAX);
      std::vector<int16_t> codes(n);
      int32_t sum = 0;
      softmaxLog2Row(acc.data(), codes.data(), &sum, n, d, top);
      const bool equal = kind == 0 || kind == 3;
      EXPECT_EQ(sum, (equal ? n : 1) << top) << n << " " << kind;
    }
  }
  EXPECT_EQ(softmaxLog2Top(197), 14u);
  EXPECT_EQ(softmaxLog2Top(1023), 14u);
  EXPECT_EQ(softmaxLog2Top(1024), 13u);
  EXPECT_EQ(softmaxLog2Top(4096), 11u);
  EXPECT_EQ(softmaxLog2Top(int64_t(1) << 24), 0u);
}

TEST(SoftmaxOctave, IsTheExponential) {
  for (unsigned top : {1u, 11u, 14u}) {
    const OctaveTable table = softmaxOctaveTable(top);
    EXPECT_EQ(table[0], 1 << top);
    for (int64_t d = 0; d <= kLastOctaveDistance; ++d) {
      // The entry is rounded before it is shifted.
      const double exact = std::exp2(static_cast<double>(top) - static_cast<double>(d) / kOctaveSteps);
      const double octave = std::ldexp(0.5, -static_cast<int>(d / kOctaveSteps));
      EXPECT_LE(std::abs(softmaxOctaveCode(d, table) - exact), 0.5 + octave) << top << " " << d;
    }
  }
  EXPECT_EQ(softmaxOctaveCode(kLastOctaveDistance, softmaxOctaveTable(14)), 0);
}

TEST(SoftmaxOctave, ExtremeRows) {
  // Distances in steps of 1/2, half up; anything beyond 4095 counts as that.
  const OctaveTable table = softmaxOctaveTable(14);
  const int32_t acc[] = {INT32_MIN, 100, 99, 97, 100 - 2 * 256, 100 - 2 * 4096};
  int16_t codes[6];
  int32_t sum = 0;
  softmaxOctaveRow(acc, codes, &sum, 6, {1 << 29, 30}, table);
  const int16_t expected[] = {0, table[0], table[1], table[2], static_cast<int16_t>((table[0] + 1) >> 1), 0};
  EXPECT_TRUE(std::equal(codes, codes + 6, expected));
  EXPECT_EQ(sum, std::accumulate(codes, codes + 6, 0));
}

/// All codes of the byte variants, on the rows where something could overflow.
TEST(SoftmaxVariants, SumsOfExtremeRows) {
  const Dyadic d = *dyadicFromReal(0.001);
  const auto polynomial = softmaxPolynomialTable(softmaxPolynomialConstants(kLn2 / 16));
  const auto lines = softmaxLinesTable({{-100}, {0, 20}, {0, 2048}}, 3);
  for (const auto &table : {polynomial, lines})
    for (int64_t n : {1, 2, 197, 4096, 8421504}) {
      std::vector<int32_t> acc(n, -5);
      std::vector<uint8_t> codes(n);
      int32_t sum = 0;
      softmaxTableRow(acc.data(), codes.data(), &sum, n, d, table.data());
      EXPECT_EQ(sum, table[0] * n);
      acc.assign(n, INT32_MIN);
      acc.back() = INT32_MAX;
      softmaxTableRow(acc.data(), codes.data(), &sum, n, d, table.data());
      EXPECT_EQ(sum, table[0] + (n - 1) * table[255]);
    }
}

} // namespace
