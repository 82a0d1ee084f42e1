//===- VerifyQuantized.cpp - Check the contract of the quantized phase -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Transforms/Passes.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-verify-quantized"

namespace vitq {
#define GEN_PASS_DEF_VITVERIFYQUANTIZEDPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

/// Whether `value` is a dequantization, or moves of dequantizations only.
bool isDequantization(Value value) {
  SmallVector<Value> worklist{value};
  llvm::SmallPtrSet<Operation *, 8> seen;
  while (!worklist.empty()) {
    Operation *op = worklist.pop_back_val().getDefiningOp();
    if (!op)
      return false;
    if (isa<DequantizeOp>(op) || !seen.insert(op).second)
      continue;
    if (!isMove(op))
      return false;
    llvm::append_range(worklist, op->getOperands());
  }
  return true;
}

class VerifyQuantized : public vitq::impl::VitVerifyQuantizedPassBase<VerifyQuantized> {
  using VitVerifyQuantizedPassBase::VitVerifyQuantizedPassBase;

  void runOnOperation() override {
    bool bad = false;
    getOperation().walk([&](Operation *op) {
      auto quantizable = dyn_cast<QuantizableOp>(op);
      if (!quantizable || quantizable.getResultCode(0).kind != CodeKind::Accumulator)
        return;
      for (OpOperand &use : op->getOpOperands()) {
        bool isBias = use.getOperandNumber() == 2;
        bool quantized = getQuantizedType(use.get()) != nullptr;
        if (quantized || (!deferred && (isBias || isDequantization(use.get()))))
          continue;
        LDBG() << "operand of " << op->getName() << ": " << use.get();
        bad = true;
        InFlightDiagnostic error = op->emitError("operand #")
                                   << use.getOperandNumber()
                                   << (deferred ? " is not quantized: vit-defer-dequant left it float"
                                                : " is neither quantized nor the dequantization of a quantized "
                                                  "value: vit-quantize left it float");
        if (Operation *producer = use.get().getDefiningOp())
          error.attachNote(producer->getLoc()) << "it is computed here";
      }
    });
    if (bad)
      signalPassFailure();
  }
};

} // namespace
