//===- RecoverPatternsSums.cpp - Sums of products, and divisions by them -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Additive and linear attention are written with sums over tokens, and with quotients of
// sums: products of matrices, and rows divided by their own number.

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

/// Whether no element can be negative, by the ops that make it.
static bool isNonNegative(Value value, unsigned depth = 0) {
  constexpr unsigned kMostOps = 24;
  if (depth > kMostOps)
    return false;
  if (FailureOr<std::vector<float>> constant = getFloatConstantF32(value); succeeded(constant))
    return llvm::all_of(*constant, [](float element) { return element >= 0; });
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<vit::ReluOp, vit::SigmoidOp, vit::SoftmaxOp, vit::SoftplusOp, vit::AbsOp, vit::ExpOp,
                      vit::HardSigmoidOp>(op))
    return true;
  if (auto clamp = dyn_cast_or_null<vit::ClampOp>(op))
    return clamp.getMin() && !clamp.getMin()->isNegative();
  if (!vit::isMove(op) && !isa_and_nonnull<vit::MatmulOp, vit::MulOp, vit::AddOp, vit::MeanOp>(op))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) { return isNonNegative(operand, depth + 1); });
}

namespace {

/// x / (d + eps), d one number for each row that is not negative -> divide_rows.
struct DivisionOfRows : OpRewritePattern<vit::DivOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::DivOp op, PatternRewriter &rewriter) const override {
    Value x = op.getLhs(), divisor = op.getRhs();
    if (auto broadcast = divisor.getDefiningOp<vit::BroadcastOp>();
        broadcast && rankOf(broadcast.getInput()) == rankOf(divisor))
      divisor = broadcast.getInput();
    if (x.getType() != op.getType() || rankOf(divisor) != rankOf(x) || shapeOf(divisor).empty() ||
        shapeOf(divisor).back() != 1 || shapeOf(divisor).drop_back() != shapeOf(x).drop_back() || isConstant(divisor))
      return rewriter.notifyMatchFailure(op, "no division of each row by a number of its own");
    double eps = 0;
    if (auto add = divisor.getDefiningOp<vit::AddOp>())
      for (int i = 0; i < 2; ++i)
        if (std::optional<double> constant = getSplatFloat(add->getOperand(i));
            constant && *constant >= 0 && add->getOperand(1 - i).getType() == divisor.getType()) {
          eps = *constant;
          divisor = add->getOperand(1 - i);
          break;
        }
    if (!isNonNegative(divisor))
      return rewriter.notifyMatchFailure(op, "the divisor may be negative");
    Value numbers = makeReshape(rewriter, op.getLoc(), divisor, shapeOf(divisor).drop_back());
    return replaceWith<vit::DivideRowsOp>(rewriter, op, {x, numbers},
                                          rewriter.getNamedAttr("eps", rewriter.getF64FloatAttr(eps)));
  }
};

/// Some columns of matmul(a, b) -> matmul of a and these columns of b.
struct SliceOfProduct : OpRewritePattern<vit::SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::SliceOp op, PatternRewriter &rewriter) const override {
    auto matmul = op.getInput().getDefiningOp<vit::MatmulOp>();
    auto cutsColumns = [](Operation *user) {
      auto slice = dyn_cast<vit::SliceOp>(user);
      return slice && slice.getSizes().drop_back() == shapeOf(slice.getInput()).drop_back();
    };
    if (!matmul || !llvm::all_of(matmul->getUsers(), cutsColumns))
      return rewriter.notifyMatchFailure(op, "input is no product of which columns alone are read");
    const size_t rank = rankOf(op), axis = matmul.getTransposeRhs() ? rank - 2 : rank - 1;
    SmallVector<int64_t> offsets(rank, 0), sizes(shapeOf(matmul.getRhs())), strides(rank, 1);
    offsets[axis] = op.getOffsets().back();
    sizes[axis] = op.getSizes().back();
    strides[axis] = op.getStrides().back();
    Value columns =
        vit::createInferred<vit::SliceOp>(rewriter, op.getLoc(), matmul.getRhs(),
                                          {rewriter.getNamedAttr("offsets", rewriter.getDenseI64ArrayAttr(offsets)),
                                           rewriter.getNamedAttr("sizes", rewriter.getDenseI64ArrayAttr(sizes)),
                                           rewriter.getNamedAttr("strides", rewriter.getDenseI64ArrayAttr(strides))});
    return replaceWith<vit::MatmulOp>(rewriter, op, {matmul.getLhs(), columns}, matmul->getAttrs());
  }
};

/// A part of concat(x, y, ...) that lies in one of these -> that part of it.
struct SliceOfConcat : OpRewritePattern<vit::SliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::SliceOp op, PatternRewriter &rewriter) const override {
    auto concat = op.getInput().getDefiningOp<vit::ConcatOp>();
    if (!concat)
      return rewriter.notifyMatchFailure(op, "input is no concat");
    const int64_t axis = concat.getAxis();
    SmallVector<int64_t> offsets(op.getOffsets());
    const int64_t reach = (op.getSizes()[axis] - 1) * op.getStrides()[axis];
    for (Value part : concat.getInputs()) {
      const int64_t size = shapeOf(part)[axis];
      if (offsets[axis] >= size) {
        offsets[axis] -= size;
        continue;
      }
      if (offsets[axis] + reach >= size)
        break;
      if (shapeOf(part) == op.getSizes())
        return replaceWith(rewriter, op, part);
      return replaceWith<vit::SliceOp>(rewriter, op, part,
                                       {rewriter.getNamedAttr("offsets", rewriter.getDenseI64ArrayAttr(offsets)),
                                        rewriter.getNamedAttr("sizes", op.getSizesAttr()),
                                        rewriter.getNamedAttr("strides", op.getStridesAttr())});
    }
    return rewriter.notifyMatchFailure(op, "it reads more than one of what is joined");
  }
};

/// mean(x * w) over an axis, w the same along another one -> a product of matrices.
struct MeanOfProduct : OpRewritePattern<vit::MeanOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::MeanOp op, PatternRewriter &rewriter) const override {
    auto mul = op.getInput().getDefiningOp<vit::MulOp>();
    if (!mul || !mul->hasOneUse() || op.getAxes().size() != 1 || mul.getLhs() == mul.getRhs())
      return rewriter.notifyMatchFailure(op, "no mean of a product over one axis");
    const int64_t reduced = op.getAxes().front(), rank = rankOf(mul);
    for (int i = 0; i < 2; ++i) {
      Value x = mul->getOperand(i), weights = mul->getOperand(1 - i);
      if (auto broadcast = weights.getDefiningOp<vit::BroadcastOp>())
        weights = broadcast.getInput();
      std::optional<int64_t> shared = sharedAxis(x, weights, shapeOf(mul), reduced);
      if (!shared || isConstant(x) || isConstant(weights))
        continue;
      SmallVector<int64_t> order;
      for (int64_t axis = 0; axis < rank; ++axis)
        if (axis != reduced && axis != *shared)
          order.push_back(axis);
      SmallVector<int64_t> left(order), right(order);
      left.append({*shared, reduced});
      right.append({reduced, *shared});
      Value lhs = makeTranspose(rewriter, op.getLoc(), weights, left);
      Value rhs = makeTranspose(rewriter, op.getLoc(), x, right);
      const double scale = 1.0 / static_cast<double>(shapeOf(x)[reduced]);
      Value product = vit::createInferred<vit::MatmulOp>(
          rewriter, op.getLoc(), {lhs, rhs}, rewriter.getNamedAttr("scale", rewriter.getF64FloatAttr(scale)));
      // Axes `order`, 1 in place of the reduced one, the shared one: back where they were.
      SmallVector<int64_t> back(rank);
      for (auto [to, axis] : llvm::enumerate(right))
        back[axis] = static_cast<int64_t>(to);
      Value result = makeTranspose(rewriter, op.getLoc(), product, back);
      return replaceWith(rewriter, op, makeReshape(rewriter, op.getLoc(), result, shapeOf(op)));
    }
    return rewriter.notifyMatchFailure(op, "no factor is the same along exactly one other axis");
  }

private:
  /// The only axis along which `weights` is 1 and x is not; x has the shape of the product.
  static std::optional<int64_t> sharedAxis(Value x, Value weights, ArrayRef<int64_t> shape, int64_t reduced) {
    if (shapeOf(x) != shape || rankOf(weights) != static_cast<int64_t>(shape.size()))
      return std::nullopt;
    std::optional<int64_t> shared;
    for (auto [axis, size] : llvm::enumerate(shapeOf(weights))) {
      if (size == shape[axis])
        continue;
      if (shared || static_cast<int64_t>(axis) == reduced)
        return std::nullopt;
      shared = static_cast<int64_t>(axis);
    }
    return shared;
  }
};

/// matmul(transpose(softmax(x)), y) -> matmul(softmax(transpose(x)), y) where rows stay rows,
/// so that the division by their sums can wait until behind the product.
struct TransposeBeforeSoftmax : OpRewritePattern<vit::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::MatmulOp op, PatternRewriter &rewriter) const override {
    auto transpose = op.getLhs().getDefiningOp<vit::TransposeOp>();
    auto softmax = transpose ? transpose.getInput().getDefiningOp<vit::SoftmaxOp>() : vit::SoftmaxOp();
    if (!softmax || !softmax->hasOneUse() || !transpose->hasOneUse() ||
        transpose.getPermutation().back() != rankOf(softmax) - 1)
      return rewriter.notifyMatchFailure(op, "lhs is no softmax whose rows are moved as a whole");
    rewriter.setInsertionPoint(softmax);
    Value rows = makeTranspose(rewriter, transpose.getLoc(), softmax.getInput(), transpose.getPermutation());
    Value moved = vit::createInferred<vit::SoftmaxOp>(rewriter, softmax.getLoc(), rows);
    rewriter.modifyOpInPlace(op, [&] { op.getLhsMutable().assign(moved); });
    return success();
  }
};

} // namespace

void recover::populateSumPatterns(RewritePatternSet &patterns) {
  patterns.add<DivisionOfRows, SliceOfProduct, SliceOfConcat, MeanOfProduct, TransposeBeforeSoftmax>(
      patterns.getContext());
}
