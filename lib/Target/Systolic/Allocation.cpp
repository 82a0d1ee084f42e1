//===- Allocation.cpp - Places of tiles -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Systolic/Allocation.h"

#include "dialects/systolic/Systolic.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "systolic-allocate"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

/// Whether the tiles are what stays in the array, or its right operand.
static bool isRightOperand(AllocOp op) {
  return llvm::any_of(op->getUses(), [&](OpOperand &use) {
    if (auto preload = dyn_cast<PreloadOp>(use.getOwner()))
      return preload.getWeights() == op.getResult();
    auto compute = dyn_cast<ComputeOp>(use.getOwner());
    return compute && compute.getRhs() == op.getResult();
  });
}

namespace {
/// One memory: free rows between what was placed from each end.
struct Places {
  int64_t begin = 0, end, bankRows;
  int64_t needed = 0;

  /// The next rows from the front. Where there is room they begin a bank if what is
  /// before ends inside it: then two buffers are no neighbours in one.
  int64_t front(int64_t rows, bool ownBank) {
    const int64_t bank = llvm::alignTo(begin, bankRows);
    const int64_t first = ownBank && bank + rows <= end ? bank : begin;
    begin = first + rows;
    needed += rows;
    return first;
  }
  int64_t back(int64_t rows) {
    end -= rows;
    needed += rows;
    return end;
  }
  bool fits() const { return begin <= end; }
};
} // namespace

LogicalResult systolic::allocateTiles(func::FuncOp routine) {
  std::optional<simulator::Config> config = configOf(routine);
  if (!config)
    return routine.emitError() << "needs a module with '" << kConfigAttr << "'";
  SmallVector<AllocOp> allocs(routine.getOps<AllocOp>());
  // Room for accumulators in banks of their own only if all fit after that.
  for (bool ownBanks : {true, false}) {
    Places scratchpad{0, config->scratchpadSize(), config->scratchpadRows};
    Places accumulator{0, config->accumulatorSize(), config->accumulatorRows};
    Builder b(routine.getContext());
    for (AllocOp alloc : allocs) {
      TilesType type = alloc.getTiles().getType();
      const int64_t rows = type.rowCount();
      const int64_t address = !type.isScratchpad()    ? accumulator.front(rows, ownBanks)
                              : isRightOperand(alloc) ? scratchpad.back(rows)
                                                      : scratchpad.front(rows, false);
      alloc.setAddressAttr(b.getI64IntegerAttr(address));
    }
    LDBG() << routine.getName() << ": " << scratchpad.needed << " scratchpad and " << accumulator.needed
           << " accumulator rows" << (ownBanks ? ", accumulators in banks of their own" : "");
    if (scratchpad.fits() && accumulator.fits())
      return success();
    if (ownBanks)
      continue;
    for (AllocOp alloc : allocs)
      alloc.removeAddressAttr();
    return routine.emitError() << "needs " << scratchpad.needed << " scratchpad rows of " << config->scratchpadSize()
                               << " and " << accumulator.needed << " accumulator rows of " << config->accumulatorSize();
  }
  llvm_unreachable("returned above");
}
