//===- RecoverPatternsRowSums.cpp - Divisions of rows by their sums -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Attention whose weights are no plain softmax is normalized afterwards: x / sum(x). Where
// the sums are known to be 1, as those of softmaxes that a gate mixes (ConViT), that is x.
// Elsewhere the division goes behind the product with the values, as that of a softmax does
// (docs/Rules.md, R10).

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

/// x if `value` is sum(x) over the last axis, which stays with size 1; otherwise null.
static Value matchRowSum(Value value) {
  while (auto reshape = value.getDefiningOp<vit::ReshapeOp>())
    value = reshape.getInput();
  double factor = 1;
  Value mean = matchScalarProduct(value, factor);
  auto op = mean ? mean.getDefiningOp<vit::MeanOp>() : vit::MeanOp();
  if (!op)
    return {};
  ArrayRef<int64_t> shape = shapeOf(op.getInput());
  const auto last = static_cast<int64_t>(shape.size()) - 1;
  if (op.getAxes() != ArrayRef<int64_t>{last} || !isNear(factor, static_cast<double>(shape.back()), 1e-6))
    return {};
  return op.getInput();
}

/// x and eps if `value` is sum(x) + eps, or sum(x); eps is not negative.
static std::pair<Value, double> matchRowSumAndEps(Value value) {
  auto add = value.getDefiningOp<vit::AddOp>();
  if (!add)
    return {matchRowSum(value), 0};
  for (int i = 0; i < 2; ++i)
    if (std::optional<double> eps = getSplatFloat(add->getOperand(i)); eps && *eps >= 0 && std::isfinite(*eps))
      if (shapeOf(add->getOperand(1 - i)) == shapeOf(value))
        return {matchRowSum(add->getOperand(1 - i)), *eps};
  return {};
}

/// Whether `divisor` has one number for each row of `rows`.
static bool isOnePerRow(Value divisor, Value rows) {
  SmallVector<int64_t> kept(shapeOf(rows));
  kept.back() = 1;
  return shapeOf(divisor) == ArrayRef<int64_t>(kept);
}

namespace {

/// The sums of the rows of a value, as far as constants and softmaxes tell: with the last axis
/// of size 1, the others as they broadcast.
class RowSums {
public:
  /// Whether they are 1 but for what floats lose.
  static bool areOne(Value value) {
    std::optional<Tensor> sums = of(value);
    return sums && llvm::all_of(sums->values<double>(), [](double sum) { return isNear(sum, 1, 1e-5); });
  }

private:
  static std::optional<Tensor> of(Value value) {
    if (shapeOf(value).empty())
      return std::nullopt;
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<vit::SoftmaxOp>(op))
      return Tensor::of<double>({1}, {1.0});
    if (auto add = dyn_cast_or_null<vit::AddOp>(op))
      return ofSum(add);
    if (auto mul = dyn_cast_or_null<vit::MulOp>(op))
      return ofProduct(mul);
    return ofConstant(value, shapeOf(value).back());
  }

  /// Of rows with `columns` elements; a shorter one is repeated.
  static std::optional<Tensor> ofConstant(Value value, int64_t columns) {
    FailureOr<std::vector<double>> values = getFloatConstant(value);
    SmallVector<int64_t> shape(shapeOf(value));
    if (failed(values) || shape.empty() || (shape.back() != columns && shape.back() != 1))
      return std::nullopt;
    const int64_t size = shape.back();
    shape.back() = 1;
    Tensor sums = Tensor::allocate(ElementKind::F64, shape);
    for (int64_t row = 0; row < sums.numElements(); ++row) {
      double sum = 0;
      for (double element : ArrayRef(*values).slice(row * size, size))
        sum += element;
      sums.mutableData<double>()[row] = size == columns ? sum : sum * static_cast<double>(columns);
    }
    return sums;
  }

  static std::optional<Tensor> ofSum(vit::AddOp op) {
    std::optional<Tensor> parts[2];
    for (auto [part, operand] : llvm::zip_equal(parts, op->getOperands())) {
      const int64_t columns = shapeOf(op.getResult()).back();
      if (isConstant(operand))
        part = ofConstant(operand, columns);
      else if (!shapeOf(operand).empty() && shapeOf(operand).back() == columns)
        part = of(operand);
      if (!part)
        return std::nullopt;
    }
    return combine(op.getLoc(), *parts[0], *parts[1], [](double a, double b) { return a + b; });
  }

  /// A factor that is the same throughout a row.
  static std::optional<Tensor> ofProduct(vit::MulOp op) {
    for (int i = 0; i < 2; ++i) {
      Value factor = op->getOperand(i), rows = op->getOperand(1 - i);
      FailureOr<std::vector<double>> values = getFloatConstant(factor);
      ArrayRef<int64_t> shape = shapeOf(factor);
      if (failed(values) || (!shape.empty() && shape.back() != 1) || shapeOf(rows).empty() ||
          shapeOf(rows).back() != shapeOf(op.getResult()).back())
        continue;
      std::optional<Tensor> sums = of(rows);
      if (!sums)
        continue;
      return combine(op.getLoc(), Tensor::of<double>(shape, *values), *sums, [](double a, double b) { return a * b; });
    }
    return std::nullopt;
  }

  static std::optional<Tensor> combine(Location loc, const Tensor &a, const Tensor &b,
                                       llvm::function_ref<double(double, double)> function) {
    FailureOr<vit::Shape> shape = vit::inferBroadcast(loc, a.shape(), b.shape());
    if (failed(shape))
      return std::nullopt;
    Tensor lhs = broadcastTo(a, *shape), rhs = broadcastTo(b, *shape);
    Tensor result = Tensor::allocate(ElementKind::F64, *shape);
    for (int64_t i = 0; i < result.numElements(); ++i)
      result.mutableData<double>()[i] = function(lhs.data<double>()[i], rhs.data<double>()[i]);
    return result;
  }
};

/// x / sum(x) -> x where the sums are 1, also with a little added to them.
struct DropDivisionByOne : OpRewritePattern<vit::DivOp> {
  DropDivisionByOne(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(vit::DivOp op, PatternRewriter &rewriter) const override {
    const auto [rows, eps] = matchRowSumAndEps(op.getRhs());
    if (rows != op.getLhs() || !isOnePerRow(op.getRhs(), op.getLhs()))
      return rewriter.notifyMatchFailure(op, "no division of rows by their sums");
    if (eps > 1e-5)
      return rewriter.notifyMatchFailure(op, "what is added to the sums is no rounding");
    if (!RowSums::areOne(op.getLhs()))
      return rewriter.notifyMatchFailure(op, "the sums are not known to be 1");
    return replaceWith(rewriter, op, op.getLhs());
  }
};

/// (x / (sum(x) + eps)) * v -> divide_rows(x * v, x * ones), for rows that are not negative.
struct DivideBehindProduct : OpRewritePattern<vit::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::MatmulOp op, PatternRewriter &rewriter) const override {
    auto division = op.getLhs().getDefiningOp<vit::DivOp>();
    const auto [summed, eps] = division ? matchRowSumAndEps(division.getRhs()) : std::pair<Value, double>();
    if (!division || summed != division.getLhs() || !isOnePerRow(division.getRhs(), division.getLhs()))
      return rewriter.notifyMatchFailure(op, "the left operand is no rows divided by their sums");
    Value rows = division.getLhs();
    if (eps <= 1e-5 && RowSums::areOne(rows))
      return rewriter.notifyMatchFailure(op, "the division is none");
    if (!isPositive(rows))
      return rewriter.notifyMatchFailure(op, "the rows may have negative elements");
    Location loc = division.getLoc();
    SmallVector<int64_t> shape(shapeOf(rows));
    shape[shape.size() - 2] = 1;
    auto type = RankedTensorType::get(shape, rewriter.getF32Type());
    Value ones = createFloatConstant(rewriter, loc, type,
                                     std::vector<float>(static_cast<size_t>(type.getNumElements()), 1.0f), "ones");
    const NamedAttribute options[] = {rewriter.getNamedAttr("transpose_rhs", rewriter.getUnitAttr()),
                                      rewriter.getNamedAttr("scale", rewriter.getF64FloatAttr(1.0))};
    auto sums = vit::createInferred<vit::MatmulOp>(rewriter, loc, ValueRange{rows, ones}, options);
    Operation *product = rewriter.create(op.getLoc(), op->getName().getIdentifier(), ValueRange{rows, op.getRhs()},
                                         op->getResultTypes(), op->getAttrs());
    Value divisor = makeReshape(rewriter, loc, sums.getResult(), shapeOf(rows).drop_back());
    SmallVector<NamedAttribute> more;
    if (eps != 0)
      more.push_back(rewriter.getNamedAttr("eps", rewriter.getF64FloatAttr(eps)));
    return replaceWith<vit::DivideRowsOp>(rewriter, op, {product->getResult(0), divisor}, more);
  }

private:
  /// Whether no element is below 0, for what its ops are.
  static bool isPositive(Value value) {
    Operation *op = value.getDefiningOp();
    if (isa_and_nonnull<vit::SoftmaxOp, vit::ReluOp, vit::SigmoidOp, vit::ExpOp>(op))
      return true;
    if (isa_and_nonnull<vit::AddOp, vit::MulOp>(op) || isViewOp(op))
      return llvm::all_of(op->getOperands(), isPositive);
    FailureOr<std::vector<double>> values = getFloatConstant(value);
    return succeeded(values) && llvm::all_of(*values, [](double element) { return element >= 0; });
  }
};

} // namespace

void recover::populateRowSumPatterns(RewritePatternSet &patterns) {
  patterns.add<DropDivisionByOne, DivideBehindProduct>(patterns.getContext());
}
