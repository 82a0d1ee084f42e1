//===- Hadamard.cpp - Products with Hadamard matrices ------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Hadamard.h"

#include "llvm/ADT/bit.h"

#include <cassert>
#include <vector>

using namespace llvm;
using namespace vitq::numerics;

static constexpr int64_t kMaxOrder = int64_t(1) << 20;
/// Paley's matrices are made element by element.
static constexpr int64_t kMaxCore = 4096;

static bool isPrime(int64_t n) {
  if (n < 2)
    return false;
  for (int64_t i = 2; i * i <= n; ++i)
    if (n % i == 0)
      return false;
  return true;
}

/// Of each residue modulo the odd prime `q`: 1 for squares, -1 for others, 0 for 0.
static SmallVector<int8_t> quadraticCharacter(int64_t q) {
  SmallVector<int8_t> character(q, -1);
  character[0] = 0;
  for (int64_t i = 1; i < q; ++i)
    character[i * i % q] = 1;
  return character;
}

using Matrix = SmallVector<SmallVector<int8_t>>;

/// I + S, S = [[0, 1], [-1, Q]], Q[i, j] the character of i - j.
static Matrix paleyFirst(int64_t q) {
  const SmallVector<int8_t> character = quadraticCharacter(q);
  Matrix matrix(q + 1, SmallVector<int8_t>(q + 1, 1));
  for (int64_t i = 0; i < q; ++i) {
    matrix[i + 1][0] = -1;
    for (int64_t j = 0; j < q; ++j)
      matrix[i + 1][j + 1] = i == j ? 1 : character[(i - j + q) % q];
  }
  return matrix;
}

/// S = [[0, 1], [1, Q]], its zeros replaced by [[1, -1], [-1, -1]] and its s = 1 or -1 by s [[1, 1], [1, -1]].
static Matrix paleySecond(int64_t q) {
  const SmallVector<int8_t> character = quadraticCharacter(q);
  Matrix matrix(2 * (q + 1), SmallVector<int8_t>(2 * (q + 1), 0));
  for (int64_t i = 0; i <= q; ++i)
    for (int64_t j = 0; j <= q; ++j) {
      const int8_t s = i == 0 && j == 0 ? 0 : i == 0 || j == 0 ? 1 : character[(i - j + q) % q];
      for (int64_t a = 0; a < 2; ++a)
        for (int64_t b = 0; b < 2; ++b) {
          const int both = a & b ? -1 : 1, zero = a | b ? -1 : 1;
          matrix[2 * i + a][2 * j + b] = static_cast<int8_t>(s == 0 ? zero : s * both);
        }
    }
  return matrix;
}

static std::optional<Matrix> makeCore(int64_t m) {
  if (m == 1)
    return Matrix{{1}};
  if (m > kMaxCore || m % 4 != 0)
    return std::nullopt;
  if (isPrime(m - 1))
    return paleyFirst(m - 1);
  if (const int64_t q = m / 2 - 1; q % 4 == 1 && isPrime(q))
    return paleySecond(q);
  return std::nullopt;
}

std::optional<Hadamard> Hadamard::ofOrder(int64_t order) {
  if (order < 1 || order > kMaxOrder)
    return std::nullopt;
  const unsigned twos = llvm::countr_zero(static_cast<uint64_t>(order));
  const int64_t odd = order >> twos;
  // The smallest core: order 1 or 4 times an odd number, then larger ones.
  for (unsigned inCore = odd == 1 ? 0 : 2; inCore <= twos; ++inCore)
    if (std::optional<Matrix> core = makeCore(odd << inCore))
      return Hadamard(*core, twos - inCore);
  return std::nullopt;
}

Hadamard Hadamard::ofLargestDivisor(int64_t count) {
  assert(count > 0);
  for (int64_t parts = 1; parts < count; ++parts)
    if (count % parts == 0)
      if (std::optional<Hadamard> matrix = ofOrder(count / parts))
        return *matrix;
  return *ofOrder(1);
}

int Hadamard::element(int64_t row, int64_t column) const {
  const int64_t mask = (int64_t(1) << doublings) - 1;
  const int sign = llvm::popcount(static_cast<uint64_t>(row & column & mask)) % 2 ? -1 : 1;
  return sign * core[row >> doublings][column >> doublings];
}

template <typename T>
void Hadamard::multiplyAny(MutableArrayRef<T> x, bool transposed) const {
  assert(static_cast<int64_t>(x.size()) == order());
  const size_t width = size_t(1) << doublings, rows = core.size();
  for (size_t half = 1; half < width; half *= 2)
    for (size_t begin = 0; begin < x.size(); begin += 2 * half)
      for (size_t i = begin; i < begin + half; ++i) {
        const T a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
  if (rows == 1)
    return;
  std::vector<T> column(rows);
  for (size_t i = 0; i < width; ++i) {
    for (size_t c = 0; c < rows; ++c) {
      T sum = 0;
      for (size_t r = 0; r < rows; ++r)
        sum += (transposed ? core[c][r] : core[r][c]) * x[r * width + i];
      column[c] = sum;
    }
    for (size_t c = 0; c < rows; ++c)
      x[c * width + i] = column[c];
  }
}

void Hadamard::multiply(MutableArrayRef<double> x, bool transposed) const { multiplyAny(x, transposed); }
void Hadamard::multiply(MutableArrayRef<int64_t> x, bool transposed) const { multiplyAny(x, transposed); }
