//===- MoveOps.h - Kernels that only move elements -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_MOVEOPS_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_MOVEOPS_H

#include "KernelModule.h"
#include "RowOps.h"

namespace vitq::kernels {

/// `memref` repeated to `shape`, as NumPy does.
Value broadcastTo(mlir::Location loc, KernelModule &module, Value memref, llvm::ArrayRef<int64_t> shape);

/// The result that reads axis `permutation[i]` of `memref` along its axis i.
Value transpose(mlir::Location loc, KernelModule &module, Value memref, llvm::ArrayRef<int64_t> permutation);

/// Lowers transpose, slice, concat, gather, broadcast, pad, extract_patches and
/// sum; the buffer of the result, or null if `op` is none of them.
Value lowerMoveOp(mlir::Operation *op, KernelModule &module, MemrefOf memrefOf);

/// The same for max_pool and resample.
Value lowerWindowOp(mlir::Operation *op, KernelModule &module, MemrefOf memrefOf);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_MOVEOPS_H
