//===- PeakRate.cpp - The fastest this core can multiply and add -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/Runner.h"

#include <algorithm>
#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace vitq;

#if defined(__x86_64__)

// Twelve independent accumulators cover the latency of two instructions a
// cycle. Everything stays in registers; an empty asm makes an operand unknown
// again, so that no product is moved out of the loop.
static constexpr int kAccumulators = 12;
#define VITQ_OPAQUE(x) asm volatile("" : "+x"(x))

__attribute__((target("avx512f,avx512vnni"))) static int loopVnni512(int64_t rounds) {
  __m512i a = _mm512_set1_epi32(1), b = a, sums[kAccumulators] = {};
  asm volatile("" : "+v"(a), "+v"(b));
  for (int64_t i = 0; i < rounds; ++i)
    for (__m512i &sum : sums) {
      sum = _mm512_dpbusd_epi32(sum, a, b);
      asm volatile("" : "+v"(sum));
    }
  for (int i = 1; i < kAccumulators; ++i)
    sums[0] = _mm512_add_epi32(sums[0], sums[i]);
  return _mm512_cvtsi512_si32(sums[0]);
}

__attribute__((target("avxvnni,avx2"))) static int loopVnni256(int64_t rounds) {
  __m256i a = _mm256_set1_epi32(1), b = a, sums[kAccumulators] = {};
  VITQ_OPAQUE(a);
  VITQ_OPAQUE(b);
  for (int64_t i = 0; i < rounds; ++i)
    for (__m256i &sum : sums) {
      sum = _mm256_dpbusd_avx_epi32(sum, a, b);
      VITQ_OPAQUE(sum);
    }
  for (int i = 1; i < kAccumulators; ++i)
    sums[0] = _mm256_add_epi32(sums[0], sums[i]);
  return _mm256_cvtsi256_si32(sums[0]);
}

__attribute__((target("avx2"))) static int loopMadd256(int64_t rounds) {
  __m256i a = _mm256_set1_epi32(1), b = a, sums[kAccumulators] = {};
  for (int64_t i = 0; i < rounds; ++i)
    for (__m256i &sum : sums) {
      VITQ_OPAQUE(a);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    }
  for (int i = 1; i < kAccumulators; ++i)
    sums[0] = _mm256_add_epi32(sums[0], sums[i]);
  return _mm256_cvtsi256_si32(sums[0]);
}

static int loopMadd128(int64_t rounds) {
  __m128i a = _mm_set1_epi32(1), b = a, sums[kAccumulators] = {};
  for (int64_t i = 0; i < rounds; ++i)
    for (__m128i &sum : sums) {
      VITQ_OPAQUE(a);
      sum = _mm_add_epi32(sum, _mm_madd_epi16(a, b));
    }
  for (int i = 1; i < kAccumulators; ++i)
    sums[0] = _mm_add_epi32(sums[0], sums[i]);
  return _mm_cvtsi128_si32(sums[0]);
}

/// The best of several short measurements: whatever disturbs makes it slower.
static double measure(int (*loop)(int64_t), int64_t macsOfInstruction) {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t rounds = 400000;
  double best = 0;
  for (int repetition = 0; repetition < 20; ++repetition) {
    Clock::time_point start = Clock::now();
    volatile int sink = loop(rounds);
    (void)sink;
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    best = std::max(best, static_cast<double>(rounds * kAccumulators * macsOfInstruction) / seconds);
  }
  return best * 1e-9;
}

std::optional<double> runner::measurePeakGmacs() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni"))
    return measure(loopVnni512, 64);
  if (__builtin_cpu_supports("avxvnni") && __builtin_cpu_supports("avx2"))
    return measure(loopVnni256, 32);
  if (__builtin_cpu_supports("avx2"))
    return measure(loopMadd256, 16);
  return measure(loopMadd128, 8);
}

#else

std::optional<double> runner::measurePeakGmacs() { return std::nullopt; }

#endif
