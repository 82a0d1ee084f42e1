//===- RowOpsDetail.h - Shared by the files that build row ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_ROWOPSDETAIL_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_ROWOPSDETAIL_H

#include "MoveOps.h"
#include "RowOps.h"

#include "vitq/Numerics/ReciprocalLines.h"

namespace vitq::kernels {

/// An op on single elements.
struct Elementwise : RowOp {
  /// Whether vectors of 32 bits do.
  virtual bool isNarrow() const = 0;
  bool isElementwise() const override { return isNarrow(); }
  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override;
};

/// What the constructors of row ops share.
struct RowBuilder {
  KernelModule &module;
  MemrefOf memrefOf;
  Value fusedWith;

  /// Rows and columns of a tensor: its last axis is a row.
  std::pair<int64_t, int64_t> rowsOf(Value value) const;
  /// Sets name and shape; `flatten` if the op takes no notice of rows.
  void shape(RowOp &row, llvm::StringRef name, Value primary, bool flatten) const;
  /// Allocates the buffer of a result.
  void result(RowOp &row, Value result, bool perRow = false) const;
  /// An operand that broadcasts to the primary one, and how many rows it has
  /// before it repeats.
  std::pair<Value, int64_t> broadcastOperand(mlir::Location loc, const RowOp &row, Value other) const;
};

/// clamp(zeroPoint + y)
Value finishSum(Emitter &e, Value blob, Value y, Slot zeroPoint, const Clamp &clamp);
/// |x - zero point| <= 2^bits for every x of the type.
unsigned magnitudeBits(Value value);

/// `at`, `by` rows further.
RowContext advanced(Emitter &e, const RowContext &context, Value by);

/// Elements of an operand for the lanes of `x`; 0 for lanes that are not `valid`.
Value loadColumns(Emitter &e, const RowContext &context, Value memref, ValueRange at, Value x);

/// Sums of products of neighbours, two vectors of 16 bits to one of 32, if the
/// target has an instruction for vectors of this length; else null.
Value pairDot(Emitter &e, const TargetDesc &target, Value x, Value y);

/// The entries of a constant table for every byte: of narrow codes there are as many all the same. As they are in
/// memory.
llvm::FailureOr<std::vector<int64_t>> byteTableEntries(integer::TableOp op, const CodeSigns &signs);

/// The row ops of hadamard and threshold.
std::unique_ptr<RowOp> makeHadamard(integer::HadamardOp op, const RowBuilder &build);
std::unique_ptr<RowOp> makeThreshold(integer::ThresholdOp op, const RowBuilder &build);

/// `lines` at the code of 12 bits that `by` brings the positive 64-bit number v to, times
/// 2^(exponent - power * group), rounded down (numerics/ReciprocalLines.h).
struct ScaledLines {
  Slot breakpoints, slopes, intercepts;

  ScaledLines(Blob &blob, const numerics::PiecewiseLinear &lines);
  Value apply(Emitter &e, Value blob, Value v, const numerics::RangeScaling &by, int64_t exponent, int64_t power) const;
};

/// Row ops of pwl and poly_gelu; of table, interpolate and gelu; of softmax and shiftmax; of layer_norm
/// and norm_quant. Null for other ops.
std::unique_ptr<RowOp> makePiecewiseRowOp(mlir::Operation *op, const RowBuilder &build);
std::unique_ptr<RowOp> makeTableRowOp(mlir::Operation *op, const RowBuilder &build);
std::unique_ptr<RowOp> makeSoftmaxRowOp(mlir::Operation *op, const RowBuilder &build);
std::unique_ptr<RowOp> makeLayerNormRowOp(mlir::Operation *op, const RowBuilder &build);
/// Any of these.
std::unique_ptr<RowOp> makeNonlinearRowOp(mlir::Operation *op, const RowBuilder &build);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_ROWOPSDETAIL_H
