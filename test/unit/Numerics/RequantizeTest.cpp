//===- RequantizeTest.cpp - Rounding shifts and dyadic rescaling ----------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Requantize.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace vitq::numerics;

namespace {

constexpr int64_t kMin32 = std::numeric_limits<int32_t>::min();
constexpr int64_t kMax32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kMin64 = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();

TEST(RoundShift, TiesAndSigns) {
  struct Case {
    int64_t p;
    int64_t up, even, away, floor;
  };
  // p / 4.
  const Case cases[] = {{0, 0, 0, 0, 0},      {1, 0, 0, 0, 0},      {2, 1, 0, 1, 0},      {3, 1, 1, 1, 0},
                        {4, 1, 1, 1, 1},      {5, 1, 1, 1, 1},      {6, 2, 2, 2, 1},      {7, 2, 2, 2, 1},
                        {10, 3, 2, 3, 2},     {-1, 0, 0, 0, -1},    {-2, 0, 0, -1, -1},   {-3, -1, -1, -1, -1},
                        {-4, -1, -1, -1, -1}, {-5, -1, -1, -1, -2}, {-6, -1, -2, -2, -2}, {-7, -2, -2, -2, -2},
                        {-10, -2, -2, -3, -3}};
  for (const Case &c : cases) {
    EXPECT_EQ(roundShift(c.p, 2, Rounding::HalfUp), c.up) << c.p;
    EXPECT_EQ(roundShift(c.p, 2, Rounding::HalfEven), c.even) << c.p;
    EXPECT_EQ(roundShift(c.p, 2, Rounding::HalfAway), c.away) << c.p;
    EXPECT_EQ(roundShift(c.p, 2, Rounding::Floor), c.floor) << c.p;
  }
}

TEST(RoundShift, HalfUpIsTheAddAndShiftForm) {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 100000; ++i) {
    const auto p = static_cast<int64_t>(rng()) >> 2;
    const unsigned c = 1 + rng() % 62;
    EXPECT_EQ(roundShift(p, c, Rounding::HalfUp), (p + (int64_t(1) << (c - 1))) >> c);
  }
}

TEST(RoundShift, HalfEvenIsMethodsIntegerForm) {
  std::mt19937_64 rng(2);
  for (int i = 0; i < 100000; ++i) {
    const int64_t p = static_cast<int64_t>(rng() % 4096) - 2048;
    const unsigned c = 1 + rng() % 8;
    int64_t q = p >> c;
    const int64_t r = p - q * (int64_t(1) << c);
    const int64_t h = int64_t(1) << (c - 1);
    q += (r > h) || (r == h && (q & 1));
    EXPECT_EQ(roundShift(p, c, Rounding::HalfEven), q);
    EXPECT_EQ(roundShift(p, c, Rounding::HalfEven), std::llrint(std::ldexp(double(p), -int(c))));
    EXPECT_EQ(roundShift(p, c, Rounding::HalfAway), std::llround(std::ldexp(double(p), -int(c))));
  }
}

TEST(RoundShift, Extremes) {
  for (Rounding r : {Rounding::HalfUp, Rounding::HalfEven, Rounding::HalfAway, Rounding::Floor}) {
    EXPECT_EQ(roundShift(kMax64, 0, r), kMax64);
    EXPECT_EQ(roundShift(kMin64, 0, r), kMin64);
    EXPECT_EQ(roundShift(kMin64, 62, r), -2);
    EXPECT_EQ(roundShift(kMax64, 62, r), r == Rounding::Floor ? 1 : 2);
  }
}

TEST(Dyadic, GoldenVectors) {
  EXPECT_EQ(dyadicFromReal(0.0037), (Dyadic{2034096511, 39}));
  EXPECT_EQ(dyadicFromReal(1.0), (Dyadic{1073741824, 30}));
  EXPECT_EQ(dyadicFromReal(0.75), (Dyadic{1610612736, 31}));
  EXPECT_EQ(dyadicFromReal(2.5), (Dyadic{1342177280, 29}));
  EXPECT_EQ(dyadicFromReal(-0.31), (Dyadic{-1331439862, 32}));
}

TEST(Dyadic, GoldenRequantization) {
  const Dyadic d = *dyadicFromReal(0.0037);
  const int64_t in[] = {100, 1000, -12345, 34459, 400000};
  const int64_t out[] = {0, 4, -46, 127, 1480};
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(rescale(in[i], d, Rounding::HalfEven), out[i]);
    EXPECT_EQ(requantize(in[i], d, Rounding::HalfEven, 0, -128, 127), std::min<int64_t>(out[i], 127));
  }
}

TEST(Dyadic, RenormalisesWhenRoundingReachesThePower) {
  const double justBelow = std::nextafter(1.0, 0.0);
  EXPECT_EQ(dyadicFromReal(justBelow), (Dyadic{1 << 30, 30}));
  EXPECT_EQ(dyadicFromReal(-justBelow), (Dyadic{-(1 << 30), 30}));
  EXPECT_EQ(dyadicFromReal(0.999, 8), (Dyadic{128, 7}));
}

TEST(Dyadic, LimitsOfTheShift) {
  EXPECT_EQ(dyadicFromReal(0.0), Dyadic{});
  EXPECT_EQ(dyadicFromReal(-0.0), Dyadic{});
  EXPECT_EQ(dyadicFromReal(0x1p-32), (Dyadic{1 << 30, 62}));
  EXPECT_EQ(dyadicFromReal(0x1p-33), Dyadic{});
  EXPECT_EQ(dyadicFromReal(5e-324), Dyadic{});
  EXPECT_EQ(dyadicFromReal(0x1p29), (Dyadic{1 << 30, 1}));
  EXPECT_EQ(dyadicFromReal(0x1p30), std::nullopt);
  EXPECT_EQ(dyadicFromReal(std::nextafter(0x1p30, 0)), std::nullopt);
  EXPECT_EQ(dyadicFromReal(std::numeric_limits<double>::infinity()), std::nullopt);
  EXPECT_EQ(dyadicFromReal(std::nan("")), std::nullopt);
}

TEST(Dyadic, MantissaWidthAndError) {
  std::mt19937_64 rng(3);
  std::uniform_real_distribution<double> exponent(-25.0, 0.5);
  for (unsigned bits : {2u, 8u, 15u, 24u, 31u})
    for (int i = 0; i < 2000; ++i) {
      const double r = std::exp2(exponent(rng)) * (i % 2 ? -1 : 1);
      const auto d = dyadicFromReal(r, bits);
      ASSERT_TRUE(d);
      const int64_t m = std::abs(int64_t(d->multiplier));
      EXPECT_GE(m, int64_t(1) << (bits - 1));
      EXPECT_LT(m, int64_t(1) << bits);
      EXPECT_LE(std::abs(d->toReal() / r - 1.0), std::ldexp(1.0, -int(bits)));
    }
}

TEST(Requantize, ZeroPointClampAndExtremes) {
  const Dyadic half{1 << 30, 31};
  EXPECT_EQ(requantize(3, half, Rounding::HalfUp, 10, 0, 255), 12);
  EXPECT_EQ(requantize(-3, half, Rounding::HalfUp, 10, 0, 255), 9);
  EXPECT_EQ(requantize(-3, half, Rounding::HalfAway, 10, 0, 255), 8);
  EXPECT_EQ(requantize(-30, half, Rounding::HalfUp, 10, 0, 255), 0);
  EXPECT_EQ(requantize(kMin32, half, Rounding::HalfUp, 0, -128, 127), -128);
  const Dyadic largest{std::numeric_limits<int32_t>::max(), 1};
  for (int64_t x : {kMin32, kMax32, -kMin32}) {
    EXPECT_EQ(requantize(x, largest, Rounding::HalfUp, 5, kMin32, kMax32), x < 0 ? kMin32 : kMax32);
    EXPECT_EQ(requantizeAdd(x, largest, x, largest, Rounding::HalfUp, 5, kMin32, kMax32), x < 0 ? kMin32 : kMax32);
  }
}

TEST(Requantize, AddRoundsEachOperand) {
  const Dyadic half{1 << 30, 31};
  // 0.5 + 0.5: two halves, each rounded up, make 2 rather than 1.
  EXPECT_EQ(requantizeAdd(1, half, 1, half, Rounding::HalfUp, 0, -128, 127), 2);
  EXPECT_EQ(requantizeAdd(1, half, 1, half, Rounding::HalfEven, 0, -128, 127), 0);
  EXPECT_EQ(requantizeAdd(-1, half, -1, half, Rounding::HalfUp, 3, -128, 127), 3);
  EXPECT_EQ(requantizeAdd(200, half, 100, half, Rounding::HalfUp, 0, -128, 127), 127);
}

TEST(Division, FloorCeilEven) {
  EXPECT_EQ(floorDiv(7, 2), 3);
  EXPECT_EQ(floorDiv(-7, 2), -4);
  EXPECT_EQ(floorDiv(7, -2), -4);
  EXPECT_EQ(floorDiv(-7, -2), 3);
  EXPECT_EQ(ceilDiv(7, 2), 4);
  EXPECT_EQ(ceilDiv(-7, 2), -3);
  EXPECT_EQ(divideHalfEven(133, 2), 66);
  EXPECT_EQ(divideHalfEven(135, 2), 68);
  EXPECT_EQ(divideHalfEven(-133, 2), -66);
  EXPECT_EQ(divideHalfEven(-5, 3), -2);
  EXPECT_EQ(divideHalfEven(5, 1), 5);
}

} // namespace
