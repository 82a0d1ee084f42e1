//===- Softmax.cpp - Integer softmax over one row -===//

#include "vitq/Numerics/Softmax.h"

#include "vitq/Numerics/Quantize.h"

#include <cmath>

using namespace vitq::numerics;

namespace {

int64_t clampedAdd(int64_t sum, int64_t term, int64_t limit) { return term >= limit - sum ? limit : sum + term; }

template <typename CodeOf>
void softmaxRow(const int32_t *acc, uint8_t *codes, int32_t *sum, int64_t n, Dyadic d, CodeOf codeOf) {
  assert(n >= 1 && n <= 8421504 && "row length out of range");
  const int32_t rowMax = *std::max_element(acc, acc + n);
  int32_t total = 0;
  for (int64_t i = 0; i < n; ++i) {
    codes[i] = codeOf(softmaxDistance(rowMax, acc[i], d));
    total += codes[i];
  }
  *sum = total;
}

} // namespace

void vitq::numerics::softmaxTableRow(const int32_t *acc, uint8_t *codes, int32_t *sum, int64_t n, Dyadic d,
                                     const uint8_t table[256]) {
  softmaxRow(acc, codes, sum, n, d, [table](int64_t distance) { return table[distance]; });
}

std::array<uint8_t, 256> vitq::numerics::softmaxExpTable(double step) {
  assert(step > 0.0 && "step must be positive");
  std::array<uint8_t, 256> table{};
  for (int d = 0; d < 256; ++d)
    table[d] = static_cast<uint8_t>(roundReal(255.0 * std::exp(-d * step), Rounding::HalfEven));
  return table;
}

SoftmaxShift vitq::numerics::softmaxShiftConstants(double step) {
  SoftmaxShift s;
  s.x0 = shiftX0(step);
  s.n = 15;
  s.t = 0;
  while (((-s.x0 << s.n) >> s.t) > 255)
    ++s.t;
  return s;
}

uint8_t vitq::numerics::softmaxShiftCode(int64_t d, SoftmaxShift s) {
  assert(d >= 0 && d <= 255 && s.t <= 61 && "softmax shift out of range");
  // HalfUp of a non-negative value; t = 0 leaves it alone.
  const int64_t code = roundShift(shiftExp(-d, s.x0, s.n), s.t, Rounding::HalfUp);
  return static_cast<uint8_t>(std::min<int64_t>(code, 255));
}

std::array<uint8_t, 256> vitq::numerics::softmaxShiftTable(SoftmaxShift s) {
  std::array<uint8_t, 256> table{};
  for (int d = 0; d < 256; ++d)
    table[d] = softmaxShiftCode(d, s);
  return table;
}

void vitq::numerics::softmaxShiftRow(const int32_t *acc, uint8_t *codes, int32_t *sum, int64_t n, Dyadic d,
                                     SoftmaxShift s) {
  softmaxRow(acc, codes, sum, n, d, [s](int64_t distance) { return softmaxShiftCode(distance, s); });
}

int64_t vitq::numerics::softmaxReciprocal(int32_t sum) { return (int64_t(1) << 40) / std::max<int32_t>(sum, 1); }

static int64_t quotientBy(int32_t acc, int64_t divisor, int64_t reciprocal) {
  // Beyond 256 * sum the quotient saturates in any case (R falls short of
  // 2^40/sum by less than one, and such a sum is below 2^23), so limiting the
  // operand keeps the product within int64 without changing a result.
  const int64_t limited = std::clamp<int64_t>(acc, -256 * divisor, 256 * divisor);
  return saturateInt32((limited * reciprocal + (1 << 15)) >> 16);
}

int64_t vitq::numerics::softmaxQuotient(int32_t acc, int32_t sum) {
  return quotientBy(acc, std::max<int32_t>(sum, 1), softmaxReciprocal(sum));
}

void vitq::numerics::divideRow(const int32_t *acc, int32_t sum, int32_t *out, int64_t n, Dyadic d, Rounding rounding,
                               int64_t zeroPoint, int64_t lo, int64_t hi) {
  const int64_t divisor = std::max<int32_t>(sum, 1);
  const int64_t reciprocal = softmaxReciprocal(sum);
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
