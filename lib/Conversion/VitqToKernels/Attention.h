//===- Attention.h - Attention in one kernel -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_ATTENTION_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_ATTENTION_H

#include "Contraction.h"

namespace vitq::kernels {

/// The ops of an attention: scores = q * k^T, codes = softmax of their rows,
/// context = codes * v, then an op on the elements of its rows.
struct AttentionOps {
  integer::MatmulOp scores;
  mlir::Operation *softmax = nullptr;
  integer::MatmulOp context;
  mlir::Operation *finish = nullptr;
  /// Exchanges heads and tokens of the result; null if nothing does.
  integer::TransposeOp transpose;
  /// The same for q, k and v: their rows are read where the product before left them.
  integer::TransposeOp transposeOf[3];

  /// The attention that `finish` ends, if all values in between have no other use.
  static std::optional<AttentionOps> match(mlir::Operation *finish);
  /// The ops that need no code of their own.
  llvm::SmallVector<mlir::Operation *> all() const;
};

/// Lowers an attention and returns the buffer of its result.
Value lowerAttention(const AttentionOps &ops, KernelModule &module, MemrefOf memrefOf);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_ATTENTION_H
