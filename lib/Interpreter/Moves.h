//===- Moves.h - Tensors as rows of a matrix -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_MOVES_H
#define VITQ_LIB_INTERPRETER_MOVES_H

#include "vitq/Tensor/Moves.h"

namespace vitq::interp {

/// `tensor` as a matrix whose columns run over `axes` and whose rows run over
/// the others.
Tensor reductionRows(const Tensor &tensor, llvm::ArrayRef<int64_t> axes);

/// The patches of a [B, H, W, C] (`channelsLast`) or [B, C, H, W] image as rows
/// [B, patches, elements]: in the order (i, j, c) or (c, i, j). `channelOrder`
/// chooses (c, i, j) for both.
Tensor patchRows(const Tensor &image, int64_t patchHeight, int64_t patchWidth, bool channelsLast, bool channelOrder);

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_MOVES_H
