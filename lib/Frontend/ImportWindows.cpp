//===- ImportWindows.cpp - Pooling of maps of features -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// ONNX has channels behind the batch; ops on maps have them last, with transpositions
// around them that meet those of other ops.

#include "Evaluate/Evaluator.h"

#include "vitq/Numerics/Resample.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

MaybeImported vitq::frontend::applyChannelsLast(NodeImporter &n, const Imported &image,
                                                function_ref<MaybeImported(const Imported &)> make) {
  if (image.rank() != 3 && image.rank() != 4)
    return n.error() << "is supported on one or two axes behind batch and channels; the input has rank "
                     << image.rank();
  MaybeImported map = toChannelsLast(n, image);
  MaybeImported result = failed(map) ? map : make(*map);
  return failed(result) ? result : toChannelsFirst(n, *result, image.rank());
}

/// The window of a signal, as one of a map of one row.
static void addRow(Window &window) {
  if (window.kernel.size() == 2)
    return;
  for (Shape *sizes : {&window.kernel, &window.strides, &window.dilations, &window.outputs})
    sizes->insert(sizes->begin(), 1);
  for (Shape *padding : {&window.low, &window.high})
    padding->insert(padding->begin(), 0);
}

static MaybeImported maxPool(NodeImporter &n, const Imported &image, Window window) {
  addRow(window);
  return applyChannelsLast(n, image, [&](const Imported &map) -> MaybeImported {
    // Windows that ceil_mode adds read on behind the padding; floor drops what no window reads.
    for (size_t i = 0; i < 2; ++i) {
      const int64_t extent = (window.kernel[i] - 1) * window.dilations[i] + 1;
      const int64_t read = (window.outputs[i] - 1) * window.strides[i] + extent;
      window.high[i] = std::max<int64_t>(0, read - map.shape()[1 + i] - window.low[i]);
    }
    FailureOr<Value> x = n.materialize(map);
    if (failed(x))
      return failure();
    return n.create<vit::MaxPoolOp>(*x, {n.i64s("kernel", window.kernel), n.i64s("strides", window.strides),
                                         n.i64s("pads", {window.low[0], window.low[1], window.high[0], window.high[1]}),
                                         n.i64s("dilations", window.dilations)});
  });
}

static LogicalResult importMaxPool(NodeImporter &n) {
  if (n.wantsOutput(1))
    return n.error() << "gives indices, which are not supported";
  FailureOr<Window> window = readWindow(n, n.intsAttr("kernel_shape").value_or(Shape()));
  if (failed(window))
    return failure();
  const Imported &input = n.input(0);
  if (!input.surrounded)
    return n.setOutput(maxPool(n, input, *window));
  // The padding of the node is around that of the map.
  for (auto [low, before] : llvm::zip(window->low, ArrayRef(input.before).drop_front(2)))
    low += before;
  return n.setOutput(maxPool(n, Imported(input.surrounded), *window));
}

/// The maximum over all axes behind the channels, kept as size 1.
MaybeImported vitq::frontend::makeGlobalMaximum(NodeImporter &n, const Imported &input) {
  ArrayRef<int64_t> shape = input.shape();
  const int64_t pixels = *countElements(shape.drop_front(2));
  MaybeImported signal = n.reshape(input, {shape[0], shape[1], pixels});
  if (failed(signal))
    return failure();
  MaybeImported largest = maxPool(n, *signal, {{pixels}, {1}, {1}, {0}, {0}, {1}});
  Shape kept(shape.size(), 1);
  llvm::copy(shape.take_front(2), kept.begin());
  return failed(largest) ? largest : n.reshape(*largest, kept);
}

/// What is reduced is a window of rows, and what is behind it the channels.
MaybeImported vitq::frontend::makeMaximum(NodeImporter &n, const Imported &input, int64_t first, int64_t count) {
  ArrayRef<int64_t> shape = input.shape();
  const int64_t taps = *countElements(shape.slice(first, count)),
                rows = *countElements(shape.slice(1, first - 1)) * taps;
  MaybeImported map = n.reshape(input, {shape[0], rows, 1, *countElements(shape.drop_front(first + count))});
  FailureOr<Value> x = failed(map) ? FailureOr<Value>() : n.materialize(*map);
  if (failed(x))
    return failure();
  MaybeImported largest = n.create<vit::MaxPoolOp>(*x, {n.i64s("kernel", {taps, 1}), n.i64s("strides", {taps, 1}),
                                                        n.i64s("pads", {0, 0, 0, 0}), n.i64s("dilations", {1, 1})});
  Shape kept(shape);
  std::fill_n(kept.begin() + first, count, 1);
  return failed(largest) ? largest : n.reshape(*largest, kept);
}

static LogicalResult importGlobalMaxPool(NodeImporter &n) {
  if (n.input(0).rank() < 3)
    return n.error() << "expects rank 3 or more";
  return n.setOutput(makeGlobalMaximum(n, n.input(0)));
}

//===----------------------------------------------------------------------===//
// Weighted sums
//===----------------------------------------------------------------------===//

LogicalResult vitq::frontend::checkMapSizes(NodeImporter &n, ArrayRef<int64_t> sizes) {
  constexpr int64_t kMost = 1 << 14;
  if (llvm::all_of(sizes, [](int64_t size) { return size <= kMost; }))
    return success();
  return n.error() << "gives a map of more than " << kMost << " rows or columns";
}

/// Weights of all outputs in windows of one length that lie inside [0, size).
static SmallVector<int64_t> alignTaps(ArrayRef<AxisTaps> all, int64_t size, std::vector<double> &weights) {
  int64_t length = 1;
  for (const AxisTaps &taps : all)
    length = std::max<int64_t>(length, taps.weights.size());
  SmallVector<int64_t> first;
  weights.assign(all.size() * length, 0.0);
  for (auto [i, taps] : llvm::enumerate(all)) {
    first.push_back(std::min(taps.first, size - length));
    llvm::copy(taps.weights, weights.begin() + i * length + (taps.first - first.back()));
  }
  return first;
}

namespace {
/// The windows of one axis and their weights.
struct Axis {
  StringRef name;
  SmallVector<int64_t> first;
  numerics::RationalWeights rational;

  Axis(StringRef name, ArrayRef<AxisTaps> taps, int64_t size, int64_t limit) : name(name) {
    std::vector<double> weights;
    first = alignTaps(taps, size, weights);
    rational = numerics::rationalWeights(weights, weights.size() / taps.size(), limit);
  }
};
} // namespace

static MaybeImported resample(NodeImporter &n, const Imported &map, const Axis &rows, const Axis &columns) {
  FailureOr<Value> x = n.materialize(map);
  if (failed(x))
    return failure();
  SmallVector<NamedAttribute> attributes;
  for (const Axis *axis : {&rows, &columns}) {
    attributes.push_back(n.i64s((axis->name + "s").str(), axis->first));
    attributes.push_back(n.i64s((axis->name + "_weights").str(), axis->rational.weights));
  }
  attributes.push_back(n.i64("divisor", rows.rational.divisor * columns.rational.divisor));
  return n.create<vit::ResampleOp>(*x, attributes);
}

/// Each element by itself.
static SmallVector<AxisTaps> unchangedTaps(int64_t size) {
  return llvm::map_to_vector(range(0, size), [](int64_t i) { return AxisTaps{i, {1.0}}; });
}

MaybeImported vitq::frontend::makeResample(NodeImporter &n, const Imported &map, ArrayRef<AxisTaps> rows,
                                           ArrayRef<AxisTaps> columns) {
  // With weights that add up to 1, sums over both axes fit (vit.resample, C4); cubic ones may reach 1.5. One axis
  // alone has room for more bits.
  constexpr int64_t kLargestDivisor = 1 << 10, kLargestAlone = 1 << 20;
  const int64_t height = map.shape()[1], width = map.shape()[2];
  const Axis row("row", rows, height, kLargestDivisor), column("column", columns, width, kLargestDivisor);
  if (row.rational.isExact && column.rational.isExact)
    return resample(n, map, row, column);
  // Weights that are no small fractions would be off by more than floats are: one axis after the other.
  MaybeImported result =
      resample(n, map, Axis("row", rows, height, kLargestAlone), Axis("column", unchangedTaps(width), width, 1));
  const auto newHeight = static_cast<int64_t>(rows.size());
  return failed(result) ? result
                        : resample(n, *result, Axis("row", unchangedTaps(newHeight), newHeight, 1),
                                   Axis("column", columns, width, kLargestAlone));
}

/// The mean of each window along one axis, of its taps inside the image or of padding too.
static SmallVector<AxisTaps> averageTaps(const Window &window, size_t axis, int64_t size, bool countPadding) {
  SmallVector<AxisTaps> all;
  for (int64_t i = 0; i < window.outputs[axis]; ++i) {
    // Padding is less than a window, so that each has taps inside.
    const int64_t begin = window.at(axis, i, 0), dilation = window.dilations[axis];
    SmallVector<int64_t> inside;
    for (int64_t k = begin < 0 ? llvm::divideCeilSigned(-begin, dilation) : 0; k < window.kernel[axis]; ++k) {
      if (window.at(axis, i, k) >= size)
        break;
      inside.push_back(window.at(axis, i, k));
    }
    if (inside.empty()) {
      all.push_back({0, {0.0}});
      continue;
    }
    AxisTaps taps;
    // Padding that is counted ends where it was asked for, also where ceil_mode reads on.
    const int64_t end = size + window.high[axis];
    const int64_t count = countPadding ? std::min(window.kernel[axis], llvm::divideCeilSigned(end - begin, dilation))
                                       : static_cast<int64_t>(inside.size());
    taps.first = inside.front();
    taps.weights.assign(inside.back() - inside.front() + 1, 0.0);
    for (int64_t at : inside)
      taps.weights[at - taps.first] = 1.0 / static_cast<double>(count);
    all.push_back(std::move(taps));
  }
  return all;
}

static LogicalResult importAveragePool(NodeImporter &n) {
  const Imported &input = n.input(0);
  FailureOr<Window> window = readWindow(n, n.intsAttr("kernel_shape").value_or(Shape()));
  if (failed(window))
    return failure();
  ArrayRef<int64_t> image = input.shape().drop_front(2);
  auto isZero = [](int64_t value) { return value == 0; };
  if (ArrayRef<int64_t>(window->kernel) == image && llvm::all_of(window->low, isZero) &&
      llvm::all_of(window->high, isZero))
    return n.setOutput(makeMean(n, input, range(2, input.rank()), /*keepDims=*/true));
  if (failed(checkMapSizes(n, window->outputs)))
    return failure();
  const bool countPadding = n.intAttr("count_include_pad", 0) != 0;
  addRow(*window);
  for (size_t i = 0; i < 2; ++i)
    if (std::max(window->low[i], window->high[i]) >= (window->kernel[i] - 1) * window->dilations[i] + 1)
      return n.error() << "has pads of " << window->low[i] << " and " << window->high[i] << " around a window of "
                       << window->kernel[i] << ", some of which would hold padding only";
  return n.setOutput(applyChannelsLast(n, input, [&](const Imported &map) {
    return makeResample(n, map, averageTaps(*window, 0, map.shape()[1], countPadding),
                        averageTaps(*window, 1, map.shape()[2], countPadding));
  }));
}

void vitq::frontend::addWindowHandlers(HandlerTable &table) {
  table["MaxPool"] = {importMaxPool, 1, 1};
  table["GlobalMaxPool"] = {importGlobalMaxPool, 1, 1};
  table["AveragePool"] = {importAveragePool, 1, 1};
}
