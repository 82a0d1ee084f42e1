//===- FloatKernels.cpp - Functions of float matrices -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatKernels.h"

#include "FloatProduct.h"
#include "FloatRows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <Eigen/Core>

using namespace vitq::interp;

template <typename Real>
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename Real>
using ConstMap = Eigen::Map<const Matrix<Real>>;
template <typename Real>
using MutableMap = Eigen::Map<Matrix<Real>>;
template <typename Real>
using ConstRow = Eigen::Map<const Eigen::Matrix<Real, 1, Eigen::Dynamic>>;

/// y = scale * a * b + bias, or of b^T; `bias` may be null.
template <typename Real>
static void product(const Real *a, const Real *b, bool transposed, double scale, const Real *bias, Real *y, int64_t m,
                    int64_t n, int64_t k) {
  if constexpr (std::is_same_v<Real, float>) {
    multiplyFloats(a, b, transposed, static_cast<float>(scale), bias, y, m, n, k);
    return;
  }
  MutableMap<Real> result(y, m, n);
  if (transposed)
    result.noalias() = ConstMap<Real>(a, m, k) * ConstMap<Real>(b, n, k).transpose();
  else
    result.noalias() = ConstMap<Real>(a, m, k) * ConstMap<Real>(b, k, n);
  if (scale != 1.0)
    result *= static_cast<Real>(scale);
  if (bias)
    result.rowwise() += ConstRow<Real>(bias, n);
}

template <typename Real>
void vitq::interp::multiplyTransposed(const Real *a, const Real *b, const Real *bias, Real *y, int64_t m, int64_t n,
                                      int64_t k, double scale) {
  product(a, b, /*transposed=*/true, scale, bias, y, m, n, k);
}

template <typename Real>
void vitq::interp::multiply(const Real *a, const Real *b, Real *y, int64_t m, int64_t n, int64_t k, double scale) {
  product<Real>(a, b, /*transposed=*/false, scale, nullptr, y, m, n, k);
}

template <typename Real>
double vitq::interp::exponentialRow(const Real *x, Real *e, int64_t n) {
  if constexpr (std::is_same_v<Real, float>)
    return exponentialFloats(x, e, n);
  Real max = *std::max_element(x, x + n);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    e[i] = std::exp(x[i] - max);
    sum += e[i];
  }
  return sum;
}

template <typename Real>
void vitq::interp::divideRow(const Real *x, double divisor, Real *y, int64_t n) {
  if constexpr (std::is_same_v<Real, float>)
    return divideFloats(x, divisor, y, n);
  std::transform(x, x + n, y, [=](Real value) { return static_cast<Real>(value / divisor); });
}

template <typename Real>
void vitq::interp::layerNormRow(const Real *x, const Real *gamma, const Real *beta, Real *y, int64_t n, double eps,
                                bool centered) {
  if constexpr (std::is_same_v<Real, float>)
    return layerNormFloats(x, gamma, beta, y, n, eps, centered);
  double sum = 0, squares = 0;
  for (int64_t i = 0; centered && i < n; ++i)
    sum += x[i];
  double mean = sum / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i)
    squares += (x[i] - mean) * (x[i] - mean);
  double inverse = 1.0 / std::sqrt(squares / static_cast<double>(n) + eps);
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<Real>((x[i] - mean) * inverse * gamma[i] + beta[i]);
}

/// Calls `tap(tap, from)` for each element of the window of result (row, column): its number, and its place in the
/// map, or -1 outside.
template <typename Tap>
static void forEachTap(const Convolution &conv, int64_t row, int64_t column, Tap tap) {
  const vitq::vit::Windows &windows = conv.windows;
  const int64_t height = conv.input[1], width = conv.input[2];
  for (int64_t i = 0; i < windows.size[0]; ++i)
    for (int64_t j = 0; j < windows.size[1]; ++j) {
      const int64_t h = windows.first(0, row) + i * windows.dilations[0],
                    w = windows.first(1, column) + j * windows.dilations[1];
      tap(i * windows.size[1] + j, h >= 0 && h < height && w >= 0 && w < width ? h * width + w : -1);
    }
}

/// The weight's rows with the channels last, [D, K_h * K_w, C/groups].
template <typename Real>
static std::vector<Real> tapRows(const Convolution &conv, const Real *w) {
  const int64_t outputs = conv.weight[0], channels = conv.weight[1], taps = conv.weight[2] * conv.weight[3];
  std::vector<Real> rows(outputs * channels * taps);
  for (int64_t d = 0; d < outputs; ++d)
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t tap = 0; tap < taps; ++tap)
        rows[(d * taps + tap) * channels + c] = w[(d * channels + c) * taps + tap];
  return rows;
}

/// One channel in, one out.
template <typename Real>
static void convolveDepthwise(const Convolution &conv, const Real *x, const Real *w, const Real *bias, Real *y) {
  const int64_t channels = conv.input[3], taps = conv.weight[2] * conv.weight[3];
  std::vector<Real> byTap(taps * channels), outside(channels, Real(0));
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t tap = 0; tap < taps; ++tap)
      byTap[tap * channels + c] = w[c * taps + tap];
  std::copy(conv.padding.begin(), conv.padding.end(), outside.begin());
  for (int64_t batch = 0; batch < conv.input[0]; ++batch) {
    const Real *map = x + batch * conv.input[1] * conv.input[2] * channels;
    for (int64_t row = 0; row < conv.result[1]; ++row)
      for (int64_t column = 0; column < conv.result[2]; ++column, y += channels) {
        for (int64_t c = 0; c < channels; ++c)
          y[c] = bias ? bias[c] : Real(0);
        forEachTap(conv, row, column, [&](int64_t tap, int64_t from) {
          if (from < 0 && conv.padding.empty())
            return;
          const Real *values = from < 0 ? outside.data() : map + from * channels, *weight = &byTap[tap * channels];
          for (int64_t c = 0; c < channels; ++c)
            y[c] += values[c] * weight[c];
        });
      }
  }
}

template <typename Real>
void vitq::interp::convolve(const Convolution &conv, const Real *x, const Real *w, const Real *bias, Real *y) {
  if (conv.groups == conv.input[3] && conv.groups == conv.weight[0])
    return convolveDepthwise(conv, x, w, bias, y);
  const int64_t channels = conv.weight[1], outputs = conv.weight[0] / conv.groups;
  const int64_t taps = conv.weight[2] * conv.weight[3], depth = taps * channels;
  const std::vector<Real> rows = tapRows(conv, w);
  // Some rows of the result at a time.
  const int64_t block = std::max<int64_t>(1, 512 / conv.result[2]);
  std::vector<Real> windows(block * conv.result[2] * depth), sums(block * conv.result[2] * outputs);
  for (int64_t batch = 0; batch < conv.input[0]; ++batch)
    for (int64_t first = 0; first < conv.result[1]; first += block)
      for (int64_t group = 0; group < conv.groups; ++group) {
        const Real *map = x + batch * conv.input[1] * conv.input[2] * conv.input[3] + group * channels;
        const int64_t last = std::min(first + block, conv.result[1]), count = (last - first) * conv.result[2];
        Real *to = windows.data();
        for (int64_t row = first; row < last; ++row)
          for (int64_t column = 0; column < conv.result[2]; ++column)
            forEachTap(conv, row, column, [&](int64_t, int64_t from) {
              for (int64_t c = 0; c < channels; ++c)
                *to++ = from >= 0              ? map[from * conv.input[3] + c]
                        : conv.padding.empty() ? Real(0)
                                               : static_cast<Real>(conv.padding[group * channels + c]);
            });
        product<Real>(windows.data(), rows.data() + group * outputs * depth, /*transposed=*/true, /*scale=*/1,
                      bias ? bias + group * outputs : nullptr, sums.data(), count, outputs, depth);
        Real *result = y + ((batch * conv.result[1] + first) * conv.result[2]) * conv.result[3] + group * outputs;
        for (int64_t i = 0; i < count; ++i)
          std::copy_n(sums.data() + i * outputs, outputs, result + i * conv.result[3]);
      }
}

// A type cannot stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define VITQ_INSTANTIATE(Real)                                                                                         \
  template void vitq::interp::multiplyTransposed(const Real *, const Real *, const Real *, Real *, int64_t, int64_t,   \
                                                 int64_t, double);                                                     \
  template void vitq::interp::multiply(const Real *, const Real *, Real *, int64_t, int64_t, int64_t, double);         \
  template double vitq::interp::exponentialRow(const Real *, Real *, int64_t);                                         \
  template void vitq::interp::divideRow(const Real *, double, Real *, int64_t);                                        \
  template void vitq::interp::layerNormRow(const Real *, const Real *, const Real *, Real *, int64_t, double, bool);   \
  template void vitq::interp::convolve(const Convolution &, const Real *, const Real *, const Real *, Real *);
// NOLINTEND(bugprone-macro-parentheses)
VITQ_INSTANTIATE(float)
VITQ_INSTANTIATE(double)
