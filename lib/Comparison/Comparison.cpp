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

#include "dialects/vit/Vit.h"
#include "dialects/vitq/Vitq.h"
#include "vitq/Analysis/ProgramResults.h"
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
/// An error whose noise at the outputs is so many times that of the whole program does not reach them: a pass has moved
/// it, as where a value is held less its mean, or a later layer was fitted to take it back.
constexpr double kMadeGood = 4;

/// A result of both functions.
struct Output {
  /// What the program calls it.
  std::string name;
  Value reference;
  size_t referenceNumber, programNumber;
  /// How the program's is read.
  std::optional<UniformParameters> codes;
  bool hasClasses;
};

/// What one run contributes to an output.
struct OutputSums {
  Power power;
  int64_t agreeing = 0;
  /// Of the ranked images: the noise of each value's added error here, the signal, and the program's noise.
  std::vector<double> addedNoise;
  double rankedSignal = 0, rankedNoise = 0;

  /// What noise counts in: that of several outputs in their signals, one output's needs none.
  double unit(size_t outputs) const {
    return outputs == 1 ? 1 : rankedSignal > 0 ? rankedSignal : std::numeric_limits<double>::infinity();
  }

  void add(const OutputSums &other) {
    power.add(other.power);
    agreeing += other.agreeing;
    rankedSignal += other.rankedSignal;
    rankedNoise += other.rankedNoise;
    for (auto [sum, noise] : llvm::zip_equal(addedNoise, other.addedNoise))
      sum += noise;
  }
};

/// What one run contributes.
struct Run {
  /// Nothing is added up yet.
  void clear(size_t pairs, size_t numOutputs) {
    sums.resize(pairs);
    curves.resize(pairs);
    outputs.resize(numOutputs);
    for (OutputSums &output : outputs)
      output.addedNoise.assign(pairs, 0.0);
  }

  std::vector<Sums> sums;
  std::vector<Curve> curves;
  std::vector<OutputSums> outputs;
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
                          bool ranked, Run &run);
  void addCurve(size_t index, const std::vector<Tensor> &reals, const Tensor &exact, Curve &curve) const;
  LogicalResult rankErrors(const Inputs &inputs, const Interpreter::Record &record, ArrayRef<Tensor> errors, Run &run);
  LogicalResult runProgram(const Inputs &inputs, SmallVector<Tensor> &results, std::vector<Tensor> &reals) const;
  LogicalResult findOutputs();
  Tensor expectedOf(const Output &output, const Interpreter::Record &record) const {
    return comparison::dequantize(reference.valueOf(record, output.reference), std::nullopt);
  }
  OutputFigures figuresOf(const Output &output, const OutputSums &sums) const;
  ValueFigures figuresOf(size_t index) const;
  double addedNoise(size_t index) const;
  bool isMadeGood(size_t index) const;
  void setAdded(size_t index, ValueFigures &figures) const;
  void report(const llvm::Twine &message);

  const Interpreter &reference, &program;
  const std::function<llvm::Expected<Inputs>(int64_t)> &read;
  ComparisonOptions options;
  std::vector<Counterpart> pairs;
  llvm::DenseMap<Operation *, size_t> byReference;
  llvm::DenseMap<Operation *, SmallVector<size_t, 1>> byProgram;
  llvm::DenseMap<Operation *, int64_t> blocks;
  std::vector<Output> outputs;
  Run total;
  std::mutex mutex;
  std::atomic<bool> failedAny = false;
  Progress progress;
};

} // namespace

Comparer::Comparer(const Interpreter &reference, const Interpreter &program,
                   const std::function<llvm::Expected<Inputs>(int64_t)> &read, const ComparisonOptions &options)
    : reference(reference), program(program), read(read), options(options),
      pairs(findCounterparts(reference.getFunction(), program.getFunction())),
      blocks(findBlocks(reference.getFunction())),
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

/// Pairs the results. Each is read by its type, or the module's scale.
LogicalResult Comparer::findOutputs() {
  func::FuncOp own = program.getFunction(), other = reference.getFunction();
  const SmallVector<std::string> names = resultNames(own);
  const SmallVector<double> scales = getOutputScales(own->getParentOfType<ModuleOp>(), own.getNumResults());
  std::vector<std::pair<size_t, size_t>> numbers = options.outputs;
  if (numbers.empty())
    for (size_t i = 0, e = std::min(own.getNumResults(), other.getNumResults()); i < e; ++i)
      numbers.emplace_back(i, i);
  for (auto [programNumber, referenceNumber] : numbers) {
    auto type = cast<ShapedType>(own.getResultTypes()[programNumber]),
         expected = cast<ShapedType>(other.getResultTypes()[referenceNumber]);
    if (type.getShape() != expected.getShape())
      return emitError(other.getLoc()) << "the output '" << names[programNumber] << "' is of " << expected
                                       << ", that of the program is of " << type;
    std::optional<UniformParameters> codes = getUniformParameters(type.getElementType());
    if (!codes && type.getElementType().isInteger()) {
      codes.emplace();
      codes->scales = {scales[programNumber] > 0 ? scales[programNumber] : 1.0};
      codes->zeroPoints = {0};
      codes->width = 32;
    }
    Value value = other.getBody().front().getTerminator()->getOperand(static_cast<unsigned>(referenceNumber));
    outputs.push_back({names[programNumber], value, referenceNumber, programNumber, codes, type.getRank() == 2});
  }
  return success();
}

/// Runs the program: its results as they are, and its counterparts as reals.
LogicalResult Comparer::runProgram(const Inputs &inputs, SmallVector<Tensor> &results,
                                   std::vector<Tensor> &reals) const {
  auto observe = [&](Operation *op, ArrayRef<Tensor> tensors) {
    if (auto found = byProgram.find(op); found != byProgram.end())
      for (size_t index : found->second)
        reals[index] = realsOf(pairs[index], tensors);
  };
  return program.run(inputs.program, results, observe);
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
  run.clear(pairs.size(), outputs.size());
  std::vector<Tensor> reals(pairs.size());
  Interpreter::Record record;
  SmallVector<Tensor> results;
  if (failed(reference.record(inputs->reference, record)) || failed(runProgram(*inputs, results, reals)))
    return failure();
  for (auto [output, sums] : llvm::zip_equal(outputs, run.outputs)) {
    const Tensor expected = expectedOf(output, record),
                 actual = comparison::dequantize(results[output.programNumber], output.codes);
    sums.power.add(expected, actual, elementsOf(expected, inputs->count, options.batch));
    if (output.hasClasses)
      sums.agreeing = countAgreeing(expected, actual, inputs->count);
  }
  for (auto [i, pair] : llvm::enumerate(pairs)) {
    const Tensor &value = reference.valueOf(record, pair.reference);
    run.sums[i].add(seen(pair, value, value), seen(pair, reals[i], value),
                    pair.codes && !pair.rowSums ? &*pair.codes : nullptr,
                    elementsOf(value, inputs->count, options.batch));
  }
  progress.advance(static_cast<size_t>(inputs->count));
  return addErrors(*inputs, record, reals, first < options.rankedImages, run);
}

/// What a function of one variable gives for the program's own codes, if those are known as reals.
void Comparer::addCurve(size_t index, const std::vector<Tensor> &reals, const Tensor &exact, Curve &curve) const {
  auto function = dyn_cast<vit::UnaryFunction>(pairs[index].reference.getOwner());
  Operation *source = function ? function->getOperand(0).getDefiningOp() : nullptr;
  auto found = source ? byReference.find(source) : byReference.end();
  if (found == byReference.end() || pairs[found->second].reference != function->getOperand(0))
    return;
  const Tensor &operand = reals[found->second];
  if (operand.empty() || operand.numElements() != exact.numElements())
    return;
  curve.add(operand, exact, reals[index]);
}

/// Runs the reference on the program's own values: where an op has a counterpart,
/// what it computes from them is compared, and ops after it get the program's.
LogicalResult Comparer::addErrors(const Inputs &inputs, const Interpreter::Record &record,
                                  const std::vector<Tensor> &reals, bool ranked, Run &run) {
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
    if (ranked)
      addCurve(index, reals, computed, run.curves[index]);
    computed = reals[index];
  };
  SmallVector<Tensor> results;
  if (failed(reference.run(inputs.reference, results, substitute)))
    return failure();
  return ranked ? rankErrors(inputs, record, errors, run) : success();
}

/// What each error alone, added to the reference's own value, does to the outputs.
LogicalResult Comparer::rankErrors(const Inputs &inputs, const Interpreter::Record &record, ArrayRef<Tensor> errors,
                                   Run &run) {
  std::vector<Tensor> expected;
  for (const Output &output : outputs)
    expected.push_back(expectedOf(output, record));
  auto powerOf = [&](size_t output, const Tensor &actual) {
    Power power;
    power.add(expected[output], actual, elementsOf(expected[output], inputs.count, options.batch));
    return power;
  };
  SmallVector<Tensor> results;
  for (auto [i, pair] : llvm::enumerate(pairs)) {
    progress.advance(static_cast<size_t>(inputs.count));
    if (errors[i].empty())
      continue;
    Tensor changed = comparison::add(reference.valueOf(record, pair.reference), errors[i]);
    if (failed(reference.rerun(record, pair.reference, changed, results)))
      return failure();
    for (auto [o, output] : llvm::enumerate(outputs))
      run.outputs[o].addedNoise[i] =
          powerOf(o, comparison::dequantize(results[output.referenceNumber], std::nullopt)).noise;
  }
  for (size_t o = 0; o < outputs.size(); ++o) {
    run.outputs[o].rankedSignal = powerOf(o, expected[o]).signal;
    run.outputs[o].rankedNoise = run.outputs[o].power.noise;
  }
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
  if (failed(findOutputs()))
    return failure();
  total.clear(pairs.size(), outputs.size());
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
      for (auto [sum, own] : llvm::zip_equal(total.sums, run.sums))
        sum.add(own);
      for (auto [sum, own] : llvm::zip_equal(total.curves, run.curves))
        sum.add(own);
      for (auto [sum, own] : llvm::zip_equal(total.outputs, run.outputs))
        sum.add(own);
    }
  }
  Comparison comparison;
  comparison.images = options.images;
  comparison.rankedImages = std::min(options.images, options.rankedImages);
  for (auto [output, sums] : llvm::zip_equal(outputs, total.outputs))
    comparison.outputs.push_back(figuresOf(output, sums));
  for (size_t i = 0; i < pairs.size(); ++i)
    comparison.values.push_back(figuresOf(i));
  return comparison;
}

OutputFigures Comparer::figuresOf(const Output &output, const OutputSums &sums) const {
  OutputFigures figures{output.name, sums.power.decibels(), std::nullopt};
  if (output.hasClasses)
    figures.agreement = static_cast<double>(sums.agreeing) / static_cast<double>(options.images);
  return figures;
}

/// The noise of the value's own error at the outputs; of several each relative to its signal.
double Comparer::addedNoise(size_t index) const {
  double noise = 0;
  for (const OutputSums &output : total.outputs)
    noise += output.addedNoise[index] / output.unit(total.outputs.size());
  return noise;
}

/// Whether others make good for the error: alone it would do much more harm than all do together.
bool Comparer::isMadeGood(size_t index) const {
  double all = 0;
  for (const OutputSums &output : total.outputs)
    all += output.rankedNoise / output.unit(total.outputs.size());
  return addedNoise(index) > kMadeGood * all;
}

/// How much the value's own error adds to the noise of the outputs.
void Comparer::setAdded(size_t index, ValueFigures &figures) const {
  for (const OutputSums &output : total.outputs) {
    std::optional<double> left = Power{output.rankedSignal, output.addedNoise[index]}.decibels();
    if (left && (!figures.addedAtLogitsDb || *left < *figures.addedAtLogitsDb))
      figures.addedAtLogitsDb = left;
  }
  if (isMadeGood(index))
    return;
  double all = 0;
  for (size_t i = 0; i < pairs.size(); ++i)
    all += isMadeGood(i) ? 0 : addedNoise(i);
  figures.addedShare = all > 0 ? addedNoise(index) / all : 0;
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
  setAdded(index, figures);
  figures.curve = total.curves[index].points();
  return figures;
}

const OutputFigures *Comparison::logits() const {
  auto found = llvm::find_if(outputs, [](const OutputFigures &output) { return output.agreement.has_value(); });
  return found == outputs.end() ? nullptr : &*found;
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
