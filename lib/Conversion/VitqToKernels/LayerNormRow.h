//===- LayerNormRow.h - What kinds of normalization share -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_LAYERNORMROW_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_LAYERNORMROW_H

#include "RowOpsDetail.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace vitq::kernels {

/// The arithmetic of numerics::rootBySteps as IR.
struct RootEmitter {
  Emitter &e;
  Value table;

  Value c(uint64_t value) const { return e.constant(e.intType(64), static_cast<int64_t>(value)); }
  Value c(Value value) const { return value; }

  Value clz(Value x) const { return e.op<mlir::LLVM::CountLeadingZerosOp>(x.getType(), x, e.b.getBoolAttr(false)); }
  Value entry(Value i) const { return e.zext(e.load(table, e.toIndexUnsigned(i)), 64); }
  template <typename L, typename R>
  Value add(L x, R y) const {
    return e.add(c(x), c(y));
  }
  template <typename L, typename R>
  Value sub(L x, R y) const {
    return e.sub(c(x), c(y));
  }
  Value mul(Value x, Value y) const { return e.mul(x, y); }
  template <typename R>
  Value shl(Value x, R y) const {
    return e.shl(x, c(y));
  }
  template <typename R>
  Value shr(Value x, R y) const {
    return e.srl(x, c(y));
  }
  Value andC(Value x, uint64_t y) const { return e.op<mlir::arith::AndIOp>(x, c(y)); }
  Value minC(Value x, uint64_t y) const { return e.umin(x, c(y)); }
  template <typename R>
  Value lessSigned(Value x, R y) const {
    return e.zext(e.cmp(mlir::arith::CmpIPredicate::slt, x, c(y)), 64);
  }
};

/// A row that sums of its elements and of their squares normalize.
struct LayerNorm : RowOp {
  bool inputUnsigned, uniformShift, centered = true;
  /// Whether vectors do; else elements are computed one by one, in 64 bits.
  bool fast = false;
  Slot eps, zeroPoint, offsets, multipliers, shifts;
  std::optional<Slot> postOffsets;
  Clamp clamp;

  /// The numbers, of 64 bits, that normalize a row.
  virtual Values statistics(Emitter &e, const TargetDesc &target, const RowContext &context) const = 0;
  virtual void normalize(Emitter &e, const TargetDesc &target, const RowContext &context, ValueRange row) const = 0;
  /// The same for several rows.
  virtual void normalizeRows(Emitter &e, const TargetDesc &target, llvm::ArrayRef<RowContext> contexts,
                             llvm::ArrayRef<Values> rows) const {
    for (auto [context, row] : llvm::zip_equal(contexts, rows))
      normalize(e, target, context, row);
  }

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    normalize(e, target, context, statistics(e, target, context));
  }
  /// A row's root takes longer than its sums, and waits for them: so those of several come first.
  void emitRows(Emitter &e, const TargetDesc &target, const RowContext &context, int64_t count) const override {
    llvm::SmallVector<RowContext> contexts;
    llvm::SmallVector<Values> rows;
    for (int64_t i = 0; i < count; ++i) {
      contexts.push_back(advanced(e, context, e.index(i)));
      rows.push_back(statistics(e, target, contexts.back()));
    }
    normalizeRows(e, target, contexts, rows);
  }

  /// Elements as signed 16-bit numbers, unsigned 16-bit ones less 2^15: neither
  /// algorithm takes notice of a constant that is added to a row.
  Value input16(Emitter &e, const RowContext &context, Value col, int64_t lanes) const {
    Value x = e.load(context.primary, {context.primaryRow, col}, lanes);
    if (widthOf(x) == 16)
      return inputUnsigned ? e.op<mlir::arith::XOrIOp>(x, e.like(x, -32768)) : x;
    return e.extend(x, 16, inputUnsigned);
  }
  /// Sums of the row's elements and of their squares as 64 bits.
  std::pair<Value, Value> sums(Emitter &e, const TargetDesc &target, const RowContext &context) const;
  /// The sum, and V = C * sum of squares - sum^2 + eps.
  std::pair<Value, Value> moments(Emitter &e, const TargetDesc &target, const RowContext &context) const {
    auto [sum, squares] = sums(e, target, context);
    if (!centered)
      sum = e.like(sum, 0);
    Value variance = e.sub(e.mul(squares, cols), e.mul(sum, sum));
    return {sum, e.add(variance, Blob::load(e, context.blob, eps, 64))};
  }

  Value shiftOf(Emitter &e, const RowContext &context, Value col) const {
    Value view = Blob::view(e, context.blob, shifts);
    return e.load(view, uniformShift ? e.index(0) : col);
  }
};

/// The op's constants as they are, offsets of 32 bits if these are `narrow`.
void addLayerNormConstants(LayerNorm &row, integer::LayerNormOp op, bool narrow);

/// The kinds, without what `LayerNorm` has. The second: I-LayerNorm.
std::unique_ptr<LayerNorm> makeExactLayerNorm(integer::LayerNormOp op, const RowBuilder &build);
std::unique_ptr<LayerNorm> makeShiftLayerNorm(integer::LayerNormOp op, integer::NormShiftAttr algorithm,
                                              const RowBuilder &build);
std::unique_ptr<RowOp> makeNormQuant(integer::NormQuantOp op, const RowBuilder &build);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_LAYERNORMROW_H
