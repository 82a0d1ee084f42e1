//===- NonlinearRowOps.cpp - What nonlinear row ops share -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowOpsDetail.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

RowContext vitq::kernels::advanced(Emitter &e, const RowContext &at, Value by) {
  RowContext next = at;
  for (Value *row : {&next.primaryRow, &next.row, &next.resultRow, &next.operandRow})
    *row = e.add(*row, by);
  return next;
}

Value vitq::kernels::pairDot(Emitter &e, const TargetDesc &target, Value x, Value y) {
  const DotInstruction &dot = target.isa->dot16;
  const int64_t lanes = cast<VectorType>(x.getType()).getNumElements();
  if (target.emulateDot || dot.group != 2 || dot.accumulates || lanes != 2 * static_cast<int64_t>(dot.lanes))
    return {};
  auto type = VectorType::get({lanes / 2}, e.intType(32));
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, type, e.b.getStringAttr(dot.intrinsic), ValueRange{x, y})
      ->getResult(0);
}

std::unique_ptr<RowOp> vitq::kernels::makeNonlinearRowOp(Operation *op, const RowBuilder &build) {
  for (auto make : {makeTableRowOp, makeSoftmaxRowOp, makeLayerNormRowOp})
    if (std::unique_ptr<RowOp> row = make(op, build))
      return row;
  return nullptr;
}
