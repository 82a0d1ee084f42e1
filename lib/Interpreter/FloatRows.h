//===- FloatRows.h - Functions of rows of floats -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_FLOATROWS_H
#define VITQ_LIB_INTERPRETER_FLOATROWS_H

#include <cstdint>

namespace vitq::interp {

// What FloatKernels.h says of one row. Sums are those of doubles, in eight parts that every
// processor adds in one order.
double exponentialFloats(const float *x, float *e, int64_t n);
void layerNormFloats(const float *x, const float *gamma, const float *beta, float *y, int64_t n, double eps,
                     bool centered);

/// y[i] = x[i] / divisor, rounded once from the quotient of doubles; y may be x.
void divideFloats(const float *x, double divisor, float *y, int64_t n);

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_FLOATROWS_H
