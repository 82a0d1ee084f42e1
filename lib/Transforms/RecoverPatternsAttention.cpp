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

#include "RecoverPatterns.h"

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

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

/// A matmul's operand as heads of a linear's result [B, N, C].
struct Heads {
  vit::LinearOp linear;
  int64_t batch = 1, tokens = 1, heads = 1, size = 1;
  /// Channel `offset + h * headStride + i * stride` is element i of head h.
  int64_t offset = 0, headStride = 0, stride = 1;
  unsigned numOps = 0;

  bool isWhole() const {
    return offset == 0 && stride == 1 && headStride == size && shapeOf(vit::LinearOp(linear)).back() == heads * size;
  }
};

} // namespace

/// Takes the factor `{size, stride}` off the front, if it is there.
static bool takeFront(ArrayRef<Factor> &factors, int64_t size, int64_t stride) {
  if (size == 1)
    return true;
  if (factors.empty() || !(factors.front() == Factor{size, stride}))
    return false;
  factors = factors.drop_front();
  return true;
}

/// `channelsLast`: the operand is [..., N, d], otherwise [..., d, N].
static FailureOr<Heads> matchHeads(Value operand, bool channelsLast, const char *&reason) {
  StridedView view = traceView(operand);
  Heads result;
  result.linear = view.source.getDefiningOp<vit::LinearOp>();
  result.numOps = view.numOps;
  int64_t rank = rankOf(operand);
  reason = "operand is no view of a linear's result [B, N, C]";
  if (!result.linear || rankOf(view.source) != 3 || rank < 3)
    return failure();
  ArrayRef<int64_t> source = shapeOf(view.source);
  int64_t channels = source[2];
  result.batch = source[0];
  result.tokens = source[1];
  Factors rows = view.flatten(rank - (channelsLast ? 2 : 1), rank - (channelsLast ? 1 : 0));
  Factors columns = view.flatten(rank - (channelsLast ? 1 : 2), rank - (channelsLast ? 0 : 1));
  ArrayRef<Factor> rest = rows;
  reason = "rows of the operand are not the linear's tokens";
  if (!takeFront(rest, result.tokens, channels) || !rest.empty())
    return failure();
  reason = "columns of the operand are not channels of one head";
  if (columns.size() > 1)
    return failure();
  if (!columns.empty()) {
    result.size = columns.front().size;
    result.stride = columns.front().stride;
  }
  Factors leading;
  for (int64_t i = 0; i < rank - 2; ++i)
    llvm::append_range(leading, view.dims[i]);
  rest = leading;
  reason = "leading axes of the operand are not the batch and the heads";
  if (!takeFront(rest, result.batch, result.tokens * channels) || rest.size() > 1)
    return failure();
  result.headStride = result.size;
  if (!rest.empty()) {
    result.heads = rest.front().size;
    result.headStride = rest.front().stride;
  }
  result.offset = view.offset;
  int64_t last = result.offset + (result.heads - 1) * result.headStride + (result.size - 1) * result.stride;
  reason = "heads are not made of channels of one token";
  if (last >= channels)
    return failure();
  return result;
}

/// The part of a packed projection that gives the heads' channels: rows of its
/// weight and bias. Its location is the projection's with `role` appended.
static FailureOr<Value> splitLinear(PatternRewriter &rewriter, const Heads &heads, StringRef role) {
  vit::LinearOp linear = heads.linear;
  auto weights = getFloatConstantF32(linear.getWeight());
  auto biases = linear.getBias() ? getFloatConstantF32(linear.getBias()) : std::vector<float>();
  if (failed(weights) || failed(biases))
    return rewriter.notifyMatchFailure(linear, "weight or bias of the packed projection is no constant");
  if (!llvm::all_of(linear->getUsers(), isViewOp))
    return rewriter.notifyMatchFailure(linear, "the packed projection has a use that is no shape op");
  int64_t inputs = shapeOf(linear.getWeight())[1];
  std::vector<float> rows, bias;
  for (int64_t h = 0; h < heads.heads; ++h)
    for (int64_t i = 0; i < heads.size; ++i) {
      int64_t row = heads.offset + h * heads.headStride + i * heads.stride;
      rows.insert(rows.end(), weights->begin() + row * inputs, weights->begin() + (row + 1) * inputs);
      if (!biases->empty())
        bias.push_back((*biases)[row]);
    }
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(linear);
  int64_t channels = heads.heads * heads.size;
  auto named = [&](Value value) { return (getBlobName(value) + "." + role).str(); };
  Location loc = linear.getLoc();
  if (auto name = dyn_cast<NameLoc>(loc))
    loc = NameLoc::get(rewriter.getStringAttr(name.getName().getValue() + "." + role));
  Type f32 = rewriter.getF32Type();
  Value weight = createFloatConstant(rewriter, loc, RankedTensorType::get({channels, inputs}, f32), rows,
                                     named(linear.getWeight()));
  Value biasValue;
  if (linear.getBias())
    biasValue =
        createFloatConstant(rewriter, loc, RankedTensorType::get({channels}, f32), bias, named(linear.getBias()));
  return makeLinear(rewriter, loc, linear.getInput(), weight, biasValue);
}

/// The heads as [B, H, N, d]: reshape to [B, N, H, d], transpose [0, 2, 1, 3].
static FailureOr<Value> makeHeads(PatternRewriter &rewriter, Location loc, const Heads &heads, StringRef role) {
  Value part = vit::LinearOp(heads.linear).getResult();
  if (!heads.isWhole()) {
    FailureOr<Value> split = splitLinear(rewriter, heads, role);
    if (failed(split))
      return failure();
    part = *split;
  }
  Location partLoc = part.getLoc();
  Value split = makeReshape(rewriter, partLoc, part, {heads.batch, heads.tokens, heads.heads, heads.size});
  return makeTranspose(rewriter, partLoc, split, {0, 2, 1, 3});
}

/// Whether the operand has the form makeHeads gives.
static bool isCanonical(const Heads &heads, Value operand) {
  return heads.isWhole() && heads.numOps <= 2 &&
         shapeOf(operand) == ArrayRef<int64_t>{heads.batch, heads.heads, heads.tokens, heads.size};
}

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

/// Heads of a packed projection that no product of attention took, as something is computed
/// before it (a norm, a rotary embedding of q or k) -> heads of a linear of their own.
struct SplitPackedHeads : RewritePattern {
  explicit SplitPackedHeads(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isViewOp(op) || rankOf(op->getResult(0)) < 4)
      return rewriter.notifyMatchFailure(op, "no shape op that gives heads");
    const char *reason = nullptr;
    FailureOr<Heads> heads = matchHeads(op->getResult(0), true, reason);
    if (failed(heads))
      return rewriter.notifyMatchFailure(op, reason);
    if (heads->heads * heads->size == shapeOf(heads->linear.getResult()).back())
      return rewriter.notifyMatchFailure(op, "the projection is not packed");
    if (llvm::all_of(op->getUsers(), [](Operation *user) { return givesHeads(user); }))
      return rewriter.notifyMatchFailure(op, "the shape ops behind it give heads, too");
    FailureOr<Value> split = makeHeads(rewriter, op->getLoc(), *heads, roleOf(op->getResult(0)));
    if (failed(split))
      return failure();
    return replaceWith(rewriter, op, makeReshape(rewriter, op->getLoc(), *split, shapeOf(op->getResult(0))));
  }

private:
  static bool givesHeads(Operation *user) {
    const char *reason = nullptr;
    return isViewOp(user) && rankOf(user->getResult(0)) >= 4 && succeeded(matchHeads(user->getResult(0), true, reason));
  }

  /// What `value` is to the first product that it reaches.
  static StringRef roleOf(Value value) {
    for (int steps = 0; steps < 32 && !value.use_empty(); ++steps) {
      OpOperand &use = *value.use_begin();
      if (auto matmul = dyn_cast<vit::MatmulOp>(use.getOwner()))
        return use.getOperandNumber() == 0 ? "q" : comesFromSoftmax(matmul.getLhs()) ? "v" : "k";
      if (use.getOwner()->getNumResults() != 1)
        break;
      value = use.getOwner()->getResult(0);
    }
    return "part";
  }
  static bool comesFromSoftmax(Value value) {
    for (int steps = 0; steps < 32; ++steps) {
      Operation *op = value.getDefiningOp();
      if (!op || op->getNumOperands() == 0 || isa<vit::SoftmaxOp>(op))
        return op && isa<vit::SoftmaxOp>(op);
      value = op->getOperand(0);
    }
    return false;
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
  patterns.add<RecoverKeys, FoldRhsView, SplitPackedHeads>(patterns.getContext());
}
