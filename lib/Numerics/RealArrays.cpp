//===- RealArrays.cpp - Activations over arrays of reals --------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/RealArrays.h"
#include "vitq/Numerics/TargetClones.h"

#include <algorithm>
#include <bit>
#include <cmath>

using namespace vitq;

#pragma STDC FP_CONTRACT OFF

/// Polynomial with `coefficients`, the constant one first.
template <int count>
VITQ_INLINE double polynomial(const double (&coefficients)[count], double x) {
  double y = coefficients[count - 1];
  for (int i = count - 2; i >= 0; --i)
    y = y * x + coefficients[i];
  return y;
}

/// exp(x) = 2^n exp(r), n the integer nearest to x / ln 2, |r| <= ln(2) / 2. Arguments outside
/// [-708, 709], whose results no float holds, count as these.
VITQ_INLINE double expOf(double x) {
  // Chebyshev's: relative error below 2^-45.
  constexpr double coefficients[] = {
      0x1.000000000003dp+0, 0x1.0000000000006p+0,  0x1.ffffffffe74a0p-2,  0x1.5555555550d79p-3,  0x1.55555588c026cp-5,
      0x1.11111123c1f47p-7, 0x1.6c162ba880942p-10, 0x1.a01994bd214e7p-13, 0x1.a17e031985654p-16, 0x1.72e1150d0c9b6p-19};
  x = x < -708.0 ? -708.0 : x;
  x = x > 709.0 ? 709.0 : x;
  // Added to this, a number is rounded to an integer, which its last bits hold.
  constexpr double rounder = 0x1.8p52;
  const double shifted = x * 0x1.71547652b82fep+0 + rounder, n = shifted - rounder;
  // ln 2 in two parts; the first times n is exact.
  const double r = x - n * 0x1.62e42fefap-1 - n * 0x1.cf79abc9e3b3ap-40;
  return std::bit_cast<double>(std::bit_cast<uint64_t>(polynomial(coefficients, r)) +
                               (std::bit_cast<uint64_t>(shifted) << 52));
}

VITQ_INLINE double sigmoidOf(double x) { return 1.0 / (1.0 + expOf(-x)); }

VITQ_INLINE double siluOf(double x) { return x * sigmoidOf(x); }

/// x * Phi(x), Phi(-a) = exp(-a^2 / 2) p(t) / (a + 4) for t = (a - 4) / (a + 4). The polynomial is
/// smooth from a = 0 on, and the negative tail keeps its relative accuracy.
VITQ_INLINE double geluErfOf(double x) {
  // Chebyshev's, for a <= 20: relative error below 2^-45.
  constexpr double coefficients[] = {0x1.82b4bb8c94de5p-1,   -0x1.373e3a893bc2ep-1,  0x1.8c6dbf2cf73c2p-2,
                                     -0x1.7dff2bffd3b10p-3,  0x1.eec4cc463342fp-5,   -0x1.ee275fe834b3cp-8,
                                     -0x1.c8172281156b1p-9,  0x1.ab82307d289eep-10,  0x1.17a91fb5f72a7p-13,
                                     -0x1.e49aa9c5a6506p-13, -0x1.04db946bed7a1p-19, 0x1.2636750457b68p-15,
                                     0x1.a9f92964f7e15p-21,  -0x1.8147b5eddba48p-18, -0x1.73a7d4cedafc7p-21,
                                     0x1.9e6ff741d797ep-21,  0x1.ef1ee5c1cbc08p-23};
  double a = std::fabs(x);
  a = a > 20.0 ? 20.0 : a; // Phi(-20) is 0 in floats
  const double inverse = 1.0 / (a + 4.0);
  const double tail = expOf(a * a * -0.5) * polynomial(coefficients, (a - 4.0) * inverse) * inverse;
  return x * (x < 0.0 ? tail : 1.0 - tail);
}

/// 1 + tanh(u) = 2 sigmoid(2u)
VITQ_INLINE double geluTanhOf(double x) { return x * sigmoidOf(1.59576912160573071176 * (x + 0.044715 * x * x * x)); }

VITQ_INLINE double geluQuickOf(double x) { return x * sigmoidOf(1.702 * x); }

// Blocks, so that the loop need not ask whether y overlaps x.
#define VITQ_ARRAY_FUNCTION(NAME, FUNCTION)                                                                            \
  VITQ_CLONES void numerics::NAME(const float *x, float *y, int64_t n) {                                               \
    constexpr int64_t size = 256;                                                                                      \
    float block[size];                                                                                                 \
    for (int64_t at = 0; at < n; at += size) {                                                                         \
      const int64_t count = std::min(size, n - at);                                                                    \
      std::copy_n(x + at, count, block);                                                                               \
      for (int64_t i = 0; i < count; ++i)                                                                              \
        y[at + i] = static_cast<float>(FUNCTION(block[i]));                                                            \
    }                                                                                                                  \
  }
VITQ_ARRAY_FUNCTION(expReals, expOf)
VITQ_ARRAY_FUNCTION(sigmoidReals, sigmoidOf)
VITQ_ARRAY_FUNCTION(siluReals, siluOf)
VITQ_ARRAY_FUNCTION(geluErfReals, geluErfOf)
VITQ_ARRAY_FUNCTION(geluTanhReals, geluTanhOf)
VITQ_ARRAY_FUNCTION(geluQuickReals, geluQuickOf)

VITQ_CLONES float numerics::maxReal(const float *x, int64_t n) {
  // Several at a time: each alone waits for the one before.
  constexpr int64_t lanes = 16;
  float most[lanes];
  std::fill_n(most, lanes, x[0]);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    for (int64_t lane = 0; lane < lanes; ++lane)
      most[lane] = x[i + lane] > most[lane] ? x[i + lane] : most[lane];
  for (; i < n; ++i)
    most[0] = x[i] > most[0] ? x[i] : most[0];
  return *std::max_element(most, most + lanes);
}
