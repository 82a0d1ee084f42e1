//===- Windows.h - Windows of maps of features --*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_WINDOWS_H
#define VITQ_LIB_INTERPRETER_WINDOWS_H

#include "llvm/ADT/ArrayRef.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace vitq::interp {

/// Windows of vit.max_pool and vitq.max_pool.
struct PoolWindows {
  llvm::ArrayRef<int64_t> input, result, kernel, strides, pads, dilations;

  template <typename OpT>
  static PoolWindows of(OpT op) {
    return {op.getInput().getType().getShape(),
            op.getType().getShape(),
            op.getKernel(),
            op.getStrides(),
            op.getPads(),
            op.getDilations()};
  }
};

template <typename T>
bool isNaN(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isnan(x);
  else
    return false;
}

/// y = the largest element of each window of x.
template <typename T>
void maxPool(const PoolWindows &w, const T *x, T *y) {
  const int64_t height = w.input[1], width = w.input[2], channels = w.input[3];
  for (int64_t b = 0; b < w.result[0]; ++b)
    for (int64_t i = 0; i < w.result[1]; ++i)
      for (int64_t j = 0; j < w.result[2]; ++j, y += channels) {
        bool isFirst = true;
        for (int64_t k = 0; k < w.kernel[0]; ++k)
          for (int64_t l = 0; l < w.kernel[1]; ++l) {
            const int64_t row = i * w.strides[0] - w.pads[0] + k * w.dilations[0];
            const int64_t column = j * w.strides[1] - w.pads[1] + l * w.dilations[1];
            if (row < 0 || row >= height || column < 0 || column >= width)
              continue;
            const T *from = x + ((b * height + row) * width + column) * channels;
            for (int64_t c = 0; c < channels; ++c)
              y[c] = isFirst || from[c] > y[c] || isNaN(from[c]) ? from[c] : y[c];
            isFirst = false;
          }
      }
}

/// Weighted sums of vit.resample and vitq.resample.
struct Resampling {
  llvm::ArrayRef<int64_t> input, rows, rowWeights, columns, columnWeights;

  template <typename OpT>
  static Resampling of(OpT op) {
    return {op.getInput().getType().getShape(), op.getRows(), op.getRowWeights(), op.getColumns(),
            op.getColumnWeights()};
  }
};

/// Calls `give(n, sum)` for each element n of the result.
template <typename Sum, typename T, typename Give>
void resample(const Resampling &r, const T *x, Give give) {
  const auto taps = static_cast<int64_t>(r.rowWeights.size() / r.rows.size()),
             across = static_cast<int64_t>(r.columnWeights.size() / r.columns.size());
  const int64_t height = r.input[1], width = r.input[2], channels = r.input[3];
  int64_t n = 0;
  for (int64_t b = 0; b < r.input[0]; ++b)
    for (size_t i = 0; i < r.rows.size(); ++i)
      for (size_t j = 0; j < r.columns.size(); ++j)
        for (int64_t c = 0; c < channels; ++c) {
          Sum sum = 0;
          for (int64_t k = 0; k < taps; ++k)
            for (int64_t l = 0; l < across; ++l)
              sum += static_cast<Sum>(r.rowWeights[i * taps + k] * r.columnWeights[j * across + l]) *
                     static_cast<Sum>(x[((b * height + r.rows[i] + k) * width + r.columns[j] + l) * channels + c]);
          give(n++, sum);
        }
}

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_WINDOWS_H
