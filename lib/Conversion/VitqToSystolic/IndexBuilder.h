//===- IndexBuilder.h - Indices and loops of routines -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_INDEXBUILDER_H
#define VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_INDEXBUILDER_H

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/IR/Builders.h"

namespace vitq::systolic {

/// Builds indices, which are attributes as long as they are known, and loops over them; a loop of
/// one turn, or of none, is none.
class IndexBuilder {
public:
  using Body = llvm::function_ref<void(mlir::OpFoldResult)>;

  IndexBuilder(mlir::OpBuilder &builder, mlir::Location loc) : b(builder), loc(loc) {}
  /// Constants stand at the block's start, each once.
  void setEntry(mlir::Block *block) { entry = block; }

  mlir::OpFoldResult constant(int64_t value) const { return b.getIndexAttr(value); }
  mlir::Value valueOf(mlir::OpFoldResult index);
  llvm::SmallVector<mlir::Value> valuesOf(llvm::ArrayRef<mlir::OpFoldResult> indices);

  /// d0, d1 ... in expressions.
  mlir::AffineExpr dim(unsigned position) const { return b.getAffineDimExpr(position); }
  /// `expr` of d0, d1 ...
  mlir::OpFoldResult apply(mlir::AffineExpr expr, llvm::ArrayRef<mlir::OpFoldResult> operands);
  /// The smaller of `most` and `expr` of d0.
  mlir::OpFoldResult least(int64_t most, mlir::AffineExpr expr, mlir::OpFoldResult index);
  /// The smaller of `most` and total - (first + index) * unit: what is left for a tile.
  mlir::OpFoldResult rest(int64_t most, int64_t total, int64_t first, mlir::OpFoldResult index, int64_t unit);

  void loop(int64_t low, int64_t high, Body body);
  /// Those of `total` things that belong to place `place + offset` of `positions`, when they are
  /// spread evenly; none before place 0.
  void spread(mlir::OpFoldResult place, int64_t offset, int64_t positions, int64_t total, Body body);
  /// The same, each as early as it can be: the first of them at place 0.
  void spreadEarly(mlir::OpFoldResult place, int64_t positions, int64_t total, Body body);
  /// Once if `place` is `value`.
  void onlyAt(mlir::OpFoldResult place, int64_t value, llvm::function_ref<void()> body);

protected:
  mlir::OpBuilder &b;
  mlir::Location loc;

private:
  /// From the largest of `low` to the smallest of `high`, expressions of `place`.
  void loopBetween(mlir::OpFoldResult place, llvm::ArrayRef<mlir::AffineExpr> low,
                   llvm::ArrayRef<mlir::AffineExpr> high, Body body);

  mlir::Block *entry = nullptr;
  llvm::DenseMap<int64_t, mlir::Value> constants;
};

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_INDEXBUILDER_H
