//===- RecoverPatternsChannels.cpp - Factors and summands of channels -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A batch normalization with fixed statistics is a factor and a summand for each channel.
// They fold into a linear layer or convolution before it, or behind it, also where the
// channels have been moved to another axis between.

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"

#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

namespace {
/// x * c or x + c with a constant c for each index of one axis of x.
struct ChannelOp {
  Value x;
  std::vector<float> constants;
  int64_t axis = 0;
  bool isMul = false;
};

/// The axis of a layer's operand or result that its channels are, and how far apart they
/// lie there.
struct ChannelAxis {
  int64_t size, stride;
};
} // namespace

static std::optional<ChannelOp> matchChannelOp(Operation *op) {
  if (!isa_and_nonnull<vit::MulOp, vit::AddOp>(op))
    return std::nullopt;
  for (int i = 0; i < 2; ++i) {
    Value x = op->getOperand(1 - i), other = op->getOperand(i);
    ArrayRef<int64_t> shape = shapeOf(x), from = shapeOf(other);
    auto isOne = [](int64_t size) { return size == 1; };
    if (!isConstant(other) || x.getType() != op->getResult(0).getType() || from.size() > shape.size() ||
        llvm::count_if(from, isOne) + 1 != static_cast<int64_t>(from.size()))
      continue;
    FailureOr<std::vector<float>> values = getFloatConstantF32(other);
    // One number for all may be attention's scale.
    if (failed(values) || llvm::all_equal(*values))
      continue;
    const int64_t inner = llvm::find_if_not(from, isOne) - from.begin();
    return ChannelOp{x, std::move(*values), static_cast<int64_t>(shape.size() - from.size()) + inner,
                     isa<vit::MulOp>(op)};
  }
  return std::nullopt;
}

/// The axis of `value`'s row-major strides.
static ChannelAxis axisOf(Value value, int64_t axis) {
  ArrayRef<int64_t> shape = shapeOf(value);
  return {shape[axis], ShapedType::getNumElements(shape.drop_front(axis + 1))};
}

/// The ops of which `value` is made by moves that nothing else reads; the value before them.
static Value skipOwnMoves(Value value, SmallVectorImpl<Operation *> &moves) {
  while (isa_and_nonnull<vit::ReshapeOp, vit::TransposeOp>(value.getDefiningOp()) && value.hasOneUse()) {
    moves.push_back(value.getDefiningOp());
    value = moves.back()->getOperand(0);
  }
  return value;
}

/// `moves` (the last one first) of `value` instead.
static Value repeatMoves(PatternRewriter &rewriter, ArrayRef<Operation *> moves, Value value) {
  for (Operation *move : llvm::reverse(moves)) {
    IRMapping mapping;
    mapping.map(move->getOperand(0), value);
    value = rewriter.clone(*move, mapping)->getResult(0);
  }
  return value;
}

/// Whether axis `axis` of `value` is `channels` of the value it is a view of.
static bool isChannelAxis(Value value, int64_t axis, Value source, ChannelAxis channels) {
  StridedView view = traceView(value);
  return view.source == source && view.offset == 0 &&
         view.flatten(axis, axis + 1) == Factors{{channels.size, channels.stride}} &&
         ShapedType::getNumElements(shapeOf(value)) == ShapedType::getNumElements(shapeOf(source));
}

static Value remake(PatternRewriter &rewriter, Value old, ArrayRef<float> values) {
  return createFloatConstant(rewriter, old.getLoc(), cast<RankedTensorType>(old.getType()), values, getBlobName(old));
}

/// `layer` with other operands, and the location it has.
static Value remakeLayer(PatternRewriter &rewriter, Operation *layer, Value input, Value weight, Value bias) {
  SmallVector<Value> operands{input, weight};
  if (bias)
    operands.push_back(bias);
  OperationState state(layer->getLoc(), layer->getName(), operands, layer->getResultTypes(), layer->getAttrs());
  return rewriter.create(state)->getResult(0);
}

namespace {
/// A linear layer, patch embedding or convolution, and its constants.
struct Layer {
  Operation *op = nullptr;
  std::vector<float> weight, bias;

  static bool isOne(Operation *op) { return isa_and_nonnull<vit::WeightedOp>(op); }
  LogicalResult read(Operation *layer);
  Value biasValue() const { return op->getNumOperands() > 2 ? op->getOperand(2) : Value(); }
  int64_t numOutputs() const { return shapeOf(op->getOperand(1))[0]; }
  int64_t rowSize() const { return static_cast<int64_t>(weight.size()) / numOutputs(); }
  Value makeBias(PatternRewriter &rewriter) const;
};
} // namespace

LogicalResult Layer::read(Operation *layer) {
  op = layer;
  auto weights = getFloatConstantF32(op->getOperand(1));
  auto biases = biasValue() ? getFloatConstantF32(biasValue()) : std::vector<float>();
  if (failed(weights) || failed(biases) || weights->empty())
    return failure();
  weight = std::move(*weights);
  bias = std::move(*biases);
  return success();
}

/// None where there was none and none is needed.
Value Layer::makeBias(PatternRewriter &rewriter) const {
  if (bias.empty())
    return {};
  if (biasValue())
    return remake(rewriter, biasValue(), bias);
  auto type = RankedTensorType::get({numOutputs()}, rewriter.getF32Type());
  return createFloatConstant(rewriter, op->getLoc(), type, bias, (getBlobName(op->getOperand(1)) + ".bias").str());
}

namespace {

/// view(layer(x)) * c and + c fold into the layer's weight and bias.
struct FoldIntoLayerBefore : RewritePattern {
  explicit FoldIntoLayerBefore(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    std::optional<ChannelOp> channels = matchChannelOp(op);
    if (!channels)
      return rewriter.notifyMatchFailure(op, "no factor or summand for each index of an axis");
    SmallVector<Operation *> moves;
    Value source = skipOwnMoves(channels->x, moves);
    Layer layer;
    if (!Layer::isOne(source.getDefiningOp()) || !source.hasOneUse() || failed(layer.read(source.getDefiningOp())))
      return rewriter.notifyMatchFailure(op, "no layer of this use alone with constant weights");
    if (!isChannelAxis(channels->x, channels->axis, source, axisOf(source, rankOf(source) - 1)))
      return rewriter.notifyMatchFailure(op, "the axis is not the layer's channels");
    const int64_t rowSize = layer.rowSize();
    if (channels->isMul) {
      for (auto [i, value] : llvm::enumerate(layer.weight))
        value *= channels->constants[i / rowSize];
      for (auto [value, factor] : llvm::zip(layer.bias, channels->constants))
        value *= factor;
    } else {
      layer.bias.resize(layer.numOutputs(), 0.0f);
      for (auto [value, summand] : llvm::zip_equal(layer.bias, channels->constants))
        value += summand;
    }
    rewriter.setInsertionPoint(op);
    Value weight = channels->isMul ? remake(rewriter, layer.op->getOperand(1), layer.weight) : layer.op->getOperand(1);
    Value result = remakeLayer(rewriter, layer.op, layer.op->getOperand(0), weight, layer.makeBias(rewriter));
    return replaceWith(rewriter, op, repeatMoves(rewriter, moves, result));
  }
};

/// layer(view(x * c)) and layer(view(x + c)) likewise. A summand does not cross padding.
struct FoldIntoLayerBehind : RewritePattern {
  explicit FoldIntoLayerBehind(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!Layer::isOne(op))
      return rewriter.notifyMatchFailure(op, "no layer");
    SmallVector<Operation *> moves;
    Value source = skipOwnMoves(op->getOperand(0), moves);
    std::optional<ChannelOp> channels = matchChannelOp(source.getDefiningOp());
    if (!channels || !source.hasOneUse())
      return rewriter.notifyMatchFailure(op, "input is no factor or summand for each index of an axis");
    auto embed = dyn_cast<vit::PatchEmbedOp>(op);
    auto conv = dyn_cast<vit::Conv2dOp>(op);
    if ((embed && embed.getChannelsLast()) ||
        (conv && conv.getWindows().isPadded() && (!channels->isMul || conv.getPadding())))
      return rewriter.notifyMatchFailure(op, "the layer pads, or reads pixels");
    const int64_t inputAxis = embed ? 1 : rankOf(op->getOperand(0)) - 1;
    if (!isChannelAxis(op->getOperand(0), inputAxis, source, axisOf(source, channels->axis)))
      return rewriter.notifyMatchFailure(op, "the axis is not the layer's inputs");
    Layer layer;
    if (failed(layer.read(op)))
      return rewriter.notifyMatchFailure(op, "weight or bias is no constant");
    fold(layer, *channels);
    Value weight = channels->isMul ? remake(rewriter, op->getOperand(1), layer.weight) : op->getOperand(1);
    Value bias = channels->isMul ? layer.biasValue() : layer.makeBias(rewriter);
    Value input = repeatMoves(rewriter, moves, channels->x);
    return replaceWith(rewriter, op, remakeLayer(rewriter, op, input, weight, bias));
  }

private:
  static void fold(Layer &layer, const ChannelOp &channels) {
    const int64_t outputs = layer.numOutputs();
    auto weighted = cast<vit::WeightedOp>(layer.op);
    std::vector<double> sums(outputs, 0.0);
    for (auto [i, value] : llvm::enumerate(layer.weight)) {
      const auto at = static_cast<int64_t>(i);
      const float constant = channels.constants[weighted.getInputChannel(at)];
      sums[at / layer.rowSize()] += static_cast<double>(value) * constant;
      if (channels.isMul)
        value *= constant;
    }
    if (channels.isMul)
      return;
    layer.bias.resize(outputs, 0.0f);
    for (auto [value, sum] : llvm::zip_equal(layer.bias, sums))
      value = static_cast<float>(value + sum);
  }
};

} // namespace

void recover::populateChannelPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldIntoLayerBefore>(patterns.getContext());
}

void recover::populateLateChannelPatterns(RewritePatternSet &patterns) {
  patterns.add<FoldIntoLayerBehind>(patterns.getContext());
}
