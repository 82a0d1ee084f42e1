//===- Moves.h - Moves of a product's tiles -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_MOVES_H
#define VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_MOVES_H

#include "IndexBuilder.h"
#include "Steps.h"

namespace vitq::systolic {

/// The tiles of a routine, and the moves that fill and store them, one each.
class MoveBuilder : protected IndexBuilder {
protected:
  MoveBuilder(mlir::OpBuilder &builder, mlir::Location loc, const Product &product, const simulator::Config &config,
              const Tiling &tiling);

  /// Reserves tiles; `arguments` are the routine's.
  void allocate(mlir::ValueRange arguments);

  /// Where tile `first + index` begins, and how many elements it has.
  mlir::OpFoldResult startOf(const Cut &cut, int64_t first, mlir::OpFoldResult index);
  mlir::OpFoldResult extentOf(const Cut &cut, int64_t first, mlir::OpFoldResult index);

  /// Groups of tiles of K that one move of the left operand fills, the tile of the block with which group
  /// `group` begins, and the strips of rows of which each takes a move for each group.
  int64_t lhsDepthGroups(const Step &step) const;
  int64_t firstTileOf(const Step &step, int64_t group) const;
  int64_t lhsStrips(const Step &step) const;
  int64_t lhsGroups(const Step &step) const { return lhsStrips(step) * lhsDepthGroups(step); }
  int64_t rhsGroups(const Step &step) const;
  int64_t storesOf(const Step &step) const { return product.units ? step.m : step.m * step.n; }

  /// Groups of columns one after the other, each for all rows: the first columns are used first.
  void loadLhs(const Step &step, mlir::OpFoldResult group);
  void loadRhs(const Step &step, mlir::OpFoldResult group);
  void loadBias(const Step &step, mlir::OpFoldResult tile);
  void store(const Step &step, mlir::OpFoldResult number);
  void storeTile(const Step &step, mlir::OpFoldResult m, mlir::OpFoldResult n);

  const Product &product;
  const simulator::Config &config;
  const TileCounts tiles;
  const std::vector<Step> steps;
  const Tiling tiling;

  mlir::Value bias;
  mlir::Value lhsTiles[2], rhsTiles[2], sums[2];
  /// Whether bytes of an operand are split into planes, even if it is one.
  bool lhsSplit = false, rhsSplit = false;
  /// Tiles side by side that one move fills.
  int64_t lhsBlock = 1, rhsBlock = 1;

private:
  llvm::SmallVector<mlir::Value> dramIndices(const Step &step, mlir::MemRefType type, mlir::OpFoldResult row,
                                             mlir::OpFoldResult col);
  llvm::SmallVector<mlir::Value> lhsIndices(const Step &step, mlir::OpFoldResult strip, mlir::OpFoldResult kTile);

  mlir::Value lhs, rhs, out;
};

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_MOVES_H
