//===- RecoverPatternsLinear.cpp - Biases, scales, packed layers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RecoverPatterns.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

/// The operand of `op` that is a linear, patch embedding or convolution read by nobody
/// else, and the other operand.
static Operation *matchLinearOperand(Operation *op, Value &other) {
  return matchOperand(op, other, llvm::IsaPred<vit::WeightedOp>);
}

static Value biasOf(Operation *linear) { return linear->getNumOperands() > 2 ? linear->getOperand(2) : Value(); }

/// The linear or patch embedding `old` with other constants, in place of `op`
/// and with its location: it computes what `op` did.
static LogicalResult replaceWithLinear(PatternRewriter &rewriter, Operation *op, Operation *old, Value weight,
                                       Value bias) {
  SmallVector<Value> operands{old->getOperand(0), weight};
  if (bias)
    operands.push_back(bias);
  OperationState state(op->getLoc(), old->getName(), operands, old->getResultTypes(), old->getAttrs());
  return replaceWith(rewriter, op, rewriter.create(state)->getResult(0));
}

namespace {

/// linear(x) + c -> linear(x) with the bias b + c.
struct FoldBias : OpRewritePattern<vit::AddOp> {
  FoldBias(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/3) {}

  LogicalResult matchAndRewrite(vit::AddOp op, PatternRewriter &rewriter) const override {
    Value other;
    Operation *linear = matchLinearOperand(op, other);
    if (!linear)
      return rewriter.notifyMatchFailure(op, "no operand is a linear of this use alone");
    int64_t channels = shapeOf(op).back();
    auto constants = getChannelConstant(other, channels);
    if (!constants)
      return rewriter.notifyMatchFailure(op, "the other operand is no constant vector");
    Value bias = biasOf(linear);
    auto old = bias ? getFloatConstantF32(bias) : std::vector<float>(channels, 0.0f);
    if (failed(old))
      return rewriter.notifyMatchFailure(op, "the bias is no constant");
    auto type = RankedTensorType::get({channels}, rewriter.getF32Type());
    Value sum = other;
    if (bias || other.getType() != type) {
      for (int64_t i = 0; i < channels; ++i)
        (*constants)[i] += (*old)[i];
      sum = createFloatConstant(rewriter, op.getLoc(), type, *constants, getBlobName(bias ? bias : other));
    }
    return replaceWithLinear(rewriter, op, linear, linear->getOperand(1), sum);
  }
};

/// linear(x) * c -> linear(x) with rows of the weight, and the bias, scaled
/// (LayerScale). A scalar c waits for attention unless `Scalars`.
template <bool Scalars>
struct FoldScale : OpRewritePattern<vit::MulOp> {
  FoldScale(MLIRContext *context) : OpRewritePattern<vit::MulOp>(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(vit::MulOp op, PatternRewriter &rewriter) const override {
    Value other;
    Operation *linear = matchLinearOperand(op, other);
    if (!linear)
      return rewriter.notifyMatchFailure(op, "no operand is a linear of this use alone");
    int64_t channels = shapeOf(op).back();
    auto constants = getChannelConstant(other, channels);
    if (!constants)
      return rewriter.notifyMatchFailure(op, "the other operand is no constant vector");
    if (!Scalars && llvm::all_equal(*constants))
      return rewriter.notifyMatchFailure(op, "a scalar may be attention's scale");
    Value bias = biasOf(linear);
    auto biases = bias ? getFloatConstantF32(bias) : std::vector<float>();
    if (failed(biases))
      return rewriter.notifyMatchFailure(op, "the bias is no constant");
    FailureOr<Value> weight = scaleRows(rewriter, linear->getOperand(1), *constants);
    if (failed(weight))
      return rewriter.notifyMatchFailure(op, "the weight is no constant, or its codes have no negative");
    for (size_t i = 0; i < biases->size(); ++i)
      (*biases)[i] *= (*constants)[i];
    Value scaled = bias ? createFloatConstant(rewriter, bias.getLoc(), cast<RankedTensorType>(bias.getType()), *biases,
                                              getBlobName(bias))
                        : Value();
    return replaceWithLinear(rewriter, op, linear, *weight, scaled);
  }
};

/// Slices of linear(x) along its channels -> a linear each: gate and value of a gated
/// MLP, or projections whose biases are added behind. Heads of attention are left to
/// RecoverPatternsAttention.cpp, which knows their roles.
struct SplitPackedLinear : OpRewritePattern<vit::LinearOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(vit::LinearOp op, PatternRewriter &rewriter) const override {
    SmallVector<vit::SliceOp> slices;
    int64_t channels = shapeOf(op).back(), taken = 0;
    bool isHeads = true;
    for (Operation *user : op->getUsers()) {
      auto slice = dyn_cast<vit::SliceOp>(user);
      if (!slice || !cutsLastAxisOnly(slice))
        return rewriter.notifyMatchFailure(op, "a user takes something else than a run of channels");
      slices.push_back(slice);
      taken += slice.getSizes().back();
      isHeads &= llvm::all_of(slice->getUsers(),
                              [](Operation *reader) { return isViewOp(reader) || isa<vit::MatmulOp>(reader); });
    }
    if (slices.size() < 2 || taken > channels || isHeads)
      return rewriter.notifyMatchFailure(op, "not several layers in one, or heads of attention");
    auto weights = getFloatConstantF32(op.getWeight());
    auto biases = op.getBias() ? getFloatConstantF32(op.getBias()) : std::vector<float>();
    if (failed(weights) || failed(biases))
      return rewriter.notifyMatchFailure(op, "weight or bias is no constant");
    llvm::sort(slices, [](vit::SliceOp a, vit::SliceOp b) { return a.getOffsets().back() < b.getOffsets().back(); });
    for (auto [number, slice] : llvm::enumerate(slices)) {
      rewriter.setInsertionPoint(op);
      const std::string part = std::to_string(number);
      const int64_t begin = slice.getOffsets().back(), size = slice.getSizes().back();
      auto rows = [&](Value old, ArrayRef<float> values) -> Value {
        const int64_t row = static_cast<int64_t>(values.size()) / channels;
        SmallVector<int64_t> shape(shapeOf(old));
        shape.front() = size;
        return createFloatConstant(rewriter, op.getLoc(), RankedTensorType::get(shape, rewriter.getF32Type()),
                                   values.slice(begin * row, size * row), (getBlobName(old) + "." + part).str());
      };
      Value weight = rows(op.getWeight(), *weights), bias = op.getBias() ? rows(op.getBias(), *biases) : Value();
      Value linear = makeLinear(rewriter, suffixed(op.getLoc(), part), op.getInput(), weight, bias);
      (void)replaceWith(rewriter, slice, linear); // it has the slice's type
    }
    return success();
  }

private:
  static bool cutsLastAxisOnly(vit::SliceOp slice) {
    ArrayRef<int64_t> from = shapeOf(slice.getInput()), sizes = slice.getSizes();
    return sizes.drop_back() == from.drop_back() && slice.getStrides().back() == 1;
  }
};

/// c + x -> x + c, c * x -> x * c.
template <typename OpTy>
struct ConstantToRight : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (!isConstant(op.getLhs()) || isConstant(op.getRhs()))
      return rewriter.notifyMatchFailure(op, "not a constant to the left only");
    return replaceWith<OpTy>(rewriter, op, {op.getRhs(), op.getLhs()});
  }
};

/// x * 1, x / 1, x + 0 and x - 0 are x.
struct DropNeutral : RewritePattern {
  explicit DropNeutral(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<vit::MulOp, vit::DivOp, vit::AddOp, vit::SubOp>(op))
      return rewriter.notifyMatchFailure(op, "no arithmetic");
    double neutral = isa<vit::MulOp, vit::DivOp>(op) ? 1.0 : 0.0;
    if (op->getOperand(0).getType() != op->getResult(0).getType() || getSplatFloat(op->getOperand(1)) != neutral)
      return rewriter.notifyMatchFailure(op, "right operand is not neutral");
    return replaceWith(rewriter, op, op->getOperand(0));
  }
};

/// x / c -> x * (1 / c), x - c -> x + (-c).
template <typename OpTy, typename NewOpTy>
struct InvertConstant : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    constexpr bool isDiv = std::is_same_v<OpTy, vit::DivOp>;
    auto values = getFloatConstantF32(op.getRhs());
    if (failed(values))
      return rewriter.notifyMatchFailure(op, "right operand is no constant");
    for (float &value : *values) {
      if (isDiv && value == 0.0f)
        return rewriter.notifyMatchFailure(op, "division by zero");
      value = isDiv ? 1.0f / value : -value;
    }
    Value constant = createFloatConstant(rewriter, op.getLoc(), cast<RankedTensorType>(op.getRhs().getType()), *values,
                                         getBlobName(op.getRhs()));
    return replaceWith<NewOpTy>(rewriter, op, {op.getLhs(), constant});
  }
};

/// x - y -> x + (-1) * y, when no LayerNorm took it.
struct SubtractProduct : OpRewritePattern<vit::SubOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::SubOp op, PatternRewriter &rewriter) const override {
    if (isConstant(op.getRhs()))
      return rewriter.notifyMatchFailure(op, "the right operand is a constant");
    auto scalar = RankedTensorType::get({}, rewriter.getF32Type());
    Value minus = createFloatConstant(rewriter, op.getLoc(), scalar, {-1.0f}, "minus_one");
    Value negated = vit::MulOp::create(rewriter, op.getLoc(), op.getRhs().getType(), op.getRhs(), minus);
    return replaceWith<vit::AddOp>(rewriter, op, {op.getLhs(), negated});
  }
};

/// pow(x, 2) -> x * x, when no norm took it.
struct SquareProduct : OpRewritePattern<vit::PowOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::PowOp op, PatternRewriter &rewriter) const override {
    if (getSplatFloat(op.getRhs()) != 2.0)
      return rewriter.notifyMatchFailure(op, "the exponent is not 2");
    return replaceWith<vit::MulOp>(rewriter, op, {op.getLhs(), op.getLhs()});
  }
};

/// (x * a) * b -> x * (a * b) for constants.
struct MergeFactors : OpRewritePattern<vit::MulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::MulOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getLhs().getDefiningOp<vit::MulOp>();
    if (!inner || !inner->hasOneUse() || inner.getLhs().getType() != op.getType() || isConstant(inner.getLhs()))
      return rewriter.notifyMatchFailure(op, "left operand is no product of this use alone");
    FailureOr<std::vector<float>> a = getFloatConstantF32(inner.getRhs()), b = getFloatConstantF32(op.getRhs());
    FailureOr<vit::Shape> shape = vit::inferBroadcast(op.getLoc(), shapeOf(inner.getRhs()), shapeOf(op.getRhs()));
    if (failed(a) || failed(b) || failed(shape))
      return rewriter.notifyMatchFailure(op, "a factor is no constant");
    std::vector<float> product = broadcastValues(*a, shapeOf(inner.getRhs()), *shape);
    for (auto [value, other] : llvm::zip_equal(product, broadcastValues(*b, shapeOf(op.getRhs()), *shape)))
      value *= other;
    auto type = RankedTensorType::get(*shape, rewriter.getF32Type());
    Value factor = createFloatConstant(rewriter, op.getLoc(), type, product, getBlobName(op.getRhs()));
    return replaceWith<vit::MulOp>(rewriter, op, {inner.getLhs(), factor});
  }
};

} // namespace

void recover::populateLinearPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldBias, FoldScale<false>, SplitPackedLinear, ConstantToRight<vit::AddOp>, ConstantToRight<vit::MulOp>,
               DropNeutral>(patterns.getContext());
}

void recover::populateScalarPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldScale<true>, InvertConstant<vit::DivOp, vit::MulOp>, InvertConstant<vit::SubOp, vit::AddOp>,
               SubtractProduct, SquareProduct, MergeFactors>(patterns.getContext());
}
