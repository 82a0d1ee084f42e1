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
#include "Moves.h"

#include "dialects/systolic/Systolic.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using simulator::Config;

namespace {

class RoutineBuilder : MoveBuilder {
public:
  RoutineBuilder(OpBuilder &builder, Location loc, const Product &product, const Config &config, const Tiling &tiling)
      : MoveBuilder(builder, loc, product, config, tiling), before(1, 0) {
    for (const Step &step : steps)
      before.push_back(before.back() + positionsOf(step));
  }

  func::FuncOp build(StringRef name);

private:
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
  bool isLhsTop(int64_t plane) const { return plane == tiles.lhsPlanes - 1; }
  bool isRhsTop(int64_t plane) const { return plane == tiles.rhsPlanes - 1; }
  SmallVector<Value> tile(bool planes, int64_t plane, OpFoldResult i, OpFoldResult j);

  /// Places of all blocks before each.
  std::vector<int64_t> before;
};

} // namespace

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
  if (number > 0 && steps[number - 1].lastK) {
    auto storeTile = [&](OpFoldResult tile) { store(steps[number - 1], tile); };
    // Units take long for a tile, and the block after this one waits until its sums are free.
    if (product.units)
      spreadEarly(place, positions, storesOf(steps[number - 1]), storeTile);
    else
      spread(place, 0, positions, storesOf(steps[number - 1]), storeTile);
  }
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
  const int64_t strips = lhsStrips(step);
  for (int64_t group = 0; group < lhsDepthGroups(step); ++group)
    onlyAt(k, firstTileOf(step, group), [&] {
      loop(0, strips, [&](OpFoldResult strip) { loadLhs(step, apply(dim(0) + group * strips, {strip})); });
    });
  if (bias)
    onlyAt(k, 0, [&] { loop(0, step.m * step.n, [&](OpFoldResult tile) { loadBias(step, tile); }); });
}

/// All rows of a block stream past one tile of weights. A short tile is first: while the
/// last one streams, the next weights are shifted in, which takes as long as a whole tile.
void RoutineBuilder::stream(size_t number, OpFoldResult k, OpFoldResult n, int64_t lhsPlane, int64_t rhsPlane) {
  const Step &step = steps[number];
  OpFoldResult depth = extentOf(tiles.depthCut(), step.k0, k);
  OpFoldResult cols = extentOf(tiles.colCut(), step.n0, n);
  const bool first = lhsPlane == 0 && rhsPlane == 0 && step.firstK && !bias;
  const int64_t pairs = tiles.lhsPlanes * tiles.rhsPlanes, pair = rhsPlane * tiles.lhsPlanes + lhsPlane;
  auto compute = [&](OpFoldResult m, int64_t turn, bool fresh, bool names) {
    AffineExpr kExpr = dim(0), nExpr = dim(1), mExpr = dim(2);
    emitMoves(number, apply((((kExpr * step.n + nExpr) * pairs + pair) * step.m + mExpr) + turn, {k, n, m}));
    OpFoldResult rows = extentOf(tiles.rowCut(), step.m0, m);
    SmallVector<Value> weights;
    if (names)
      weights = product.transposeRhs ? tile(rhsSplit, rhsPlane, n, k) : tile(rhsSplit, rhsPlane, k, n);
    PreloadOp::create(b, loc, names ? rhsTiles[step.rhs] : Value(), weights, valueOf(depth), valueOf(cols),
                      sums[step.sums], valuesOf({m, n}), valueOf(first ? k : constant(1)),
                      names && product.transposeRhs, static_cast<uint64_t>(config.bits * (lhsPlane + rhsPlane)));
    const bool lhsUnsigned = isLhsTop(lhsPlane) ? product.lhsUnsigned : true;
    ComputeOp::create(b, loc, lhsTiles[step.lhs], tile(lhsSplit, lhsPlane, m, k), valueOf(rows), valueOf(depth),
                      Value(), ValueRange(), fresh, false, lhsUnsigned, !isRhsTop(rhsPlane));
  };
  // With the same plane of weights they are there already.
  const bool names = lhsPlane == 0;
  const bool hasTail = tiles.rowCut().isOneRun() && product.m % tiles.rows != 0 && step.m0 + step.m == tiles.m;
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
  OpFoldResult rows = extentOf(tiles.rowCut(), step.m0, m);
  OpFoldResult cols = extentOf(tiles.colCut(), step.n0, n);
  for (int64_t rhsPlane = 0; rhsPlane < tiles.rhsPlanes; ++rhsPlane)
    for (int64_t lhsPlane = 0; lhsPlane < tiles.lhsPlanes; ++lhsPlane) {
      const bool first = lhsPlane == 0 && rhsPlane == 0 && step.firstK && !bias;
      PreloadOp::create(b, loc, Value(), ValueRange(), valueOf(rows), valueOf(cols), sums[step.sums], valuesOf({m, n}),
                        first ? Value() : valueOf(constant(1)), false,
                        static_cast<uint64_t>(config.bits * (lhsPlane + rhsPlane)));
      auto compute = [&](OpFoldResult k) {
        OpFoldResult depth = extentOf(tiles.depthCut(), step.k0, k);
        const bool lhsUnsigned = isLhsTop(lhsPlane) ? product.lhsUnsigned : true;
        ComputeOp::create(b, loc, lhsTiles[step.lhs], tile(lhsSplit, lhsPlane, m, k), valueOf(rows), valueOf(depth),
                          rhsTiles[step.rhs], tile(rhsSplit, rhsPlane, k, n), isConstantIntValue(k, 0),
                          isConstantIntValue(k, step.k - 1), lhsUnsigned, !isRhsTop(rhsPlane));
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
  allocate(entry->getArguments());
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
