//===- Moves.cpp - Moves of a product's tiles -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Moves.h"

#include "dialects/systolic/Systolic.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

MoveBuilder::MoveBuilder(OpBuilder &builder, Location loc, const Product &product, const simulator::Config &config,
                         const Tiling &tiling)
    : IndexBuilder(builder, loc), product(product), config(config), tiles(product, config),
      steps(stepsOf(product, tiles, tiling)), tiling(tiling) {}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

SmallVector<Value> MoveBuilder::dramIndices(const Step &step, MemRefType type, OpFoldResult row, OpFoldResult col) {
  SmallVector<OpFoldResult> indices;
  if (type.getRank() == static_cast<int64_t>(product.batch.size()) + 2)
    for (int64_t index : delinearize(step.batch, computeStrides(product.batch)))
      indices.push_back(constant(index));
  indices.append({row, col});
  return valuesOf(indices);
}

void MoveBuilder::allocate(ValueRange arguments) {
  lhs = arguments[0];
  rhs = arguments[1];
  if (product.bias)
    bias = arguments[2];
  out = arguments[arguments.size() - product.results.size()];
  const BufferCounts counts = buffersOf(steps);
  lhsSplit = product.lhs.getElementTypeBitWidth() > config.bits;
  rhsSplit = product.rhs.getElementTypeBitWidth() > config.bits;
  auto grid = [&](bool split, int64_t planes, int64_t i, int64_t j) {
    SmallVector<int64_t> extents;
    if (split)
      extents.push_back(planes);
    extents.append({i, j});
    return extents;
  };
  Type operand = b.getIntegerType(config.bits);
  auto make = [&](Memory memory, ArrayRef<int64_t> extents, int64_t rows, int64_t cols, Type element, int count,
                  Value *buffers) {
    auto type = TilesType::get(b.getContext(), memory, extents, rows, cols, element);
    for (int i = 0; i < count; ++i)
      buffers[i] = AllocOp::create(b, loc, type, IntegerAttr());
  };
  make(Memory::Scratchpad, grid(lhsSplit, tiles.lhsPlanes, tiling.m, tiling.k), tiles.rows, tiles.depth, operand,
       counts.lhs, lhsTiles);
  if (product.transposeRhs)
    make(Memory::Scratchpad, grid(rhsSplit, tiles.rhsPlanes, tiling.n, tiling.k), tiles.cols, tiles.depth, operand,
         counts.rhs, rhsTiles);
  else
    make(Memory::Scratchpad, grid(rhsSplit, tiles.rhsPlanes, tiling.k, tiling.n), tiles.depth, tiles.cols, operand,
         counts.rhs, rhsTiles);
  make(Memory::Accumulator, {tiling.m, tiling.n}, tiles.rows, tiles.cols, b.getI32Type(), counts.sums, sums);
  // A move fills several tiles only where these are as wide as the scratchpad.
  lhsBlock = tiles.depth == config.width() ? config.blockTiles : 1;
  const int64_t rhsWidth = product.transposeRhs ? tiles.depth : tiles.cols;
  rhsBlock = rhsWidth == config.width() ? config.blockTiles : 1;
}

OpFoldResult MoveBuilder::startOf(const Cut &cut, int64_t first, OpFoldResult index) {
  AffineExpr number = dim(0) + first;
  if (cut.isEven())
    return apply(number * cut.unit, {index});
  return apply(number.floorDiv(cut.runTiles) * cut.run + number % cut.runTiles * cut.unit, {index});
}

OpFoldResult MoveBuilder::extentOf(const Cut &cut, int64_t first, OpFoldResult index) {
  if (cut.isOneRun())
    return rest(cut.unit, cut.run, first, index, cut.unit);
  if (cut.isEven())
    return constant(cut.unit);
  return least(cut.unit, cut.run - (dim(0) + first) % cut.runTiles * cut.unit, index);
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

int64_t MoveBuilder::lhsStrips(const Step &step) const {
  return std::min(step.m * tiles.strips, tiles.allStrips - step.m0 * tiles.strips);
}

/// Of one run of K: no move goes over its end.
static int64_t groupsOfRun(const Step &step, const TileCounts &tiles, int64_t block) {
  return llvm::divideCeil(std::min(step.k, tiles.runTiles), block);
}

int64_t MoveBuilder::lhsDepthGroups(const Step &step) const {
  return groupsOfRun(step, tiles, lhsBlock) * llvm::divideCeil(step.k, tiles.runTiles);
}

int64_t MoveBuilder::firstTileOf(const Step &step, int64_t group) const {
  const int64_t inRun = groupsOfRun(step, tiles, lhsBlock);
  return group / inRun * tiles.runTiles + group % inRun * lhsBlock;
}

/// Indices of the first element of tile `kTile` in the rows of `strip`, both counted from the block's first.
SmallVector<Value> MoveBuilder::lhsIndices(const Step &step, OpFoldResult strip, OpFoldResult kTile) {
  if (!product.patches)
    return dramIndices(step, product.lhs, startOf(tiles.rowCut(), step.m0, strip),
                       startOf(tiles.depthCut(), step.k0, kTile));
  ArrayRef<int64_t> view = product.lhs.getShape();
  AffineExpr number = dim(0) + step.m0 * tiles.strips, line = number.floorDiv(tiles.lineStrips);
  AffineExpr depth = dim(0) + step.k0, run = depth.floorDiv(tiles.runTiles);
  return valuesOf({apply(line.floorDiv(view[1]), {strip}), apply(line % view[1], {strip}),
                   apply(number % tiles.lineStrips * tiles.stripRows, {strip}), apply(run.floorDiv(view[4]), {kTile}),
                   apply(run % view[4], {kTile}), apply(depth % tiles.runTiles * tiles.depth, {kTile})});
}

void MoveBuilder::loadLhs(const Step &step, OpFoldResult group) {
  AffineExpr d = dim(0);
  const int64_t strips = lhsStrips(step), inRun = groupsOfRun(step, tiles, lhsBlock);
  OpFoldResult strip = apply(d % strips, {group}), kGroup = apply(d.floorDiv(strips), {group});
  OpFoldResult kTile = apply(d.floorDiv(inRun) * tiles.runTiles + d % inRun * lhsBlock, {kGroup});
  if (step.k <= tiles.runTiles)
    kTile = apply(d * lhsBlock, {kGroup});
  else
    kGroup = apply(d % inRun, {kGroup});
  // No further than the block and the run reach.
  const int64_t first = step.k0 % tiles.runTiles, last = first + std::min(step.k, tiles.runTiles);
  const int64_t end = std::min(tiles.run, last * tiles.depth) - first * tiles.depth;
  OpFoldResult cols = rest(lhsBlock * tiles.depth, end, 0, kGroup, lhsBlock * tiles.depth);
  OpFoldResult rows = extentOf(tiles.stripCut(), step.m0 * tiles.strips, strip);
  OpFoldResult tile = apply(d.floorDiv(tiles.strips), {strip});
  Value tileRow;
  if (tiles.strips > 1)
    tileRow = valueOf(apply(d % tiles.strips * tiles.stripRows, {strip}));
  const int64_t along = product.patches ? 2 : product.lhs.getRank() - 2;
  MvinOp::create(b, loc, lhs, lhsIndices(step, strip, kTile), valueOf(rows), valueOf(cols), lhsTiles[step.lhs],
                 valuesOf({tile, kTile}), tileRow, static_cast<uint64_t>(along), lhsSplit, false, false);
}

int64_t MoveBuilder::rhsGroups(const Step &step) const {
  return product.transposeRhs ? step.n * llvm::divideCeil(step.k, rhsBlock)
                              : step.k * llvm::divideCeil(step.n, rhsBlock);
}

void MoveBuilder::loadRhs(const Step &step, OpFoldResult group) {
  AffineExpr d = dim(0);
  // The dimension of rows, and that of columns which a move goes along.
  const int64_t outerCount = product.transposeRhs ? step.n : step.k;
  const int64_t inner = product.transposeRhs ? step.k : step.n;
  const int64_t inner0 = product.transposeRhs ? step.k0 : step.n0, outer0 = product.transposeRhs ? step.n0 : step.k0;
  const Cut outerCut = product.transposeRhs ? tiles.colCut() : tiles.depthCut(),
            innerCut = product.transposeRhs ? tiles.depthCut() : tiles.colCut();
  const int64_t groups = llvm::divideCeil(inner, rhsBlock);
  // K outermost in both cases.
  OpFoldResult outer = product.transposeRhs ? apply(d % outerCount, {group}) : apply(d.floorDiv(groups), {group});
  OpFoldResult innerGroup = product.transposeRhs ? apply(d.floorDiv(outerCount), {group}) : apply(d % groups, {group});
  OpFoldResult row = startOf(outerCut, outer0, outer);
  OpFoldResult innerTile = apply(d * rhsBlock, {innerGroup});
  // A right operand that is transposed has no runs.
  OpFoldResult col = apply((d * rhsBlock + inner0) * innerCut.unit, {innerGroup});
  OpFoldResult rows = extentOf(outerCut, outer0, outer);
  const int64_t end = std::min(innerCut.run, (inner0 + inner) * innerCut.unit) - inner0 * innerCut.unit;
  OpFoldResult cols = rest(rhsBlock * innerCut.unit, end, 0, innerGroup, rhsBlock * innerCut.unit);
  MvinOp::create(b, loc, rhs, dramIndices(step, product.rhs, row, col), valueOf(rows), valueOf(cols),
                 rhsTiles[step.rhs], valuesOf({outer, innerTile}), Value(),
                 static_cast<uint64_t>(product.rhs.getRank() - 2), rhsSplit, false, false);
}

void MoveBuilder::loadBias(const Step &step, OpFoldResult tile) {
  AffineExpr d = dim(0);
  OpFoldResult m = apply(d % step.m, {tile}), n = apply(d.floorDiv(step.m), {tile});
  OpFoldResult col = apply((d + step.n0) * tiles.cols, {n});
  OpFoldResult rows = extentOf(tiles.rowCut(), step.m0, m);
  OpFoldResult cols = extentOf(tiles.colCut(), step.n0, n);
  MvinOp::create(b, loc, bias, dramIndices(step, product.bias, constant(0), col), valueOf(rows), valueOf(cols),
                 sums[step.sums], valuesOf({m, n}), Value(), static_cast<uint64_t>(product.bias.getRank() - 2), false,
                 true, false);
}

void MoveBuilder::storeTile(const Step &step, OpFoldResult m, OpFoldResult n) {
  AffineExpr d = dim(0);
  OpFoldResult row = startOf(tiles.rowCut(), step.m0, m);
  OpFoldResult rows = extentOf(tiles.rowCut(), step.m0, m);
  if (product.units) {
    OpFoldResult global = apply(d + step.batch * product.m, {row});
    OpFoldResult channel = constant(step.n0 * tiles.cols);
    OpFoldResult cols = constant(std::min(product.n, (step.n0 + step.n) * tiles.cols) - step.n0 * tiles.cols);
    UnitsOp::create(b, loc, sums[step.sums], valuesOf({m, constant(0)}), valueOf(global), valueOf(rows),
                    valueOf(channel), valueOf(cols));
    return;
  }
  OpFoldResult col = apply((d + step.n0) * tiles.cols, {n});
  OpFoldResult cols = extentOf(tiles.colCut(), step.n0, n);
  MemRefType type = product.results.front();
  MvoutOp::create(b, loc, sums[step.sums], valuesOf({m, n}), valueOf(rows), valueOf(cols), out,
                  dramIndices(step, type, row, col), static_cast<int64_t>(type.getRank() - 2),
                  product.shift ? b.getI64IntegerAttr(*product.shift) : IntegerAttr(), product.relu);
}

void MoveBuilder::store(const Step &step, OpFoldResult number) {
  AffineExpr d = dim(0);
  if (product.units)
    return storeTile(step, number, constant(0));
  storeTile(step, apply(d % step.m, {number}), apply(d.floorDiv(step.m), {number}));
}
