//===- RecoverPatternsNorm.cpp - LayerNorm from its parts -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

/// The operand of a mean over the last axis that keeps it.
static Value matchRowMean(Value value) {
  auto mean = value.getDefiningOp<vit::MeanOp>();
  if (!mean || !mean.getKeepDims())
    return {};
  return mean.getAxes() == ArrayRef<int64_t>{rankOf(mean.getInput()) - 1} ? mean.getInput() : Value();
}

/// x of `x - mean(x)`.
static Value matchCentered(Value value) {
  auto sub = value.getDefiningOp<vit::SubOp>();
  if (!sub || matchRowMean(sub.getRhs()) != sub.getLhs())
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

/// x of `sqrt(mean((x - mean(x))^2) + eps)`; otherwise `reason` says why not.
static Value matchDeviation(Value value, double &eps, const char *&reason) {
  auto sqrt = value.getDefiningOp<vit::SqrtOp>();
  auto add = sqrt ? sqrt.getInput().getDefiningOp<vit::AddOp>() : vit::AddOp();
  if (!add) {
    reason = "divisor is no sqrt of a sum";
    return {};
  }
  std::optional<double> lhs = getSplatFloat(add.getLhs()), rhs = getSplatFloat(add.getRhs());
  if (lhs.has_value() == rhs.has_value()) {
    reason = "nothing constant is added to the variance";
    return {};
  }
  eps = lhs ? *lhs : *rhs;
  Value square = matchRowMean(lhs ? add.getRhs() : add.getLhs());
  Value centered = square ? matchSquare(square) : Value();
  Value x = centered ? matchCentered(centered) : Value();
  if (!x)
    reason = "what is under the root is no mean of squares over the last axis of x - mean(x)";
  return x;
}

namespace {

/// (x - mean(x)) / sqrt(var(x) + eps) -> layer_norm x, 1, 0. The forms
/// `centered * (1 / deviation)` are the same.
struct RecoverLayerNorm : RewritePattern {
  explicit RecoverLayerNorm(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 4, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    Value centered, deviation;
    if (auto div = dyn_cast<vit::DivOp>(op)) {
      centered = div.getLhs();
      deviation = div.getRhs();
    } else if (auto mul = dyn_cast<vit::MulOp>(op)) {
      for (int i = 0; i < 2 && !deviation; ++i)
        if (auto inverse = mul->getOperand(i).getDefiningOp<vit::DivOp>())
          if (getSplatFloat(inverse.getLhs()) == 1.0) {
            centered = mul->getOperand(1 - i);
            deviation = inverse.getRhs();
          }
    }
    if (!deviation)
      return rewriter.notifyMatchFailure(op, "no quotient");
    Value x = matchCentered(centered);
    if (!x)
      return rewriter.notifyMatchFailure(op, "dividend is not x - mean(x) over the last axis");
    double eps = 0;
    const char *reason = "deviation is of another value";
    if (matchDeviation(deviation, eps, reason) != x)
      return rewriter.notifyMatchFailure(op, reason);
    if (!(eps >= 0))
      return rewriter.notifyMatchFailure(op, "eps is negative");
    int64_t channels = shapeOf(x).back();
    auto type = RankedTensorType::get({channels}, rewriter.getF32Type());
    Value one = createFloatConstant(rewriter, op->getLoc(), type, std::vector<float>(channels, 1.0f), "gamma");
    Value zero = createFloatConstant(rewriter, op->getLoc(), type, std::vector<float>(channels, 0.0f), "beta");
    rewriter.replaceOpWithNewOp<vit::LayerNormOp>(op, op->getResult(0).getType(), x, one, zero,
                                                  rewriter.getF64FloatAttr(eps), vit::AlgorithmAttr());
    return success();
  }
};

/// layer_norm(x) * c and layer_norm(x) + c fold into gamma and beta.
template <typename OpTy>
struct FoldIntoLayerNorm : OpRewritePattern<OpTy> {
  FoldIntoLayerNorm(MLIRContext *context) : OpRewritePattern<OpTy>(context, /*benefit=*/3) {}

  /// `value` with each element changed, or `replacement` itself when it has
  /// the right type and `value` is neutral.
  static Value update(PatternRewriter &rewriter, Value value, Value replacement, double neutral,
                      ArrayRef<float> constants, bool multiply) {
    if (getSplatFloat(value) == neutral && replacement.getType() == value.getType())
      return replacement;
    std::vector<float> values = *getFloatConstantF32(value);
    for (size_t i = 0; i < values.size(); ++i)
      values[i] = multiply ? values[i] * constants[i] : values[i] + constants[i];
    return createFloatConstant(rewriter, value.getLoc(), cast<RankedTensorType>(value.getType()), values,
                               getBlobName(value));
  }

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    constexpr bool isMul = std::is_same_v<OpTy, vit::MulOp>;
    auto norm = op.getLhs().template getDefiningOp<vit::LayerNormOp>();
    Value other = op.getRhs();
    if (!norm) {
      norm = op.getRhs().template getDefiningOp<vit::LayerNormOp>();
      other = op.getLhs();
    }
    if (!norm || !norm->hasOneUse() || norm.getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "no operand is a layer_norm of this use alone");
    auto constants = getChannelConstant(other, shapeOf(norm).back());
    if (!constants)
      return rewriter.notifyMatchFailure(op, "the other operand is no constant vector");
    if (!isConstant(norm.getGamma()) || !isConstant(norm.getBeta()))
      return rewriter.notifyMatchFailure(op, "gamma or beta is no constant");
    Value gamma = norm.getGamma(), beta = norm.getBeta();
    if (isMul)
      gamma = update(rewriter, gamma, other, 1.0, *constants, true);
    if (!isMul)
      beta = update(rewriter, beta, other, 0.0, *constants, false);
    else if (getSplatFloat(beta) != 0.0)
      beta = update(rewriter, beta, beta, 1.0, *constants, true);
    rewriter.replaceOpWithNewOp<vit::LayerNormOp>(op, op.getType(), norm.getInput(), gamma, beta, norm.getEpsAttr(),
                                                  norm.getAlgorithmAttr());
    return success();
  }
};

} // namespace

void recover::populateNormPatterns(RewritePatternSet &patterns) {
  patterns.add<RecoverLayerNorm, FoldIntoLayerNorm<vit::MulOp>, FoldIntoLayerNorm<vit::AddOp>>(patterns.getContext());
}
