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
                                                                       const std::vector<double> &beta, double outScale,
                                                                       int64_t zeroPoint, int64_t lo, int64_t hi) {
  const auto channels = static_cast<int64_t>(gamma.size());
  if (beta.size() != gamma.size() || channels < 1 || channels > kNormQuantChannels || hi <= lo ||
      hi - lo > kNormQuantLevels || !(outScale > 0.0) || !std::isfinite(outScale))
    return std::nullopt;
  NormQuantThresholds result;
  result.levels = hi - lo;
  for (int64_t k = 1; k <= result.levels; ++k) {
    const double level = (static_cast<double>(lo + k - zeroPoint) - 0.5) * outScale;
    for (int64_t c = 0; c < channels; ++c) {
      if (!std::isfinite(gamma[c]) || !std::isfinite(beta[c]))
        return std::nullopt;
      // Where gamma is 0 the quotient is infinite, unless beta is the threshold itself,
      // which counts as reached.
      const double distance = level - beta[c];
      result.squares.push_back(gamma[c] == 0.0 && distance == 0.0 ? -INT32_MAX
                                                                  : signedSquare(distance / std::abs(gamma[c])));
    }
  }
  for (double g : gamma)
    result.negative.push_back(g < 0.0);
  return result;
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
