//===- AttentionKernel.h - The kernel of an attention -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_ATTENTIONKERNEL_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_ATTENTIONKERNEL_H

#include "Attention.h"
#include "HeadRows.h"

namespace vitq::kernels {

/// A right operand of all heads, packed.
struct Packed {
  Value panels, bias;
};

/// An op on the rows of one of the products.
struct Stage {
  mlir::Operation *op = nullptr;
  std::unique_ptr<RowOp> row;
  /// Which of its operands are results of ops before it in the kernel: null for others.
  Values inside;
  /// Where in scratch memory its results lie; none of the last stage's, which are the kernel's.
  llvm::SmallVector<int64_t> resultOffsets;
  RowArguments arguments;

  bool readsScratch() const {
    return llvm::any_of(inside, [](Value value) { return static_cast<bool>(value); });
  }
  bool readsMemory() const { return llvm::is_contained(inside, Value()); }
};

/// Emits the calls of one attention (Attention.cpp) and the body of its kernel (AttentionBody.cpp).
class AttentionKernel {
public:
  AttentionKernel(const KernelParts &parts, llvm::ArrayRef<mlir::Operation *> moves, KernelModule &module,
                  MemrefOf memrefOf);
  Value emitCalls();

private:
  HeadRows rowsOf(Value tensor);
  HeadRows rowsOfResult(Value buffer);
  bool makeStages(llvm::ArrayRef<mlir::Operation *> ops, integer::MatmulOp product,
                  llvm::SmallVectorImpl<Stage> &stages);
  void prepareScratch();
  void reserveResults(llvm::MutableArrayRef<Stage> stages, int64_t paddedCols);
  Packed pack(const Geometry &geometry, const LeftFormat &left, integer::MatmulOp op);
  void takeArguments(ValueRange in);
  void emitUnits(Emitter &e, Value first, Value last);
  void emitUnit(Emitter &e, Value head, Value token, int64_t rows);
  void emitScores(Emitter &e, Value head, Value token, int64_t rows);
  void emitScoreStages(Emitter &e, Value firstRow, int64_t rows);
  void emitRows(Emitter &e, const Stage &stage, Value primary, ValueRange operands, ValueRange results, Value opBlob,
                Value firstRow, int64_t rows);
  void callRows(Emitter &e, const Stage &stage, Value primary, ValueRange results, Value firstRow, int64_t rows);
  Value emitCodeWords(Emitter &e, int64_t rows);
  void emitContext(Emitter &e, Value head, Value token, int64_t rows);
  void emitContextStages(Emitter &e, Value sums, Value row, Value resultRow, int64_t rows,
                         llvm::ArrayRef<Values> operandsOfStages);
  Values operandsOf(Emitter &e, const Stage &stage);
  Value resultView(Emitter &e, const Stage &stage, unsigned index);
  Value scoresView(Emitter &e);
  void widen(Emitter &e, const Geometry &geometry, const LeftFormat &left, Slot zeroPoint, Value to, int64_t row,
             int64_t cols, llvm::function_ref<Value(Value, int64_t)> load);
  Value scratchView(Emitter &e, int64_t offset, llvm::ArrayRef<int64_t> shape, int64_t width) {
    return mlir::memref::ViewOp::create(e.b, e.loc, mlir::MemRefType::get(shape, e.intType(width)), scratch,
                                        e.index(offset), ValueRange());
  }
  /// Elements from one row of codes to the next: vectors may reach beyond the last one.
  int64_t codesStride() const {
    return llvm::alignTo(std::max(contextGeometry.paddedDepth(), scoresGeometry.paddedCols()), 64);
  }
  int64_t reserve(int64_t bytes) {
    const int64_t offset = scratchBytes;
    scratchBytes += llvm::alignTo(bytes, 64);
    return offset;
  }
  bool readsCodes() const {
    return codesFormat.width == contextGeometry.dot.width && codesFormat.isUnsigned == contextGeometry.dot.unsignedLhs;
  }

  KernelParts parts;
  llvm::ArrayRef<mlir::Operation *> moves;
  KernelModule &module;
  MemrefOf memrefOf;
  mlir::Location loc;
  Geometry scoresGeometry, contextGeometry;
  LeftFormat queryFormat, codesFormat;
  HeadRows query;
  llvm::SmallVector<Stage> scoreStages, contextStages;
  int64_t headCount, tokens, scratchBytes = 0, queryOffset = 0, scoresOffset = 0, codesOffset = 0, wordsOffset = 0,
                             contextOffset = 0;
  /// Whether the ops on the context work on its sums in registers.
  bool inTile = false;
  /// How many of the first ops on the scores do.
  size_t tileStages = 0;
  Slot queryZeroPoint, codesZeroPoint;
  Blob blob;
  HeadRows result;

  // Values of the function that is being built.
  Value queryIn, scratch, blobIn, resultIn;
  Packed keys, values;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_ATTENTIONKERNEL_H
