//===- EvaluateWindows.cpp - Convolutions and pooling -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "../WindowAttributes.h"

#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

static LogicalResult readPadding(NodeImporter &n, ArrayRef<int64_t> image, Window &window) {
  const size_t rank = image.size();
  const std::string autoPad = n.stringAttr("auto_pad", "NOTSET");
  const FailureOr<Shape> pads = readSizes(n, "pads", 2 * rank, 0, 0);
  if (failed(pads))
    return failure();
  window.low.assign(pads->begin(), pads->begin() + rank);
  window.high.assign(pads->begin() + rank, pads->end());
  if (autoPad == "NOTSET")
    return success();
  if (autoPad != "VALID" && autoPad != "SAME_UPPER" && autoPad != "SAME_LOWER")
    return n.error() << "auto_pad '" << autoPad << "' is not supported";
  for (size_t i = 0; i < rank; ++i) {
    const int64_t extent = (window.kernel[i] - 1) * window.dilations[i] + 1, stride = window.strides[i];
    const int64_t outputs = llvm::divideCeilSigned(image[i], stride);
    const int64_t total = autoPad == "VALID" ? 0 : std::max<int64_t>(0, (outputs - 1) * stride + extent - image[i]);
    window.low[i] = autoPad == "SAME_LOWER" ? total - total / 2 : total / 2;
    window.high[i] = total - window.low[i];
  }
  return success();
}

static LogicalResult checkKernel(NodeImporter &n, ArrayRef<int64_t> kernel) {
  if (failed(checkSizes(n, "kernel_shape", kernel, kernel.size(), 1)))
    return failure();
  if (!countElements(kernel))
    return n.error() << "kernel_shape " << text(kernel) << " has more than " << kMaxElements << " elements";
  return success();
}

static LogicalResult readSteps(NodeImporter &n, Window &window) {
  const size_t rank = window.kernel.size();
  FailureOr<Shape> strides = readSizes(n, "strides", rank, 1, 1), dilations = readSizes(n, "dilations", rank, 1, 1);
  if (failed(strides) || failed(dilations))
    return failure();
  window.strides = *strides;
  window.dilations = *dilations;
  return success();
}

FailureOr<Window> vitq::frontend::readWindow(NodeImporter &n, ArrayRef<int64_t> kernel) {
  if (n.input(0).rank() < 3 || n.input(0).rank() != static_cast<int64_t>(kernel.size()) + 2)
    return n.error() << "expects batch, channels and as many axes as its window has";
  ArrayRef<int64_t> image = n.input(0).shape().drop_front(2);
  const size_t rank = image.size();
  Window window;
  window.kernel.assign(kernel.begin(), kernel.end());
  if (failed(checkKernel(n, kernel)) || failed(readSteps(n, window)) || failed(readPadding(n, image, window)))
    return failure();
  const bool ceil = n.intAttr("ceil_mode", 0) != 0;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t extent = (window.kernel[i] - 1) * window.dilations[i] + 1, stride = window.strides[i];
    const int64_t span = image[i] + window.low[i] + window.high[i] - extent;
    if (span < 0)
      return n.error() << "the window is larger than the image: it reaches over " << extent << " elements of axis "
                       << i + 2 << ", which has " << image[i] << " and " << window.low[i] + window.high[i]
                       << " of padding; give the model a larger input (--shape)";
    int64_t outputs = (ceil ? llvm::divideCeilSigned(span, stride) : span / stride) + 1;
    // A window that begins behind the image and its first padding is none.
    if (ceil && (outputs - 1) * stride >= image[i] + window.low[i])
      --outputs;
    window.outputs.push_back(outputs);
  }
  return window;
}

/// Calls `visit` with the number of each tap and of the element of the image that it reads.
static void forEachTap(const Window &window, ArrayRef<int64_t> image, ArrayRef<int64_t> output,
                       function_ref<void(int64_t, int64_t)> visit) {
  int64_t tap = 0;
  forEachIndex(window.kernel, [&](ArrayRef<int64_t> k) {
    int64_t from = 0;
    bool inside = true;
    for (size_t axis = 0; axis < image.size(); ++axis) {
      const int64_t at = window.at(axis, output[axis], k[axis]);
      inside &= at >= 0 && at < image[axis];
      from = from * image[axis] + at;
    }
    if (inside)
      visit(tap, from);
    ++tap;
  });
}

static LogicalResult evaluateConv(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0), &weight = n.constant(1);
  ArrayRef<int64_t> shape = input.shape(), weights = weight.shape();
  const int64_t groups = n.intAttr("group", 1);
  if (weights.size() < 3)
    return n.error() << "expects a weight of rank 3 or more";
  FailureOr<Window> window = readWindow(n, weights.drop_front(2));
  if (failed(window) ||
      failed(checkAutoPad(n, n.stringAttr("auto_pad", "NOTSET"), n.intsAttr("pads").value_or(Shape()))))
    return failure();
  const int64_t channels = weights[0], depth = weights[1];
  if (groups < 1 || channels % groups || depth * groups != shape[1] || !isFloat(input.dtype) ||
      weight.dtype != input.dtype ||
      (n.has(2) && (n.constant(2).dtype != input.dtype || n.constant(2).size() != channels)))
    return n.error() << "the weight or bias does not fit the input";
  Shape resultShape{shape[0], channels};
  llvm::append_range(resultShape, window->outputs);
  FailureOr<Result> result = n.allocate(input.dtype, resultShape);
  if (failed(result) || failed(n.spend(static_cast<double>((*result)->size()) * static_cast<double>(weight.size()) /
                                       static_cast<double>(channels) * 4)))
    return failure();
  const std::vector<double> x = realsOf(input), w = realsOf(weight);
  ArrayRef<int64_t> image = shape.drop_front(2);
  const int64_t pixels = *countElements(image), taps = *countElements(window->kernel);
  int64_t i = 0;
  forEachIndex(resultShape, [&](ArrayRef<int64_t> index) {
    const int64_t channel = index[1], group = channel / (channels / groups);
    double sum = n.has(2) ? n.constant(2).getDouble(channel) : 0;
    forEachTap(*window, image, index.drop_front(2), [&](int64_t tap, int64_t from) {
      for (int64_t c = 0; c < depth; ++c)
        sum += x[(index[0] * shape[1] + group * depth + c) * pixels + from] * w[(channel * depth + c) * taps + tap];
    });
    (*result)->setDouble(i++, sum);
  });
  return n.give(*result);
}

/// What is cut from both ends of a transposed convolution's result, and its size without that.
static LogicalResult readTransposed(NodeImporter &n, ArrayRef<int64_t> image, Window &window) {
  const size_t rank = image.size();
  const std::string autoPad = n.stringAttr("auto_pad", "NOTSET");
  const FailureOr<Shape> pads = readSizes(n, "pads", 2 * rank, 0, 0),
                         beyond = readSizes(n, "output_padding", rank, 0, 0);
  const std::optional<Shape> wanted = n.intsAttr("output_shape");
  if (failed(pads) || failed(beyond) || failed(checkKernel(n, window.kernel)) || failed(readSteps(n, window)) ||
      (wanted && failed(checkSizes(n, "output_shape", *wanted, rank, 1))) || failed(checkAutoPad(n, autoPad, *pads)) ||
      failed(checkOutputPadding(n, *beyond, window.strides, window.dilations)))
    return failure();
  window.low.assign(pads->begin(), pads->begin() + rank);
  window.high.assign(pads->begin() + rank, pads->end());
  for (size_t i = 0; i < rank; ++i) {
    const int64_t whole =
        window.strides[i] * (image[i] - 1) + (*beyond)[i] + (window.kernel[i] - 1) * window.dilations[i] + 1;
    if (wanted || StringRef(autoPad).starts_with("SAME")) {
      const int64_t total = std::max<int64_t>(0, whole - (wanted ? (*wanted)[i] : image[i] * window.strides[i]));
      window.low[i] = autoPad == "SAME_UPPER" ? total / 2 : total - total / 2;
      window.high[i] = total - window.low[i];
    }
    window.outputs.push_back(wanted ? (*wanted)[i] : whole - window.low[i] - window.high[i]);
    if (window.outputs.back() < 1)
      return n.error() << "pads take all of the result";
  }
  return success();
}

static LogicalResult evaluateConvTranspose(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0), &weight = n.constant(1);
  ArrayRef<int64_t> shape = input.shape(), weights = weight.shape(),
                    image = shape.drop_front(std::min<size_t>(2, shape.size()));
  const int64_t groups = n.intAttr("group", 1);
  if (weights.size() < 3 || shape.size() != weights.size() || groups < 1 || weights[0] != shape[1] ||
      shape[1] % groups || !isFloat(input.dtype) || weight.dtype != input.dtype ||
      (n.has(2) && (n.constant(2).dtype != input.dtype || n.constant(2).size() != weights[1] * groups)))
    return n.error() << "the weight or bias does not fit the input";
  Window window;
  window.kernel.assign(weights.begin() + 2, weights.end());
  if (failed(readTransposed(n, image, window)))
    return failure();
  const int64_t depth = weights[1], channels = depth * groups;
  Shape resultShape{shape[0], channels};
  llvm::append_range(resultShape, window.outputs);
  FailureOr<Result> result = n.allocate(input.dtype, resultShape);
  if (failed(result) || failed(n.spend(static_cast<double>(input.size()) * static_cast<double>(weight.size()) /
                                           static_cast<double>(shape[1]) * 4 +
                                       static_cast<double>((*result)->size()))))
    return failure();
  const std::vector<double> x = realsOf(input), w = realsOf(weight);
  const int64_t taps = *countElements(window.kernel), pixels = *countElements(window.outputs);
  std::vector<double> sums((*result)->size(), 0.0);
  int64_t i = 0;
  // Each element of the input is spread over a window of the result.
  forEachIndex(shape, [&](ArrayRef<int64_t> index) {
    const int64_t channel = index[1], group = channel / (shape[1] / groups);
    int64_t tap = 0;
    forEachIndex(window.kernel, [&](ArrayRef<int64_t> k) {
      int64_t to = 0;
      bool inside = true;
      for (size_t axis = 0; axis < image.size(); ++axis) {
        const int64_t at = index[2 + axis] * window.strides[axis] + k[axis] * window.dilations[axis] - window.low[axis];
        inside &= at >= 0 && at < window.outputs[axis];
        to = to * window.outputs[axis] + at;
      }
      for (int64_t c = 0; inside && c < depth; ++c)
        sums[(index[0] * channels + group * depth + c) * pixels + to] += x[i] * w[(channel * depth + c) * taps + tap];
      ++tap;
    });
    ++i;
  });
  for (auto [at, sum] : llvm::enumerate(sums))
    (*result)->setDouble(static_cast<int64_t>(at),
                         sum + (n.has(2) ? n.constant(2).getDouble(static_cast<int64_t>(at) / pixels % channels) : 0));
  return n.give(*result);
}

/// The mean or the largest element of each window, or of the whole image.
static LogicalResult evaluatePool(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  const StringRef opType = n.node.opType;
  const bool global = opType.starts_with("Global"), isMax = opType.contains("Max");
  ArrayRef<int64_t> shape = input.shape();
  if (shape.size() < 3)
    return n.error() << "expects rank 3 or more";
  if (input.dtype == DType::Bool || (!isMax && !isFloat(input.dtype)))
    return n.error() << "expects floats, not " << stringify(input.dtype);
  ArrayRef<int64_t> image = shape.drop_front(2);
  FailureOr<Window> window = readWindow(n, global ? Shape(image) : n.intsAttr("kernel_shape").value_or(Shape()));
  if (failed(window))
    return failure();
  Shape resultShape{shape[0], shape[1]};
  llvm::append_range(resultShape, window->outputs);
  FailureOr<Result> result = n.allocate(input.dtype, resultShape);
  const int64_t pixels = *countElements(image), taps = *countElements(window->kernel);
  if (failed(result) || failed(n.spend(static_cast<double>((*result)->size()) * static_cast<double>(taps) * 4)))
    return failure();
  const bool countPadding = n.intAttr("count_include_pad", 0) != 0;
  int64_t i = 0;
  forEachIndex(resultShape, [&](ArrayRef<int64_t> index) {
    const int64_t plane = (index[0] * shape[1] + index[1]) * pixels;
    double sum = 0, best = -INFINITY;
    int64_t count = 0, divisor = 1;
    forEachTap(*window, image, index.drop_front(2), [&](int64_t, int64_t from) {
      const double value = input.getDouble(plane + from);
      sum += value;
      best = std::isnan(value) ? value : std::max(best, value);
      ++count;
    });
    // Padding that is counted ends where it was asked for, also where ceil_mode reads on.
    for (auto [axis, at] : llvm::enumerate(index.drop_front(2))) {
      const int64_t begin = window->at(axis, at, 0), end = image[axis] + window->high[axis];
      divisor *= std::min(window->kernel[axis], llvm::divideCeilSigned(end - begin, window->dilations[axis]));
    }
    (*result)->setDouble(i++, isMax ? best : sum / static_cast<double>(countPadding ? divisor : count));
  });
  return n.give(*result);
}

void vitq::frontend::addWindowEvaluators(HandlerTable &table) {
  addEvaluator(table, "Conv", evaluateConv, 2, 3);
  addEvaluator(table, "ConvTranspose", evaluateConvTranspose, 2, 3);
  for (const char *name : {"AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool"})
    addEvaluator(table, name, evaluatePool, 1, 1);
}
