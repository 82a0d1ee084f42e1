/*===- lookup.c - One row by 2-bit weights: unpacked, or looked up -*- C -*-===*\
 *
 * Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
\*===------------------------------------------------------------------------===*/

/* One row of K unsigned bytes times K x N weights of 2 bits (codes 0 to 3, whose zero point
 * the bias takes up), as a classifier has it, by
 *   bytes     vpmaddubsw of unpacked codes, added up in 16 bits, which is what vitq emits,
 *   lookup    a table of 16 sums for each four elements, looked up once a bit and weight
 *             (vpshufb on the low and the high bytes): LUT-GEMM, T-MAC,
 *   vnni      vpdpbusd of unpacked codes, where there is AVX-512 VNNI.
 * "hot" multiplies one matrix again and again, "cold" takes them from a list of 200 MB.
 * The three results must be equal.
 *
 *   clang-22 -O3 -march=native benchmarks/lookup.c -o lookup && ./lookup
 */

#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { K = 768, N = 1024, GROUPS = K / 4, BYTES = K * N / 4, ROUNDS = 101, COPIES = 1024 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Packed codes: `lanes` outputs of four elements side by side in a vector of `4 * lanes` bytes,
 * 16 elements a byte by the two bits, four vectors of outputs one after the other. */
static void packCodes(const uint8_t *codes, uint8_t *to, int lanes) {
  for (int n = 0; n < N; n += 4 * lanes)
    for (int k = 0; k < K; k += 16)
      for (int v = 0; v < 4; ++v)
        for (int lane = 0; lane < lanes; ++lane)
          for (int i = 0; i < 4; ++i) {
            uint8_t byte = 0;
            for (int q = 0; q < 4; ++q)
              byte |= (uint8_t)(codes[(size_t)(k + 4 * q + i) * N + (size_t)(n + v * lanes + lane)] << (2 * q));
            *to++ = byte;
          }
}

/* For 64 outputs and four elements: 32 bytes of each bit, an index of four bits an output. */
static void packIndices(const uint8_t *codes, uint8_t *to) {
  /* The output that the byte `j` of the low (0) or high (1) halves ends up as: unpacking leaves
   * lanes of 128 bits where they are. */
  for (int n = 0; n < N; n += 64)
    for (int g = 0; g < GROUPS; ++g)
      for (int bit = 0; bit < 2; ++bit)
        for (int j = 0; j < 32; ++j) {
          uint8_t byte = 0;
          for (int half = 0; half < 2; ++half)
            for (int i = 0; i < 4; ++i)
              byte |= (uint8_t)((codes[(size_t)(4 * g + i) * N + (size_t)(n + 32 * half + j)] >> bit & 1)
                                << (4 * half + i));
          *to++ = byte;
        }
}

static void byBytes(const uint8_t *x, const uint8_t *w, int32_t *y) {
  const __m256i mask = _mm256_set1_epi8(3), ones = _mm256_set1_epi16(1);
  for (int n = 0; n < N; n += 32) {
    __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (int k = 0; k < K; k += 64) { /* 16 pairs of at most 1,530 */
      __m256i shorts[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                           _mm256_setzero_si256()};
      for (int part = k; part < k + 64; part += 16) {
        __m256i row[4];
        for (int q = 0; q < 4; ++q) {
          int32_t four;
          memcpy(&four, x + part + 4 * q, 4);
          row[q] = _mm256_set1_epi32(four);
        }
        for (int v = 0; v < 4; ++v, w += 32) {
          __m256i packed = _mm256_loadu_si256((const __m256i *)w);
          for (int q = 0; q < 4; ++q)
            shorts[v] = _mm256_add_epi16(
                shorts[v], _mm256_maddubs_epi16(row[q], _mm256_and_si256(_mm256_srli_epi16(packed, 2 * q), mask)));
        }
      }
      for (int v = 0; v < 4; ++v)
        sums[v] = _mm256_add_epi32(sums[v], _mm256_madd_epi16(shorts[v], ones));
    }
    for (int v = 0; v < 4; ++v)
      _mm256_storeu_si256((__m256i *)(y + n + 8 * v), sums[v]);
  }
}

static void byLookup(const uint8_t *x, const uint8_t *w, int32_t *y) {
  static uint8_t low[GROUPS][16], high[GROUPS][16];
  for (int g = 0; g < GROUPS; ++g) {
    uint16_t table[16] = {0};
    for (int i = 1; i < 16; ++i)
      table[i] = (uint16_t)(table[i & (i - 1)] + x[4 * g + __builtin_ctz((unsigned)i)]);
    for (int i = 0; i < 16; ++i) {
      low[g][i] = (uint8_t)table[i];
      high[g][i] = (uint8_t)(table[i] >> 8);
    }
  }
  const __m256i mask = _mm256_set1_epi8(15), zero = _mm256_setzero_si256();
  for (int n = 0; n < N; n += 64) {
    __m256i sums[8] = {zero, zero, zero, zero, zero, zero, zero, zero};
    for (int g = 0; g < GROUPS; g += 16) { /* 16 sums of at most 1,020 */
      __m256i shorts[2][4] = {{zero, zero, zero, zero}, {zero, zero, zero, zero}};
      for (int i = g; i < g + 16; ++i) {
        __m256i l = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)low[i]));
        __m256i h = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)high[i]));
        for (int bit = 0; bit < 2; ++bit, w += 32) {
          __m256i packed = _mm256_loadu_si256((const __m256i *)w);
          for (int half = 0; half < 2; ++half) {
            __m256i index = _mm256_and_si256(half ? _mm256_srli_epi16(packed, 4) : packed, mask);
            __m256i a = _mm256_shuffle_epi8(l, index), b = _mm256_shuffle_epi8(h, index);
            shorts[bit][2 * half] = _mm256_add_epi16(shorts[bit][2 * half], _mm256_unpacklo_epi8(a, b));
            shorts[bit][2 * half + 1] = _mm256_add_epi16(shorts[bit][2 * half + 1], _mm256_unpackhi_epi8(a, b));
          }
        }
      }
      for (int v = 0; v < 4; ++v) {
        __m256i a = shorts[0][v], b = shorts[1][v];
        sums[2 * v] =
            _mm256_add_epi32(sums[2 * v], _mm256_add_epi32(_mm256_unpacklo_epi16(a, zero),
                                                           _mm256_slli_epi32(_mm256_unpacklo_epi16(b, zero), 1)));
        sums[2 * v + 1] =
            _mm256_add_epi32(sums[2 * v + 1], _mm256_add_epi32(_mm256_unpackhi_epi16(a, zero),
                                                               _mm256_slli_epi32(_mm256_unpackhi_epi16(b, zero), 1)));
      }
    }
    /* Vector 4 * half + 2 * (8 outputs) + (4 outputs) holds four of each 128-bit lane. */
    for (int v = 0; v < 8; ++v) {
      _mm_storeu_si128((__m128i *)(y + n + 32 * (v / 4) + 4 * (v % 4)), _mm256_castsi256_si128(sums[v]));
      _mm_storeu_si128((__m128i *)(y + n + 32 * (v / 4) + 16 + 4 * (v % 4)), _mm256_extracti128_si256(sums[v], 1));
    }
  }
}

#ifdef __AVX512VNNI__
static void byVnni(const uint8_t *x, const uint8_t *w, int32_t *y) {
  const __m512i mask = _mm512_set1_epi8(3);
  for (int n = 0; n < N; n += 64) {
    __m512i sums[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    for (int k = 0; k < K; k += 16) {
      __m512i row[4];
      for (int q = 0; q < 4; ++q) {
        int32_t four;
        memcpy(&four, x + k + 4 * q, 4);
        row[q] = _mm512_set1_epi32(four);
      }
      for (int v = 0; v < 4; ++v, w += 64) {
        __m512i packed = _mm512_loadu_si512(w);
        for (int q = 0; q < 4; ++q)
          sums[v] = _mm512_dpbusd_epi32(sums[v], row[q], _mm512_and_si512(_mm512_srli_epi16(packed, 2 * q), mask));
      }
    }
    for (int v = 0; v < 4; ++v)
      _mm512_storeu_si512(y + n + 16 * v, sums[v]);
  }
}
#endif

static int compare(const void *a, const void *b) {
  const double l = *(const double *)a, r = *(const double *)b;
  return (l > r) - (l < r);
}

typedef struct {
  const char *name;
  void (*run)(const uint8_t *, const uint8_t *, int32_t *);
  uint8_t *weights;
} Way;

int main(void) {
  static uint8_t x[K], codes[K * N];
  static int32_t expected[N], y[N];
  for (int i = 0; i < K; ++i)
    x[i] = (uint8_t)rand();
  for (int i = 0; i < K * N; ++i)
    codes[i] = rand() & 3;
  for (int n = 0; n < N; ++n)
    for (int k = 0; k < K; ++k)
      expected[n] += x[k] * codes[k * N + n];
  Way ways[] = {
      {"bytes", byBytes, 0},
      {"lookup", byLookup, 0},
#ifdef __AVX512VNNI__
      {"vnni", byVnni, 0},
#endif
  };
  enum { WAYS = sizeof ways / sizeof *ways };
  for (int i = 0; i < WAYS; ++i) {
    ways[i].weights = malloc((size_t)COPIES * BYTES);
    if (!ways[i].weights)
      return fprintf(stderr, "out of memory\n"), 1;
    if (ways[i].run == byLookup)
      packIndices(codes, ways[i].weights);
    else
      packCodes(codes, ways[i].weights, ways[i].run == byBytes ? 8 : 16);
    for (size_t copy = 1; copy < COPIES; ++copy)
      memcpy(ways[i].weights + copy * BYTES, ways[i].weights, BYTES);
    ways[i].run(x, ways[i].weights, y);
    if (memcmp(y, expected, sizeof y))
      return fprintf(stderr, "%s computes something else\n", ways[i].name), 1;
  }
  static double times[WAYS][ROUNDS];
  for (int cold = 0; cold < 2; ++cold) {
    for (int round = 0; round < ROUNDS; ++round)
      for (int i = 0; i < WAYS; ++i) {
        const double start = now();
        for (int copy = 0; copy < 10; ++copy)
          ways[i].run(x, ways[i].weights + (cold ? (size_t)(10 * round + copy) % COPIES * BYTES : 0), y);
        times[i][round] = (now() - start) / 10 * 1e6;
      }
    for (int i = 0; i < WAYS; ++i) {
      qsort(times[i], ROUNDS, sizeof times[i][0], compare);
      printf("%-5s %-7s median %6.2f us, p10 %6.2f us\n", cold ? "cold" : "hot", ways[i].name, times[i][ROUNDS / 2],
             times[i][ROUNDS / 10]);
    }
  }
  return 0;
}
