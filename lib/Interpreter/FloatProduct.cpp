//===- FloatProduct.cpp - Products of float matrices -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatProduct.h"

#include "vitq/Numerics/TargetClones.h"

#include <algorithm>
#include <cstring>
#include <memory>

using namespace vitq::interp;

#pragma STDC FP_CONTRACT OFF // vitq/Numerics/TargetClones.h

static constexpr int64_t kLanes = 16;
/// Rows of a tile: with AVX2 its 12 sums, two vectors of b and one number of a are 15 registers.
static constexpr int64_t kRows = 6;
/// Vectors as the compiler knows them: it splits them where registers are narrower.
typedef float Lanes __attribute__((vector_size(kLanes * 4)));

/// Transposes 16 rows of 16 floats: each step exchanges the halves of pairs of rows.
VITQ_INLINE void transpose(const float *from, int64_t stride, Lanes *to) {
  Lanes rows[kLanes], mixed[kLanes];
  for (int64_t row = 0; row < kLanes; ++row)
    std::memcpy(&rows[row], from + row * stride, sizeof(Lanes));
  for (int step = 0; step < 4; ++step) {
    // Row r and row r + 8 become rows 2r and 2r + 1, their elements in turn.
    for (int64_t row = 0; row < kLanes / 2; ++row) {
      const Lanes a = rows[row], b = rows[row + kLanes / 2];
      mixed[2 * row] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      mixed[2 * row + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    std::copy_n(mixed, kLanes, rows);
  }
  std::copy_n(rows, kLanes, to);
}

/// Columns `first` to `first + width` of b, a vector for each k, filled up by 0.
VITQ_CLONES
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
  int64_t done = 0;
  for (; width == kLanes && done + kLanes <= k; done += kLanes)
    transpose(b + first * k + done, k, panel + done);
  for (int64_t lane = 0; lane < width; ++lane)
    for (int64_t i = done; i < k; ++i)
      to[i * kLanes + lane] = b[(first + lane) * k + i];
}

/// All rows for one panel; `bias` is that of its columns, or null.
VITQ_CLONES
static void multiplyPanel(const float *a, const Lanes *panel, float scale, const float *bias, float *y, int64_t m,
                          int64_t n, int64_t k, int64_t width) {
  const auto bytes = static_cast<size_t>(width) * sizeof(float);
  Lanes offset = {};
  if (bias)
    std::memcpy(&offset, bias, bytes);
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
      Lanes result = sums[r];
      if (scale != 1)
        result *= scale;
      if (bias)
        result += offset;
      float *to = y + (row + r) * n;
      width == kLanes ? std::memcpy(to, &result, sizeof(Lanes)) : std::memcpy(to, &result, bytes);
    }
  }
}

void vitq::interp::multiplyFloats(const float *a, const float *b, bool transposed, float scale, const float *bias,
                                  float *y, int64_t m, int64_t n, int64_t k) {
  if (m == 0 || n == 0)
    return;
  const int64_t panels = (n + kLanes - 1) / kLanes;
  const auto packed = std::make_unique_for_overwrite<Lanes[]>(static_cast<size_t>(panels * k));
  for (int64_t panel = 0; panel < panels; ++panel)
    packPanel(b, transposed, packed.get() + panel * k, panel * kLanes, std::min(kLanes, n - panel * kLanes), n, k);
  // Rows of a that stay in the cache from one panel to the next.
  constexpr int64_t cached = int64_t(1) << 17;
  const int64_t block = std::max<int64_t>(cached / std::max<int64_t>(k, 1) / kRows, 1) * kRows;
  for (int64_t row = 0; row < m; row += block)
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t first = panel * kLanes;
      multiplyPanel(a + row * k, packed.get() + panel * k, scale, bias ? bias + first : nullptr, y + row * n + first,
                    std::min(block, m - row), n, k, std::min(kLanes, n - first));
    }
}
