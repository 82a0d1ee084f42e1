//===- NormQuant.h - Layer normalisation to a few levels --------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A layer normalisation and its quantizer as comparisons: no root, no division
// (docs/Rules.md, R9). See docs/Numerics.md.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_NORMQUANT_H
#define VITQ_NUMERICS_NORMQUANT_H

#include <cstdint>
#include <optional>
#include <vector>

namespace vitq::numerics {

/// Fractional bits of a squared threshold.
inline constexpr unsigned kNormQuantFractionBits = 20;
/// Most channels: squared thresholds are below this number.
inline constexpr int64_t kNormQuantChannels = 2048;
/// Most levels above the lowest one.
inline constexpr int64_t kNormQuantLevels = 15;

/// What decides which level a channel reaches.
struct NormQuantThresholds {
  int64_t levels = 0;            ///< above the lowest one
  std::vector<int32_t> squares;  ///< [levels][channels], sign(tau) * tau^2 * 2^20
  std::vector<uint8_t> negative; ///< [channels]: whether gamma is below 0
};

/// With tau = (level[k][c] - beta[c]) / |gamma[c]|, of levels stored like squares:
/// sign(tau) * min(rne(tau^2 * 2^20), 2^31 - 1). The largest magnitude means never, or
/// always; so does gamma = 0, and an infinite level. nullopt when there are not 1 to 15
/// levels for each of 1 to 2048 channels, and on a gamma or beta that is not finite.
std::optional<NormQuantThresholds> normQuantThresholds(const std::vector<double> &gamma,
                                                       const std::vector<double> &beta,
                                                       const std::vector<double> &levels);

/// The levels between codes: (lo + k - 1/2 - zeroPoint) * outScale, k = 1 .. hi - lo, for
/// all channels.
std::vector<double> quantizerLevels(int64_t channels, double outScale, int64_t zeroPoint, int64_t lo, int64_t hi);

/// With s1 and V of layerNormStatistics (epsilon' included),
///   n = max(0, bitLength(V) - 31)      v = V >> n                       (< 2^31)
///   e = C*x[c] - s1, negated where gamma is negative                    (< 2^27)
///   g = sign(e) * ((e^2 >> n) << 20)
///   out[c] = lo + #{k : g >= squares[k][c] * v}.
/// Since e^2 <= (C-1)*V, |g| < 2^11 * 2^31 * 2^20 = 2^62, as is the product: 64 bits
/// throughout. V keeps at least 30 bits: a code differs from the exactly rounded real
/// one only where the normalised value is within 2^-19 of a threshold's square.
/// Preconditions: layerNormFits, channels <= 2048. out == x is allowed.
void normQuantRow(const int32_t *x, int32_t *out, int64_t channels, int64_t epsilon, const int32_t *squares,
                  const uint8_t *negative, int64_t levels, int64_t lo);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_NORMQUANT_H
