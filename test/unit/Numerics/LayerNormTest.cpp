//===- LayerNormTest.cpp - Integer layer normalisation --------------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/SquareRoot.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace vitq::numerics;

namespace {

std::vector<double> realLayerNorm(const std::vector<int32_t> &x, double scale, double eps,
                                  const std::vector<double> &gamma, const std::vector<double> &beta) {
  const auto n = static_cast<double>(x.size());
  double mean = 0, var = 0;
  for (int32_t v : x)
    mean += v * scale / n;
  for (int32_t v : x)
    var += (v * scale - mean) * (v * scale - mean) / n;
  std::vector<double> out;
  for (size_t c = 0; c < x.size(); ++c)
    out.push_back((x[c] * scale - mean) / std::sqrt(var + eps) * gamma[c] + beta[c]);
  return out;
}

struct Affine {
  std::vector<double> gamma, beta;
};

Affine randomAffine(std::mt19937_64 &rng, size_t channels) {
  std::normal_distribution<double> normal;
  Affine r;
  for (size_t c = 0; c < channels; ++c) {
    r.gamma.push_back(c % 17 == 3 ? 0.0 : 1.0 + 0.7 * normal(rng));
    r.beta.push_back(0.4 * normal(rng));
  }
  r.gamma[0] = -0.8;
  return r;
}

TEST(LayerNorm, SmallestScaleMakesEpsilonFit) {
  for (int64_t channels : {2, 16, 192, 768, 2047, 2048})
    for (double eps : {1e-12, 1e-6, 1e-5, 1e-3, 1.0})
      for (int bits : {8, 16}) {
        const double scale = layerNormSmallestScale(eps, channels, bits);
        if (layerNormEpsilonLimit(channels, bits) < 1) {
          EXPECT_EQ(scale, 0);
          continue;
        }
        EXPECT_TRUE(layerNormFits(channels, bits, layerNormEpsilon(eps, channels, scale)));
        EXPECT_FALSE(layerNormFits(channels, bits, layerNormEpsilon(eps, channels, scale * 0.99)));
      }
}

TEST(LayerNorm, MatchesTheRealsWithinOneCode) {
  std::mt19937_64 rng(6);
  for (size_t channels : {64u, 192u, 384u, 768u, 2048u})
    for (double sigma : {3.0, 40.0, 2000.0, 20000.0}) {
      std::normal_distribution<double> normal(100.0, sigma);
      const Affine p = randomAffine(rng, channels);
      const double inScale = 0.003, outScale = 0.05, eps = 1e-6;
      const int64_t epsilon = layerNormEpsilon(eps, static_cast<int64_t>(channels), inScale);
      ASSERT_TRUE(layerNormFits(static_cast<int64_t>(channels), 16, epsilon));
      const auto affine = layerNormAffine(p.gamma, p.beta, outScale);
      ASSERT_TRUE(affine);
      int differing = 0;
      for (int row = 0; row < 20; ++row) {
        std::vector<int32_t> x(channels), out(channels);
        for (int32_t &v : x)
          v = static_cast<int32_t>(quantizeReal(normal(rng), 1.0, 0, -32768, 32767));
        layerNormRow(x.data(), out.data(), static_cast<int64_t>(channels), epsilon, affine->a.data(), affine->b.data(),
                     affine->shift, 3, -128, 127);
        const auto real = realLayerNorm(x, inScale, eps, p.gamma, p.beta);
        for (size_t c = 0; c < channels; ++c) {
          const int64_t expected = quantizeReal(real[c], outScale, 3, -128, 127, Rounding::HalfUp);
          ASSERT_LE(std::abs(expected - out[c]), 1);
          differing += expected != out[c];
        }
        layerNormRow(x.data(), x.data(), static_cast<int64_t>(channels), epsilon, affine->a.data(), affine->b.data(),
                     affine->shift, 3, -128, 127);
        EXPECT_EQ(x, out);
      }
      // k is a floor with 6 fractional bits, so tiny variances cost a little.
      EXPECT_LE(differing, static_cast<int>(channels) * 20 / 50);
    }
}

TEST(LayerNorm, ExtremeRowsStayWithinTheBound) {
  const std::vector<std::pair<int64_t, int>> shapes = {{1, 16},    {2, 16},    {192, 16},
                                                       {2047, 16}, {2048, 16}, {1 << 19, 8}};
  for (auto [channels, bits] : shapes) {
    const int32_t low = -(1 << (bits - 1)), high = (1 << (bits - 1)) - 1;
    const int64_t bound = layerNormNormalizedBound(channels);
    const int64_t largestEpsilon = layerNormEpsilonLimit(channels, bits);
    ASSERT_GE(largestEpsilon, 1);
    for (int64_t epsilon : {int64_t(1), largestEpsilon})
      for (int kind = 0; kind < 5; ++kind) {
        std::vector<int32_t> x(channels, low), y(channels);
        for (int64_t c = 0; c < channels; ++c) {
          if (kind == 1)
            x[c] = high;
          if (kind == 2 && c % 2)
            x[c] = high;
          if (kind == 3 && c == channels - 1)
            x[c] = high;
          if (kind == 4 && c == 0)
            x[c] = low + 1;
        }
        layerNormNormalize(x.data(), y.data(), channels, epsilon);
        const LayerNormStatistics s = layerNormStatistics(x.data(), channels, epsilon);
        EXPECT_GE(s.root, 64);
        EXPECT_LT(s.variance, int64_t(1) << 52);
        for (int32_t v : y)
          ASSERT_LE(std::abs(int64_t(v)), bound);
        if (kind < 2 || channels == 1) {
          for (int32_t v : y)
            ASSERT_EQ(v, 0);
        }
      }
  }
}

TEST(LayerNorm, BoundHoldsForOneHotRows) {
  // The largest normalised value a row can have, at every size of the spike.
  for (int64_t channels : {2, 3, 50, 192, 1000, 2048})
    for (int32_t spike = 1; spike < 32768; spike += 1 + spike / 7) {
      std::vector<int32_t> x(channels, 0), y(channels);
      x[0] = spike;
      layerNormNormalize(x.data(), y.data(), channels, 1);
      ASSERT_LE(y[0], layerNormNormalizedBound(channels));
    }
}

TEST(LayerNorm, ChannelLimit) {
  EXPECT_EQ(layerNormChannelLimit(16), 2048);
  EXPECT_EQ(layerNormChannelLimit(8), 1 << 19);
  EXPECT_TRUE(layerNormFits(2048, 16, 1));
  EXPECT_FALSE(layerNormFits(2049, 16, 1));
  EXPECT_FALSE(layerNormFits(2048, 16, 0));
  EXPECT_FALSE(layerNormFits(192, 16, int64_t(1) << 52));
  EXPECT_EQ(layerNormEpsilonLimit(4096, 16), -1);
}

/// x / sqrt(mean(x^2) + eps) in Q14.
TEST(LayerNorm, NotCentered) {
  std::mt19937_64 rng(7);
  for (int64_t channels : {1, 2, 48, 192, 2047})
    for (int32_t reach : {3, 500, 32767}) {
      std::vector<int32_t> x(channels), y(channels);
      for (int32_t &v : x)
        v = static_cast<int32_t>(static_cast<int64_t>(rng() % (2 * reach + 1)) - reach);
      const int64_t epsilon = 17;
      ASSERT_TRUE(layerNormFits(channels, 16, epsilon, /*centered=*/false));
      layerNormNormalize(x.data(), y.data(), channels, epsilon, /*centered=*/false);
      double squares = 0;
      for (int32_t v : x)
        squares += static_cast<double>(v) * v;
      const double count = static_cast<double>(channels);
      const double root = std::sqrt((count * squares + static_cast<double>(epsilon)) / (count * count));
      for (int64_t c = 0; c < channels; ++c) {
        const double real = x[c] / root * (1 << 14);
        ASSERT_NEAR(y[c], real, 1 + std::abs(real) / 64);
      }
    }
}

TEST(LayerNorm, ExtremeRowsThatAreNotCentered) {
  for (int64_t channels : {1, 2, 192, 2047}) {
    const int64_t largestEpsilon = layerNormEpsilonLimit(channels, 16, /*centered=*/false);
    ASSERT_GE(largestEpsilon, 1);
    for (int64_t epsilon : {int64_t(1), largestEpsilon}) {
      std::vector<int32_t> x(channels, -32768), y(channels);
      EXPECT_LT(layerNormMoments(x.data(), channels, epsilon, /*centered=*/false).variance, int64_t(1) << 52);
      layerNormNormalize(x.data(), y.data(), channels, epsilon, /*centered=*/false);
      for (int32_t v : y)
        ASSERT_LE(std::abs(int64_t(v)), layerNormNormalizedBound(channels));
    }
  }
  EXPECT_EQ(layerNormEpsilonLimit(2048, 16, /*centered=*/false), -1);
  EXPECT_FALSE(layerNormFits(2048, 16, 1, /*centered=*/false));
  EXPECT_TRUE(layerNormFits(2048, 16, 1));
}

TEST(LayerNorm, Epsilon) {
  EXPECT_EQ(layerNormEpsilon(1e-6, 192, 1.0), 1);
  EXPECT_EQ(layerNormEpsilon(0.0, 192, 1e-3), 1);
  EXPECT_EQ(layerNormEpsilon(0x1p-20, 1 << 10, 0x1p-4), 256);
  EXPECT_EQ(layerNormEpsilon(0x1p-1, 1, 0x1p-1), 2);
  EXPECT_EQ(layerNormEpsilon(1e-6, 192, 1e-30), (int64_t(1) << 52) - 1);
}

TEST(LayerNorm, AffineLimits) {
  const auto checked = [](std::vector<double> gamma, std::vector<double> beta, double scale) {
    const auto r = layerNormAffine(gamma, beta, scale);
    if (r) {
      const int64_t bound = layerNormNormalizedBound(static_cast<int64_t>(gamma.size()));
      for (size_t c = 0; c < gamma.size(); ++c) {
        EXPECT_LT(std::abs(int64_t(r->a[c])), int64_t(1) << 30);
        EXPECT_LT(std::abs(r->b[c]) + bound * std::abs(int64_t(r->a[c])), int64_t(1) << 62);
      }
    }
    return r;
  };
  const auto typical = checked({1.0, -2.0, 0.0}, {0.5, -0.25, 3.0}, 0.05);
  ASSERT_TRUE(typical);
  // 2/0.05 = 40: 40 * 2^(38-14) < 2^30 <= 40 * 2^(39-14).
  EXPECT_EQ(typical->shift, 38u);
  EXPECT_EQ(typical->a[2], 0);
  EXPECT_LT(typical->a[1], 0);
  EXPECT_EQ(checked({0.0}, {0.0}, 1.0)->shift, 62u);
  const auto onlyBeta = checked({0.0}, {1.0}, 1.0);
  EXPECT_EQ(onlyBeta->shift, 61u);
  const auto largeBeta = checked({1e-9}, {1e9}, 1.0);
  ASSERT_TRUE(largeBeta);
  EXPECT_FALSE(checked({0x1p45}, {0.0}, 1.0));
  EXPECT_FALSE(checked({0.0}, {0x1p62}, 1.0));
  EXPECT_FALSE(checked({std::nan("")}, {0.0}, 1.0));
  EXPECT_FALSE(checked({1.0}, {INFINITY}, 1.0));
  EXPECT_FALSE(checked({1.0}, {1.0}, 0.0));
  EXPECT_FALSE(checked({1.0}, {}, 1.0));
}

TEST(LayerNorm, NarrowAffineFits32BitsOrIsRefused) {
  std::mt19937_64 rng(7);
  for (size_t channels : {64u, 192u, 768u, 2048u})
    for (int64_t zeroPoint : {0, 128, -128}) {
      const Affine p = randomAffine(rng, channels);
      const auto count = static_cast<int64_t>(channels);
      const auto narrow = layerNormNarrowAffine(p.gamma.data(), p.beta.data(), count, 0.05, zeroPoint);
      const auto wide = layerNormAffine(p.gamma, p.beta, 0.05);
      ASSERT_TRUE(narrow && wide);
      ASSERT_GE(narrow->shift, static_cast<unsigned>(kLayerNormNarrowShift));
      ASSERT_LT(narrow->shift, wide->shift);
      const int64_t bound = layerNormNormalizedBound(count);
      int64_t most = 0;
      for (size_t c = 0; c < channels; ++c) {
        most = std::max(most, std::abs(narrow->b[c]) + bound * std::abs(int64_t(narrow->a[c])));
        // The same number, of fewer bits.
        EXPECT_LE(std::abs(std::ldexp(narrow->a[c], static_cast<int>(wide->shift - narrow->shift)) - wide->a[c]),
                  std::ldexp(1.0, static_cast<int>(wide->shift - narrow->shift)));
      }
      const int64_t added = (std::abs(zeroPoint) + 1) << narrow->shift;
      EXPECT_LT(most + added, int64_t(1) << 31);
      // One bit more would not fit.
      EXPECT_GE(2 * (most + added) + bound + 1, int64_t(1) << 31);
    }
  // Results of 16 bits, and what no algorithm takes.
  const double gamma = 1.0, beta = 0.5;
  EXPECT_TRUE(layerNormNarrowAffine(&gamma, &beta, 1, 0.05, 0));
  EXPECT_FALSE(layerNormNarrowAffine(&gamma, &beta, 1, 0.05 / 256 / 8, 0));
  EXPECT_FALSE(layerNormNarrowAffine(&gamma, &beta, 1, 0.0, 0));
}

TEST(LayerNormIvit, GoldenVector) {
  const std::vector<int32_t> x = {120, -340, 560, 77, -900, 1000, -15, 30};
  const std::vector<int64_t> golden = {38888019,   -292380291, 355753359, 7921633,
                                       -695663451, 672618699,  -58332029, -25925346};
  for (SqrtStart start : {SqrtStart::Fixed16, SqrtStart::BitLength}) {
    const auto s = layerNormIvitStatistics(x.data(), 8, start, 10);
    EXPECT_EQ(s.mean, 66);
    EXPECT_EQ(s.variance, 2225278u);
    EXPECT_EQ(s.root, 1491);
    EXPECT_EQ(s.factor, 1440297);
    std::vector<int64_t> y(8);
    layerNormIvitNormalize(x.data(), y.data(), 8, start, 10);
    EXPECT_EQ(y, golden);
  }
}

TEST(LayerNormIvit, MatchesTheReals) {
  std::mt19937_64 rng(7);
  const size_t channels = 192;
  std::normal_distribution<double> normal(-50.0, 900.0);
  Affine p = randomAffine(rng, channels);
  p.gamma[1] = 1e-6; // |beta/gamma| beyond int32: carried by the offset
  p.beta[1] = 1.0;
  const double outScale = 0.05;
  const auto k = layerNormIvitConstants(p.gamma, p.beta, outScale);
  ASSERT_TRUE(k);
  EXPECT_EQ(k->offset[1], 20);
  EXPECT_EQ(k->bias[1], 0);
  EXPECT_EQ(k->ratio[3], Dyadic{});
  EXPECT_EQ(k->offset[3], quantizeReal(p.beta[3], outScale, 0, -1000, 1000));
  EXPECT_EQ(k->offset[0], 0);
  EXPECT_LT(k->ratio[0].multiplier, 0);
  for (int row = 0; row < 50; ++row) {
    std::vector<int32_t> x(channels), out(channels);
    for (int32_t &v : x)
      v = static_cast<int32_t>(normal(rng));
    layerNormIvitRow(x.data(), out.data(), channels, SqrtStart::BitLength, 10, k->bias.data(), k->ratio.data(),
                     k->offset.data(), Rounding::HalfEven, 0, -128, 127);
    const auto real = realLayerNorm(x, 1.0, 0.0, p.gamma, p.beta);
    for (size_t c = 0; c < channels; ++c)
      ASSERT_LE(std::abs(quantizeReal(real[c], outScale, 0, -128, 127) - out[c]), 1);
  }
}

TEST(LayerNormIvit, ConstantAndExtremeRows) {
  for (SqrtStart start : {SqrtStart::Fixed16, SqrtStart::BitLength})
    for (unsigned iterations : {0u, 1u, 4u, 10u, 20u}) {
      std::vector<int32_t> x(192, -32768);
      std::vector<int64_t> y(192);
      layerNormIvitNormalize(x.data(), y.data(), 192, start, iterations);
      EXPECT_EQ(y, std::vector<int64_t>(192, 0));
      x[0] = 32767;
      layerNormIvitNormalize(x.data(), y.data(), 192, start, iterations);
      if (iterations >= 10) {
        for (int64_t v : y)
          EXPECT_LE(std::abs(v), int64_t(1) << 30);
      }
    }
  const int32_t x[] = {-5, 5};
  const int64_t bias[] = {int64_t(1) << 31, -(int64_t(1) << 31)};
  const Dyadic ratio[] = {{INT32_MAX, 1}, {-INT32_MAX, 1}};
  const int64_t offset[] = {0, 0};
  int32_t out[2];
  layerNormIvitRow(x, out, 2, SqrtStart::BitLength, 10, bias, ratio, offset, Rounding::HalfUp, 0, INT32_MIN, INT32_MAX);
  EXPECT_EQ(out[0], INT32_MAX);
  EXPECT_EQ(out[1], INT32_MAX);
}

TEST(LayerNormIvit, ConstantLimits) {
  using Reals = std::vector<double>;
  EXPECT_FALSE(layerNormIvitConstants(Reals{0x1p62}, Reals{0.0}, 1.0));
  EXPECT_FALSE(layerNormIvitConstants(Reals{1.0}, Reals{NAN}, 1.0));
  EXPECT_FALSE(layerNormIvitConstants(Reals{1.0}, Reals{0.0}, -1.0));
  const auto zero = layerNormIvitConstants(Reals{0.0}, Reals{0.0}, 1.0);
  ASSERT_TRUE(zero);
  EXPECT_EQ(zero->offset[0], 0);
}

} // namespace
