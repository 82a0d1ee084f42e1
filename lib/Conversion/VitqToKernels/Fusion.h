//===- Fusion.h - Which ops one kernel computes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_FUSION_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_FUSION_H

#include "Attention.h"

namespace vitq::kernels {

/// The ops of a block that share kernels: attentions, and products with the ops
/// after them that work row by row.
class FusionPlan {
public:
  FusionPlan() = default;
  explicit FusionPlan(mlir::Block &block);

  /// Whether another op computes `op`.
  bool isPart(mlir::Operation *op) const { return parts.contains(op); }
  /// The product and the ops after it of which `last` is the last; empty if none.
  llvm::ArrayRef<mlir::Operation *> chainOf(mlir::Operation *last) const {
    auto found = chains.find(last);
    return found == chains.end() ? llvm::ArrayRef<mlir::Operation *>() : llvm::ArrayRef(found->second);
  }
  const AttentionOps *attentionOf(mlir::Operation *last) const {
    auto found = attentions.find(last);
    return found == attentions.end() ? nullptr : &found->second;
  }

  /// The op whose patches are the rows of a product and of nothing else.
  integer::ExtractPatchesOp patchesOf(integer::MatmulOp product) const {
    return patches.lookup(product.getOperation());
  }

private:
  void addPatches(integer::MatmulOp product);
  void addAttentions(mlir::Block &block);
  void addChain(integer::MatmulOp product);

  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<mlir::Operation *>> chains;
  llvm::DenseMap<mlir::Operation *, AttentionOps> attentions;
  llvm::DenseMap<mlir::Operation *, integer::ExtractPatchesOp> patches;
  llvm::DenseSet<mlir::Operation *> parts;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_FUSION_H
