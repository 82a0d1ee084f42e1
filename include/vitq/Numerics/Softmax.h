//===- Softmax.h - Integer softmax over one row -----------------*- C++ -*-===//
//
// The compiler's softmax gives unsigned 8-bit codes relative to the row's
// maximum and their sum; divideRow divides after P*V (R10, PTQ.md 4.5).
// shiftmaxRow is the published Shiftmax (METHODS.md 2.4).
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_SOFTMAX_H
#define VITQ_NUMERICS_SOFTMAX_H

#include "vitq/Numerics/Requantize.h"
#include "vitq/Numerics/ShiftExp.h"

#include <array>
#include <cstdint>

namespace vitq::numerics {

/// min(255, round-half-up((rowMax - acc) * D)): the distance from the maximum
/// in steps. rowMax - acc, up to 2^32 - 1, is limited to 2^31 - 1 before the
/// product; this changes nothing while 255.5 / D < 2^31, i.e. D > 2^-23.
/// Preconditions: rowMax >= acc, D >= 0.
inline int64_t softmaxDistance(int32_t rowMax, int32_t acc, Dyadic d) {
  const int64_t diff = saturateInt32(static_cast<int64_t>(rowMax) - acc);
  return requantize(diff, d, Rounding::HalfUp, 0, 0, 255);
}

/// codes[i] = table[softmaxDistance(max acc, acc[i])], *sum = sum of codes.
/// N >= 1; 255*N < 2^31, i.e. N <= 8421504.
void softmaxTableRow(const int32_t *acc, uint8_t *codes, int32_t *sum, int64_t n, Dyadic d, const uint8_t table[256]);

/// table[d] = rne(255 * exp(-d * step)). table[0] = 255, so the sum of a row
/// is at least 255. Precondition: step > 0.
std::array<uint8_t, 256> softmaxExpTable(double step);

/// Parameters of softmaxShiftRow.
struct SoftmaxShift {
  int64_t x0 = -1;
  unsigned n = 15;
  unsigned t = 8;
};

/// x0 = floor(-1/step), n = 15, t the smallest shift with
/// (|x0| * 2^15) >> t <= 255. Precondition: step > 0.
SoftmaxShift softmaxShiftConstants(double step);

/// min(255, (shiftExp(-d, x0, n) + 2^(t-1)) >> t), d in 0..255, t in 1..61
/// (t = 0: no rounding).
uint8_t softmaxShiftCode(int64_t d, SoftmaxShift s);

/// softmaxShiftCode for every d: softmaxTableRow with this table computes the
/// same as softmaxShiftRow.
std::array<uint8_t, 256> softmaxShiftTable(SoftmaxShift s);

/// As softmaxTableRow, with softmaxShiftCode in place of the table.
void softmaxShiftRow(const int32_t *acc, uint8_t *codes, int32_t *sum, int64_t n, Dyadic d, SoftmaxShift s);

/// acc / sum in Q24, limited to int32 (i.e. |acc/sum| < 128):
///   R = floor(2^40 / max(sum, 1)), u = sat32((acc*R + 2^15) >> 16).
/// Defined for every acc and sum as if the product were unbounded. The plain
/// int64 expression gives the same whenever |acc| <= 2^22 * sum; a P*V
/// accumulator of unsigned codes and signed 8-bit V has |acc| <= 128 * sum.
int64_t softmaxReciprocal(int32_t sum);
int64_t softmaxQuotient(int32_t acc, int32_t sum);

/// out[i] = requantize(softmaxQuotient(acc[i], sum), D, ...), i < n. D maps
/// Q24 units of V to the output: vScale / (2^24 * outScale).
void divideRow(const int32_t *acc, int32_t sum, int32_t *out, int64_t n, Dyadic d, Rounding rounding, int64_t zeroPoint,
               int64_t lo, int64_t hi);

/// I-ViT's Shiftmax of `n` codes. E[i] = shiftExp(in[i] - max, x0, bits);
/// S = min(sum of E, 2^M - 1); F = floor((2^M - 1)/S);
/// out[i] = min(floor(E[i]*F / 2^(M-k+1)), 2^(k-1) - 1), M = reciprocalBits
/// (31 as published, up to 62), k = outBits (2..16), scale 2^-(k-1).
/// The sum saturates while it is formed and E*F < 2^62, so nothing overflows.
/// The last min acts only when a single E exceeds 2^M - 1. out == in allowed.
/// Preconditions: those of shiftExp; |in| <= 2^31.
void shiftmaxRow(const int32_t *in, int32_t *out, int64_t n, int64_t x0, unsigned bits = 15,
                 unsigned reciprocalBits = 31, unsigned outBits = 16);

/// Largest n <= 30 with N * |x0| * 2^n < 2^31, at least 1: the range rule
/// under which the 31-bit sum does not saturate.
unsigned shiftmaxBits(int64_t rowLength, int64_t x0);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_SOFTMAX_H
