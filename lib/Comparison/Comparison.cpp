//===- Comparison.cpp - A float model against a later phase, op by op -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Comparison/Comparison.h"
#include "Blocks.h"
#include "Sums.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/Support/Progress.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MathExtras.h"

#include <atomic>
#include <mutex>
#include <thread>

using namespace mlir;
using namespace vitq;
using namespace vitq::comparison;

namespace {

/// An error this far below its value is not worth a run of the model: that of 16-bit
/// sums and of floats.
constexpr double kNoErrorDb = 70;
/// Images that are looked at before their sums are added up. Fixed, so that the
/// order of additions does not depend on the threads.
constexpr int64_t kRound = 8;

/// What one run contributes.
struct Run {
  std::vector<Sums> sums;
  Power logits;
  int64_t agreeing = 0;
  /// Of the ranked images: the noise of each value's added error at the logits.
  std::vector<double> noiseAtLogits;
  double rankedSignal = 0;
};

/// One comparison: what its threads share.
class Comparer {
public:
  Comparer(const Interpreter &reference, const Interpreter &program,
           const std::function<llvm::Expected<Inputs>(int64_t)> &read, const ComparisonOptions &options);
  FailureOr<Comparison> run();

private:
  void work(int64_t from, int64_t to, std::atomic<int64_t> &next, std::vector<Run> &runs);
  LogicalResult runOne(int64_t first, Run &run);
  LogicalResult addErrors(const Inputs &inputs, const Interpreter::Record &record, const std::vector<Tensor> &reals,
                          const Tensor &logits, bool ranked, Run &run);
  FailureOr<Tensor> runProgram(const Inputs &inputs, std::vector<Tensor> &reals) const;
  std::optional<UniformParameters> logitsCodes() const;
  ValueFigures figuresOf(size_t index) const;
  void report(const llvm::Twine &message);

  const Interpreter &reference, &program;
  const std::function<llvm::Expected<Inputs>(int64_t)> &read;
  ComparisonOptions options;
  std::vector<Counterpart> pairs;
  llvm::DenseMap<Operation *, size_t> byReference;
  llvm::DenseMap<Operation *, SmallVector<size_t, 1>> byProgram;
  llvm::DenseMap<Operation *, int64_t> blocks;
  Value returned;
  Run total;
  std::mutex mutex;
  std::atomic<bool> failedAny = false;
  Progress progress;
};

} // namespace

static Value returnedValue(const Interpreter &interpreter) {
  return interpreter.getFunction().getBody().front().getTerminator()->getOperand(0);
}

Comparer::Comparer(const Interpreter &reference, const Interpreter &program,
                   const std::function<llvm::Expected<Inputs>(int64_t)> &read, const ComparisonOptions &options)
    : reference(reference), program(program), read(read), options(options),
      pairs(findCounterparts(reference.getFunction(), program.getFunction())),
      blocks(findBlocks(reference.getFunction())), returned(returnedValue(reference)),
      progress("comparing", static_cast<size_t>(options.images + std::min(options.images, options.rankedImages) *
                                                                     static_cast<int64_t>(pairs.size()))) {
  for (auto [i, pair] : llvm::enumerate(pairs)) {
    byReference[pair.reference.getOwner()] = i;
    byProgram[pair.program.getOwner()].push_back(i);
  }
}

/// Emits the first error only: others are consequences, or the same.
void Comparer::report(const llvm::Twine &message) {
  if (failedAny.exchange(true))
    return;
  progress.clear();
  emitError(reference.getFunction().getLoc(), message);
}

/// How the program's result is read: by its type, or the module's scale.
std::optional<UniformParameters> Comparer::logitsCodes() const {
  Value logits = returnedValue(program);
  if (quant::QuantizedType type = getQuantizedType(logits))
    return getUniformParameters(type);
  func::FuncOp function = program.getFunction();
  auto scale = function->getParentOfType<ModuleOp>()->getAttrOfType<FloatAttr>(kOutputScaleAttr);
  UniformParameters codes;
  codes.scales = {scale ? scale.getValueAsDouble() : 1.0};
  codes.zeroPoints = {0};
  codes.width = 32;
  return codes;
}

/// The program's logits, and its counterparts as reals.
FailureOr<Tensor> Comparer::runProgram(const Inputs &inputs, std::vector<Tensor> &reals) const {
  SmallVector<Tensor> results;
  auto observe = [&](Operation *op, ArrayRef<Tensor> tensors) {
    if (auto found = byProgram.find(op); found != byProgram.end())
      for (size_t index : found->second)
        reals[index] = realsOf(pairs[index], tensors);
  };
  if (failed(program.run(inputs.program, results, observe)))
    return failure();
  return comparison::dequantize(results.front(), logitsCodes());
}

/// Elements of the first `count` images of a batch.
static int64_t elementsOf(const Tensor &tensor, int64_t count, int64_t batch) {
  bool batched = !tensor.shape().empty() && tensor.shape()[0] == batch;
  return batched ? tensor.numElements() / batch * count : tensor.numElements();
}

/// Images whose largest logit is the same, the first of equal ones.
static int64_t countAgreeing(const Tensor &expected, const Tensor &logits, int64_t images) {
  int64_t classes = expected.shape().empty() ? 1 : expected.shape().back(), same = 0;
  for (int64_t first = 0; images > 0; --images, first += classes) {
    auto best = [&](const Tensor &tensor) {
      ArrayRef<float> row = tensor.values<float>().slice(first, classes);
      return llvm::max_element(row) - row.begin();
    };
    same += best(expected) == best(logits);
  }
  return same;
}

LogicalResult Comparer::runOne(int64_t first, Run &run) {
  llvm::Expected<Inputs> inputs = read(first);
  if (!inputs) {
    report(llvm::toString(inputs.takeError()));
    return failure();
  }
  run.sums.resize(pairs.size());
  run.noiseAtLogits.assign(pairs.size(), 0.0);
  std::vector<Tensor> reals(pairs.size());
  Interpreter::Record record;
  if (failed(reference.record(inputs->reference, record)))
    return failure();
  FailureOr<Tensor> logits = runProgram(*inputs, reals);
  if (failed(logits))
    return failure();
  Tensor expected = comparison::dequantize(reference.valueOf(record, returned), std::nullopt);
  run.logits.add(expected, *logits, elementsOf(expected, inputs->count, options.batch));
  for (auto [i, pair] : llvm::enumerate(pairs)) {
    const Tensor &value = reference.valueOf(record, pair.reference);
    run.sums[i].add(seen(pair, value, value), seen(pair, reals[i], value),
                    pair.codes && !pair.rowSums ? &*pair.codes : nullptr,
                    elementsOf(value, inputs->count, options.batch));
  }
  run.agreeing = countAgreeing(expected, *logits, inputs->count);
  progress.advance(static_cast<size_t>(inputs->count));
  return addErrors(*inputs, record, reals, expected, first < options.rankedImages, run);
}

/// Runs the reference on the program's own values: where an op has a counterpart,
/// what it computes from them is compared, and ops after it get the program's.
LogicalResult Comparer::addErrors(const Inputs &inputs, const Interpreter::Record &record,
                                  const std::vector<Tensor> &reals, const Tensor &logits, bool ranked, Run &run) {
  std::vector<Tensor> errors(pairs.size());
  auto substitute = [&](Operation *op, MutableArrayRef<Tensor> tensors) {
    auto found = byReference.find(op);
    if (found == byReference.end())
      return;
    size_t index = found->second;
    Tensor &computed = tensors[pairs[index].reference.getResultNumber()];
    Power error;
    error.add(seen(pairs[index], computed, computed), seen(pairs[index], reals[index], computed),
              elementsOf(computed, inputs.count, options.batch));
    run.sums[index].added.add(error);
    std::optional<double> decibels = error.decibels();
    if (ranked && (error.noise > 0 && decibels.value_or(0) < kNoErrorDb))
      errors[index] = subtract(seen(pairs[index], reals[index], computed), seen(pairs[index], computed, computed));
    computed = reals[index];
  };
  SmallVector<Tensor> results;
  if (failed(reference.run(inputs.reference, results, substitute)))
    return failure();
  if (!ranked)
    return success();
  int64_t count = elementsOf(logits, inputs.count, options.batch);
  for (auto [i, pair] : llvm::enumerate(pairs)) {
    progress.advance(static_cast<size_t>(inputs.count));
    if (errors[i].empty())
      continue;
    Tensor changed = comparison::add(reference.valueOf(record, pair.reference), errors[i]);
    if (failed(reference.rerun(record, pair.reference, changed, results)))
      return failure();
    Power power;
    power.add(logits, comparison::dequantize(results.front(), std::nullopt), count);
    run.noiseAtLogits[i] = power.noise;
  }
  Power signal;
  signal.add(logits, logits, count);
  run.rankedSignal = signal.signal;
  return success();
}

void Comparer::work(int64_t from, int64_t to, std::atomic<int64_t> &next, std::vector<Run> &runs) {
  while (!failedAny) {
    int64_t first = next.fetch_add(options.batch);
    if (first >= to)
      return;
    if (failed(runOne(first, runs[static_cast<size_t>((first - from) / options.batch)])))
      failedAny = true;
  }
}

FailureOr<Comparison> Comparer::run() {
  total.sums.resize(pairs.size());
  total.noiseAtLogits.assign(pairs.size(), 0.0);
  int64_t threads = options.threads ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  for (int64_t from = 0, step = kRound * options.batch; from < options.images && !failedAny; from += step) {
    int64_t to = std::min(options.images, from + step), count = llvm::divideCeilSigned(to - from, options.batch);
    std::atomic<int64_t> next = from;
    std::vector<Run> runs(static_cast<size_t>(count));
    std::vector<std::thread> workers;
    for (int64_t i = 1; i < std::min(threads, count); ++i)
      workers.emplace_back([&] { work(from, to, next, runs); });
    work(from, to, next, runs);
    for (std::thread &worker : workers)
      worker.join();
    if (failedAny)
      return failure();
    for (const Run &run : runs) {
      for (size_t i = 0; i < pairs.size(); ++i) {
        total.sums[i].add(run.sums[i]);
        total.noiseAtLogits[i] += run.noiseAtLogits[i];
      }
      total.logits.add(run.logits);
      total.agreeing += run.agreeing;
      total.rankedSignal += run.rankedSignal;
    }
  }
  Comparison comparison;
  comparison.images = options.images;
  comparison.rankedImages = std::min(options.images, options.rankedImages);
  comparison.logitsSqnrDb = total.logits.decibels();
  comparison.agreement = static_cast<double>(total.agreeing) / static_cast<double>(options.images);
  for (size_t i = 0; i < pairs.size(); ++i)
    comparison.values.push_back(figuresOf(i));
  return comparison;
}

ValueFigures Comparer::figuresOf(size_t index) const {
  const Counterpart &pair = pairs[index];
  const Sums &sums = total.sums[index];
  ValueFigures figures;
  Operation *op = pair.reference.getOwner();
  figures.node = nodeName(op->getLoc());
  figures.referenceOp = op->getName().getStringRef().str();
  figures.op = pair.program.getOwner()->getName().getStringRef().str();
  if (auto id = pair.program.getOwner()->getAttrOfType<IntegerAttr>(integer::kIdAttr))
    figures.id = id.getInt();
  if (auto block = blocks.find(op); block != blocks.end())
    figures.block = block->second;
  figures.residual = isResidualAdd(op);
  if (pair.codes) {
    figures.bits = pair.codes->width;
    figures.scale = *llvm::max_element(pair.codes->scales);
  }
  figures.referenceMin = sums.referenceMin;
  figures.referenceMax = sums.referenceMax;
  figures.min = sums.min;
  figures.max = sums.max;
  figures.sqnrDb = sums.power.decibels();
  figures.maxError = sums.maxError;
  figures.saturation = sums.elements ? static_cast<double>(sums.saturated) / static_cast<double>(sums.elements) : 0;
  if (sums.power.noise > 0) {
    auto worst = llvm::max_element(sums.channelNoise);
    figures.worstChannel = worst - sums.channelNoise.begin();
    figures.worstChannelShare = *worst / sums.power.noise;
  }
  figures.addedSqnrDb = sums.added.decibels();
  double noise = total.noiseAtLogits[index], all = 0;
  for (double part : total.noiseAtLogits)
    all += part;
  figures.addedAtLogitsDb = Power{total.rankedSignal, noise}.decibels();
  figures.addedShare = all > 0 ? noise / all : 0;
  return figures;
}

std::vector<size_t> Comparison::ranking() const {
  std::vector<size_t> order;
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].addedShare > 0)
      order.push_back(i);
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::make_pair(-values[a].addedShare, a) < std::make_pair(-values[b].addedShare, b);
  });
  return order;
}

std::vector<size_t> Comparison::residualStream() const {
  std::vector<size_t> order;
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].residual)
      order.push_back(i);
  return order;
}

FailureOr<Comparison> comparison::compare(const Interpreter &reference, const Interpreter &program,
                                          const std::function<llvm::Expected<Inputs>(int64_t)> &read,
                                          const ComparisonOptions &options) {
  return Comparer(reference, program, read, options).run();
}
