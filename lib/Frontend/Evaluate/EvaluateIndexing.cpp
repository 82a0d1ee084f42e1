//===- EvaluateIndexing.cpp - Elements found and put by index -*- C++ -*-===//
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

/// An index into an axis, made non-negative.
static FailureOr<int64_t> checkIndex(NodeImporter &n, int64_t index, int64_t length) {
  if (index < -length || index >= length)
    return n.error() << "index " << index << " is outside an axis of " << length;
  return index < 0 ? index + length : index;
}

static LogicalResult expectIndices(NodeImporter &n, const OnnxConstant &indices) {
  if (!isInteger(indices.dtype))
    return n.error() << "indices must be integers, not " << stringify(indices.dtype);
  return success();
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Where element `position` of the indices points to in `shape`, along `axis`.
static FailureOr<int64_t> elementAt(NodeImporter &n, ArrayRef<int64_t> shape, ArrayRef<int64_t> position, int64_t axis,
                                    int64_t index) {
  FailureOr<int64_t> checked = checkIndex(n, index, shape[axis]);
  if (failed(checked))
    return failure();
  int64_t at = 0;
  for (auto [i, size] : llvm::enumerate(shape))
    at = at * size + (static_cast<int64_t>(i) == axis ? *checked : position[i]);
  return at;
}

/// Shapes of data and indices agree in rank, and indices are no longer than the data beside their axis.
static FailureOr<int64_t> readElementAxis(NodeImporter &n) {
  const OnnxConstant &data = n.constant(0), &indices = n.constant(1);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 0), n.input(0).rank());
  if (failed(axis) || failed(expectIndices(n, indices)))
    return failure();
  bool fits = data.shape().size() == indices.shape().size();
  for (size_t i = 0; fits && i < data.shape().size(); ++i)
    fits = static_cast<int64_t>(i) == *axis || indices.shape()[i] <= data.shape()[i];
  if (!fits)
    return n.error() << "the indices' shape does not fit the data's";
  return axis;
}

static LogicalResult evaluateGatherElements(NodeImporter &n) {
  const OnnxConstant &data = n.constant(0), &indices = n.constant(1);
  FailureOr<int64_t> axis = readElementAxis(n);
  if (failed(axis))
    return failure();
  FailureOr<Result> result = n.allocate(data.dtype, indices.shape());
  if (failed(result))
    return failure();
  int64_t i = 0;
  LogicalResult valid = success();
  forEachIndex(indices.shape(), [&](ArrayRef<int64_t> position) {
    FailureOr<int64_t> from =
        failed(valid) ? FailureOr<int64_t>() : elementAt(n, data.shape(), position, *axis, indices.getInt(i));
    if (failed(from))
      valid = failure();
    else
      copyElement(**result, i++, data, *from);
  });
  return failed(valid) ? failure() : n.give(*result);
}

namespace {
/// Tuples of indices, each of which points to a slice of the data.
struct Tuples {
  /// Where the slice of tuple i begins, and how many elements it has.
  Shape begins;
  int64_t size = 1;
};
} // namespace

/// The last axis of `indices` holds tuples into the axes of `data` behind the first `batch`, which both share.
static FailureOr<Tuples> readTuples(NodeImporter &n, int64_t batch) {
  ArrayRef<int64_t> shape = n.constant(0).shape();
  const OnnxConstant &indices = n.constant(1);
  const int64_t rank = n.input(0).rank(), indexRank = n.input(1).rank();
  if (failed(expectIndices(n, indices)))
    return failure();
  if (batch < 0 || rank < 1 || indexRank < 1 || batch >= std::min(rank, indexRank) ||
      shape.take_front(batch) != indices.shape().take_front(batch))
    return n.error() << "data and indices must have equal batch axes and one more";
  const int64_t width = indices.shape().back();
  if (width < 1 || width > rank - batch)
    return n.error() << "tuples of " << width << " indices do not fit data of rank " << rank;
  Tuples tuples;
  for (int64_t size : shape.drop_front(batch + width))
    tuples.size *= size;
  const int64_t count = indices.size() / width;
  const int64_t batches = *countElements(shape.take_front(batch));
  for (int64_t i = 0; i < count; ++i) {
    int64_t at = batches ? i / (count / batches) : 0;
    for (int64_t k = 0; k < width; ++k) {
      FailureOr<int64_t> index = checkIndex(n, indices.getInt(i * width + k), shape[batch + k]);
      if (failed(index))
        return failure();
      at = at * shape[batch + k] + *index;
    }
    tuples.begins.push_back(at * tuples.size);
  }
  return tuples;
}

static LogicalResult evaluateGatherND(NodeImporter &n) {
  const OnnxConstant &data = n.constant(0);
  const int64_t batch = n.intAttr("batch_dims", 0);
  FailureOr<Tuples> tuples = readTuples(n, batch);
  if (failed(tuples))
    return failure();
  ArrayRef<int64_t> indices = n.constant(1).shape();
  Shape shape(indices.drop_back());
  llvm::append_range(shape, data.shape().drop_front(batch + indices.back()));
  FailureOr<Result> result = n.allocate(data.dtype, shape);
  if (failed(result))
    return failure();
  for (auto [i, begin] : llvm::enumerate(tuples->begins))
    for (int64_t k = 0; k < tuples->size; ++k)
      copyElement(**result, static_cast<int64_t>(i) * tuples->size + k, data, begin + k);
  return n.give(*result);
}

/// Slices along an axis, or elements, for which there is a true.
static LogicalResult evaluateCompress(NodeImporter &n) {
  const OnnxConstant &condition = n.constant(1);
  Imported input = n.input(0);
  int64_t along = 0;
  if (n.node.find("axis")) {
    FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 0), input.rank());
    if (failed(axis))
      return failure();
    along = *axis;
  } else {
    MaybeImported flat = n.reshape(input, {input.constant->size()});
    if (failed(flat))
      return failure();
    input = *flat;
  }
  if (condition.dtype != DType::Bool || condition.shape().size() != 1 || condition.size() > input.shape()[along])
    return n.error() << "the condition must be a vector of booleans no longer than the axis";
  Shape chosen;
  for (int64_t i = 0; i < condition.size(); ++i)
    if (condition.getInt(i))
      chosen.push_back(i);
  return n.setOutput(n.gather(input, chosen, along));
}

/// The indices of elements that are not 0, a column for each.
static LogicalResult evaluateNonZero(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  Shape found;
  for (int64_t i = 0; i < input.size(); ++i)
    if (isFloat(input.dtype) ? input.getDouble(i) != 0 : input.getInt(i) != 0)
      found.push_back(i);
  const auto count = static_cast<int64_t>(found.size());
  FailureOr<Result> result = n.allocate(DType::I64, {n.input(0).rank(), count});
  if (failed(result) || failed(n.spend(static_cast<double>(input.size()))))
    return failure();
  for (auto [column, element] : llvm::enumerate(found)) {
    int64_t rest = element;
    for (int64_t axis = n.input(0).rank(); axis-- > 0; rest /= input.shape()[axis])
      (*result)->setInt(axis * count + static_cast<int64_t>(column), rest % input.shape()[axis]);
  }
  return n.give(*result);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

namespace {
/// What an update does to the element that is there: replaces it, without a function.
struct Update {
  BinaryFunction function;

  void operator()(OnnxConstant &data, int64_t at, const OnnxConstant &updates, int64_t i) const {
    const auto ofInts = function.integer(data.dtype);
    if (!ofInts)
      copyElement(data, at, updates, i);
    else if (isFloat(data.dtype))
      data.setDouble(at, function.ofReals(data.getDouble(at), updates.getDouble(i)));
    else
      data.setInt(at, *ofInts(data.getInt(at), updates.getInt(i)));
  }
};
} // namespace

static FailureOr<Update> readUpdate(NodeImporter &n) {
  const std::string reduction = n.stringAttr("reduction", "none");
  if (n.constant(2).dtype != n.constant(0).dtype)
    return n.error() << "updates are " << stringify(n.constant(2).dtype) << ", the data "
                     << stringify(n.constant(0).dtype);
  if (reduction == "none")
    return Update();
  const auto function = binaryFunction(llvm::StringSwitch<StringRef>(reduction)
                                           .Case("add", "Add")
                                           .Case("mul", "Mul")
                                           .Case("min", "Min")
                                           .Case("max", "Max")
                                           .Default(""));
  if (!function.ofInts)
    return n.error() << "reduction '" << reduction << "' is unknown";
  return Update{function};
}

static FailureOr<Result> copyOfData(NodeImporter &n) {
  const OnnxConstant &data = n.constant(0);
  FailureOr<Result> result = n.allocate(data.dtype, data.shape());
  if (succeeded(result))
    llvm::copy(data.elements.raw(), (*result)->elements.mutableBytes());
  return result;
}

static LogicalResult evaluateScatterElements(NodeImporter &n) {
  const OnnxConstant &indices = n.constant(1), &updates = n.constant(2);
  FailureOr<int64_t> axis = readElementAxis(n);
  FailureOr<Update> update = failed(axis) ? FailureOr<Update>() : readUpdate(n);
  if (failed(update))
    return failure();
  if (updates.shape() != indices.shape())
    return n.error() << "the updates' shape is not that of the indices";
  FailureOr<Result> result = copyOfData(n);
  if (failed(result) || failed(n.spend(static_cast<double>(indices.size()))))
    return failure();
  int64_t i = 0;
  LogicalResult valid = success();
  forEachIndex(indices.shape(), [&](ArrayRef<int64_t> position) {
    FailureOr<int64_t> to =
        failed(valid) ? FailureOr<int64_t>() : elementAt(n, (*result)->shape(), position, *axis, indices.getInt(i));
    if (failed(to))
      valid = failure();
    else
      (*update)(**result, *to, updates, i++);
  });
  return failed(valid) ? failure() : n.give(*result);
}

static LogicalResult evaluateScatterND(NodeImporter &n) {
  const OnnxConstant &updates = n.constant(2);
  FailureOr<Tuples> tuples = readTuples(n, 0);
  FailureOr<Update> update = failed(tuples) ? FailureOr<Update>() : readUpdate(n);
  if (failed(update))
    return failure();
  ArrayRef<int64_t> indices = n.constant(1).shape();
  Shape shape(indices.drop_back());
  llvm::append_range(shape, n.constant(0).shape().drop_front(indices.back()));
  if (updates.shape() != ArrayRef<int64_t>(shape))
    return n.error() << "the updates' shape is not that of the slices";
  FailureOr<Result> result = copyOfData(n);
  if (failed(result) || failed(n.spend(static_cast<double>(updates.size()))))
    return failure();
  for (auto [i, begin] : llvm::enumerate(tuples->begins))
    for (int64_t k = 0; k < tuples->size; ++k)
      (*update)(**result, begin + k, updates, static_cast<int64_t>(i) * tuples->size + k);
  return n.give(*result);
}

/// values[1] where the new axis' index is that of the indices, else values[0].
static LogicalResult evaluateOneHot(NodeImporter &n) {
  const OnnxConstant &indices = n.constant(0), &depths = n.constant(1), &values = n.constant(2);
  if (depths.size() != 1 || values.size() != 2 || indices.dtype == DType::Bool)
    return n.error() << "expects numbers, one depth and two values";
  const int64_t depth = depths.getInt(0), rank = n.input(0).rank();
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), rank + 1);
  if (failed(axis))
    return failure();
  Shape shape(indices.shape());
  shape.insert(shape.begin() + *axis, depth);
  FailureOr<Result> result = n.allocate(values.dtype, shape);
  if (failed(result))
    return failure();
  const AlongAxis along(shape, *axis);
  for (int64_t o = 0; o < along.outer; ++o)
    for (int64_t k = 0; k < along.inner; ++k) {
      int64_t index = indices.getInt(o * along.inner + k);
      index += index < 0 ? depth : 0;
      for (int64_t i = 0; i < depth; ++i)
        copyElement(**result, along.at(o, i, k), values, i == index);
    }
  return n.give(*result);
}

void vitq::frontend::addIndexingEvaluators(HandlerTable &table) {
  addEvaluator(table, "GatherElements", evaluateGatherElements, 2, 2);
  addEvaluator(table, "GatherND", evaluateGatherND, 2, 2);
  addEvaluator(table, "Compress", evaluateCompress, 2, 2);
  addEvaluator(table, "NonZero", evaluateNonZero, 1, 1);
  addEvaluator(table, "ScatterElements", evaluateScatterElements, 3, 3);
  addEvaluator(table, "Scatter", evaluateScatterElements, 3, 3);
  addEvaluator(table, "ScatterND", evaluateScatterND, 3, 3);
  addEvaluator(table, "OneHot", evaluateOneHot, 3, 3);
}
