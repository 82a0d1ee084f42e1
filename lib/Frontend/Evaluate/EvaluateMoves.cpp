//===- EvaluateMoves.cpp - Elements made, and moved as on constants only -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include "llvm/ADT/SmallSet.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

static LogicalResult evaluateRange(NodeImporter &n) {
  const OnnxConstant &start = n.constant(0), &limit = n.constant(1), &delta = n.constant(2);
  if (start.size() != 1 || limit.size() != 1 || delta.size() != 1 || limit.dtype != start.dtype ||
      delta.dtype != start.dtype || start.dtype == DType::Bool)
    return n.error() << "expects three known numbers of one type";
  const double count = std::ceil((limit.getDouble(0) - start.getDouble(0)) / delta.getDouble(0));
  if (!(count < static_cast<double>(kMaxFoldedElements)))
    return n.error() << "the result is too large";
  FailureOr<Result> result = n.allocate(start.dtype, {count > 0 ? static_cast<int64_t>(count) : 0});
  if (failed(result))
    return failure();
  for (int64_t i = 0, e = (*result)->size(); i < e; ++i) {
    if (isFloat(start.dtype))
      (*result)->setDouble(i, start.getDouble(0) + static_cast<double>(i) * delta.getDouble(0));
    else
      (*result)->setInt(i, wrapped(static_cast<uint64_t>(start.getInt(0)) +
                                   static_cast<uint64_t>(i) * static_cast<uint64_t>(delta.getInt(0))));
  }
  return n.give(*result);
}

/// The triangle on and below diagonal `k`, or on and above; PyTorch writes causal masks
/// with it.
static LogicalResult evaluateTrilu(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  if (input.shape().size() < 2)
    return n.error() << "is supported on constants of two or more axes only";
  int64_t k = 0;
  if (n.has(1)) {
    FailureOr<int64_t> given = intInput(n, 1, "k");
    if (failed(given))
      return failure();
    k = *given;
  }
  const int64_t columns = input.shape().back(), rows = input.shape()[input.shape().size() - 2];
  k = std::clamp(k, -rows - 1, columns + 1);
  const bool upper = n.intAttr("upper", 1) != 0;
  FailureOr<Result> result = n.allocate(input.dtype, input.shape());
  if (failed(result))
    return failure();
  for (int64_t i = 0, e = input.size(); i < e; ++i) {
    const int64_t above = i % columns - i / columns % rows;
    if (upper ? above >= k : above <= k) // the others stay 0
      copyElement(**result, i, input, i);
  }
  return n.give(*result);
}

static LogicalResult evaluateEyeLike(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  std::optional<DType> type = input.dtype;
  if (n.node.find("dtype"))
    type = fromOnnxType(n.intAttr("dtype", 0));
  if (input.shape().size() != 2 || !type)
    return n.error() << "expects a matrix, and a type that is supported";
  const int64_t k = n.intAttr("k", 0), rows = input.shape()[0], columns = input.shape()[1];
  FailureOr<Result> result = n.allocate(*type, input.shape());
  if (failed(result))
    return failure();
  for (int64_t row = 0; row < rows; ++row)
    if (int64_t column = 0; !llvm::AddOverflow(row, k, column) && column >= 0 && column < columns)
      (*result)->setInt(row * columns + column, 1);
  return n.give(*result);
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

namespace {
enum class PadMode { Constant, Edge, Reflect, Wrap };
} // namespace

/// Which element of an axis of `length` stands at `i` of its padded form, counted from the first
/// element; nothing where the padding value does.
static std::optional<int64_t> sourceOf(PadMode mode, int64_t i, int64_t length) {
  if (i >= 0 && i < length)
    return i;
  switch (mode) {
  case PadMode::Constant:
    return std::nullopt;
  case PadMode::Edge:
    return std::clamp<int64_t>(i, 0, length - 1);
  case PadMode::Wrap:
    return (i % length + length) % length;
  case PadMode::Reflect: {
    const int64_t period = std::max<int64_t>(1, 2 * (length - 1));
    const int64_t at = (i % period + period) % period;
    return at < length ? at : period - at;
  }
  }
  llvm_unreachable("unknown mode");
}

/// The counts before and behind each axis; before opset 11 an attribute. Negative ones cut.
static LogicalResult readPads(NodeImporter &n, Shape &low, Shape &shape) {
  const int64_t rank = n.input(0).rank();
  Shape axes(range(0, rank)), pads;
  if (n.opset() < 11) {
    pads = n.intsAttr("pads").value_or(Shape());
  } else {
    FailureOr<Shape> given = n.intsInput(1, "pads");
    if (failed(given))
      return failure();
    pads = *given;
  }
  if (n.has(3)) {
    FailureOr<Shape> given = n.intsInput(3, "axes");
    if (failed(given))
      return failure();
    axes = *given;
  }
  if (pads.size() != 2 * axes.size())
    return n.error() << "needs two counts for each axis";
  low.assign(rank, 0);
  shape.assign(n.input(0).shape());
  llvm::SmallSet<int64_t, 8> known;
  for (auto [i, given] : llvm::enumerate(axes)) {
    FailureOr<int64_t> axis = n.axis(given, rank);
    if (failed(axis))
      return failure();
    const int64_t high = pads[axes.size() + i];
    low[*axis] = pads[i];
    if (!known.insert(*axis).second)
      return n.error() << "axis " << given << " is given twice";
    for (int64_t count : {pads[i], high})
      if (count > kMaxElements || count < -kMaxElements)
        return n.error() << "pads axis " << *axis << " with " << count << " elements; at most " << kMaxElements
                         << " are supported";
    shape[*axis] += pads[i] + high;
  }
  return success();
}

static LogicalResult evaluatePad(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  const std::string name = n.stringAttr("mode", "constant");
  auto mode = llvm::StringSwitch<std::optional<PadMode>>(name)
                  .Case("constant", PadMode::Constant)
                  .Case("edge", PadMode::Edge)
                  .Case("reflect", PadMode::Reflect)
                  .Case("wrap", PadMode::Wrap)
                  .Default(std::nullopt);
  if (!mode)
    return n.error() << "mode '" << name << "' is unknown";
  Shape low, shape;
  if (failed(readPads(n, low, shape)))
    return failure();
  OnnxConstant padding(input.dtype, ArrayRef<int64_t>(), "");
  if (n.opset() < 11)
    padding.setDouble(0, n.floatAttr("value", 0));
  else if (n.has(2) && (n.constant(2).dtype != input.dtype || n.constant(2).size() != 1))
    return n.error() << "the value must be one " << stringify(input.dtype);
  else if (n.has(2))
    copyElement(padding, 0, n.constant(2), 0);
  FailureOr<Result> result = n.allocate(input.dtype, shape);
  if (failed(result))
    return failure();
  if (input.size() == 0 && *mode != PadMode::Constant && (*result)->size() > 0)
    return n.error() << "an empty tensor has nothing to pad with";
  int64_t i = 0;
  forEachIndex(shape, [&](ArrayRef<int64_t> position) {
    std::optional<int64_t> from = 0;
    for (auto [axis, index] : llvm::enumerate(position)) {
      std::optional<int64_t> source = sourceOf(*mode, index - low[axis], input.shape()[axis]);
      from = from && source ? std::optional<int64_t>(*from * input.shape()[axis] + *source) : std::nullopt;
    }
    copyElement(**result, i++, from ? input : padding, from.value_or(0));
  });
  return n.give(*result);
}

/// Rows along the time axis, the first of them backwards.
static LogicalResult evaluateReverseSequence(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0), &lengths = n.constant(1);
  const int64_t batchAxis = n.intAttr("batch_axis", 1), timeAxis = n.intAttr("time_axis", 0);
  if (input.shape().size() < 2 || batchAxis + timeAxis != 1 || (batchAxis != 0 && batchAxis != 1) ||
      !isInteger(lengths.dtype) || lengths.size() != input.shape()[batchAxis])
    return n.error() << "expects a length for each row, and 0 and 1 as axes of rows and time";
  FailureOr<Result> result = n.allocate(input.dtype, input.shape());
  if (failed(result))
    return failure();
  const AlongAxis along(input.shape(), 1);
  for (int64_t o = 0; o < along.outer; ++o)
    for (int64_t i = 0; i < along.length; ++i) {
      const int64_t row = batchAxis == 0 ? o : i, time = batchAxis == 0 ? i : o, length = lengths.getInt(row);
      const int64_t from = time < length ? length - 1 - time : time;
      if (from < 0 || from >= input.shape()[timeAxis])
        return n.error() << "length " << length << " is outside the time axis";
      for (int64_t k = 0; k < along.inner; ++k)
        copyElement(**result, along.at(o, i, k), input, batchAxis == 0 ? along.at(o, from, k) : along.at(from, i, k));
    }
  return n.give(*result);
}

void vitq::frontend::addMoveEvaluators(HandlerTable &table) {
  addEvaluator(table, "Range", evaluateRange, 3, 3);
  addEvaluator(table, "Trilu", evaluateTrilu, 1, 2);
  addEvaluator(table, "EyeLike", evaluateEyeLike, 1, 1);
  addEvaluator(table, "Pad", evaluatePad, 1, 4);
  addEvaluator(table, "ReverseSequence", evaluateReverseSequence, 2, 2);
}
