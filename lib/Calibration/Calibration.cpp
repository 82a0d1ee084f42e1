//===- Calibration.cpp - Ranges of a float model's values -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Calibration/Calibration.h"

#include "Statistics.h"

#include "vitq/Interpreter/Interpreter.h"
#include "vitq/Support/Progress.h"
#include "vitq/Tensor/MemoryPool.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/xxhash.h"

#include <atomic>
#include <mutex>
#include <thread>

using namespace mlir;
using namespace vitq;
using namespace vitq::calibration;

namespace {

/// One calibration: what all threads share.
class Calibrator {
public:
  Calibrator(const Interpreter &interpreter, const data::ImageSource &source, uint64_t images)
      : interpreter(interpreter), source(source), images(images), values(collectValues(interpreter.getFunction())),
        hashes(images), total(emptyStatistics()), progress("calibrating", images) {
    shape = cast<ShapedType>(interpreter.getFunction().getArgument(0).getType()).getShape();
    for (auto [i, value] : llvm::enumerate(values))
      if (value.op)
        indices[{value.op, value.result}] = i;
  }

  FailureOr<RangeTable> run(unsigned threads);

private:
  std::vector<Statistics> emptyStatistics() const { return std::vector<Statistics>(values.begin(), values.end()); }
  void work();
  LogicalResult runBatch(uint64_t first, std::vector<Statistics> &local);
  FailureOr<Tensor> readBatch(uint64_t first);
  void report(Location location, const llvm::Twine &message);
  void look(uint64_t image, ArrayRef<float> values);
  void warnAboutImages() const;

  const Interpreter &interpreter;
  const data::ImageSource &source;
  uint64_t images;
  std::vector<NamedValue> values;
  llvm::DenseMap<std::pair<Operation *, unsigned>, size_t> indices;
  ArrayRef<int64_t> shape;

  /// Whether any image has more than one colour, and what tells images apart; each
  /// image writes its own element.
  std::atomic<bool> anyShape = false;
  std::vector<uint64_t> hashes;

  std::mutex mutex;
  std::vector<Statistics> total;
  std::atomic<uint64_t> next = 0;
  std::atomic<bool> failedAny = false;
  Progress progress;
};

} // namespace

/// Emits the first error only: others are consequences, or the same.
void Calibrator::report(Location location, const llvm::Twine &message) {
  if (failedAny.exchange(true))
    return;
  progress.clear();
  emitError(location, message);
}

/// Notes what `warnAboutImages` wants to know.
void Calibrator::look(uint64_t image, ArrayRef<float> values) {
  hashes[image] = llvm::xxh3_64bits(
      ArrayRef<uint8_t>(reinterpret_cast<const uint8_t *>(values.data()), values.size() * sizeof(float)));
  const size_t channel = values.size() / source.channels();
  for (size_t c = 0; c < values.size() && !anyShape; c += channel)
    if (!llvm::all_equal(values.slice(c, channel)))
      anyShape = true;
}

/// Images without content calibrate a model for nothing that it will see, and images
/// that others would see turned may not be what was meant.
void Calibrator::warnAboutImages() const {
  func::FuncOp function = interpreter.getFunction();
  auto module = function->getParentOfType<ModuleOp>();
  Location location = module ? module.getLoc() : function.getLoc();
  const char *useless = "the ranges are of these only, and on other images the program will clip and be wrong; give 30 "
                        "to 100 images of the kind that the model will see";
  std::string count =
      images == 1 ? "the only calibration image" : "all " + std::to_string(images) + " calibration images";
  if (!anyShape)
    emitWarning(location) << source.path() << ": " << count << (images == 1 ? " is" : " are")
                          << " blank (one colour each): " << useless;
  else if (images > 1 && llvm::all_equal(hashes))
    emitWarning(location) << source.path() << ": " << count << " are the same: " << useless;
  if (std::string remark = source.orientationRemark(); !remark.empty())
    emitRemark(location) << remark;
}

/// The images from `first` on; the last one fills a batch up.
FailureOr<Tensor> Calibrator::readBatch(uint64_t first) {
  Tensor batch = Tensor::allocate(ElementKind::F32, shape);
  size_t size = batch.numElements() / shape[0];
  for (int64_t b = 0; b < shape[0]; ++b) {
    llvm::Expected<std::vector<float>> image = source.normalized(std::min(first + b, images - 1));
    if (!image) {
      report(interpreter.getFunction().getLoc(), llvm::toString(image.takeError()));
      return failure();
    }
    look(std::min(first + b, images - 1), *image);
    std::copy_n(image->begin(), size, batch.mutableData<float>() + b * size);
  }
  return batch;
}

LogicalResult Calibrator::runBatch(uint64_t first, std::vector<Statistics> &local) {
  FailureOr<Tensor> input = readBatch(first);
  if (failed(input))
    return failure();
  int64_t counted = std::min<uint64_t>(shape[0], images - first);
  auto add = [&](size_t index, const Tensor &tensor) {
    if (!local[index].add(tensor, shape[0], counted))
      report(values[index].op ? values[index].op->getLoc() : interpreter.getFunction().getLoc(),
             "'" + values[index].name + "' has a value that is NaN or infinite for image " +
                 source.name(std::min(first, images - 1)) + "; check the model's weights and --preprocess");
  };
  add(0, *input);
  SmallVector<Tensor> results;
  return interpreter.run({*input}, results, [&](Operation *op, ArrayRef<Tensor> tensors) {
    for (auto [number, tensor] : llvm::enumerate(tensors))
      if (auto found = indices.find({op, static_cast<unsigned>(number)}); found != indices.end() && !failedAny)
        add(found->second, tensor);
  });
}

void Calibrator::work() {
  const MemoryPool pool;
  std::vector<Statistics> local = emptyStatistics();
  uint64_t batch = static_cast<uint64_t>(shape[0]);
  while (!failedAny) {
    uint64_t first = next.fetch_add(batch);
    if (first >= images)
      break;
    if (failed(runBatch(first, local)))
      failedAny = true;
    progress.advance(std::min(batch, images - first));
  }
  std::lock_guard<std::mutex> lock(mutex);
  for (auto [sum, part] : llvm::zip_equal(total, local))
    sum.merge(part);
}

FailureOr<RangeTable> Calibrator::run(unsigned threads) {
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < threads; ++i)
    workers.emplace_back([this] { work(); });
  work();
  for (std::thread &worker : workers)
    worker.join();
  if (failedAny)
    return failure();
  warnAboutImages();
  RangeTable table;
  table.images = images;
  table.fingerprint = fingerprint(interpreter.getFunction());
  table.preprocess = data::toString(source.preprocess());
  for (auto [value, statistics] : llvm::zip_equal(values, total)) {
    table.ranges[value.name] = statistics.range();
    if (statistics.histogram())
      table.histograms[value.name] = *statistics.histogram();
    if (std::optional<ChannelStatistics> channels = statistics.channels())
      table.channels[value.name] = std::move(*channels);
  }
  return table;
}

FailureOr<RangeTable> calibration::calibrate(func::FuncOp function, const data::ImageSource &source,
                                             const CalibrationOptions &options) {
  auto type = function.getNumArguments() == 1 ? dyn_cast<RankedTensorType>(function.getArgument(0).getType()) : nullptr;
  if (!type || type.getRank() != 4 || !type.hasStaticShape() || !isa<FloatType>(type.getElementType()) ||
      type.getDimSize(0) < 1)
    return emitError(function.getLoc(), "calibration needs a function of one float image tensor [B, C, H, W]");
  if (source.channels() != type.getDimSize(1) || source.height() != type.getDimSize(2) ||
      source.width() != type.getDimSize(3))
    return emitError(function.getLoc(), "images of ")
           << source.path() << " come out as " << source.channels() << "x" << source.height() << "x" << source.width()
           << " (channels, height, width), the model takes " << type.getDimSize(1) << "x" << type.getDimSize(2) << "x"
           << type.getDimSize(3) << "; set resize= and crop= in --preprocess";
  FailureOr<std::unique_ptr<Interpreter>> interpreter = Interpreter::create(function);
  if (failed(interpreter))
    return failure();
  uint64_t images = std::min<uint64_t>(source.size(), options.limit);
  if (images == 0)
    return emitError(function.getLoc(), "calibration needs at least one image; the limit is 0");
  unsigned threads = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  Calibrator calibrator(**interpreter, source, images);
  return calibrator.run(static_cast<unsigned>(std::min<uint64_t>(threads, images)));
}
