//===- TakePixels.cpp - What the program reads -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeDetail.h"

#include "vitq/Data/Preprocess.h"
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
    return success();
  }
};

} // namespace
