//===- RecoverPatternsMask.cpp - Masks and biases of attention scores -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Exporters write a mask as a choice between score and a low constant, as a constant
// that is added, or as several of both. All become one constant, added to the scores
// directly before softmax, with no infinity in it.

#include "RecoverPatterns.h"

#include "vitq/Analysis/Scores.h"
#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

/// From here down a constant that stands in place of a score masks it.
static constexpr float kMaskThreshold = -1e4f;

/// -inf, and sums of masks that leave the finite floats, are the lowest one.
static float finiteMask(float value) { return std::max(value, kLowestMask); }

std::vector<float> recover::broadcastValues(ArrayRef<float> values, ArrayRef<int64_t> from, ArrayRef<int64_t> shape) {
  return broadcastTo(Tensor::of<float>(from, values), shape).values<float>().vec();
}

/// Whether a guard asks if what softmax makes of `value` is a number: then -inf means
/// something else than the lowest float (RecoverPatternsGuard.cpp).
static bool isGuarded(Value value) {
  return llvm::any_of(value.getUsers(), [](Operation *user) {
    return isa<vit::IsNaNOp>(user) || ((isa<vit::SoftmaxOp>(user) || isViewOp(user)) && isGuarded(user->getResult(0)));
  });
}

/// Whether only softmax reads `value`: directly, or after constants were added to it and
/// positive scalars multiplied.
static bool reachesSoftmax(Value value) {
  if (isSoftmaxArgument(value))
    return !isGuarded(value);
  return !value.use_empty() && llvm::all_of(value.getUsers(), [](Operation *user) {
    double factor = 1;
    auto add = dyn_cast<vit::AddOp>(user);
    bool passes = add ? isConstant(add.getLhs()) != isConstant(add.getRhs())
                      : user->getNumResults() == 1 && matchScalarProduct(user->getResult(0), factor) && factor > 0;
    return passes && reachesSoftmax(user->getResult(0));
  });
}

/// The constant operand of `add` (there is one), and the other.
static std::pair<Value, Value> splitConstant(vit::AddOp add) {
  if (isConstant(add.getRhs()))
    return {add.getRhs(), add.getLhs()};
  return {add.getLhs(), add.getRhs()};
}

static Value makeMask(PatternRewriter &rewriter, Location loc, ArrayRef<int64_t> shape, ArrayRef<float> values) {
  return createFloatConstant(rewriter, loc, RankedTensorType::get(shape, rewriter.getF32Type()), values, "mask");
}

namespace {

/// where(c, x, low) -> x + mask, where(c, low, x) likewise; before softmax only.
struct ChoiceToMask : OpRewritePattern<vit::WhereOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::WhereOp op, PatternRewriter &rewriter) const override {
    FailureOr<std::vector<int64_t>> condition = getIntConstant(op.getCondition());
    bool keepsLhs = isConstant(op.getRhs());
    Value scores = keepsLhs ? op.getLhs() : op.getRhs();
    FailureOr<std::vector<float>> low = getFloatConstantF32(keepsLhs ? op.getRhs() : op.getLhs());
    if (failed(condition) || failed(low) || isConstant(scores))
      return rewriter.notifyMatchFailure(op, "no choice between a value and a constant by a constant");
    if (scores.getType() != op.getType() || !reachesSoftmax(op.getResult()))
      return rewriter.notifyMatchFailure(op, "the result is read by others than softmax");
    if (!llvm::all_of(*low, [](float value) { return value <= kMaskThreshold; }))
      return rewriter.notifyMatchFailure(op, "the constant is not low enough to be a mask");
    std::vector<float> mask;
    for (int64_t kept : *condition)
      mask.push_back((kept != 0) == keepsLhs ? 0.0f : kLowestMask);
    Value constant = makeMask(rewriter, op.getLoc(), shapeOf(op.getCondition()), mask);
    return replaceWith<vit::AddOp>(rewriter, op, {scores, constant});
  }
};

/// (x + c) + d -> x + (c + d) before softmax.
struct MergeMasks : OpRewritePattern<vit::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::AddOp op, PatternRewriter &rewriter) const override {
    if (isConstant(op.getLhs()) == isConstant(op.getRhs()) || !reachesSoftmax(op.getResult()))
      return rewriter.notifyMatchFailure(op, "no constant is added to what softmax reads");
    auto [outer, sum] = splitConstant(op);
    auto inner = sum.getDefiningOp<vit::AddOp>();
    if (!inner || !inner->hasOneUse() || isConstant(inner.getLhs()) == isConstant(inner.getRhs()))
      return rewriter.notifyMatchFailure(op, "the other operand is no sum with a constant of this use alone");
    auto [first, scores] = splitConstant(inner);
    FailureOr<std::vector<float>> c = getFloatConstantF32(first), d = getFloatConstantF32(outer);
    FailureOr<vit::Shape> shape = vit::inferBroadcast(op.getLoc(), shapeOf(first), shapeOf(outer));
    if (failed(c) || failed(d) || failed(shape) || scores.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "the constants cannot be added");
    std::vector<float> values = broadcastValues(*c, shapeOf(first), *shape);
    std::vector<float> others = broadcastValues(*d, shapeOf(outer), *shape);
    for (auto [value, other] : llvm::zip_equal(values, others))
      value = finiteMask(finiteMask(value) + finiteMask(other));
    return replaceWith<vit::AddOp>(rewriter, op, {scores, makeMask(rewriter, op.getLoc(), *shape, values)});
  }
};

/// reshape(x) + c -> reshape(x + c') before softmax: a mask for each window is added to
/// scores whose windows were taken apart from the images. Then it meets the bias there.
struct MaskBeforeReshape : OpRewritePattern<vit::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::AddOp op, PatternRewriter &rewriter) const override {
    if (isConstant(op.getLhs()) == isConstant(op.getRhs()) || !reachesSoftmax(op.getResult()))
      return rewriter.notifyMatchFailure(op, "no constant is added to what softmax reads");
    auto [constant, view] = splitConstant(op);
    auto reshape = view.getDefiningOp<vit::ReshapeOp>();
    if (!reshape || !reshape->hasOneUse() || view.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "the scores were not reshaped for this sum alone");
    ArrayRef<int64_t> from = shapeOf(reshape.getInput()), to = shapeOf(view);
    if (from.size() < 3 || to.size() < 3 || from.take_back(2) != to.take_back(2))
      return rewriter.notifyMatchFailure(op, "the reshape changes rows of scores");
    FailureOr<std::vector<float>> values = getFloatConstantF32(constant);
    if (failed(values))
      return rewriter.notifyMatchFailure(op, "the constant cannot be read");
    Tensor mask = broadcastTo(Tensor::of<float>(shapeOf(constant), *values), to).reshaped(from);
    Value moved = makeMask(rewriter, op.getLoc(), from, mask.values<float>());
    Value sum = vit::AddOp::create(rewriter, op.getLoc(), reshape.getInput().getType(), reshape.getInput(), moved);
    return replaceWith(rewriter, op, makeReshape(rewriter, reshape.getLoc(), sum, to));
  }
};

/// s * (x + c) -> s * x + s * c before softmax, so that the product takes the scale.
struct ScaleBeforeMask : OpRewritePattern<vit::MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::MulOp op, PatternRewriter &rewriter) const override {
    double factor = 1;
    Value sum = matchScalarProduct(op.getResult(), factor);
    auto add = sum ? sum.getDefiningOp<vit::AddOp>() : vit::AddOp();
    if (!add || !add->hasOneUse() || !(factor > 0) || !reachesSoftmax(op.getResult()) ||
        isConstant(add.getLhs()) == isConstant(add.getRhs()))
      return rewriter.notifyMatchFailure(op, "no positive multiple of masked scores before softmax");
    auto [constant, scores] = splitConstant(add);
    FailureOr<std::vector<float>> values = getFloatConstantF32(constant);
    if (failed(values) || scores.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "the scores are broadcast");
    for (float &value : *values)
      value = finiteMask(static_cast<float>(finiteMask(value) * factor));
    auto scalar = RankedTensorType::get({}, rewriter.getF32Type());
    Value scale = createFloatConstant(rewriter, op.getLoc(), scalar, {static_cast<float>(factor)}, "scale");
    Value scaled = vit::MulOp::create(rewriter, op.getLoc(), op.getType(), scores, scale);
    return replaceWith<vit::AddOp>(rewriter, op,
                                   {scaled, makeMask(rewriter, add.getLoc(), shapeOf(constant), *values)});
  }
};

/// A row of a mask that is low throughout, but not so low that scores vanish beside it,
/// masks nothing: softmax sees differences alone. Left as it is, it would widen the range
/// of all scores.
struct ShiftRows : OpRewritePattern<vit::AddOp> {
  // Before MergeMasks, in whose sums a bias would lose its low bits.
  ShiftRows(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(vit::AddOp op, PatternRewriter &rewriter) const override {
    if (isConstant(op.getLhs()) == isConstant(op.getRhs()) || !reachesSoftmax(op.getResult()))
      return rewriter.notifyMatchFailure(op, "no constant is added to what softmax reads");
    auto [constant, scores] = splitConstant(op);
    FailureOr<std::vector<float>> values = getFloatConstantF32(constant);
    ArrayRef<int64_t> shape = shapeOf(constant);
    if (failed(values) || values->empty())
      return rewriter.notifyMatchFailure(op, "the constant cannot be read");
    bool changed = false;
    for (MutableArrayRef<float> rest = *values; !rest.empty();) {
      MutableArrayRef<float> row = rest.take_front(shape.empty() ? 1 : shape.back());
      rest = rest.drop_front(row.size());
      float top = *llvm::max_element(row);
      if (!(top > kMaskedRow && top <= -kSoftmaxReach))
        continue;
      changed = true;
      for (float &value : row)
        value = finiteMask(value - top);
    }
    if (!changed)
      return rewriter.notifyMatchFailure(op, "every row has something that is not low, or nothing else");
    return replaceWith<vit::AddOp>(rewriter, op, {scores, makeMask(rewriter, op.getLoc(), shape, *values)});
  }
};

/// -inf in a mask -> the lowest finite float: a row of them is uniform, not NaN.
struct FiniteMask : OpRewritePattern<vit::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::AddOp op, PatternRewriter &rewriter) const override {
    if (isConstant(op.getLhs()) == isConstant(op.getRhs()) || !reachesSoftmax(op.getResult()))
      return rewriter.notifyMatchFailure(op, "no constant is added to what softmax reads");
    auto [constant, scores] = splitConstant(op);
    FailureOr<std::vector<float>> values = getFloatConstantF32(constant);
    if (failed(values) || llvm::none_of(*values, [](float value) { return value == -INFINITY; }))
      return rewriter.notifyMatchFailure(op, "the constant holds no -inf");
    for (float &value : *values)
      value = finiteMask(value);
    return replaceWith<vit::AddOp>(rewriter, op, {scores, makeMask(rewriter, op.getLoc(), shapeOf(constant), *values)});
  }
};

} // namespace

void recover::populateMaskPatterns(RewritePatternSet &patterns) {
  patterns.add<ChoiceToMask, MaskBeforeReshape, MergeMasks, ScaleBeforeMask, ShiftRows, FiniteMask>(
      patterns.getContext());
}
