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
//===----------------------------------------------------------------------===//

/// conv2d whose windows tile the image, seen with its channels last, as
/// [batch, patches, channels] or with patches in several axes -> patch_embed. Any chain
/// of shape ops with that meaning will do.
struct RecoverPatchEmbed : RewritePattern {
  explicit RecoverPatchEmbed(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 3, context) {}

  /// Why a convolution is no patch embedding; null if it is one.
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
    if (!isa<vit::ReshapeOp, vit::TransposeOp>(op) || rankOf(op->getResult(0)) < 3)
      return rewriter.notifyMatchFailure(op, "no shape op of rank 3 or more");
    StridedView view = traceView(op->getResult(0));
    auto conv = view.source.getDefiningOp<vit::Conv2dOp>();
    if (!conv)
      return rewriter.notifyMatchFailure(op, "no view of a conv2d");
    if (const char *reason = reasonAgainst(conv))
      return rewriter.notifyMatchFailure(op, reason);
    ArrayRef<int64_t> shape = shapeOf(conv);
    const int64_t batch = shape[0], channels = shape[1], patches = shape[2] * shape[3];
    const size_t last = view.dims.size() - 1;
    Factors rows, columns;
    if (batch > 1)
      rows.push_back({batch, channels * patches});
    if (patches > 1)
      rows.push_back({patches, 1});
    if (channels > 1)
      columns.push_back({channels, patches});
    if (view.offset || shapeOf(op->getResult(0)).back() != channels || view.flatten(0, last) != coalesce(rows) ||
        view.flatten(last, last + 1) != columns)
      return rewriter.notifyMatchFailure(op, "the conv2d is not seen as [batch, patches, channels]");
    SmallVector<Value> operands(conv.getOperands());
    Value embed = vit::createInferred<vit::PatchEmbedOp>(rewriter, conv.getLoc(), operands);
    return replaceWith(rewriter, op, makeReshape(rewriter, op->getLoc(), embed, shapeOf(op->getResult(0))));
  }
};

//===----------------------------------------------------------------------===//
// Pixels that the graph normalizes
//===----------------------------------------------------------------------===//

/// The constant [channels] that `value` is when broadcast along axis 1 of [B, C, H, W].
std::optional<std::vector<float>> planeConstant(Value value, int64_t channels) {
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

/// A patch embedding of which something else is read, tokens last or before a normalization: its rows,
/// moved to where the convolution has them.
struct RecoverPlanarPatchEmbed : OpRewritePattern<vit::Conv2dOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(vit::Conv2dOp op, PatternRewriter &rewriter) const override {
    if (!isa<BlockArgument>(op.getInput()))
      return rewriter.notifyMatchFailure(op, "it does not read the image");
    if (const char *reason = RecoverPatchEmbed::reasonAgainst(op))
      return rewriter.notifyMatchFailure(op, reason);
    Value embed = vit::createInferred<vit::PatchEmbedOp>(rewriter, op.getLoc(), op->getOperands());
    Value planes = makeTranspose(rewriter, op.getLoc(), embed, {0, 2, 1});
    return replaceWith(rewriter, op, makeReshape(rewriter, op.getLoc(), planes, shapeOf(op.getResult())));
  }
};

/// patch_embed(x * c) and patch_embed(x + c), a c for each channel of the image, fold
/// into weight and bias: no pixel is padded.
struct FoldPixelScale : OpRewritePattern<vit::PatchEmbedOp> {
  FoldPixelScale(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/3) {}

  LogicalResult matchAndRewrite(vit::PatchEmbedOp op, PatternRewriter &rewriter) const override {
    Operation *producer = op.getInput().getDefiningOp();
    if (op.getChannelsLast() || !isa_and_nonnull<vit::MulOp, vit::DivOp, vit::AddOp, vit::SubOp>(producer))
      return rewriter.notifyMatchFailure(op, "input is no sum or product");
    ArrayRef<int64_t> shape = shapeOf(op.getWeight());
    const int64_t outputs = shape[0], channels = shape[1], area = shape[2] * shape[3];
    std::optional<std::vector<float>> constants = planeConstant(producer->getOperand(1), channels);
    auto weights = getFloatConstantF32(op.getWeight());
    auto biases = op.getBias() ? getFloatConstantF32(op.getBias()) : std::vector<float>(outputs, 0.0f);
    if (!constants || failed(weights) || failed(biases) ||
        producer->getOperand(0).getType() != producer->getResult(0).getType())
      return rewriter.notifyMatchFailure(op, "no constant for each channel");
    const bool isProduct = isa<vit::MulOp, vit::DivOp>(producer);
    for (float &constant : *constants)
      if (isa<vit::DivOp>(producer))
        constant = 1.0f / constant;
      else if (isa<vit::SubOp>(producer))
        constant = -constant;
    if (!llvm::all_of(*constants, [](float constant) { return std::isfinite(constant); }))
      return rewriter.notifyMatchFailure(op, "a constant is not finite");
    std::vector<double> sums(biases->begin(), biases->end());
    for (auto [i, weight] : llvm::enumerate(*weights)) {
      const float constant = (*constants)[i / area % channels];
      if (isProduct)
        weight *= constant;
      else
        sums[i / (channels * area)] += static_cast<double>(weight) * constant;
    }
    SmallVector<Value> operands{producer->getOperand(0), op.getWeight()};
    if (isProduct)
      operands[1] = createFloatConstant(rewriter, op.getLoc(), cast<RankedTensorType>(op.getWeight().getType()),
                                        *weights, getBlobName(op.getWeight()));
    if (!isProduct)
      operands.push_back(createFloatConstant(
          rewriter, op.getLoc(), RankedTensorType::get({outputs}, rewriter.getF32Type()),
          std::vector<float>(sums.begin(), sums.end()), op.getBias() ? getBlobName(op.getBias()) : StringRef("bias")));
    else if (op.getBias())
      operands.push_back(op.getBias());
    return replaceWith<vit::PatchEmbedOp>(rewriter, op, operands);
  }
};

} // namespace

void recover::populatePatchPatterns(RewritePatternSet &patterns) {
  patterns.add<RecoverLinearPatchEmbed, RecoverPatchEmbed, FoldPixelScale>(patterns.getContext());
}

void recover::populateLatePatchPatterns(RewritePatternSet &patterns) {
  patterns.add<RecoverPlanarPatchEmbed>(patterns.getContext());
}
