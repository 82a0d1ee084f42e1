//===- MoveLayouts.cpp - Transposes of maps behind their readers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A transpose that brings the channels of a map in front of its rows moves behind the op that reads it, until it
// meets the one that brings them back. Which ops can work on the other order they say themselves (PermutableOp).

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-move-layouts"

namespace vitq {
#define GEN_PASS_DEF_VITMOVELAYOUTSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

/// Whether the last axis comes to another place, behind the first one, and the others stay in order.
static bool bringsChannelsForward(ArrayRef<int64_t> permutation) {
  const int64_t last = static_cast<int64_t>(permutation.size()) - 1;
  if (last < 2 || permutation.front() != 0 || permutation.back() == last)
    return false;
  SmallVector<int64_t> others;
  llvm::copy_if(permutation, std::back_inserter(others), [=](int64_t axis) { return axis != last; });
  return llvm::is_sorted(others);
}

static SmallVector<int64_t> inverse(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> result(permutation.size());
  for (auto [i, axis] : llvm::enumerate(permutation))
    result[axis] = static_cast<int64_t>(i);
  return result;
}

/// `shape` with axis i at place permutation[i].
static SmallVector<int64_t> shapeBefore(ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> result(shape);
  for (auto [size, axis] : llvm::zip_equal(shape, permutation))
    result[axis] = size;
  return result;
}

/// The type of a result of `shape`, per-axis scales along the axis that it has before the transpose.
static RankedTensorType typeBefore(Type type, ArrayRef<int64_t> permutation) {
  auto tensor = cast<RankedTensorType>(type);
  Type element = tensor.getElementType();
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(element))
    element = quant::UniformQuantizedPerAxisType::get(
        perAxis.getFlags(), perAxis.getStorageType(), perAxis.getExpressedType(), perAxis.getScales(),
        perAxis.getZeroPoints(), static_cast<int32_t>(permutation[perAxis.getQuantizedDimension()]),
        perAxis.getStorageTypeMin(), perAxis.getStorageTypeMax());
  return RankedTensorType::get(shapeBefore(tensor.getShape(), permutation), element);
}

namespace {

/// f(transpose(x), ...) -> transpose(f(x, ...)).
struct MoveTranspose : OpInterfaceRewritePattern<vit::PermutableOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(vit::PermutableOp op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "more than one result");
    vit::TransposeOp view;
    for (OpOperand &operand : op->getOpOperands())
      if (auto transpose = operand.get().getDefiningOp<vit::TransposeOp>();
          !view && transpose && op.isPermutedOperand(operand.getOperandNumber()) &&
          bringsChannelsForward(transpose.getPermutation()))
        view = transpose;
    if (!view)
      return rewriter.notifyMatchFailure(op, "no operand whose channels were brought forward");
    const SmallVector<int64_t> permutation(view.getPermutation());
    FailureOr<SmallVector<int64_t>> result = op.getResultPermutation(permutation);
    if (failed(result))
      return rewriter.notifyMatchFailure(op, "it does not work on the other order of axes");
    for (OpOperand &operand : op->getOpOperands())
      if (op.isPermutedOperand(operand.getOperandNumber()) && !hasOtherOrder(operand.get(), permutation))
        return rewriter.notifyMatchFailure(op, "another operand is in the old order");
    SmallVector<Value> operands;
    for (OpOperand &operand : op->getOpOperands())
      operands.push_back(op.isPermutedOperand(operand.getOperandNumber())
                             ? inOtherOrder(rewriter, op.getLoc(), operand.get(), permutation)
                             : operand.get());
    Operation *moved = rewriter.clone(*op);
    cast<vit::PermutableOp>(moved).permuteAttributes(permutation);
    moved->setOperands(operands);
    const Type type = op->getResult(0).getType();
    moved->getResult(0).setType(typeBefore(type, *result));
    if (llvm::is_sorted(*result)) {
      rewriter.replaceOp(op, moved);
      return success();
    }
    rewriter.replaceOpWithNewOp<vit::TransposeOp>(op, type, moved->getResult(0), *result);
    return success();
  }

private:
  /// What `value` broadcasts as beside values of as many axes as `permutation` has.
  static SmallVector<int64_t> broadcastShape(Value value, ArrayRef<int64_t> permutation) {
    SmallVector<int64_t> shape(shapeOf(value));
    shape.insert(shape.begin(), permutation.size() - shape.size(), 1);
    return shape;
  }

  static bool isInOtherOrder(Value value, ArrayRef<int64_t> permutation) {
    auto view = value.getDefiningOp<vit::TransposeOp>();
    return view && view.getPermutation() == permutation;
  }

  /// Whether there is a value that transposed by `permutation` is `value`, without moving elements at run time.
  static bool hasOtherOrder(Value value, ArrayRef<int64_t> permutation) {
    if (isInOtherOrder(value, permutation))
      return true;
    if (shapeOf(value).size() > permutation.size())
      return false;
    if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
      llvm::Expected<Tensor> elements = readTensor(constant.getValue());
      if (elements)
        return true;
      llvm::consumeError(elements.takeError());
      return false;
    }
    // Elements that keep their order need no move.
    const SmallVector<int64_t> shape = broadcastShape(value, permutation);
    SmallVector<int64_t> order;
    for (int64_t axis : inverse(permutation))
      if (shape[axis] != 1)
        order.push_back(axis);
    return llvm::is_sorted(order) && isa<FloatType>(getElementTypeOrSelf(value));
  }

  static Value inOtherOrder(PatternRewriter &rewriter, Location loc, Value value, ArrayRef<int64_t> permutation) {
    if (isInOtherOrder(value, permutation))
      return value.getDefiningOp()->getOperand(0);
    const SmallVector<int64_t> shape = broadcastShape(value, permutation), before = shapeBefore(shape, permutation);
    if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
      if (shapeOf(value).empty())
        return value; // one number for all
      const Tensor moved = transposed(cantFail(readTensor(constant.getValue())).reshaped(shape), inverse(permutation));
      return createConstant(rewriter, value.getLoc(), RankedTensorType::get(before, getElementTypeOrSelf(value)), moved,
                            getBlobName(value));
    }
    return makeReshape(rewriter, loc, value, before);
  }
};

struct MoveLayouts : vitq::impl::VitMoveLayoutsPassBase<MoveLayouts> {
  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateLayoutPatterns(set);
    patterns = std::move(set);
    return success();
  }

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal())
        moveLayouts(function, patterns);
  }

  FrozenRewritePatternSet patterns;
};

} // namespace

bool recover::moveLayouts(func::FuncOp function, const FrozenRewritePatternSet &patterns) {
  bool changed = false;
  // Each transpose moves towards the results; what is not done after the most rounds stays where it is, correct.
  (void)applyPatternsGreedily(function, patterns, GreedyRewriteConfig().setMaxIterations(64), &changed);
  LDBG() << "@" << function.getName() << (changed ? " changed" : " is as it was");
  return changed;
}

void recover::populateLayoutPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<MoveTranspose>(context);
  vit::ReshapeOp::getCanonicalizationPatterns(patterns, context);
  vit::TransposeOp::getCanonicalizationPatterns(patterns, context);
}
