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

/// A tile of rows of one head, and which row of the tensor its first one is.
struct Unit {
  Value head, tile, token, row;
  int64_t rows = 0;
};

/// Emits the calls of one attention (Attention.cpp) and the body of its kernel (AttentionBody.cpp), in which
/// units may overlap (AttentionOverlap.cpp).
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
  void reserveResults(llvm::MutableArrayRef<Stage> stages, int64_t stride);
  Packed pack(const Geometry &geometry, const LeftFormat &left, integer::MatmulOp op);
  void takeArguments(ValueRange in);
  void emitUnits(Emitter &e, Value first, Value last);
  Unit unitAt(Emitter &e, Value number) const;
  void forUnit(Emitter &e, Value number, llvm::function_ref<void(const Unit &)> emit) const;
  void emitScores(Emitter &e, Value head, Value token, int64_t rows);
  void emitScoreStages(Emitter &e, Value firstRow, int64_t rows);
  void emitRows(Emitter &e, const Stage &stage, Value primary, ValueRange operands, ValueRange results, Value opBlob,
                Value firstRow, int64_t rows);
  void callRows(Emitter &e, const Stage &stage, Value primary, ValueRange results, Value firstRow, int64_t rows);
  Value emitCodeWords(Emitter &e, int64_t rows);
  void emitContext(Emitter &e, Value head, Value token, int64_t rows);
  void emitContextStages(Emitter &e, Value sums, Value row, Value resultRow, int64_t rows,
                         llvm::ArrayRef<Values> operandsOfStages);
  int64_t rowsBeside() const;
  void emitUnitsAhead(Emitter &e, Value first, Value last);
  void callBeside(Emitter &e, TileCaller &tiles, const Panel &panel, const TilePlace &place, int64_t rows);
  Value topsView(Emitter &e);
  Values operandsOf(Emitter &e, const Stage &stage);
  Value resultView(Emitter &e, const Stage &stage, unsigned index);
  Value scoresView(Emitter &e);
  void widen(Emitter &e, const Geometry &geometry, const LeftFormat &left, Slot zeroPoint, Value to, int64_t row,
             int64_t cols, llvm::function_ref<Value(Value, int64_t)> load);
  Value scratchView(Emitter &e, int64_t offset, llvm::ArrayRef<int64_t> shape, int64_t width) {
    return scratchView(e, e.index(offset), shape, width);
  }
  Value scratchView(Emitter &e, Value offset, llvm::ArrayRef<int64_t> shape, int64_t width) {
    return mlir::memref::ViewOp::create(e.b, e.loc, mlir::MemRefType::get(shape, e.intType(width)), scratch, offset,
                                        ValueRange());
  }
  /// Bytes from one row of a tile to the next, a line more where few sets of a cache would hold them all.
  static int64_t spreadRows(int64_t bytes) { return bytes % 1024 ? bytes : bytes + 64; }
  /// Elements from one row of scores to the next, of codes too: vectors may reach beyond the last one.
  int64_t scoresStride() const { return spreadRows(scoresGeometry.paddedCols() * 4) / 4; }
  int64_t codesStride() const {
    return spreadRows(llvm::alignTo(std::max(contextGeometry.paddedDepth(), scoresGeometry.paddedCols()), 64));
  }
  int64_t bytesOfCodes() const {
    return llvm::alignTo(scoresGeometry.tileRows * codesStride() * codesFormat.width / 8 + 64, 64);
  }
  int64_t bytesOfSums() const { return llvm::alignTo(scoresGeometry.tileRows * 4, 64); }
  int64_t reserve(int64_t bytes) {
    const int64_t offset = scratchBytes;
    scratchBytes += llvm::alignTo(bytes, 64);
    return offset;
  }
  bool readsCodes() const {
    return codesFormat.width == contextGeometry.leftWidth() &&
           codesFormat.isUnsigned == contextGeometry.dot.unsignedLhs;
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
                             contextOffset = 0, topsOffset = 0;
  /// Whether the ops on the context work on its sums in registers.
  bool inTile = false;
  /// How many of the first ops on the scores do.
  size_t tileStages = 0;
  /// `rowsBeside()`. If there are any, results of the last op on the scores have two places, of even and odd units.
  int64_t besideRows = 0;
  Slot queryZeroPoint, codesZeroPoint;
  Blob blob;
  HeadRows result;

  // Values of the function that is being built.
  Value queryIn, scratch, blobIn, resultIn;
  Packed keys, values;
  /// Of the unit whose codes are meant, and the first row of the next one.
  Value parity, nextRow;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_ATTENTIONKERNEL_H
