//===- VitFolds.cpp - Folders and canonicalizers of vit ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Only shape ops fold. Nothing here looks at vit.quantize or vit.dequantize.

#include "dialects/vit/Vit.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::vit;

OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  return {};
}

namespace {
/// Whether an op that moves elements changes their quantization: merging it with
/// another would remove a rounding. The axis of per-axis scales may move.
bool requantizes(Type input, Type result) {
  Type from = getElementTypeOrSelf(input), to = getElementTypeOrSelf(result);
  auto a = dyn_cast<quant::UniformQuantizedPerAxisType>(from);
  auto b = dyn_cast<quant::UniformQuantizedPerAxisType>(to);
  if (a && b)
    return a.getStorageType() != b.getStorageType() || a.isSigned() != b.isSigned() ||
           a.getExpressedType() != b.getExpressedType() || a.getStorageTypeMin() != b.getStorageTypeMin() ||
           a.getStorageTypeMax() != b.getStorageTypeMax() || a.getScales() != b.getScales() ||
           a.getZeroPoints() != b.getZeroPoints();
  return from != to;
}

/// reshape(reshape(x)) -> reshape(x). The inner op loses a use, so this ends.
struct MergeReshapes : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<ReshapeOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "input is not a reshape");
    if (requantizes(inner.getInput().getType(), inner.getType()))
      return rewriter.notifyMatchFailure(op, "the inner reshape requantizes");
    rewriter.modifyOpInPlace(op, [&] { op.getInputMutable().assign(inner.getInput()); });
    return success();
  }
};

/// transpose(transpose(x)) -> transpose(x) with the composed permutation.
struct MergeTransposes : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<TransposeOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "input is not a transpose");
    if (requantizes(inner.getInput().getType(), inner.getType()))
      return rewriter.notifyMatchFailure(op, "the inner transpose requantizes");
    SmallVector<int64_t> composed;
    for (int64_t axis : op.getPermutation())
      composed.push_back(inner.getPermutation()[axis]);
    rewriter.modifyOpInPlace(op, [&] {
      op.setPermutation(composed);
      op.getInputMutable().assign(inner.getInput());
    });
    return success();
  }
};
} // namespace

void ReshapeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MergeReshapes>(context);
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  for (auto [i, axis] : llvm::enumerate(getPermutation()))
    if (axis != static_cast<int64_t>(i))
      return {};
  return getInput().getType() == getType() ? OpFoldResult(getInput()) : OpFoldResult();
}

void TransposeOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MergeTransposes>(context);
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1 && getInputs().front().getType() == getType())
    return getInputs().front();
  return {};
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  // The whole input: same shape means offsets 0 and strides 1.
  if (getInput().getType() == getType())
    return getInput();
  return {};
}

OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  if (getInput().getType() == getType())
    return getInput();
  return {};
}
