//===- Steps.cpp - The order of blocks -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Steps.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace vitq;
using namespace vitq::systolic;

int64_t Product::batches() const { return mlir::computeProduct(batch); }

TileCounts::TileCounts(const Product &product, const simulator::Config &config) {
  const bool outputs = config.dataflow == simulator::Dataflow::OutputStationary;
  cols = config.cols;
  depth = outputs ? config.width() : config.rows;
  n = llvm::divideCeil(product.n, cols);
  // Two buffers of whole rows of sums have to fit.
  const int64_t most = std::max<int64_t>(1, config.accumulatorSize() / (2 * (product.wholeRows ? n : 1)));
  lhsPlanes = config.planesOf(product.lhsBits);
  rhsPlanes = config.planesOf(product.rhsBits);
  allCols = product.n;
  if (product.patches) {
    cutLines(product, std::min(config.tileRows(), most));
    return;
  }
  rows = stripRows = std::min({product.m, config.tileRows(), most});
  line = product.m;
  run = product.k;
  m = lineStrips = allStrips = llvm::divideCeil(product.m, rows);
  k = runTiles = llvm::divideCeil(product.k, depth);
  strips = 1;
}

/// Tiles of some lines of patches, or of a part of one; all about as large.
void TileCounts::cutLines(const Product &product, int64_t mostRows) {
  llvm::ArrayRef<int64_t> view = product.lhs.getShape();
  line = view[2];
  run = view[5];
  const int64_t lines = view[0] * view[1];
  runTiles = llvm::divideCeil(run, depth);
  k = view[3] * view[4] * runTiles;
  lineStrips = llvm::divideCeil(line, mostRows);
  stripRows = llvm::divideCeil(line, lineStrips);
  allStrips = lines * lineStrips;
  m = llvm::divideCeil(allStrips, lineStrips > 1 ? 1 : mostRows / line);
  strips = llvm::divideCeil(allStrips, m);
  rows = strips * stripRows;
  m = llvm::divideCeil(allStrips, strips);
}

int64_t TileCounts::depthBlocks(int64_t tiles) const {
  const int64_t size = wholeRuns(tiles);
  return size < runTiles ? k / runTiles * llvm::divideCeil(runTiles, size) : llvm::divideCeil(k, size);
}

std::vector<Step> systolic::stepsOf(const Product &product, const TileCounts &tiles, const Tiling &tiling) {
  std::vector<Step> steps;
  auto addColumnOfBlocks = [&](int64_t batch, int64_t m0, int64_t n0) {
    const int64_t most = tiles.wholeRuns(tiling.k);
    for (int64_t k0 = 0, size = 0; k0 < tiles.k; k0 += size) {
      size = std::min(most, most < tiles.runTiles ? tiles.runTiles - k0 % tiles.runTiles : tiles.k - k0);
      Step step{batch,
                m0,
                n0,
                k0,
                std::min(tiling.m, tiles.m - m0),
                std::min(tiling.n, tiles.n - n0),
                size,
                true,
                true,
                k0 == 0,
                k0 + size >= tiles.k,
                0,
                0,
                0};
      if (!steps.empty()) {
        const Step &before = steps.back();
        const bool sharedRhs = product.rhs.getRank() == 2;
        step.loadLhs = batch != before.batch || m0 != before.m0 || k0 != before.k0;
        step.loadRhs = (batch != before.batch && !sharedRhs) || n0 != before.n0 || k0 != before.k0;
        step.lhs = before.lhs ^ step.loadLhs;
        step.rhs = before.rhs ^ step.loadRhs;
        step.sums = before.sums ^ step.firstK;
      }
      steps.push_back(step);
    }
  };
  for (int64_t batch = 0; batch < product.batches(); ++batch) {
    if (tiling.columnsFirst) {
      for (int64_t n0 = 0; n0 < tiles.n; n0 += tiling.n)
        for (int64_t m0 = 0; m0 < tiles.m; m0 += tiling.m)
          addColumnOfBlocks(batch, m0, n0);
    } else {
      for (int64_t m0 = 0; m0 < tiles.m; m0 += tiling.m)
        for (int64_t n0 = 0; n0 < tiles.n; n0 += tiling.n)
          addColumnOfBlocks(batch, m0, n0);
    }
  }
  return steps;
}

BufferCounts systolic::buffersOf(llvm::ArrayRef<Step> steps) {
  BufferCounts counts;
  for (const Step &step : steps) {
    counts.lhs = std::max(counts.lhs, step.lhs + 1);
    counts.rhs = std::max(counts.rhs, step.rhs + 1);
    counts.sums = std::max(counts.sums, step.sums + 1);
  }
  return counts;
}

MemoryNeed systolic::memoryOf(const Product &product, const simulator::Config &config, const Tiling &tiling) {
  const TileCounts tiles(product, config);
  // Whether there is more than one block of each kind decides, without listing them.
  const int64_t mBlocks = llvm::divideCeil(tiles.m, tiling.m), nBlocks = llvm::divideCeil(tiles.n, tiling.n),
                kBlocks = tiles.depthBlocks(tiling.k), batches = product.batches();
  const bool sharedRhs = product.rhs.getRank() == 2;
  const int64_t lhs = mBlocks * kBlocks * batches > 1 ? 2 : 1,
                rhs = nBlocks * kBlocks * (sharedRhs ? 1 : batches) > 1 ? 2 : 1,
                sums = mBlocks * nBlocks * batches > 1 ? 2 : 1;
  const int64_t rhsRows = product.transposeRhs ? tiles.cols : tiles.depth;
  return {lhs * tiles.lhsPlanes * tiling.m * tiling.k * tiles.rows +
              rhs * tiles.rhsPlanes * tiling.k * tiling.n * rhsRows,
          sums * tiling.m * tiling.n * tiles.rows};
}
