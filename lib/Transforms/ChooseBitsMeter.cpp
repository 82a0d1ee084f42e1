//===- ChooseBitsMeter.cpp - What bits lose ---------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChooseBits.h"
#include "FitWeights.h"

#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"
#include "vitq/Support/Progress.h"
#include "vitq/Tensor/MemoryPool.h"

#include "mlir/IR/Threading.h"
#include "llvm/ADT/MapVector.h"

#include <cmath>

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;
using fitting::Matrix;
using fitting::Samples;

static Value resultOf(func::FuncOp function) { return function.front().getTerminator()->getOperand(0); }

FailureOr<BitMeter> BitMeter::create(func::FuncOp function, CalibrationImages images, const Split &split) {
  BitMeter meter;
  FailureOr<std::unique_ptr<Interpreter>> interpreter = Interpreter::create(function);
  if (failed(interpreter))
    return failure();
  meter.interpreter = std::move(*interpreter);
  meter.split = split;
  meter.aside.resize(split.aside);
  meter.images.emplace(std::move(images));
  if (failed(failableParallelForEachN(function.getContext(), 0, meter.aside.size(), [&](size_t i) -> LogicalResult {
        FailureOr<Tensor> input = meter.images->batch(split.fitted + i, function.getLoc());
        SmallVector<Tensor> results;
        if (failed(input) || failed(meter.interpreter->run({*input}, results)))
          return failure();
        meter.aside[i] = results.front();
        return success();
      })))
    return failure();
  return std::move(meter);
}

//===----------------------------------------------------------------------===//
// Rounding
//===----------------------------------------------------------------------===//

namespace {

/// A function that outlives the call it is passed to.
struct Parallel {
  MLIRContext *context;
  void operator()(size_t count, llvm::function_ref<void(size_t)> body) const { parallelFor(context, 0, count, body); }
};

/// Runs on all images at once, and what is rounded where they have come to.
class Rounder {
public:
  Rounder(MLIRContext *context, std::vector<Interpreter::Run> &runs) : parallel{context}, runs(runs) {}

  LogicalResult roundWeights(BitSite &site);
  LogicalResult roundValues(BitSite &site, ArrayRef<Tensor> results) {
    site.values = ValueRounding::fit(results, site.widths, site.kind);
    return success();
  }

private:
  void readInputs(WeightedOp op);
  Tensor biasFor(WeightedOp op, const Matrix &weights, const fitting::RowCodes &codes) const;

  Parallel parallel;
  std::vector<Interpreter::Run> &runs;
  /// Of what several layers read: sums of products, and the mean of each column.
  Value known;
  Matrix gram;
  std::vector<double> means;
};

} // namespace

void Rounder::readInputs(WeightedOp op) {
  if (known == op->getOperand(0))
    return;
  known = op->getOperand(0);
  const auto columns = static_cast<size_t>(runs.front().operand(0).shape().back());
  const auto rows = static_cast<size_t>(runs.front().operand(0).numElements()) / columns;
  Samples samples(rows * runs.size(), columns);
  const std::vector<double> zeros(columns, 0.0), ones(rows, 1.0);
  parallel(runs.size(), [&](size_t i) { samples.write(i * rows, runs[i].operand(0).data<float>(), zeros, ones); });
  gram = fitting::moments(samples, samples, parallel);
  means.assign(columns, 0.0);
  for (const Interpreter::Run &run : runs)
    for (auto [i, value] : llvm::enumerate(run.operand(0).values<float>()))
      means[i % columns] += static_cast<double>(value) / static_cast<double>(rows * runs.size());
}

/// The bias with what rounding takes from the mean of each result; empty where the layer has none of its own.
Tensor Rounder::biasFor(WeightedOp op, const Matrix &weights, const fitting::RowCodes &codes) const {
  Value own = op->getNumOperands() > 2 ? op->getOperand(2) : Value();
  if (!own || !own.hasOneUse() || !isConstant(own))
    return Tensor();
  FailureOr<std::vector<float>> values = getFloatConstantF32(own, [&] { return op->emitOpError("bias "); });
  if (failed(values))
    return Tensor();
  Tensor bias = Tensor::allocate(ElementKind::F32, shapeOf(own));
  for (size_t n = 0; n < weights.rows; ++n) {
    double sum = (*values)[n];
    for (size_t k = 0; k < weights.columns; ++k)
      sum += means[k] * (weights.at(n, k) - codes.scales[n] * codes.codes[n * weights.columns + k]);
    bias.mutableData<float>()[n] = static_cast<float>(sum);
  }
  return bias;
}

LogicalResult Rounder::roundWeights(BitSite &site) {
  WeightedOp op = site.layer;
  FailureOr<std::vector<float>> values = getFloatConstantF32(site.value, [&] { return op->emitOpError("weight "); });
  if (failed(values))
    return failure();
  const auto rows = static_cast<size_t>(shapeOf(site.value).front());
  Matrix weights(rows, values->size() / rows);
  llvm::copy(*values, weights.values.begin());
  const std::vector<double> smallest(rows, 0.0);
  for (unsigned bits : site.widths) {
    fitting::CodeOptions options;
    options.bits = bits;
    options.damping = bits <= 3 ? 0.05 : 0.01;
    // Each weight by itself is as good where there are many codes.
    options.propagate = op.isRowProduct() && bits < 8;
    std::optional<fitting::CodeFitter> fitter;
    if (options.propagate) {
      readInputs(op);
      fitter = fitting::CodeFitter::create(gram, options);
    } else {
      fitter = fitting::CodeFitter::forSquares(weights.columns, options);
    }
    if (!fitter)
      return op->emitError("'") << site.node
                                << "' reads values that are NaN or infinite for the calibration images, so that its "
                                   "weights cannot be rounded; check the model's weights and --preprocess";
    const fitting::RowCodes codes = fitter->fit(weights, smallest, parallel);
    Tensor rounded = Tensor::allocate(ElementKind::F32, shapeOf(site.value));
    for (size_t i = 0; i < codes.codes.size(); ++i)
      rounded.mutableData<float>()[i] = static_cast<float>(codes.scales[i / weights.columns] * codes.codes[i]);
    site.weights.push_back(std::move(rounded));
    site.biases.push_back(options.propagate ? biasFor(op, weights, codes) : Tensor());
  }
  return success();
}

namespace {

/// What is rounded at an op: its weights, its result.
struct Stop {
  std::optional<size_t> weights, result;
};

} // namespace

/// By op, in the order of the function.
static std::vector<std::pair<Operation *, Stop>> stopsOf(func::FuncOp function, ArrayRef<BitSite> sites) {
  llvm::DenseMap<Operation *, Stop> byOp;
  for (auto [i, site] : llvm::enumerate(sites)) {
    if (site.isWeights())
      byOp[site.op()].weights = i;
    else
      byOp[site.op()].result = i;
  }
  std::vector<std::pair<Operation *, Stop>> stops;
  for (Operation &op : function.front())
    if (auto found = byOp.find(&op); found != byOp.end())
      stops.emplace_back(&op, found->second);
  return stops;
}

LogicalResult BitMeter::prepare(MutableArrayRef<BitSite> sites) const {
  MLIRContext *context = interpreter->getFunction().getContext();
  std::vector<Interpreter::Run> runs(split.fitted);
  if (failed(failableParallelForEachN(context, 0, split.fitted, [&](size_t i) -> LogicalResult {
        FailureOr<Tensor> input = images->batch(i, interpreter->getFunction().getLoc());
        if (failed(input))
          return failure();
        FailureOr<Interpreter::Run> run = interpreter->begin({*input});
        if (failed(run))
          return failure();
        runs[i] = std::move(*run);
        return success();
      })))
    return failure();
  Rounder rounder(context, runs);
  const auto stops = stopsOf(interpreter->getFunction(), sites);
  Progress progress("bits, rounding", stops.size());
  for (const auto &[op, stop] : stops) {
    std::vector<Tensor> results(split.fitted);
    if (failed(failableParallelForEachN(context, 0, split.fitted, [&, op = op](size_t i) -> LogicalResult {
          SmallVector<Tensor> own;
          if (failed(runs[i].runUntil(op)) || failed(runs[i].compute({}, own)))
            return failure();
          results[i] = own.front();
          return success();
        })))
      return failure();
    if ((stop.weights && failed(rounder.roundWeights(sites[*stop.weights]))) ||
        (stop.result && failed(rounder.roundValues(sites[*stop.result], results))))
      return failure();
    for (auto [run, result] : llvm::zip_equal(runs, results))
      run.skip({result});
    progress.advance();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

/// log(softmax(x)).
static std::vector<double> logProbabilities(ArrayRef<float> x) {
  const double top = *llvm::max_element(x);
  double total = 0;
  for (float value : x)
    total += std::exp(value - top);
  std::vector<double> result(x.size());
  for (auto [to, from] : llvm::zip_equal(result, x))
    to = from - top - std::log(total);
  return result;
}

namespace {

/// Of the rows (the last axis) of one result.
struct Difference {
  /// Sums over rows: KL(softmax(p) || softmax(q)), another class, the probability in p that goes with it.
  double divergence = 0, changed = 0, lost = 0;
  double rows = 0;

  Difference(const Tensor &p, const Tensor &q) {
    const int64_t n = p.shape().back();
    rows = static_cast<double>(p.numElements() / n);
    for (int64_t first = 0; first < p.numElements(); first += n) {
      const std::vector<double> a = logProbabilities(p.values<float>().slice(first, n)),
                                b = logProbabilities(q.values<float>().slice(first, n));
      for (auto [x, y] : llvm::zip_equal(a, b))
        divergence += std::exp(x) * (x - y);
      const auto before = llvm::max_element(a), after = a.begin() + (llvm::max_element(b) - b.begin());
      changed += before != after;
      lost += std::exp(*before) - std::exp(*after);
    }
  }
};

} // namespace

LogicalResult BitMeter::measure(MutableArrayRef<BitSite> sites) const {
  Progress progress("bits, one by one", split.single * sites.size());
  // By run, so that sums do not depend on threads.
  std::vector<std::vector<std::vector<double>>> losses(split.single);
  auto measureRun = [&](size_t i) -> LogicalResult {
    const MemoryPool pool;
    FailureOr<Tensor> input = images->batch(split.firstSingle() + i, interpreter->getFunction().getLoc());
    Interpreter::Record record;
    if (failed(input) || failed(interpreter->record({*input}, record)))
      return failure();
    const Tensor &whole = interpreter->valueOf(record, resultOf(interpreter->getFunction()));
    for (const BitSite &site : sites) {
      auto &own = losses[i].emplace_back();
      for (size_t w = 0; w < site.widths.size(); ++w) {
        SmallVector<std::pair<Value, Tensor>> changed;
        if (site.isWeights())
          changed.emplace_back(site.value, site.weights[w]);
        else
          changed.emplace_back(site.value, site.values[w].apply(interpreter->valueOf(record, site.value)));
        if (site.isWeights() && !site.biases[w].empty())
          changed.emplace_back(site.op()->getOperand(2), site.biases[w]);
        SmallVector<Tensor> results;
        if (failed(interpreter->rerun(record, changed, results)))
          return failure();
        const Difference difference(whole, results.front());
        own.push_back(difference.divergence / difference.rows);
      }
      progress.advance();
    }
    return success();
  };
  if (failed(failableParallelForEachN(interpreter->getFunction().getContext(), 0, split.single, measureRun)))
    return failure();
  for (auto [s, site] : llvm::enumerate(sites)) {
    site.loss.assign(site.widths.size(), 0.0);
    for (const auto &run : losses)
      for (auto [loss, own] : llvm::zip_equal(site.loss, run[s]))
        loss += own / static_cast<double>(split.single);
  }
  return success();
}

FailureOr<MeasuredLoss> BitMeter::measure(ArrayRef<BitSite> sites, const BitSelection &selection) const {
  const auto stops = stopsOf(interpreter->getFunction(), sites);
  std::vector<std::optional<Difference>> differences(aside.size());
  auto measureRun = [&](size_t i) -> LogicalResult {
    const MemoryPool pool;
    FailureOr<Tensor> input = images->batch(split.fitted + i, interpreter->getFunction().getLoc());
    if (failed(input))
      return failure();
    FailureOr<Interpreter::Run> run = interpreter->begin({*input});
    if (failed(run))
      return failure();
    SmallVector<Tensor> results;
    for (const auto &[op, stop] : stops) {
      SmallVector<std::pair<unsigned, Tensor>> replaced;
      if (stop.weights) {
        const size_t w = selection[*stop.weights];
        replaced.emplace_back(1, sites[*stop.weights].weights[w]);
        if (const Tensor &bias = sites[*stop.weights].biases[w]; !bias.empty())
          replaced.emplace_back(2, bias);
      }
      if (failed(run->runUntil(op)) || failed(run->compute(replaced, results)))
        return failure();
      if (stop.result)
        results[0] = sites[*stop.result].values[selection[*stop.result]].apply(results[0]);
      run->skip(results);
    }
    if (failed(run->runUntil(nullptr)))
      return failure();
    differences[i].emplace(aside[i], run->results().front());
    return success();
  };
  if (failed(failableParallelForEachN(interpreter->getFunction().getContext(), 0, aside.size(), measureRun)))
    return failure();
  MeasuredLoss loss;
  double rows = 0;
  for (const auto &difference : differences) {
    loss.divergence.push_back(difference->divergence / difference->rows);
    loss.mean += loss.divergence.back() / static_cast<double>(aside.size());
    loss.changed += 100 * difference->changed;
    loss.points += 100 * difference->lost;
    rows += difference->rows;
  }
  loss.changed /= rows;
  loss.points /= rows;
  return loss;
}
