//===- RecoverPatternsHeads.h - Heads of attention ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TRANSFORMS_RECOVERPATTERNSHEADS_H
#define VITQ_LIB_TRANSFORMS_RECOVERPATTERNSHEADS_H

#include "RecoverPatterns.h"

namespace vitq::recover {

/// A matmul's operand as heads of a linear's result [B, N, C].
struct Heads {
  vit::LinearOp linear;
  int64_t batch = 1, tokens = 1, heads = 1, size = 1;
  /// Channel `offset + h * headStride + i * stride` is element i of head h.
  int64_t offset = 0, headStride = 0, stride = 1;
  unsigned numOps = 0;

  /// Whether they are all channels of the linear, in their order.
  bool isWhole() const;
};

/// Takes the factor `{size, stride}` off the front, if it is there.
bool takeFront(llvm::ArrayRef<Factor> &factors, int64_t size, int64_t stride);

/// `operand` as heads; where it is none, `reason` says why. `channelsLast`: the operand is
/// [..., N, d], otherwise [..., d, N].
llvm::FailureOr<Heads> matchHeads(mlir::Value operand, bool channelsLast, const char *&reason);

/// The heads as [B, H, N, d]: reshape to [B, N, H, d], transpose [0, 2, 1, 3]. Those of a
/// packed projection get a linear of their own, with its name and `role`.
llvm::FailureOr<mlir::Value> makeHeads(mlir::PatternRewriter &rewriter, mlir::Location loc, const Heads &heads,
                                       llvm::StringRef role);

/// Whether the operand has the form makeHeads gives.
bool isCanonical(const Heads &heads, mlir::Value operand);

} // namespace vitq::recover

#endif // VITQ_LIB_TRANSFORMS_RECOVERPATTERNSHEADS_H
