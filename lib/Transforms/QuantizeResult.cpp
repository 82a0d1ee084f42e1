//===- QuantizeResult.cpp - What the program gives -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// All values that a program returns get 32-bit codes of one scale each. What has no
// 32-bit form gets 16-bit codes of its own first; what only moves elements moves codes.

#include "QuantizeDetail.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-quantize-result"

namespace vitq {
#define GEN_PASS_DEF_VITQUANTIZERESULTPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;

namespace {

class ResultQuantizer {
public:
  ResultQuantizer(func::FuncOp function, QuantizedLayout layout, double headroom)
      : function(function), rewriter(function.getContext()), layout(layout), headroom(headroom) {}

  /// One scale for all classes; fine enough that class scales cost nothing.
  LogicalResult run() {
    auto ret = cast<func::ReturnOp>(function.front().getTerminator());
    SmallVector<Type> types;
    for (OpOperand &use : ret->getOpOperands()) {
      FailureOr<Range> range = calibratedRange(realSource(use.get()));
      if (failed(range))
        return failure();
      double absMax = std::max(std::abs(range->first), std::abs(range->second));
      auto type = getPerTensorType(ret.getContext(), 32, true, numerics::symmetricScale(absMax, 24), 0);
      LDBG() << nodeName(use.get().getLoc()) << ": " << type;
      rewriter.setInsertionPoint(ret);
      FailureOr<Value> codes = codesOf(rewriter, use.get(), type, layout, headroom);
      if (failed(codes))
        return failure();
      Operation *real = use.get().getDefiningOp();
      use.set(*codes);
      eraseUnread(real);
      types.push_back(codes->getType());
    }
    function.setFunctionType(rewriter.getFunctionType(function.getArgumentTypes(), types));
    return success();
  }

private:
  func::FuncOp function;
  IRRewriter rewriter;
  QuantizedLayout layout;
  double headroom;
};

class QuantizeResult : public vitq::impl::VitQuantizeResultPassBase<QuantizeResult> {
  using VitQuantizeResultPassBase::VitQuantizeResultPassBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function) || failed(ResultQuantizer(*function, layout, headroom).run()))
      return signalPassFailure();
    // What only quantization needs, and is big.
    getOperation().walk([](Operation *op) {
      removeCalibrationStatistics(op);
      op->removeDiscardableAttr(kCodeRangesAttr);
      op->removeDiscardableAttr(kStreamBitsAttr);
      // Of results with codes of their own, the algorithm that is chosen later depends on it.
      if (auto quantizable = dyn_cast<QuantizableOp>(op); !quantizable || !quantizable.getFixedResultType(0))
        op->removeDiscardableAttr(kCodeBitsAttr);
    });
  }
};

} // namespace
