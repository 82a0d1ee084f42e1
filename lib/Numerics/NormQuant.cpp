//===- NormQuant.cpp - Layer normalisation to a few levels -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/NormQuant.h"

#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/SquareRoot.h"

#include <cmath>

using namespace vitq::numerics;

/// sign(tau) * tau^2 in fixed point.
static int32_t signedSquare(double tau) {
  const double unit = std::ldexp(1.0, -static_cast<int>(kNormQuantFractionBits));
  const int64_t square = quantizeReal(tau * tau, unit, 0, 0, INT32_MAX, Rounding::HalfEven);
  return static_cast<int32_t>(tau < 0 ? -square : square);
}

std::optional<NormQuantThresholds> vitq::numerics::normQuantThresholds(const std::vector<double> &gamma,
                                                                       const std::vector<double> &beta,
                                                                       const std::vector<double> &levels) {
  const size_t channels = gamma.size();
  if (beta.size() != channels || channels < 1 || channels > kNormQuantChannels || levels.empty() ||
      levels.size() % channels != 0 || levels.size() / channels > kNormQuantLevels)
    return std::nullopt;
  NormQuantThresholds result;
  result.levels = static_cast<int64_t>(levels.size() / channels);
  for (size_t i = 0; i < levels.size(); ++i) {
    const double g = gamma[i % channels], distance = levels[i] - beta[i % channels];
    if (!std::isfinite(g) || !std::isfinite(beta[i % channels]) || std::isnan(distance))
      return std::nullopt;
    // Where gamma is 0 the quotient is infinite, unless beta is the level itself, which
    // counts as reached.
    result.squares.push_back(g == 0.0 && distance == 0.0 ? -INT32_MAX : signedSquare(distance / std::abs(g)));
  }
  for (double g : gamma)
    result.negative.push_back(g < 0.0);
  return result;
}

std::vector<double> vitq::numerics::quantizerLevels(int64_t channels, double outScale, int64_t zeroPoint, int64_t lo,
                                                    int64_t hi) {
  std::vector<double> levels;
  for (int64_t code = lo + 1; code <= hi; ++code)
    levels.insert(levels.end(), static_cast<size_t>(channels),
                  (static_cast<double>(code - zeroPoint) - 0.5) * outScale);
  return levels;
}

void vitq::numerics::normQuantRow(const int32_t *x, int32_t *out, int64_t channels, int64_t epsilon,
                                  const int32_t *squares, const uint8_t *negative, int64_t levels, int64_t lo) {
  assert(channels <= kNormQuantChannels && "too many channels");
  const auto [sum, variance] = layerNormMoments(x, channels, epsilon);
  const unsigned length = bitLength(static_cast<uint64_t>(variance));
  const unsigned n = length > 31 ? length - 31 : 0;
  const int64_t v = variance >> n;
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t e = channels * x[c] - sum;
    const int64_t square = ((e * e) >> n) << kNormQuantFractionBits;
    const int64_t g = (e < 0) != (negative[c] != 0) ? -square : square;
    int64_t code = lo;
    for (int64_t k = 0; k < levels; ++k)
      code += g >= squares[k * channels + c] * v;
    out[c] = static_cast<int32_t>(code);
  }
}
