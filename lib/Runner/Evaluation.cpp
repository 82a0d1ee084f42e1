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
  for (int64_t label = 1; label < size; ++label)
    if (logit(image, label) > logit(image, best))
      best = label;
  return best;
}

int64_t Outputs::rank(int64_t image, int64_t label) const {
  int64_t rank = 0;
  double own = logit(image, label);
  for (int64_t other = 0; other < size; ++other)
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
  Evaluator(llvm::ArrayRef<Subject> subjects, const data::ImageSource &source, int64_t images)
      : subjects(subjects), source(source), images(images), outputs(subjects.size()),
        progress("images", static_cast<size_t>(images)) {
    for (const Subject &subject : subjects)
      step = std::max(step, subject.program->info().batch());
  }

  llvm::Expected<std::vector<std::vector<Outputs>>> run(int64_t threadsOfProgram);

private:
  llvm::Error allocate();
  void work();
  llvm::Error runChunk(int64_t from, int64_t to);
  void store(Outputs &to, const Tensor &batch, int64_t first, int64_t count);

  llvm::ArrayRef<Subject> subjects;
  const data::ImageSource &source;
  int64_t images;
  /// Images that a thread takes at a time.
  int64_t step = 1;
  std::vector<std::vector<Outputs>> outputs;
  std::atomic<int64_t> next = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::string error;
  Progress progress;
};

/// What all outputs may need of memory.
constexpr int64_t kMaxOutputBytes = int64_t(1) << 34;

} // namespace

llvm::Error Evaluator::allocate() {
  int64_t bytes = 0;
  for (auto [subject, own] : llvm::zip_equal(subjects, outputs))
    for (size_t i = 0; i < subject.outputs.size(); ++i) {
      const OutputInfo &info = subject.output(i);
      bytes = llvm::SaturatingAdd<uint64_t>(bytes, llvm::SaturatingMultiply<uint64_t>(images, info.size() * 4));
      if (bytes < 0 || bytes > kMaxOutputBytes)
        return llvm::createStringError(subject.program->info().path + ": output '" + info.name + "' has " +
                                       llvm::Twine(info.size()) + " numbers for an image, too many for " +
                                       llvm::Twine(images) + " images; look at fewer with --limit=N");
      Outputs &output = own.emplace_back();
      output.isFloat = info.isFloat;
      output.size = info.size();
      const auto size = static_cast<size_t>(images * output.size);
      output.isFloat ? output.floats.resize(size) : output.codes.resize(size);
    }
  return llvm::Error::success();
}

/// Threads write disjoint images.
void Evaluator::store(Outputs &to, const Tensor &batch, int64_t first, int64_t count) {
  if (to.isFloat)
    std::copy_n(batch.data<float>(), count * to.size, to.floats.begin() + first * to.size);
  else
    std::copy_n(batch.data<int32_t>(), count * to.size, to.codes.begin() + first * to.size);
}

llvm::Error Evaluator::runChunk(int64_t from, int64_t to) {
  for (auto [subject, own] : llvm::zip_equal(subjects, outputs)) {
    const ProgramInfo &info = subject.program->info();
    for (int64_t first = from; first < to; first += info.batch()) {
      llvm::Expected<Tensor> input = readBatch(info, source, first, images);
      if (!input)
        return input.takeError();
      auto results = subject.program->run(*input);
      if (!results)
        return results.takeError();
      for (auto [number, output] : llvm::zip_equal(subject.outputs, own))
        store(output, (*results)[number], first, std::min(info.batch(), to - first));
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

llvm::Expected<std::vector<std::vector<Outputs>>> Evaluator::run(int64_t threadsOfProgram) {
  if (llvm::Error failure = allocate())
    return failure;
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

llvm::Expected<std::vector<std::vector<Outputs>>> runner::runAll(llvm::ArrayRef<Subject> subjects,
                                                                 const data::ImageSource &source, int64_t images,
                                                                 int64_t threadsOfProgram) {
  return Evaluator(subjects, source, images).run(threadsOfProgram);
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
  if (outputs.size > 5)
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

comparison::OutputFigures runner::compareOutputs(const OutputInfo &own, const Outputs &outputs,
                                                 const OutputInfo &reference, const Outputs &referenceOutputs) {
  const int64_t images = outputs.images();
  comparison::OutputFigures figures{own.name, std::nullopt, std::nullopt};
  if (own.hasClasses()) {
    int64_t same = 0;
    for (int64_t i = 0; i < images; ++i)
      same += outputs.best(i) == referenceOutputs.best(i);
    figures.agreement = static_cast<double>(same) / static_cast<double>(images);
  }
  if (!own.scale || !reference.scale)
    return figures;
  double signal = 0, noise = 0;
  for (int64_t image = 0; image < images; ++image)
    for (int64_t i = 0; i < outputs.size; ++i) {
      double expected = *reference.scale * referenceOutputs.logit(image, i);
      double difference = expected - *own.scale * outputs.logit(image, i);
      signal += expected * expected;
      noise += difference * difference;
    }
  // Equal numbers have no finite ratio.
  if (noise > 0 && signal > 0)
    figures.sqnrDb = 10 * std::log10(signal / noise);
  return figures;
}

llvm::Expected<comparison::Comparison> runner::compareOpByOp(const Subject &referenceSubject, const Subject &subject,
                                                             const data::ImageSource &source, int64_t images,
                                                             int64_t rankedImages) {
  const Program &reference = *referenceSubject.program, &program = *subject.program;
  const Interpreter *expected = reference.getInterpreter(), *actual = program.getInterpreter();
  for (const Program *other : {&reference, &program})
    if (!other->getInterpreter())
      return llvm::createStringError(
          other->info().path +
          ": a compiled program cannot be compared op by op; write its integer phase, which computes the same, with "
          "vitq-opt --stop-after=integer --emit=mlir, and compare that");
  const bool floatOutputs = llvm::all_of(reference.info().outputs, [](const OutputInfo &o) { return o.isFloat; });
  if (!reference.info().floatInput || !floatOutputs)
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
  for (auto [own, other] : llvm::zip_equal(subject.outputs, referenceSubject.outputs))
    options.outputs.emplace_back(own, other);
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
