//===- Moves.h - Moving elements between boxes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_MOVES_H
#define VITQ_LIB_INTERPRETER_MOVES_H

#include "vitq/Interpreter/Tensor.h"

namespace vitq::interp {

/// Row-major strides, in elements.
llvm::SmallVector<int64_t, 6> stridesOf(llvm::ArrayRef<int64_t> shape);

/// Copies a box of elements of `size` bytes. Strides count elements.
void copyBox(const char *from, llvm::ArrayRef<int64_t> fromStrides, char *to, llvm::ArrayRef<int64_t> toStrides,
             llvm::ArrayRef<int64_t> shape, size_t size);

/// `tensor` broadcast to `shape` as in NumPy; itself when it has that shape.
Tensor broadcastTo(const Tensor &tensor, llvm::ArrayRef<int64_t> shape);

/// `tensor` with its axes permuted.
Tensor transposed(const Tensor &tensor, llvm::ArrayRef<int64_t> permutation);

/// `tensor` as a matrix whose columns run over `axes` and whose rows run over
/// the others.
Tensor reductionRows(const Tensor &tensor, llvm::ArrayRef<int64_t> axes);

/// The patches of a [B, H, W, C] (`channelsLast`) or [B, C, H, W] image as rows
/// [B, patches, elements]: in the order (i, j, c) or (c, i, j). `channelOrder`
/// chooses (c, i, j) for both.
Tensor patchRows(const Tensor &image, int64_t patchHeight, int64_t patchWidth, bool channelsLast, bool channelOrder);

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_MOVES_H
