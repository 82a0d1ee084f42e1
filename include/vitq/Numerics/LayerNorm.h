//===- LayerNorm.h - Integer layer normalisation ----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two algorithms over one row of C codes. Both ignore the zero point of their
// input: normalisation removes any constant. See docs/Numerics.md,
// LayerNorm. The exact one also exists without centering (RMSNorm): 0 takes the
// place of the sum of a row, and the zero point must be 0.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_LAYERNORM_H
#define VITQ_NUMERICS_LAYERNORM_H

#include "vitq/Numerics/PiecewiseLinear.h"
#include "vitq/Numerics/Requantize.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace vitq::numerics {

//===----------------------------------------------------------------------===//
// "newton": exact statistics
//===----------------------------------------------------------------------===//

/// Largest C for which V << 12 fits 64 unsigned bits for every row of codes of
/// `inBits` bits, signed or unsigned: 2^(27 - inBits), 2048 for 16 bits. Half
/// the channels at either end of the code range give the largest V before
/// epsilon', floor(C^2/4) * (2^inBits - 1)^2 < 2^52. inBits in 2..26.
int64_t layerNormChannelLimit(int inBits);

/// Largest epsilon' with V < 2^52 for every row:
/// 2^52 - 1 - floor(C^2/4) * (2^inBits - 1)^2; -1 when C exceeds the limit.
/// Of rows that are not centered, all channels at the lowest signed code do:
/// C^2 * 2^(2*(inBits - 1)).
int64_t layerNormEpsilonLimit(int64_t channels, int inBits, bool centered = true);

/// Whether rows of `channels` codes of `inBits` bits with this epsilon' obey
/// the width bound of layerNormRow.
bool layerNormFits(int64_t channels, int inBits, int64_t epsilon, bool centered = true);

/// epsilon' = max(1, rne(eps * C^2 / scale^2)): eps in the units of V. At least
/// 1, so V is never 0; at most 2^52 - 1 (check with layerNormFits).
int64_t layerNormEpsilon(double eps, int64_t channels, double scale);

/// The smallest scale of codes for which epsilon' fits: inputs far below sqrt(eps) have
/// coarser codes than their range would allow. 0 where no scale helps.
double layerNormSmallestScale(double eps, int64_t channels, int inBits, bool centered = true);

/// Bound of |y| in layerNormNormalize: sqrt(C) * 2^14 * (1 + 2^-10) + 3,
/// rounded down. (|C x - s1| <= sqrt(C V'), and k is short of 64 sqrt(V') by
/// less than one part in 2^10.) Below 2^20 for C <= 2048.
int64_t layerNormNormalizedBound(int64_t channels);

/// Sum and variance of one row.
struct LayerNormMoments {
  int64_t sum = 0;      ///< s1 = sum of x; 0 of a row that is not centered
  int64_t variance = 0; ///< V = C * sum of x^2 - s1^2 + epsilon', in 1 .. 2^52 - 1
};
LayerNormMoments layerNormMoments(const int32_t *x, int64_t channels, int64_t epsilon, bool centered = true);

/// k and F of one row.
struct LayerNormStatistics : LayerNormMoments {
  int64_t root = 0;       ///< k = floor(sqrt(V * 2^12)), >= 64
  int64_t reciprocal = 0; ///< F = floor(2^46 / k), <= 2^40
};
LayerNormStatistics layerNormStatistics(const int32_t *x, int64_t channels, int64_t epsilon, bool centered = true);

/// y[c] = ((C*x[c] - s1) * F + 2^25) >> 26, the normalised row in Q14.
/// Every intermediate fits int64 under layerNormFits: the product is below
/// 2^47. `y` holds C values.
void layerNormNormalize(const int32_t *x, int32_t *y, int64_t channels, int64_t epsilon, bool centered = true);

/// The same with F = inverseRootByLines(V, lines) (ReciprocalLines.h) in place of a root
/// and a division; under inverseRootLinesFit, F <= 2^40 / sqrt(V) and every bound above
/// holds.
void layerNormNormalizeByLines(const int32_t *x, int32_t *y, int64_t channels, int64_t epsilon,
                               const PiecewiseLinear &lines, bool centered = true);

/// out[c] = clamp(zp + ((y[c]*M[c] + offset[c] + 2^(s-1)) >> s), lo, hi) of a normalised
/// row, `by[c]` = M / 2^s of each channel. All arrays hold C values; out == y is allowed.
/// Precondition: |y|*|M| + |offset| < 2^62.
void layerNormScale(const int32_t *y, int32_t *out, int64_t channels, const Dyadic *by, const int64_t *offset,
                    int64_t zeroPoint, int64_t lo, int64_t hi);

/// out[c] = clamp(zp + ((y[c]*A[c] + B[c] + 2^(shift-1)) >> shift), lo, hi).
/// x, out, A, B hold C values; in place (out == x) is allowed. shift in 1..62.
/// Preconditions: layerNormFits, and |y|*|A| + |B| < 2^62 (layerNormAffine
/// guarantees it).
void layerNormRow(const int32_t *x, int32_t *out, int64_t channels, int64_t epsilon, const int32_t *a, const int64_t *b,
                  unsigned shift, int64_t zeroPoint, int64_t lo, int64_t hi);

struct LayerNormAffine {
  std::vector<int32_t> a; ///< gamma * 2^shift / (2^14 * outScale)
  std::vector<int64_t> b; ///< beta * 2^shift / outScale
  unsigned shift = 1;     ///< common to the row
};

/// A, B and the largest common shift in 1..62 with |A| < 2^30 and
/// |B| + bound(y)*|A| < 2^62 for every channel. gamma may be negative or 0.
/// Coefficients are rounded half away from zero. nullopt when not even shift 1
/// fits, on a non-finite value, or when outScale <= 0.
std::optional<LayerNormAffine> layerNormAffine(const double *gamma, const double *beta, int64_t channels,
                                               double outScale);
inline std::optional<LayerNormAffine> layerNormAffine(const std::vector<double> &gamma, const std::vector<double> &beta,
                                                      double outScale) {
  if (gamma.size() != beta.size())
    return std::nullopt;
  return layerNormAffine(gamma.data(), beta.data(), static_cast<int64_t>(gamma.size()), outScale);
}

/// The least shift of layerNormNarrowAffine. A is off by up to 1/2, y is of unit variance in Q14: the error's power is
/// 2^(28 - 2*shift) of that of rounding to a code, 1.6 % here.
constexpr int kLayerNormNarrowShift = 17;

/// A, B and the largest shift, at least kLayerNormNarrowShift, for which a result takes 32 bits:
/// |B| + bound(y)*|A| + (|zeroPoint| + 1)*2^shift < 2^31 for every channel. So the sum with half a unit and with the
/// zero point fits, too. nullopt where there is none, as for results of 16 bits, or as layerNormAffine.
std::optional<LayerNormAffine> layerNormNarrowAffine(const double *gamma, const double *beta, int64_t channels,
                                                     double outScale, int64_t zeroPoint);

//===----------------------------------------------------------------------===//
// "ivit": I-ViT's form
//===----------------------------------------------------------------------===//

/// Start of the square root iteration.
enum class SqrtStart {
  Fixed16,  ///< 2^16 as published; wrong for V below 2^16
  BitLength ///< newtonStart(V)
};

/// mu = rne(mean), V = sum of (x - mu)^2, k = newtonSqrt(V, start, iterations)
/// (>= 1), F = floor((2^31 - 1) / k).
struct LayerNormIvitStatistics {
  int64_t mean = 0;
  uint64_t variance = 0;
  int64_t root = 1;
  int64_t factor = 0;
};
LayerNormIvitStatistics layerNormIvitStatistics(const int32_t *x, int64_t channels, SqrtStart start,
                                                unsigned iterations = 10);

/// y[c] = floor((x[c] - mu) * F / 2), about 2^30 * (x - mu) / sqrt(V).
/// Below 2^47 in magnitude for 16-bit codes whatever k is; about 2^30 once the
/// root has converged. V of codes within 2^16 of each other fits 64 bits up to
/// 2^31 channels.
void layerNormIvitNormalize(const int32_t *x, int64_t *y, int64_t channels, SqrtStart start, unsigned iterations = 10);

/// out[c] = clamp(zp + offset[c] + round(sat32(y[c] + bias[c]) * ratio[c])).
/// All arrays hold C values; out == x is allowed. |bias|, |offset| <= 2^31.
void layerNormIvitRow(const int32_t *x, int32_t *out, int64_t channels, SqrtStart start, unsigned iterations,
                      const int64_t *bias, const Dyadic *ratio, const int64_t *offset, Rounding rounding,
                      int64_t zeroPoint, int64_t lo, int64_t hi);

/// Per channel, for out*outScale ~ gamma*normalised + beta:
///   ratio  = dyadic(gamma * sqrt(C) / 2^30 / outScale)
///   bias   = floor((beta/gamma) / (sqrt(C)/2^30)), offset = 0
/// and where gamma is 0 (or ratio rounds to 0), or |bias| >= 2^30 so that
/// y + bias could leave int32:
///   bias = 0, offset = rne(beta / outScale).
struct LayerNormIvitConstants {
  std::vector<int64_t> bias;
  std::vector<Dyadic> ratio;
  std::vector<int64_t> offset;
};

/// nullopt when a ratio is not representable, on a non-finite value, or when
/// outScale <= 0.
std::optional<LayerNormIvitConstants> layerNormIvitConstants(const double *gamma, const double *beta, int64_t channels,
                                                             double outScale, unsigned mantissaBits = 31);
inline std::optional<LayerNormIvitConstants> layerNormIvitConstants(const std::vector<double> &gamma,
                                                                    const std::vector<double> &beta, double outScale,
                                                                    unsigned mantissaBits = 31) {
  if (gamma.size() != beta.size())
    return std::nullopt;
  return layerNormIvitConstants(gamma.data(), beta.data(), static_cast<int64_t>(gamma.size()), outScale, mantissaBits);
}

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_LAYERNORM_H
