//===- Heads.h - The heads of an attention -----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TRANSFORMS_HEADS_H
#define VITQ_LIB_TRANSFORMS_HEADS_H

#include "dialects/vit/Vit.h"

namespace vitq {

/// A layer `[B, N, C]` whose result is seen as `[B, H, N, C / H]`, by nothing else.
struct Heads {
  vit::LinearOp layer;
  int64_t count = 0;
};

/// The layer behind `operand`, the operand of a product of activations: layer null if it is no such view.
Heads headsOf(mlir::Value operand);

/// The reshape `[B, N, C]` of the transposed `product` `[B, H, N, C / H]`, each read by nothing else; null if there
/// is none.
vit::ReshapeOp mergeOf(mlir::Value product);

} // namespace vitq

#endif // VITQ_LIB_TRANSFORMS_HEADS_H
