//===- VerifyIntegerOnly.cpp - Check that no float is left -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vitq/Vitq.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vitq-verify-integer-only"

namespace vitq {
#define GEN_PASS_DEF_VITQVERIFYINTEGERONLYPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;

namespace {

class VerifyIntegerOnly : public vitq::impl::VitqVerifyIntegerOnlyPassBase<VerifyIntegerOnly> {
  using VitqVerifyIntegerOnlyPassBase::VitqVerifyIntegerOnlyPassBase;

  void runOnOperation() override {
    bool bad = false;
    AttrTypeWalker walker;
    Type found;
    auto stop = [&](Type type) {
      found = type;
      return WalkResult::interrupt();
    };
    walker.addWalk(
        [&](Type type) { return isa<FloatType, quant::QuantizedType>(type) ? stop(type) : WalkResult::advance(); });
    walker.addWalk([&](DenseF64ArrayAttr attr) { return stop(Float64Type::get(attr.getContext())); });
    walker.addWalk([&](DenseF32ArrayAttr attr) { return stop(Float32Type::get(attr.getContext())); });

    auto report = [&](Operation *op, StringRef where) {
      LDBG() << *op;
      bad = true;
      op->emitError("node '") << nodeName(op->getLoc()) << "': " << where << " holds the type " << found
                              << ", but the integer phase must be free of floats";
    };
    auto hasFloat = [&](auto attrOrType) { return walker.walk(attrOrType).wasInterrupted(); };

    getOperation()->walk([&](Operation *op) {
      StringRef dialect = op->getName().getDialectNamespace();
      bool allowed =
          dialect == "vitq" || isa<ModuleOp, func::FuncOp, func::ReturnOp, func::CallOp, arith::ConstantOp>(op);
      if (!allowed) {
        bad = true;
        op->emitError("node '") << nodeName(op->getLoc()) << "': '" << op->getName()
                                << "' is no op of the integer phase";
        return;
      }
      for (Type type : op->getResultTypes())
        if (hasFloat(type))
          return report(op, "a result");
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (BlockArgument argument : block.getArguments())
            if (hasFloat(argument.getType()))
              return report(op, "an argument");
      if (isa<ModuleOp>(op))
        return; // scales and preprocessing, which no lowering reads
      for (NamedAttribute attribute : op->getAttrs())
        if (hasFloat(attribute.getValue()))
          return report(op, ("attribute '" + attribute.getName().strref() + "'").str());
    });
    if (bad)
      signalPassFailure();
  }
};

} // namespace
