//===- RecoverPatternsNorm.cpp - LayerNorm from its parts -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

/// The operand of a mean over the last axis, kept as size 1 by the mean itself or by a
/// reshape, times a constant: `factor` (torch multiplies an unbiased variance by
/// N / (N - 1)).
static Value matchRowMean(Value value, double &factor) {
  ArrayRef<int64_t> shape = shapeOf(value);
  factor = 1;
  while (true) {
    double one = 1;
    if (Value x = matchScalarProduct(value, one)) {
      factor *= one;
      value = x;
    } else if (auto reshape = value.getDefiningOp<vit::ReshapeOp>()) {
      value = reshape.getInput();
    } else {
      break;
    }
  }
  auto mean = value.getDefiningOp<vit::MeanOp>();
  if (!mean || mean.getAxes() != ArrayRef<int64_t>{rankOf(mean.getInput()) - 1})
    return {};
  SmallVector<int64_t> kept(shapeOf(mean.getInput()));
  kept.back() = 1;
  return shape == ArrayRef<int64_t>(kept) ? mean.getInput() : Value();
}

/// x of `x - mean(x)`.
static Value matchCentered(Value value) {
  double factor = 1;
  auto sub = value.getDefiningOp<vit::SubOp>();
  if (!sub || matchRowMean(sub.getRhs(), factor) != sub.getLhs() || factor != 1)
    return {};
  return sub.getLhs();
}

/// y of `y * y` or `pow(y, 2)`.
static Value matchSquare(Value value) {
  if (auto mul = value.getDefiningOp<vit::MulOp>())
    return mul.getLhs() == mul.getRhs() ? mul.getLhs() : Value();
  auto pow = value.getDefiningOp<vit::PowOp>();
  return pow && getSplatFloat(pow.getRhs()) == 2.0 ? pow.getLhs() : Value();
}

/// y of `pow(y, exponent)`.
static Value matchPower(Value value, double exponent) {
  auto pow = value.getDefiningOp<vit::PowOp>();
  return pow && getSplatFloat(pow.getRhs()) == exponent ? pow.getLhs() : Value();
}

/// y of `sqrt(y)` or `pow(y, 1/2)`.
static Value matchRoot(Value value) {
  if (auto sqrt = value.getDefiningOp<vit::SqrtOp>())
    return sqrt.getInput();
  return matchPower(value, 0.5);
}

namespace {
/// `factor * mean(x^2) + eps` over the last axis.
struct Moment {
  Value x;
  double factor = 1, eps = 0;

  /// eps where the factor is 1.
  double relativeEps() const { return eps / factor; }
  bool isPositive() const { return factor > 0 && relativeEps() >= 0 && std::isfinite(relativeEps()); }
};
} // namespace

/// Without an x, `reason` says why not.
static Moment matchMoment(Value value, const char *&reason) {
  Moment moment;
  auto add = value.getDefiningOp<vit::AddOp>();
  std::optional<double> lhs = add ? getSplatFloat(add.getLhs()) : std::nullopt,
                        rhs = add ? getSplatFloat(add.getRhs()) : std::nullopt;
  if (lhs.has_value() == rhs.has_value()) {
    reason = "nothing constant is added to the variance";
    return {};
  }
  moment.eps = lhs ? *lhs : *rhs;
  Value square = matchRowMean(lhs ? add.getRhs() : add.getLhs(), moment.factor);
  moment.x = square ? matchSquare(square) : Value();
  if (!moment.x)
    reason = "what is under the root is no mean of squares over the last axis";
  return moment;
}

/// A layer_norm of `x` that gives each channel this gain, and nothing to it.
static Value makeLayerNorm(PatternRewriter &rewriter, Location loc, Value x, std::vector<float> gains, double eps) {
  auto type = RankedTensorType::get({static_cast<int64_t>(gains.size())}, rewriter.getF32Type());
  Value gamma = createFloatConstant(rewriter, loc, type, gains, "gamma");
  Value beta = createFloatConstant(rewriter, loc, type, std::vector<float>(gains.size(), 0.0f), "beta");
  return vit::LayerNormOp::create(rewriter, loc, TypeRange(x.getType()), ValueRange{x, gamma, beta},
                                  rewriter.getNamedAttr("eps", rewriter.getF64FloatAttr(eps)));
}

/// `op` = centered / sqrt(radicand), in one of the forms exporters write.
static bool matchQuotient(Operation *op, Value &centered, Value &radicand) {
  if (auto div = dyn_cast<vit::DivOp>(op)) {
    centered = div.getLhs();
    radicand = matchRoot(div.getRhs());
    return radicand != nullptr;
  }
  auto mul = dyn_cast<vit::MulOp>(op);
  for (int i = 0; mul && i < 2; ++i) {
    centered = mul->getOperand(1 - i);
    auto inverse = mul->getOperand(i).getDefiningOp<vit::DivOp>();
    radicand = inverse && getSplatFloat(inverse.getLhs()) == 1.0 ? matchRoot(inverse.getRhs())
                                                                 : matchPower(mul->getOperand(i), -0.5);
    if (radicand)
      return true;
  }
  return false;
}

namespace {

/// (x - mean(x)) / sqrt(k * var(x) + eps) -> layer_norm x, 1/sqrt(k), 0 with eps / k.
struct RecoverLayerNorm : RewritePattern {
  explicit RecoverLayerNorm(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 4, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    Value centered, radicand;
    if (!matchQuotient(op, centered, radicand))
      return rewriter.notifyMatchFailure(op, "no quotient by a root");
    Value x = matchCentered(centered);
    if (!x)
      return rewriter.notifyMatchFailure(op, "dividend is not x - mean(x) over the last axis");
    const char *reason = "deviation is of another value";
    Moment variance = matchMoment(radicand, reason);
    if (!variance.x || matchCentered(variance.x) != x)
      return rewriter.notifyMatchFailure(op, reason);
    if (!variance.isPositive())
      return rewriter.notifyMatchFailure(op, "eps is negative, or no number");
    if (!canReplace(x.getType(), op->getResult(0).getType()))
      return rewriter.notifyMatchFailure(op, "a constant in it broadcasts x");
    auto gain = static_cast<float>(1 / std::sqrt(variance.factor));
    std::vector<float> gains(shapeOf(x).back(), gain);
    return replaceWith(rewriter, op, makeLayerNorm(rewriter, op->getLoc(), x, gains, variance.relativeEps()));
  }
};

/// The first `size` of the last axis.
static Value takeFront(PatternRewriter &rewriter, Location loc, Value x, int64_t size) {
  SmallVector<int64_t> sizes(shapeOf(x)), offsets(sizes.size(), 0), strides(sizes.size(), 1);
  sizes.back() = size;
  auto type = RankedTensorType::get(sizes, cast<ShapedType>(x.getType()).getElementType());
  return vit::SliceOp::create(rewriter, loc, type, x, offsets, sizes, strides);
}

/// `op` = x / max(|x|, e) with the norm |x| = sqrt(k * mean(x^2)) of rows, as vectors are
/// brought to length 1: the moment under the root, e^2 as its eps. Of rows that are no
/// shorter than e the quotient is the same, but for a part of (e / |x|)^2.
static Moment matchUnitRows(Operation *op) {
  auto div = dyn_cast<vit::DivOp>(op);
  if (!div)
    return {};
  Value norm = div.getRhs();
  if (auto broadcast = norm.getDefiningOp<vit::BroadcastOp>())
    norm = broadcast.getInput();
  Moment moment;
  // relu(|x| - e) + e
  if (auto add = norm.getDefiningOp<vit::AddOp>()) {
    auto relu = add.getLhs().getDefiningOp<vit::ReluOp>();
    auto below = relu ? relu.getInput().getDefiningOp<vit::AddOp>() : vit::AddOp();
    std::optional<double> high = getSplatFloat(add.getRhs()), low = below ? getSplatFloat(below.getRhs()) : high;
    if (!below || !high || !low || *low != -*high)
      return {};
    moment.eps = *high * *high;
    norm = below.getLhs();
  }
  Value radicand = matchRoot(norm), square = radicand ? matchRowMean(radicand, moment.factor) : Value();
  moment.x = square ? matchSquare(square) : Value();
  return moment.x == div.getLhs() ? moment : Moment();
}

/// x / sqrt(k * mean(x^2) + eps) -> the front half of layer_norm concat(x, -x): the mean of
/// that is 0, its variance the mean of squares. The other half is multiplied by 0.
struct RecoverRmsNorm : RewritePattern {
  explicit RecoverRmsNorm(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 2, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    Moment moment = matchUnitRows(op);
    Value x = moment.x, radicand;
    if (!x && !matchQuotient(op, x, radicand))
      return rewriter.notifyMatchFailure(op, "no quotient by a root");
    const char *reason = "the root is of the squares of another value";
    if (!moment.x)
      moment = matchMoment(radicand, reason);
    if (moment.x != x)
      return rewriter.notifyMatchFailure(op, reason);
    if (matchCentered(x))
      return rewriter.notifyMatchFailure(op, "dividend is x - mean(x): part of a LayerNorm");
    if (!moment.isPositive())
      return rewriter.notifyMatchFailure(op, "eps is negative, or no number");
    if (!canReplace(x.getType(), op->getResult(0).getType()))
      return rewriter.notifyMatchFailure(op, "a constant in it broadcasts x");
    int64_t channels = shapeOf(x).back();
    Value minusOne = createFloatConstant(rewriter, op->getLoc(), RankedTensorType::get({}, rewriter.getF32Type()),
                                         std::vector<float>{-1.0f}, "minus_one");
    Value negative = vit::MulOp::create(rewriter, op->getLoc(), x.getType(), x, minusOne);
    SmallVector<int64_t> shape(shapeOf(x));
    shape.back() *= 2;
    Value both = vit::ConcatOp::create(rewriter, op->getLoc(), cast<ShapedType>(x.getType()).clone(shape),
                                       ValueRange{x, negative}, rewriter.getI64IntegerAttr(rankOf(x) - 1));
    std::vector<float> gains(channels, static_cast<float>(1 / std::sqrt(moment.factor)));
    gains.resize(2 * channels, 0.0f);
    Value norm = makeLayerNorm(rewriter, op->getLoc(), both, gains, moment.relativeEps());
    return replaceWith(rewriter, op, takeFront(rewriter, op->getLoc(), norm, channels));
  }
};

/// The layer_norm that `op` is, or takes the first channels of.
static vit::LayerNormOp getLayerNorm(Operation *op) {
  auto slice = dyn_cast_or_null<vit::SliceOp>(op);
  if (!slice)
    return dyn_cast_or_null<vit::LayerNormOp>(op);
  auto norm = slice.getInput().getDefiningOp<vit::LayerNormOp>();
  bool isFront = llvm::all_of(slice.getOffsets(), [](int64_t offset) { return offset == 0; }) &&
                 shapeOf(slice).drop_back() == shapeOf(slice.getInput()).drop_back() && slice.getStrides().back() == 1;
  return norm && norm->hasOneUse() && isFront ? norm : vit::LayerNormOp();
}

/// layer_norm(x) * c and layer_norm(x) + c fold into gamma and beta, those of the first
/// channels of a layer_norm too.
template <typename OpTy>
struct FoldIntoLayerNorm : OpRewritePattern<OpTy> {
  FoldIntoLayerNorm(MLIRContext *context) : OpRewritePattern<OpTy>(context, /*benefit=*/3) {}

  /// `value` with each element changed, or `replacement` itself when it has
  /// the right type and `value` is neutral. `values` are those of `value`.
  static Value update(PatternRewriter &rewriter, Value value, std::vector<float> values, Value replacement,
                      double neutral, ArrayRef<float> constants) {
    if (getSplatFloat(value) == neutral && replacement.getType() == value.getType())
      return replacement;
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = neutral == 1.0 ? values[i] * constants[i] : values[i] + constants[i];
    return createFloatConstant(rewriter, value.getLoc(), cast<RankedTensorType>(value.getType()), values,
                               getBlobName(value));
  }

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    constexpr bool isMul = std::is_same_v<OpTy, vit::MulOp>;
    Value other;
    Operation *operand = matchOperand(op, other, [](Operation *op) { return getLayerNorm(op) != nullptr; });
    vit::LayerNormOp norm = getLayerNorm(operand);
    if (!norm)
      return rewriter.notifyMatchFailure(op, "no operand is a layer_norm of this use alone");
    int64_t channels = shapeOf(operand->getResult(0)).back();
    auto constants = getChannelConstant(other, channels);
    if (!constants)
      return rewriter.notifyMatchFailure(op, "the other operand is no constant vector");
    constants->resize(shapeOf(norm).back(), isMul ? 1.0f : 0.0f);
    Value gamma = norm.getGamma(), beta = norm.getBeta();
    auto gammas = getFloatConstantF32(gamma), betas = getFloatConstantF32(beta);
    if (failed(gammas) || failed(betas))
      return rewriter.notifyMatchFailure(op, "gamma or beta is no constant that can be read");
    if (isMul)
      gamma = update(rewriter, gamma, *gammas, other, 1.0, *constants);
    if (!isMul)
      beta = update(rewriter, beta, *betas, other, 0.0, *constants);
    else if (getSplatFloat(beta) != 0.0)
      beta = update(rewriter, beta, *betas, beta, 1.0, *constants);
    if (operand == norm)
      return replaceWith<vit::LayerNormOp>(rewriter, op, {norm.getInput(), gamma, beta}, norm->getAttrs());
    Value updated = vit::LayerNormOp::create(rewriter, op->getLoc(), norm->getResultTypes(),
                                             ValueRange{norm.getInput(), gamma, beta}, norm->getAttrs());
    return replaceWith(rewriter, op, takeFront(rewriter, op->getLoc(), updated, channels));
  }
};

} // namespace

void recover::populateNormPatterns(RewritePatternSet &patterns) {
  patterns.add<RecoverLayerNorm, RecoverRmsNorm, FoldIntoLayerNorm<vit::MulOp>, FoldIntoLayerNorm<vit::AddOp>>(
      patterns.getContext());
}
