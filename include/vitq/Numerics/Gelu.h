//===- Gelu.h - ShiftGELU over one row --------------------------*- C++ -*-===//
//
// See docs/Numerics.md and METHODS.md 2.5. Element-wise functions of 8-bit
// codes are tables instead (Table.h).
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_GELU_H
#define VITQ_NUMERICS_GELU_H

#include "vitq/Numerics/ShiftExp.h"

#include <cstdint>

namespace vitq::numerics {

/// x0 = floor(-1 / (1.702 * scale)): GELU(x) ~ x * sigmoid(1.702 x).
inline int64_t shiftGeluX0(double scale) { return shiftX0(1.702 * scale); }

/// The recommended n = max(8, ceil(2.46 * scale * amax) + 6), at most 30, for
/// codes up to amax in magnitude; use a 62-bit reciprocal with it.
unsigned shiftGeluBits(double scale, double amax);

/// With m = max of the row, E = shiftExp(a - m, x0, n), Em = shiftExp(-m, x0,
/// n), M = reciprocalBits (31 as published, 62 recommended), k = outBits (8):
///   s = min(floor(E * floor((2^M-1) / min(E+Em, 2^M-1)) / 2^(M-k+1)),
///           2^(k-1) - 1)
///   out = a * s, of scale inScale * 2^-(k-1).
/// Codes are signed with zero point 0; |a| < 2^24 keeps out in int32 for k = 8.
/// E*F < 2^62 always. The last min acts only when E alone exceeds 2^M - 1.
/// Em with m < 0 saturates at kShiftExpMax (shiftExp). out == in allowed.
void shiftGeluRow(const int32_t *in, int32_t *out, int64_t channels, int64_t x0, unsigned n = 23,
                  unsigned reciprocalBits = 31, unsigned outBits = 8);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_GELU_H
