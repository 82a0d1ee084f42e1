//===- RootSteps.h - Square roots without divisions -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One sequence of operations, written once: on numbers, where it is tested
// against isqrt64, and on IR, where kernels run it.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_ROOTSTEPS_H
#define VITQ_NUMERICS_ROOTSTEPS_H

#include <array>
#include <cstdint>

namespace vitq::numerics {

/// Entry i: 2^15 / sqrt((i + 128.5) / 512), rounded down.
using ReciprocalRootTable = std::array<uint16_t, 384>;
ReciprocalRootTable reciprocalRootTable();

/// floor(sqrt(v)) for 1 <= v < 2^64.
///
/// `A` works on unsigned 64-bit numbers modulo 2^64: `clz`, `entry` (of the table
/// above), `add`, `sub`, `mul`, `shl` and `shr` by a number or a T, `andC` with a
/// constant, `minC` with one, and `lessSigned(x, y)`, which is 0 or 1.
///
/// With n = v*4^h in [2^62, 2^64) and x = n/2^64: r0 ~ 1/sqrt(x) from the table is
/// off by at most 2^-9 of itself; the Newton step r1 = r0*(3 - x*r0^2)/2 leaves
/// 0 <= 1 - r1*sqrt(x) < 2^-17.3. So k0 = x*r1 in units of 2^-32 is below sqrt(n) by
/// less than 2^14.8, and k0 + (n - k0^2)*r1/2 is off by (2^14.8)^2/2^33 < 0.14 above or
/// 2^14.8*2^-17.3 + 2^-14 < 0.18 below, before it is rounded down: the root or one of
/// its neighbours, which the remainder tells apart.
template <typename A, typename T>
T rootBySteps(A &a, T v) {
  T twiceH = a.andC(a.clz(v), 62);
  T n = a.shl(v, twiceH);
  T r0 = a.entry(a.sub(a.shr(n, 55), 128)); // Q15, below 2^16
  T x = a.shr(n, 32);                       // Q32
  // 3 - x*r0^2, Q62 below 2^64; the product with r0 is below 2^49.
  T rest = a.sub(UINT64_C(3) << 62, a.mul(a.mul(r0, r0), x));
  T r1 = a.shr(a.mul(r0, a.shr(rest, 31)), 16); // Q31, at most 2^32
  T k0 = a.shr(a.mul(x, r1), 31);               // x*r1 < 2^63.1
  T remainder = a.sub(n, a.mul(k0, k0));        // below 2^48
  T k1 = a.add(k0, a.shr(a.mul(a.shr(remainder, 17), r1), 47));
  T k = a.minC(a.shr(k1, a.shr(twiceH, 1)), UINT32_MAX);
  T left = a.sub(v, a.mul(k, k)); // as a signed number within +-2^34
  T above = a.lessSigned(a.shl(k, 1), left), below = a.lessSigned(left, 0);
  return a.sub(a.add(k, above), below);
}

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_ROOTSTEPS_H
