//===- SelectNonlinear.cpp - Choose the integer algorithm of every nonlinearity -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Transforms/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

namespace vitq {
#define GEN_PASS_DEF_VITSELECTNONLINEARPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

class SelectNonlinear : public vitq::impl::VitSelectNonlinearPassBase<SelectNonlinear> {
  using VitSelectNonlinearPassBase::VitSelectNonlinearPassBase;

  void runOnOperation() override {
    getOperation().walk([&](Operation *op) {
      if (op->getNumOperands() == 0 || !getQuantizedType(op->getOperand(0)))
        return;
      TypeSwitch<Operation *>(op)
          .Case<GeluOp>([&](GeluOp gelu) {
            // 16-bit codes: a table with interpolation, whatever the choice for 8 bits is.
            bool wide = getQuantizedType(gelu.getInput()).getStorageTypeIntegralWidth() == 16;
            gelu.setAlgorithm(wide ? Algorithm::Table : nonlinear.getValue());
          })
          .Case<SoftmaxOp, SoftmaxNumeratorOp, LayerNormOp>(
              [&](auto chosen) { chosen.setAlgorithm(nonlinear.getValue()); })
          // No shift form: an 8-bit function is a table.
          .Case<SigmoidOp, TanhOp, HardSwishOp, SiluOp>([&](auto chosen) { chosen.setAlgorithm(Algorithm::Table); });
    });
  }
};

} // namespace
