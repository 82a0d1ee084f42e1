//===- DeferSoftmaxDivision.cpp - Move the division of softmax behind P*V -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/CalibrationStatistics.h"
#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Analysis/Scores.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-defer-softmax-division"

namespace vitq {
#define GEN_PASS_DEF_VITDEFERSOFTMAXDIVISIONPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

class DeferSoftmaxDivision : public vitq::impl::VitDeferSoftmaxDivisionPassBase<DeferSoftmaxDivision> {
  using VitDeferSoftmaxDivisionPassBase::VitDeferSoftmaxDivisionPassBase;

  void runOnOperation() override {
    SmallVector<SoftmaxOp> ops;
    getOperation().walk([&](SoftmaxOp op) {
      if (!getQuantizedType(op.getInput()) && (!maskedOnly || isMaskedScores(op.getInput())))
        ops.push_back(op);
    });
    for (SoftmaxOp op : ops) {
      reshapeBefore(op);
      split(op);
    }
  }

  /// reshape(softmax(x)) -> softmax(reshape(x)) where rows stay rows and a product reads them.
  static void reshapeBefore(SoftmaxOp &op) {
    auto reshape = op->hasOneUse() ? dyn_cast<ReshapeOp>(*op->getUsers().begin()) : ReshapeOp();
    auto isLhs = [&](OpOperand &use) { return isa<MatmulOp>(use.getOwner()) && use.getOperandNumber() == 0; };
    if (!reshape || getQuantizedType(reshape) || reshape.getShape().back() != shapeOf(op.getInput()).back() ||
        !llvm::all_of(reshape->getUses(), isLhs))
      return;
    IRRewriter rewriter(op);
    Value scores = createInferred<ReshapeOp>(rewriter, reshape.getLoc(), op.getInput(), reshape->getAttrs());
    auto softmax = createInferred<SoftmaxOp>(rewriter, op.getLoc(), scores, op->getAttrs());
    rewriter.replaceOp(reshape, softmax);
    rewriter.eraseOp(op);
    op = softmax;
  }

  /// softmax -> numerator, division; the division goes behind the matmuls that
  /// contract over it.
  void split(SoftmaxOp op) {
    IRRewriter rewriter(op);
    Location loc = op.getLoc();
    auto numerator = createInferred<SoftmaxNumeratorOp>(rewriter, loc, op->getOperands());
    numerator.setWide(op->hasAttr(kWideAttr));
    numerator->setAttr(
        kRangeAttr, rewriter.getDenseF64ArrayAttr({0.0, 1.0, 1.0, static_cast<double>(shapeOf(op.getInput()).back())}));
    SmallVector<MatmulOp> products;
    for (Operation *user : op->getUsers())
      if (auto matmul = dyn_cast<MatmulOp>(user);
          matmul && matmul.getLhs() == op.getResult() && matmul.getRhs() != op.getResult())
        products.push_back(matmul);
    LDBG() << nodeName(loc) << ": the division goes behind " << products.size() << " products";
    for (MatmulOp product : products) {
      rewriter.setInsertionPointAfter(product);
      rewriter.modifyOpInPlace(product, [&] { product.getLhsMutable().assign(numerator.getNumerator()); });
      auto division =
          createInferred<DivideRowsOp>(rewriter, product.getLoc(), ValueRange{product.getResult(), numerator.getSum()});
      for (StringRef name : {StringRef(kRangeAttr), StringRef(kHistogramAttr), StringRef(kChannelRangeAttr),
                             StringRef(kChannelMeanAttr)})
        if (Attribute statistics = product->removeAttr(name))
          division->setAttr(name, statistics);
      rewriter.replaceAllUsesExcept(product.getResult(), division.getResult(), division);
      ++numDeferred;
    }
    if (!op->use_empty()) {
      rewriter.setInsertionPointAfter(numerator);
      auto division =
          createInferred<DivideRowsOp>(rewriter, loc, ValueRange{numerator.getNumerator(), numerator.getSum()});
      division->setAttr(kRangeAttr, rewriter.getDenseF64ArrayAttr({0.0, 1.0}));
      rewriter.replaceAllUsesWith(op.getResult(), division.getResult());
    }
    rewriter.eraseOp(op);
  }
};

} // namespace
