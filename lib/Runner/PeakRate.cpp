//===- PeakRate.cpp - The fastest this core can multiply and add -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/PeakRate.h"

#include "vitq/Target/Isa/Host.h"
#include "llvm/ADT/ArrayRef.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

using namespace vitq;
using namespace vitq::runner;

// Twelve independent accumulators cover the latency of two instructions a
// cycle. Everything stays in registers; an empty asm makes an operand unknown
// again, so that no product is moved out of the loop.

#if defined(__x86_64__)

#define VITQ_OPAQUE(x) asm volatile("" : "+x"(x))
#define VITQ_OPAQUE512(x) asm volatile("" : "+v"(x))

__attribute__((target("avx512f,avx512vnni"))) static int loopVnni512(int64_t rounds) {
  __m512i a = _mm512_set1_epi32(1), b = a, sums[PeakLoop::kInstructions] = {};
  VITQ_OPAQUE512(a);
  VITQ_OPAQUE512(b);
  for (int64_t i = 0; i < rounds; ++i)
    for (__m512i &sum : sums) {
      sum = _mm512_dpbusd_epi32(sum, a, b);
      VITQ_OPAQUE512(sum);
    }
  for (int i = 1; i < PeakLoop::kInstructions; ++i)
    sums[0] = _mm512_add_epi32(sums[0], sums[i]);
  return _mm512_cvtsi512_si32(sums[0]);
}

__attribute__((target("avxvnni,avx2"))) static int loopVnni256(int64_t rounds) {
  __m256i a = _mm256_set1_epi32(1), b = a, sums[PeakLoop::kInstructions] = {};
  VITQ_OPAQUE(a);
  VITQ_OPAQUE(b);
  for (int64_t i = 0; i < rounds; ++i)
    for (__m256i &sum : sums) {
      sum = _mm256_dpbusd_avx_epi32(sum, a, b);
      VITQ_OPAQUE(sum);
    }
  for (int i = 1; i < PeakLoop::kInstructions; ++i)
    sums[0] = _mm256_add_epi32(sums[0], sums[i]);
  return _mm256_cvtsi256_si32(sums[0]);
}

__attribute__((target("avx512f,avx512bw"))) static int loopMadd512(int64_t rounds) {
  __m512i a = _mm512_set1_epi32(1), b = a, sums[PeakLoop::kInstructions] = {};
  for (int64_t i = 0; i < rounds; ++i)
    for (__m512i &sum : sums) {
      VITQ_OPAQUE512(a);
      sum = _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
    }
  for (int i = 1; i < PeakLoop::kInstructions; ++i)
    sums[0] = _mm512_add_epi32(sums[0], sums[i]);
  return _mm512_cvtsi512_si32(sums[0]);
}

__attribute__((target("avx2"))) static int loopMadd256(int64_t rounds) {
  __m256i a = _mm256_set1_epi32(1), b = a, sums[PeakLoop::kInstructions] = {};
  for (int64_t i = 0; i < rounds; ++i)
    for (__m256i &sum : sums) {
      VITQ_OPAQUE(a);
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
    }
  for (int i = 1; i < PeakLoop::kInstructions; ++i)
    sums[0] = _mm256_add_epi32(sums[0], sums[i]);
  return _mm256_cvtsi256_si32(sums[0]);
}

static int loopMadd128(int64_t rounds) {
  __m128i a = _mm_set1_epi32(1), b = a, sums[PeakLoop::kInstructions] = {};
  for (int64_t i = 0; i < rounds; ++i)
    for (__m128i &sum : sums) {
      VITQ_OPAQUE(a);
      sum = _mm_add_epi32(sum, _mm_madd_epi16(a, b));
    }
  for (int i = 1; i < PeakLoop::kInstructions; ++i)
    sums[0] = _mm_add_epi32(sums[0], sums[i]);
  return _mm_cvtsi128_si32(sums[0]);
}

/// Registers of 16 rows and 64 bytes. An instruction is as long as 16 of vectors, and counts as so many.
__attribute__((target("amx-tile,amx-int8"))) static int loopTiles(int64_t rounds) {
  alignas(64) uint8_t shapes[64] = {1};
  for (int i = 0; i < 8; ++i) {
    shapes[16 + 2 * i] = 64;
    shapes[48 + i] = 16;
  }
  _tile_loadconfig(shapes);
  for (int64_t i = 0; i < rounds / 16; ++i)
    for (int repeated = 0; repeated < PeakLoop::kInstructions / 4; ++repeated) {
      _tile_dpbusd(0, 4, 6);
      _tile_dpbusd(1, 4, 7);
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    }
  _tile_release();
  return 0;
}

// The widest first.
static constexpr PeakLoop kLoops[] = {{"llvm.x86.tdpbusd", "amx-int8", loopTiles, 1024},
                                      {"llvm.x86.avx512.vpdpbusd.512", "avx512vnni", loopVnni512, 64},
                                      {"llvm.x86.avx512.vpdpbusd.256", "avxvnni", loopVnni256, 32},
                                      {"llvm.x86.avx512.pmaddw.d.512", "avx512bw", loopMadd512, 32},
                                      {"llvm.x86.avx2.pmadd.wd", "avx2", loopMadd256, 16},
                                      {"llvm.x86.sse2.pmadd.wd", "", loopMadd128, 8}};

#elif defined(__aarch64__)

#define VITQ_OPAQUE(x) asm volatile("" : "+w"(x))

__attribute__((target("i8mm"))) static int loopMatrix(int64_t rounds) {
  int8x16_t a = vdupq_n_s8(1), b = a;
  int32x4_t sums[PeakLoop::kInstructions] = {};
  VITQ_OPAQUE(a);
  VITQ_OPAQUE(b);
  for (int64_t i = 0; i < rounds; ++i)
    for (int32x4_t &sum : sums) {
      sum = vmmlaq_s32(sum, a, b);
      VITQ_OPAQUE(sum);
    }
  for (int i = 1; i < PeakLoop::kInstructions; ++i)
    sums[0] = vaddq_s32(sums[0], sums[i]);
  return vgetq_lane_s32(sums[0], 0);
}

__attribute__((target("i8mm"))) static int loopMixedDot(int64_t rounds) {
  int8x16_t a = vdupq_n_s8(1), b = a;
  int32x4_t sums[PeakLoop::kInstructions] = {};
  VITQ_OPAQUE(a);
  VITQ_OPAQUE(b);
  for (int64_t i = 0; i < rounds; ++i)
    for (int32x4_t &sum : sums) {
      sum = vusdotq_s32(sum, vreinterpretq_u8_s8(a), b);
      VITQ_OPAQUE(sum);
    }
  for (int i = 1; i < PeakLoop::kInstructions; ++i)
    sums[0] = vaddq_s32(sums[0], sums[i]);
  return vgetq_lane_s32(sums[0], 0);
}

__attribute__((target("dotprod"))) static int loopDot(int64_t rounds) {
  int8x16_t a = vdupq_n_s8(1), b = a;
  int32x4_t sums[PeakLoop::kInstructions] = {};
  VITQ_OPAQUE(a);
  VITQ_OPAQUE(b);
  for (int64_t i = 0; i < rounds; ++i)
    for (int32x4_t &sum : sums) {
      sum = vdotq_s32(sum, a, b);
      VITQ_OPAQUE(sum);
    }
  for (int i = 1; i < PeakLoop::kInstructions; ++i)
    sums[0] = vaddq_s32(sums[0], sums[i]);
  return vgetq_lane_s32(sums[0], 0);
}

static int loopWidening(int64_t rounds) {
  int16x4_t a = vdup_n_s16(1), b = a;
  int32x4_t sums[PeakLoop::kInstructions] = {};
  VITQ_OPAQUE(a);
  VITQ_OPAQUE(b);
  for (int64_t i = 0; i < rounds; ++i)
    for (int32x4_t &sum : sums) {
      // Else the product would be taken out of the loop.
      VITQ_OPAQUE(a);
      sum = vmlal_s16(sum, a, b);
    }
  for (int i = 1; i < PeakLoop::kInstructions; ++i)
    sums[0] = vaddq_s32(sums[0], sums[i]);
  return vgetq_lane_s32(sums[0], 0);
}

static constexpr PeakLoop kLoops[] = {{"llvm.aarch64.neon.smmla.v4i32.v16i8", "i8mm", loopMatrix, 32},
                                      {"llvm.aarch64.neon.usdot.v4i32.v16i8", "i8mm", loopMixedDot, 16},
                                      {"llvm.aarch64.neon.sdot.v4i32.v16i8", "dotprod", loopDot, 16},
                                      {"", "", loopWidening, 4}};

#else
static constexpr llvm::ArrayRef<PeakLoop> kLoops;
#endif

static bool isAvailable(const PeakLoop &loop) { return !*loop.feature || hostFeatures().lookup(loop.feature); }

const PeakLoop *PeakLoop::find(llvm::StringRef intrinsic) {
  for (const PeakLoop &loop : kLoops)
    if (intrinsic == loop.intrinsic && isAvailable(loop))
      return &loop;
  return nullptr;
}

const PeakLoop *PeakLoop::best() {
  for (const PeakLoop &loop : kLoops)
    if (isAvailable(loop))
      return &loop;
  return nullptr;
}

void PeakRate::sample() {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t rounds = 400000; // below a millisecond
  constexpr int repetitions = 6;
  struct Interval {
    Clock::time_point begin, end;
  };
  std::vector<std::vector<Interval>> times(threads, std::vector<Interval>(repetitions));
  std::barrier<> start(threads);
  auto work = [&](int thread) {
    for (Interval &interval : times[thread]) {
      start.arrive_and_wait();
      interval.begin = Clock::now();
      volatile int sink = loop->run(rounds);
      (void)sink;
      interval.end = Clock::now();
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i)
    others.emplace_back(work, i);
  work(0);
  for (std::thread &other : others)
    other.join();
  const auto macs = static_cast<double>(threads * rounds * PeakLoop::kInstructions * loop->macsOfInstruction);
  for (int i = 0; i < repetitions; ++i) {
    Interval all = times[0][i];
    for (const std::vector<Interval> &own : times) {
      all.begin = std::min(all.begin, own[i].begin);
      all.end = std::max(all.end, own[i].end);
    }
    // Whatever disturbs makes it slower.
    best = std::max(best, 1e-9 * macs / std::chrono::duration<double>(all.end - all.begin).count());
  }
}
