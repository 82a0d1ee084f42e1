//===- Gelu.cpp - ShiftGELU over one row -===//

#include "vitq/Numerics/Gelu.h"

#include <algorithm>
#include <cassert>
#include <cmath>

using namespace vitq::numerics;

unsigned vitq::numerics::shiftGeluBits(double scale, double amax) {
  const double bits = std::ceil(2.46 * scale * amax) + 6.0;
  return static_cast<unsigned>(std::clamp(bits, 8.0, 30.0));
}

void vitq::numerics::shiftGeluRow(const int32_t *in, int32_t *out, int64_t channels, int64_t x0, unsigned n,
                                  unsigned reciprocalBits, unsigned outBits) {
  assert(channels >= 1 && reciprocalBits <= 62 && outBits >= 2 && outBits <= 16 && reciprocalBits + 1 >= outBits &&
         "malformed ShiftGELU");
  const int64_t numerator = (int64_t(1) << reciprocalBits) - 1;
  const int64_t rowMax = *std::max_element(in, in + channels);
  const int64_t expOfMax = shiftExp(-rowMax, x0, n);
  const unsigned shift = reciprocalBits - outBits + 1;
  const int64_t top = (int64_t(1) << (outBits - 1)) - 1;
  for (int64_t c = 0; c < channels; ++c) {
    const int64_t a = in[c];
    const int64_t e = shiftExp(a - rowMax, x0, n);
    const int64_t factor = numerator / std::min(e + expOfMax, numerator);
    out[c] = static_cast<int32_t>(a * std::min(e * factor >> shift, top));
  }
}
