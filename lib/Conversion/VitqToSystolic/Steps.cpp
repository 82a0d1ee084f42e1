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
  rows = std::min({product.m, config.tileRows(), most});
  m = llvm::divideCeil(product.m, rows);
  k = llvm::divideCeil(product.k, depth);
  lhsPlanes = rhsPlanes = config.planesOf(8);
}

std::vector<Step> systolic::stepsOf(const Product &product, const TileCounts &tiles, const Tiling &tiling) {
  std::vector<Step> steps;
  auto addColumnOfBlocks = [&](int64_t batch, int64_t m0, int64_t n0) {
    for (int64_t k0 = 0; k0 < tiles.k; k0 += tiling.k) {
      Step step{batch,
                m0,
                n0,
                k0,
                std::min(tiling.m, tiles.m - m0),
                std::min(tiling.n, tiles.n - n0),
                std::min(tiling.k, tiles.k - k0),
                true,
                true,
                k0 == 0,
                k0 + tiling.k >= tiles.k,
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
                kBlocks = llvm::divideCeil(tiles.k, tiling.k), batches = product.batches();
  const bool sharedRhs = product.rhs.getRank() == 2;
  const int64_t lhs = mBlocks * kBlocks * batches > 1 ? 2 : 1,
                rhs = nBlocks * kBlocks * (sharedRhs ? 1 : batches) > 1 ? 2 : 1,
                sums = mBlocks * nBlocks * batches > 1 ? 2 : 1;
  const int64_t rhsRows = product.transposeRhs ? tiles.cols : tiles.depth;
  return {lhs * tiles.lhsPlanes * tiling.m * tiling.k * tiles.rows +
              rhs * tiles.rhsPlanes * tiling.k * tiling.n * rhsRows,
          sums * tiling.m * tiling.n * tiles.rows};
}
