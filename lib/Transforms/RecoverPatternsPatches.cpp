//===- RecoverPatternsPatches.cpp - Patch embeddings -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Exporters write the embedding of patches as a convolution whose windows tile the
// image, or as a linear layer that reads rows of pixels. What rows these are is found
// by moving the numbers of the pixels: any reshape, transpose, unfold by slices or
// indices will do.

#include "RecoverPatterns.h"

#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace vitq;
using namespace vitq::recover;
using vit::shapeOf;

//===----------------------------------------------------------------------===//
// Rows of pixels
//===----------------------------------------------------------------------===//

/// The image that moves make `value` of: a function's argument [B, C, H, W]. Null where
/// there is another source, or more than one.
static BlockArgument imageOf(Value value) {
  BlockArgument image;
  SmallVector<Value> worklist{value};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!worklist.empty()) {
    Value next = worklist.pop_back_val();
    if (Operation *op = next.getDefiningOp()) {
      if (!vit::isMove(op))
        return {};
      if (seen.insert(op).second)
        llvm::append_range(worklist, op->getOperands());
      continue;
    }
    auto argument = cast<BlockArgument>(next);
    if ((image && image != argument) || rankOf(argument) != 4)
      return {};
    image = argument;
  }
  return image;
}

/// Which pixel of the image each element of `value` is; -1 where it is padding. None
/// where an op on the way moves nothing.
static std::optional<Tensor> pixelsOf(Value value, llvm::DenseMap<Value, Tensor> &known) {
  if (auto found = known.find(value); found != known.end())
    return found->second;
  Operation *op = value.getDefiningOp();
  SmallVector<Tensor> in;
  for (Value operand : op->getOperands()) {
    std::optional<Tensor> pixels = pixelsOf(operand, known);
    if (!pixels)
      return std::nullopt;
    in.push_back(*pixels);
  }
  std::optional<Tensor> moved = moveTensors(op, in, /*padding=*/-1);
  if (moved)
    known.try_emplace(value, *moved);
  return moved;
}

namespace {
/// Rows of pixels, each a patch of the image.
struct Patches {
  int64_t height = 0, width = 0;
  /// For element k of a row its place in a patch [C, height, width].
  SmallVector<int64_t> places;
};
} // namespace

/// `pixels` as rows of patches, those of an image row by row; none if they are not.
static std::optional<Patches> matchPatches(const Tensor &pixels, ArrayRef<int64_t> image) {
  const int64_t channels = image[1], height = image[2], width = image[3], area = height * width;
  const int64_t row = pixels.shape().back();
  if (row == 0 || row % channels != 0 || pixels.numElements() != channels * area * image[0])
    return std::nullopt;
  // The first row is the patch in the corner; its farthest pixel says how large one is.
  Patches patches;
  for (int64_t k = 0; k < row; ++k) {
    const int64_t pixel = pixels.intAt(k) % area;
    patches.height = std::max(patches.height, pixel / width + 1);
    patches.width = std::max(patches.width, pixel % width + 1);
  }
  const int64_t ph = patches.height, pw = patches.width;
  if (channels * ph * pw != row || height % ph || width % pw)
    return std::nullopt;
  for (int64_t k = 0; k < row; ++k) {
    const int64_t pixel = pixels.intAt(k), channel = pixel / area, y = pixel % area / width, x = pixel % width;
    if (pixel < 0 || channel >= channels)
      return std::nullopt;
    patches.places.push_back((channel * ph + y) * pw + x);
  }
  SmallVector<int64_t> sorted(patches.places);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, row)))
    return std::nullopt;
  // All other rows are the first one elsewhere.
  const SmallVector<int64_t> basis = computeSuffixProduct({image[0], height / ph, width / pw});
  for (int64_t i = 0, rows = pixels.numElements() / row; i < rows; ++i) {
    SmallVector<int64_t> at = delinearize(i, basis);
    const int64_t corner = at[0] * channels * area + at[1] * ph * width + at[2] * pw;
    for (int64_t k = 0; k < row; ++k)
      if (pixels.intAt(i * row + k) != corner + pixels.intAt(k))
        return std::nullopt;
  }
  return patches;
}

namespace {

/// linear(rows of an image's pixels) -> patch_embed, its weight in the order of pixels.
struct RecoverLinearPatchEmbed : OpRewritePattern<vit::LinearOp> {
  RecoverLinearPatchEmbed(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/5) {}

  LogicalResult matchAndRewrite(vit::LinearOp op, PatternRewriter &rewriter) const override {
    BlockArgument image = imageOf(op.getInput());
    if (!image)
      return rewriter.notifyMatchFailure(op, "input is not made of the pixels of an image [B, C, H, W]");
    FailureOr<std::vector<float>> weights = getFloatConstantF32(op.getWeight());
    if (failed(weights))
      return rewriter.notifyMatchFailure(op, "weight is no constant");
    ArrayRef<int64_t> shape = shapeOf(image);
    const int64_t count = ShapedType::getNumElements(shape);
    Tensor numbers = Tensor::allocate(ElementKind::I64, shape);
    std::iota(numbers.mutableData<int64_t>(), numbers.mutableData<int64_t>() + count, int64_t(0));
    llvm::DenseMap<Value, Tensor> known{{image, numbers}};
    std::optional<Tensor> pixels = pixelsOf(op.getInput(), known);
    std::optional<Patches> patches = pixels ? matchPatches(*pixels, shape) : std::nullopt;
    if (!patches)
      return rewriter.notifyMatchFailure(op, "rows of the input are not patches that tile the image, row by row");
    const auto row = static_cast<int64_t>(patches->places.size()), outputs = shapeOf(op.getWeight())[0];
    std::vector<float> ordered(weights->size());
    for (int64_t d = 0; d < outputs; ++d)
      for (auto [k, place] : llvm::enumerate(patches->places))
        ordered[d * row + place] = (*weights)[d * row + static_cast<int64_t>(k)];
    auto type = RankedTensorType::get({outputs, shape[1], patches->height, patches->width}, rewriter.getF32Type());
    SmallVector<Value> operands{image,
                                createFloatConstant(rewriter, op.getLoc(), type, ordered, getBlobName(op.getWeight()))};
    if (op.getBias())
      operands.push_back(op.getBias());
    Value embed = vit::createInferred<vit::PatchEmbedOp>(rewriter, op.getLoc(), operands);
    return replaceWith(rewriter, op, makeReshape(rewriter, op.getLoc(), embed, shapeOf(op)));
  }
};

//===----------------------------------------------------------------------===//
// Convolutions
} // namespace

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

/// Whether `value` is the model's image: moved, cast, or with a constant added or multiplied.
static bool isImage(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    const bool isAffine = isa<vit::MulOp, vit::DivOp, vit::AddOp, vit::SubOp>(op);
    const bool first = isAffine && isConstant(op->getOperand(0)), second = isAffine && isConstant(op->getOperand(1));
    const bool isView = vit::isMove(op) && op->getNumOperands() == 1;
    if (!isView && first == second && !isa<vit::QuantizeOp, vit::DequantizeOp>(op))
      return false;
    value = op->getOperand(first);
  }
  return rankOf(value) == 4;
}

static const char *reasonAgainstPatches(vit::Conv2dOp conv) {
  ArrayRef<int64_t> map = shapeOf(conv.getInput());
  if (!conv.getWindows().tile(map[1], map[2]))
    return "windows do not tile the map";
  if (conv.getGroups() != 1)
    return "the convolution is grouped";
  if (!isImage(conv.getInput()))
    return "the map is not the model's image";
  return nullptr;
}

bool recover::isPatchEmbedding(vit::Conv2dOp conv) { return reasonAgainstPatches(conv) == nullptr; }

namespace {

/// conv2d whose windows tile the model's image -> patch_embed.
struct RecoverPatchEmbed : OpRewritePattern<vit::Conv2dOp> {
  RecoverPatchEmbed(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/3) {}

  LogicalResult matchAndRewrite(vit::Conv2dOp op, PatternRewriter &rewriter) const override {
    if (const char *reason = reasonAgainstPatches(op))
      return rewriter.notifyMatchFailure(op, reason);
    SmallVector<Value> operands(op.getOperands());
    SmallVector<NamedAttribute> attributes;
    if (Value planes = vit::planesOf(op.getInput()))
      operands[0] = planes;
    else
      attributes.push_back(rewriter.getNamedAttr("channels_last", rewriter.getUnitAttr()));
    Value embed = vit::createInferred<vit::PatchEmbedOp>(rewriter, op.getLoc(), operands, attributes);
    return replaceWith(rewriter, op, makeReshape(rewriter, op.getLoc(), embed, shapeOf(op)));
  }
};

/// conv2d of single elements -> linear.
struct RecoverPointwise : OpRewritePattern<vit::Conv2dOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(vit::Conv2dOp op, PatternRewriter &rewriter) const override {
    const vit::Windows windows = op.getWindows();
    auto isOne = [](int64_t size) { return size == 1; };
    if (!llvm::all_of(windows.size, isOne) || !llvm::all_of(windows.strides, isOne) || windows.isPadded() ||
        op.getGroups() != 1)
      return rewriter.notifyMatchFailure(op, "the kernel is not 1 x 1, or it is strided, padded or grouped");
    if (isImage(op.getInput()))
      return rewriter.notifyMatchFailure(op, "it reads the image");
    FailureOr<Value> weight = reshapeWeight(rewriter, op.getWeight(), shapeOf(op.getWeight()).take_front(2));
    if (failed(weight))
      return rewriter.notifyMatchFailure(op, "the weight is no constant");
    return replaceWith(rewriter, op, makeLinear(rewriter, op.getLoc(), op.getInput(), *weight, op.getBias()));
  }
};

/// conv2d of a map with zeros around it -> conv2d with pads.
struct FoldPad : OpRewritePattern<vit::Conv2dOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(vit::Conv2dOp op, PatternRewriter &rewriter) const override {
    auto pad = op.getInput().getDefiningOp<vit::PadOp>();
    if (!pad || op.getPadding())
      return rewriter.notifyMatchFailure(op, "the map has no zeros around it, or something else behind them");
    ArrayRef<int64_t> low = pad.getLow(), high = pad.getHigh();
    if (low[0] || high[0] || low[3] || high[3])
      return rewriter.notifyMatchFailure(op, "images or channels are added");
    SmallVector<int64_t> pads(op.getPads());
    for (int i = 0; i < 2; ++i) {
      pads[i] += low[1 + i];
      pads[2 + i] += high[1 + i];
    }
    rewriter.modifyOpInPlace(op, [&] {
      op.getInputMutable().assign(pad.getInput());
      op.setPads(pads);
    });
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Pixels that the graph normalizes
//===----------------------------------------------------------------------===//

/// The constant [channels] that `value` is when broadcast along axis 1 of [B, C, H, W].
static std::optional<std::vector<float>> planeConstant(Value value, int64_t channels) {
  FailureOr<std::vector<float>> values = getFloatConstantF32(value);
  if (failed(values) || values->empty())
    return std::nullopt;
  ArrayRef<int64_t> shape = shapeOf(value);
  if (values->size() == 1)
    return std::vector<float>(channels, values->front());
  const size_t rank = shape.size();
  if (static_cast<int64_t>(values->size()) != channels || rank < 3 || shape[rank - 3] != channels)
    return std::nullopt;
  std::vector<float> constant = std::move(*values);
  return constant;
}

/// What stands around the map of `op` when a constant of each channel is taken off it, or it is divided by one.
static Attribute paddingWithout(PatternRewriter &rewriter, vit::Conv2dOp op, ArrayRef<float> constants,
                                bool isProduct) {
  SmallVector<double> padding(op.getPadding().value_or(SmallVector<double>(constants.size(), 0.0)));
  for (auto [value, constant] : llvm::zip_equal(padding, constants))
    value = isProduct ? value / constant : value - constant;
  return rewriter.getDenseF64ArrayAttr(padding);
}

/// patch_embed(x * c) and patch_embed(x + c), a c for each channel of the image, fold into weight and bias, and the
/// same of a conv2d, which then pads with something else than 0.
struct FoldPixelScale : OpInterfaceRewritePattern<vit::WeightedOp> {
  FoldPixelScale(MLIRContext *context) : OpInterfaceRewritePattern(context, /*benefit=*/3) {}

  LogicalResult matchAndRewrite(vit::WeightedOp op, PatternRewriter &rewriter) const override {
    auto conv = dyn_cast<vit::Conv2dOp>(op.getOperation());
    auto embed = dyn_cast<vit::PatchEmbedOp>(op.getOperation());
    if ((!conv && !embed) || (embed && embed.getChannelsLast()) || (conv && !isImage(conv.getInput())))
      return rewriter.notifyMatchFailure(op, "it reads no image");
    Value image = conv ? vit::planesOf(conv.getInput()) : op->getOperand(0), weight = op->getOperand(1);
    Value bias = op->getNumOperands() > 2 ? op->getOperand(2) : Value();
    Operation *producer = image ? image.getDefiningOp() : nullptr;
    if (!isa_and_nonnull<vit::MulOp, vit::DivOp, vit::AddOp, vit::SubOp>(producer))
      return rewriter.notifyMatchFailure(op, "input is no sum or product");
    const int64_t outputs = shapeOf(weight)[0], channels = shapeOf(image)[1];
    std::optional<std::vector<float>> constants = planeConstant(producer->getOperand(1), channels);
    auto weights = getFloatConstantF32(weight);
    auto biases = bias ? getFloatConstantF32(bias) : std::vector<float>(outputs, 0.0f);
    if (!constants || failed(weights) || failed(biases) ||
        producer->getOperand(0).getType() != producer->getResult(0).getType())
      return rewriter.notifyMatchFailure(op, "no constant for each channel");
    const bool isProduct = isa<vit::MulOp, vit::DivOp>(producer);
    for (float &constant : *constants)
      if (isa<vit::DivOp>(producer))
        constant = 1.0f / constant;
      else if (isa<vit::SubOp>(producer))
        constant = -constant;
    if (!llvm::all_of(*constants, [&](float constant) {
          return std::isfinite(constant) && (!isProduct || !conv || std::isfinite(1.0f / constant));
        }))
      return rewriter.notifyMatchFailure(op, "a constant is not finite, or nothing can be divided by it");
    const int64_t row = static_cast<int64_t>(weights->size()) / outputs;
    std::vector<double> sums(biases->begin(), biases->end());
    for (auto [i, value] : llvm::enumerate(*weights)) {
      const float constant = (*constants)[op.getInputChannel(i)];
      if (isProduct)
        value *= constant;
      else
        sums[i / row] += static_cast<double>(value) * constant;
    }
    SmallVector<Value> operands{producer->getOperand(0), weight};
    if (conv)
      operands[0] = makeTranspose(rewriter, op.getLoc(), operands[0], {0, 2, 3, 1});
    if (isProduct)
      operands[1] = createFloatConstant(rewriter, op.getLoc(), cast<RankedTensorType>(weight.getType()), *weights,
                                        getBlobName(weight));
    if (!isProduct)
      operands.push_back(createFloatConstant(
          rewriter, op.getLoc(), RankedTensorType::get({outputs}, rewriter.getF32Type()),
          std::vector<float>(sums.begin(), sums.end()), bias ? getBlobName(bias) : StringRef("bias")));
    else if (bias)
      operands.push_back(bias);
    if (embed)
      return replaceWith<vit::PatchEmbedOp>(rewriter, op, operands);
    NamedAttrList attributes(conv->getAttrs());
    if (conv.getWindows().isPadded())
      attributes.set("padding", paddingWithout(rewriter, conv, *constants, isProduct));
    return replaceWith<vit::Conv2dOp>(rewriter, op, operands, attributes);
  }
};

} // namespace

void recover::populatePatchPatterns(RewritePatternSet &patterns) {
  patterns.add<RecoverLinearPatchEmbed, FoldPixelScale, FoldPad>(patterns.getContext());
}

void recover::populateLatePatchPatterns(RewritePatternSet &patterns) {
  patterns.add<RecoverPatchEmbed, RecoverPointwise>(patterns.getContext());
}
