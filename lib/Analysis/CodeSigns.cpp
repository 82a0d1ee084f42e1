//===- CodeSigns.cpp - How bytes hold narrow codes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/CodeSigns.h"

#include "dialects/vitq/Vitq.h"

using namespace mlir;
using namespace vitq;

static bool isNarrow(Value value) {
  auto type = dyn_cast<ShapedType>(value.getType());
  return type && type.getElementType().isInteger() && type.getElementTypeBitWidth() > 1 &&
         type.getElementTypeBitWidth() < 8;
}

static const void *key(Value value) { return value.getAsOpaquePointer(); }

LogicalResult CodeSigns::add(Value value, bool isUnsigned, Operation *op) {
  auto [entry, isNew] = signs.try_emplace(classes.getOrInsertLeaderValue(key(value)), Sign{isUnsigned, op});
  if (isNew || entry->second.isUnsigned == isUnsigned)
    return success();
  auto name = [](bool isUnsigned) { return isUnsigned ? "unsigned" : "signed"; };
  InFlightDiagnostic error = op->emitOpError("takes codes of ")
                             << getElementTypeOrSelf(value) << " as " << name(isUnsigned) << " that are "
                             << name(entry->second.isUnsigned) << " elsewhere; a byte holds them one way only";
  error.attachNote(entry->second.op->getLoc()) << "here they are " << name(entry->second.isUnsigned);
  return error;
}

FailureOr<CodeSigns> CodeSigns::of(Operation *root) {
  CodeSigns result;
  // First what is one tensor, then how each is read and written.
  root->walk([&](Operation *op) {
    auto unite = [&](Value a, Value b) {
      if (isNarrow(a) && isNarrow(b))
        result.classes.unionSets(key(a), key(b));
    };
    if (vit::isMove(op))
      for (Value operand : op->getOperands())
        unite(operand, op->getResult(0));
    // What goes into a region, the last operands if not all, and what comes out of it.
    for (Region &region : op->getRegions())
      if (region.hasOneBlock() && op->getNumOperands() != 0) {
        const size_t shared = std::min<size_t>(op->getNumOperands(), region.getNumArguments());
        for (auto [operand, argument] :
             llvm::zip_equal(op->getOperands().take_back(shared), region.getArguments().take_back(shared)))
          unite(operand, argument);
        if (Operation *yield = region.front().getTerminator(); yield->getNumOperands() == op->getNumResults())
          for (auto [value, out] : llvm::zip_equal(yield->getOperands(), op->getResults()))
            unite(value, out);
      }
  });
  const WalkResult walk = root->walk([&](integer::IntegerOp op) -> WalkResult {
    for (OpOperand &operand : op->getOpOperands())
      if (integer::CodeAttr code = op.getOperandCode(operand.getOperandNumber()); code && isNarrow(operand.get()))
        if (failed(result.add(operand.get(), code.isUnsigned(), op)))
          return WalkResult::interrupt();
    integer::CodeAttr code = op.getWrittenCode();
    if (code && isNarrow(op->getResult(0)) && failed(result.add(op->getResult(0), code.isUnsigned(), op)))
      return WalkResult::interrupt();
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  return result;
}

bool CodeSigns::isUnsigned(Value value) const {
  auto member = classes.findLeader(key(value));
  auto found = signs.find(member == classes.member_end() ? key(value) : *member);
  return found != signs.end() && found->second.isUnsigned;
}

Tensor CodeSigns::inMemory(const Tensor &constant, Value value) const {
  if (!isNarrow(value) || !isUnsigned(value))
    return constant; // extended by the sign
  const unsigned bits = getElementTypeOrSelf(value).getIntOrFloatBitWidth();
  Tensor result = Tensor::allocate(constant.kind(), constant.shape());
  for (int64_t i = 0; i < constant.numElements(); ++i)
    result.setInt(i, numerics::readCode(constant.intAt(i), bits, /*isUnsigned=*/true));
  return result;
}
