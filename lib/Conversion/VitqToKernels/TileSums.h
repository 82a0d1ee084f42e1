//===- TileSums.h - The loops of a tile -------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_TILESUMS_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_TILESUMS_H

#include "Contraction.h"

namespace vitq::kernels {

/// The sums leave few registers: an unrolled loop would spill some of them.
void forbidUnrolling(mlir::Operation *loop);

/// The sums of `dot.rows` rows and one vector of columns, as its instruction has them, and back.
Values squaresOfRows(Emitter &e, const DotInstruction &dot, ValueRange rows);
Values rowsOfSquares(Emitter &e, const DotInstruction &dot, ValueRange squares);

/// Sums of a tile over all groups of K, `vectors` of them for each row. Loops work on blocks of `dot.rows` rows, of
/// each of which the sums are as many as the right operands of a group.
struct TileSums {
  Emitter &e;
  const Geometry &geometry;
  int64_t rows, vectors;
  /// [rows, groups] words; rows of the tile are `leftStride` apart from `leftRow` on.
  Value left, leftRow;
  int64_t leftStride;
  /// Elements of the panel from `rightOffset` on; bytes where they are packed.
  Value right, rightOffset;
  const BitPacking *packing;
  /// As in TilePlace.
  Value ahead, aheadFirst;
  int64_t aheadStep;

  /// `init` and the products.
  Values emit(ValueRange init);
  /// The products of groups `first` to `last`, and of group `kg`.
  Values emitGroups(Value first, Value last, ValueRange init);
  Values addDots(Value kg, ValueRange sums);
  /// Asks for what `count` groups from `first` on do.
  void prefetch(Value first, int64_t count);

private:
  /// Adds the product of a word and a vector to a sum.
  using AddProduct = llvm::function_ref<Value(Value sum, Value word, Value right)>;

  int64_t blocks() const { return static_cast<int64_t>(llvm::divideCeil(rows, geometry.dot.rows)); }
  int64_t operands() const { return vectors * geometry.dot.rows; }
  Values emitLoops(ValueRange init);
  Values exchange(ValueRange sums, bool toSquares);
  Values emitLoop(ValueRange init);
  Values emitPairs(ValueRange init);
  Values emitShortLoops(ValueRange init);
  Values emitUnpacking(ValueRange init);
  Values loadGroup(Value kg);
  Values addGroup(Value kg, ValueRange sums, AddProduct add);
  Values addPacked(Value first, int64_t count, ValueRange sums);
  Values unpack(Value first, int64_t count);
  Value word(int64_t block, Value kg);
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_TILESUMS_H
