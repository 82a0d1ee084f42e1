//===- SoftmaxTest.cpp - Integer softmax ----------------------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Softmax.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>
#include <vector>

using namespace vitq::numerics;

namespace {

const std::vector<int32_t> kGoldenRow = {-60, -20, 0, 5, 17, 40};

TEST(ShiftExp, GoldenRow) {
  EXPECT_EQ(shiftX0(0.05), -20);
  const int64_t golden[] = {4736, 34816, 94208, 122880, 221184, 655360};
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(shiftExp(kGoldenRow[i] - 40, -20, 15), golden[i]);
}

TEST(ShiftExp, MatchesTheDefinition) {
  for (int64_t x0 : {-1, -2, -15, -20, -333})
    for (unsigned n : {0u, 1u, 8u, 15u, 16u})
      for (int64_t a = -2000; a <= 60; ++a) {
        const int64_t raw = a + (a >> 1) - (a >> 4);
        const int64_t p = std::max<int64_t>(raw, n * x0);
        const double q = std::floor(double(p) / double(x0));
        const double r = double(p) - q * double(x0);
        const double e = std::floor((r / 2 - double(x0)) * std::exp2(double(n) - q));
        if (e < 0x1p52) {
          ASSERT_EQ(double(shiftExp(a, x0, n)), e) << a << " " << x0;
        }
      }
}

TEST(ShiftExp, Extremes) {
  EXPECT_EQ(shiftExp(128, -1, 30), kShiftExpMax);
  EXPECT_EQ(shiftExp(int64_t(1) << 33, -1, 30), kShiftExpMax);
  EXPECT_EQ(shiftExp(0, -(int64_t(1) << 30), 30), int64_t(1) << 60);
  EXPECT_EQ(shiftExp(-(int64_t(1) << 33), -1, 30), 1);
  EXPECT_EQ(shiftExp(0, -1, 0), 1);
  EXPECT_EQ(shiftX0(1e300), -1);
  EXPECT_EQ(shiftX0(1e-300), -(int64_t(1) << 30));
  EXPECT_EQ(shiftX0(0.3), -4);
}

TEST(Shiftmax, GoldenRow) {
  std::vector<int32_t> out(6);
  shiftmaxRow(kGoldenRow.data(), out.data(), 6, -20, 15, 31, 16);
  EXPECT_EQ(out, (std::vector<int32_t>{136, 1006, 2724, 3553, 6395, 18950}));
  shiftmaxRow(kGoldenRow.data(), out.data(), 6, -20, 15, 31, 8);
  EXPECT_EQ(out, (std::vector<int32_t>{0, 3, 10, 13, 24, 74}));
}

TEST(Shiftmax, RangeRule) {
  // N * ceil(1/S) * 2^n < 2^31 for N = 197, n = 15 iff S > 0.0030.
  EXPECT_GE(shiftmaxBits(197, shiftX0(0.0031)), 15u);
  EXPECT_LT(shiftmaxBits(197, shiftX0(0.0030)), 15u);
  EXPECT_LT(shiftmaxBits(197, shiftX0(0.0060)), 16u);
  for (int64_t n : {1, 49, 197, 577})
    for (int64_t x0 : {-1, -20, -400}) {
      const unsigned bits = shiftmaxBits(n, x0);
      EXPECT_LT(n * -x0 << bits, int64_t(1) << 31);
      if (bits < 30) {
        EXPECT_GE(n * -x0 << (bits + 1), int64_t(1) << 31);
      }
    }
}

TEST(Shiftmax, MassOfTheRow) {
  std::mt19937_64 rng(8);
  std::normal_distribution<double> normal(0.0, 1.5);
  for (double scale : {0.1, 0.05, 0.02, 0.01, 0.005}) {
    std::vector<int32_t> row(197), out(197);
    for (int32_t &v : row)
      v = static_cast<int32_t>(std::lround(normal(rng) / scale));
    shiftmaxRow(row.data(), out.data(), 197, shiftX0(scale), 15, 62, 16);
    double mass = 0;
    for (int32_t v : out)
      mass += v / 32768.0;
    EXPECT_GT(mass, 0.99);
    EXPECT_LE(mass, 1.0);
  }
}

TEST(Shiftmax, SaturatingSums) {
  std::vector<int32_t> row(1000, INT32_MAX), out(1000);
  row[0] = INT32_MIN;
  for (unsigned m : {31u, 62u}) {
    shiftmaxRow(row.data(), out.data(), 1000, -(1 << 30), 30, m, 16);
    for (int32_t v : out) {
      EXPECT_GE(v, 0);
      EXPECT_LE(v, 32767);
    }
  }
  // One code above the 31-bit sum: without the last min it would leave 16 bits.
  const int32_t one = 5;
  int32_t result = 0;
  shiftmaxRow(&one, &result, 1, -(1 << 20), 15, 31, 16);
  EXPECT_EQ(result, 32767);
}

Dyadic ratio(double r) { return *dyadicFromReal(r); }

TEST(SoftmaxRow, TableIsTheRoundedExponential) {
  const auto table = softmaxExpTable(std::log(2.0) / 16);
  EXPECT_EQ(table[0], 255);
  EXPECT_EQ(table[16], 128); // 127.5 computed from a rounded step
  EXPECT_EQ(table[32], 64);  // 63.75
  EXPECT_EQ(table[255], 0);
  for (int d = 1; d < 256; ++d)
    EXPECT_LE(table[d], table[d - 1]);
}

TEST(SoftmaxRow, CodesFollowTheExponential) {
  std::mt19937_64 rng(9);
  std::normal_distribution<double> normal(0.0, 2.0);
  const double step = std::log(2.0) / 16, accScale = 1e-4;
  const Dyadic d = ratio(accScale / step);
  const auto table = softmaxExpTable(step);
  for (int repeat = 0; repeat < 50; ++repeat) {
    const int n = 197;
    std::vector<int32_t> acc(n);
    for (int32_t &v : acc)
      v = static_cast<int32_t>(std::lround(normal(rng) / accScale));
    const int32_t top = *std::max_element(acc.begin(), acc.end());
    std::vector<uint8_t> codes(n);
    int32_t sum = 0, check = 0;
    softmaxTableRow(acc.data(), codes.data(), &sum, n, d, table.data());
    for (int i = 0; i < n; ++i) {
      check += codes[i];
      // Half a step of the distance and half a unit of the code.
      const double real = 255 * std::exp((acc[i] - top) * accScale);
      EXPECT_LE(std::abs(codes[i] - real), 0.5 + real * std::expm1(step / 2));
    }
    EXPECT_EQ(check, sum);
  }
}

TEST(SoftmaxRow, ShiftFollowsTheExponential) {
  // A step of 1/24 is exactly one unit of x0. The chord costs 6 %, the floors
  // of the log2(e) factor up to one unit.
  const SoftmaxShift s = softmaxShiftConstants(1.0 / 24);
  EXPECT_EQ(s.x0, -24);
  for (int distance = 0; distance < 256; ++distance) {
    const double real = 192 * std::exp(-distance / 24.0);
    EXPECT_LE(std::abs(softmaxShiftCode(distance, s) - real), 0.5 + 0.10 * real);
  }
}

TEST(SoftmaxRow, ShiftIsATable) {
  std::mt19937_64 rng(10);
  for (double step : {2.0, 0.3, std::log(2.0) / 16, 0.01, 0.0005}) {
    const SoftmaxShift s = softmaxShiftConstants(step);
    const auto table = softmaxShiftTable(s);
    EXPECT_LE(-s.x0 << s.n >> s.t, 255);
    if (s.t > 0) {
      EXPECT_GT(-s.x0 << s.n >> (s.t - 1), 255);
    }
    std::vector<int32_t> acc(100);
    for (int32_t &v : acc)
      v = static_cast<int32_t>(rng() % 4000);
    std::vector<uint8_t> a(100), b(100);
    int32_t sumA = 0, sumB = 0;
    softmaxShiftRow(acc.data(), a.data(), &sumA, 100, ratio(0.05), s);
    softmaxTableRow(acc.data(), b.data(), &sumB, 100, ratio(0.05), table.data());
    EXPECT_EQ(a, b);
    EXPECT_EQ(sumA, sumB);
  }
  const SoftmaxShift usual = softmaxShiftConstants(std::log(2.0) / 16);
  EXPECT_EQ(usual.x0, -24);
  EXPECT_EQ(usual.n, 15u);
  EXPECT_EQ(usual.t, 12u);
  EXPECT_EQ(softmaxShiftCode(0, usual), 192);
}

TEST(SoftmaxRow, ShortDistancesAreTheSame) {
  std::mt19937_64 rng(16);
  for (int i = 0; i < 2000; ++i) {
    // Ratios of 2^-14 to 1 have such a form, and so have some of fewer bits.
    const double real = std::ldexp(1.0 + static_cast<double>(rng() % 1000000) / 1e6, -1 - static_cast<int>(rng() % 14));
    const Dyadic d = ratio(i % 7 == 0 ? std::ldexp(2.0 + static_cast<double>(rng() % 1000), -24) : softmaxRatio(real));
    const std::optional<ShortDistance> distance = ShortDistance::of(d);
    ASSERT_TRUE(distance) << real;
    const int32_t top = i % 2 ? INT32_MAX : static_cast<int32_t>(rng());
    const auto room = static_cast<uint32_t>(int64_t(top) - INT32_MIN);
    std::vector<uint32_t> differences = {0,   1, distance->furthest - 1, distance->furthest, distance->furthest + 1,
                                         room};
    for (int j = 0; j < 50; ++j) {
      // Around a change of the distance, and anywhere.
      const double edge = (static_cast<double>(rng() % 256) + 0.5) / d.toReal();
      differences.push_back(static_cast<uint32_t>(std::min(edge, 4e9)) + static_cast<uint32_t>(rng() % 3) - 1);
      differences.push_back(static_cast<uint32_t>(rng()) >> (rng() % 32));
    }
    for (uint32_t difference : differences) {
      const auto acc = static_cast<int32_t>(static_cast<uint32_t>(top) - std::min(difference, room));
      ASSERT_EQ((*distance)(top, acc), softmaxDistance(top, acc, d)) << d.toReal() << " * " << difference;
    }
  }
  EXPECT_FALSE(ShortDistance::of(ratio(0.01)));
  EXPECT_FALSE(ShortDistance::of(ratio(1.5)));
  EXPECT_FALSE(ShortDistance::of(ratio(0x1p-24)));
  EXPECT_TRUE(ShortDistance::of(ratio(0x1p-23)));
  EXPECT_TRUE(ShortDistance::of(ratio(1.0)));
  EXPECT_EQ(softmaxRatio(0.3), std::round(0.3 * 0x1p24) / 0x1p24);
  EXPECT_EQ(softmaxRatio(1e-5), 1e-5);
  EXPECT_EQ(softmaxRatio(1.7), 1.7);
}

TEST(SoftmaxRow, Extremes) {
  const int32_t acc[] = {INT32_MIN, INT32_MAX, 0};
  uint8_t codes[3];
  int32_t sum = 0;
  const auto table = softmaxExpTable(std::log(2.0) / 16);
  softmaxTableRow(acc, codes, &sum, 3, Dyadic{INT32_MAX, 1}, table.data());
  EXPECT_EQ(codes[0], 0);
  EXPECT_EQ(codes[1], 255);
  EXPECT_EQ(sum, 255);
  // The difference 2^32 - 1 is limited to 2^31 - 1.
  EXPECT_EQ(softmaxDistance(INT32_MAX, INT32_MIN, ratio(0x1p-24)), 128);
  EXPECT_EQ(softmaxDistance(INT32_MAX, 0, ratio(0x1p-24)), 128);
  EXPECT_EQ(softmaxDistance(10, 7, ratio(0.5)), 2); // half up
  EXPECT_EQ(softmaxDistance(10, 5, ratio(0.5)), 3);
}

int64_t wideQuotient(int32_t acc, int32_t sum) {
  __extension__ typedef __int128 Wide;
  const Wide r = (int64_t(1) << 40) / std::max(sum, 1);
  const Wide u = (acc * r + (1 << 15)) >> 16;
  return static_cast<int64_t>(std::min<Wide>(std::max<Wide>(u, INT32_MIN), INT32_MAX));
}

TEST(DivideRow, EqualsTheUnboundedProduct) {
  std::mt19937_64 rng(11);
  for (int i = 0; i < 300000; ++i) {
    const auto sum = static_cast<int32_t>((rng() >> 33) >> (rng() % 31));
    auto acc = static_cast<int32_t>(static_cast<int64_t>(rng()) >> (32 + rng() % 31));
    if (i % 3 == 0) // around the limit that the implementation applies
      acc = static_cast<int32_t>(saturateInt32(256 * int64_t(sum) + int64_t(rng() % 5) - 2));
    ASSERT_EQ(softmaxQuotient(acc, sum), wideQuotient(acc, sum)) << acc << " / " << sum;
  }
  for (int32_t sum : {0, 1, 2, 255, 256, INT32_MAX})
    for (int32_t acc : {INT32_MIN, -1, 0, 1, INT32_MAX})
      EXPECT_EQ(softmaxQuotient(acc, sum), wideQuotient(acc, sum));
}

TEST(DivideRow, QuotientAndRequantization) {
  EXPECT_EQ(softmaxQuotient(255 * 100, 255), (100 << 24));
  EXPECT_EQ(softmaxQuotient(1 << 20, 1 << 13), INT32_MAX);
  EXPECT_EQ(softmaxQuotient(-(1 << 20), 1 << 13), INT32_MIN);
  EXPECT_EQ(softmaxQuotient(5, 0), 5 << 24);
  std::mt19937_64 rng(12);
  const Dyadic d = ratio(0.7 / (1 << 24));
  for (int i = 0; i < 1000; ++i) {
    const auto sum = static_cast<int32_t>(255 + rng() % 50000);
    const auto acc = static_cast<int32_t>(int64_t(rng() % (256 * int64_t(sum))) - 128 * int64_t(sum));
    int32_t out = 0;
    divideRow(&acc, sum, &out, 1, d, Rounding::HalfUp, 4, -128, 127);
    const double real = 4 + 0.7 * acc / sum;
    EXPECT_LE(std::abs(out - real), 0.501);
  }
}

} // namespace
