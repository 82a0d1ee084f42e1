//===- Softmax.h - Integer softmax over one row -----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler's softmax gives unsigned 8-bit codes (or 16-bit ones) relative to the row's
// maximum and their sum; divideRow divides after P*V (docs/Rules.md, R10).
// shiftmaxRow is the published Shiftmax (docs/Numerics.md).
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_SOFTMAX_H
#define VITQ_NUMERICS_SOFTMAX_H

#include "vitq/Numerics/PiecewiseLinear.h"
#include "vitq/Numerics/Requantize.h"
#include "vitq/Numerics/ShiftExp.h"

#include <array>
#include <cstdint>
#include <optional>

namespace vitq::numerics {

/// Distances from the row's maximum are 8 bits wide, whatever the codes are.
inline constexpr int kDistances = 256;
/// The code for each of them.
using DistanceTable = std::array<uint8_t, kDistances>;
/// The largest unsigned code.
inline int64_t largestCode(unsigned bits) { return (int64_t(1) << bits) - 1; }

/// min(last, round-half-up((rowMax - acc) * D)): the distance from the maximum
/// in steps. rowMax - acc, up to 2^32 - 1, is limited to 2^31 - 1 before the
/// product; this changes nothing while (last + 0.5) / D < 2^31, i.e. D > 2^-23
/// for 255. Preconditions: rowMax >= acc, D >= 0.
inline int64_t softmaxDistance(int32_t rowMax, int32_t acc, Dyadic d, int64_t last = kDistances - 1) {
  const int64_t diff = saturateInt32(static_cast<int64_t>(rowMax) - acc);
  return requantize(diff, d, Rounding::HalfUp, 0, 0, last);
}

/// The compiler's D: `ratio` > 0, rounded to a multiple of 2^-kDistanceFraction where that keeps 10 bits of it or
/// more, 2^-14 <= ratio <= 1. Distances of 8 bits then are the top byte of a product of 32 bits (ShortDistance).
inline constexpr int kDistanceFraction = 24;
double softmaxRatio(double ratio);

/// softmaxDistance(rowMax, acc, d) for the last distance 255, within 32 bits without sign:
///   (min(rowMax - acc, furthest) * factor + half) >> 24.
/// Of differences up to `furthest` this is the same sum in other units, and it does not reach 2^32; larger ones
/// exceed 255.5 steps, and `furthest` reaches 255, as one more reaches 2^32 and a factor is at most 2^24.
struct ShortDistance {
  static constexpr uint32_t half = uint32_t(1) << (kDistanceFraction - 1);
  uint32_t factor, furthest;

  /// None where d is no multiple of 2^-24 or not within [2^-23, 1].
  static std::optional<ShortDistance> of(Dyadic d);

  int64_t operator()(int32_t rowMax, int32_t acc) const {
    const uint32_t difference = static_cast<uint32_t>(rowMax) - static_cast<uint32_t>(acc);
    return (std::min(difference, furthest) * factor + half) >> kDistanceFraction;
  }
};

/// codes[i] = table[softmaxDistance(max acc, acc[i])], *sum = sum of codes.
/// N >= 1; 255*N < 2^31, i.e. N <= 8421504.
void softmaxTableRow(const int32_t *acc, uint8_t *codes, int32_t *sum, int64_t n, Dyadic d,
                     const uint8_t table[kDistances]);

/// table[d] = rne(L * exp(-d * step)), L the largest code of `bits` <= 8. table[0] = L, so the
/// sum of a row is at least L. Precondition: step > 0.
DistanceTable softmaxExpTable(double step, unsigned bits = 8);

/// Parameters of softmaxShiftRow.
struct SoftmaxShift {
  int64_t x0 = -1;
  unsigned n = 15;
  unsigned t = 8;
};

/// x0 = floor(-1/step), n = 15, t the smallest shift with
/// (|x0| * 2^15) >> t <= largestCode(bits). Precondition: step > 0.
SoftmaxShift softmaxShiftConstants(double step, unsigned bits = 8);

/// min(largestCode(bits), (shiftExp(-d, x0, n) + 2^(t-1)) >> t), d in 0..255, t in 1..61
/// (t = 0: no rounding).
uint8_t softmaxShiftCode(int64_t d, SoftmaxShift s, unsigned bits = 8);

/// softmaxShiftCode for every d: softmaxTableRow with this table computes the
/// same as softmaxShiftRow.
DistanceTable softmaxShiftTable(SoftmaxShift s, unsigned bits = 8);

/// As softmaxTableRow, with softmaxShiftCode in place of the table.
void softmaxShiftRow(const int32_t *acc, uint8_t *codes, int32_t *sum, int64_t n, Dyadic d, SoftmaxShift s);

/// Parameters of I-BERT's exponential (docs/Numerics.md, Softmax).
struct SoftmaxPolynomial {
  int64_t x0 = -1; ///< one octave
  int64_t b = 2;   ///< of r*(r + b) + c
  int64_t c = 1;
  unsigned n = 15; ///< octaves
  unsigned t = 8;  ///< shift to codes
};

/// x0 = floor(-ln2/step); of 0.35815147*r^2 + 0.96963238*r + 1 in units of step, b =
/// floor(2.70732 / step), c = floor(2.79211 / step^2); n the octaves that a distance of
/// 255 reaches, at most 30, and c * 2^n < 2^62; t the smallest shift with
/// (c * 2^n) >> t <= largestCode(bits). Precondition: 2^-14 <= step <= 1/4.
SoftmaxPolynomial softmaxPolynomialConstants(double step, unsigned bits = 8);

/// Whether p = r*(r + b) + c stays positive and at most c for every r of an octave,
/// x0 < r <= 0, and c * 2^n below 2^62: b >= -2*x0, c > -x0*(x0 + b), -2^16 <= x0 < 0,
/// b <= 2^20, 1 <= n <= 30, 1 <= t <= 61.
bool softmaxPolynomialFits(const SoftmaxPolynomial &p);

/// With q = max(-d, n*x0), z = floor(q/x0), r = q - z*x0:
///   min(largestCode(bits), ((r*(r + b) + c) << (n - z) + 2^(t-1)) >> t), d in 0..255.
/// Precondition: softmaxPolynomialFits.
uint8_t softmaxPolynomialCode(int64_t d, const SoftmaxPolynomial &p, unsigned bits = 8);
/// The code for every d, for softmaxTableRow.
DistanceTable softmaxPolynomialTable(const SoftmaxPolynomial &p, unsigned bits = 8);

/// clamp((lines(-d) + 2^(t-1)) >> t, 0, largestCode(bits)), d in 0..255, t in 1..30: the exponential
/// as lines over q = -d, in units of 2^-t of a code. Preconditions:
/// lines.fits(-255, 0).
uint8_t softmaxLinesCode(int64_t d, const PiecewiseLinear &lines, unsigned t, unsigned bits = 8);
DistanceTable softmaxLinesTable(const PiecewiseLinear &lines, unsigned t, unsigned bits = 8);

/// Codes of 4 bits: the distance in octaves, rounded half up by softmaxDistance with a
/// step of ln2 (a half in the logarithm, at sqrt(2)), at most 15. They stand for the
/// powers of two
///   codes[i] = 2^(top - d), 0 for d > top,
/// 1 <= top <= 14, which are what is stored; *sum is their sum. A product by a code is
/// a shift. N >= 1 and N * 2^top < 2^31.
void softmaxLog2Row(const int32_t *acc, int16_t *codes, int32_t *sum, int64_t n, Dyadic d, unsigned top);

/// The largest top, at most 14, with N * 2^(top + 7) < 2^31: sums of such codes times
/// 8-bit values fit 32 bits. 0 if there is none.
unsigned softmaxLog2Top(int64_t n);

/// Distances of softmaxOctaveRow: steps of an octave, and the largest distance, after 16.
inline constexpr int kOctaveSteps = 256;
inline constexpr int64_t kLastOctaveDistance = 16 * kOctaveSteps - 1;
/// The codes of the first octave.
using OctaveTable = std::array<int16_t, kOctaveSteps>;

/// table[i] = rne(2^top * 2^(-i/256)), 1 <= top <= 14.
OctaveTable softmaxOctaveTable(unsigned top);

/// (table[d mod 256] + 2^(o-1)) >> o with o = d div 256, 0 <= d <= kLastOctaveDistance:
/// table[d] for o = 0. Precondition: 1 <= table <= 2^14.
int16_t softmaxOctaveCode(int64_t d, const OctaveTable &table);

/// codes[i] = softmaxOctaveCode(softmaxDistance(max acc, acc[i])), *sum = sum of codes, each
/// within half a code and 0.14 % of 2^top * exp for steps of ln2/256. N >= 1 and
/// N * max(table) < 2^31.
void softmaxOctaveRow(const int32_t *acc, int16_t *codes, int32_t *sum, int64_t n, Dyadic d, const OctaveTable &table);

/// acc / sum in Q24, limited to int32 (i.e. |acc/sum| < 128):
///   R = floor(2^40 / max(sum, 1)), u = sat32((acc*R + 2^15) >> 16).
/// Defined for every acc and sum as if the product were unbounded. The plain
/// int64 expression gives the same whenever |acc| <= 2^22 * sum; a P*V
/// accumulator of unsigned codes and signed 8-bit V has |acc| <= 128 * sum.
/// With lines, R = reciprocalByLines(max(sum, 1)) (ReciprocalLines.h), which is not
/// above the exact one: nothing else changes.
int64_t softmaxReciprocal(int32_t sum, const PiecewiseLinear *lines = nullptr);
int64_t softmaxQuotient(int32_t acc, int32_t sum, const PiecewiseLinear *lines = nullptr);

/// out[i] = requantize(softmaxQuotient(acc[i], sum), D, ...), i < n. D maps
/// Q24 units of V to the output: vScale / (2^24 * outScale).
void divideRow(const int32_t *acc, int32_t sum, int32_t *out, int64_t n, Dyadic d, Rounding rounding, int64_t zeroPoint,
               int64_t lo, int64_t hi, const PiecewiseLinear *lines = nullptr);

/// I-ViT's Shiftmax of `n` codes. E[i] = shiftExp(in[i] - max, x0, bits);
/// S = min(sum of E, 2^M - 1); F = floor((2^M - 1)/S);
/// out[i] = min(floor(E[i]*F / 2^(M-k+1)), 2^(k-1) - 1), M = reciprocalBits
/// (31 as published, up to 62), k = outBits (2..16), scale 2^-(k-1).
/// The sum saturates while it is formed and E*F < 2^62, so nothing overflows.
/// The last min acts only when a single E exceeds 2^M - 1. out == in allowed.
/// Preconditions: those of shiftExp; |in| <= 2^31.
void shiftmaxRow(const int32_t *in, int32_t *out, int64_t n, int64_t x0, unsigned bits = 15,
                 unsigned reciprocalBits = 31, unsigned outBits = 16);

/// The smallest scale of scores at which the sum of a row of `rowLength` exponentials
/// of shiftmaxRow stays below 2^31 with `bits` = 15: rowLength * 2^15 / 2^31. Below it the
/// sum saturates, and the probabilities no longer sum to 1.
inline double shiftmaxSmallestScale(int64_t rowLength) { return static_cast<double>(rowLength) * 0x1p-16; }

/// Largest n <= 30 with N * |x0| * 2^n < 2^31, at least 1: the range rule
/// under which the 31-bit sum does not saturate.
unsigned shiftmaxBits(int64_t rowLength, int64_t x0);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_SOFTMAX_H
