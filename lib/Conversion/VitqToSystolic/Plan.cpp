//===- Plan.cpp - Choosing how a product is cut -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Plan.h"

#include "dialects/systolic/Systolic.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Simulator/Simulator.h"
#include "vitq/Target/Systolic/Allocation.h"
#include "vitq/Target/Systolic/Systolic.h"

#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using simulator::Config;

/// Tilings that are simulated.
static constexpr size_t kSimulated = 10;
/// And instructions: with these no further tiling is. Small arrays need many.
static constexpr size_t kSimulatedInstructions = size_t(1) << 22;
/// No more are when one takes no longer than this times the products need.
static constexpr double kGoodEnough = 1.02;

/// Whether an instruction can say how far the planes of an operand are apart.
static bool planesAreNear(const Product &product, const TileCounts &tiles, const Tiling &tiling) {
  constexpr int64_t most = std::numeric_limits<uint16_t>::max();
  const int64_t rhsRows = product.transposeRhs ? tiles.cols : tiles.depth;
  return (tiles.lhsPlanes == 1 || tiling.m * tiling.k * tiles.rows <= most) &&
         (tiles.rhsPlanes == 1 || tiling.k * tiling.n * rhsRows <= most);
}

static bool fits(const Product &product, const Config &config, const Tiling &tiling) {
  if (!planesAreNear(product, TileCounts(product, config), tiling))
    return false;
  const MemoryNeed need = memoryOf(product, config, tiling);
  return need.scratchpad <= config.scratchpadSize() && need.accumulator <= config.accumulatorSize();
}

Tiling systolic::fixedTiling(const Product &product, const Config &config) {
  const TileCounts tiles(product, config);
  const int64_t scratchpad = config.scratchpadSize() / 2, accumulator = config.accumulatorSize() / 2;
  const int64_t rhsRows = product.transposeRhs ? tiles.cols : tiles.depth;
  auto allowed = [&](const Tiling &t) {
    return t.m <= tiles.m && t.n <= tiles.n && t.k <= tiles.k &&
           t.m * t.k * tiles.rows * tiles.lhsPlanes + t.k * t.n * rhsRows * tiles.rhsPlanes <= scratchpad &&
           t.m * t.n * tiles.rows <= accumulator;
  };
  Tiling tiling;
  const auto side =
      static_cast<int64_t>(std::sqrt(static_cast<double>(std::max<int64_t>(1, accumulator / tiles.rows))));
  tiling.m = std::clamp<int64_t>(side, 1, tiles.m);
  tiling.n = product.wholeRows ? tiles.n : std::clamp<int64_t>(side, 1, tiles.n);
  const int64_t depth = scratchpad / (tiling.m * tiles.rows * tiles.lhsPlanes + tiling.n * rhsRows * tiles.rhsPlanes);
  tiling.k = std::clamp<int64_t>(depth, 1, tiles.k);
  while (!allowed(tiling) && tiling.m > 1)
    --tiling.m;
  for (bool grown = true; grown;) {
    grown = false;
    for (int64_t Tiling::*extent : {&Tiling::n, &Tiling::m, &Tiling::k}) {
      Tiling larger = tiling;
      ++(larger.*extent);
      if (allowed(larger)) {
        tiling = larger;
        grown = true;
      }
    }
  }
  tiling.k = tiles.wholeRuns(tiling.k);
  return tiling;
}

/// 1, the whole, and the parts of it that need as many blocks with less.
static SmallVector<int64_t> partsOf(int64_t whole) {
  SmallVector<int64_t> parts;
  for (int64_t blocks = 1; blocks <= whole; ++blocks) {
    const int64_t part = llvm::divideCeil(whole, blocks);
    if (parts.empty() || parts.back() != part)
      parts.push_back(part);
  }
  return parts;
}

/// Depths of blocks, the largest first: so many runs of K, then parts of one.
static SmallVector<int64_t> depthsOf(const TileCounts &tiles) {
  SmallVector<int64_t> depths;
  for (int64_t runs : partsOf(tiles.k / tiles.runTiles))
    depths.push_back(runs * tiles.runTiles);
  llvm::append_range(depths, ArrayRef(partsOf(tiles.runTiles)).drop_front());
  return depths;
}

/// A lower bound of the cycles, with what no other work can hide at the start and the end.
static double estimate(const Product &product, const Config &config, const Tiling &t) {
  const TileCounts tiles(product, config);
  const auto batches = static_cast<double>(product.batches());
  const int64_t mBlocks = llvm::divideCeil(tiles.m, t.m), nBlocks = llvm::divideCeil(tiles.n, t.n),
                kBlocks = tiles.depthBlocks(t.k);
  // Streams of weights: rows of a block, at least as many as shifting the next ones in takes.
  double rows = 0;
  for (int64_t m0 = 0; m0 < tiles.m; m0 += t.m) {
    const int64_t end = std::min(product.m, (m0 + t.m) * tiles.rows);
    rows += static_cast<double>(std::max<int64_t>(end - m0 * tiles.rows, config.rows));
  }
  const double passes = static_cast<double>(tiles.lhsPlanes * tiles.rhsPlanes);
  const double compute = config.dataflow == simulator::Dataflow::OutputStationary
                             ? static_cast<double>(tiles.m * tiles.n * product.k) * passes * batches
                             : static_cast<double>(tiles.k * tiles.n) * rows * passes * batches;
  auto bytes = [](int64_t elements, MemRefType type) {
    return static_cast<double>(elements) * type.getElementTypeBitWidth() / 8;
  };
  const double lhsBytes = bytes(product.m * product.k, product.lhs),
               rhsBytes = bytes(product.k * product.n, product.rhs);
  const bool lhsStays = kBlocks == 1 && (!t.columnsFirst || mBlocks == 1);
  const bool rhsStays = kBlocks == 1 && (t.columnsFirst || nBlocks == 1);
  const bool sharedRhs = product.rhs.getRank() == 2 && rhsStays && nBlocks == 1;
  const double read = lhsBytes * batches * static_cast<double>(lhsStays ? 1 : nBlocks) +
                      rhsBytes * (sharedRhs ? 1 : batches) * static_cast<double>(rhsStays ? 1 : mBlocks);
  const double written =
      static_cast<double>(product.m * product.n) * batches * (product.units || product.shift ? 1 : 4);
  const auto dma = static_cast<double>(config.dmaBytes);
  const double last =
      static_cast<double>(std::min(product.m, t.m * tiles.rows) * std::min(product.n, t.n * tiles.cols)) *
      (product.units || product.shift ? 1 : 4);
  // Of the first block so much is loaded before, or, if the DMA is what binds, meanwhile.
  const double share = std::min(1.0, read / dma / compute);
  const double first =
      static_cast<double>(std::min(product.m, t.m * tiles.rows) * config.width()) +
      share * static_cast<double>(std::min(product.k, t.k * tiles.depth) * std::min(product.n, t.n * tiles.cols));
  return std::max({compute, read / dma, written / dma}) + (last + first) / dma;
}

/// What the machine does with a tiling; its instructions are counted.
static FailureOr<simulator::Counters> simulate(Location loc, const Product &product, const Config &config,
                                               const Tiling &tiling, const simulator::UnitProgram *units,
                                               size_t &instructions) {
  OwningOpRef<ModuleOp> module(ModuleOp::create(loc));
  OpBuilder b(loc.getContext());
  (*module)->setAttr(kConfigAttr, ConfigAttr::get(b.getContext(), config.str()));
  b.setInsertionPointToStart(module->getBody());
  func::FuncOp routine = buildRoutine(b, loc, "candidate", product, config, tiling);
  if (failed(allocateTiles(routine)))
    return failure();
  FailureOr<std::vector<simulator::Instruction>> code = encodeRoutine(routine);
  if (failed(code))
    return failure();
  instructions += code->size();
  return simulator::simulateTiming(config, *code, units ? ArrayRef(units) : ArrayRef<const simulator::UnitProgram *>());
}

/// Every tiling that fits, the lowest bound of cycles first.
static SmallVector<std::pair<double, Tiling>> candidatesOf(const Product &product, const Config &config,
                                                           const TileCounts &tiles) {
  SmallVector<std::pair<double, Tiling>> candidates;
  for (int64_t m : partsOf(tiles.m))
    for (int64_t n : partsOf(tiles.n)) {
      if (product.wholeRows && n != tiles.n)
        continue;
      for (int64_t k : depthsOf(tiles)) {
        if (!fits(product, config, {m, n, k, false}))
          continue;
        for (bool columnsFirst : {false, true})
          candidates.emplace_back(estimate(product, config, {m, n, k, columnsFirst}), Tiling{m, n, k, columnsFirst});
        // Smaller depths of the same block are worse.
        break;
      }
    }
  llvm::sort(candidates, [](const auto &a, const auto &b) {
    auto key = [](const auto &c) {
      return std::tuple(c.first, c.second.m, c.second.n, c.second.k, c.second.columnsFirst);
    };
    return key(a) < key(b);
  });
  return candidates;
}

/// A compute for each tile, and a preload where weights change.
double systolic::leastInstructions(const Product &product, const Config &config) {
  const TileCounts tiles(product, config);
  const bool outputs = config.dataflow == simulator::Dataflow::OutputStationary;
  return (outputs ? 1.0 : 2.0) * static_cast<double>(tiles.m * tiles.n) * static_cast<double>(tiles.k) *
         static_cast<double>(product.batches() * tiles.lhsPlanes * tiles.rhsPlanes);
}

FailureOr<Plan> systolic::choosePlan(Location loc, const Product &product, const Config &config,
                                     const simulator::UnitProgram *units) {
  const TileCounts tiles(product, config);
  const double instructions = leastInstructions(product, config);
  if (instructions > static_cast<double>(kMaxInstructions))
    return emitError(loc) << "'" << nodeName(loc) << "' takes " << static_cast<uint64_t>(instructions)
                          << " instructions on this array, more than the " << kMaxInstructions
                          << " of a routine; use a larger one (rows, cols, stream-rows, bits), or the host";
  const SmallVector<std::pair<double, Tiling>> candidates = candidatesOf(product, config, tiles);
  if (candidates.empty()) {
    const MemoryNeed need = memoryOf(product, config, {1, product.wholeRows ? tiles.n : 1, 1, false});
    return emitError(loc) << "'" << nodeName(loc) << "' does not fit the array: one tile of each operand"
                          << (product.wholeRows ? " with whole rows of sums" : "") << " needs " << need.scratchpad
                          << " scratchpad rows of " << config.scratchpadSize() << " and " << need.accumulator
                          << " accumulator rows of " << config.accumulatorSize()
                          << "; make them larger (scratchpad-rows, accumulator-rows), or stream-rows smaller";
  }
  Plan plan;
  size_t simulated = 0;
  auto consider = [&](const Tiling &tiling) -> FailureOr<uint64_t> {
    FailureOr<simulator::Counters> counters = simulate(loc, product, config, tiling, units, simulated);
    if (failed(counters))
      return failure();
    if (plan.cycles == 0 || counters->cycles < plan.cycles) {
      plan.tiling = tiling;
      plan.cycles = counters->cycles;
      plan.picojoules = counters->energyPicojoules;
    }
    return counters->cycles;
  };
  const Tiling fixed = fixedTiling(product, config);
  if (fits(product, config, fixed)) {
    FailureOr<uint64_t> cycles = consider(fixed);
    if (failed(cycles))
      return failure();
    plan.fixedCycles = *cycles;
  }
  // Nobody can be much better than this.
  const auto passes = static_cast<double>(tiles.lhsPlanes * tiles.rhsPlanes);
  const double bound = passes * static_cast<double>(product.macs()) / static_cast<double>(config.rows * config.cols);
  for (const auto &[cost, tiling] : ArrayRef(candidates).take_front(kSimulated)) {
    if (failed(consider(tiling)))
      return failure();
    if (static_cast<double>(plan.cycles) < kGoodEnough * bound || simulated > kSimulatedInstructions)
      break;
  }
  return plan;
}
