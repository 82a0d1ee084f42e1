//===- Convolution.cpp - Patch embeddings and convolutions to integers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A convolution is a product of patches and a matrix; how patches are read is the target's business. Where each
// channel is convolved by itself there is an op for that.

#include "Products.h"
#include "Recording.h"

#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

#include <numeric>

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::lowering;

namespace {

/// The matrix [D, K_h*K_w*C] of `taps`, elements [D, C, K_h, K_w] of `weight`.
Value createMatrix(ConversionPatternRewriter &rewriter, Location loc, Value weight, const Tensor &taps) {
  ArrayRef<int64_t> shape = taps.shape();
  const int64_t rows = shape[0], channels = shape[1], window = shape[2] * shape[3];
  Tensor matrix = transposed(taps.reshaped({rows, channels, window}), {0, 2, 1}).reshaped({rows, window * channels});
  return createConstant(rewriter, loc, RankedTensorType::get(matrix.shape(), getElementTypeOrSelf(weight.getType())),
                        matrix, getBlobName(weight));
}

/// Patches become rows, the weight its transposed matrix [D, P_h*P_w*C].
struct LowerPatchEmbed : Lowering<vit::PatchEmbedOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::PatchEmbedOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput());
    if (failed(input) || failed(checkRhs(op, op.getWeight())))
      return failure();
    FailureOr<Tensor> weights = getIntTensor(adaptor.getWeight());
    if (failed(weights))
      return op.emitError("the weight of a patch embedding must be a constant");
    Location loc = op.getLoc();
    Value image = adaptor.getInput();
    if (!op.getChannelsLast())
      image = vit::createInferred<integer::TransposeOp>(
          rewriter, loc, image, rewriter.getNamedAttr("permutation", rewriter.getDenseI64ArrayAttr({0, 2, 3, 1})));
    Value weight = createMatrix(rewriter, loc, adaptor.getWeight(), *weights);
    Value patches = vit::createInferred<integer::ExtractPatchesOp>(
        rewriter, loc, image,
        rewriter.getNamedAttr("patch", rewriter.getDenseI64ArrayAttr(vit::shapeOf(op.getWeight()).drop_front(2))));
    return replaceWithSums(op, rewriter, createProduct(op, rewriter, patches, weight, adaptor.getBias(), *input));
  }
};

struct LowerConv2d : Lowering<vit::Conv2dOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::Conv2dOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = parametersOf(op, op.getInput());
    if (failed(input) || failed(checkRhs(op, op.getWeight())))
      return failure();
    FailureOr<Tensor> weights = getIntTensor(adaptor.getWeight());
    if (failed(weights))
      return op.emitError("the weight of a convolution must be a constant");
    if (!llvm::all_equal(input->zeroPoints))
      return op.emitError("the input of '") << nodeName(op.getLoc()) << "' must have one zero point";
    const int64_t channels = vit::shapeOf(op.getInput())[3];
    if (static_cast<int64_t>(op.getGroups()) == channels && channels > 1 && !op.getPadding())
      return lowerDepthwise(op, adaptor, rewriter, *input, *weights);
    if (input->axis >= 0)
      return op.emitError("the input of '") << nodeName(op.getLoc()) << "' must have one scale";
    return lowerPatches(op, adaptor, rewriter, *input, *weights);
  }

private:
  /// An op of vitq at the place of `op`, its result shape inferred.
  template <typename To>
  static Value make(ConversionPatternRewriter &rewriter, vit::Conv2dOp op, ValueRange operands,
                    ArrayRef<NamedAttribute> attributes) {
    return vit::createInferred<To>(rewriter, op.getLoc(), operands, attributes);
  }

  LogicalResult lowerDepthwise(vit::Conv2dOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter,
                               const UniformParameters &input, const Tensor &weights) const {
    ArrayRef<int64_t> shape = vit::shapeOf(op.getWeight()), map = vit::shapeOf(op.getInput());
    const int64_t outputs = shape[0], repeat = outputs / map[3], height = shape[2], width = shape[3];
    Location loc = op.getLoc();
    Value image = adaptor.getInput();
    if (repeat > 1) {
      // As often as it is read.
      auto shapeAttr = [&](ArrayRef<int64_t> sizes) {
        return rewriter.getNamedAttr("shape", rewriter.getDenseI64ArrayAttr(sizes));
      };
      image = make<integer::ReshapeOp>(rewriter, op, image, shapeAttr({map[0], map[1], map[2], map[3], 1}));
      image = make<integer::BroadcastOp>(rewriter, op, image, shapeAttr({map[0], map[1], map[2], map[3], repeat}));
      image = make<integer::ReshapeOp>(rewriter, op, image, shapeAttr({map[0], map[1], map[2], outputs}));
    }
    Tensor taps = transposed(weights.reshaped({outputs, height, width}), {1, 2, 0});
    Value weight = createConstant(
        rewriter, loc,
        RankedTensorType::get({height, width, outputs}, getElementTypeOrSelf(adaptor.getWeight().getType())), taps,
        getBlobName(adaptor.getWeight()));
    auto conv = rewriter.replaceOpWithNewOp<integer::DepthwiseConv2dOp>(
        op, convert(op.getType()), image, weight, adaptor.getBias(), op.getStridesAttr(), op.getPadsAttr(),
        op.getDilationsAttr(), codeAttr(op, input));
    recordScale(conv, op);
    return success();
  }

  /// The codes outside of the map: the zero point, or those nearest to what the op says.
  static SmallVector<int64_t> paddingOf(vit::Conv2dOp op, const UniformParameters &input) {
    SmallVector<int64_t> codes;
    if (!op.getWindows().isPadded())
      return codes;
    for (double value : op.getPadding().value_or(ArrayRef<double>()))
      codes.push_back(numerics::quantizeReal(value, input.scale(), input.zeroPoint(), input.min, input.max,
                                             numerics::Rounding::HalfUp));
    if (codes.empty() || llvm::all_equal(codes))
      codes.assign(1, codes.empty() ? input.zeroPoint() : codes.front());
    return codes;
  }

  /// The sums of one group: patches of its channels times its rows of the weight.
  FailureOr<Value> lowerGroup(vit::Conv2dOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter,
                              const UniformParameters &input, const Tensor &weights, int64_t group) const {
    ArrayRef<int64_t> shape = vit::shapeOf(op.getWeight()), map = vit::shapeOf(op.getInput());
    const auto groups = static_cast<int64_t>(op.getGroups());
    const int64_t outputs = shape[0] / groups, channels = shape[1];
    Location loc = op.getLoc();
    auto i64s = [&](StringRef name, ArrayRef<int64_t> values) {
      return rewriter.getNamedAttr(name, rewriter.getDenseI64ArrayAttr(values));
    };
    Value image = adaptor.getInput(), bias = adaptor.getBias();
    SmallVector<int64_t> padding = paddingOf(op, input);
    if (groups > 1) {
      image =
          make<integer::SliceOp>(rewriter, op, image,
                                 {i64s("offsets", {0, 0, 0, group * channels}),
                                  i64s("sizes", {map[0], map[1], map[2], channels}), i64s("strides", {1, 1, 1, 1})});
      if (padding.size() > 1)
        padding = SmallVector<int64_t>(ArrayRef(padding).slice(group * channels, channels));
      if (bias) {
        FailureOr<std::vector<int64_t>> biases = getIntConstant(bias);
        if (failed(biases))
          return op.emitError("the bias of a grouped convolution must be a constant");
        bias = createIntConstant(rewriter, loc, RankedTensorType::get({outputs}, rewriter.getI32Type()),
                                 ArrayRef(*biases).slice(group * outputs, outputs), "bias");
      }
    }
    const vit::Windows windows = op.getWindows();
    SmallVector<NamedAttribute> attributes{i64s("patch", windows.size), i64s("strides", windows.strides),
                                           rewriter.getNamedAttr("as_map", rewriter.getUnitAttr())};
    if (windows.isPadded())
      attributes.append({i64s("pads", windows.pads), i64s("padding", padding)});
    if (llvm::any_of(windows.dilations, [](int64_t d) { return d != 1; }))
      attributes.push_back(i64s("dilations", windows.dilations));
    Value patches = make<integer::ExtractPatchesOp>(rewriter, op, image, attributes);
    Tensor rows = sliced(weights, {group * outputs, 0, 0, 0}, {outputs, channels, shape[2], shape[3]}, {1, 1, 1, 1});
    return createProduct(op, rewriter, patches, createMatrix(rewriter, loc, adaptor.getWeight(), rows), bias, input);
  }

  LogicalResult lowerPatches(vit::Conv2dOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter,
                             const UniformParameters &input, const Tensor &weights) const {
    SmallVector<Value> sums;
    for (int64_t group = 0; group < static_cast<int64_t>(op.getGroups()); ++group) {
      FailureOr<Value> sum = lowerGroup(op, adaptor, rewriter, input, weights, group);
      if (failed(sum))
        return failure();
      sums.push_back(*sum);
    }
    if (sums.size() > 1)
      sums = {
          make<integer::ConcatOp>(rewriter, op, sums, rewriter.getNamedAttr("axis", rewriter.getI64IntegerAttr(3)))};
    return replaceWithSums(op, rewriter, sums.front());
  }
};

} // namespace

void lowering::populateConvolutionPatterns(RewritePatternSet &patterns, const TypeConverter &converter,
                                           const Context &context) {
  patterns.add<LowerPatchEmbed, LowerConv2d>(converter, patterns.getContext(), context);
}
