//===- AccumulatorBounds.cpp - Bounds of 32-bit accumulators -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/AccumulatorBounds.h"

using namespace mlir;

namespace vitq {

numerics::Interval getOperandTypeRange(integer::ProductOp op) {
  return integer::codeOf(op->getOperand(0), cast<integer::IntegerOp>(op.getOperation()).getOperandCode(0)).range();
}

} // namespace vitq
