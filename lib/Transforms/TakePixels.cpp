//===- TakePixels.cpp - What the program reads -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeDetail.h"

#include "vitq/Data/Preprocess.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/MainFunction.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-take-pixels"

namespace vitq {
#define GEN_PASS_DEF_VITTAKEPIXELSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

class TakePixels : public vitq::impl::VitTakePixelsPassBase<TakePixels> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function) || failed(takePixels(*function)))
      signalPassFailure();
  }

  /// The float image becomes bytes and vit.normalize_pixels.
  LogicalResult takePixels(func::FuncOp function) {
    if (function.getNumArguments() != 1)
      return function.emitError("vit-take-pixels: @main must take one image");
    BlockArgument image = function.getArgument(0);
    auto type = cast<RankedTensorType>(image.getType());
    if (!isa<FloatType>(type.getElementType()))
      return success(); // already pixels
    if (type.getRank() != 4)
      return function.emitError("vit-take-pixels: the image must be a tensor [B, C, H, W]");
    data::Preprocess preprocess;
    if (auto text = getOperation()->getAttrOfType<StringAttr>(kPreprocessAttr)) {
      llvm::Expected<data::Preprocess> parsed = data::parsePreprocess(text.getValue());
      if (!parsed)
        return getOperation().emitError(llvm::toString(parsed.takeError()));
      preprocess = *parsed;
    }
    int64_t channels = type.getDimSize(1);
    if (llvm::Error error = preprocess.checkChannels(static_cast<int>(channels)))
      return getOperation().emitError(llvm::toString(std::move(error)));
    LDBG() << channels << " channels, " << data::toString(preprocess);
    SmallVector<double> mean, stdDev;
    for (int64_t c = 0; c < channels; ++c) {
      mean.push_back(preprocess.meanOf(c));
      stdDev.push_back(preprocess.stdDevOf(c));
    }
    auto pixel = getPerTensorType(&getContext(), 8, false, 1.0 / 255, 0);
    auto pixels = RankedTensorType::get({type.getDimSize(0), type.getDimSize(2), type.getDimSize(3), channels}, pixel);
    OpBuilder builder = OpBuilder::atBlockBegin(&function.front());
    image.setType(pixels);
    auto normalized = NormalizePixelsOp::create(builder, image.getLoc(), type, image, mean, stdDev);
    if (auto range = function.getArgAttrOfType<DenseF64ArrayAttr>(0, kRangeAttr))
      normalized->setAttr(kRangeAttr, range);
    image.replaceAllUsesExcept(normalized.getResult(), normalized);
    function.setFunctionType(builder.getFunctionType({pixels}, function.getResultTypes()));
    readBytes(normalized);
    return success();
  }

  /// A model that brings its image to bytes, as those do that --emit=onnx writes, reads the program's.
  void readBytes(NormalizePixelsOp pixels) {
    SmallVector<double> mean(pixels.getMean()), deviation(pixels.getStd());
    IRRewriter rewriter(&getContext());
    SmallVector<Operation *> affine;
    Value value = pixels.getResult();
    while (value.hasOneUse() && isa<MulOp, AddOp>(*value.user_begin())) {
      Operation *op = *value.user_begin();
      Value other = op->getOperand(op->getOperand(0) == value);
      std::optional<SmallVector<double>> values = channelValues(other, mean.size());
      if (!values || op->getResult(0).getType() != pixels.getType())
        return;
      for (auto [c, constant] : llvm::enumerate(*values)) {
        if (isa<MulOp>(op) && !(constant > 0))
          return;
        if (isa<MulOp>(op))
          deviation[c] /= constant;
        else
          mean[c] -= constant * deviation[c];
      }
      affine.push_back(op);
      value = op->getResult(0);
    }
    auto quantize = value.hasOneUse() ? dyn_cast<QuantizeOp>(*value.user_begin()) : QuantizeOp();
    auto isNear = [](double a, double b) { return std::abs(a - b) < 1e-6; };
    if (affine.empty() || !quantize || !llvm::all_of(mean, [&](double m) { return isNear(m, 0); }) ||
        !llvm::all_of(deviation, [&](double d) { return isNear(d, 1); }))
      return;
    auto bytes = cast<quant::UniformQuantizedType>(getQuantizedType(pixels.getPixels()));
    auto type = dyn_cast<quant::UniformQuantizedType>(getQuantizedType(quantize.getResult()));
    if (!type || type.isSigned() || type.getStorageType() != bytes.getStorageType() || type.getZeroPoint() != 0 ||
        !isNear(type.getScale() / bytes.getScale(), 1))
      return;
    mean.assign(mean.size(), 0.0);
    deviation.assign(deviation.size(), 1.0);
    pixels.setMean(mean);
    pixels.setStd(deviation);
    if (Attribute range = affine.back()->getAttr(kRangeAttr))
      pixels->setAttr(kRangeAttr, range);
    rewriter.replaceAllUsesWith(value, pixels.getResult());
    for (Operation *op : llvm::reverse(affine))
      rewriter.eraseOp(op);
    for (Operation *user : llvm::make_early_inc_range(quantize->getUsers()))
      if (isa<DequantizeOp>(user))
        rewriter.replaceOp(user, pixels.getResult());
    if (quantize->use_empty())
      rewriter.eraseOp(quantize);
  }

  /// A number for each channel of an image [B, C, H, W].
  static std::optional<SmallVector<double>> channelValues(Value value, size_t channels) {
    FailureOr<std::vector<double>> values = getFloatConstant(value);
    if (failed(values))
      return std::nullopt;
    if (values->size() == 1)
      return SmallVector<double>(channels, values->front());
    ArrayRef<int64_t> shape = shapeOf(value);
    if (values->size() != channels || shape.size() < 3 || shape.take_back(2) != ArrayRef<int64_t>{1, 1})
      return std::nullopt;
    return SmallVector<double>(ArrayRef<double>(*values));
  }
};

} // namespace
