//===- RecoverPatterns.cpp - vit-recover-patterns -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/Support/DebugLog.h"

#include <cmath>

#define DEBUG_TYPE "vit-recover-patterns"

namespace vitq {
#define GEN_PASS_DEF_VITRECOVERPATTERNSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace vitq;

bool recover::canReplace(Type from, Type to) {
  auto a = cast<ShapedType>(from), b = cast<ShapedType>(to);
  auto isOne = [](int64_t size) { return size == 1; };
  return a.getElementType() == b.getElementType() &&
         ArrayRef(llvm::find_if_not(a.getShape(), isOne), a.getShape().end()) ==
             ArrayRef(llvm::find_if_not(b.getShape(), isOne), b.getShape().end());
}

LogicalResult recover::replaceWith(PatternRewriter &rewriter, Operation *op, Value value) {
  if (!value || !canReplace(value.getType(), op->getResult(0).getType()))
    return rewriter.notifyMatchFailure(op, "what it computes has another type");
  rewriter.replaceOp(op, makeReshape(rewriter, op->getLoc(), value, vit::shapeOf(op->getResult(0))));
  return success();
}

Value recover::makeRows(PatternRewriter &rewriter, Location loc, Value constant, int64_t first, int64_t count,
                        StringRef name) {
  auto op = constant.getDefiningOp<arith::ConstantOp>();
  llvm::Expected<Tensor> whole =
      op ? readTensor(op.getValue()) : llvm::createStringError(llvm::inconvertibleErrorCode(), "no constant");
  if (!whole || whole->kind() != ElementKind::F32) {
    llvm::consumeError(whole.takeError());
    return {};
  }
  SmallVector<int64_t> shape(whole->shape());
  const int64_t rowSize = whole->numElements() / shape.front();
  shape.front() = count;
  // The context keeps blobs and dense attributes; what was copied out of one keeps itself.
  const Tensor part = whole->part(first * rowSize, shape);
  const Tensor rows = Tensor::view(ElementKind::F32, shape, part.bytes(), std::make_shared<Tensor>(*whole));
  return createConstant(rewriter, loc, RankedTensorType::get(shape, rewriter.getF32Type()), rows, name);
}

/// A scale that is 1 / sqrt(d) but for rounding in float becomes exactly that.
static void snapScales(func::FuncOp function) {
  function.walk([](vit::MatmulOp op) {
    double exact = 1.0 / std::sqrt(static_cast<double>(vit::shapeOf(op.getLhs()).back()));
    double scale = op.getScale().convertToDouble();
    if (scale != exact && recover::isNear(scale, exact, 1e-6))
      op.setScaleAttr(Builder(op).getF64FloatAttr(exact));
  });
}

/// Puts the ops of a block in the order a depth-first walk from its end visits
/// them: equal functions become equal text, each constant stands at its first
/// use, and a block's q, k and v stand together.
static void orderOps(Block &block) {
  DenseSet<Operation *> visited;
  SmallVector<std::pair<Operation *, unsigned>> stack{{block.getTerminator(), 0}};
  Operation *terminator = block.getTerminator();
  while (!stack.empty()) {
    auto &[op, next] = stack.back();
    if (next == op->getNumOperands()) {
      if (op != terminator)
        op->moveBefore(terminator);
      stack.pop_back();
      continue;
    }
    Operation *producer = op->getOperand(next++).getDefiningOp();
    if (producer && producer->getBlock() == &block && visited.insert(producer).second)
      stack.push_back({producer, 0});
  }
}

namespace {
struct RecoverPatternsPass : vitq::impl::VitRecoverPatternsPassBase<RecoverPatternsPass> {
  using VitRecoverPatternsPassBase::VitRecoverPatternsPassBase;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet first(context);
    populateAll(first);
    RewritePatternSet second(context);
    populateAll(second);
    recover::populateScalarPatterns(second);
    recover::populateLateAttentionPatterns(second);
    recover::populateLateHeadPatterns(second);
    recover::populateLateChannelPatterns(second);
    recover::populateLatePatchPatterns(second);
    RewritePatternSet casts(context);
    recover::populateCastPatterns(casts);
    recover::populateCastFactorPatterns(casts);
    patterns = {std::move(first), std::move(second), std::move(casts)};
    RewritePatternSet moves(context);
    recover::populateLayoutPatterns(moves);
    layouts = std::move(moves);
    return success();
  }

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      // Between convolutions there are no transposes then; and once more for what was recovered.
      if (failed(apply(function, {0})) || failed(moveMaps(function, 0)) || failed(apply(function, {1})) ||
          failed(moveMaps(function, 1)))
        return signalPassFailure();
      // Once more where casts were in the way.
      if ((recover::dropInnerCasts(function) > 0 && failed(apply(function, {0, 1}))) || failed(apply(function, {2})))
        return signalPassFailure();
      LDBG() << "@" << function.getName() << ": " << function.getBody().front().getOperations().size()
             << " ops after the patterns";
      snapScales(function);
      orderOps(function.getBody().front());
    }
  }

private:
  /// Takes transposes of maps out where there are maps besides a patch embedding's; what that opens to `set`.
  LogicalResult moveMaps(func::FuncOp function, unsigned set) {
    const bool hasMaps = llvm::any_of(function.getBody().front(), [](Operation &op) {
      auto conv = dyn_cast<vit::Conv2dOp>(op);
      return op.hasTrait<vit::MapOp>() && !(conv && recover::isPatchEmbedding(conv));
    });
    return hasMaps && recover::moveLayouts(function, layouts) ? apply(function, {set}) : success();
  }

  LogicalResult apply(func::FuncOp function, ArrayRef<unsigned> sets) {
    for (unsigned set : sets)
      if (failed(applyPatternsGreedily(function, patterns[set], GreedyRewriteConfig().setMaxIterations(maxRounds))))
        return function.emitError("patterns were still changing the function after ")
               << maxRounds.getValue() << " rounds";
    return success();
  }

  static void populateAll(RewritePatternSet &set) {
    recover::populateNormPatterns(set);
    recover::populateActivationPatterns(set);
    recover::populateGuardPatterns(set);
    recover::populateLinearPatterns(set);
    recover::populatePatchPatterns(set);
    recover::populateChannelPatterns(set);
    recover::populateViewPatterns(set);
    recover::populateAttentionPatterns(set);
    recover::populateHeadPatterns(set);
    recover::populateMaskPatterns(set);
    recover::populateRowSumPatterns(set);
    recover::populateRotaryPatterns(set);
    recover::populateSumPatterns(set);
    recover::populateCastPatterns(set);
  }

  SmallVector<FrozenRewritePatternSet, 3> patterns;
  FrozenRewritePatternSet layouts;
};
} // namespace
