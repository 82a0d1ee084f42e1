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

/// The accumulators of `lhs` [..., K], read as `input` says, times the constant `weight` [N, K] transposed, with the
/// zero point in the bias; an error where that leaves 32 bits. `bias` may be null.
mlir::FailureOr<mlir::Value> createProduct(mlir::Operation *op, mlir::ConversionPatternRewriter &rewriter,
                                           mlir::Value lhs, mlir::Value weight, mlir::Value bias,
                                           const UniformParameters &input);

/// Replaces `op` by `sums`, on which its scale is recorded; failure where there are none.
llvm::LogicalResult replaceWithSums(mlir::Operation *op, mlir::ConversionPatternRewriter &rewriter,
                                    mlir::FailureOr<mlir::Value> sums);

/// Whether `rhs` has signed codes of at most 8 bits around 0; an error otherwise.
llvm::LogicalResult checkRhs(mlir::Operation *op, mlir::Value rhs);

} // namespace vitq::lowering

#endif // LIB_CONVERSION_VITTOVITQ_PRODUCTS_H
