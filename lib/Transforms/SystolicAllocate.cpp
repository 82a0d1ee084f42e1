//===- SystolicAllocate.cpp - Places of tiles -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Systolic/Allocation.h"

#include "dialects/systolic/Systolic.h"
#include "vitq/Transforms/Passes.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

namespace vitq {
#define GEN_PASS_DEF_SYSTOLICALLOCATEPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

namespace {
struct SystolicAllocate : vitq::impl::SystolicAllocatePassBase<SystolicAllocate> {
  using SystolicAllocatePassBase::SystolicAllocatePassBase;
  void runOnOperation() override {
    for (auto routine : getOperation().getOps<func::FuncOp>())
      if (routine->hasAttr(kRoutineAttr) && failed(allocateTiles(routine)))
        return signalPassFailure();
  }
};
} // namespace
