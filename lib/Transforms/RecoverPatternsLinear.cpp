//===- RecoverPatternsLinear.cpp - Biases, scales, patches -*- C++ -*-===//
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

/// The operand of `op` that is a linear or patch embedding read by nobody
/// else, and the other operand.
static Operation *matchLinearOperand(Operation *op, Value &other) {
  return matchOperand(op, other, llvm::IsaPred<vit::LinearOp, vit::PatchEmbedOp>);
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
    auto weights = getFloatConstantF32(linear->getOperand(1));
    Value bias = biasOf(linear);
    auto biases = bias ? getFloatConstantF32(bias) : std::vector<float>();
    if (failed(weights) || failed(biases))
      return rewriter.notifyMatchFailure(op, "weight or bias is no constant");
    size_t rowSize = weights->size() / channels;
    for (size_t i = 0; i < weights->size(); ++i)
      (*weights)[i] *= (*constants)[i / rowSize];
    for (size_t i = 0; i < biases->size(); ++i)
      (*biases)[i] *= (*constants)[i];
    auto remake = [&](Value old, ArrayRef<float> values) -> Value {
      return createFloatConstant(rewriter, old.getLoc(), cast<RankedTensorType>(old.getType()), values,
                                 getBlobName(old));
    };
    Value weight = remake(linear->getOperand(1), *weights);
    return replaceWithLinear(rewriter, op, linear, weight, bias ? remake(bias, *biases) : Value());
  }
};

/// conv2d whose windows tile the image, seen as [B, patches, channels] ->
/// patch_embed. Any chain of shape ops with that meaning will do.
struct RecoverPatchEmbed : RewritePattern {
  explicit RecoverPatchEmbed(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 3, context) {}

  static const char *reasonAgainst(vit::Conv2dOp conv) {
    ArrayRef<int64_t> image = shapeOf(conv.getInput()), weight = shapeOf(conv.getWeight());
    if (conv.getStrides() != weight.drop_front(2))
      return "the stride is not the kernel's size";
    if (llvm::any_of(conv.getPads(), [](int64_t pad) { return pad != 0; }))
      return "the image is padded";
    if (conv.getGroups() != 1)
      return "the convolution is grouped";
    if (llvm::any_of(conv.getDilations(), [](int64_t d) { return d != 1; }) && (weight[2] > 1 || weight[3] > 1))
      return "the convolution is dilated";
    if (image[2] % weight[2] || image[3] % weight[3])
      return "patches do not divide the image";
    return nullptr;
  }

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<vit::ReshapeOp, vit::TransposeOp>(op) || rankOf(op->getResult(0)) != 3)
      return rewriter.notifyMatchFailure(op, "no shape op of rank 3");
    StridedView view = traceView(op->getResult(0));
    auto conv = view.source.getDefiningOp<vit::Conv2dOp>();
    if (!conv)
      return rewriter.notifyMatchFailure(op, "no view of a conv2d");
    if (const char *reason = reasonAgainst(conv))
      return rewriter.notifyMatchFailure(op, reason);
    ArrayRef<int64_t> shape = shapeOf(conv);
    int64_t batch = shape[0], channels = shape[1], patches = shape[2] * shape[3];
    auto factor = [](int64_t size, int64_t stride) { return size == 1 ? Factors() : Factors{{size, stride}}; };
    if (view.offset || shapeOf(op->getResult(0)) != ArrayRef<int64_t>{batch, patches, channels} ||
        view.flatten(0, 1) != factor(batch, channels * patches) || view.flatten(1, 2) != factor(patches, 1) ||
        view.flatten(2, 3) != factor(channels, patches))
      return rewriter.notifyMatchFailure(op, "the conv2d is not seen as [batch, patches, channels]");
    SmallVector<Value> operands(conv.getOperands());
    auto embed = vit::createInferred<vit::PatchEmbedOp>(rewriter, conv.getLoc(), operands);
    return replaceWith(rewriter, op, embed.getResult());
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

} // namespace

void recover::populateLinearPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldBias, FoldScale<false>, RecoverPatchEmbed, ConstantToRight<vit::AddOp>, ConstantToRight<vit::MulOp>,
               DropNeutral>(patterns.getContext());
}

void recover::populateScalarPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldScale<true>, InvertConstant<vit::DivOp, vit::MulOp>, InvertConstant<vit::SubOp, vit::AddOp>>(
      patterns.getContext());
}
