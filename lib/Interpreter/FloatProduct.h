//===- FloatProduct.h - Products of float matrices ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_FLOATPRODUCT_H
#define VITQ_LIB_INTERPRETER_FLOATPRODUCT_H

#include <cstdint>

namespace vitq::interp {

/// y[m, n] = scale * sum_k a[m, k] * b[k, n] + bias[n], with b stored as [n, k] if `transposed`;
/// `bias` may be null. Each sum is formed in float from the first k to the last, each product
/// rounded: calibration finds the same ranges on every processor, which a product in the blocks of
/// its caches does not.
void multiplyFloats(const float *a, const float *b, bool transposed, float scale, const float *bias, float *y,
                    int64_t m, int64_t n, int64_t k);

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_FLOATPRODUCT_H
