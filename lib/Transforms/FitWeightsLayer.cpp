//===- FitWeightsLayer.cpp - The codes of one layer -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FitWeights.h"

#include "mlir/IR/Threading.h"

#include <cmath>

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;
using namespace ::vitq::quantize;
using fitting::Matrix;
using fitting::Samples;

/// One batch in so many is kept aside to judge least squares.
static constexpr size_t kAside = 4;

Tensor quantize::realBias(ArrayRef<double> bias) {
  return Tensor::of<float>({static_cast<int64_t>(bias.size())}, SmallVector<float>(bias.begin(), bias.end()));
}

/// A weight in the shape of that of `op`, pixels without their deviation.
static Tensor weightTensor(WeightedOp op, const FoldedWeight &folded, llvm::function_ref<double(int64_t)> value) {
  Tensor weight = Tensor::allocate(ElementKind::F32, shapeOf(weightOf(op)));
  NormalizePixelsOp pixels = folded.pixels;
  for (int64_t i = 0; i < weight.numElements(); ++i)
    weight.mutableData<float>()[i] =
        static_cast<float>(value(i) * (pixels ? pixels.getStd()[op.getInputChannel(i)] : 1.0));
  return weight;
}

Tensor quantize::dequantized(WeightedOp op, const FoldedWeight &folded, const WeightCodes &weight) {
  return weightTensor(op, folded,
                      [&](int64_t i) { return weight.scales[i / folded.rowSize()] * weight.codes.realAt(i); });
}

/// The power of what is wanted over that of the error; what is without error has 200 dB.
static double decibels(double signal, double error) {
  signal = std::max(signal, std::numeric_limits<double>::min());
  return 10 * std::log10(signal / std::max(error, signal * 1e-20));
}

//===----------------------------------------------------------------------===//
// Samples
//===----------------------------------------------------------------------===//

namespace {

/// What the rows of a run's tensor count: pictures that only fill the run up, nothing.
class RunWeights {
public:
  RunWeights(const Streams &streams, ArrayRef<double> rows) : streams(streams), rows(rows) {
    for (double weight : rows)
      roots.push_back(std::sqrt(weight));
  }

  size_t size(size_t run) const { return rows.size() / streams.imagesOfRun() * streams.imagesOf(run); }
  ArrayRef<double> of(size_t run) const { return rows.take_front(size(run)); }
  ArrayRef<double> rootsOf(size_t run) const { return ArrayRef<double>(roots).take_front(size(run)); }

private:
  const Streams &streams;
  ArrayRef<double> rows;
  std::vector<double> roots;
};

using RunTensor = llvm::function_ref<const Tensor &(size_t)>;

} // namespace

/// The weighted mean of each of `columns` columns over the rows of all runs, added up run by run.
static std::vector<double> means(const Streams &streams, const RunWeights &weights, size_t columns, RunTensor tensor) {
  std::vector<std::vector<double>> sums(streams.runs(), std::vector<double>(columns, 0.0));
  streams.forRuns([&](size_t run) {
    const float *values = tensor(run).data<float>();
    for (double weight : weights.of(run))
      for (size_t c = 0; c < columns; ++c)
        sums[run][c] += weight * static_cast<double>(*values++);
  });
  double total = 0;
  std::vector<double> result(columns, 0.0);
  for (size_t run = 0; run < streams.runs(); ++run) {
    for (double weight : weights.of(run))
      total += weight;
    for (size_t c = 0; c < columns; ++c)
      result[c] += sums[run][c];
  }
  for (double &value : result)
    value /= total;
  return result;
}

/// The weighted sum of the squares of all elements less `offsets`.
static double power(const Streams &streams, const RunWeights &weights, ArrayRef<double> offsets, RunTensor tensor) {
  std::vector<double> sums(streams.runs(), 0.0);
  streams.forRuns([&](size_t run) {
    const float *values = tensor(run).data<float>();
    for (double weight : weights.of(run))
      for (double offset : offsets) {
        const double value = static_cast<double>(*values++) - offset;
        sums[run] += weight * value * value;
      }
  });
  double result = 0;
  for (double sum : sums)
    result += sum;
  return result;
}

/// Rows of all runs but those kept aside, or of these.
static Samples gather(const Streams &streams, const RunWeights &weights, ArrayRef<double> offsets, RunTensor tensor,
                      llvm::function_ref<bool(size_t)> takes) {
  std::vector<size_t> first(streams.runs(), 0);
  size_t rows = 0;
  for (size_t run = 0; run < streams.runs(); ++run) {
    first[run] = rows;
    rows += takes(run) ? weights.size(run) : 0;
  }
  Samples samples(rows, offsets.size());
  streams.forRuns([&](size_t run) {
    if (takes(run))
      samples.write(first[run], tensor(run).data<float>(), offsets, weights.rootsOf(run));
  });
  return samples;
}

/// What `results` lack of what is wanted, in their place.
static void subtractFromWanted(const Streams &streams, std::vector<Tensor> &results) {
  streams.forRuns([&](size_t run) {
    const Tensor &exact = streams.wanted(run);
    Tensor error = Tensor::allocate(ElementKind::F32, exact.shape());
    for (int64_t i = 0; i < exact.numElements(); ++i)
      error.mutableData<float>()[i] = exact.data<float>()[i] - results[run].data<float>()[i];
    results[run] = error;
  });
}

static int64_t largestCode(unsigned bits) { return -fitting::rangeOfCodes(bits).min; }

static WeightCodes weightCodes(const fitting::RowCodes &rows) {
  return {Tensor::of<int8_t>({static_cast<int64_t>(rows.codes.size())}, rows.codes),
          SmallVector<double>(rows.scales.begin(), rows.scales.end())};
}

/// Whether a run is fitted to; the others are kept aside. An image and its copy go together.
static bool isFit(const Streams &streams, size_t run) { return streams.batchOf(run) % kAside != kAside - 1; }

/// Fills `inputs` unless it holds the samples of this operand and these weights.
static void prepare(LayerInputs &inputs, const Streams &streams, WeightedOp op, ArrayRef<double> rowWeights,
                    bool isExact, fitting::ParallelFor parallel) {
  Value value = op->getOperand(0);
  if (inputs.value == value && inputs.isExact == isExact && ArrayRef<double>(inputs.weights) == rowWeights)
    return;
  inputs = LayerInputs();
  inputs.value = value;
  inputs.isExact = isExact;
  inputs.weights = rowWeights.vec();
  const RunWeights weights(streams, rowWeights);
  const auto columns = static_cast<size_t>(shapeOf(value).back());
  auto coded = [&](size_t run) -> const Tensor & { return streams.codedInput(run); };
  auto exact = [&](size_t run) -> const Tensor & { return streams.exactInput(run); };
  inputs.means = means(streams, weights, columns, coded);
  if (isExact) {
    inputs.fit = gather(streams, weights, means(streams, weights, columns, exact), exact, [](size_t) { return true; });
  } else {
    inputs.fit = gather(streams, weights, inputs.means, coded, [&](size_t run) { return isFit(streams, run); });
    inputs.aside = gather(streams, weights, inputs.means, coded, [&](size_t run) { return !isFit(streams, run); });
    inputs.asideGram = moments(*inputs.aside, *inputs.aside, parallel);
  }
  inputs.fitGram = moments(*inputs.fit, *inputs.fit, parallel);
}

//===----------------------------------------------------------------------===//
// Row products
//===----------------------------------------------------------------------===//

namespace {

class RowProductFitter {
public:
  RowProductFitter(Streams &streams, WeightedOp op, const FoldedWeight &folded, const FitOptions &options,
                   ArrayRef<double> rowWeights, LayerInputs &inputs)
      : streams(streams), op(op), folded(folded), options(options), weights(streams, rowWeights), inputs(inputs) {
    prepare(inputs, streams, op, rowWeights, options.ridges.empty(), parallel());
    resultMeans =
        means(streams, weights, folded.rows(), [&](size_t run) -> const Tensor & { return streams.wanted(run); });
    weight = Matrix(folded.rows(), folded.rowSize());
    weight.values = folded.values;
  }

  FailureOr<std::optional<FittedLayer>> run(ArrayRef<double> factors) {
    if (!options.ridges.empty()) {
      if (failed(addResiduals()))
        return failure();
    } else {
      known.gram = inputs.fitGram;
      // Exact inputs are in real units, the weights in those of the folded codes.
      if (!factors.empty())
        for (size_t i = 0; i < known.gram.rows; ++i)
          for (size_t j = 0; j < known.gram.rows; ++j)
            known.gram.at(i, j) /= factors[i] * factors[j];
    }
    const double signal =
        power(streams, weights, resultMeans, [&](size_t run) -> const Tensor & { return streams.wanted(run); });
    std::optional<fitting::CodeFitter> fitter = fitting::CodeFitter::create(known.gram, options.codes);
    if (!fitter || !std::isfinite(signal))
      return std::optional<FittedLayer>();
    FittedLayer layer;
    Matrix wanted = weight;
    layer.ridge = takeLeastSquares(wanted);
    fitting::RowCodes rows = fitter->fit(wanted, smallestScales(wanted), parallel());
    layer.damping = fitter->damping();
    layer.weight = weightCodes(rows);
    layer.bias = biasFor(layer.weight);
    layer.before = powerRatio(signal, roundRows(folded, options.codes.bits));
    layer.after = powerRatio(signal, layer.weight);
    return std::optional<FittedLayer>(std::move(layer));
  }

private:
  struct Parallel {
    MLIRContext *context;
    void operator()(size_t count, llvm::function_ref<void(size_t)> body) const { parallelFor(context, 0, count, body); }
  };
  /// A function that outlives the call it is passed to.
  const Parallel &parallel() {
    threads.context = op->getContext();
    return threads;
  }

  /// What the float weights leave of the wanted results.
  LogicalResult addResiduals() {
    FailureOr<std::vector<Tensor>> now =
        streams.compute(weightTensor(op, folded, [&](int64_t i) { return folded.values[i]; }), Tensor());
    if (failed(now))
      return failure();
    subtractFromWanted(streams, *now);
    auto residual = [&](size_t run) -> const Tensor & { return (*now)[run]; };
    const std::vector<double> offsets = means(streams, weights, folded.rows(), residual);
    residualPower = power(streams, weights, offsets, residual);
    fit.gram = inputs.fitGram;
    auto isFitted = [&](size_t run) { return isFit(streams, run); };
    auto isAside = [&](size_t run) { return !isFit(streams, run); };
    fit.cross = moments(gather(streams, weights, offsets, residual, isFitted), *inputs.fit, parallel());
    aside.gram = inputs.asideGram;
    aside.cross = moments(gather(streams, weights, offsets, residual, isAside), *inputs.aside, parallel());
    known = fit;
    known += aside;
    return success();
  }

  /// That of the least error of what is kept aside; 0: none makes it smaller.
  double chooseRidge() {
    double ridge = 0, least = 0;
    for (double candidate : options.ridges) {
      std::optional<Matrix> trial = leastSquaresStep(fit, candidate);
      if (!trial)
        continue;
      if (const double change = changeOfError(aside, *trial, parallel()); change < least) {
        least = change;
        ridge = candidate;
      }
    }
    return ridge;
  }

  /// The ridge with which `wanted` is another now; 0: it is not.
  double takeLeastSquares(Matrix &wanted) {
    const double ridge = chooseRidge();
    std::optional<Matrix> step = ridge > 0 ? leastSquaresStep(known, ridge) : std::nullopt;
    if (!step)
      return 0;
    for (size_t i = 0; i < wanted.values.size(); ++i)
      wanted.values[i] += step->values[i];
    return ridge;
  }

  /// With room for the bias that is to come.
  std::vector<double> smallestScales(const Matrix &wanted) const {
    Accumulator accumulator = folded.accumulator;
    std::vector<double> smallest;
    for (size_t n = 0; n < wanted.rows; ++n) {
      double reach = std::abs(resultMeans[n]);
      for (size_t k = 0; k < wanted.columns; ++k)
        reach += std::abs(wanted.at(n, k) * inputs.means[k]);
      if (options.matchBias)
        accumulator.addends[n] += std::max(reach - std::abs(folded.bias[n]), 0.0);
      smallest.push_back(
          accumulator.smallestScale(static_cast<int64_t>(n), folded.rowSize(), largestCode(options.codes.bits)));
    }
    return smallest;
  }

  std::vector<double> biasFor(const WeightCodes &codes) const {
    std::vector<double> bias = folded.bias;
    if (!options.matchBias)
      return bias;
    for (size_t n = 0, row = weight.columns; n < weight.rows; ++n) {
      bias[n] = resultMeans[n];
      for (size_t k = 0; k < row; ++k)
        bias[n] -= codes.scales[n] * codes.codes.realAt(static_cast<int64_t>(n * row + k)) * inputs.means[k];
    }
    return bias;
  }

  double powerRatio(double signal, const WeightCodes &codes) {
    Matrix change(weight.rows, weight.columns);
    for (size_t i = 0; i < change.values.size(); ++i)
      change.values[i] =
          codes.scales[i / weight.columns] * codes.codes.realAt(static_cast<int64_t>(i)) - weight.values[i];
    double error = residualPower;
    if (!options.ridges.empty())
      error += changeOfError(known, change, parallel());
    else
      for (double row : quadraticErrors(known.gram, change, parallel()))
        error += row;
    return decibels(signal, error);
  }

  Streams &streams;
  WeightedOp op;
  const FoldedWeight &folded;
  const FitOptions &options;
  RunWeights weights;
  LayerInputs &inputs;
  Parallel threads{};
  std::vector<double> resultMeans;
  Matrix weight;
  /// Of what the fit sees, what is kept aside, and all.
  fitting::Moments fit, aside, known;
  double residualPower = 0;
};

} // namespace

FailureOr<std::optional<FittedLayer>> quantize::fitRowProduct(Streams &streams, WeightedOp op,
                                                              const FoldedWeight &folded, const WeightInput &input,
                                                              const FitOptions &options, ArrayRef<double> rowWeights,
                                                              LayerInputs &inputs) {
  return RowProductFitter(streams, op, folded, options, rowWeights, inputs).run(input.factors);
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

namespace {

/// Measures weights of an op by its results.
class ResultMeter {
public:
  ResultMeter(const Streams &streams, WeightedOp op, const FoldedWeight &folded)
      : streams(streams), op(op), folded(folded), ones(streams.exactResult(0).numElements() / folded.rows(), 1.0),
        weights(streams, ones) {
    auto exact = [&](size_t run) -> const Tensor & { return streams.exactResult(run); };
    signal = power(streams, weights, means(streams, weights, folded.rows(), exact), exact);
  }

  bool isFinite() const { return std::isfinite(signal); }

  /// The mean of each channel's error with these weights; what is left of the error goes into `ratio`, in dB.
  FailureOr<std::vector<double>> measure(const WeightCodes &codes, double &ratio) const {
    FailureOr<std::vector<Tensor>> errors = streams.compute(dequantized(op, folded, codes), Tensor());
    if (failed(errors))
      return failure();
    subtractFromWanted(streams, *errors);
    auto error = [&](size_t run) -> const Tensor & { return (*errors)[run]; };
    std::vector<double> offsets = means(streams, weights, folded.rows(), error);
    ratio = decibels(signal, power(streams, weights, offsets, error));
    return offsets;
  }

private:
  const Streams &streams;
  WeightedOp op;
  const FoldedWeight &folded;
  std::vector<double> ones;
  RunWeights weights;
  double signal = 0;
};

} // namespace

FailureOr<std::optional<FittedLayer>> quantize::fitOther(Streams &streams, WeightedOp op, const FoldedWeight &folded,
                                                         const FitOptions &options) {
  Matrix weight(folded.rows(), folded.rowSize());
  weight.values = folded.values;
  std::vector<double> smallest;
  for (int64_t n = 0; n < folded.rows(); ++n)
    smallest.push_back(folded.accumulator.smallestScale(n, folded.rowSize(), largestCode(options.codes.bits)));
  auto parallel = [&](size_t count, llvm::function_ref<void(size_t)> body) {
    parallelFor(op->getContext(), 0, count, body);
  };
  FittedLayer layer;
  layer.weight =
      weightCodes(fitting::CodeFitter::forSquares(weight.columns, options.codes).fit(weight, smallest, parallel));
  layer.bias = folded.bias;
  const ResultMeter meter(streams, op, folded);
  FailureOr<std::vector<double>> before = meter.measure(roundRows(folded, options.codes.bits), layer.before);
  FailureOr<std::vector<double>> after = meter.measure(layer.weight, layer.after);
  if (failed(before) || failed(after))
    return failure();
  if (options.matchBias)
    for (auto [bias, offset] : llvm::zip_equal(layer.bias, *after))
      bias += offset;
  return meter.isFinite() ? std::optional<FittedLayer>(std::move(layer)) : std::optional<FittedLayer>();
}
