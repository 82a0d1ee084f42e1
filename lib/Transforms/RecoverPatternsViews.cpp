//===- RecoverPatternsViews.cpp - Shape ops and layouts -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

bool recover::isNear(double a, double b, double tolerance) { return std::fabs(a - b) <= tolerance * std::fabs(b); }

Value recover::matchScalarProduct(Value value, double &factor) {
  auto match = [&](Value x, Value constant, bool divide) -> Value {
    std::optional<double> scalar = getSplatFloat(constant);
    if (!scalar || x.getType() != value.getType() || (divide && *scalar == 0))
      return {};
    factor = divide ? 1.0 / *scalar : *scalar;
    return x;
  };
  if (auto mul = value.getDefiningOp<vit::MulOp>()) {
    if (Value x = match(mul.getLhs(), mul.getRhs(), false))
      return x;
    return match(mul.getRhs(), mul.getLhs(), false);
  }
  if (auto div = value.getDefiningOp<vit::DivOp>())
    return match(div.getLhs(), div.getRhs(), true);
  return {};
}

Operation *recover::matchOperand(Operation *op, Value &other, llvm::function_ref<bool(Operation *)> isWanted) {
  for (int i = 0; i < 2; ++i) {
    Value operand = op->getOperand(i);
    if (auto reshape = operand.getDefiningOp<vit::ReshapeOp>();
        reshape && operand.hasOneUse() && canReplace(reshape.getInput().getType(), reshape.getType()))
      operand = reshape.getInput();
    Operation *producer = operand.getDefiningOp();
    if (!producer || !operand.hasOneUse() || !isWanted(producer) ||
        !canReplace(operand.getType(), op->getResult(0).getType()))
      continue;
    other = op->getOperand(1 - i);
    return producer;
  }
  return nullptr;
}

std::optional<std::vector<float>> recover::getChannelConstant(Value value, int64_t channels) {
  FailureOr<std::vector<float>> values = getFloatConstantF32(value);
  if (failed(values))
    return std::nullopt;
  if (values->size() == 1)
    return std::vector<float>(channels, values->front());
  if (static_cast<int64_t>(values->size()) != channels || shapeOf(value).back() != channels)
    return std::nullopt;
  std::vector<float> channelValues = std::move(*values);
  return channelValues;
}

Value recover::makeReshape(PatternRewriter &rewriter, Location loc, Value input, ArrayRef<int64_t> shape) {
  if (shapeOf(input) == shape)
    return input;
  return vit::createInferred<vit::ReshapeOp>(rewriter, loc, input,
                                             rewriter.getNamedAttr("shape", rewriter.getDenseI64ArrayAttr(shape)));
}

Value recover::makeTranspose(PatternRewriter &rewriter, Location loc, Value input, ArrayRef<int64_t> permutation) {
  return vit::createInferred<vit::TransposeOp>(
      rewriter, loc, input, rewriter.getNamedAttr("permutation", rewriter.getDenseI64ArrayAttr(permutation)));
}

Value recover::makeLinear(PatternRewriter &rewriter, Location loc, Value input, Value weight, Value bias) {
  SmallVector<Value> operands{input, weight};
  if (bias)
    operands.push_back(bias);
  return vit::createInferred<vit::LinearOp>(rewriter, loc, operands);
}

//===----------------------------------------------------------------------===//
// Strided views
//===----------------------------------------------------------------------===//

bool recover::isViewOp(Operation *op) {
  return isa_and_nonnull<vit::ReshapeOp, vit::TransposeOp, vit::SliceOp, vit::GatherOp>(op);
}

Factors recover::coalesce(ArrayRef<Factor> factors) {
  Factors result;
  for (const Factor &factor : factors) {
    if (!result.empty() && result.back().stride == factor.size * factor.stride)
      result.back() = {result.back().size * factor.size, factor.stride};
    else
      result.push_back(factor);
  }
  return result;
}

Factors StridedView::flatten(size_t begin, size_t end) const {
  Factors all;
  for (size_t i = begin; i < end; ++i)
    llvm::append_range(all, dims[i]);
  return coalesce(all);
}

bool StridedView::isIdentity() const {
  int64_t count = cast<ShapedType>(source.getType()).getNumElements();
  Factors all = flatten(0, dims.size());
  return offset == 0 && (count == 1 ? all.empty() : all.size() == 1 && all.front() == Factor{count, 1});
}

static StridedView identityView(Value source) {
  StridedView view{source, 0, {}, 0};
  for (auto [size, stride] : llvm::zip(shapeOf(source), computeSuffixProduct(shapeOf(source))))
    view.dims.push_back(size == 1 ? Factors() : Factors{{size, stride}});
  return view;
}

/// Deals the elements out to axes of other sizes.
static bool regroup(StridedView &view, ArrayRef<int64_t> shape) {
  Factors left = view.flatten(0, view.dims.size());
  std::reverse(left.begin(), left.end()); // a stack, outermost on top
  SmallVector<Factors> dims;
  for (int64_t size : shape) {
    Factors dim;
    while (size > 1) {
      if (left.empty())
        return false;
      Factor factor = left.pop_back_val();
      if (size % factor.size == 0) {
        dim.push_back(factor);
        size /= factor.size;
      } else if (factor.size % size == 0) {
        int64_t inner = factor.size / size;
        dim.push_back({size, factor.stride * inner});
        left.push_back({inner, factor.stride});
        size = 1;
      } else {
        return false;
      }
    }
    dims.push_back(coalesce(dim));
  }
  view.dims = std::move(dims);
  return true;
}

/// Every `step`-th of `size` elements from `start` on.
static bool cut(StridedView &view, size_t axis, int64_t start, int64_t size, int64_t step, int64_t oldSize) {
  if (size == oldSize)
    return true;
  Factors dim = coalesce(view.dims[axis]);
  if (size == 1) {
    for (const Factor &factor : llvm::reverse(dim)) {
      view.offset += (start % factor.size) * factor.stride;
      start /= factor.size;
    }
    view.dims[axis].clear();
    return true;
  }
  if (dim.size() != 1)
    return false;
  view.offset += start * dim[0].stride;
  view.dims[axis] = {{size, dim[0].stride * step}};
  return true;
}

static bool apply(StridedView &view, Operation *op) {
  ++view.numOps;
  ArrayRef<int64_t> from = shapeOf(op->getOperand(0));
  if (auto reshape = dyn_cast<vit::ReshapeOp>(op))
    return regroup(view, reshape.getShape());
  if (auto transpose = dyn_cast<vit::TransposeOp>(op)) {
    SmallVector<Factors> dims;
    for (int64_t axis : transpose.getPermutation())
      dims.push_back(view.dims[axis]);
    view.dims = std::move(dims);
    return true;
  }
  if (auto slice = dyn_cast<vit::SliceOp>(op)) {
    for (size_t i = 0; i < from.size(); ++i)
      if (!cut(view, i, slice.getOffsets()[i], slice.getSizes()[i], slice.getStrides()[i], from[i]))
        return false;
    return true;
  }
  auto gather = cast<vit::GatherOp>(op);
  ArrayRef<int64_t> indices = gather.getIndices();
  int64_t step = indices.size() > 1 ? indices[1] - indices[0] : 1;
  for (size_t i = 1; i < indices.size(); ++i)
    if (indices[i] - indices[i - 1] != step || step <= 0)
      return false;
  int64_t axis = gather.getAxis(), size = indices.size();
  if (size == from[axis])
    return indices[0] == 0;
  return cut(view, axis, indices[0], size, step, from[axis]);
}

StridedView recover::traceView(Value value) {
  SmallVector<Operation *> chain;
  for (Value v = value; isViewOp(v.getDefiningOp()); v = v.getDefiningOp()->getOperand(0))
    chain.push_back(v.getDefiningOp());
  Value source = chain.empty() ? value : chain.back()->getOperand(0);
  StridedView view = identityView(source);
  for (Operation *op : llvm::reverse(chain))
    if (!apply(view, op))
      view = identityView(op->getResult(0)); // no view of what is before
  return view;
}

std::optional<Tensor> recover::moveTensors(Operation *op, ArrayRef<Tensor> operands, int64_t padding) {
  using Result = std::optional<Tensor>;
  const Tensor &input = operands.front();
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](vit::ReshapeOp op) -> Result { return input.reshaped(op.getShape()); })
      .Case([&](vit::TransposeOp op) -> Result { return transposed(input, op.getPermutation()); })
      .Case([&](vit::SliceOp op) -> Result { return sliced(input, op.getOffsets(), op.getSizes(), op.getStrides()); })
      .Case([&](vit::GatherOp op) -> Result { return gathered(input, op.getIndices(), op.getAxis()); })
      .Case([&](vit::BroadcastOp op) -> Result { return broadcastTo(input, op.getShape()); })
      .Case([&](vit::ConcatOp op) -> Result { return concatenated(operands, op.getAxis()); })
      .Case([&](vit::PadOp op) -> Result { return padded(input, op.getLow(), shapeOf(op.getResult()), padding); })
      .Default([](Operation *) -> Result { return std::nullopt; });
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

/// Shape ops that undo each other, and transposes of axes of size 1:
/// what is left is one reshape, or nothing.
struct SimplifyIdentityView : RewritePattern {
  explicit SimplifyIdentityView(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<vit::ReshapeOp, vit::TransposeOp>(op))
      return rewriter.notifyMatchFailure(op, "neither reshape nor transpose");
    StridedView view = traceView(op->getResult(0));
    if (view.source == op->getResult(0))
      return rewriter.notifyMatchFailure(op, "no strided view of its operand");
    if (!view.isIdentity())
      return rewriter.notifyMatchFailure(op, "elements change their order");
    if (view.numOps < 2 && isa<vit::ReshapeOp>(op) && view.source.getType() != op->getResult(0).getType())
      return rewriter.notifyMatchFailure(op, "already one reshape");
    return replaceWith(rewriter, op, makeReshape(rewriter, op->getLoc(), view.source, shapeOf(op->getResult(0))));
  }
};

/// The batch of the program: the first axis of the function's first argument.
int64_t batchOf(Operation *op) {
  auto function = op->getParentOfType<func::FuncOp>();
  if (!function || function.getNumArguments() == 0)
    return 0;
  auto type = dyn_cast<RankedTensorType>(function.getArgument(0).getType());
  return type && type.getRank() ? type.getDimSize(0) : 0;
}

/// Whether `view` moves whole rows away from [B, N, C]: a swap of the first
/// two axes, or [B, N, C] to [B * N, C].
bool leavesBatchFirst(Operation *view) {
  if (auto transpose = dyn_cast_or_null<vit::TransposeOp>(view))
    return transpose.getPermutation() == ArrayRef<int64_t>{1, 0, 2};
  auto reshape = dyn_cast_or_null<vit::ReshapeOp>(view);
  if (!reshape)
    return false;
  ArrayRef<int64_t> from = shapeOf(reshape.getInput()), to = reshape.getShape();
  return from.size() == 3 && to.size() == 2 && from[2] == to[1] && to[0] != batchOf(view);
}

/// The same view of a tensor that has other channels.
Value repeatView(PatternRewriter &rewriter, Operation *view, Value input) {
  if (auto transpose = dyn_cast<vit::TransposeOp>(view))
    return makeTranspose(rewriter, view->getLoc(), input, transpose.getPermutation());
  SmallVector<int64_t> shape(cast<vit::ReshapeOp>(view).getShape());
  shape.back() = shapeOf(input).back();
  return makeReshape(rewriter, view->getLoc(), input, shape);
}

/// op(view(x)) -> view(op(x)) for ops on rows and views of rows, so that every
/// op sees [B, N, C] and the views meet their inverses below.
struct SinkRowView : RewritePattern {
  explicit SinkRowView(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<vit::LinearOp, vit::LayerNormOp, vit::GeluOp, vit::ReluOp, vit::SiluOp, vit::HardSwishOp, vit::TanhOp,
             vit::SigmoidOp>(op))
      return rewriter.notifyMatchFailure(op, "no op on rows");
    Operation *view = op->getOperand(0).getDefiningOp();
    if (!leavesBatchFirst(view))
      return rewriter.notifyMatchFailure(op, "input is no view of rows in another order");
    Value input = view->getOperand(0);
    SmallVector<int64_t> shape(shapeOf(input));
    shape.back() = shapeOf(op->getResult(0)).back();
    Type elementType = cast<ShapedType>(op->getResult(0).getType()).getElementType();
    Operation *moved = rewriter.clone(*op);
    rewriter.modifyOpInPlace(moved, [&] {
      moved->setOperand(0, input);
      moved->getResult(0).setType(RankedTensorType::get(shape, elementType));
    });
    return replaceWith(rewriter, op, repeatView(rewriter, view, moved->getResult(0)));
  }
};

/// add(view(x), view(y)) -> view(add(x, y)) for equal row views.
struct SinkRowViewOfAdd : OpRewritePattern<vit::AddOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::AddOp op, PatternRewriter &rewriter) const override {
    auto lhs = op.getLhs().getDefiningOp<vit::TransposeOp>(), rhs = op.getRhs().getDefiningOp<vit::TransposeOp>();
    if (!lhs || !rhs || !leavesBatchFirst(lhs) || lhs.getPermutation() != rhs.getPermutation())
      return rewriter.notifyMatchFailure(op, "operands are not transposed alike");
    if (lhs.getInput().getType() != rhs.getInput().getType())
      return rewriter.notifyMatchFailure(op, "operands broadcast");
    Value sum = vit::createInferred<vit::AddOp>(rewriter, op.getLoc(), {lhs.getInput(), rhs.getInput()});
    return replaceWith(rewriter, op, makeTranspose(rewriter, lhs.getLoc(), sum, lhs.getPermutation()));
  }
};

/// softmax(reshape(x)) -> reshape(softmax(x)) when rows stay rows.
struct SinkReshapeOfSoftmax : OpRewritePattern<vit::SoftmaxOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::SoftmaxOp op, PatternRewriter &rewriter) const override {
    auto reshape = op.getInput().getDefiningOp<vit::ReshapeOp>();
    if (!reshape)
      return rewriter.notifyMatchFailure(op, "input is no reshape");
    ArrayRef<int64_t> from = shapeOf(reshape.getInput()), to = reshape.getShape();
    if (from.empty() || to.empty() || from.back() != to.back())
      return rewriter.notifyMatchFailure(op, "the reshape changes the rows");
    Value softmax = vit::createInferred<vit::SoftmaxOp>(rewriter, op.getLoc(), reshape.getInput());
    return replaceWith(rewriter, op, makeReshape(rewriter, reshape.getLoc(), softmax, to));
  }
};

/// slice(layer_norm(x)) -> layer_norm(slice(x)) when rows stay whole: only the
/// class token is normalized.
struct SliceBeforeLayerNorm : OpRewritePattern<vit::SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::SliceOp op, PatternRewriter &rewriter) const override {
    auto norm = op.getInput().getDefiningOp<vit::LayerNormOp>();
    if (!norm || !norm->hasOneUse())
      return rewriter.notifyMatchFailure(op, "input is no layer_norm of this use alone");
    if (op.getSizes().back() != shapeOf(norm.getInput()).back())
      return rewriter.notifyMatchFailure(op, "cuts the normalized axis");
    Value slice = vit::createInferred<vit::SliceOp>(rewriter, op.getLoc(), norm.getInput(), op->getAttrs());
    return replaceWith<vit::LayerNormOp>(rewriter, op, {slice, norm.getGamma(), norm.getBeta()}, norm->getAttrs());
  }
};

} // namespace

void recover::populateViewPatterns(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<SimplifyIdentityView, SinkRowView, SinkRowViewOfAdd, SinkReshapeOfSoftmax, SliceBeforeLayerNorm>(
      context);
  vit::ReshapeOp::getCanonicalizationPatterns(patterns, context);
  vit::TransposeOp::getCanonicalizationPatterns(patterns, context);
}
