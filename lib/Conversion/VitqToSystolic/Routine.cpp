//===- Routine.cpp - Tile programs of products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A routine computes block after block. The three queues of the array run apart, but
// each holds a few instructions only: what is loaded for the next block, and stored of
// the one before, stands between the computes of a block in small portions, so that no
// full queue keeps the others waiting.
//
//===----------------------------------------------------------------------===//

#include "Routine.h"
#include "IndexBuilder.h"
#include "Steps.h"

#include "dialects/systolic/Systolic.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using simulator::Config;

namespace {

class RoutineBuilder : IndexBuilder {
public:
  RoutineBuilder(OpBuilder &builder, Location loc, const Product &product, const Config &config, const Tiling &tiling)
      : IndexBuilder(builder, loc), product(product), config(config), tiles(product, config),
        steps(stepsOf(product, tiles, tiling)), tiling(tiling), before(1, 0) {
    for (const Step &step : steps)
      before.push_back(before.back() + positionsOf(step));
  }

  func::FuncOp build(StringRef name);

private:
  // Operands.
  SmallVector<Value> dramIndices(const Step &step, MemRefType type, OpFoldResult row, OpFoldResult col);
  void allocate();

  // Moves, one each.
  int64_t lhsGroups(const Step &step) const { return step.m * llvm::divideCeil(step.k, lhsBlock); }
  int64_t rhsGroups(const Step &step) const;
  void loadLhs(const Step &step, OpFoldResult kGroup, OpFoldResult m);
  void loadLhs(const Step &step, OpFoldResult group);
  void loadRhs(const Step &step, OpFoldResult group);
  void loadBias(const Step &step, OpFoldResult tile);
  int64_t storesOf(const Step &step) const { return product.units ? step.m : step.m * step.n; }
  void store(const Step &step, OpFoldResult number);
  void storeTile(const Step &step, OpFoldResult m, OpFoldResult n);

  // Blocks.
  void emitStep(size_t number);
  struct Span {
    size_t next;
    int64_t offset, positions;
  };
  std::optional<Span> spanOf(size_t number, bool Step::*loads) const;
  int64_t positionsOf(const Step &step) const;
  int64_t biasDelay(size_t number) const;
  void emitMoves(size_t number, OpFoldResult place);
  void emitBiasRest(size_t number);
  void emitWeightStationary(size_t number);
  void emitOwnLoads(const Step &step, OpFoldResult k);
  void stream(size_t number, OpFoldResult k, OpFoldResult n, int64_t lhsPlane, int64_t rhsPlane);
  void emitOutputStationary(size_t number);
  void multiplyOutput(const Step &step, OpFoldResult n, OpFoldResult m);
  bool isTop(int64_t plane) const { return plane == tiles.lhsPlanes - 1; }
  SmallVector<Value> tile(bool planes, int64_t plane, OpFoldResult i, OpFoldResult j);

  const Product &product;
  const Config &config;
  const TileCounts tiles;
  const std::vector<Step> steps;
  const Tiling tiling;
  /// Places of all blocks before each.
  std::vector<int64_t> before;

  Value lhs, rhs, bias, out;
  Value lhsTiles[2], rhsTiles[2], sums[2];
  bool split = false;
  int64_t lhsBlock = 1, rhsBlock = 1;
};

} // namespace

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

SmallVector<Value> RoutineBuilder::dramIndices(const Step &step, MemRefType type, OpFoldResult row, OpFoldResult col) {
  SmallVector<OpFoldResult> indices;
  if (type.getRank() == static_cast<int64_t>(product.batch.size()) + 2)
    for (int64_t index : delinearize(step.batch, computeStrides(product.batch)))
      indices.push_back(constant(index));
  indices.append({row, col});
  return valuesOf(indices);
}

void RoutineBuilder::allocate() {
  const BufferCounts counts = buffersOf(steps);
  split = config.bits < 8;
  auto grid = [&](int64_t planes, int64_t i, int64_t j) {
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
  make(Memory::Scratchpad, grid(tiles.lhsPlanes, tiling.m, tiling.k), tiles.rows, tiles.depth, operand, counts.lhs,
       lhsTiles);
  if (product.transposeRhs)
    make(Memory::Scratchpad, grid(tiles.rhsPlanes, tiling.n, tiling.k), tiles.cols, tiles.depth, operand, counts.rhs,
         rhsTiles);
  else
    make(Memory::Scratchpad, grid(tiles.rhsPlanes, tiling.k, tiling.n), tiles.depth, tiles.cols, operand, counts.rhs,
         rhsTiles);
  make(Memory::Accumulator, {tiling.m, tiling.n}, tiles.rows, tiles.cols, b.getI32Type(), counts.sums, sums);
  // A move fills several tiles only where these are as wide as the scratchpad.
  lhsBlock = tiles.depth == config.width() ? config.blockTiles : 1;
  const int64_t rhsWidth = product.transposeRhs ? tiles.depth : tiles.cols;
  rhsBlock = rhsWidth == config.width() ? config.blockTiles : 1;
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

void RoutineBuilder::loadLhs(const Step &step, OpFoldResult kGroup, OpFoldResult m) {
  AffineExpr d = dim(0);
  OpFoldResult row = apply((d + step.m0) * tiles.rows, {m});
  OpFoldResult kTile = apply(d * lhsBlock, {kGroup});
  OpFoldResult col = apply((d * lhsBlock + step.k0) * tiles.depth, {kGroup});
  OpFoldResult rows = rest(tiles.rows, product.m, step.m0, m, tiles.rows);
  // No further than the block and the operand reach.
  const int64_t end = std::min(product.k, (step.k0 + step.k) * tiles.depth) - step.k0 * tiles.depth;
  OpFoldResult cols = rest(lhsBlock * tiles.depth, end, 0, kGroup, lhsBlock * tiles.depth);
  MvinOp::create(b, loc, lhs, dramIndices(step, product.lhs, row, col), valueOf(rows), valueOf(cols),
                 lhsTiles[step.lhs], valuesOf({m, kTile}), static_cast<int64_t>(product.lhs.getRank() - 2), split,
                 false, false);
}

/// Groups of columns one after the other, each for all rows: the first columns are used
/// first.
void RoutineBuilder::loadLhs(const Step &step, OpFoldResult group) {
  AffineExpr d = dim(0);
  loadLhs(step, apply(d.floorDiv(step.m), {group}), apply(d % step.m, {group}));
}

int64_t RoutineBuilder::rhsGroups(const Step &step) const {
  return product.transposeRhs ? step.n * llvm::divideCeil(step.k, rhsBlock)
                              : step.k * llvm::divideCeil(step.n, rhsBlock);
}

void RoutineBuilder::loadRhs(const Step &step, OpFoldResult group) {
  AffineExpr d = dim(0);
  // The dimension of rows, and that of columns which a move goes along.
  const int64_t outerCount = product.transposeRhs ? step.n : step.k;
  const int64_t inner = product.transposeRhs ? step.k : step.n;
  const int64_t inner0 = product.transposeRhs ? step.k0 : step.n0, outer0 = product.transposeRhs ? step.n0 : step.k0;
  const int64_t outerUnit = product.transposeRhs ? tiles.cols : tiles.depth,
                innerUnit = product.transposeRhs ? tiles.depth : tiles.cols;
  const int64_t outerTotal = product.transposeRhs ? product.n : product.k,
                innerTotal = product.transposeRhs ? product.k : product.n;
  const int64_t groups = llvm::divideCeil(inner, rhsBlock);
  // K outermost in both cases.
  OpFoldResult outer = product.transposeRhs ? apply(d % outerCount, {group}) : apply(d.floorDiv(groups), {group});
  OpFoldResult innerGroup = product.transposeRhs ? apply(d.floorDiv(outerCount), {group}) : apply(d % groups, {group});
  OpFoldResult row = apply((d + outer0) * outerUnit, {outer});
  OpFoldResult innerTile = apply(d * rhsBlock, {innerGroup});
  OpFoldResult col = apply((d * rhsBlock + inner0) * innerUnit, {innerGroup});
  OpFoldResult rows = rest(outerUnit, outerTotal, outer0, outer, outerUnit);
  const int64_t end = std::min(innerTotal, (inner0 + inner) * innerUnit) - inner0 * innerUnit;
  OpFoldResult cols = rest(rhsBlock * innerUnit, end, 0, innerGroup, rhsBlock * innerUnit);
  MvinOp::create(b, loc, rhs, dramIndices(step, product.rhs, row, col), valueOf(rows), valueOf(cols),
                 rhsTiles[step.rhs], valuesOf({outer, innerTile}), static_cast<int64_t>(product.rhs.getRank() - 2),
                 split, false, false);
}

void RoutineBuilder::loadBias(const Step &step, OpFoldResult tile) {
  AffineExpr d = dim(0);
  OpFoldResult m = apply(d % step.m, {tile}), n = apply(d.floorDiv(step.m), {tile});
  OpFoldResult col = apply((d + step.n0) * tiles.cols, {n});
  OpFoldResult rows = rest(tiles.rows, product.m, step.m0, m, tiles.rows);
  OpFoldResult cols = rest(tiles.cols, product.n, step.n0, n, tiles.cols);
  MvinOp::create(b, loc, bias, dramIndices(step, product.bias, constant(0), col), valueOf(rows), valueOf(cols),
                 sums[step.sums], valuesOf({m, n}), static_cast<int64_t>(product.bias.getRank() - 2), false, true,
                 false);
}

void RoutineBuilder::storeTile(const Step &step, OpFoldResult m, OpFoldResult n) {
  AffineExpr d = dim(0);
  OpFoldResult row = apply((d + step.m0) * tiles.rows, {m});
  OpFoldResult rows = rest(tiles.rows, product.m, step.m0, m, tiles.rows);
  if (product.units) {
    OpFoldResult global = apply((d + step.m0) * tiles.rows + step.batch * product.m, {m});
    OpFoldResult channel = constant(step.n0 * tiles.cols);
    OpFoldResult cols = constant(std::min(product.n, (step.n0 + step.n) * tiles.cols) - step.n0 * tiles.cols);
    UnitsOp::create(b, loc, sums[step.sums], valuesOf({m, constant(0)}), valueOf(global), valueOf(rows),
                    valueOf(channel), valueOf(cols));
    return;
  }
  OpFoldResult col = apply((d + step.n0) * tiles.cols, {n});
  OpFoldResult cols = rest(tiles.cols, product.n, step.n0, n, tiles.cols);
  MemRefType type = product.results.front();
  MvoutOp::create(b, loc, sums[step.sums], valuesOf({m, n}), valueOf(rows), valueOf(cols), out,
                  dramIndices(step, type, row, col), static_cast<int64_t>(type.getRank() - 2),
                  product.shift ? b.getI64IntegerAttr(*product.shift) : IntegerAttr(), product.relu);
}

void RoutineBuilder::store(const Step &step, OpFoldResult number) {
  AffineExpr d = dim(0);
  if (product.units)
    return storeTile(step, number, constant(0));
  storeTile(step, apply(d % step.m, {number}), apply(d.floorDiv(step.m), {number}));
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

SmallVector<Value> RoutineBuilder::tile(bool planes, int64_t plane, OpFoldResult i, OpFoldResult j) {
  SmallVector<OpFoldResult> indices;
  if (planes)
    indices.push_back(constant(plane));
  indices.append({i, j});
  return valuesOf(indices);
}

/// Places between the computes of a block where moves may stand.
int64_t RoutineBuilder::positionsOf(const Step &step) const {
  if (config.dataflow == simulator::Dataflow::OutputStationary)
    return step.m * step.n;
  return step.k * step.n * tiles.lhsPlanes * tiles.rhsPlanes * step.m;
}

/// The blocks from the one that loads what `number` computes with to the one that loads
/// the next: that is loaded meanwhile. None if nothing else will be loaded.
std::optional<RoutineBuilder::Span> RoutineBuilder::spanOf(size_t number, bool Step::*loads) const {
  size_t first = number, next = number + 1;
  while (first > 0 && !(steps[first].*loads))
    --first;
  while (next < steps.size() && !(steps[next].*loads))
    ++next;
  if (next == steps.size())
    return std::nullopt;
  return Span{next, before[number] - before[first], before[next] - before[first]};
}

/// What stands at a place between the computes of a block: loads for later ones, stores of
/// the one before, and then the bias of the next one into the sums that were stored.
void RoutineBuilder::emitMoves(size_t number, OpFoldResult place) {
  const int64_t positions = positionsOf(steps[number]);
  if (std::optional<Span> span = spanOf(number, &Step::loadRhs)) {
    const Step &next = steps[span->next];
    spread(place, span->offset, span->positions, rhsGroups(next), [&](OpFoldResult group) { loadRhs(next, group); });
  }
  if (std::optional<Span> span = spanOf(number, &Step::loadLhs)) {
    const Step &next = steps[span->next];
    spread(place, span->offset, span->positions, lhsGroups(next), [&](OpFoldResult group) { loadLhs(next, group); });
  }
  if (number > 0 && steps[number - 1].lastK)
    spread(place, 0, positions, storesOf(steps[number - 1]),
           [&](OpFoldResult tile) { store(steps[number - 1], tile); });
  if (bias && number + 1 < steps.size() && steps[number + 1].firstK) {
    const Step &next = steps[number + 1];
    spread(place, -biasDelay(number), positions, next.m * next.n, [&](OpFoldResult tile) { loadBias(next, tile); });
  }
}

/// So many places later than a sum is stored, the bias is written in its place: the load
/// queue shall not wait for the store. All of them, if tiles of sums are not stored in the
/// order in which the next block has them.
int64_t RoutineBuilder::biasDelay(size_t number) const {
  const Step &step = steps[number];
  const int64_t positions = positionsOf(step);
  if (number == 0)
    return 0;
  const Step &stored = steps[number - 1], &next = steps[number + 1];
  if (product.units || (stored.lastK && (stored.m != next.m || stored.n != next.n)))
    return positions;
  return std::min(positions / 2, llvm::divideCeilSigned(4 * positions, next.m * next.n));
}

/// The rest of the bias, for which `emitMoves` was late.
void RoutineBuilder::emitBiasRest(size_t number) {
  if (!bias || number + 1 >= steps.size() || !steps[number + 1].firstK)
    return;
  const Step &next = steps[number + 1];
  const int64_t positions = positionsOf(steps[number]), total = next.m * next.n;
  loop((positions - biasDelay(number)) * total / positions, total, [&](OpFoldResult tile) { loadBias(next, tile); });
}

/// The first block loads what it needs just before.
void RoutineBuilder::emitOwnLoads(const Step &step, OpFoldResult k) {
  if (product.transposeRhs) {
    for (int64_t group = 0; group * rhsBlock < step.k; ++group)
      onlyAt(k, group * rhsBlock,
             [&] { loop(0, step.n, [&](OpFoldResult n) { loadRhs(step, apply(dim(0) + group * step.n, {n})); }); });
  } else {
    const int64_t groups = llvm::divideCeil(step.n, rhsBlock);
    loop(0, groups, [&](OpFoldResult group) { loadRhs(step, apply(dim(0) * groups + dim(1), {k, group})); });
  }
  for (int64_t group = 0; group * lhsBlock < step.k; ++group)
    onlyAt(k, group * lhsBlock, [&] { loop(0, step.m, [&](OpFoldResult m) { loadLhs(step, constant(group), m); }); });
  if (bias)
    onlyAt(k, 0, [&] { loop(0, step.m * step.n, [&](OpFoldResult tile) { loadBias(step, tile); }); });
}

/// All rows of a block stream past one tile of weights. A short tile is first: while the
/// last one streams, the next weights are shifted in, which takes as long as a whole tile.
void RoutineBuilder::stream(size_t number, OpFoldResult k, OpFoldResult n, int64_t lhsPlane, int64_t rhsPlane) {
  const Step &step = steps[number];
  OpFoldResult depth = rest(tiles.depth, product.k, step.k0, k, tiles.depth);
  OpFoldResult cols = rest(tiles.cols, product.n, step.n0, n, tiles.cols);
  const bool first = lhsPlane == 0 && rhsPlane == 0 && step.firstK && !bias;
  const int64_t pairs = tiles.lhsPlanes * tiles.rhsPlanes, pair = rhsPlane * tiles.lhsPlanes + lhsPlane;
  auto compute = [&](OpFoldResult m, int64_t turn, bool fresh, bool names) {
    AffineExpr kExpr = dim(0), nExpr = dim(1), mExpr = dim(2);
    emitMoves(number, apply((((kExpr * step.n + nExpr) * pairs + pair) * step.m + mExpr) + turn, {k, n, m}));
    OpFoldResult rows = rest(tiles.rows, product.m, step.m0, m, tiles.rows);
    SmallVector<Value> weights;
    if (names)
      weights = product.transposeRhs ? tile(split, rhsPlane, n, k) : tile(split, rhsPlane, k, n);
    PreloadOp::create(b, loc, names ? rhsTiles[step.rhs] : Value(), weights, valueOf(depth), valueOf(cols),
                      sums[step.sums], valuesOf({m, n}), valueOf(first ? k : constant(1)),
                      names && product.transposeRhs, static_cast<uint64_t>(config.bits * (lhsPlane + rhsPlane)));
    const bool lhsUnsigned = isTop(lhsPlane) ? product.lhsUnsigned : true;
    ComputeOp::create(b, loc, lhsTiles[step.lhs], tile(split, lhsPlane, m, k), valueOf(rows), valueOf(depth), Value(),
                      ValueRange(), fresh, false, lhsUnsigned, !isTop(rhsPlane));
  };
  // With the same plane of weights they are there already.
  const bool names = lhsPlane == 0;
  const bool hasTail = product.m % tiles.rows != 0 && step.m0 + step.m == tiles.m;
  const int64_t firstTile = hasTail ? step.m - 1 : 0;
  compute(constant(firstTile), -firstTile, names, names);
  loop(hasTail ? 0 : 1, hasTail ? step.m - 1 : step.m, [&](OpFoldResult m) { compute(m, hasTail, false, false); });
}

void RoutineBuilder::emitWeightStationary(size_t number) {
  const Step &step = steps[number];
  const bool isLast = number + 1 == steps.size();
  loop(0, step.k, [&](OpFoldResult k) {
    if (number == 0)
      emitOwnLoads(step, k);
    loop(0, step.n, [&](OpFoldResult n) {
      for (int64_t rhsPlane = 0; rhsPlane < tiles.rhsPlanes; ++rhsPlane)
        for (int64_t lhsPlane = 0; lhsPlane < tiles.lhsPlanes; ++lhsPlane)
          stream(number, k, n, lhsPlane, rhsPlane);
      // Nothing follows that could hide these.
      if (isLast && !product.units)
        onlyAt(k, step.k - 1, [&] { loop(0, step.m, [&](OpFoldResult m) { storeTile(step, m, n); }); });
    });
  });
  emitBiasRest(number);
  if (isLast && product.units)
    loop(0, step.m, [&](OpFoldResult m) { storeTile(step, m, constant(0)); });
}

/// Sums of one tile stay in the array while K is walked, plane by plane.
void RoutineBuilder::multiplyOutput(const Step &step, OpFoldResult n, OpFoldResult m) {
  OpFoldResult rows = rest(tiles.rows, product.m, step.m0, m, tiles.rows);
  OpFoldResult cols = rest(tiles.cols, product.n, step.n0, n, tiles.cols);
  for (int64_t rhsPlane = 0; rhsPlane < tiles.rhsPlanes; ++rhsPlane)
    for (int64_t lhsPlane = 0; lhsPlane < tiles.lhsPlanes; ++lhsPlane) {
      const bool first = lhsPlane == 0 && rhsPlane == 0 && step.firstK && !bias;
      PreloadOp::create(b, loc, Value(), ValueRange(), valueOf(rows), valueOf(cols), sums[step.sums], valuesOf({m, n}),
                        first ? Value() : valueOf(constant(1)), false,
                        static_cast<uint64_t>(config.bits * (lhsPlane + rhsPlane)));
      auto compute = [&](OpFoldResult k) {
        OpFoldResult depth = rest(tiles.depth, product.k, step.k0, k, tiles.depth);
        const bool lhsUnsigned = isTop(lhsPlane) ? product.lhsUnsigned : true;
        ComputeOp::create(b, loc, lhsTiles[step.lhs], tile(split, lhsPlane, m, k), valueOf(rows), valueOf(depth),
                          rhsTiles[step.rhs], tile(split, rhsPlane, k, n), isConstantIntValue(k, 0),
                          isConstantIntValue(k, step.k - 1), lhsUnsigned, !isTop(rhsPlane));
      };
      compute(constant(0));
      loop(1, step.k - 1, compute);
      if (step.k > 1)
        compute(constant(step.k - 1));
    }
}

void RoutineBuilder::emitOutputStationary(size_t number) {
  const Step &step = steps[number];
  const int64_t portions = step.m * step.n;
  if (number == 0) {
    loop(0, rhsGroups(step), [&](OpFoldResult group) { loadRhs(step, group); });
    loop(0, lhsGroups(step), [&](OpFoldResult group) { loadLhs(step, group); });
    if (bias)
      loop(0, step.m * step.n, [&](OpFoldResult tile) { loadBias(step, tile); });
  }
  loop(0, portions, [&](OpFoldResult place) {
    emitMoves(number, place);
    AffineExpr d = dim(0);
    multiplyOutput(step, apply(d.floorDiv(step.m), {place}), apply(d % step.m, {place}));
  });
  emitBiasRest(number);
  if (number + 1 == steps.size())
    loop(0, storesOf(step), [&](OpFoldResult tile) { store(step, tile); });
}

func::FuncOp RoutineBuilder::build(StringRef name) {
  SmallVector<Type> types = {product.lhs, product.rhs};
  if (product.bias)
    types.push_back(product.bias);
  llvm::append_range(types, product.unitOperands);
  llvm::append_range(types, product.results);
  auto function = func::FuncOp::create(b, loc, name, b.getFunctionType(types, {}));
  function.setPrivate();
  function->setAttr(kRoutineAttr, b.getUnitAttr());
  Block *entry = function.addEntryBlock();
  setEntry(entry);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(entry);
  func::ReturnOp::create(b, loc);
  b.setInsertionPoint(entry->getTerminator());
  lhs = entry->getArgument(0);
  rhs = entry->getArgument(1);
  if (product.bias)
    bias = entry->getArgument(2);
  out = entry->getArgument(types.size() - product.results.size());
  allocate();
  for (size_t number = 0; number < steps.size(); ++number)
    if (config.dataflow == simulator::Dataflow::OutputStationary)
      emitOutputStationary(number);
    else
      emitWeightStationary(number);
  return function;
}

func::FuncOp systolic::buildRoutine(OpBuilder &builder, Location loc, StringRef name, const Product &product,
                                    const Config &config, const Tiling &tiling) {
  return RoutineBuilder(builder, loc, product, config, tiling).build(name);
}
