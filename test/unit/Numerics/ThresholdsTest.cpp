//===- ThresholdsTest.cpp - Quantizers made of comparisons -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Thresholds.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/Quantize.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace vitq::numerics;

namespace {

constexpr Interval kInt32{INT32_MIN, INT32_MAX};
constexpr Rounding kRoundings[] = {Rounding::HalfUp, Rounding::HalfEven, Rounding::HalfAway, Rounding::Floor};

int64_t byThresholds(int64_t x, const std::vector<int32_t> &thresholds, int64_t lo) {
  return thresholdCode(x, thresholds.data(), static_cast<int64_t>(thresholds.size()), 1, lo);
}

/// docs/Rules.md, R6: equal on every accumulator, ties included.
TEST(Thresholds, EqualTheDyadicOnAllSmallAccumulators) {
  for (Rounding rounding : kRoundings)
    // 2^29 / 2^30 and the like have ties at every other accumulator.
    for (Dyadic d : {Dyadic{1 << 30, 31}, Dyadic{1 << 30, 33}, *dyadicFromReal(0.0037), *dyadicFromReal(0.9),
                     *dyadicFromReal(7.3), Dyadic{0, 1}})
      for (auto [zeroPoint, lo, hi] : {std::tuple{0, -8, 7}, {0, 0, 15}, {3, 0, 7}, {-2, -2, 1}, {5, 5, 5}}) {
        auto thresholds = requantizeThresholds(d, rounding, 11, zeroPoint, lo, hi, {-50000, 50000});
        ASSERT_TRUE(thresholds);
        ASSERT_EQ(thresholds->size(), static_cast<size_t>(hi - lo));
        for (int64_t x = -50000; x <= 50000; ++x)
          ASSERT_EQ(byThresholds(x, *thresholds, lo), requantize(x - 11, d, rounding, zeroPoint, lo, hi))
              << x << " " << d.multiplier << " " << d.shift;
      }
}

TEST(Thresholds, EqualTheDyadicOnTheWholeRange) {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 300; ++i) {
    const Dyadic d{static_cast<int32_t>((1 << 30) + rng() % (1 << 30)), static_cast<int32_t>(20 + rng() % 40)};
    const Rounding rounding = kRoundings[rng() % 4];
    const auto zeroPoint = static_cast<int64_t>(rng() % 16) - 8;
    auto thresholds = requantizeThresholds(d, rounding, 0, zeroPoint, -8, 7, kInt32);
    const bool all = requantize(INT32_MAX, d, rounding, zeroPoint, -8, 7) == 7;
    ASSERT_EQ(thresholds.has_value(), all) << d.shift; // a level that nothing reaches needs 2^31
    if (!all)
      continue;
    std::vector<int64_t> xs = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX};
    for (int32_t t : *thresholds)
      for (int64_t x : {t - int64_t(1), int64_t(t), t + int64_t(1)})
        xs.push_back(saturateInt32(x));
    for (int k = 0; k < 1000; ++k)
      xs.push_back(static_cast<int32_t>(rng()));
    for (int64_t x : xs)
      ASSERT_EQ(byThresholds(x, *thresholds, -8), requantize(x, d, rounding, zeroPoint, -8, 7)) << x;
  }
}

TEST(Thresholds, Limits) {
  EXPECT_FALSE(requantizeThresholds({-(1 << 30), 31}, Rounding::HalfUp, 0, 0, 0, 3, {-10, 10}));
  // No accumulator reaches a level of a dead channel; beyond the last one is room for that.
  EXPECT_FALSE(requantizeThresholds({0, 1}, Rounding::HalfUp, 0, 0, 0, 3, kInt32));
  auto dead = requantizeThresholds({0, 1}, Rounding::HalfUp, 0, 0, 0, 3, {INT32_MIN, INT32_MAX - 1});
  ASSERT_TRUE(dead);
  EXPECT_EQ(*dead, std::vector<int32_t>(3, INT32_MAX));
}

/// docs/Rules.md, R9: the codes of a real layer normalisation and its quantizer, except
/// beside a threshold.
TEST(NormQuant, FollowsTheReals) {
  std::mt19937_64 rng(7);
  std::normal_distribution<double> normal;
  for (int bits : {2, 3, 4})
    for (int64_t channels : {2, 7, 192, 768, 2048})
      for (double sigma : {3.0, 500.0, 12000.0}) {
        const double inScale = 0.003, outScale = 3.0 / (1 << bits), eps = 1e-6;
        const int64_t zeroPoint = 1, lo = -(1 << (bits - 1)), hi = -lo - 1;
        std::vector<double> gamma, beta;
        for (int64_t c = 0; c < channels; ++c) {
          gamma.push_back(c % 17 == 3 ? 0.0 : normal(rng));
          beta.push_back(0.4 * normal(rng));
        }
        auto thresholds = normQuantThresholds(gamma, beta, quantizerLevels(channels, outScale, zeroPoint, lo, hi));
        ASSERT_TRUE(thresholds);
        ASSERT_EQ(thresholds->levels, hi - lo);
        const int64_t epsilon = layerNormEpsilon(eps, channels, inScale);
        for (int row = 0; row < 20; ++row) {
          std::vector<int32_t> x(channels), out(channels);
          for (int32_t &v : x)
            v = static_cast<int32_t>(quantizeReal(100 + sigma * normal(rng), 1.0, 0, -32768, 32767));
          normQuantRow(x.data(), out.data(), channels, epsilon, thresholds->squares.data(), thresholds->negative.data(),
                       thresholds->levels, lo);
          const LayerNormMoments m = layerNormMoments(x.data(), channels, epsilon);
          for (int64_t c = 0; c < channels; ++c) {
            const double y = static_cast<double>(channels * x[c] - m.sum) / std::sqrt(static_cast<double>(m.variance));
            const double real = (y * gamma[c] + beta[c]) / outScale + zeroPoint;
            const auto code = std::clamp<int64_t>(static_cast<int64_t>(std::floor(real + 0.5)), lo, hi);
            const double toThreshold = std::abs(real - std::floor(real) - 0.5);
            // Squares are off by 2^-21, which is most where the threshold itself is small.
            const double slack = (0x1p-10 + 0x1p-19 * std::abs(y)) * std::abs(gamma[c]) / outScale;
            if (toThreshold > slack) {
              ASSERT_EQ(out[c], code) << real << " " << y << " " << gamma[c];
            }
            ASSERT_LE(std::abs(out[c] - code), 1);
          }
        }
      }
}

TEST(NormQuant, ExtremeRows) {
  for (int64_t channels : {1, 2, 192, 2048}) {
    const std::vector<double> gamma(channels, -1.0), beta(channels, 0.1);
    auto t = normQuantThresholds(gamma, beta, quantizerLevels(channels, 0.5, 0, -8, 7));
    ASSERT_TRUE(t);
    for (int kind = 0; kind < 4; ++kind) {
      std::vector<int32_t> x(channels);
      for (int64_t c = 0; c < channels; ++c)
        x[c] = kind == 0   ? -32768
               : kind == 1 ? (c == 0 ? 65535 : 0)
               : kind == 2 ? (c + 1 == channels ? 32767 : -32768)
                           : (c % 2 ? 32767 : -32768);
      const LayerNormMoments m = layerNormMoments(x.data(), channels, 1);
      std::vector<int32_t> out(channels);
      normQuantRow(x.data(), out.data(), channels, 1, t->squares.data(), t->negative.data(), t->levels, -8);
      for (int64_t c = 0; c < channels; ++c) {
        const double y = static_cast<double>(channels * x[c] - m.sum) / std::sqrt(static_cast<double>(m.variance));
        EXPECT_EQ(out[c], std::clamp<int64_t>(static_cast<int64_t>(std::floor((0.1 - y) / 0.5 + 0.5)), -8, 7)) << y;
      }
    }
  }
}

/// gamma = 0 gives beta's code whatever the row.
TEST(NormQuant, NeverAndAlways) {
  for (int64_t channels : {1, 3, 2048})
    for (double beta : {-100.0, 0.24, 0.25, 0.9, 100.0}) {
      auto t = normQuantThresholds(std::vector<double>(channels, 0.0), std::vector<double>(channels, beta),
                                   quantizerLevels(channels, 0.5, 0, 0, 3));
      ASSERT_TRUE(t);
      std::vector<int32_t> x(channels, 32767), out(channels);
      for (int32_t first : {-32768, 0, 32767}) {
        x[0] = first;
        normQuantRow(x.data(), out.data(), channels, 1, t->squares.data(), t->negative.data(), t->levels, 0);
        for (int32_t code : out)
          EXPECT_EQ(code, std::clamp<int64_t>(static_cast<int64_t>(std::floor(beta / 0.5 + 0.5)), 0, 3)) << beta;
      }
    }
}

TEST(NormQuant, Limits) {
  const std::vector<double> one(4, 1.0);
  EXPECT_TRUE(normQuantThresholds(one, one, quantizerLevels(4, 0.5, 0, 0, 15)));
  EXPECT_FALSE(normQuantThresholds(one, one, quantizerLevels(4, 0.5, 0, 0, 16)));
  EXPECT_FALSE(normQuantThresholds(one, one, quantizerLevels(4, 0.5, 0, 3, 3)));
  EXPECT_FALSE(normQuantThresholds(one, one, std::vector<double>(7, 0.5)));
  EXPECT_FALSE(normQuantThresholds(one, {1.0, 2.0}, std::vector<double>(4, 0.5)));
  EXPECT_FALSE(normQuantThresholds(one, one, std::vector<double>(4, NAN)));
  EXPECT_FALSE(normQuantThresholds(one, std::vector<double>(4, INFINITY), std::vector<double>(4, 0.5)));
  EXPECT_FALSE(normQuantThresholds(std::vector<double>(2049, 1.0), std::vector<double>(2049, 0.0),
                                   quantizerLevels(2049, 0.5, 0, 0, 3)));
  // Levels at infinity are always reached, or never.
  auto t = normQuantThresholds(one, one, {-INFINITY, INFINITY, 1.0, 1e9});
  ASSERT_TRUE(t);
  EXPECT_EQ(t->squares, (std::vector<int32_t>{-INT32_MAX, INT32_MAX, 0, INT32_MAX}));
}

} // namespace
