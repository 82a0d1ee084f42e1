//===- Heads.cpp - The heads of an attention ---------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Heads.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::vit;

static bool swapsHeads(TransposeOp op) { return op.getPermutation() == ArrayRef<int64_t>{0, 2, 1, 3}; }

/// [B, N, C] and [B, N, H, d].
static bool isSplit(Value tokens, Value heads) {
  ArrayRef<int64_t> from = shapeOf(tokens), to = shapeOf(heads);
  return from.size() == 3 && to.size() == 4 && from.take_front(2) == to.take_front(2);
}

Heads vitq::headsOf(Value operand) {
  auto transpose = operand.getDefiningOp<TransposeOp>();
  if (!transpose || !swapsHeads(transpose))
    return {};
  auto reshape = transpose.getInput().getDefiningOp<ReshapeOp>();
  if (!reshape || !reshape->hasOneUse() || !transpose->hasOneUse())
    return {};
  auto layer = reshape.getInput().getDefiningOp<LinearOp>();
  if (!layer || !layer->hasOneUse() || !isSplit(layer.getResult(), reshape.getResult()))
    return {};
  return {layer, shapeOf(reshape.getResult())[2]};
}

ReshapeOp vitq::mergeOf(Value product) {
  auto transpose = product.hasOneUse() ? dyn_cast<TransposeOp>(*product.user_begin()) : TransposeOp();
  if (!transpose || !swapsHeads(transpose) || !transpose->hasOneUse())
    return {};
  auto reshape = dyn_cast<ReshapeOp>(*transpose->user_begin());
  return reshape && isSplit(reshape.getResult(), transpose.getResult()) ? reshape : ReshapeOp();
}
