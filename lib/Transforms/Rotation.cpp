//===- Rotation.cpp - Random orthogonal matrices of Hadamard's -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rotation.h"

#include "dialects/vit/Vit.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;

LogicalResult vitq::checkUncalibrated(func::FuncOp function, StringRef pass) {
  for (Operation &op : function.front())
    if (op.hasAttr(kRangeAttr))
      return op.emitError("'") << nodeName(op.getLoc())
                               << "' has a calibrated range, which a rotation would make wrong: run " << pass
                               << " before vit-calibrate";
  return success();
}

FailureOr<std::vector<float>> vitq::elementsOf(OpOperand &operand) {
  return getFloatConstantF32(
      operand.get(), [&] { return operand.getOwner()->emitError("operand #") << operand.getOperandNumber() << " "; });
}

void vitq::replaceConstant(OpOperand &operand, ArrayRef<float> values) {
  OpBuilder builder(operand.getOwner());
  Value old = operand.get();
  operand.set(
      createFloatConstant(builder, old.getLoc(), cast<RankedTensorType>(old.getType()), values, getBlobName(old)));
}

LogicalResult vitq::updateConstant(OpOperand &operand, llvm::function_ref<void(MutableArrayRef<float>)> update) {
  FailureOr<std::vector<float>> values = elementsOf(operand);
  if (failed(values))
    return failure();
  update(*values);
  replaceConstant(operand, *values);
  return success();
}
