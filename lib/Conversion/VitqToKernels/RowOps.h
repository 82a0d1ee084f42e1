//===- RowOps.h - Kernels that work row by row -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_ROWOPS_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_ROWOPS_H

#include "KernelModule.h"
#include "Rescale.h"

namespace vitq::kernels {

/// Looks up the memref of `@main` that holds a tensor.
using MemrefOf = llvm::function_ref<Value(Value)>;

/// Where one row is computed. Outside of fused kernels the three rows are one.
struct RowContext {
  /// Holds the row of the main operand, at `primaryRow`.
  Value primary, primaryRow;
  /// Row of the op's result: what per-row constants belong to.
  Value row;
  ValueRange operands, results;
  Value blob;
  /// Row of `results` to write, and of the other operands to read.
  Value resultRow, operandRow;
  /// How many rows, one behind the other, are computed as one, by an op that joins rows.
  int64_t joined = 1;
  /// Of a vector of elements, how many operands have in memory; 0: all.
  int64_t valid = 0;
  /// Columns that rows of `primary` and of the first result have room for; 0: no more than there are.
  int64_t room = 0;

  static RowContext ofRow(Value row, ValueRange operands, ValueRange results, Value blob) {
    return {Value(), row, row, operands, results, blob, row, row};
  }
};

/// The code of rows in pieces of some columns, which other code may stand between.
class RowPieces {
public:
  virtual ~RowPieces() = default;
  virtual int64_t columns() const = 0;
  /// How often a piece pauses, at most.
  virtual int64_t pauses() const = 0;
  /// What the rows of one function share, of which `context` has the operands.
  virtual void start(Emitter &e, const RowContext &context) = 0;
  /// What a row must know of all its elements before.
  virtual Value survey(Emitter &e, const RowContext &context) = 0;
  /// A row of which `known` is known; returns what its pieces carry.
  virtual Value startRow(Emitter &e, Value known) = 0;
  /// Columns `col` and on, as many as `columns()`; `pause` is called now and then.
  virtual Value emit(Emitter &e, const RowContext &context, Value carried, Value col,
                     llvm::function_ref<void()> pause) = 0;
  /// The columns that fill no piece, and what is known at the end of the row.
  virtual void finishRow(Emitter &e, const RowContext &context, Value carried, llvm::function_ref<void()> pause) = 0;
};

/// An op whose result rows depend on the same rows of its operands, all seen as
/// [rows, cols]. It becomes a kernel of its own, or the epilogue of a contraction.
class RowOp {
public:
  virtual ~RowOp() = default;

  /// The code of one row.
  virtual void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const = 0;
  /// The code of `count` rows, that of `context` and those behind it.
  virtual void emitRows(Emitter &e, const TargetDesc &target, const RowContext &context, int64_t count) const;
  /// How many rows `emitRows` computes side by side, where the steps of one wait for each other.
  virtual int64_t rowsAtOnce(const TargetDesc &) const { return 1; }

  /// The same in pieces, where columns have so much `room`, and rows that follow each other, `sharing` of them from a
  /// multiple of it on, share their constants; null where there is no such code, or it leaves no registers.
  virtual std::unique_ptr<RowPieces> pieces(const TargetDesc &, int64_t /*room*/, int64_t /*sharing*/) const {
    return nullptr;
  }

  /// Whether a result depends on its element alone, wherever that is.
  virtual bool joinsRows() const { return false; }

  /// Whether `emitElements` computes the op on vectors of elements, within 32 bits:
  /// a contraction then applies it to accumulators in registers.
  virtual bool isElementwise() const { return false; }
  /// Values that the elements of a row share.
  virtual Values emitRowStart(Emitter &, const RowContext &) const { return {}; }
  /// Results for `x`, elements (row, col ...) of the main operand.
  virtual Value emitElements(Emitter &, const RowContext &, ValueRange /*start*/, Value /*x*/, Value /*col*/) const {
    return {};
  }

  llvm::StringRef name;
  /// The operand that a contraction may leave in its scratch memory.
  Value primary;
  int64_t rows = 1, cols = 1;
  /// In `@main`, shaped [rows, cols], or [rows] for sums, or as they are.
  Values operands, results;
  /// The tensor that each of `operands` holds; null where it is none of the program's.
  Values tensors;
  /// Those of `operands` of which a row of results needs the same row only.
  llvm::SmallVector<unsigned> rowOperands;
  /// Per result of the op: its buffer in the op's own shape.
  Values buffers;
  Blob blob;

  void addOperand(Value tensor, Value memref) {
    operands.push_back(memref);
    tensors.push_back(tensor);
  }
};

/// Rows `lo` to `hi`: calls `body(row, count)` for groups of `atOnce` rows, then for single ones.
void forRowGroups(Emitter &e, Value lo, Value hi, int64_t atOnce, llvm::function_ref<void(Value, int64_t)> body);

/// The row op of `op`, null if it is none. `fusedWith` is the value that the
/// caller computes itself row by row, or null: then the view may be flattened.
std::unique_ptr<RowOp> makeRowOp(mlir::Operation *op, KernelModule &module, MemrefOf memrefOf, Value fusedWith);

/// The row op of the first ops of a kernel's rest, of which each reads the one before: a table if there is one, a
/// hadamard and a requantization, `count` in all; null where they are none, or where it is not worth while.
std::unique_ptr<RowOp> makeSpreadRowOp(llvm::ArrayRef<mlir::Operation *> ops, size_t &count, KernelModule &module,
                                       MemrefOf memrefOf, Value fusedWith);

/// Calls the kernel of a row op on its own.
void emitRowKernel(mlir::Operation *source, KernelModule &module, RowOp &op, Value primary);

/// Arguments of a kernel for `op`, apart from its main operand, and back.
/// Their indices of which the kernel touches row by row go to `local`.
void appendArguments(mlir::Location loc, KernelModule &module, RowOp &op, Values &args,
                     llvm::SmallVectorImpl<int64_t> &local);
struct RowArguments {
  ValueRange operands, results;
  Value blob;
  /// Takes those of `op` from the front of `in`.
  static RowArguments take(const RowOp &op, ValueRange &in);
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_ROWOPS_H
