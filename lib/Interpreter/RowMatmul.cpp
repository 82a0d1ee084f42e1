//===- RowMatmul.cpp - Exact integer matrix products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowMatmul.h"

#include "vitq/Numerics/Requantize.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <vector>

using namespace vitq::interp;

// The best clone for this processor is chosen when the program is loaded.
#if defined(__x86_64__) && defined(__linux__)
#define VITQ_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VITQ_CLONES
#endif

// Sums are formed in uint32_t, where wrapping is defined; the loop becomes
// multiply-add of int16 pairs.
VITQ_CLONES
void vitq::interp::multiplyRows16(const int16_t *a, const int16_t *b, int32_t *y, int64_t m, int64_t n, int64_t k,
                                  int64_t from, int64_t to) {
  for (int64_t row = 0; row < m; ++row) {
    const int16_t *x = a + row * k;
    int64_t column = 0;
    for (; column + 4 <= n; column += 4) {
      const int16_t *w0 = b + column * k, *w1 = w0 + k, *w2 = w1 + k, *w3 = w2 + k;
      uint32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (int64_t i = from; i < to; ++i) {
        s0 += static_cast<uint32_t>(int32_t(x[i]) * int32_t(w0[i]));
        s1 += static_cast<uint32_t>(int32_t(x[i]) * int32_t(w1[i]));
        s2 += static_cast<uint32_t>(int32_t(x[i]) * int32_t(w2[i]));
        s3 += static_cast<uint32_t>(int32_t(x[i]) * int32_t(w3[i]));
      }
      uint32_t sums[] = {s0, s1, s2, s3};
      for (int64_t j = 0; j < 4; ++j)
        y[row * n + column + j] = static_cast<int32_t>(static_cast<uint32_t>(y[row * n + column + j]) + sums[j]);
    }
    for (; column < n; ++column) {
      uint32_t sum = static_cast<uint32_t>(y[row * n + column]);
      for (int64_t i = from; i < to; ++i)
        sum += static_cast<uint32_t>(int32_t(x[i]) * int32_t(b[column * k + i]));
      y[row * n + column] = static_cast<int32_t>(sum);
    }
  }
}

static int64_t largestMagnitude(llvm::ArrayRef<int32_t> values) {
  int64_t largest = 0;
  for (int64_t value : values)
    largest = std::max(largest, std::abs(value));
  return largest;
}

/// Adds the products in 64 bits; for codes that need more than 16.
static void addProducts(llvm::ArrayRef<int32_t> a, llvm::ArrayRef<int32_t> b, std::vector<int64_t> &sums, int64_t m,
                        int64_t n, int64_t k) {
  for (int64_t row = 0; row < m; ++row)
    for (int64_t column = 0; column < n; ++column) {
      int64_t sum = 0;
      for (int64_t i = 0; i < k; ++i)
        sum += int64_t(a[row * k + i]) * b[column * k + i];
      sums[row * n + column] += sum;
    }
}

bool vitq::interp::multiplyExactly(llvm::ArrayRef<int32_t> a, llvm::ArrayRef<int32_t> b, llvm::ArrayRef<int32_t> bias,
                                   int32_t *y, int64_t m, int64_t n, int64_t k) {
  constexpr int64_t max16 = std::numeric_limits<int16_t>::max(), max32 = std::numeric_limits<int32_t>::max();
  std::vector<int64_t> sums(m * n, 0);
  for (int64_t i = 0; !bias.empty() && i < m * n; ++i)
    sums[i] = bias[i % n];
  int64_t largestA = largestMagnitude(a), largestB = largestMagnitude(b);
  if (largestA > max16 || largestB > max16) {
    addProducts(a, b, sums, m, n, k);
  } else {
    // As many products at a time as certainly fit 32 bits.
    int64_t chunk = max32 / std::max<int64_t>(1, largestA * largestB);
    std::vector<int16_t> a16(a.begin(), a.end()), b16(b.begin(), b.end());
    std::vector<int32_t> part(m * n);
    for (int64_t from = 0; from < k; from += chunk) {
      std::fill(part.begin(), part.end(), 0);
      multiplyRows16(a16.data(), b16.data(), part.data(), m, n, k, from, std::min(k, from + chunk));
      for (int64_t i = 0; i < m * n; ++i)
        sums[i] += part[i];
    }
  }
  bool fits = true;
  for (int64_t i = 0; i < m * n; ++i) {
    fits &= sums[i] == numerics::saturateInt32(sums[i]);
    y[i] = static_cast<int32_t>(sums[i]);
  }
  return fits;
}
