//===- RowMatmul.h - Exact integer matrix products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_ROWMATMUL_H
#define VITQ_LIB_INTERPRETER_ROWMATMUL_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

namespace vitq::interp {

/// y[m, n] += sum over `from` <= k < `to` of a[m, k] * b[n, k], modulo 2^32. No
/// sum of two neighbouring products may be 2^31 (only all of them -2^15 is).
void multiplyRows16(const int16_t *a, const int16_t *b, int32_t *y, int64_t m, int64_t n, int64_t k, int64_t from,
                    int64_t to);

/// y[m, n] = bias[n] + sum_k a[m, k] * b[n, k], exactly; `bias` may be empty.
/// Returns whether every result is an int32.
bool multiplyExactly(llvm::ArrayRef<int32_t> a, llvm::ArrayRef<int32_t> b, llvm::ArrayRef<int32_t> bias, int32_t *y,
                     int64_t m, int64_t n, int64_t k);

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_ROWMATMUL_H
