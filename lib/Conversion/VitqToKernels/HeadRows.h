//===- HeadRows.h - Rows of the heads of an attention -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_HEADROWS_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_HEADROWS_H

#include "KernelModule.h"

namespace vitq::kernels {

/// An operand or result [heads..., tokens, columns] in memory, where rows of columns
/// are whole and everything else may be in any order.
struct HeadRows {
  /// [rows, columns]
  Value memref;
  /// Of the axes of heads, outermost first: how many, and how many rows one is apart from the
  /// next. Axes that one distance serves are one.
  llvm::SmallVector<int64_t> sizes, strides;
  /// Rows between one token and the next.
  int64_t tokenStride = 1;

  /// For a tensor of shape `shape`, of which axis i is axis `axes[i]` in memory; by default
  /// they are in order.
  static HeadRows of(KernelModule &module, mlir::Location loc, Value memref, llvm::ArrayRef<int64_t> shape,
                     llvm::ArrayRef<int64_t> axes = {});
  /// All rows.
  int64_t count() const;
  /// The row of token 0 of a head.
  Value first(Emitter &e, Value head) const;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_HEADROWS_H
