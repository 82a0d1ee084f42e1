//===- Moments.h - Sums of products of samples -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_FITTING_MOMENTS_H
#define VITQ_FITTING_MOMENTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <cstddef>
#include <vector>

namespace vitq::fitting {

/// Calls its second argument with 0 to `count` - 1, in any order, perhaps at once.
using ParallelFor = llvm::function_ref<void(size_t count, llvm::function_ref<void(size_t)>)>;

/// The same on the thread that calls it.
void serialFor(size_t count, llvm::function_ref<void(size_t)> body);

/// A matrix of reals, row-major.
struct Matrix {
  size_t rows = 0;
  size_t columns = 0;
  std::vector<double> values;

  Matrix() = default;
  Matrix(size_t rows, size_t columns) : rows(rows), columns(columns), values(rows * columns, 0.0) {}

  double &at(size_t row, size_t column) { return values[row * columns + column]; }
  double at(size_t row, size_t column) const { return values[row * columns + column]; }
  llvm::ArrayRef<double> row(size_t i) const { return llvm::ArrayRef<double>(values).slice(i * columns, columns); }
};

/// Rows of numbers, each row one sample of all `columns` of them, in 32-bit floats and in the order in
/// which `moments` reads them.
class Samples {
public:
  Samples(size_t rows, size_t columns);

  size_t rows() const { return rowCount; }
  size_t columns() const { return columnCount; }

  /// Writes `factors[i] * (values[i, c] - offsets[c])`, rounded to float, into row `first + i`; as many rows as
  /// there are factors. Different rows may be written at the same time.
  void write(size_t first, const float *values, llvm::ArrayRef<double> offsets, llvm::ArrayRef<double> factors);

private:
  friend Matrix moments(const Samples &a, const Samples &b, ParallelFor parallelFor);

  static constexpr size_t kLanes = 16;
  struct alignas(kLanes * sizeof(float)) Line {
    float lanes[kLanes] = {};
  };

  size_t rowCount, columnCount;
  std::vector<Line> lines;
};

/// `a^T b`, a column of `a` a row of the result; both have the same rows. If `a` is `b`, half of it is computed. Sums
/// of 256 rows are formed in float, each product rounded, and these added up in double in the order of rows: the result
/// is the same on every processor and for any number of threads.
Matrix moments(const Samples &a, const Samples &b, ParallelFor parallelFor);

} // namespace vitq::fitting

#endif // VITQ_FITTING_MOMENTS_H
