//===- Moments.cpp - Sums of products of samples -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Fitting/Moments.h"

#include "vitq/Numerics/TargetClones.h"

#include <algorithm>
#include <cassert>

using namespace vitq::fitting;

#pragma STDC FP_CONTRACT OFF // vitq/Numerics/TargetClones.h

/// Samples lie in chunks of rows, in these in panels of columns, in these row by row: a product of two panels
/// of a chunk reads 32 KiB.
static constexpr size_t kLanes = 16;
static constexpr size_t kChunk = 256;
/// Columns of the left panel whose sums are in registers at once.
static constexpr size_t kColumns = 4;

typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

static size_t panelsOf(size_t columns) { return (columns + kLanes - 1) / kLanes; }
static size_t chunksOf(size_t rows) { return (rows + kChunk - 1) / kChunk; }

void vitq::fitting::serialFor(size_t count, llvm::function_ref<void(size_t)> body) {
  for (size_t i = 0; i < count; ++i)
    body(i);
}

/// Rows and columns that fill up the last chunk and panel are 0.
Samples::Samples(size_t rows, size_t columns)
    : rowCount(rows), columnCount(columns), lines(chunksOf(rows) * panelsOf(columns) * kChunk) {}

void Samples::write(size_t first, const float *values, llvm::ArrayRef<double> offsets, llvm::ArrayRef<double> factors) {
  assert(first + factors.size() <= rowCount && offsets.size() == columnCount && "samples do not fit");
  const size_t panels = panelsOf(columnCount);
  for (size_t i = 0; i < factors.size(); ++i) {
    const size_t row = first + i;
    Line *to = lines.data() + row / kChunk * panels * kChunk + row % kChunk;
    for (size_t c = 0; c < columnCount; ++c)
      to[c / kLanes * kChunk].lanes[c % kLanes] =
          static_cast<float>(factors[i] * (static_cast<double>(values[i * columnCount + c]) - offsets[c]));
  }
}

/// Adds the product of two panels of a chunk to `sums`, a row of which is `stride` numbers.
VITQ_CLONES
static void multiplyPanels(const float *a, const float *b, double *sums, size_t stride) {
  for (size_t column = 0; column < kLanes; column += kColumns) {
    Lanes part[kColumns] = {};
    for (size_t row = 0; row < kChunk; ++row) {
      const Lanes right = *reinterpret_cast<const Lanes *>(b + row * kLanes);
      const float *left = a + row * kLanes + column;
      part[0] += right * left[0];
      part[1] += right * left[1];
      part[2] += right * left[2];
      part[3] += right * left[3];
    }
    for (size_t i = 0; i < kColumns; ++i)
      for (size_t lane = 0; lane < kLanes; ++lane)
        sums[(column + i) * stride + lane] += static_cast<double>(part[i][lane]);
  }
}

Matrix vitq::fitting::moments(const Samples &a, const Samples &b, ParallelFor parallelFor) {
  assert(a.rows() == b.rows() && "samples of different rows");
  const size_t left = panelsOf(a.columns()), right = panelsOf(b.columns()), stride = right * kLanes;
  const bool symmetric = &a == &b;
  std::vector<double> sums(left * kLanes * stride, 0.0);
  // A task has rows of the result to itself.
  parallelFor(left, [&](size_t task) {
    // Of a symmetric one the long and the short rows in turn, so that tasks end together.
    const size_t i = symmetric && task % 2 ? left - 1 - task / 2 : symmetric ? task / 2 : task;
    for (size_t chunk = 0; chunk < chunksOf(a.rows()); ++chunk)
      for (size_t j = symmetric ? i : 0; j < right; ++j)
        multiplyPanels(a.lines[(chunk * left + i) * kChunk].lanes, b.lines[(chunk * right + j) * kChunk].lanes,
                       sums.data() + i * kLanes * stride + j * kLanes, stride);
  });
  Matrix result(a.columns(), b.columns());
  for (size_t i = 0; i < result.rows; ++i)
    for (size_t j = 0; j < result.columns; ++j)
      result.at(i, j) = symmetric && j < i ? result.at(j, i) : sums[i * stride + j];
  return result;
}
