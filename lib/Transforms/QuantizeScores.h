//===- QuantizeScores.h - Scores to which constants are added -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_QUANTIZESCORES_H
#define LIB_TRANSFORMS_QUANTIZESCORES_H

#include "QuantizeDetail.h"

#include "dialects/vit/Vit.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SetVector.h"

namespace vitq::quantize {

/// What vit-quantize finds out about the sums of scores and constants (a bias for each position,
/// a mask) that softmax reads, before their constants become codes.
class BiasedScores {
public:
  explicit BiasedScores(double headroom) : headroom(headroom) {}

  /// `axisOf` a product of activations is the axis along which its accumulator's scales vary.
  /// Without `keepAccumulators` no sum is exact.
  void find(mlir::func::FuncOp function, bool keepAccumulators, llvm::function_ref<int64_t(vit::MatmulOp)> axisOf);

  /// Whether `value` is such a sum.
  bool isMasked(mlir::Value value) const { return masked.contains(value); }

  /// Whether `op` is one that stays an accumulator: the constant is brought to the unit of the
  /// product, that of each head where heads have scales of their own. False for null.
  bool isExactSum(mlir::Operation *op) const { return exact.contains(op); }

  /// What is below this in the constant operand `index` of a sum need not be told apart: where
  /// the constant masks scores, any sum with it has the lowest code.
  double lowestTerm(mlir::Operation *sum, unsigned index) const;

  /// Gives the exact sums their codes, those of the accumulator, when the operands of its product
  /// have theirs.
  void quantizeExactSums(mlir::RewriterBase &rewriter, QuantizedLayout layout) const;

private:
  void findExactSums(vit::MatmulOp product, int64_t axis);
  bool fits(vit::AddOp sum, unsigned index, double unit) const;

  double headroom;
  llvm::DenseSet<mlir::Value> masked;
  llvm::SetVector<mlir::Operation *> exact;
};

} // namespace vitq::quantize

#endif // LIB_TRANSFORMS_QUANTIZESCORES_H
