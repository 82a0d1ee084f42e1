//===- RecoverPatternsAttention.cpp - Attention's products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Exporters write attention with packed or separate projections, three or four
// axes, batch or tokens first, transposes before or after scales. All of it
// between a linear and a matmul is one strided view, so these patterns look at
// what the view means, not at the ops it is made of.

#include "RecoverPatternsHeads.h"

#include "vitq/Support/Constants.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

//===----------------------------------------------------------------------===//
// Scales
//===----------------------------------------------------------------------===//

/// Whether the matmul's scale times `factor` is a scale.
static bool canScale(vit::MatmulOp matmul, double factor) {
  double scale = matmul.getScale().convertToDouble() * factor;
  return scale > 0 && std::isfinite(scale);
}

static void setScale(PatternRewriter &rewriter, vit::MatmulOp matmul, double factor) {
  rewriter.modifyOpInPlace(
      matmul, [&] { matmul.setScaleAttr(rewriter.getF64FloatAttr(matmul.getScale().convertToDouble() * factor)); });
}

namespace {

/// matmul(s * a, b) -> matmul(a, b) scaled by s.
struct FoldOperandScale : OpRewritePattern<vit::MatmulOp> {
  FoldOperandScale(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/4) {}
  LogicalResult matchAndRewrite(vit::MatmulOp op, PatternRewriter &rewriter) const override {
    for (unsigned i = 0; i < 2; ++i) {
      double factor = 1;
      Value x = matchScalarProduct(op->getOperand(i), factor);
      if (!x || !canScale(op, factor))
        continue;
      setScale(rewriter, op, factor);
      rewriter.modifyOpInPlace(op, [&] { op->setOperand(i, x); });
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no operand is a product with a positive scalar");
  }
};

/// s * view(matmul(a, b)) -> view(matmul(a, b) scaled by s).
struct FoldResultScale : RewritePattern {
  explicit FoldResultScale(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 4, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<vit::MulOp, vit::DivOp>(op))
      return rewriter.notifyMatchFailure(op, "no product");
    double factor = 1;
    Value x = matchScalarProduct(op->getResult(0), factor);
    if (!x)
      return rewriter.notifyMatchFailure(op, "no product with a scalar");
    Value source = x;
    while (isViewOp(source.getDefiningOp()) && source.hasOneUse())
      source = source.getDefiningOp()->getOperand(0);
    auto matmul = source.getDefiningOp<vit::MatmulOp>();
    if (!matmul || !source.hasOneUse() || !canScale(matmul, factor))
      return rewriter.notifyMatchFailure(op, "no factor is a matmul of this use alone, or the other is not positive");
    setScale(rewriter, matmul, factor);
    if (source == x) // The matmul now computes what the product did.
      rewriter.modifyOpInPlace(matmul, [&] { matmul->setLoc(op->getLoc()); });
    return replaceWith(rewriter, op, x);
  }
};

/// view(s * x) -> s * view(x): scales move down to the product.
struct SinkScale : RewritePattern {
  explicit SinkScale(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isViewOp(op))
      return rewriter.notifyMatchFailure(op, "no shape op");
    double factor = 1;
    Operation *product = op->getOperand(0).getDefiningOp();
    Value x = matchScalarProduct(op->getOperand(0), factor);
    if (!x || !product->hasOneUse())
      return rewriter.notifyMatchFailure(op, "input is no product with a scalar of this use alone");
    Operation *moved = rewriter.clone(*op);
    rewriter.modifyOpInPlace(moved, [&] { moved->setOperand(0, x); });
    Value view = moved->getResult(0);
    auto scalar = RankedTensorType::get({}, cast<ShapedType>(view.getType()).getElementType());
    Value constant = createFloatConstant(rewriter, product->getLoc(), scalar, {static_cast<float>(factor)}, "scale");
    return replaceWith(rewriter, op, vit::MulOp::create(rewriter, product->getLoc(), view.getType(), view, constant));
  }
};

/// matmul(a, transpose(b)) -> matmul(a, b) transpose_rhs, and back.
struct FoldRhsTranspose : OpRewritePattern<vit::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::MatmulOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getRhs().getDefiningOp<vit::TransposeOp>();
    if (!transpose)
      return rewriter.notifyMatchFailure(op, "rhs is no transpose");
    SmallVector<int64_t> swap = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(op.getRhs())));
    std::swap(swap[swap.size() - 1], swap[swap.size() - 2]);
    if (transpose.getPermutation() != ArrayRef<int64_t>(swap))
      return rewriter.notifyMatchFailure(op, "rhs permutes other axes than the last two");
    rewriter.modifyOpInPlace(op, [&] {
      op.getRhsMutable().assign(transpose.getInput());
      op.setTransposeRhs(!op.getTransposeRhs());
    });
    return success();
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static Value makeMatmul(PatternRewriter &rewriter, vit::MatmulOp old, Value lhs, Value rhs, bool transposeRhs) {
  SmallVector<NamedAttribute> attributes{rewriter.getNamedAttr("scale", old.getScaleAttr())};
  if (transposeRhs)
    attributes.push_back(rewriter.getNamedAttr("transpose_rhs", rewriter.getUnitAttr()));
  Value result = vit::createInferred<vit::MatmulOp>(rewriter, old.getLoc(), {lhs, rhs}, attributes);
  return makeReshape(rewriter, old.getLoc(), result, shapeOf(old));
}

namespace {

/// Q K^T of heads in any layout -> matmul %q, %k transpose_rhs of [B, H, N, d].
struct RecoverScores : OpRewritePattern<vit::MatmulOp> {
  RecoverScores(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(vit::MatmulOp op, PatternRewriter &rewriter) const override {
    const char *reason = nullptr;
    FailureOr<Heads> q = matchHeads(op.getLhs(), true, reason);
    if (failed(q))
      return rewriter.notifyMatchFailure(op, reason);
    FailureOr<Heads> k = matchHeads(op.getRhs(), op.getTransposeRhs(), reason);
    if (failed(k))
      return rewriter.notifyMatchFailure(op, reason);
    if (q->batch != k->batch || q->heads != k->heads)
      return rewriter.notifyMatchFailure(op, "q and k have different heads");
    if (op.getTransposeRhs() && isCanonical(*q, op.getLhs()) && isCanonical(*k, op.getRhs()))
      return rewriter.notifyMatchFailure(op, "already canonical");
    FailureOr<Value> lhs = makeHeads(rewriter, op.getLoc(), *q, "q");
    FailureOr<Value> rhs = failed(lhs) ? lhs : makeHeads(rewriter, op.getLoc(), *k, "k");
    if (failed(lhs) || failed(rhs))
      return failure();
    return replaceWith(rewriter, op, makeMatmul(rewriter, op, *lhs, *rhs, true));
  }
};

/// P V of heads in any layout -> matmul of [B, H, N, N] and [B, H, N, d].
struct RecoverWeightedSum : OpRewritePattern<vit::MatmulOp> {
  RecoverWeightedSum(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(vit::MatmulOp op, PatternRewriter &rewriter) const override {
    const char *reason = nullptr;
    // A linear over the heads of probabilities has them in an axis of their own.
    if (Value source = traceView(op.getLhs()).source; source.getDefiningOp<vit::LinearOp>() && rankOf(source) == 3)
      return rewriter.notifyMatchFailure(op, "lhs comes from a linear, not from a softmax");
    FailureOr<Heads> v = matchHeads(op.getRhs(), !op.getTransposeRhs(), reason);
    if (failed(v))
      return rewriter.notifyMatchFailure(op, reason);
    ArrayRef<int64_t> lhs = shapeOf(op.getLhs());
    SmallVector<int64_t> shape{v->batch, v->heads, lhs[lhs.size() - 2], lhs.back()};
    if (!op.getTransposeRhs() && isCanonical(*v, op.getRhs()) && lhs == ArrayRef<int64_t>(shape))
      return rewriter.notifyMatchFailure(op, "already canonical");
    FailureOr<Value> rhs = makeHeads(rewriter, op.getLoc(), *v, "v");
    if (failed(rhs))
      return failure();
    Value probabilities = makeReshape(rewriter, op.getLoc(), op.getLhs(), shape);
    return replaceWith(rewriter, op, makeMatmul(rewriter, op, probabilities, *rhs, false));
  }
};

/// Keys whose queries are no linear's: a constant (attention pooling), or what a norm or a
/// rotary embedding gives -> matmul %q, %k transpose_rhs of [B, H, N, d].
struct RecoverKeys : OpRewritePattern<vit::MatmulOp> {
  RecoverKeys(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(vit::MatmulOp op, PatternRewriter &rewriter) const override {
    const char *reason = nullptr;
    FailureOr<Heads> k = matchHeads(op.getRhs(), op.getTransposeRhs(), reason);
    if (failed(k))
      return rewriter.notifyMatchFailure(op, reason);
    if (op.getTransposeRhs() && isCanonical(*k, op.getRhs()))
      return rewriter.notifyMatchFailure(op, "already canonical");
    if (rankOf(op.getLhs()) != 4 || shapeOf(op.getLhs()).take_front(2) != ArrayRef<int64_t>{k->batch, k->heads})
      return rewriter.notifyMatchFailure(op, "the queries are not [B, H, N, d]");
    FailureOr<Value> rhs = makeHeads(rewriter, op.getLoc(), *k, "k");
    if (failed(rhs))
      return failure();
    return replaceWith(rewriter, op, makeMatmul(rewriter, op, op.getLhs(), *rhs, true));
  }
};

/// matmul(a, v) -> matmul(a, b) transpose_rhs for a view v of b, in its order, with the last
/// two axes swapped: keys that were transposed in three axes.
struct FoldRhsView : OpRewritePattern<vit::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::MatmulOp op, PatternRewriter &rewriter) const override {
    StridedView view = traceView(op.getRhs());
    const size_t rank = view.dims.size();
    SmallVector<int64_t> shape(shapeOf(op.getRhs()));
    if (view.numOps < 2 || view.offset != 0 || shape[rank - 1] == 1 || shape[rank - 2] == 1)
      return rewriter.notifyMatchFailure(op, "rhs is no view by several shape ops");
    Factors all = view.flatten(0, rank - 2);
    llvm::append_range(all, view.dims[rank - 1]);
    llvm::append_range(all, view.dims[rank - 2]);
    const int64_t count = cast<ShapedType>(view.source.getType()).getNumElements();
    if (coalesce(all) != Factors{{count, 1}})
      return rewriter.notifyMatchFailure(op, "rhs does not swap the last two axes alone");
    std::swap(shape[rank - 1], shape[rank - 2]);
    Value rhs = makeReshape(rewriter, op.getLoc(), view.source, shape);
    rewriter.modifyOpInPlace(op, [&] {
      op.getRhsMutable().assign(rhs);
      op.setTransposeRhs(!op.getTransposeRhs());
    });
    return success();
  }
};

/// linear(view of [B, H, N, d]) -> linear of [B, N, H * d], made by transpose
/// [0, 2, 1, 3] and a reshape, and the rest of the view behind it.
struct RecoverMergedHeads : OpRewritePattern<vit::LinearOp> {
  RecoverMergedHeads(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(vit::LinearOp op, PatternRewriter &rewriter) const override {
    StridedView view = traceView(op.getInput());
    if (!view.source.getDefiningOp<vit::MatmulOp>() || rankOf(view.source) != 4 || view.offset)
      return rewriter.notifyMatchFailure(op, "input is no view of heads [B, H, N, d]");
    ArrayRef<int64_t> source = shapeOf(view.source), input = shapeOf(op.getInput());
    int64_t batch = source[0], heads = source[1], tokens = source[2], size = source[3];
    if (heads == 1 || tokens == 1)
      return rewriter.notifyMatchFailure(op, "with one head or token there is nothing to reorder");
    Factors merged{{heads, tokens * size}};
    if (size > 1)
      merged.push_back({size, 1});
    if (view.flatten(input.size() - 1, input.size()) != merged)
      return rewriter.notifyMatchFailure(op, "rows of the input are not a token's heads");
    Factors leading;
    for (size_t i = 0; i + 1 < input.size(); ++i)
      llvm::append_range(leading, view.dims[i]);
    ArrayRef<Factor> rest = leading;
    bool batchFirst = takeFront(rest, batch, heads * tokens * size);
    bool complete = takeFront(rest, tokens, size) && (batchFirst || takeFront(rest, batch, heads * tokens * size));
    if (!complete || !rest.empty())
      return rewriter.notifyMatchFailure(op, "rows of the input are not the tokens");
    SmallVector<int64_t> shape{batch, tokens, heads * size};
    if (view.numOps <= 2 && input == ArrayRef<int64_t>(shape) && batchFirst)
      return rewriter.notifyMatchFailure(op, "already canonical");
    Location loc = op.getInput().getLoc();
    Value transposed = makeTranspose(rewriter, loc, view.source, {0, 2, 1, 3});
    Value merge = makeReshape(rewriter, loc, transposed, shape);
    Value result = makeLinear(rewriter, op.getLoc(), merge, op.getWeight(), op.getBias());
    if (!batchFirst)
      result = makeTranspose(rewriter, loc, result, {1, 0, 2});
    return replaceWith(rewriter, op, makeReshape(rewriter, loc, result, shapeOf(op)));
  }
};

} // namespace

void recover::populateAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldOperandScale, FoldResultScale, SinkScale, FoldRhsTranspose, RecoverScores, RecoverWeightedSum,
               RecoverMergedHeads>(patterns.getContext());
}

void recover::populateLateAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<RecoverKeys, FoldRhsView>(patterns.getContext());
}
