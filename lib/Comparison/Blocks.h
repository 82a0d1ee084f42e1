//===- Blocks.h - Which transformer block a value belongs to -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_COMPARISON_BLOCKS_H
#define VITQ_LIB_COMPARISON_BLOCKS_H

#include "vitq/Comparison/Comparison.h"

#include "llvm/ADT/DenseMap.h"

namespace vitq::comparison {

/// Whether this adds two values to a residual stream (a position embedding is
/// constant and does not).
bool isResidualAdd(mlir::Operation *op);

/// The blocks of the ops of a float function: by name, or, where each block has
/// two residual sums and one softmax, by counting.
llvm::DenseMap<mlir::Operation *, int64_t> findBlocks(mlir::func::FuncOp function);

} // namespace vitq::comparison

#endif // VITQ_LIB_COMPARISON_BLOCKS_H
