//===- FloatProduct.cpp - Products of float matrices -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatProduct.h"

#include <algorithm>
#include <cstring>
#include <vector>

using namespace vitq::interp;

// A fused multiply-add rounds once, and only some processors have it.
#pragma STDC FP_CONTRACT OFF

// The best clone for this processor is chosen when the program is loaded.
#if defined(__x86_64__) && defined(__linux__)
#define VITQ_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VITQ_CLONES
#endif

static constexpr int64_t kLanes = 16;
/// Rows of a tile: with AVX2 its 12 sums, two vectors of b and one number of a are 15 registers.
static constexpr int64_t kRows = 6;
/// Vectors as the compiler knows them: it splits them where registers are narrower.
typedef float Lanes __attribute__((vector_size(kLanes * 4)));

/// Columns `first` to `first + width` of b, a vector for each k, filled up by 0.
static void packPanel(const float *b, bool transposed, Lanes *panel, int64_t first, int64_t width, int64_t n,
                      int64_t k) {
  auto *to = reinterpret_cast<float *>(panel);
  if (width < kLanes)
    std::fill_n(to, k * kLanes, 0.0f);
  if (!transposed) {
    for (int64_t i = 0; i < k; ++i)
      std::copy_n(b + i * n + first, width, to + i * kLanes);
    return;
  }
  if (width == kLanes) {
    const float *from = b + first * k;
    for (int64_t i = 0; i < k; ++i)
      for (int64_t lane = 0; lane < kLanes; ++lane)
        to[i * kLanes + lane] = from[lane * k + i];
    return;
  }
  for (int64_t lane = 0; lane < width; ++lane)
    for (int64_t i = 0; i < k; ++i)
      to[i * kLanes + lane] = b[(first + lane) * k + i];
}

/// All rows for one panel.
VITQ_CLONES
static void multiplyPanel(const float *a, const Lanes *panel, float *y, int64_t m, int64_t n, int64_t k,
                          int64_t width) {
  for (int64_t row = 0; row < m; row += kRows) {
    // Rows that are not there compute the last one again.
    const int64_t last = m - 1 - row;
    const float *a0 = a + row * k, *a1 = a0 + std::min<int64_t>(1, last) * k, *a2 = a0 + std::min<int64_t>(2, last) * k,
                *a3 = a0 + std::min<int64_t>(3, last) * k, *a4 = a0 + std::min<int64_t>(4, last) * k,
                *a5 = a0 + std::min<int64_t>(5, last) * k;
    Lanes sums[kRows] = {};
    for (int64_t i = 0; i < k; ++i) {
      const Lanes b = panel[i];
      sums[0] += b * a0[i];
      sums[1] += b * a1[i];
      sums[2] += b * a2[i];
      sums[3] += b * a3[i];
      sums[4] += b * a4[i];
      sums[5] += b * a5[i];
    }
    for (int64_t r = 0; r < std::min(kRows, m - row); ++r) {
      float *to = y + (row + r) * n;
      width == kLanes ? std::memcpy(to, &sums[r], sizeof(Lanes))
                      : std::memcpy(to, &sums[r], static_cast<size_t>(width) * sizeof(float));
    }
  }
}

void vitq::interp::multiplyFloats(const float *a, const float *b, bool transposed, float *y, int64_t m, int64_t n,
                                  int64_t k) {
  std::vector<Lanes> panel(static_cast<size_t>(k));
  for (int64_t first = 0; m > 0 && first < n; first += kLanes) {
    const int64_t width = std::min(kLanes, n - first);
    packPanel(b, transposed, panel.data(), first, width, n, k);
    multiplyPanel(a, panel.data(), y + first, m, n, k, width);
  }
}
