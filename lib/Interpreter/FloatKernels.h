//===- FloatKernels.h - Functions of float matrices -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_FLOATKERNELS_H
#define VITQ_LIB_INTERPRETER_FLOATKERNELS_H

#include "dialects/vit/ShapeInference.h"
#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

namespace vitq::interp {

/// y[m, n] = scale * sum_k a[m, k] * b[n, k] + bias[n]; `bias` may be null.
template <typename Real>
void multiplyTransposed(const Real *a, const Real *b, const Real *bias, Real *y, int64_t m, int64_t n, int64_t k,
                        double scale = 1.0);

/// y[m, n] = scale * sum_k a[m, k] * b[k, n].
template <typename Real>
void multiply(const Real *a, const Real *b, Real *y, int64_t m, int64_t n, int64_t k, double scale);

/// e[i] = exp(x[i] - max x) for one row; returns their sum.
template <typename Real>
double exponentialRow(const Real *x, Real *e, int64_t n);

/// y[i] = x[i] / divisor; y may be x.
template <typename Real>
void divideRow(const Real *x, double divisor, Real *y, int64_t n);

/// One row of a layer normalization; not `centered`: with a mean of 0.
template <typename Real>
void layerNormRow(const Real *x, const Real *gamma, const Real *beta, Real *y, int64_t n, double eps, bool centered);

/// A convolution of maps [B, H, W, C] with a weight [D, C/groups, K_h, K_w]; `padding` has what stands outside of
/// the map for each channel, or nothing for 0.
struct Convolution {
  llvm::ArrayRef<int64_t> input, weight, result;
  vit::Windows windows;
  int64_t groups;
  llvm::ArrayRef<double> padding;
};
/// `bias` may be null.
template <typename Real>
void convolve(const Convolution &conv, const Real *x, const Real *w, const Real *bias, Real *y);

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_FLOATKERNELS_H
