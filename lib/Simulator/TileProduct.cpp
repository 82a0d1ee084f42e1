//===- TileProduct.cpp - Products of tiles -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileProduct.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cstring>

using namespace vitq;
using namespace vitq::simulator;

// The best clone for this processor is chosen when the program is loaded.
#if defined(__x86_64__) && defined(__linux__)
#define VITQ_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VITQ_CLONES
#endif

static constexpr int64_t kLanes = 8;
/// Vectors as the compiler knows them: it splits them where registers are narrower.
typedef uint32_t Lanes __attribute__((vector_size(kLanes * 4)));

/// The same of bytes.
typedef uint8_t ByteLanes __attribute__((vector_size(kLanes)));

static int64_t padded(int64_t n) { return static_cast<int64_t>(llvm::alignTo(static_cast<uint64_t>(n), kLanes)); }

/// The weight of the sign bit of a pattern, 0 if there is none: (x ^ sign) - sign is the
/// value of x modulo 2^32.
static uint32_t signOf(int64_t bits, bool isUnsigned) { return isUnsigned ? 0 : uint32_t(1) << (bits - 1); }

/// Values of `n` patterns; whole vectors are read and written.
static inline void decode(const uint8_t *from, uint32_t *to, int64_t n, uint32_t sign) {
  for (int64_t i = 0; i < n; i += kLanes) {
    ByteLanes bytes;
    std::memcpy(&bytes, from + i, sizeof(bytes));
    const Lanes values = (__builtin_convertvector(bytes, Lanes) ^ sign) - sign;
    std::memcpy(to + i, &values, sizeof(values));
  }
}

VITQ_CLONES
static void decodeRows(const uint8_t *from, int64_t pitch, uint32_t *to, int64_t rows, int64_t n, uint32_t sign) {
  for (int64_t i = 0; i < rows; ++i)
    decode(from + i * pitch, to + i * padded(n), n, sign);
}

/// Sums of all rows for one vector of columns. Four rows at a time: the vector of weights
/// serves them all.
VITQ_CLONES
static void multiplyColumns(const uint32_t *lefts, const uint32_t *weights, uint32_t *results, int64_t m, int64_t k,
                            int64_t pitch) {
  const int64_t leftPitch = padded(k);
  for (int64_t row = 0; row < m; row += 4) {
    // Rows that are not there compute the last one again.
    const int64_t rows = std::min<int64_t>(4, m - row);
    const uint32_t *left0 = lefts + row * leftPitch, *left1 = left0 + (rows > 1) * leftPitch,
                   *left2 = left1 + (rows > 2) * leftPitch, *left3 = left2 + (rows > 3) * leftPitch;
    Lanes sums[4] = {};
    for (int64_t i = 0; i < k; ++i) {
      Lanes w;
      std::memcpy(&w, weights + i * kLanes, sizeof(w));
      sums[0] += w * left0[i];
      sums[1] += w * left1[i];
      sums[2] += w * left2[i];
      sums[3] += w * left3[i];
    }
    for (int64_t i = 0; i < rows; ++i)
      std::memcpy(results + (row + i) * pitch, &sums[i], sizeof(Lanes));
  }
}

/// As TileProduct::writeSums says, for one vector of columns or less.
VITQ_CLONES
static void writeColumns(const uint32_t *from, int64_t fromPitch, int32_t *to, int64_t toPitch, int64_t rows,
                         int64_t cols, unsigned shift, bool accumulate, unsigned drop) {
  typedef int32_t SignedLanes __attribute__((vector_size(kLanes * 4)));
  const uint32_t keep = accumulate ? ~uint32_t(0) : 0;
  const auto bytes = static_cast<size_t>(cols) * 4;
  for (int64_t row = 0; row < rows; ++row, from += fromPitch, to += toPitch) {
    Lanes sum, old = {};
    std::memcpy(&sum, from, sizeof(sum));
    cols == kLanes ? std::memcpy(&old, to, sizeof(old)) : std::memcpy(&old, to, bytes);
    sum = (((old & keep) + (sum << shift)) << drop);
    SignedLanes wrapped;
    std::memcpy(&wrapped, &sum, sizeof(sum));
    wrapped >>= static_cast<int32_t>(drop);
    cols == kLanes ? std::memcpy(to, &wrapped, sizeof(wrapped)) : std::memcpy(to, &wrapped, bytes);
  }
}

TileProduct::TileProduct(const Config &config)
    : bits(config.bits), accumulatorBits(config.accumulatorBits), mostK(config.width()),
      paddedCols(padded(config.cols)), weights(static_cast<size_t>(paddedCols * mostK)) {}

void TileProduct::setRight(const uint8_t *right, int64_t pitch, int64_t k, int64_t n, bool isUnsigned) {
  llvm::fill(weights, 0);
  const uint32_t sign = signOf(bits, isUnsigned);
  for (int64_t c = 0; c < n; ++c) {
    uint32_t *to = weights.data() + c / kLanes * kLanes * mostK + c % kLanes;
    for (int64_t i = 0; i < k; ++i)
      to[i * kLanes] = (right[i * pitch + c] ^ sign) - sign;
  }
}

void TileProduct::multiply(const uint8_t *left, int64_t pitch, int64_t m, int64_t k, bool isUnsigned) {
  lefts.resize(std::max(lefts.size(), static_cast<size_t>(m * padded(k))));
  results.resize(std::max(results.size(), static_cast<size_t>(m * paddedCols)));
  decodeRows(left, pitch, lefts.data(), m, k, signOf(bits, isUnsigned));
  for (int64_t c = 0; c < paddedCols; c += kLanes)
    multiplyColumns(lefts.data(), weights.data() + c * mostK, results.data() + c, m, k, paddedCols);
}

void TileProduct::writeSums(int32_t *to, int64_t pitch, int64_t rows, int64_t cols, unsigned shift,
                            bool accumulate) const {
  for (int64_t c = 0; c < cols; c += kLanes)
    writeColumns(results.data() + c, paddedCols, to + c, pitch, rows, std::min(kLanes, cols - c), shift, accumulate,
                 static_cast<unsigned>(32 - accumulatorBits));
}
