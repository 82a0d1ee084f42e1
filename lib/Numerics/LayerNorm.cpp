//===- LayerNorm.cpp - Integer layer normalisation -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/LayerNorm.h"

#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/ReciprocalLines.h"
#include "vitq/Numerics/SquareRoot.h"

#include <cmath>

using namespace vitq::numerics;

//===----------------------------------------------------------------------===//
// "newton"
//===----------------------------------------------------------------------===//

/// V must stay below this so that V << 12 fits 64 bits.
static constexpr int64_t kVarianceLimit = int64_t(1) << 52;

int64_t vitq::numerics::layerNormChannelLimit(int inBits) {
  assert(inBits >= 2 && inBits <= 26 && "width out of range");
  return int64_t(1) << (27 - inBits);
}

int64_t vitq::numerics::layerNormEpsilonLimit(int64_t channels, int inBits, bool centered) {
  if (channels < 1 || channels > layerNormChannelLimit(inBits))
    return -1;
  const int64_t span = (int64_t(1) << inBits) - 1, lowest = int64_t(1) << (inBits - 1);
  // Half of the channels at either end of the code range, or all at the lower one.
  const int64_t largest =
      centered ? (channels * channels / 4) * (span * span) : channels * channels * (lowest * lowest);
  return std::max<int64_t>(kVarianceLimit - 1 - largest, -1);
}

bool vitq::numerics::layerNormFits(int64_t channels, int inBits, int64_t epsilon, bool centered) {
  return epsilon >= 1 && epsilon <= layerNormEpsilonLimit(channels, inBits, centered);
}

int64_t vitq::numerics::layerNormEpsilon(double eps, int64_t channels, double scale) {
  const auto count = static_cast<double>(channels);
  return quantizeReal(eps * count * count, scale * scale, 0, 1, kVarianceLimit - 1, Rounding::HalfEven);
}

double vitq::numerics::layerNormSmallestScale(double eps, int64_t channels, int inBits, bool centered) {
  const int64_t limit = layerNormEpsilonLimit(channels, inBits, centered);
  // A little more than the quotient, which is rounded.
  return limit < 1 ? 0 : static_cast<double>(channels) * std::sqrt(eps / static_cast<double>(limit)) * (1 + 0x1p-20);
}

int64_t vitq::numerics::layerNormNormalizedBound(int64_t channels) {
  const auto root = static_cast<int64_t>(isqrt64(static_cast<uint64_t>(channels) << 28));
  return root + (root >> 10) + 3;
}

LayerNormMoments vitq::numerics::layerNormMoments(const int32_t *x, int64_t channels, int64_t epsilon, bool centered) {
  LayerNormMoments m;
  int64_t squares = 0;
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t value = x[c];
    m.sum += centered ? value : 0;
    squares += value * value;
  }
  m.variance = channels * squares - m.sum * m.sum + epsilon;
  assert(m.variance >= 1 && m.variance < kVarianceLimit && "row exceeds the width bound of layerNormFits");
  return m;
}

LayerNormStatistics vitq::numerics::layerNormStatistics(const int32_t *x, int64_t channels, int64_t epsilon,
                                                        bool centered) {
  LayerNormStatistics s{layerNormMoments(x, channels, epsilon, centered)};
  s.root = static_cast<int64_t>(isqrt64(static_cast<uint64_t>(s.variance) << 12));
  s.reciprocal = (int64_t(1) << 46) / s.root;
  return s;
}

/// y of one element, F = reciprocal.
static int64_t normalized(const LayerNormMoments &m, int64_t reciprocal, int64_t channels, int64_t x) {
  return ((channels * x - m.sum) * reciprocal + (int64_t(1) << 25)) >> 26;
}

void vitq::numerics::layerNormNormalize(const int32_t *x, int32_t *y, int64_t channels, int64_t epsilon,
                                        bool centered) {
  const LayerNormStatistics s = layerNormStatistics(x, channels, epsilon, centered);
  for (int64_t c = 0; c < channels; ++c)
    y[c] = static_cast<int32_t>(normalized(s, s.reciprocal, channels, x[c]));
}

void vitq::numerics::layerNormNormalizeByLines(const int32_t *x, int32_t *y, int64_t channels, int64_t epsilon,
                                               const PiecewiseLinear &lines, bool centered) {
  const LayerNormMoments m = layerNormMoments(x, channels, epsilon, centered);
  const int64_t reciprocal = inverseRootByLines(m.variance, lines);
  for (int64_t c = 0; c < channels; ++c)
    y[c] = static_cast<int32_t>(normalized(m, reciprocal, channels, x[c]));
}

/// The affine end of a row in either form.
static int32_t scaled(int64_t y, int64_t factor, int64_t offset, unsigned shift, int64_t zeroPoint, int64_t lo,
                      int64_t hi) {
  const int64_t rounded = roundShift(y * factor + offset, shift, Rounding::HalfUp);
  return static_cast<int32_t>(std::clamp(zeroPoint + rounded, lo, hi));
}

void vitq::numerics::layerNormScale(const int32_t *y, int32_t *out, int64_t channels, const Dyadic *by,
                                    const int64_t *offset, int64_t zeroPoint, int64_t lo, int64_t hi) {
  for (int64_t c = 0; c < channels; ++c)
    out[c] = scaled(y[c], by[c].multiplier, offset[c], static_cast<unsigned>(by[c].shift), zeroPoint, lo, hi);
}

void vitq::numerics::layerNormRow(const int32_t *x, int32_t *out, int64_t channels, int64_t epsilon, const int32_t *a,
                                  const int64_t *b, unsigned shift, int64_t zeroPoint, int64_t lo, int64_t hi) {
  assert(shift >= 1 && shift <= 62 && "shift out of range");
  const LayerNormStatistics s = layerNormStatistics(x, channels, epsilon);
  for (int64_t c = 0; c < channels; ++c)
    out[c] = scaled(normalized(s, s.reciprocal, channels, x[c]), a[c], b[c], shift, zeroPoint, lo, hi);
}

/// A and B of the largest shift, `least` or more, for which |B| + bound(y)*|A| stays below `limit(shift)` and |A|
/// below 2^30.
template <typename Limit>
static std::optional<LayerNormAffine> largestAffine(const double *gamma, const double *beta, int64_t channels,
                                                    double outScale, int least, Limit limit) {
  if (!(outScale > 0.0) || !std::isfinite(outScale))
    return std::nullopt;
  double gainMax = 0.0;
  for (int64_t c = 0; c < channels; ++c) {
    const double gain = gamma[c] / outScale;
    if (!std::isfinite(gain) || !std::isfinite(beta[c] / outScale))
      return std::nullopt;
    gainMax = std::max(gainMax, std::abs(gain));
  }

  const double bound = static_cast<double>(layerNormNormalizedBound(channels));
  // Coefficients are compared as doubles: |A| < 2^30 and |B| are exact there.
  const auto fits = [&](int shift) {
    if (std::round(std::ldexp(gainMax, shift - 14)) >= 0x1p30)
      return false;
    for (int64_t c = 0; c < channels; ++c) {
      const double a = std::round(std::ldexp(std::abs(gamma[c] / outScale), shift - 14));
      const double b = std::round(std::ldexp(std::abs(beta[c] / outScale), shift));
      if (bound * a + b > limit(shift))
        return false;
    }
    return true;
  };
  int shift = 62;
  while (shift >= least && !fits(shift))
    --shift;
  if (shift < least)
    return std::nullopt;

  LayerNormAffine result;
  result.shift = static_cast<unsigned>(shift);
  result.a.reserve(channels);
  result.b.reserve(channels);
  for (int64_t c = 0; c < channels; ++c) {
    result.a.push_back(static_cast<int32_t>(std::round(std::ldexp(gamma[c] / outScale, shift - 14))));
    result.b.push_back(static_cast<int64_t>(std::round(std::ldexp(beta[c] / outScale, shift))));
  }
  return result;
}

std::optional<LayerNormAffine> vitq::numerics::layerNormAffine(const double *gamma, const double *beta,
                                                               int64_t channels, double outScale) {
  // One ulp of 2^62 (512) is left free for the rounding of the sum.
  return largestAffine(gamma, beta, channels, outScale, 1, [](int) { return 0x1p62 - 1024.0; });
}

std::optional<LayerNormAffine> vitq::numerics::layerNormNarrowAffine(const double *gamma, const double *beta,
                                                                     int64_t channels, double outScale,
                                                                     int64_t zeroPoint) {
  const double added = std::abs(static_cast<double>(zeroPoint)) + 1;
  return largestAffine(gamma, beta, channels, outScale, kLayerNormNarrowShift,
                       [=](int shift) { return 0x1p31 - 1 - std::ldexp(added, shift); });
}

//===----------------------------------------------------------------------===//
// "ivit"
//===----------------------------------------------------------------------===//

LayerNormIvitStatistics vitq::numerics::layerNormIvitStatistics(const int32_t *x, int64_t channels, SqrtStart start,
                                                                unsigned iterations) {
  assert(channels >= 1 && "empty row");
  LayerNormIvitStatistics s;
  int64_t sum = 0;
  for (int64_t c = 0; c < channels; ++c)
    sum += x[c];
  s.mean = divideHalfEven(sum, channels);
  for (int64_t c = 0; c < channels; ++c) {
    const auto y = static_cast<uint64_t>(x[c] - s.mean);
    s.variance += y * y; // modulo 2^64, where the sign of y does not matter
  }
  const uint64_t first = start == SqrtStart::Fixed16 ? uint64_t(1) << 16 : newtonStart(s.variance);
  s.root = static_cast<int64_t>(newtonSqrt(s.variance, first, iterations));
  s.factor = ((int64_t(1) << 31) - 1) / s.root;
  return s;
}

static int64_t normalizedIvit(const LayerNormIvitStatistics &s, int64_t x) { return ((x - s.mean) * s.factor) >> 1; }

void vitq::numerics::layerNormIvitNormalize(const int32_t *x, int64_t *y, int64_t channels, SqrtStart start,
                                            unsigned iterations) {
  const LayerNormIvitStatistics s = layerNormIvitStatistics(x, channels, start, iterations);
  for (int64_t c = 0; c < channels; ++c)
    y[c] = normalizedIvit(s, x[c]);
}

void vitq::numerics::layerNormIvitRow(const int32_t *x, int32_t *out, int64_t channels, SqrtStart start,
                                      unsigned iterations, const int64_t *bias, const Dyadic *ratio,
                                      const int64_t *offset, Rounding rounding, int64_t zeroPoint, int64_t lo,
                                      int64_t hi) {
  const LayerNormIvitStatistics s = layerNormIvitStatistics(x, channels, start, iterations);
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t biased = saturateInt32(normalizedIvit(s, x[c]) + bias[c]);
    out[c] = static_cast<int32_t>(requantize(biased, ratio[c], rounding, zeroPoint + offset[c], lo, hi));
  }
}

std::optional<LayerNormIvitConstants> vitq::numerics::layerNormIvitConstants(const double *gamma, const double *beta,
                                                                             int64_t channels, double outScale,
                                                                             unsigned mantissaBits) {
  if (!(outScale > 0.0) || !std::isfinite(outScale))
    return std::nullopt;
  const double unit = std::ldexp(std::sqrt(static_cast<double>(channels)), -30);
  LayerNormIvitConstants result;
  for (int64_t c = 0; c < channels; ++c) {
    const auto ratio = dyadicFromReal(gamma[c] * unit / outScale, mantissaBits);
    if (!ratio || !std::isfinite(beta[c] / outScale))
      return std::nullopt;
    const double bias = std::floor(beta[c] / gamma[c] / unit);
    // Also false for gamma == 0, where the quotient is infinite or NaN.
    const bool inside = std::abs(bias) < 0x1p30 && ratio->multiplier != 0;
    result.ratio.push_back(inside || gamma[c] != 0.0 ? *ratio : Dyadic{});
    result.bias.push_back(inside ? static_cast<int64_t>(bias) : 0);
    result.offset.push_back(
        inside ? 0 : quantizeReal(beta[c], outScale, 0, -(int64_t(1) << 31), int64_t(1) << 31, Rounding::HalfEven));
  }
  return result;
}
