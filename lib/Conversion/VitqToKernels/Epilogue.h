//===- Epilogue.h - What follows sums in their kernel ----- -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_EPILOGUE_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_EPILOGUE_H

#include "RowOps.h"

#include "dialects/vitq/Vitq.h"

namespace vitq::kernels {

/// Ops that one kernel computes with a product: `elementwise` on its sums in
/// registers, or `rowwise` on a block of sums; then `posts` on rows of the results.
struct Epilogue {
  /// The op before it, of whose input the product then reads patches; or null.
  integer::ExtractPatchesOp patches;
  llvm::SmallVector<std::unique_ptr<RowOp>> elementwise;
  std::unique_ptr<RowOp> rowwise;
  llvm::SmallVector<std::unique_ptr<RowOp>> posts;
  /// The ops in the order of the program, after the product.
  llvm::SmallVector<mlir::Operation *> sources;

  bool empty() const { return elementwise.empty() && !rowwise; }

  /// Appends the arguments of all ops to those of a call, and their names to the kernel's. `local` as of the function
  /// for one op.
  void appendArguments(mlir::Location loc, KernelModule &module, Values &args, std::string &name,
                       llvm::SmallVectorImpl<int64_t> &local);
};

/// What happens to the sums of a tile: they are stored as 32 bits, or go through
/// ops on single elements whose last result is stored.
struct TileStore {
  llvm::SmallVector<const RowOp *> ops;
  /// Arguments of each op, then the memref of the last result (or of the sums).
  Values arguments;
  /// Rows of the result between one row of a tile and the next.
  int64_t rowStride = 1;
  /// Whether rows of the result have room for whole vectors.
  bool paddedRows = false;
};

/// How many vectors of `lanes` sums, of `most`, are stored as one vector of results of `width` bits.
int64_t vectorsTogether(Emitter &e, const TileStore &store, unsigned width, int64_t lanes, int64_t most);

/// Applies the ops of `store`, of which `args` has the arguments, to sums in registers, vectors of columns from
/// `firstCol` on of which `valid` are wanted, and stores what comes out.
void storeSums(Emitter &e, const TileStore &store, ValueRange args, ValueRange sums, Value row, Value operandRow,
               Value resultRow, Value firstCol, int64_t valid);

/// The code of an epilogue in the function of a kernel.
class EpilogueCode {
public:
  explicit EpilogueCode(const Epilogue &epilogue) : epilogue(epilogue) {}

  /// Takes what `Epilogue::appendArguments` appended from the front of `in`.
  void takeArguments(ValueRange &in);
  /// What happens to sums in registers; `sums` is where they go when there is nothing elementwise.
  TileStore store(Value sums) const;
  /// The other ops on `count` rows from `first` on, never more than `most`. Row r of them has its sums, if they are in
  /// memory, in row r of `sums`.
  void emitRows(Emitter &e, const TargetDesc &target, Value first, Value count, int64_t most, Value sums) const;

private:
  void emitGroup(Emitter &e, const TargetDesc &target, Value row, Value sums, Value sumsRow, int64_t count) const;
  void emitJoined(Emitter &e, const TargetDesc &target, Value row, int64_t joined) const;
  int64_t joinedRows(const TargetDesc &target, int64_t most) const;

  const Epilogue &epilogue;
  llvm::SmallVector<RowArguments> elementwise, posts;
  RowArguments rowwise;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_EPILOGUE_H
