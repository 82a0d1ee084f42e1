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
#include "Steps.h"

#include "dialects/systolic/Systolic.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using simulator::Config;

namespace {

/// An index as IR, and its value where that is a constant.
struct Index {
  Value value;
  std::optional<int64_t> known;
};

class RoutineBuilder {
public:
  RoutineBuilder(OpBuilder &builder, Location loc, const Product &product, const Config &config, const Tiling &tiling)
      : b(builder), loc(loc), product(product), config(config), tiles(product, config),
        steps(stepsOf(product, tiles, tiling)), tiling(tiling), before(1, 0) {
    for (const Step &step : steps)
      before.push_back(before.back() + positionsOf(step));
  }

  func::FuncOp build(StringRef name);

private:
  // Indices.
  Index constant(int64_t value);
  /// expr of d0 (and d1).
  Index apply(AffineExpr expr, ArrayRef<Index> operands);
  /// The smaller of `most` and total - (first + index) * unit: what is left for a tile.
  Index rest(int64_t most, int64_t total, int64_t first, Index index, int64_t unit);
  void loop(int64_t low, int64_t high, llvm::function_ref<void(Index)> body);
  /// Those of `total` things that belong to place `at + offset` of `positions`, when they are
  /// spread evenly; none before place 0.
  void spread(Index at, int64_t offset, int64_t positions, int64_t total, llvm::function_ref<void(Index)> body);
  /// Once if `at` is `value`.
  void onlyAt(Index at, int64_t value, llvm::function_ref<void()> body);

  // Operands.
  SmallVector<Value> dramIndices(const Step &step, MemRefType type, Index row, Index col);
  void allocate();

  // Moves, one each.
  int64_t lhsGroups(const Step &step) const { return step.m * llvm::divideCeil(step.k, lhsBlock); }
  int64_t rhsGroups(const Step &step) const;
  void loadLhs(const Step &step, Index kGroup, Index m);
  void loadLhs(const Step &step, Index group);
  void loadRhs(const Step &step, Index group);
  void loadBias(const Step &step, Index tile);
  int64_t storesOf(const Step &step) const { return product.units ? step.m : step.m * step.n; }
  void store(const Step &step, Index number);
  void storeTile(const Step &step, Index m, Index n);

  // Blocks.
  void emitStep(size_t number);
  struct Span {
    size_t next;
    int64_t offset, positions;
  };
  std::optional<Span> spanOf(size_t number, bool Step::*loads) const;
  int64_t positionsOf(const Step &step) const;
  int64_t biasDelay(size_t number) const;
  void emitMoves(size_t number, Index at);
  void emitBiasRest(size_t number);
  void emitWeightStationary(size_t number);
  void emitOwnLoads(const Step &step, Index k);
  void stream(size_t number, Index k, Index n, int64_t lhsPlane, int64_t rhsPlane);
  void emitOutputStationary(size_t number);
  void multiplyOutput(const Step &step, Index n, Index m);
  bool isTop(int64_t plane) const { return plane == tiles.lhsPlanes - 1; }
  SmallVector<Value> tile(bool planes, int64_t plane, Index i, Index j);

  OpBuilder &b;
  Location loc;
  const Product &product;
  const Config &config;
  const TileCounts tiles;
  const std::vector<Step> steps;
  const Tiling tiling;
  /// Places of all blocks before each.
  std::vector<int64_t> before;

  Block *entry = nullptr;
  DenseMap<int64_t, Value> constants;
  Value lhs, rhs, bias, out;
  Value lhsTiles[2], rhsTiles[2], sums[2];
  bool split = false;
  int64_t lhsBlock = 1, rhsBlock = 1;
};

} // namespace

//===----------------------------------------------------------------------===//
// Indices and loops
//===----------------------------------------------------------------------===//

Index RoutineBuilder::constant(int64_t value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(entry);
    known = arith::ConstantIndexOp::create(b, loc, value);
  }
  return {known, value};
}

Index RoutineBuilder::apply(AffineExpr expr, ArrayRef<Index> operands) {
  if (llvm::all_of(operands, [](const Index &index) { return index.known.has_value(); })) {
    SmallVector<AffineExpr> numbers;
    for (const Index &index : operands)
      numbers.push_back(b.getAffineConstantExpr(*index.known));
    return constant(cast<AffineConstantExpr>(simplifyAffineExpr(expr.replaceDims(numbers), 0, 0)).getValue());
  }
  SmallVector<Value> values;
  for (const Index &index : operands)
    values.push_back(index.value);
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return operands[dim.getPosition()];
  auto map = AffineMap::get(operands.size(), 0, expr);
  return {affine::AffineApplyOp::create(b, loc, map, values), std::nullopt};
}

Index RoutineBuilder::rest(int64_t most, int64_t total, int64_t first, Index index, int64_t unit) {
  if (total % unit == 0 && most == unit)
    return constant(most);
  if (index.known)
    return constant(std::min(most, total - (first + *index.known) * unit));
  AffineExpr left = b.getAffineConstantExpr(total - first * unit) - b.getAffineDimExpr(0) * unit;
  auto map = AffineMap::get(1, 0, {b.getAffineConstantExpr(most), left}, b.getContext());
  return {affine::AffineMinOp::create(b, loc, map, ValueRange{index.value}), std::nullopt};
}

void RoutineBuilder::loop(int64_t low, int64_t high, llvm::function_ref<void(Index)> body) {
  if (high - low == 1)
    return body(constant(low));
  if (high <= low)
    return;
  auto loop = affine::AffineForOp::create(b, loc, low, high);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body({loop.getInductionVar(), std::nullopt});
}

void RoutineBuilder::spread(Index at, int64_t offset, int64_t positions, int64_t total,
                            llvm::function_ref<void(Index)> body) {
  if (at.known) {
    auto bound = [&](int64_t place) { return std::max<int64_t>(0, place) * total / positions; };
    return loop(bound(*at.known + offset), bound(*at.known + offset + 1), body);
  }
  AffineExpr place = b.getAffineDimExpr(0) + offset;
  AffineExpr first = (place * total).floorDiv(positions), end = ((place + 1) * total).floorDiv(positions);
  SmallVector<AffineExpr, 2> lows = {first};
  if (offset < 0)
    lows.push_back(b.getAffineConstantExpr(0));
  auto low = AffineMap::get(1, 0, lows, b.getContext()), high = AffineMap::get(1, 0, end);
  auto loop = affine::AffineForOp::create(b, loc, ValueRange{at.value}, low, ValueRange{at.value}, high);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body({loop.getInductionVar(), std::nullopt});
}

void RoutineBuilder::onlyAt(Index at, int64_t value, llvm::function_ref<void()> body) {
  if (at.known) {
    if (*at.known == value)
      body();
    return;
  }
  // From max(at, value) to min(at, value) + 1: nothing unless they are equal.
  AffineExpr d = b.getAffineDimExpr(0), v = b.getAffineConstantExpr(value);
  auto low = AffineMap::get(1, 0, {d, v}, b.getContext());
  auto high = AffineMap::get(1, 0, {d + 1, v + 1}, b.getContext());
  auto loop = affine::AffineForOp::create(b, loc, ValueRange{at.value}, low, ValueRange{at.value}, high);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body();
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

SmallVector<Value> RoutineBuilder::dramIndices(const Step &step, MemRefType type, Index row, Index col) {
  SmallVector<Value> indices;
  if (type.getRank() == static_cast<int64_t>(product.batch.size()) + 2) {
    int64_t rest = step.batch, inner = product.batches();
    for (int64_t extent : product.batch) {
      inner /= extent;
      indices.push_back(constant(rest / inner).value);
      rest %= inner;
    }
  }
  indices.push_back(row.value);
  indices.push_back(col.value);
  return indices;
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

void RoutineBuilder::loadLhs(const Step &step, Index kGroup, Index m) {
  AffineExpr d = b.getAffineDimExpr(0);
  Index row = apply((d + step.m0) * tiles.rows, {m});
  Index kTile = apply(d * lhsBlock, {kGroup});
  Index col = apply((d * lhsBlock + step.k0) * tiles.depth, {kGroup});
  Index rows = rest(tiles.rows, product.m, step.m0, m, tiles.rows);
  // No further than the block and the operand reach.
  const int64_t end = std::min(product.k, (step.k0 + step.k) * tiles.depth) - step.k0 * tiles.depth;
  Index cols = rest(lhsBlock * tiles.depth, end, 0, kGroup, lhsBlock * tiles.depth);
  MvinOp::create(b, loc, lhs, dramIndices(step, product.lhs, row, col), rows.value, cols.value, lhsTiles[step.lhs],
                 ValueRange{m.value, kTile.value}, static_cast<int64_t>(product.lhs.getRank() - 2), split, false,
                 false);
}

/// Groups of columns one after the other, each for all rows: the first columns are used
/// first.
void RoutineBuilder::loadLhs(const Step &step, Index group) {
  AffineExpr d = b.getAffineDimExpr(0);
  loadLhs(step, apply(d.floorDiv(step.m), {group}), apply(d % step.m, {group}));
}

int64_t RoutineBuilder::rhsGroups(const Step &step) const {
  return product.transposeRhs ? step.n * llvm::divideCeil(step.k, rhsBlock)
                              : step.k * llvm::divideCeil(step.n, rhsBlock);
}

void RoutineBuilder::loadRhs(const Step &step, Index group) {
  AffineExpr d = b.getAffineDimExpr(0);
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
  Index outer = product.transposeRhs ? apply(d % outerCount, {group}) : apply(d.floorDiv(groups), {group});
  Index innerGroup = product.transposeRhs ? apply(d.floorDiv(outerCount), {group}) : apply(d % groups, {group});
  Index row = apply((d + outer0) * outerUnit, {outer});
  Index innerTile = apply(d * rhsBlock, {innerGroup});
  Index col = apply((d * rhsBlock + inner0) * innerUnit, {innerGroup});
  Index rows = rest(outerUnit, outerTotal, outer0, outer, outerUnit);
  const int64_t end = std::min(innerTotal, (inner0 + inner) * innerUnit) - inner0 * innerUnit;
  Index cols = rest(rhsBlock * innerUnit, end, 0, innerGroup, rhsBlock * innerUnit);
  MvinOp::create(b, loc, rhs, dramIndices(step, product.rhs, row, col), rows.value, cols.value, rhsTiles[step.rhs],
                 ValueRange{outer.value, innerTile.value}, static_cast<int64_t>(product.rhs.getRank() - 2), split,
                 false, false);
}

void RoutineBuilder::loadBias(const Step &step, Index tile) {
  AffineExpr d = b.getAffineDimExpr(0);
  Index m = apply(d % step.m, {tile}), n = apply(d.floorDiv(step.m), {tile});
  Index col = apply((d + step.n0) * tiles.cols, {n});
  Index rows = rest(tiles.rows, product.m, step.m0, m, tiles.rows);
  Index cols = rest(tiles.cols, product.n, step.n0, n, tiles.cols);
  MvinOp::create(b, loc, bias, dramIndices(step, product.bias, constant(0), col), rows.value, cols.value,
                 sums[step.sums], ValueRange{m.value, n.value}, static_cast<int64_t>(product.bias.getRank() - 2), false,
                 true, false);
}

void RoutineBuilder::storeTile(const Step &step, Index m, Index n) {
  AffineExpr d = b.getAffineDimExpr(0);
  Index row = apply((d + step.m0) * tiles.rows, {m});
  Index rows = rest(tiles.rows, product.m, step.m0, m, tiles.rows);
  if (product.units) {
    Index global = apply((d + step.m0) * tiles.rows + step.batch * product.m, {m});
    Index channel = constant(step.n0 * tiles.cols);
    Index cols = constant(std::min(product.n, (step.n0 + step.n) * tiles.cols) - step.n0 * tiles.cols);
    UnitsOp::create(b, loc, sums[step.sums], ValueRange{m.value, constant(0).value}, global.value, rows.value,
                    channel.value, cols.value);
    return;
  }
  Index col = apply((d + step.n0) * tiles.cols, {n});
  Index cols = rest(tiles.cols, product.n, step.n0, n, tiles.cols);
  MemRefType type = product.results.front();
  MvoutOp::create(b, loc, sums[step.sums], ValueRange{m.value, n.value}, rows.value, cols.value, out,
                  dramIndices(step, type, row, col), static_cast<int64_t>(type.getRank() - 2),
                  product.shift ? b.getI64IntegerAttr(*product.shift) : IntegerAttr(), product.relu);
}

void RoutineBuilder::store(const Step &step, Index number) {
  AffineExpr d = b.getAffineDimExpr(0);
  if (product.units)
    return storeTile(step, number, constant(0));
  storeTile(step, apply(d % step.m, {number}), apply(d.floorDiv(step.m), {number}));
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

SmallVector<Value> RoutineBuilder::tile(bool planes, int64_t plane, Index i, Index j) {
  SmallVector<Value> indices;
  if (planes)
    indices.push_back(constant(plane).value);
  indices.append({i.value, j.value});
  return indices;
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
void RoutineBuilder::emitMoves(size_t number, Index at) {
  const int64_t positions = positionsOf(steps[number]);
  if (std::optional<Span> span = spanOf(number, &Step::loadRhs)) {
    const Step &next = steps[span->next];
    spread(at, span->offset, span->positions, rhsGroups(next), [&](Index group) { loadRhs(next, group); });
  }
  if (std::optional<Span> span = spanOf(number, &Step::loadLhs)) {
    const Step &next = steps[span->next];
    spread(at, span->offset, span->positions, lhsGroups(next), [&](Index group) { loadLhs(next, group); });
  }
  if (number > 0 && steps[number - 1].lastK)
    spread(at, 0, positions, storesOf(steps[number - 1]), [&](Index tile) { store(steps[number - 1], tile); });
  if (bias && number + 1 < steps.size() && steps[number + 1].firstK) {
    const Step &next = steps[number + 1];
    spread(at, -biasDelay(number), positions, next.m * next.n, [&](Index tile) { loadBias(next, tile); });
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
  loop((positions - biasDelay(number)) * total / positions, total, [&](Index tile) { loadBias(next, tile); });
}

/// The first block loads what it needs just before.
void RoutineBuilder::emitOwnLoads(const Step &step, Index k) {
  if (product.transposeRhs) {
    for (int64_t group = 0; group * rhsBlock < step.k; ++group)
      onlyAt(k, group * rhsBlock, [&] {
        loop(0, step.n, [&](Index n) { loadRhs(step, apply(b.getAffineDimExpr(0) + group * step.n, {n})); });
      });
  } else {
    const int64_t groups = llvm::divideCeil(step.n, rhsBlock);
    loop(0, groups, [&](Index group) {
      loadRhs(step, apply(b.getAffineDimExpr(0) * groups + b.getAffineDimExpr(1), {k, group}));
    });
  }
  for (int64_t group = 0; group * lhsBlock < step.k; ++group)
    onlyAt(k, group * lhsBlock, [&] { loop(0, step.m, [&](Index m) { loadLhs(step, constant(group), m); }); });
  if (bias)
    onlyAt(k, 0, [&] { loop(0, step.m * step.n, [&](Index tile) { loadBias(step, tile); }); });
}

/// All rows of a block stream past one tile of weights. A short tile is first: while the
/// last one streams, the next weights are shifted in, which takes as long as a whole tile.
void RoutineBuilder::stream(size_t number, Index k, Index n, int64_t lhsPlane, int64_t rhsPlane) {
  const Step &step = steps[number];
  Index depth = rest(tiles.depth, product.k, step.k0, k, tiles.depth);
  Index cols = rest(tiles.cols, product.n, step.n0, n, tiles.cols);
  const bool first = lhsPlane == 0 && rhsPlane == 0 && step.firstK && !bias;
  const int64_t pairs = tiles.lhsPlanes * tiles.rhsPlanes, pair = rhsPlane * tiles.lhsPlanes + lhsPlane;
  auto compute = [&](Index m, int64_t turn, bool fresh, bool names) {
    AffineExpr kExpr = b.getAffineDimExpr(0), nExpr = b.getAffineDimExpr(1), mExpr = b.getAffineDimExpr(2);
    emitMoves(number, apply((((kExpr * step.n + nExpr) * pairs + pair) * step.m + mExpr) + turn, {k, n, m}));
    Index rows = rest(tiles.rows, product.m, step.m0, m, tiles.rows);
    SmallVector<Value> weights;
    if (names)
      weights = product.transposeRhs ? tile(split, rhsPlane, n, k) : tile(split, rhsPlane, k, n);
    PreloadOp::create(b, loc, names ? rhsTiles[step.rhs] : Value(), weights, depth.value, cols.value, sums[step.sums],
                      ValueRange{m.value, n.value}, first ? k.value : constant(1).value, names && product.transposeRhs,
                      static_cast<uint64_t>(config.bits * (lhsPlane + rhsPlane)));
    const bool lhsUnsigned = isTop(lhsPlane) ? product.lhsUnsigned : true;
    ComputeOp::create(b, loc, lhsTiles[step.lhs], tile(split, lhsPlane, m, k), rows.value, depth.value, Value(),
                      ValueRange(), fresh, false, lhsUnsigned, !isTop(rhsPlane));
  };
  // With the same plane of weights they are there already.
  const bool names = lhsPlane == 0;
  const bool hasTail = product.m % tiles.rows != 0 && step.m0 + step.m == tiles.m;
  const int64_t firstTile = hasTail ? step.m - 1 : 0;
  compute(constant(firstTile), -firstTile, names, names);
  loop(hasTail ? 0 : 1, hasTail ? step.m - 1 : step.m, [&](Index m) { compute(m, hasTail, false, false); });
}

void RoutineBuilder::emitWeightStationary(size_t number) {
  const Step &step = steps[number];
  const bool isLast = number + 1 == steps.size();
  loop(0, step.k, [&](Index k) {
    if (number == 0)
      emitOwnLoads(step, k);
    loop(0, step.n, [&](Index n) {
      for (int64_t rhsPlane = 0; rhsPlane < tiles.rhsPlanes; ++rhsPlane)
        for (int64_t lhsPlane = 0; lhsPlane < tiles.lhsPlanes; ++lhsPlane)
          stream(number, k, n, lhsPlane, rhsPlane);
      // Nothing follows that could hide these.
      if (isLast && !product.units)
        onlyAt(k, step.k - 1, [&] { loop(0, step.m, [&](Index m) { storeTile(step, m, n); }); });
    });
  });
  emitBiasRest(number);
  if (isLast && product.units)
    loop(0, step.m, [&](Index m) { storeTile(step, m, constant(0)); });
}

/// Sums of one tile stay in the array while K is walked, plane by plane.
void RoutineBuilder::multiplyOutput(const Step &step, Index n, Index m) {
  Index rows = rest(tiles.rows, product.m, step.m0, m, tiles.rows);
  Index cols = rest(tiles.cols, product.n, step.n0, n, tiles.cols);
  for (int64_t rhsPlane = 0; rhsPlane < tiles.rhsPlanes; ++rhsPlane)
    for (int64_t lhsPlane = 0; lhsPlane < tiles.lhsPlanes; ++lhsPlane) {
      const bool first = lhsPlane == 0 && rhsPlane == 0 && step.firstK && !bias;
      PreloadOp::create(b, loc, Value(), ValueRange(), rows.value, cols.value, sums[step.sums],
                        ValueRange{m.value, n.value}, first ? Value() : constant(1).value, false,
                        static_cast<uint64_t>(config.bits * (lhsPlane + rhsPlane)));
      auto compute = [&](Index k) {
        Index depth = rest(tiles.depth, product.k, step.k0, k, tiles.depth);
        const bool lhsUnsigned = isTop(lhsPlane) ? product.lhsUnsigned : true;
        ComputeOp::create(b, loc, lhsTiles[step.lhs], tile(split, lhsPlane, m, k), rows.value, depth.value,
                          rhsTiles[step.rhs], tile(split, rhsPlane, k, n), k.known == 0, k.known == step.k - 1,
                          lhsUnsigned, !isTop(rhsPlane));
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
    loop(0, rhsGroups(step), [&](Index group) { loadRhs(step, group); });
    loop(0, lhsGroups(step), [&](Index group) { loadLhs(step, group); });
    if (bias)
      loop(0, step.m * step.n, [&](Index tile) { loadBias(step, tile); });
  }
  loop(0, portions, [&](Index at) {
    emitMoves(number, at);
    AffineExpr d = b.getAffineDimExpr(0);
    multiplyOutput(step, apply(d.floorDiv(step.m), {at}), apply(d % step.m, {at}));
  });
  emitBiasRest(number);
  if (number + 1 == steps.size())
    loop(0, storesOf(step), [&](Index tile) { store(step, tile); });
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
  entry = function.addEntryBlock();
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
