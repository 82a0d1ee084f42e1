//===- RecoverPatternsRotary.cpp - Rotary position embeddings -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// x * cos + rotated(x) * sin, where rotated(x) joins halves, or every other channel, of x
// of which one is negated. The sign belongs to the constant: then rotated(x) only moves
// elements, and no code of x is rounded twice.

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

/// `tensor` with size 1 along every axis that nothing varies along, none of them in front.
static Tensor compressed(Tensor tensor) {
  for (size_t axis = 0; axis < tensor.shape().size(); ++axis) {
    SmallVector<int64_t> sizes(tensor.shape()), none(sizes.size(), 0), steps(sizes.size(), 1);
    sizes[axis] = 1;
    Tensor first = sliced(tensor, none, sizes, steps);
    if (broadcastTo(first, tensor.shape()).values<float>() == tensor.values<float>())
      tensor = first;
  }
  ArrayRef<int64_t> shape = tensor.shape();
  return tensor.reshaped(shape.drop_while([](int64_t size) { return size == 1; }));
}

namespace {

/// view(concat(a * s, b)) * c -> view(concat(a, b)) * c' for a scalar s and a constant c.
struct FoldJoinedFactors : OpRewritePattern<vit::MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(vit::MulOp op, PatternRewriter &rewriter) const override {
    FailureOr<std::vector<float>> constants = getFloatConstantF32(op.getRhs());
    if (failed(constants) || op.getLhs().getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "no product with a constant");
    SmallVector<Operation *> views;
    Value joined = op.getLhs();
    for (; isViewOp(joined.getDefiningOp()) && joined.hasOneUse(); joined = views.back()->getOperand(0))
      views.push_back(joined.getDefiningOp());
    auto concat = joined.getDefiningOp<vit::ConcatOp>();
    if (!concat || !joined.hasOneUse())
      return rewriter.notifyMatchFailure(op, "the other factor is no view of a concatenation of this use alone");
    SmallVector<Value> parts;
    SmallVector<Tensor> scales;
    bool anyScaled = false;
    for (Value operand : concat.getInputs()) {
      double factor = 1;
      Value x = matchScalarProduct(operand, factor);
      anyScaled |= x != nullptr;
      parts.push_back(x ? x : operand);
      scales.push_back(broadcastTo(Tensor::of<float>({}, {static_cast<float>(x ? factor : 1.0)}), shapeOf(operand)));
    }
    if (!anyScaled)
      return rewriter.notifyMatchFailure(op, "nothing that is concatenated is a product with a scalar");
    Tensor factors = concatenated(scales, concat.getAxis());
    for (Operation *view : llvm::reverse(views))
      factors = *moveTensors(view, factors);
    factors = compressed(factors);
    FailureOr<vit::Shape> shape = vit::inferBroadcast(op.getLoc(), factors.shape(), shapeOf(op.getRhs()));
    if (failed(shape))
      return rewriter.notifyMatchFailure(op, "the constant does not fit");
    factors = broadcastTo(factors, *shape);
    std::vector<float> product = broadcastValues(*constants, shapeOf(op.getRhs()), *shape);
    for (auto [value, factor] : llvm::zip_equal(product, factors.values<float>()))
      value *= factor;
    Value constant = createFloatConstant(rewriter, op.getLoc(), RankedTensorType::get(*shape, rewriter.getF32Type()),
                                         product, getBlobName(op.getRhs()));
    IRMapping mapping;
    mapping.map(
        joined,
        vit::ConcatOp::create(rewriter, concat.getLoc(), concat.getType(), parts, concat.getAxisAttr()).getResult());
    for (Operation *view : llvm::reverse(views))
      rewriter.clone(*view, mapping);
    return replaceWith<vit::MulOp>(rewriter, op, {mapping.lookup(op.getLhs()), constant});
  }
};

} // namespace

void recover::populateRotaryPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldJoinedFactors>(patterns.getContext());
}
