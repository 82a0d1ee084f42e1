//===- RealArrays.h - Activations over arrays of reals ----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions of RealFunctions.h for whole arrays of floats: formed in doubles with a relative
// error below 2^-44, then rounded, so that a result is the float nearest to the real one but for
// one of about a million, and the next then. Only sums, products, quotients and comparisons are
// in them: vectors of any width and processors of any kind give the same.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_REALARRAYS_H
#define VITQ_NUMERICS_REALARRAYS_H

#include <cstdint>

namespace vitq::numerics {

/// y[i] = f(x[i]) for i < n; y may be x. NaN gives NaN.
using RealArray = void (*)(const float *x, float *y, int64_t n);

void expReals(const float *x, float *y, int64_t n);
void sigmoidReals(const float *x, float *y, int64_t n);
void siluReals(const float *x, float *y, int64_t n);
void geluErfReals(const float *x, float *y, int64_t n);
void geluTanhReals(const float *x, float *y, int64_t n);
void geluQuickReals(const float *x, float *y, int64_t n);

/// The largest of n > 0 numbers. A NaN may be passed over.
float maxReal(const float *x, int64_t n);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_REALARRAYS_H
