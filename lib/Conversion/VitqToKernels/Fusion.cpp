//===- Fusion.cpp - Which ops one kernel computes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Fusion.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

FusionPlan::FusionPlan(Block &block) {
  addAttentions(block);
  for (auto product : block.getOps<MatmulOp>())
    if (!isPart(product)) {
      addPatches(product);
      addChain(product);
    }
}

void FusionPlan::addPatches(MatmulOp product) {
  auto op = product.getLhs().getDefiningOp<ExtractPatchesOp>();
  // Other right operands are batched, as the patches then would be.
  if (!op || !op->hasOneUse() || cast<ShapedType>(product.getRhs().getType()).getRank() != 2)
    return;
  patches[product] = op;
  parts.insert(op);
}

void FusionPlan::addAttentions(Block &block) {
  for (Operation &op : block) {
    std::optional<AttentionOps> found = AttentionOps::match(&op);
    if (!found)
      continue;
    SmallVector<Operation *> all = found->all();
    for (Operation *part : ArrayRef(all).drop_back())
      parts.insert(part);
    attentions[all.back()] = *found;
  }
  // A transpose that attentions read through is not computed if nobody else reads it.
  for (auto &[last, attention] : attentions)
    for (TransposeOp transpose : attention.transposeOf) {
      auto readsThrough = [&](Operation *user) { return parts.contains(user) && isa<MatmulOp>(user); };
      if (transpose && llvm::all_of(transpose->getUsers(), readsThrough))
        parts.insert(transpose);
    }
}

static bool sameShape(Value a, Value b) {
  return cast<ShapedType>(a.getType()).getShape() == cast<ShapedType>(b.getType()).getShape();
}

/// The op that may follow in the kernel that computes `value`.
static Operation *follower(Value value, bool isProduct) {
  if (!value.hasOneUse())
    return nullptr;
  Operation *user = *value.user_begin();
  const bool first = user->getOperand(0) == value;
  if (!sameShape(user->getNumResults() ? user->getResult(0) : Value(value), value))
    return nullptr;
  if (isa<AddOp>(user))
    return user;
  if (!first)
    return nullptr;
  if (isProduct)
    return isa<RequantOp, ThresholdOp, SoftmaxOp, ShiftmaxOp, DivideRowsOp>(user) ? user : nullptr;
  return isa<RequantOp, TableOp, PwlOp, PolyGeluOp, GeluOp>(user) ? user : nullptr;
}

void FusionPlan::addChain(MatmulOp product) {
  SmallVector<Operation *> chain{product};
  for (Value value = product; Operation *next = follower(value, chain.size() == 1); value = next->getResult(0)) {
    // The kernel of another product computes the op.
    if (isPart(next) || chains.contains(next))
      break;
    chain.push_back(next);
    if (next->getNumResults() != 1)
      break;
  }
  if (chain.size() == 1)
    return;
  for (Operation *part : ArrayRef(chain).drop_back())
    parts.insert(part);
  chains[chain.back()] = chain;
}
