//===- RecoverPatternsGuard.cpp - Choices by constants, guarded softmax -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// PyTorch's attention gives 0 where a row of scores is masked altogether: exporters
// write where(is_nan(p), 0, p) behind every softmax. That is p itself where the masks
// are constants and leave something of each row, and p with rows multiplied by 0 where
// they do not.

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/IRMapping.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

/// Calls `visit(i, j)` with the linear index of each element of `shape` and of what a
/// tensor of shape `from` has there when it is broadcast.
static void forEachBroadcast(ArrayRef<int64_t> shape, ArrayRef<int64_t> from,
                             llvm::function_ref<void(size_t, size_t)> visit) {
  // Axes that are repeated have no stride; those before the others' are all repeated.
  SmallVector<int64_t> strides(shape.size() - from.size(), 0);
  for (auto [size, stride] : llvm::zip(from, computeSuffixProduct(from)))
    strides.push_back(size == 1 ? 0 : stride);
  const SmallVector<int64_t> basis = computeSuffixProduct(shape);
  for (int64_t to = 0, count = ShapedType::getNumElements(shape); to < count; ++to)
    visit(to, linearize(delinearize(to, basis), strides));
}

namespace {
/// Which of the arguments of a softmax constants leave finite. What is no constant is
/// taken to be finite: calibration would find it otherwise.
class FiniteElements {
public:
  explicit FiniteElements(Value value)
      : shape(shapeOf(value)), finite(ShapedType::getNumElements(shape), true), known(true) {
    trace(value);
  }

  bool everywhere() const { return known && !llvm::is_contained(finite, false); }

  /// For each row of the last axis 1 if it has a finite element, else 0; none if that is
  /// not known, or an element is no number.
  std::optional<SmallVector<float>> ofRows() const {
    if (!known || shape.empty())
      return std::nullopt;
    SmallVector<float> rows;
    for (size_t at = 0; at < finite.size(); at += shape.back())
      rows.push_back(llvm::is_contained(ArrayRef(finite).slice(at, shape.back()), true));
    return rows;
  }

private:
  void trace(Value value) {
    while (known && ShapedType::getNumElements(shapeOf(value)) == static_cast<int64_t>(finite.size())) {
      Operation *op = value.getDefiningOp();
      if (auto values = getFloatConstantF32(value); succeeded(values))
        return take(value, value, *values, nullptr, false);
      if (double factor = 1; Value x = matchScalarProduct(value, factor))
        value = factor > 0 && std::isfinite(factor) ? x : Value();
      else if (auto add = dyn_cast_or_null<vit::AddOp>(op))
        value = takeSum(add);
      else if (auto where = dyn_cast_or_null<vit::WhereOp>(op))
        value = takeChoice(where);
      else if (auto reshape = dyn_cast_or_null<vit::ReshapeOp>(op))
        value = reshape.getInput();
      else if (!isViewOp(op))
        return;
      else
        break;
      if (!value)
        break;
    }
    known = false; // masks that were moved or broadcast further, or cannot be read
  }

  /// Takes in a constant summand; the other one, or null.
  Value takeSum(vit::AddOp op) {
    for (int i = 0; i < 2; ++i)
      if (auto values = getFloatConstantF32(op->getOperand(i)); succeeded(values)) {
        take(op, op->getOperand(i), *values, nullptr, false);
        return op->getOperand(1 - i);
      }
    return op.getLhs();
  }

  /// The same for a choice by constants between a constant and something else.
  Value takeChoice(vit::WhereOp op) {
    auto chosen = getIntConstant(op.getCondition());
    if (failed(chosen))
      return {};
    std::vector<char> condition(finite.size());
    forEachBroadcast(shapeOf(op), shapeOf(op.getCondition()),
                     [&](size_t i, size_t j) { condition[i] = (*chosen)[j] != 0; });
    for (bool isRight : {false, true})
      if (auto values = getFloatConstantF32(isRight ? op.getRhs() : op.getLhs()); succeeded(values)) {
        take(op, isRight ? op.getRhs() : op.getLhs(), *values, condition.data(), !isRight);
        return isRight ? op.getLhs() : op.getRhs();
      }
    return {};
  }

  /// Elements of a constant, broadcast to `to`, where `condition`, if there is one, is
  /// `wanted`.
  void take(Value to, Value constant, ArrayRef<float> values, const char *condition, bool wanted) {
    forEachBroadcast(shapeOf(to), shapeOf(constant), [&](size_t i, size_t j) {
      if (condition && static_cast<bool>(condition[i]) != wanted)
        return;
      if (std::isnan(values[j]) || values[j] == INFINITY)
        known = false;
      else if (std::isinf(values[j]))
        finite[i] = false;
    });
  }

  SmallVector<int64_t> shape;
  SmallVector<bool> finite;
  bool known;
};

/// where(true, a, b) -> a, where(false, a, b) -> b.
struct DropChoice : OpRewritePattern<vit::WhereOp> {
  DropChoice(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/4) {}
  LogicalResult matchAndRewrite(vit::WhereOp op, PatternRewriter &rewriter) const override {
    auto condition = getIntConstant(op.getCondition());
    if (failed(condition) || condition->empty() || !llvm::all_equal(*condition))
      return rewriter.notifyMatchFailure(op, "the condition is not the same constant everywhere");
    return replaceWith(rewriter, op, condition->front() ? op.getLhs() : op.getRhs());
  }
};

/// where(is_nan(p), a, b) -> b for p = softmax(x), or a view of it, with finite rows.
/// Rows that are masked altogether become 0 where `a` is 0 and `b` is such a view too. Codes
/// of a quantized model are never NaN.
struct DropNaNGuard : OpRewritePattern<vit::WhereOp> {
  DropNaNGuard(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/4) {}
  LogicalResult matchAndRewrite(vit::WhereOp op, PatternRewriter &rewriter) const override {
    auto isNaN = op.getCondition().getDefiningOp<vit::IsNaNOp>();
    if (!isNaN)
      return rewriter.notifyMatchFailure(op, "the condition is no is_nan");
    // Codes stand for numbers.
    if (skipViews(isNaN.getInput()).getDefiningOp<vit::DequantizeOp>())
      return replaceWith(rewriter, op, op.getRhs());
    auto softmax = skipViews(isNaN.getInput()).getDefiningOp<vit::SoftmaxOp>();
    if (!softmax)
      return rewriter.notifyMatchFailure(op, "is_nan of something else than a softmax");
    std::optional<SmallVector<float>> rows = FiniteElements(softmax.getInput()).ofRows();
    if (!rows)
      return rewriter.notifyMatchFailure(op, "which rows are masked altogether is not known");
    if (!llvm::is_contained(*rows, 0.0f))
      return replaceWith(rewriter, op, op.getRhs());
    FailureOr<std::vector<float>> chosen = getFloatConstantF32(op.getLhs());
    if (failed(chosen) || op.getRhs().getType() != op.getType() ||
        llvm::any_of(*chosen, [](float value) { return value != 0; }) || !isSameView(isNaN.getInput(), op.getRhs()))
      return rewriter.notifyMatchFailure(op, "rows that are masked altogether become something else than 0");
    return replaceWith(rewriter, op, withoutRows(op.getRhs(), *rows, rewriter));
  }

private:
  static Value skipViews(Value value) {
    while (isViewOp(value.getDefiningOp()))
      value = value.getDefiningOp()->getOperand(0);
    return value;
  }

  /// Whether `a` and `b` are one value, or made of one by equal views.
  static bool isSameView(Value a, Value b) {
    while (a != b) {
      Operation *of = a.getDefiningOp(), *other = b.getDefiningOp();
      if (!isViewOp(of) || !isViewOp(other) || of->getName() != other->getName() ||
          of->getAttrDictionary() != other->getAttrDictionary())
        return false;
      a = of->getOperand(0);
      b = other->getOperand(0);
    }
    return true;
  }

  /// `value`, a softmax or a view of it, with 0 in the rows that have 0 in `rows`.
  static Value withoutRows(Value value, ArrayRef<float> rows, PatternRewriter &rewriter) {
    if (Operation *view = value.getDefiningOp(); isViewOp(view)) {
      Value part = withoutRows(view->getOperand(0), rows, rewriter);
      IRMapping mapping;
      mapping.map(view->getOperand(0), part);
      return rewriter.clone(*view, mapping)->getResult(0);
    }
    SmallVector<int64_t> shape(shapeOf(value)), kept(rows.begin(), rows.end());
    shape.back() = 1;
    Value condition =
        createIntConstant(rewriter, value.getLoc(), RankedTensorType::get(shape, rewriter.getI1Type()), kept, "rows");
    Value zero =
        createFloatConstant(rewriter, value.getLoc(), RankedTensorType::get({}, rewriter.getF32Type()), {0.0f}, "zero");
    return vit::WhereOp::create(rewriter, value.getLoc(), value.getType(), condition, value, zero);
  }
};

/// where(c, p, 0) -> p * c for a constant c and a softmax p without NaN.
struct ChoiceToProduct : OpRewritePattern<vit::WhereOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::WhereOp op, PatternRewriter &rewriter) const override {
    auto condition = getIntConstant(op.getCondition());
    FailureOr<std::vector<float>> otherwise = getFloatConstantF32(op.getRhs());
    auto softmax = op.getLhs().getDefiningOp<vit::SoftmaxOp>();
    if (failed(condition) || !softmax || failed(otherwise) ||
        llvm::any_of(*otherwise, [](float value) { return value != 0; }))
      return rewriter.notifyMatchFailure(op, "no constant choice between a softmax and 0");
    if (!FiniteElements(softmax.getInput()).everywhere())
      return rewriter.notifyMatchFailure(op, "the softmax may be NaN");
    std::vector<float> kept(condition->begin(), condition->end());
    for (float &value : kept)
      value = value != 0;
    auto type = RankedTensorType::get(shapeOf(op.getCondition()), rewriter.getF32Type());
    Value factor = createFloatConstant(rewriter, op.getLoc(), type, kept, "rows");
    return replaceWith<vit::MulOp>(rewriter, op, {op.getLhs(), factor});
  }
};

} // namespace

void recover::populateGuardPatterns(RewritePatternSet &patterns) {
  patterns.add<DropChoice, DropNaNGuard, ChoiceToProduct>(patterns.getContext());
}
