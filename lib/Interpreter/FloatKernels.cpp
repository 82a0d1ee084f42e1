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

/// Row (y, x) of `columns` holds the input elements under the kernel there.
template <typename Real>
static void gatherWindows(const Convolution &conv, const Real *x, int64_t firstChannel, Matrix<Real> &columns) {
  int64_t height = conv.input[2], width = conv.input[3], channels = conv.weight[1];
  int64_t kernelHeight = conv.weight[2], kernelWidth = conv.weight[3], resultWidth = conv.result[3];
  columns.setZero(conv.result[2] * resultWidth, channels * kernelHeight * kernelWidth);
  for (int64_t row = 0; row < columns.rows(); ++row) {
    int64_t top = row / resultWidth * conv.strides[0] - conv.pads[0];
    int64_t left = row % resultWidth * conv.strides[1] - conv.pads[1];
    for (int64_t column = 0; column < columns.cols(); ++column) {
      int64_t channel = column / (kernelHeight * kernelWidth);
      int64_t h = top + column / kernelWidth % kernelHeight * conv.dilations[0];
      int64_t w = left + column % kernelWidth * conv.dilations[1];
      if (h >= 0 && h < height && w >= 0 && w < width)
        columns(row, column) = x[((firstChannel + channel) * height + h) * width + w];
    }
  }
}

template <typename Real>
void vitq::interp::convolve(const Convolution &conv, const Real *x, const Real *w, const Real *bias, Real *y) {
  int64_t filters = conv.weight[0] / conv.groups, area = conv.result[2] * conv.result[3];
  Matrix<Real> columns;
  for (int64_t batch = 0; batch < conv.input[0]; ++batch)
    for (int64_t group = 0; group < conv.groups; ++group) {
      gatherWindows(conv, x + batch * conv.input[1] * conv.input[2] * conv.input[3], group * conv.weight[1], columns);
      int64_t first = group * filters;
      Real *results = y + (batch * conv.result[1] + first) * area;
      product<Real>(w + first * columns.cols(), columns.data(), /*transposed=*/true, /*scale=*/1, /*bias=*/nullptr,
                    results, filters, area, columns.cols());
      MutableMap<Real> result(results, filters, area);
      for (int64_t i = 0; bias && i < filters; ++i)
        result.row(i).array() += bias[first + i];
    }
}

#define VITQ_INSTANTIATE(Real)                                                                                         \
  template void vitq::interp::multiplyTransposed(const Real *, const Real *, const Real *, Real *, int64_t, int64_t,   \
                                                 int64_t, double);                                                     \
  template void vitq::interp::multiply(const Real *, const Real *, Real *, int64_t, int64_t, int64_t, double);         \
  template double vitq::interp::exponentialRow(const Real *, Real *, int64_t);                                         \
  template void vitq::interp::divideRow(const Real *, double, Real *, int64_t);                                        \
  template void vitq::interp::layerNormRow(const Real *, const Real *, const Real *, Real *, int64_t, double, bool);   \
  template void vitq::interp::convolve(const Convolution &, const Real *, const Real *, const Real *, Real *);
VITQ_INSTANTIATE(float)
VITQ_INSTANTIATE(double)
