//===- Products.h - What products share on their way to integers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_VITTOVITQ_PRODUCTS_H
#define LIB_CONVERSION_VITTOVITQ_PRODUCTS_H

#include "Patterns.h"

namespace vitq::lowering {

/// The bias `bias[n] - zeroPoint * sum_i w[n, i]` (docs/Rules.md, R2), `bias` where the zero point is 0.
mlir::FailureOr<mlir::Value> foldZeroPoint(mlir::Operation *op, mlir::ConversionPatternRewriter &rewriter,
                                           mlir::Value weight, mlir::Value bias, int64_t channels, int64_t zeroPoint);

/// Whether `rhs` has signed codes of at most 8 bits around 0; an error otherwise.
llvm::LogicalResult checkRhs(mlir::Operation *op, mlir::Value rhs);

} // namespace vitq::lowering

#endif // LIB_CONVERSION_VITTOVITQ_PRODUCTS_H
