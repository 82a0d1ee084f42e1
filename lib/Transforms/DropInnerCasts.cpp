//===- DropInnerCasts.cpp - Casts inside functions ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Functions that are computed as a whole (GELU, LayerNorm written out) have codes at their
// ends only.

#include "RecoverPatterns.h"

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/Constants.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;

/// Ops that only exist to be matched.
static bool isElementary(Operation *op) {
  return op && isa_and_nonnull<vit::VitDialect>(op->getDialect()) && !isa<vit::QuantizableOp>(op) && !vit::isMove(op) &&
         !isa<vit::QuantizeOp, vit::DequantizeOp>(op);
}

/// Ops that may be parts of the same function as an elementary one.
static bool isPart(Operation *op) {
  return isElementary(op) || isa_and_nonnull<vit::MulOp, vit::MeanOp>(op) ||
         (isa_and_nonnull<vit::AddOp>(op) && llvm::any_of(op->getOperands(), [](Value v) { return isConstant(v); }));
}

/// The value behind dequantize(quantize(x)); `value` itself if it is none.
static Value beforeCasts(Value value) {
  auto dequantize = value.getDefiningOp<vit::DequantizeOp>();
  auto quantize = dequantize ? dequantize.getInput().getDefiningOp<vit::QuantizeOp>() : vit::QuantizeOp();
  return quantize ? quantize.getInput() : value;
}

unsigned recover::dropInnerCasts(func::FuncOp function) {
  // Parts that lead to an elementary op through parts, in either direction.
  llvm::SetVector<Operation *> region;
  function.walk([&](Operation *op) {
    if (isElementary(op))
      region.insert(op);
  });
  Operation *first = nullptr;
  unsigned dropped = 0;
  for (size_t i = 0; i < region.size(); ++i) {
    Operation *op = region[i];
    for (Value operand : op->getOperands())
      if (Operation *producer = beforeCasts(operand).getDefiningOp(); isPart(producer))
        region.insert(producer);
    SmallVector<Value> results(op->getResults());
    for (size_t k = 0; k < results.size(); ++k)
      for (Operation *user : results[k].getUsers()) {
        if (isa<vit::QuantizeOp, vit::DequantizeOp>(user))
          llvm::append_range(results, user->getResults());
        else if (isPart(user))
          region.insert(user);
      }
  }
  for (Operation *op : region)
    for (OpOperand &operand : op->getOpOperands()) {
      Value real = beforeCasts(operand.get());
      if (real == operand.get() || !real.getDefiningOp() || !region.contains(real.getDefiningOp()))
        continue;
      operand.set(real);
      first = first ? first : op;
      ++dropped;
    }
  if (dropped)
    emitRemark(first->getLoc()) << dropped
                                << " quantizations inside functions that are computed as a whole (GELU, "
                                   "LayerNorm, ...) are left out, the first in front of '"
                                << nodeName(first->getLoc()) << "'";
  return dropped;
}
