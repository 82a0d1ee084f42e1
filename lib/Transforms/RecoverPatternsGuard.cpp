//===- RecoverPatternsGuard.cpp - Choices by constants, guarded softmax -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// PyTorch's attention gives 0 where a row of scores is masked altogether: exporters
// write where(is_nan(p), 0, p) behind every softmax. That is p itself where the masks
// are constants and leave something of each row.

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

/// Calls `visit(i, j)` with the linear index of each element of `shape` and of what a
/// tensor of shape `from` has there when it is broadcast.
static void forEachBroadcast(ArrayRef<int64_t> shape, ArrayRef<int64_t> from,
                             llvm::function_ref<void(size_t, size_t)> visit) {
  SmallVector<int64_t> strides(shape.size(), 0), index(shape.size(), 0);
  int64_t stride = 1, count = ShapedType::getNumElements(shape);
  for (size_t i = 0; i < from.size(); ++i) {
    int64_t size = from[from.size() - 1 - i];
    strides[shape.size() - 1 - i] = size == 1 ? 0 : stride;
    stride *= size;
  }
  for (int64_t to = 0, at = 0; to < count; ++to) {
    visit(to, at);
    for (size_t axis = shape.size(); axis-- > 0;) {
      at += strides[axis];
      if (++index[axis] < shape[axis])
        break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
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

  /// Whether each row of the last axis has a finite element and none that is no number.
  bool inEveryRow() const {
    if (!known || shape.empty())
      return false;
    for (size_t at = 0; at < finite.size(); at += shape.back())
      if (!llvm::is_contained(ArrayRef(finite).slice(at, shape.back()), true))
        return false;
    return true;
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
struct DropNaNGuard : OpRewritePattern<vit::WhereOp> {
  DropNaNGuard(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/4) {}
  LogicalResult matchAndRewrite(vit::WhereOp op, PatternRewriter &rewriter) const override {
    auto isNaN = op.getCondition().getDefiningOp<vit::IsNaNOp>();
    if (!isNaN)
      return rewriter.notifyMatchFailure(op, "the condition is no is_nan");
    Value probabilities = isNaN.getInput();
    while (isViewOp(probabilities.getDefiningOp()))
      probabilities = probabilities.getDefiningOp()->getOperand(0);
    auto softmax = probabilities.getDefiningOp<vit::SoftmaxOp>();
    if (!softmax)
      return rewriter.notifyMatchFailure(op, "is_nan of something else than a softmax");
    if (!FiniteElements(softmax.getInput()).inEveryRow())
      return rewriter.notifyMatchFailure(op, "a row may be masked altogether");
    return replaceWith(rewriter, op, op.getRhs());
  }
};

} // namespace

void recover::populateGuardPatterns(RewritePatternSet &patterns) {
  patterns.add<DropChoice, DropNaNGuard>(patterns.getContext());
}
