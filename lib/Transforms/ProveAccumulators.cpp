//===- ProveAccumulators.cpp - Prove that no 32-bit accumulator overflows -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/AccumulatorBounds.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Analysis/DataFlow/ConstantPropagationAnalysis.h"
#include "mlir/Analysis/DataFlow/DeadCodeAnalysis.h"
#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"
#include "mlir/Analysis/DataFlowFramework.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vitq-prove-accumulators"

namespace vitq {
#define GEN_PASS_DEF_VITQPROVEACCUMULATORSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;

namespace {

class ProveAccumulators : public vitq::impl::VitqProveAccumulatorsPassBase<ProveAccumulators> {
  using VitqProveAccumulatorsPassBase::VitqProveAccumulatorsPassBase;

  void runOnOperation() override {
    DataFlowSolver solver;
    solver.load<dataflow::DeadCodeAnalysis>();
    solver.load<dataflow::SparseConstantPropagation>();
    solver.load<dataflow::IntegerRangeAnalysis>();
    if (failed(solver.initializeAndRun(getOperation())))
      return signalPassFailure();
    bool bad = false;
    getOperation().walk([&](integer::ProductOp op) {
      numerics::Interval bound = op.getAccumulatorBound(operandRange(solver, op));
      op->setAttr("vitq.accumulator_range", DenseI64ArrayAttr::get(op.getContext(), {bound.min, bound.max}));
      LDBG() << nodeName(op.getLoc()) << ": [" << bound.min << ", " << bound.max << "], "
             << numerics::signedBitsFor(bound) << " bits";
      if (numerics::signedBitsFor(bound) <= 32)
        return;
      bad = true;
      op->emitError("node '") << nodeName(op.getLoc()) << "': the accumulator may reach [" << bound.min << ", "
                              << bound.max
                              << "], beyond 32 bits; quantize the operands to fewer bits or split the contraction";
    });
    if (bad)
      signalPassFailure();
  }

  static numerics::Interval operandRange(DataFlowSolver &solver, integer::ProductOp op) {
    numerics::Interval all = getOperandTypeRange(op);
    auto *state = solver.lookupState<dataflow::IntegerValueRangeLattice>(op->getOperand(0));
    if (!state || state->getValue().isUninitialized())
      return all;
    const ConstantIntRanges &range = state->getValue().getValue();
    if (cast<integer::IntegerOp>(op.getOperation()).getOperandCode(0).isUnsigned())
      return {static_cast<int64_t>(range.umin().getZExtValue()), static_cast<int64_t>(range.umax().getZExtValue())};
    return {range.smin().getSExtValue(), range.smax().getSExtValue()};
  }
};

} // namespace
