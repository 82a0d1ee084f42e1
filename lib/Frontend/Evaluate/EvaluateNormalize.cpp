//===- EvaluateNormalize.cpp - Softmax and normalizations -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

static LogicalResult expectFloats(NodeImporter &n) {
  if (!isFloat(n.constant(0).dtype))
    return n.error() << "expects floats, not " << stringify(n.constant(0).dtype);
  return success();
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// One row, in place.
static void softmax(StringRef opType, MutableArrayRef<double> row) {
  if (row.empty())
    return;
  const auto *at = llvm::max_element(row);
  const double largest = *at;
  if (opType == "Hardmax") {
    const auto index = at - row.begin();
    llvm::fill(row, 0);
    row[index] = 1;
    return;
  }
  double sum = 0;
  for (double value : row)
    sum += std::exp(value - largest);
  for (double &value : row)
    value = opType == "LogSoftmax" ? value - largest - std::log(sum) : std::exp(value - largest) / sum;
}

/// Along one axis since opset 13; over all axes from `axis` on before.
static LogicalResult evaluateSoftmax(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", n.opset() < 13 ? 1 : -1), n.input(0).rank());
  if (failed(axis) || failed(expectFloats(n)))
    return failure();
  FailureOr<Result> result = n.allocate(input.dtype, input.shape(), /*work=*/4);
  if (failed(result))
    return failure();
  AlongAxis along(input.shape(), *axis);
  if (n.opset() < 13) {
    along.length *= along.inner;
    along.inner = 1;
  }
  std::vector<double> row(along.length);
  for (int64_t o = 0; o < along.outer; ++o)
    for (int64_t k = 0; k < along.inner; ++k) {
      for (int64_t i = 0; i < along.length; ++i)
        row[i] = input.getDouble(along.at(o, i, k));
      softmax(n.node.opType, row);
      for (int64_t i = 0; i < along.length; ++i)
        (*result)->setDouble(along.at(o, i, k), row[i]);
    }
  return n.give(*result);
}

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

namespace {
struct Moments {
  double mean = 0, inverseDeviation = 0;
};
} // namespace

static Moments momentsOf(ArrayRef<double> values, double epsilon, bool center) {
  Moments moments;
  const auto count = static_cast<double>(values.size());
  if (center) {
    for (double value : values)
      moments.mean += value;
    moments.mean /= count;
  }
  double squares = 0;
  for (double value : values)
    squares += (value - moments.mean) * (value - moments.mean);
  moments.inverseDeviation = 1 / std::sqrt(squares / count + epsilon);
  return moments;
}

/// Layer and RMS normalization over the axes from `axis` on; scale and bias broadcast to these.
static LogicalResult evaluateLayerNorm(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), n.input(0).rank());
  if (failed(axis) || failed(expectFloats(n)))
    return failure();
  const bool center = n.node.opType == "LayerNormalization";
  const double epsilon = n.floatAttr("epsilon", 1e-5F);
  const std::vector<double> x = realsOf(input);
  std::vector<double> parameters[2];
  for (size_t i = 1; i < n.numInputs(); ++i) {
    FailureOr<Shape> shape = broadcastShapes(n, input.shape(), n.input(i).shape());
    if (failed(shape))
      return failure();
    if (ArrayRef<int64_t>(*shape) != input.shape())
      return n.error() << "scale and bias must broadcast to the input's shape";
    if (n.has(i))
      parameters[i - 1] = realsOf(*broadcast(n.constant(i), input.shape()));
  }
  const int64_t rows = *countElements(input.shape().take_front(*axis));
  Shape rowShape(input.shape());
  std::fill(rowShape.begin() + *axis, rowShape.end(), 1);
  const DType statistics = n.intAttr("stash_type", 1) == 1 ? DType::F32 : input.dtype;
  FailureOr<Result> result = n.allocate(input.dtype, input.shape(), /*work=*/4);
  FailureOr<Result> means = n.allocate(statistics, rowShape), deviations = n.allocate(statistics, rowShape);
  if (failed(result) || failed(means) || failed(deviations))
    return failure();
  const int64_t width = rows ? input.size() / rows : 0;
  for (int64_t row = 0; row < rows; ++row) {
    const Moments moments = momentsOf(ArrayRef(x).slice(row * width, width), epsilon, center);
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      const double normal = (x[i] - moments.mean) * moments.inverseDeviation;
      (*result)->setDouble(i, normal * (parameters[0].empty() ? 1 : parameters[0][i]) +
                                  (parameters[1].empty() ? 0 : parameters[1][i]));
    }
    (*means)->setDouble(row, moments.mean);
    (*deviations)->setDouble(row, moments.inverseDeviation);
  }
  if (failed(n.give(*result)) || !center)
    return success();
  return success(succeeded(n.give(*means, 1)) && succeeded(n.give(*deviations, 2)));
}

/// The number of elements of `parameter` that belongs to channel `c`.
static double ofChannel(const OnnxConstant &parameter, int64_t c, int64_t channels) {
  return parameter.getDouble(c / (channels / parameter.size()));
}

/// Each group of channels of each image by itself: a channel for InstanceNormalization. Scale and bias are of
/// channels, for GroupNormalization before opset 21 of groups.
static LogicalResult evaluateGroupNorm(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0), &scale = n.constant(1), &bias = n.constant(2);
  if (n.input(0).rank() < 2 || failed(expectFloats(n)))
    return n.error() << "expects batch and channels";
  const int64_t images = input.shape()[0], channels = input.shape()[1];
  const int64_t groups = n.node.opType == "InstanceNormalization" ? channels : n.intAttr("num_groups", 0);
  auto fits = [&](const OnnxConstant &parameter) {
    return parameter.size() == channels || (parameter.size() == groups && n.opset() < 21);
  };
  if (groups < 1 || channels % groups || !fits(scale) || !fits(bias))
    return n.error() << "groups, scale or bias do not fit " << channels << " channels";
  FailureOr<Result> result = n.allocate(input.dtype, input.shape(), /*work=*/4);
  if (failed(result) || input.size() == 0)
    return failed(result) ? failure() : n.give(*result);
  const std::vector<double> x = realsOf(input);
  const double epsilon = n.floatAttr("epsilon", 1e-5F);
  const int64_t width = input.size() / (images * groups), pixels = input.size() / (images * channels);
  for (int64_t row = 0; row < images * groups; ++row) {
    const Moments moments = momentsOf(ArrayRef(x).slice(row * width, width), epsilon, /*center=*/true);
    for (int64_t i = row * width; i < (row + 1) * width; ++i) {
      const int64_t channel = i / pixels % channels;
      (*result)->setDouble(i, (x[i] - moments.mean) * moments.inverseDeviation * ofChannel(scale, channel, channels) +
                                  ofChannel(bias, channel, channels));
    }
  }
  return n.give(*result);
}

/// With the statistics that are given: what inference does.
static LogicalResult evaluateBatchNorm(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  if (n.input(0).rank() < 2 || failed(expectFloats(n)))
    return n.error() << "expects batch and channels";
  if (n.intAttr("training_mode", 0) != 0)
    return n.error() << "is in training mode; export the model for inference";
  const AlongAxis along(input.shape(), 1);
  for (size_t i = 1; i < 5; ++i)
    if (n.constant(i).size() != along.length || !isFloat(n.constant(i).dtype))
      return n.error() << "needs a number for each of " << along.length << " channels";
  FailureOr<Result> result = n.allocate(input.dtype, input.shape(), /*work=*/4);
  if (failed(result))
    return failure();
  const double epsilon = n.floatAttr("epsilon", 1e-5F);
  for (int64_t o = 0; o < along.outer; ++o)
    for (int64_t c = 0; c < along.length; ++c) {
      const double factor = n.constant(1).getDouble(c) / std::sqrt(n.constant(4).getDouble(c) + epsilon);
      for (int64_t k = 0; k < along.inner; ++k) {
        const int64_t at = along.at(o, c, k);
        (*result)->setDouble(at,
                             (input.getDouble(at) - n.constant(3).getDouble(c)) * factor + n.constant(2).getDouble(c));
      }
    }
  return n.give(*result);
}

/// Divided by the norm along an axis.
static LogicalResult evaluateLpNorm(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), n.input(0).rank());
  const int64_t p = n.intAttr("p", 2);
  if (failed(axis) || failed(expectFloats(n)))
    return failure();
  if (p != 1 && p != 2)
    return n.error() << "only the norms 1 and 2 exist";
  FailureOr<Result> result = n.allocate(input.dtype, input.shape(), /*work=*/4);
  if (failed(result))
    return failure();
  const AlongAxis along(input.shape(), *axis);
  for (int64_t o = 0; o < along.outer; ++o)
    for (int64_t k = 0; k < along.inner; ++k) {
      double norm = 0;
      for (int64_t i = 0; i < along.length; ++i) {
        const double value = input.getDouble(along.at(o, i, k));
        norm += p == 1 ? std::fabs(value) : value * value;
      }
      norm = p == 1 ? norm : std::sqrt(norm);
      for (int64_t i = 0; i < along.length; ++i)
        (*result)->setDouble(along.at(o, i, k), norm == 0 ? 0 : input.getDouble(along.at(o, i, k)) / norm);
    }
  return n.give(*result);
}

void vitq::frontend::addNormalizeEvaluators(HandlerTable &table) {
  for (const char *name : {"Softmax", "LogSoftmax", "Hardmax"})
    addEvaluator(table, name, evaluateSoftmax, 1, 1);
  addEvaluator(table, "LayerNormalization", evaluateLayerNorm, 2, 3);
  addEvaluator(table, "RMSNormalization", evaluateLayerNorm, 2, 2);
  addEvaluator(table, "GroupNormalization", evaluateGroupNorm, 3, 3);
  addEvaluator(table, "InstanceNormalization", evaluateGroupNorm, 3, 3);
  addEvaluator(table, "BatchNormalization", evaluateBatchNorm, 5, 5);
  addEvaluator(table, "LpNormalization", evaluateLpNorm, 1, 1);
}
