//===- Routine.h - Tile programs of products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_ROUTINE_H
#define VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_ROUTINE_H

#include "vitq/Simulator/Config.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include <optional>

namespace vitq::systolic {

/// A product as the array computes it, for each of `batch` leading indices: out[m, n] =
/// bias[n] + sum_k lhs[m, k] * rhs[k, n], with operands in DRAM.
struct Product {
  llvm::SmallVector<int64_t, 2> batch;
  int64_t m = 0, n = 0, k = 0;
  /// Rank batch + 2: [.., m, k]; rhs [.., k, n] or transposed [.., n, k], of rank 2 when
  /// all batches share it; bias [.., 1, n], rank 2 when shared, null if there is none.
  mlir::MemRefType lhs, rhs, bias;
  /// Or the left operand is a map, seen as patches (`patchesView`): its first three dimensions count m, the others k.
  bool patches = false;
  bool transposeRhs = false, lhsUnsigned = false;
  /// Bits of the codes that bytes hold; what lies packed in DRAM has the array's.
  int64_t lhsBits = 8, rhsBits = 8;
  /// What the routine has more: operands and results of its units. Without units the only
  /// result is [.., m, n] of i32, its rows maybe longer, or of i8 with `shift`.
  llvm::SmallVector<mlir::MemRefType> unitOperands, results;
  bool units = false, wholeRows = false;
  /// Sums are stored as bytes, times 2^-shift.
  std::optional<unsigned> shift;
  bool relu = false;

  int64_t batches() const;
  /// Multiply-accumulates.
  int64_t macs() const { return batches() * m * n * k; }
  bool operator==(const Product &) const = default;
};

/// How a product is cut: blocks of so many tiles are in the array's memories at a time. With
/// `columnsFirst` blocks of columns are the outer loop, and the right operand stays.
struct Tiling {
  int64_t m = 1, n = 1, k = 1;
  bool columnsFirst = false;
  bool operator==(const Tiling &) const = default;
};

/// A dimension in tiles of `unit` elements: runs of `run` elements are `runTiles` tiles each, of which the last
/// may be short.
struct Cut {
  int64_t unit, count, run, runTiles;
  bool isOneRun() const { return runTiles == count; }
  /// Whether tile i begins at i * unit.
  bool isEven() const { return isOneRun() || run == runTiles * unit; }
};

/// Extents of a tile and how many there are.
struct TileCounts {
  int64_t rows, cols, depth; ///< of a tile: M, N, K
  int64_t m, n, k;
  int64_t lhsPlanes, rhsPlanes;
  /// Elements of K, and tiles of them, that lie side by side in a row of the left operand: all, or of patches
  /// one part of a patch.
  int64_t run, runTiles;
  /// Rows that lie equally far apart: all, or of patches a line of `lineStrips` strips. A move fills a strip, a
  /// tile has `strips` of them, if it is not the last, and all tiles `allStrips`.
  int64_t line, lineStrips, stripRows, strips, allStrips;
  Cut rowCut() const { return strips > 1 ? Cut{rows, m, allStrips * stripRows, m} : stripCut(); }
  Cut stripCut() const { return {stripRows, allStrips, line, lineStrips}; }
  Cut depthCut() const { return {depth, k, run, runTiles}; }
  Cut colCut() const { return {cols, n, allCols, n}; }
  /// The deepest block of at most `tiles` tiles of K that are whole runs or lie in one.
  int64_t wholeRuns(int64_t tiles) const { return tiles < runTiles ? tiles : tiles - tiles % runTiles; }
  /// Blocks of K of `tiles` tiles each.
  int64_t depthBlocks(int64_t tiles) const;
  TileCounts(const Product &product, const simulator::Config &config);

private:
  int64_t allCols;
  void cutLines(const Product &product, int64_t mostRows);
};

/// Rows of each memory that a tiling takes.
struct MemoryNeed {
  int64_t scratchpad, accumulator;
};
MemoryNeed memoryOf(const Product &product, const simulator::Config &config, const Tiling &tiling);

/// Builds the routine `name` at the builder's insertion point (in a module). Its tiles have no
/// addresses.
mlir::func::FuncOp buildRoutine(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name,
                                const Product &product, const simulator::Config &config, const Tiling &tiling);

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_ROUTINE_H
