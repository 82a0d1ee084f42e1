//===- Scores.cpp - What softmax makes of its argument -----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/Scores.h"

#include "dialects/vit/Vit.h"
#include "vitq/Support/Constants.h"

using namespace mlir;

namespace vitq {

bool isSoftmaxArgument(Value value) {
  auto isArgument = [](Operation *user) {
    if (isa<vit::SoftmaxOp, vit::SoftmaxNumeratorOp>(user))
      return true;
    auto reshape = dyn_cast<vit::ReshapeOp>(user);
    return reshape && !reshape.getShape().empty() && !vit::shapeOf(reshape.getInput()).empty() &&
           reshape.getShape().back() == vit::shapeOf(reshape.getInput()).back() &&
           isSoftmaxArgument(reshape.getResult());
  };
  return !value.use_empty() && llvm::all_of(value.getUsers(), isArgument);
}

bool isMaskedScores(Value value) {
  auto add = value.getDefiningOp<vit::AddOp>();
  return add && isSoftmaxArgument(value) && (isConstant(add.getLhs()) || isConstant(add.getRhs()));
}

} // namespace vitq
