//===- RecoverPatternsActivation.cpp - GELU, SiLU -*- C++ -*-===//
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

namespace {
/// coefficient * factors[0] * factors[1] * ...: the product a tree of mul and
/// div by constants computes, whatever its order.
struct Product {
  double coefficient = 1;
  SmallVector<Value> factors;
};
} // namespace

/// No activation has more factors; larger trees are not walked.
static constexpr size_t kMaxFactors = 8;

static Product flattenProduct(Value value) {
  Product product;
  SmallVector<Value> stack{value};
  while (!stack.empty()) {
    Value v = stack.pop_back_val();
    double factor = 1;
    if (Value x = matchScalarProduct(v, factor)) {
      product.coefficient *= factor;
      stack.push_back(x);
      continue;
    }
    // What others read too may be the argument itself: a gated value, a gate behind the squeeze of a map.
    auto mul = v.getDefiningOp<vit::MulOp>();
    if (mul && (v == value || v.hasOneUse()) && stack.size() + product.factors.size() < kMaxFactors) {
      stack.push_back(mul.getRhs());
      stack.push_back(mul.getLhs());
      continue;
    }
    product.factors.push_back(v);
  }
  return product;
}

/// The constant c of `value` = c * x^degree.
static std::optional<double> matchMonomial(Value value, Value x, int degree) {
  Product product = flattenProduct(value);
  int found = 0;
  for (Value factor : product.factors) {
    auto pow = factor.getDefiningOp<vit::PowOp>();
    std::optional<double> exponent = pow && pow.getLhs() == x ? getSplatFloat(pow.getRhs()) : std::nullopt;
    if (factor == x)
      ++found;
    else if (exponent == 2.0 || exponent == 3.0)
      found += static_cast<int>(*exponent);
    else
      return std::nullopt;
  }
  return found == degree ? std::optional<double>(product.coefficient) : std::nullopt;
}

/// `value` = scale * (1 + y) for some y that `OpTy` computes: its operand.
template <typename OpTy>
static Value matchOnePlus(Value value, double &scale) {
  auto add = value.getDefiningOp<vit::AddOp>();
  for (int i = 0; add && i < 2; ++i) {
    std::optional<double> constant = getSplatFloat(add->getOperand(i));
    Product rest = flattenProduct(add->getOperand(1 - i));
    if (!constant || rest.factors.size() != 1 || !isNear(rest.coefficient, *constant))
      continue;
    if (auto function = rest.factors.front().getDefiningOp<OpTy>()) {
      scale = *constant;
      return function.getInput();
    }
  }
  return {};
}

/// Whether `value` = sqrt(2/pi) * (x + 0.044715 x^3), or with x taken out.
static bool isTanhArgument(Value value, Value x) {
  Product product = flattenProduct(value);
  if (!isNear(product.coefficient, std::sqrt(2 / M_PI)))
    return false;
  bool factored = product.factors.size() == 2;
  if (factored) {
    if (product.factors[1] == x)
      std::swap(product.factors[0], product.factors[1]);
    if (product.factors[0] != x)
      return false;
  } else if (product.factors.size() != 1) {
    return false;
  }
  auto add = product.factors.back().getDefiningOp<vit::AddOp>();
  for (int i = 0; add && i < 2; ++i) {
    Value linear = add->getOperand(i);
    bool fits = factored ? getSplatFloat(linear) == 1.0 : linear == x;
    std::optional<double> cubic = fits ? matchMonomial(add->getOperand(1 - i), x, factored ? 2 : 3) : std::nullopt;
    if (cubic && isNear(*cubic, 0.044715))
      return true;
  }
  return false;
}

namespace {
/// height * min(max(slope * argument + middle, 0), 1)
struct HardGate {
  Value argument;
  double height, slope, middle;
};
} // namespace

static std::optional<HardGate> matchHardGate(Value value) {
  if (auto hard = value.getDefiningOp<vit::HardSigmoidOp>())
    return HardGate{hard.getInput(), 1, hard.getAlpha().convertToDouble(), hard.getBeta().convertToDouble()};
  auto clamp = value.getDefiningOp<vit::ClampOp>();
  if (!clamp || !clamp.getMin() || !clamp.getMin()->isZero() || !clamp.getMax() || clamp.getMax()->isZero())
    return std::nullopt;
  const double height = clamp.getMax()->convertToDouble();
  auto add = clamp.getInput().getDefiningOp<vit::AddOp>();
  for (int i = 0; add && i < 2; ++i)
    if (std::optional<double> shift = getSplatFloat(add->getOperand(i));
        shift && add->getOperand(1 - i).getType() == add.getType())
      return HardGate{add->getOperand(1 - i), height, 1 / height, *shift / height};
  return HardGate{clamp.getInput(), height, 1 / height, 0};
}

namespace {

/// Products that are activation functions of one of their factors.
struct RecoverActivation : OpRewritePattern<vit::MulOp> {
  RecoverActivation(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(vit::MulOp op, PatternRewriter &rewriter) const override {
    Product product = flattenProduct(op.getResult());
    if (product.factors.size() == 1 && succeeded(rewriteMoved(op, product, rewriter)))
      return success();
    if (product.factors.size() != 2)
      return rewriter.notifyMatchFailure(op, "an activation has two factors that are no constants");
    for (int i = 0; i < 2; ++i) {
      Value x = product.factors[i], gate = product.factors[1 - i];
      if (!canReplace(x.getType(), op.getType()))
        continue;
      if (succeeded(rewriteGelu(op, product.coefficient, x, gate, rewriter)) ||
          succeeded(rewriteSigmoid(op, product.coefficient, x, gate, rewriter)) ||
          succeeded(rewriteHard(op, product.coefficient, x, gate, rewriter)))
        return success();
    }
    return rewriter.notifyMatchFailure(op, "factors are not x and a known function of x");
  }

private:
  static NamedAttribute kindAttribute(Builder &builder, vit::GeluKind kind) {
    return builder.getNamedAttr("kind", vit::GeluKindAttr::get(builder.getContext(), kind));
  }

  static FailureOr<vit::GeluKind> matchGelu(vit::MulOp op, double coefficient, Value x, Value gate,
                                            PatternRewriter &rewriter) {
    double scale = 1;
    std::optional<vit::GeluKind> kind;
    if (Value argument = matchOnePlus<vit::ErfOp>(gate, scale)) {
      std::optional<double> inner = matchMonomial(argument, x, 1);
      if (!inner || !isNear(*inner, std::sqrt(0.5)))
        return rewriter.notifyMatchFailure(op, "the argument of erf is not x / sqrt(2)");
      kind = vit::GeluKind::Erf;
    } else if (Value argument = matchOnePlus<vit::TanhOp>(gate, scale)) {
      if (!isTanhArgument(argument, x))
        return rewriter.notifyMatchFailure(op, "the argument of tanh is not sqrt(2/pi) (x + 0.044715 x^3)");
      kind = vit::GeluKind::Tanh;
    }
    if (!kind)
      return rewriter.notifyMatchFailure(op, "no factor is 1 + erf or 1 + tanh");
    if (!isNear(coefficient * scale, 0.5))
      return rewriter.notifyMatchFailure(op, "the constant factor of a GELU is 1/2");
    return *kind;
  }

  static LogicalResult rewriteGelu(vit::MulOp op, double coefficient, Value x, Value gate, PatternRewriter &rewriter) {
    FailureOr<vit::GeluKind> kind = matchGelu(op, coefficient, x, gate, rewriter);
    return failed(kind) ? failure() : replaceWith<vit::GeluOp>(rewriter, op, x, kindAttribute(rewriter, *kind));
  }

  /// A GELU whose constant factor came behind a reshape or a transpose.
  static LogicalResult rewriteMoved(vit::MulOp op, const Product &outer, PatternRewriter &rewriter) {
    Operation *move = outer.factors.front().getDefiningOp();
    if (!isa_and_nonnull<vit::ReshapeOp, vit::TransposeOp>(move) || !move->hasOneUse())
      return rewriter.notifyMatchFailure(op, "no reshaped or transposed product");
    auto inner = move->getOperand(0).getDefiningOp<vit::MulOp>();
    Product product = inner ? flattenProduct(inner.getResult()) : Product();
    if (product.factors.size() != 2)
      return rewriter.notifyMatchFailure(op, "no reshaped or transposed product");
    for (int i = 0; i < 2; ++i) {
      Value x = product.factors[i];
      FailureOr<vit::GeluKind> kind =
          matchGelu(op, outer.coefficient * product.coefficient, x, product.factors[1 - i], rewriter);
      if (failed(kind) || x.getType() != inner.getType())
        continue;
      Value gelu = vit::createInferred<vit::GeluOp>(rewriter, op.getLoc(), x, kindAttribute(rewriter, *kind));
      if (auto transpose = dyn_cast<vit::TransposeOp>(move))
        gelu = makeTranspose(rewriter, move->getLoc(), gelu, transpose.getPermutation());
      return replaceWith(rewriter, op, makeReshape(rewriter, move->getLoc(), gelu, vit::shapeOf(op)));
    }
    return failure();
  }

  static LogicalResult rewriteSigmoid(vit::MulOp op, double coefficient, Value x, Value gate,
                                      PatternRewriter &rewriter) {
    auto sigmoid = gate.getDefiningOp<vit::SigmoidOp>();
    std::optional<double> inner = sigmoid ? matchMonomial(sigmoid.getInput(), x, 1) : std::nullopt;
    if (!inner || !isNear(coefficient, 1.0))
      return rewriter.notifyMatchFailure(op, "not x * sigmoid(c x)");
    if (isNear(*inner, 1.702))
      return replaceWith<vit::GeluOp>(rewriter, op, x, kindAttribute(rewriter, vit::GeluKind::Quick));
    if (!isNear(*inner, 1.0))
      return rewriter.notifyMatchFailure(op, "x * sigmoid(c x) is a function we know for c = 1 and 1.702");
    return replaceWith<vit::SiluOp>(rewriter, op, x);
  }

  /// x * min(max(x / 6 + 1/2, 0), 1), and x * tanh(softplus(x)).
  static LogicalResult rewriteHard(vit::MulOp op, double coefficient, Value x, Value gate, PatternRewriter &rewriter) {
    if (auto tanh = gate.getDefiningOp<vit::TanhOp>())
      if (auto softplus = tanh.getInput().getDefiningOp<vit::SoftplusOp>();
          softplus && softplus.getInput() == x && isNear(coefficient, 1.0))
        return replaceWith<vit::MishOp>(rewriter, op, x);
    std::optional<HardGate> hard = matchHardGate(gate);
    if (!hard || hard->argument != x || !isNear(coefficient * hard->height, 1.0) || !isNear(hard->slope, 1.0 / 6) ||
        !isNear(hard->middle, 0.5))
      return rewriter.notifyMatchFailure(op, "not x * min(max(x / 6 + 1/2, 0), 1)");
    return replaceWith<vit::HardSwishOp>(rewriter, op, x);
  }
};

/// min(max(x + b, 0), h) / h -> hard_sigmoid.
struct RecoverHardSigmoid : RewritePattern {
  explicit RecoverHardSigmoid(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 2, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<vit::MulOp, vit::DivOp>(op))
      return rewriter.notifyMatchFailure(op, "no product");
    double factor = 1;
    Value x = matchScalarProduct(op->getResult(0), factor);
    auto clamp = x ? x.getDefiningOp<vit::ClampOp>() : vit::ClampOp();
    std::optional<HardGate> hard = clamp ? matchHardGate(x) : std::nullopt;
    if (!hard || !clamp->hasOneUse() || !isNear(factor * hard->height, 1.0))
      return rewriter.notifyMatchFailure(op, "no min(max(x + b, 0), h) / h");
    return replaceWith<vit::HardSigmoidOp>(rewriter, op, hard->argument,
                                           {rewriter.getNamedAttr("alpha", rewriter.getF64FloatAttr(hard->slope)),
                                            rewriter.getNamedAttr("beta", rewriter.getF64FloatAttr(hard->middle))});
  }
};

} // namespace

void recover::populateActivationPatterns(RewritePatternSet &patterns) {
  patterns.add<RecoverActivation, RecoverHardSigmoid>(patterns.getContext());
}
