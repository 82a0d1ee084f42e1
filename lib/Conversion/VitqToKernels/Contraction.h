//===- Contraction.h - Matrix products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A contraction runs over blocks of rows. The rows of a block are widened into
// the operand format of the target's dot product, then output tiles of
// tileRows x tileCols are computed panel by panel, then the consumer, if it was
// fused, reads the finished rows. The right operand is packed into panels of
// tileCols columns, [panels][K / group][tileCols][group]: constants at compile
// time, others at the start of each batch.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_CONTRACTION_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_CONTRACTION_H

#include "RowOps.h"

#include "dialects/vitq/Vitq.h"

namespace vitq::kernels {

/// Operands of the dot product instruction: `group` products of `width`-bit
/// numbers are added into each of `lanes` 32-bit lanes.
struct DotFormat {
  int64_t group, width, lanes;
  /// The left operand is unsigned.
  bool unsignedLhs;
  /// Empty: widening multiplications and additions.
  llvm::StringRef intrinsic;

  static DotFormat of(const TargetDesc &target, unsigned lhsWidth);
};

/// Static facts about one product.
struct Geometry {
  int64_t batch, m, n, k;
  int64_t tileRows, tileCols;
  /// Rows whose accumulators are held at a time.
  int64_t blockRows;
  DotFormat dot;

  int64_t groups() const { return (k + dot.group - 1) / dot.group; }
  int64_t panels() const { return (n + tileCols - 1) / tileCols; }
  int64_t paddedCols() const { return panels() * tileCols; }
  int64_t panelBytes() const { return panels() * groups() * tileCols * dot.group * dot.width / 8; }

  static Geometry of(integer::MatmulOp op, const TargetDesc &target);
};

/// The right operand in panels, zero where there is none.
std::vector<char> packPanels(const Geometry &g, llvm::ArrayRef<char> rhs, bool transposed);

/// Emits code that packs rhs[batch] of shape [batch, N, K] or [batch, K, N] into
/// `panels`, whose padding is zero already.
void emitPack(Emitter &e, const Geometry &g, Value rhs, Value batch, bool transposed, Value panels);

/// The function that computes one tile:
/// (a, panels, bias, c, first row of a, panel, first row of c).
mlir::func::FuncOp tileFunction(mlir::Location loc, KernelModule &module, const Geometry &g, int64_t rows, int64_t cols,
                                mlir::TypeRange memrefs);

/// Lowers a product; with `epilogue` its accumulators go nowhere else.
/// Returns the buffer of the accumulators, null with an epilogue.
Value lowerMatmul(integer::MatmulOp op, KernelModule &module, MemrefOf memrefOf, RowOp *epilogue);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_CONTRACTION_H
