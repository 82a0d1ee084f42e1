//===- SquareRoot.h - Integer square roots ----------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See docs/Numerics.md, LayerNorm.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_SQUAREROOT_H
#define VITQ_NUMERICS_SQUAREROOT_H

#include <cstdint>

namespace vitq::numerics {

/// Number of bits of v: 0 for 0, floor(log2 v) + 1 otherwise.
unsigned bitLength(uint64_t v);

/// 2^ceil(bitLength(v) / 2): the smallest such power above sqrt(v), at most
/// twice as large (1 for v = 0).
uint64_t newtonStart(uint64_t v);

/// floor(sqrt(v)), exact for every v. Newton from newtonStart(v), which is
/// above the root, so the iterates fall until they reach the floor; the
/// relative error e goes to e^2/(2 + 2e) from at most 1, so at most 6 steps
/// lower the iterate and one more detects the end. Any other exact method
/// gives the same value.
uint64_t isqrt64(uint64_t v);

/// I-ViT's loop: k = start, `iterations` times k = floor((k + floor(v/k))/2).
/// Not exact when it stops early: the published start 2^16 with 10 iterations
/// needs v >= 2^16; from newtonStart(v), 5 iterations give the root to +-1 up
/// to 2^40. k never falls below 1 (v = 0, start = 0), so callers may divide
/// by the result. The mean of k and v/k is formed without overflow.
uint64_t newtonSqrt(uint64_t v, uint64_t start, unsigned iterations);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_SQUAREROOT_H
