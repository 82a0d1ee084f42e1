//===- CalibrationImages.cpp - Running a function on the calibration images -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalibrationImages.h"

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Data/Preprocess.h"
#include "vitq/Support/Progress.h"
#include "vitq/Tensor/MemoryPool.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"

#include <atomic>
#include <thread>

using namespace mlir;
using namespace ::vitq;

FailureOr<CalibrationImages> CalibrationImages::open(func::FuncOp function, StringRef data, StringRef preprocess,
                                                     uint64_t limit, const llvm::Twine &purpose) {
  auto module = function->getParentOfType<ModuleOp>();
  Location loc = module.getLoc();
  if (data.empty())
    return emitError(loc) << purpose << "measures on the calibration images: give them (data=, --calibration-data)";
  auto type = function.getNumArguments() == 1 ? dyn_cast<RankedTensorType>(function.getArgumentTypes().front())
                                              : RankedTensorType();
  if (!type || type.getRank() != 4 || !type.hasStaticShape() || type.getDimSize(0) < 1)
    return emitError(loc) << purpose << "needs a function @main of one image tensor [B, C, H, W]";
  std::string text = preprocess.str();
  if (auto own = module->getAttrOfType<StringAttr>(kPreprocessAttr); own && text.empty())
    text = own.str();
  data::Preprocess how;
  if (!text.empty()) {
    llvm::Expected<data::Preprocess> parsed = data::parsePreprocess(text);
    if (!parsed)
      return emitError(loc, llvm::toString(parsed.takeError()));
    how = *parsed;
  }
  CalibrationImages images;
  images.takesBytes = isa<quant::QuantizedType>(type.getElementType());
  const unsigned channels = images.takesBytes ? 3 : 1, height = images.takesBytes ? 1 : 2;
  const data::Size size{static_cast<int>(type.getDimSize(height)), static_cast<int>(type.getDimSize(height + 1))};
  auto source = data::ImageSource::open(data, how, static_cast<int>(type.getDimSize(channels)), size);
  if (!source)
    return emitError(loc, llvm::toString(source.takeError()));
  images.source = std::move(*source);
  images.shape.assign(type.getShape().begin(), type.getShape().end());
  images.count = limit ? std::min<uint64_t>(limit, images.source->size()) : images.source->size();
  if (images.source->height() != type.getDimSize(height) || images.source->width() != type.getDimSize(height + 1))
    return emitError(loc, "images of ") << data << " come out as " << images.source->height() << "x"
                                        << images.source->width() << ", the model takes " << type.getDimSize(height)
                                        << "x" << type.getDimSize(height + 1)
                                        << "; set resize= and crop= in --preprocess";
  return std::move(images);
}

FailureOr<Tensor> CalibrationImages::batch(uint64_t index, Location loc) const {
  Tensor batch = Tensor::allocate(takesBytes ? ElementKind::I8 : ElementKind::F32, shape);
  const int64_t size = batch.numElements() / shape.front();
  auto read = [&](auto image, auto *to) -> LogicalResult {
    if (!image)
      return emitError(loc, llvm::toString(image.takeError()));
    if constexpr (std::is_same_v<decltype(to), uint8_t *>)
      std::copy_n(image->pixels.begin(), size, to);
    else
      std::copy_n(image->begin(), size, to);
    return success();
  };
  for (int64_t b = 0; b < shape.front(); ++b) {
    const size_t image = std::min<uint64_t>(index * shape.front() + b, count - 1);
    if (failed(takesBytes ? read(source->pixels(image), batch.mutableData<uint8_t>() + b * size)
                          : read(source->normalized(image), batch.mutableData<float>() + b * size)))
      return failure();
  }
  return batch;
}

LogicalResult
CalibrationImages::run(const Interpreter &interpreter, StringRef title,
                       llvm::function_ref<std::function<void(Operation *, ArrayRef<Tensor>)>()> makeObserver) const {
  Progress progress(title, size());
  Location loc = interpreter.getFunction().getLoc();
  std::atomic<uint64_t> next{0};
  std::atomic<bool> failedAny{false};
  auto work = [&](const std::function<void(Operation *, ArrayRef<Tensor>)> &observe) {
    const MemoryPool pool;
    for (uint64_t index = next++; index < batches() && !failedAny; index = next++) {
      FailureOr<Tensor> input = batch(index, loc);
      SmallVector<Tensor> results;
      if (failed(input) || failed(interpreter.run({*input}, results, [&](Operation *op, ArrayRef<Tensor> tensors) {
            observe(op, tensors);
          })))
        failedAny = true;
      progress.advance(shape.front());
    }
  };
  const uint64_t count = std::min<uint64_t>(batches(), std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::function<void(Operation *, ArrayRef<Tensor>)>> observers;
  for (uint64_t i = 0; i < count; ++i)
    observers.push_back(makeObserver());
  std::vector<std::thread> workers;
  for (uint64_t i = 1; i < count; ++i)
    workers.emplace_back([&, i] { work(observers[i]); });
  work(observers.front());
  for (std::thread &worker : workers)
    worker.join();
  return failure(failedAny);
}
