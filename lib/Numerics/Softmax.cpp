//===- Softmax.cpp - Integer softmax over one row -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Softmax.h"

#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/ReciprocalLines.h"

#include <cmath>

using namespace vitq::numerics;

namespace {

int64_t clampedAdd(int64_t sum, int64_t term, int64_t limit) { return term >= limit - sum ? limit : sum + term; }

template <typename Code, typename CodeOf>
void softmaxRow(const int32_t *acc, Code *codes, int32_t *sum, int64_t n, Dyadic d, CodeOf codeOf,
                int64_t last = kDistances - 1) {
  assert(n >= 1 && n <= 8421504 && "row length out of range");
  const int32_t rowMax = *std::max_element(acc, acc + n);
  int32_t total = 0;
  for (int64_t i = 0; i < n; ++i) {
    codes[i] = codeOf(softmaxDistance(rowMax, acc[i], d, last));
    total += codes[i];
  }
  *sum = total;
}

template <typename CodeOf>
DistanceTable softmaxTable(CodeOf codeOf) {
  DistanceTable table{};
  for (int d = 0; d < kDistances; ++d)
    table[d] = codeOf(d);
  return table;
}

} // namespace

double vitq::numerics::softmaxRatio(double ratio) {
  constexpr double kLeast = 0x1p-14;
  if (ratio < kLeast || ratio > 1.0)
    return ratio;
  return std::ldexp(roundReal(std::ldexp(ratio, kDistanceFraction), Rounding::HalfEven), -kDistanceFraction);
}

std::optional<ShortDistance> ShortDistance::of(Dyadic d) {
  constexpr int64_t kLeast = 2, kMost = int64_t(1) << kDistanceFraction;
  // d = factor / 2^24
  int64_t factor = d.multiplier;
  const int excess = d.shift - kDistanceFraction;
  if (excess > 0) {
    if (excess > 31 || factor % (int64_t(1) << excess) != 0)
      return std::nullopt;
    factor >>= excess;
  } else {
    factor <<= -excess;
  }
  if (factor < kLeast || factor > kMost)
    return std::nullopt;
  return ShortDistance{static_cast<uint32_t>(factor), static_cast<uint32_t>((UINT32_MAX - half) / factor)};
}

void vitq::numerics::softmaxTableRow(const int32_t *acc, uint8_t *codes, int32_t *sum, int64_t n, Dyadic d,
                                     const uint8_t table[kDistances]) {
  softmaxRow(acc, codes, sum, n, d, [table](int64_t distance) { return table[distance]; });
}

DistanceTable vitq::numerics::softmaxExpTable(double step, unsigned bits) {
  assert(step > 0.0 && "step must be positive");
  DistanceTable table{};
  for (int d = 0; d < kDistances; ++d)
    table[d] = static_cast<uint8_t>(
        roundReal(static_cast<double>(largestCode(bits)) * std::exp(-d * step), Rounding::HalfEven));
  return table;
}

SoftmaxShift vitq::numerics::softmaxShiftConstants(double step, unsigned bits) {
  SoftmaxShift s;
  s.x0 = shiftX0(step);
  s.n = 15;
  s.t = 0;
  while (((-s.x0 << s.n) >> s.t) > largestCode(bits))
    ++s.t;
  return s;
}

uint8_t vitq::numerics::softmaxShiftCode(int64_t d, SoftmaxShift s, unsigned bits) {
  assert(d >= 0 && d < kDistances && s.t <= 61 && "softmax shift out of range");
  // HalfUp of a non-negative value; t = 0 leaves it alone.
  const int64_t code = roundShift(shiftExp(-d, s.x0, s.n), s.t, Rounding::HalfUp);
  return static_cast<uint8_t>(std::min<int64_t>(code, largestCode(bits)));
}

DistanceTable vitq::numerics::softmaxShiftTable(SoftmaxShift s, unsigned bits) {
  return softmaxTable([=](int64_t d) { return softmaxShiftCode(d, s, bits); });
}

void vitq::numerics::softmaxShiftRow(const int32_t *acc, uint8_t *codes, int32_t *sum, int64_t n, Dyadic d,
                                     SoftmaxShift s) {
  softmaxRow(acc, codes, sum, n, d, [s](int64_t distance) { return softmaxShiftCode(distance, s); });
}

SoftmaxPolynomial vitq::numerics::softmaxPolynomialConstants(double step, unsigned bits) {
  assert(step >= 0x1p-14 && step <= 0.25 && "step out of range");
  constexpr double kSquare = 0.35815147, kLinear = 0.96963238;
  SoftmaxPolynomial p;
  // A step of ln2/k means -k, whichever way its last bit was rounded.
  p.x0 = static_cast<int64_t>(std::floor(-std::log(2.0) / step + 1e-9));
  p.b = static_cast<int64_t>(kLinear / kSquare / step);
  p.c = static_cast<int64_t>(1.0 / kSquare / (step * step));
  p.n = static_cast<unsigned>(std::clamp<int64_t>((kDistances - 1) / -p.x0, 1, 30));
  p.t = 1;
  while (((p.c << p.n) >> p.t) > largestCode(bits))
    ++p.t;
  return p;
}

bool vitq::numerics::softmaxPolynomialFits(const SoftmaxPolynomial &p) {
  return p.x0 < 0 && p.x0 >= -65536 && p.b >= -2 * p.x0 && p.b <= 1 << 20 && p.c > -p.x0 * (p.x0 + p.b) && p.n >= 1 &&
         p.n <= 30 && p.c < int64_t(1) << (62 - p.n) && p.t >= 1 && p.t <= 61;
}

uint8_t vitq::numerics::softmaxPolynomialCode(int64_t d, const SoftmaxPolynomial &p, unsigned bits) {
  assert(d >= 0 && d < kDistances && softmaxPolynomialFits(p) && "softmax polynomial out of range");
  const int64_t q = std::max<int64_t>(-d, p.n * p.x0);
  const int64_t z = q / p.x0, r = q - z * p.x0;
  const int64_t e = (r * (r + p.b) + p.c) << (p.n - z);
  return static_cast<uint8_t>(std::min<int64_t>(roundShift(e, p.t, Rounding::HalfUp), largestCode(bits)));
}

DistanceTable vitq::numerics::softmaxPolynomialTable(const SoftmaxPolynomial &p, unsigned bits) {
  return softmaxTable([&](int64_t d) { return softmaxPolynomialCode(d, p, bits); });
}

uint8_t vitq::numerics::softmaxLinesCode(int64_t d, const PiecewiseLinear &lines, unsigned t, unsigned bits) {
  assert(d >= 0 && d < kDistances && t >= 1 && t <= 30 && "softmax lines out of range");
  return static_cast<uint8_t>(
      std::clamp<int64_t>(roundShift(lines.evaluate(-d), t, Rounding::HalfUp), 0, largestCode(bits)));
}

DistanceTable vitq::numerics::softmaxLinesTable(const PiecewiseLinear &lines, unsigned t, unsigned bits) {
  return softmaxTable([&](int64_t d) { return softmaxLinesCode(d, lines, t, bits); });
}

void vitq::numerics::softmaxLog2Row(const int32_t *acc, int16_t *codes, int32_t *sum, int64_t n, Dyadic d,
                                    unsigned top) {
  assert(top >= 1 && top <= 14 && n <= (int64_t(INT32_MAX) >> top) && "powers of two out of range");
  // 2^top shifted by 15 is 0.
  softmaxRow(acc, codes, sum, n, d,
             [top](int64_t distance) { return static_cast<int16_t>((1 << top) >> std::min<int64_t>(distance, 15)); });
}

unsigned vitq::numerics::softmaxLog2Top(int64_t n) {
  unsigned top = 14;
  while (top > 0 && n > (int64_t(INT32_MAX) >> (top + 7)))
    --top;
  return top;
}

OctaveTable vitq::numerics::softmaxOctaveTable(unsigned top) {
  assert(top >= 1 && top <= 14 && "top out of range");
  OctaveTable table{};
  for (int i = 0; i < kOctaveSteps; ++i)
    table[i] = static_cast<int16_t>(
        roundReal(std::exp2(static_cast<double>(top) - static_cast<double>(i) / kOctaveSteps), Rounding::HalfEven));
  return table;
}

int16_t vitq::numerics::softmaxOctaveCode(int64_t d, const OctaveTable &table) {
  assert(d >= 0 && d <= kLastOctaveDistance && "distance out of range");
  return static_cast<int16_t>(
      roundShift(table[d % kOctaveSteps], static_cast<unsigned>(d / kOctaveSteps), Rounding::HalfUp));
}

void vitq::numerics::softmaxOctaveRow(const int32_t *acc, int16_t *codes, int32_t *sum, int64_t n, Dyadic d,
                                      const OctaveTable &table) {
  softmaxRow(
      acc, codes, sum, n, d, [&](int64_t distance) { return softmaxOctaveCode(distance, table); }, kLastOctaveDistance);
}

int64_t vitq::numerics::softmaxReciprocal(int32_t sum, const PiecewiseLinear *lines) {
  const int64_t divisor = std::max<int32_t>(sum, 1);
  return lines ? reciprocalByLines(divisor, *lines) : (int64_t(1) << 40) / divisor;
}

static int64_t quotientBy(int32_t acc, int64_t divisor, int64_t reciprocal) {
  // Beyond 256 * sum the quotient saturates in any case (R is at least half of
  // 2^40/sum, and such a sum is below 2^23), so limiting the operand keeps the
  // product within int64 without changing a result.
  const int64_t limited = std::clamp<int64_t>(acc, -256 * divisor, 256 * divisor);
  return saturateInt32((limited * reciprocal + (1 << 15)) >> 16);
}

int64_t vitq::numerics::softmaxQuotient(int32_t acc, int32_t sum, const PiecewiseLinear *lines) {
  return quotientBy(acc, std::max<int32_t>(sum, 1), softmaxReciprocal(sum, lines));
}

void vitq::numerics::divideRow(const int32_t *acc, int32_t sum, int32_t *out, int64_t n, Dyadic d, Rounding rounding,
                               int64_t zeroPoint, int64_t lo, int64_t hi, const PiecewiseLinear *lines) {
  const int64_t divisor = std::max<int32_t>(sum, 1);
  const int64_t reciprocal = softmaxReciprocal(sum, lines);
  for (int64_t i = 0; i < n; ++i)
    out[i] = static_cast<int32_t>(requantize(quotientBy(acc[i], divisor, reciprocal), d, rounding, zeroPoint, lo, hi));
}

void vitq::numerics::shiftmaxRow(const int32_t *in, int32_t *out, int64_t n, int64_t x0, unsigned bits,
                                 unsigned reciprocalBits, unsigned outBits) {
  assert(n >= 1 && reciprocalBits <= 62 && outBits >= 2 && outBits <= 16 && reciprocalBits + 1 >= outBits &&
         "malformed shiftmax");
  const int64_t numerator = (int64_t(1) << reciprocalBits) - 1;
  const int64_t rowMax = *std::max_element(in, in + n);
  int64_t sum = 0;
  for (int64_t i = 0; i < n; ++i)
    sum = clampedAdd(sum, shiftExp(in[i] - rowMax, x0, bits), numerator);
  const int64_t factor = numerator / sum;
  const unsigned shift = reciprocalBits - outBits + 1;
  const int64_t top = (int64_t(1) << (outBits - 1)) - 1;
  // The exponential is formed twice: a row buffer would cost more memory than
  // the two shifts cost time, and allows in == out.
  for (int64_t i = 0; i < n; ++i) {
    const int64_t e = shiftExp(in[i] - rowMax, x0, bits);
    out[i] = static_cast<int32_t>(std::min(e * factor >> shift, top));
  }
}

unsigned vitq::numerics::shiftmaxBits(int64_t rowLength, int64_t x0) {
  unsigned bits = 30;
  const auto limit = static_cast<double>(int64_t(1) << 31);
  const double mass = static_cast<double>(rowLength) * static_cast<double>(-x0);
  while (bits > 1 && mass * static_cast<double>(int64_t(1) << bits) >= limit)
    --bits;
  return bits;
}
