//===- RecoverPatternsHeads.cpp - Heads of attention -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What a strided view of a projection is to attention: heads, of all of it or of a part.

#include "RecoverPatternsHeads.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

bool Heads::isWhole() const {
  return offset == 0 && stride == 1 && headStride == size && shapeOf(vit::LinearOp(linear)).back() == heads * size;
}

bool recover::takeFront(ArrayRef<Factor> &factors, int64_t size, int64_t stride) {
  if (size == 1)
    return true;
  if (factors.empty() || !(factors.front() == Factor{size, stride}))
    return false;
  factors = factors.drop_front();
  return true;
}

FailureOr<Heads> recover::matchHeads(Value operand, bool channelsLast, const char *&reason) {
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

/// As splitLinear, where the channels stand in a row: nothing is copied.
static FailureOr<Value> takeRows(PatternRewriter &rewriter, const Heads &heads, StringRef role) {
  vit::LinearOp linear = heads.linear;
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(linear);
  const Location loc = suffixed(linear.getLoc(), role);
  auto rows = [&](Value value) {
    return value ? makeRows(rewriter, loc, value, heads.offset, heads.heads * heads.size,
                            (getBlobName(value) + "." + role).str())
                 : Value();
  };
  Value weight = rows(linear.getWeight()), bias = rows(linear.getBias());
  if (!weight || !bias != !linear.getBias())
    return rewriter.notifyMatchFailure(linear, "weight or bias of the packed projection is no constant");
  return makeLinear(rewriter, loc, linear.getInput(), weight, bias);
}

/// The part of a packed projection that gives the heads' channels: rows of its
/// weight and bias. Its location is the projection's with `role` appended.
static FailureOr<Value> splitLinear(PatternRewriter &rewriter, const Heads &heads, StringRef role) {
  vit::LinearOp linear = heads.linear;
  if (!llvm::all_of(linear->getUsers(), isViewOp))
    return rewriter.notifyMatchFailure(linear, "the packed projection has a use that is no shape op");
  if (isConstant(linear.getWeight()) && heads.stride == 1 && (heads.headStride == heads.size || heads.heads == 1))
    return takeRows(rewriter, heads, role);
  SmallVector<int64_t> rows;
  for (int64_t h = 0; h < heads.heads; ++h)
    for (int64_t i = 0; i < heads.size; ++i)
      rows.push_back(heads.offset + h * heads.headStride + i * heads.stride);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(linear);
  const Location loc = suffixed(linear.getLoc(), role);
  FailureOr<Value> weight = takeRows(rewriter, loc, linear.getWeight(), rows, role);
  FailureOr<Value> bias =
      linear.getBias() ? takeRows(rewriter, loc, linear.getBias(), rows, role) : FailureOr<Value>(Value());
  if (failed(weight) || failed(bias))
    return rewriter.notifyMatchFailure(linear, "weight or bias of the packed projection is no constant");
  return makeLinear(rewriter, loc, linear.getInput(), *weight, *bias);
}

FailureOr<Value> recover::makeHeads(PatternRewriter &rewriter, Location loc, const Heads &heads, StringRef role) {
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

bool recover::isCanonical(const Heads &heads, Value operand) {
  return heads.isWhole() && heads.numOps <= 2 &&
         shapeOf(operand) == ArrayRef<int64_t>{heads.batch, heads.heads, heads.tokens, heads.size};
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// Attention head by head, joined along the channels: one product for each head.
struct Head {
  vit::MatmulOp scores, sum;
  vit::SoftmaxOp softmax;
  Heads q, k, v;
};

} // namespace

/// The op that gives `value` or what it is a reshape of, for this use alone.
template <typename OpTy>
static OpTy giving(Value value) {
  StridedView view = traceView(value);
  for (Value v = value; v != view.source; v = v.getDefiningOp()->getOperand(0))
    if (!v.hasOneUse())
      return {};
  return view.isIdentity() && view.source.hasOneUse() ? view.source.getDefiningOp<OpTy>() : OpTy();
}

/// `value` = softmax(q k^T) v of one head; none, and why.
static std::optional<Head> matchHead(Value value, const char *&reason) {
  Head head;
  head.sum = giving<vit::MatmulOp>(value);
  head.softmax = head.sum ? giving<vit::SoftmaxOp>(head.sum.getLhs()) : vit::SoftmaxOp();
  head.scores = head.softmax ? giving<vit::MatmulOp>(head.softmax.getInput()) : vit::MatmulOp();
  reason = "what is joined is no softmax of a product, times something, of this use alone";
  if (!head.scores || !head.sum.getScale().isExactlyValue(1.0))
    return std::nullopt;
  FailureOr<Heads> q = matchHeads(head.scores.getLhs(), true, reason);
  FailureOr<Heads> k = failed(q) ? q : matchHeads(head.scores.getRhs(), head.scores.getTransposeRhs(), reason);
  FailureOr<Heads> v = failed(k) ? k : matchHeads(head.sum.getRhs(), !head.sum.getTransposeRhs(), reason);
  if (failed(v))
    return std::nullopt;
  head.q = *q;
  head.k = *k;
  head.v = *v;
  reason = "what is joined has several heads already";
  if (q->heads != 1 || k->heads != 1 || v->heads != 1)
    return std::nullopt;
  return head;
}

/// Single heads as those of one linear: parts of one that lie equally far apart, or
/// linears of one input, which become one.
static FailureOr<Heads> joinHeads(PatternRewriter &rewriter, ArrayRef<Heads> parts) {
  Heads joined = parts.front();
  joined.heads = static_cast<int64_t>(parts.size());
  if (llvm::any_of(parts, [&](const Heads &part) { return part.size != joined.size || part.stride != joined.stride; }))
    return failure();
  if (parts[1].linear == joined.linear) {
    joined.headStride = parts[1].offset - joined.offset;
    for (auto [h, part] : llvm::enumerate(parts))
      if (part.linear != joined.linear || joined.headStride <= 0 ||
          part.offset != joined.offset + static_cast<int64_t>(h) * joined.headStride)
        return failure();
    return joined;
  }
  std::vector<float> weights, biases;
  for (const Heads &part : parts) {
    vit::LinearOp linear = part.linear, first = joined.linear;
    if (!part.isWhole() || linear.getInput() != first.getInput() || !linear.getBias() != !first.getBias())
      return failure();
    FailureOr<std::vector<float>> weight = getFloatConstantF32(linear.getWeight());
    FailureOr<std::vector<float>> bias =
        linear.getBias() ? getFloatConstantF32(linear.getBias()) : std::vector<float>();
    if (failed(weight) || failed(bias))
      return failure();
    llvm::append_range(weights, *weight);
    llvm::append_range(biases, *bias);
  }
  vit::LinearOp first = joined.linear;
  const int64_t channels = joined.heads * joined.size, inputs = shapeOf(first.getWeight())[1];
  Type f32 = rewriter.getF32Type();
  Value weight = createFloatConstant(rewriter, first.getLoc(), RankedTensorType::get({channels, inputs}, f32), weights,
                                     getBlobName(first.getWeight()));
  Value bias = first.getBias() ? createFloatConstant(rewriter, first.getLoc(), RankedTensorType::get({channels}, f32),
                                                     biases, getBlobName(first.getBias()))
                                     .getResult()
                               : Value();
  joined.linear = makeLinear(rewriter, first.getLoc(), first.getInput(), weight, bias).getDefiningOp<vit::LinearOp>();
  joined.headStride = joined.size;
  return joined;
}

namespace {

/// concat(softmax(q_h k_h^T) v_h) -> one attention of all heads.
struct JoinHeads : OpRewritePattern<vit::ConcatOp> {
  JoinHeads(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/3) {}

  LogicalResult matchAndRewrite(vit::ConcatOp op, PatternRewriter &rewriter) const override {
    if (rankOf(op) != 3 || op.getAxis() != 2 || op.getInputs().size() < 2)
      return rewriter.notifyMatchFailure(op, "does not join channels of tokens");
    SmallVector<Heads> q, k, v;
    std::optional<Head> first;
    for (Value input : op.getInputs()) {
      const char *reason = nullptr;
      std::optional<Head> head = matchHead(input, reason);
      if (!head)
        return rewriter.notifyMatchFailure(op, reason);
      if (!first)
        first = head;
      if (head->scores.getScale() != first->scores.getScale() || head->q.tokens != first->q.tokens ||
          head->k.tokens != first->k.tokens || head->v.tokens != first->k.tokens)
        return rewriter.notifyMatchFailure(op, "the heads have different scales or tokens");
      q.push_back(head->q);
      k.push_back(head->k);
      v.push_back(head->v);
    }
    FailureOr<Heads> queries = joinHeads(rewriter, q);
    FailureOr<Heads> keys = failed(queries) ? queries : joinHeads(rewriter, k);
    FailureOr<Heads> values = failed(keys) ? keys : joinHeads(rewriter, v);
    if (failed(values))
      return rewriter.notifyMatchFailure(op, "the heads are not those of one projection, or of one input");
    FailureOr<Value> lhs = makeHeads(rewriter, op.getLoc(), *queries, "q");
    FailureOr<Value> rhs = failed(lhs) ? lhs : makeHeads(rewriter, op.getLoc(), *keys, "k");
    FailureOr<Value> right = failed(rhs) ? rhs : makeHeads(rewriter, op.getLoc(), *values, "v");
    if (failed(right))
      return failure();
    Value scores = vit::createInferred<vit::MatmulOp>(rewriter, first->scores.getLoc(), {*lhs, *rhs},
                                                      {rewriter.getNamedAttr("scale", first->scores.getScaleAttr()),
                                                       rewriter.getNamedAttr("transpose_rhs", rewriter.getUnitAttr())});
    Value p = vit::createInferred<vit::SoftmaxOp>(rewriter, first->softmax.getLoc(), scores);
    Value sum = vit::createInferred<vit::MatmulOp>(rewriter, first->sum.getLoc(), {p, *right});
    Value tokens = makeTranspose(rewriter, op.getLoc(), sum, {0, 2, 1, 3});
    return replaceWith(rewriter, op, makeReshape(rewriter, op.getLoc(), tokens, shapeOf(op)));
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
        return isa_and_nonnull<vit::SoftmaxOp>(op);
      value = op->getOperand(0);
    }
    return false;
  }
};

} // namespace

void recover::populateHeadPatterns(RewritePatternSet &patterns) { patterns.add<JoinHeads>(patterns.getContext()); }

void recover::populateLateHeadPatterns(RewritePatternSet &patterns) {
  patterns.add<SplitPackedHeads>(patterns.getContext());
}
