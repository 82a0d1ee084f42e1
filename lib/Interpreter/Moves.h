//===- Moves.h - Tensors as rows of a matrix -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_MOVES_H
#define VITQ_LIB_INTERPRETER_MOVES_H

#include "dialects/vit/ShapeInference.h"
#include "vitq/Tensor/Moves.h"

namespace vitq::interp {

/// `tensor` as a matrix whose columns run over `axes` and whose rows run over
/// the others.
Tensor reductionRows(const Tensor &tensor, llvm::ArrayRef<int64_t> axes);

/// The patches of a [B, H, W, C] (`channelsLast`) or [B, C, H, W] image as rows
/// [B, patches, elements]: in the order (i, j, c) or (c, i, j). `channelOrder`
/// chooses (c, i, j) for both.
Tensor patchRows(const Tensor &image, int64_t patchHeight, int64_t patchWidth, bool channelsLast, bool channelOrder);

/// Rows [B * H' * W', K_h * K_w * channels] of windows on the channels from `first` on of a map [B, H, W, C], elements
/// in the order (row, column, channel), or with `channelOrder` (channel, row, column). `padding(c)` stands outside of
/// the map in channel c.
Tensor windowRows(const Tensor &map, const vit::Windows &windows, int64_t first, int64_t channels, bool channelOrder,
                  llvm::function_ref<int64_t(int64_t)> padding);

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_MOVES_H
