//===- TileProduct.h - Products of tiles -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_TILEPRODUCT_H
#define VITQ_LIB_SIMULATOR_TILEPRODUCT_H

#include "vitq/Simulator/Config.h"

#include <vector>

namespace vitq::simulator {

/// The array's elements: a right operand that is kept, times rows of a left one. Operands
/// are bit patterns of Config::bits bits, one a byte; sums are formed modulo 2^32.
class TileProduct {
public:
  explicit TileProduct(const Config &config);

  /// Takes the `k` x `n` right operand, row i `pitch` bytes after row i - 1.
  void setRight(const uint8_t *right, int64_t pitch, int64_t k, int64_t n, bool isUnsigned);

  /// Multiplies `m` rows of `k` left operands; up to 7 bytes after a row may be read. The
  /// sums are kept until the next call.
  void multiply(const uint8_t *left, int64_t pitch, int64_t m, int64_t k, bool isUnsigned);
  /// 0 beyond the right operand's columns.
  uint32_t sum(int64_t row, int64_t column) const { return results[static_cast<size_t>(row * paddedCols + column)]; }

  /// to[r][c] = wrap((accumulate ? to[r][c] : 0) + sum(r, c) * 2^shift) for `rows` rows of
  /// `cols` sums, rows `pitch` apart; shift in 0..31.
  void writeSums(int32_t *to, int64_t pitch, int64_t rows, int64_t cols, unsigned shift, bool accumulate) const;

private:
  int64_t bits, accumulatorBits, mostK, paddedCols;
  /// Columns in blocks of a vector: [block][k][kLanes].
  std::vector<uint32_t> weights;
  /// [m][k], k padded to vectors, and [m][paddedCols].
  std::vector<uint32_t> lefts, results;
};

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_TILEPRODUCT_H
