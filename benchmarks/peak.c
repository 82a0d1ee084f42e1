/*===- peak.c - The fastest 8-bit multiply-accumulates of this machine -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
\*===------------------------------------------------------------------------===*/

/* Register-resident loops of the dot product instruction of each instruction set:
 * twelve independent accumulators, which cover the latency of two instructions a
 * cycle, and no memory. machine.py compiles this file and chooses a loop. It is the
 * benchmark's own, so that it runs between the programs it is compared with, and so
 * that the figure of vitq-run is checked by another. */

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define ACCUMULATORS 12
/* Written out, as not every compiler unrolls a loop early enough to keep an array in
 * registers. */
#define TWELVE(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

/* Makes a register's value unknown again, so that nothing is moved out of the loop. */
#if defined(__aarch64__)
#include <arm_neon.h>
#define OPAQUE(x) __asm__ volatile("" : "+w"(x))
#else
#include <immintrin.h>
#define OPAQUE(x) __asm__ volatile("" : "+v"(x))
#endif

/* One function for each instruction: ADD(sum) is sum plus one instruction's products
 * of a and b. */
#define DECLARE(i) VECTOR sum##i = zero;
#define STEP(i)                                                                                                        \
  OPAQUE(a);                                                                                                           \
  sum##i = ADD(sum##i);                                                                                                \
  OPAQUE(sum##i);
#define LOOP(NAME, FEATURES)                                                                                           \
  __attribute__((target(FEATURES))) static void NAME(int64_t rounds) {                                                 \
    VECTOR zero = {0}, a = zero, b = zero;                                                                             \
    OPAQUE(b);                                                                                                         \
    TWELVE(DECLARE)                                                                                                    \
    while (rounds-- > 0) {                                                                                             \
      TWELVE(STEP)                                                                                                     \
    }                                                                                                                  \
  }

#if defined(__x86_64__)
#define VECTOR __m512i
#define ADD(sum) _mm512_dpbusd_epi32(sum, a, b)
LOOP(loopVnni512, "avx512f,avx512vnni")
#undef ADD
#define ADD(sum) _mm512_add_epi32(sum, _mm512_madd_epi16(a, b))
LOOP(loopMadd512, "avx512f,avx512bw")
#undef ADD
#undef VECTOR
#define VECTOR __m256i
#define ADD(sum) _mm256_dpbusd_avx_epi32(sum, a, b)
LOOP(loopVnni256, "avx2,avxvnni")
#undef ADD
#define ADD(sum) _mm256_add_epi32(sum, _mm256_madd_epi16(a, b))
LOOP(loopMadd256, "avx2")
#undef ADD
#undef VECTOR
#define VECTOR __m128i
#define ADD(sum) _mm_add_epi32(sum, _mm_madd_epi16(a, b))
LOOP(loopMadd128, "sse2")
#elif defined(__aarch64__)
#define VECTOR int8x16_t
#define ADD(sum) vreinterpretq_s8_s32(vmmlaq_s32(vreinterpretq_s32_s8(sum), a, b))
LOOP(loopI8mm, "+i8mm")
#undef ADD
#define ADD(sum) vreinterpretq_s8_s32(vdotq_s32(vreinterpretq_s32_s8(sum), a, b))
LOOP(loopDotprod, "+dotprod")
#endif

static const struct {
  const char *name;
  void (*run)(int64_t rounds);
  int macs; /* of one instruction */
} loops[] = {
#if defined(__x86_64__)
    {"vnni512", loopVnni512, 64},
    {"vnni256", loopVnni256, 32},
    {"madd512", loopMadd512, 32},
    {"madd256", loopMadd256, 16},
    {"madd128", loopMadd128, 8},
#elif defined(__aarch64__)
    {"i8mm", loopI8mm, 32},
    {"dotprod", loopDotprod, 16},
#endif
    {0, 0, 0}};

static int same(const char *a, const char *b) {
  while (*a && *a == *b)
    ++a, ++b;
  return *a == *b;
}

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Runs the loop `name`, after `threads` callers have come this far; `arrived` starts
 * at 0. interval: begin and end in nanoseconds. Returns the multiply-accumulates of
 * this caller, or 0 if there is no such loop. */
int64_t vitq_peak(const char *name, int64_t rounds, atomic_int *arrived, int threads, int64_t interval[2]) {
  for (int i = 0; loops[i].name; ++i) {
    if (!same(loops[i].name, name))
      continue;
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < threads)
      ;
    interval[0] = now();
    loops[i].run(rounds);
    interval[1] = now();
    return rounds * ACCUMULATORS * loops[i].macs;
  }
  return 0;
}
