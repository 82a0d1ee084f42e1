//===- RecoverPatternsNorm.cpp - LayerNorm and RMSNorm from their parts -*- C++ -*-===//
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

/// The operand of a mean over `axis` (from the end, negative), kept as size 1 by the mean itself or by a
/// reshape, times a constant: `factor` (torch multiplies an unbiased variance by
/// N / (N - 1)).
static Value matchRowMean(Value value, int64_t axis, double &factor) {
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
  if (!mean || mean.getAxes() != ArrayRef<int64_t>{rankOf(mean.getInput()) + axis})
    return {};
  SmallVector<int64_t> kept(shapeOf(mean.getInput()));
  kept[kept.size() + axis] = 1;
  return shape == ArrayRef<int64_t>(kept) ? mean.getInput() : Value();
}

/// x of `x - mean(x)`.
static Value matchCentered(Value value, int64_t axis) {
  double factor = 1;
  auto sub = value.getDefiningOp<vit::SubOp>();
  if (!sub || matchRowMean(sub.getRhs(), axis, factor) != sub.getLhs() || factor != 1)
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

static int64_t numDifferences(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  return llvm::count_if(llvm::zip_equal(a, b), [](auto sizes) { return std::get<0>(sizes) != std::get<1>(sizes); });
}

/// From here on a bound below a norm is more than a guard against division by zero.
static constexpr double kLargestGuard = 1e-5;

/// Looks through what keeps a norm from being 0, `max(r, low)` for a small `low`, and through
/// its repetition along the normalized axis.
static Value skipGuard(Value value, double &low) {
  if (auto broadcast = value.getDefiningOp<vit::BroadcastOp>();
      broadcast && rankOf(broadcast.getInput()) == rankOf(value) && rankOf(value) > 0 &&
      numDifferences(shapeOf(broadcast.getInput()), shapeOf(value)) <= 1)
    value = broadcast.getInput();
  auto clamp = value.getDefiningOp<vit::ClampOp>();
  std::optional<APFloat> bound = clamp ? clamp.getMin() : std::nullopt;
  if (!bound || clamp.getMax() || !(bound->convertToDouble() > 0 && bound->convertToDouble() <= kLargestGuard))
    return value;
  low = bound->convertToDouble();
  return clamp.getInput();
}

/// y of `sqrt(y)` or `pow(y, 1/2)`.
static Value matchRoot(Value value) {
  if (auto sqrt = value.getDefiningOp<vit::SqrtOp>())
    return sqrt.getInput();
  return matchPower(value, 0.5);
}

namespace {
/// `factor * mean(root^2) + eps`
struct MeanSquare {
  Value root;
  double factor = 1, eps = 0;
};
} // namespace

/// Without a root, `reason` says why not.
static MeanSquare matchMeanSquare(Value value, int64_t axis, const char *&reason) {
  MeanSquare mean;
  auto add = value.getDefiningOp<vit::AddOp>();
  std::optional<double> lhs = add ? getSplatFloat(add.getLhs()) : std::nullopt,
                        rhs = add ? getSplatFloat(add.getRhs()) : std::nullopt;
  if (lhs.has_value() && rhs.has_value()) {
    reason = "what is under the root is constant";
    return {};
  }
  mean.eps = lhs.value_or(rhs.value_or(0.0));
  Value square = matchRowMean(lhs ? add.getRhs() : rhs ? add.getLhs() : value, axis, mean.factor);
  mean.root = square ? matchSquare(square) : Value();
  if (!mean.root)
    reason = "what is under the root is no mean of squares over one axis";
  return mean;
}

/// The axis of the mean in `factor * mean(y) + eps`, from the end; 0 where there is none.
static int64_t meanAxis(Value value) {
  constexpr int kMostOps = 8;
  for (int i = 0; i < kMostOps; ++i) {
    double factor = 1;
    Operation *op = value.getDefiningOp();
    if (auto mean = dyn_cast_or_null<vit::MeanOp>(op))
      return mean.getAxes().size() == 1 ? mean.getAxes().front() - rankOf(mean.getInput()) : 0;
    if (Value x = matchScalarProduct(value, factor))
      value = x;
    else if (auto reshape = dyn_cast_or_null<vit::ReshapeOp>(op))
      value = reshape.getInput();
    else if (auto add = dyn_cast_or_null<vit::AddOp>(op))
      value = getSplatFloat(add.getLhs()) ? add.getRhs() : add.getLhs();
    else
      break;
  }
  return 0;
}

/// `op` = centered / sqrt(radicand), in one of the forms exporters write; the root may be
/// kept from falling below `low`.
static bool matchQuotient(Operation *op, Value &centered, Value &radicand, double &low) {
  if (auto div = dyn_cast<vit::DivOp>(op)) {
    centered = div.getLhs();
    radicand = matchRoot(skipGuard(div.getRhs(), low));
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

/// (x - mean(x)) / sqrt(k * var(x) + eps) -> layer_norm x, 1/sqrt(k), 0 with eps / k;
/// x / sqrt(k * mean(x^2) + eps) likewise, without centering, and x / |x|, too.
struct RecoverLayerNorm : RewritePattern {
  explicit RecoverLayerNorm(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 4, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    Value dividend, radicand;
    double low = 0;
    if (!matchQuotient(op, dividend, radicand, low))
      return rewriter.notifyMatchFailure(op, "no quotient by a root");
    const char *reason = "deviation is of another value";
    const int64_t axis = meanAxis(radicand);
    MeanSquare square = matchMeanSquare(radicand, axis, reason);
    if (!square.root)
      return rewriter.notifyMatchFailure(op, reason);
    Value x = matchCentered(dividend, axis);
    const bool rms = !x && square.root == dividend;
    // A difference that is not centered yet may be once its mean is recognized.
    if (rms && dividend.getDefiningOp<vit::SubOp>())
      return rewriter.notifyMatchFailure(op, "dividend is not x - mean(x) over that axis");
    if (!rms && (!x || matchCentered(square.root, axis) != x))
      return rewriter.notifyMatchFailure(op, reason);
    x = rms ? dividend : x;
    double eps = (square.eps + low * low) / square.factor;
    if (!(square.factor > 0) || !(eps >= 0) || !std::isfinite(eps))
      return rewriter.notifyMatchFailure(op, "eps is negative, or no number");
    if (!canReplace(x.getType(), op->getResult(0).getType()))
      return rewriter.notifyMatchFailure(op, "a constant in it broadcasts x");
    int64_t channels = shapeOf(x)[rankOf(x) + axis];
    auto type = RankedTensorType::get({channels}, rewriter.getF32Type());
    auto gain = static_cast<float>(1 / std::sqrt(square.factor));
    Value gamma = createFloatConstant(rewriter, op->getLoc(), type, std::vector<float>(channels, gain), "gamma");
    Value beta = createFloatConstant(rewriter, op->getLoc(), type, std::vector<float>(channels, 0.0f), "beta");
    SmallVector<NamedAttribute> attributes{rewriter.getNamedAttr("eps", rewriter.getF64FloatAttr(eps))};
    if (rms)
      attributes.push_back(rewriter.getNamedAttr("rms", rewriter.getUnitAttr()));
    if (axis == -1)
      return replaceWith<vit::LayerNormOp>(rewriter, op, {x, gamma, beta}, attributes);
    // Rows are the last axis.
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(0, rankOf(x))), back(order.size());
    std::rotate(order.end() + axis, order.end() + axis + 1, order.end());
    for (auto [to, from] : llvm::enumerate(order))
      back[from] = static_cast<int64_t>(to);
    Value rows = makeTranspose(rewriter, op->getLoc(), x, order);
    Value norm = vit::createInferred<vit::LayerNormOp>(rewriter, op->getLoc(), {rows, gamma, beta}, attributes);
    return replaceWith(rewriter, op, makeTranspose(rewriter, op->getLoc(), norm, back));
  }
};

/// transpose(layer_norm(x)) * c and + c -> transpose(layer_norm(x) * c), for a constant for
/// each channel, which folds below.
struct ChannelsBeforeTranspose : RewritePattern {
  explicit ChannelsBeforeTranspose(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 3, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<vit::MulOp, vit::AddOp>(op))
      return rewriter.notifyMatchFailure(op, "no product or sum");
    Value other;
    auto transpose = dyn_cast_or_null<vit::TransposeOp>(matchOperand(op, other, llvm::IsaPred<vit::TransposeOp>));
    auto norm = transpose ? transpose.getInput().getDefiningOp<vit::LayerNormOp>() : vit::LayerNormOp();
    if (!norm || !norm->hasOneUse() || transpose.getType() != op->getResult(0).getType())
      return rewriter.notifyMatchFailure(op, "no operand is a transposed layer_norm of this use alone");
    FailureOr<std::vector<float>> values = getFloatConstantF32(other);
    const int64_t rank = rankOf(norm), channels = shapeOf(norm).back();
    const int64_t axis =
        std::distance(transpose.getPermutation().begin(), llvm::find(transpose.getPermutation(), rank - 1));
    // As many axes behind as there are in the sum.
    const int64_t own = axis - (rank - rankOf(other));
    if (failed(values) || own < 0 || shapeOf(other)[own] != channels ||
        static_cast<int64_t>(values->size()) != channels)
      return rewriter.notifyMatchFailure(op, "the other operand is no constant for each channel");
    Value vector = createFloatConstant(rewriter, op->getLoc(), RankedTensorType::get({channels}, rewriter.getF32Type()),
                                       *values, getBlobName(other));
    OperationState state(op->getLoc(), op->getName(), {norm.getResult(), vector}, norm.getType(), op->getAttrs());
    Value result = rewriter.create(state)->getResult(0);
    return replaceWith(rewriter, op, makeTranspose(rewriter, transpose.getLoc(), result, transpose.getPermutation()));
  }
};

/// layer_norm(x) * c and layer_norm(x) + c fold into gamma and beta.
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
    auto norm = dyn_cast_or_null<vit::LayerNormOp>(matchOperand(op, other, llvm::IsaPred<vit::LayerNormOp>));
    if (!norm)
      return rewriter.notifyMatchFailure(op, "no operand is a layer_norm of this use alone");
    auto constants = getChannelConstant(other, shapeOf(norm).back());
    if (!constants)
      return rewriter.notifyMatchFailure(op, "the other operand is no constant vector");
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
    return replaceWith<vit::LayerNormOp>(rewriter, op, {norm.getInput(), gamma, beta}, norm->getAttrs());
  }
};

} // namespace

void recover::populateNormPatterns(RewritePatternSet &patterns) {
  patterns.add<RecoverLayerNorm, ChannelsBeforeTranspose, FoldIntoLayerNorm<vit::MulOp>, FoldIntoLayerNorm<vit::AddOp>>(
      patterns.getContext());
}
