//===- Evaluation.cpp - Outputs of programs on images -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/Evaluation.h"

#include "vitq/Support/Progress.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <atomic>
#include <cmath>
#include <mutex>
#include <thread>

using namespace vitq;
using namespace vitq::runner;

int64_t Outputs::best(int64_t image) const {
  int64_t best = 0;
  for (int64_t label = 1; label < classes; ++label)
    if (logit(image, label) > logit(image, best))
      best = label;
  return best;
}

int64_t Outputs::rank(int64_t image, int64_t label) const {
  int64_t rank = 0;
  double own = logit(image, label);
  for (int64_t other = 0; other < classes; ++other)
    rank += logit(image, other) > own || (logit(image, other) == own && other < label);
  return rank;
}

llvm::Error runner::checkSource(const ProgramInfo &info, const data::ImageSource &source) {
  if (source.isNormalizedFloat() && !info.floatInput)
    return llvm::createStringError(info.path + ": takes bytes of pixels; " + source.path() +
                                   " holds normalized inputs, which only a float model takes");
  if (source.channels() == info.channels() && source.height() == info.height() && source.width() == info.width())
    return llvm::Error::success();
  auto describe = [](int64_t channels, int64_t height, int64_t width) {
    return std::to_string(channels) + "x" + std::to_string(height) + "x" + std::to_string(width);
  };
  return llvm::createStringError(
      source.path() + ": images come out as " + describe(source.channels(), source.height(), source.width()) +
      " (channels, height, width), " + info.path + " takes " + describe(info.channels(), info.height(), info.width()) +
      "; set resize= and crop= in --preprocess");
}

llvm::Expected<Tensor> runner::readBatch(const ProgramInfo &info, const data::ImageSource &source, int64_t first,
                                         int64_t images) {
  Tensor batch = Tensor::allocate(info.floatInput ? ElementKind::F32 : ElementKind::I8, info.inputShape);
  int64_t area = info.height() * info.width(), channels = info.channels(), size = area * channels;
  for (int64_t slot = 0; slot < info.batch(); ++slot) {
    auto index = static_cast<size_t>(std::min(first + slot, images - 1));
    if (info.floatInput) {
      llvm::Expected<std::vector<float>> values = source.normalized(index);
      if (!values)
        return values.takeError();
      std::copy_n(values->begin(), size, batch.mutableData<float>() + slot * size);
      continue;
    }
    llvm::Expected<data::Image> image = source.pixels(index);
    if (!image)
      return image.takeError();
    uint8_t *to = batch.mutableData<uint8_t>() + slot * size;
    for (int64_t i = 0; i < size; ++i)
      to[i] = image->pixels[info.channelsFirst ? i % area * channels + i / area : i];
  }
  return batch;
}

namespace {

/// One evaluation: what its threads share.
class Evaluator {
public:
  Evaluator(llvm::ArrayRef<const Program *> programs, const data::ImageSource &source, int64_t images)
      : programs(programs), source(source), images(images), outputs(programs.size()),
        progress("images", static_cast<size_t>(images)) {
    for (const Program *program : programs)
      step = std::max(step, program->info().batch());
  }

  llvm::Expected<std::vector<Outputs>> run(int64_t threadsOfProgram);

private:
  void work();
  llvm::Error runChunk(int64_t from, int64_t to);
  void store(Outputs &to, const Tensor &batch, int64_t first, int64_t count);

  llvm::ArrayRef<const Program *> programs;
  const data::ImageSource &source;
  int64_t images;
  /// Images that a thread takes at a time.
  int64_t step = 1;
  std::vector<Outputs> outputs;
  std::atomic<int64_t> next = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::string error;
  Progress progress;
};

} // namespace

/// Threads write disjoint images.
void Evaluator::store(Outputs &to, const Tensor &batch, int64_t first, int64_t count) {
  if (to.isFloat)
    std::copy_n(batch.data<float>(), count * to.classes, to.floats.begin() + first * to.classes);
  else
    std::copy_n(batch.data<int32_t>(), count * to.classes, to.codes.begin() + first * to.classes);
}

llvm::Error Evaluator::runChunk(int64_t from, int64_t to) {
  for (auto [program, output] : llvm::zip_equal(programs, outputs)) {
    const ProgramInfo &info = program->info();
    for (int64_t first = from; first < to; first += info.batch()) {
      llvm::Expected<Tensor> input = readBatch(info, source, first, images);
      if (!input)
        return input.takeError();
      llvm::Expected<Tensor> result = program->run(*input);
      if (!result)
        return result.takeError();
      store(output, *result, first, std::min(info.batch(), to - first));
    }
  }
  return llvm::Error::success();
}

void Evaluator::work() {
  while (!stop) {
    int64_t from = next.fetch_add(step);
    if (from >= images)
      return;
    int64_t to = std::min(images, from + step);
    if (llvm::Error failure = runChunk(from, to)) {
      std::lock_guard<std::mutex> lock(mutex);
      std::string text = llvm::toString(std::move(failure));
      if (!stop.exchange(true))
        error = std::move(text);
      return;
    }
    progress.advance(static_cast<size_t>(to - from));
  }
}

llvm::Expected<std::vector<Outputs>> Evaluator::run(int64_t threadsOfProgram) {
  for (auto [program, output] : llvm::zip_equal(programs, outputs)) {
    output.isFloat = program->info().floatOutput;
    output.classes = program->info().classes();
    size_t size = static_cast<size_t>(images * output.classes);
    output.isFloat ? output.floats.resize(size) : output.codes.resize(size);
  }
  int64_t threads = std::max<int64_t>(1, std::thread::hardware_concurrency() / std::max<int64_t>(threadsOfProgram, 1));
  threads = std::min(threads, llvm::divideCeilSigned(images, step));
  std::vector<std::thread> workers;
  for (int64_t i = 1; i < threads; ++i)
    workers.emplace_back([this] { work(); });
  work();
  for (std::thread &worker : workers)
    worker.join();
  if (stop)
    return llvm::createStringError(error);
  return std::move(outputs);
}

llvm::Expected<std::vector<Outputs>> runner::runAll(llvm::ArrayRef<const Program *> programs,
                                                    const data::ImageSource &source, int64_t images,
                                                    int64_t threadsOfProgram) {
  return Evaluator(programs, source, images).run(threadsOfProgram);
}

//===----------------------------------------------------------------------===//
// Figures
//===----------------------------------------------------------------------===//

static double percentOf(int64_t part, int64_t whole) {
  return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

Accuracy runner::accuracyOf(const Outputs &outputs, llvm::ArrayRef<int64_t> labels) {
  int64_t first = 0, five = 0, images = outputs.images();
  for (int64_t i = 0; i < images; ++i) {
    int64_t rank = outputs.rank(i, labels[i]);
    first += rank == 0;
    five += rank < 5;
  }
  Accuracy accuracy{percentOf(first, images), std::nullopt};
  if (outputs.classes > 5)
    accuracy.top5 = percentOf(five, images);
  return accuracy;
}

llvm::Expected<std::vector<int64_t>> runner::readLabels(llvm::StringRef path, const data::ImageSource &source,
                                                        int64_t images, int64_t classes) {
  llvm::Expected<std::vector<int64_t>> labels = data::readLabels(path, source);
  if (!labels)
    return labels.takeError();
  for (int64_t i = 0; i < images; ++i)
    if ((*labels)[i] >= classes)
      return llvm::createStringError(llvm::formatv("{0}: image '{1}' has class {2}, the program has {3} classes", path,
                                                   source.name(i), (*labels)[i], classes)
                                         .str());
  labels->resize(images);
  return labels;
}

Agreement runner::agreementOf(const ProgramInfo &program, const Outputs &outputs, const ProgramInfo &reference,
                              const Outputs &referenceOutputs) {
  int64_t same = 0, images = outputs.images();
  double signal = 0, noise = 0;
  std::optional<double> scale = program.outputScale, otherScale = reference.outputScale;
  for (int64_t i = 0; i < images; ++i) {
    same += outputs.best(i) == referenceOutputs.best(i);
    for (int64_t label = 0; scale && otherScale && label < outputs.classes; ++label) {
      double expected = *otherScale * referenceOutputs.logit(i, label);
      double difference = expected - *scale * outputs.logit(i, label);
      signal += expected * expected;
      noise += difference * difference;
    }
  }
  Agreement agreement{percentOf(same, images), std::nullopt};
  // Equal logits have no finite ratio.
  if (scale && otherScale && noise > 0 && signal > 0)
    agreement.logitsSqnrDb = 10 * std::log10(signal / noise);
  return agreement;
}

llvm::Expected<comparison::Comparison> runner::compareOpByOp(const Program &reference, const Program &program,
                                                             const data::ImageSource &source, int64_t images,
                                                             int64_t rankedImages) {
  const Interpreter *expected = reference.getInterpreter(), *actual = program.getInterpreter();
  for (const Program *other : {&reference, &program})
    if (!other->getInterpreter())
      return llvm::createStringError(
          other->info().path +
          ": a compiled program cannot be compared op by op; write its integer phase, which computes the same, with "
          "vitq-opt --stop-after=integer --emit=mlir, and compare that");
  if (!reference.info().floatInput || !reference.info().floatOutput)
    return llvm::createStringError(reference.info().path +
                                   ": is no float model; --reference must be the original .onnx, or its float phase");
  if (reference.info().batch() != program.info().batch())
    return llvm::createStringError(llvm::formatv("{0} takes batches of {1}, {2} of {3}; op by op they must be equal",
                                                 reference.info().path, reference.info().batch(), program.info().path,
                                                 program.info().batch())
                                       .str());
  comparison::ComparisonOptions options;
  options.images = images;
  options.batch = reference.info().batch();
  options.rankedImages = rankedImages;
  auto read = [&](int64_t first) -> llvm::Expected<comparison::Inputs> {
    llvm::Expected<Tensor> real = readBatch(reference.info(), source, first, images);
    if (!real)
      return real.takeError();
    llvm::Expected<Tensor> codes = readBatch(program.info(), source, first, images);
    if (!codes)
      return codes.takeError();
    return comparison::Inputs{*real, *codes, std::min(options.batch, images - first)};
  };
  mlir::FailureOr<comparison::Comparison> result = comparison::compare(*expected, *actual, read, options);
  if (succeeded(result))
    return std::move(*result);
  std::string text = reference.takeDiagnostics() + program.takeDiagnostics();
  return llvm::createStringError(text.empty() ? program.info().path + ": cannot be compared" : text);
}
