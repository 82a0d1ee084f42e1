//===- StoreOverlap.h - Results beside the next products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What follows a product keeps other units of a CPU busy than its dot products do, but waits for the last of these, and
// a CPU looks ahead no further than a part of a tile. So the sums of a tile wait in memory, and become results between
// the products of the next tile.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_STOREOVERLAP_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_STOREOVERLAP_H

#include "TileSums.h"

namespace vitq::kernels {

/// Whether results of whole tiles are computed beside the next tile's products.
bool storesBeside(const Geometry &geometry, const TileStore &store, const TargetDesc &target);

/// Bytes that sums take while they wait.
int64_t bytesOfWaiting(const Geometry &geometry);

/// Whole tiles of a product, each computed beside what becomes of the sums of the one before.
struct TilesAhead {
  KernelModule &module;
  const Geometry &geometry;
  /// As TileCaller's; rows of the left operand lie behind each other.
  Value left, panels, bias;
  const TileStore &store;
  /// Where in `scratch` sums wait, twice `bytesOfWaiting`.
  Value scratch;
  int64_t offset;

  /// Rows `from` to `end` of a panel; `placeAt` says where the tile of a row lies.
  void emit(Emitter &e, const Panel &panel, Value from, Value end,
            llvm::function_ref<TilePlace(Value row)> placeAt) const;

private:
  Value sumsAt(Emitter &e, const Panel &panel, Value number) const;
  void call(Emitter &e, const Panel &panel, TilePlace place, Value sums, TileCompanion *beside) const;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_STOREOVERLAP_H
