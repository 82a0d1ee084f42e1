//===- EvaluateReduce.cpp - Reductions, sums along an axis, the largest elements -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

namespace {
/// The input with the reduced axes at the end, so that the elements of each result stand together.
struct Reduction {
  ConstantPtr sorted;
  Shape shape;
  /// Elements of each result.
  int64_t count = 1;
};
} // namespace

static FailureOr<Reduction> readReduction(NodeImporter &n, ArrayRef<int64_t> axes, bool keepDims) {
  const OnnxConstant &input = n.constant(0);
  Reduction reduction;
  Shape order;
  for (auto [axis, size] : llvm::enumerate(input.shape())) {
    const bool reduced = llvm::is_contained(axes, static_cast<int64_t>(axis));
    if (reduced)
      reduction.count *= size;
    else
      order.push_back(static_cast<int64_t>(axis));
    if (!reduced || keepDims)
      reduction.shape.push_back(reduced ? 1 : size);
  }
  order.append(axes.begin(), axes.end());
  reduction.sorted = input.with(transposed(input.elements, order), "");
  return reduction;
}

/// Of no elements at all: the neutral one.
static double reduceReals(StringRef kind, ArrayRef<double> values) {
  double result = kind == "Prod" ? 1 : kind == "Max" ? -INFINITY : kind == "Min" ? INFINITY : 0;
  if (kind == "LogSumExp") {
    double largest = -INFINITY;
    for (double value : values)
      largest = std::isnan(value) ? value : std::max(largest, value);
    if (!std::isfinite(largest))
      return largest;
    for (double value : values)
      result += std::exp(value - largest);
    return largest + std::log(result);
  }
  const BinaryFunction function = binaryFunction(kind == "Prod"                   ? "Mul"
                                                 : kind == "Max" || kind == "Min" ? kind
                                                                                  : "Add");
  for (double value : values)
    result = function.ofReals(result, kind == "L1"                          ? std::fabs(value)
                                      : kind == "L2" || kind == "SumSquare" ? value * value
                                                                            : value);
  return kind == "Mean"     ? result / static_cast<double>(values.size())
         : kind == "L2"     ? std::sqrt(result)
         : kind == "LogSum" ? std::log(result)
                            : result;
}

/// Functions that stay among the integers; the others are computed in double.
static std::optional<int64_t> reduceInts(StringRef kind, DType type, ArrayRef<int64_t> values) {
  if (kind == "LogSum" || kind == "LogSumExp" || kind == "L2")
    return std::nullopt;
  const bool extreme = kind == "Max" || kind == "Min";
  const BinaryFunction function = binaryFunction(kind == "Prod" ? "Mul" : extreme ? kind : "Add");
  if (extreme && values.empty())
    return std::nullopt;
  int64_t result = extreme ? values.front() : kind == "Prod" ? 1 : 0;
  for (int64_t value : values) {
    if (kind == "L1" && !isUnsigned(type) && value < 0)
      value = wrapped(0 - static_cast<uint64_t>(value));
    if (kind == "SumSquare")
      value = wrapped(static_cast<uint64_t>(value) * static_cast<uint64_t>(value));
    result = *function.integer(type)(result, value);
  }
  if (kind != "Mean")
    return result;
  return values.empty() ? 0 : *binaryFunction("Div").integer(type)(result, static_cast<int64_t>(values.size()));
}

/// Axes are an attribute before opset 18, of ReduceSum before 13; none of them means all, or none at all.
static LogicalResult evaluateReduce(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  const StringRef kind = StringRef(n.node.opType).drop_front(StringRef("Reduce").size());
  const bool extreme = kind == "Max" || kind == "Min";
  if (input.dtype == DType::Bool && !extreme)
    return n.error() << "is no function of bool";
  bool given = false;
  FailureOr<Shape> axes = n.axes(n.input(0).rank(), kind == "Sum" ? 13 : 18, given);
  if (failed(axes))
    return failure();
  if (axes->empty() && n.intAttr("noop_with_empty_axes", 0) == 0)
    *axes = range(0, n.input(0).rank());
  FailureOr<Reduction> reduction = readReduction(n, *axes, n.intAttr("keepdims", 1) != 0);
  FailureOr<Result> result = n.allocate(input.dtype, reduction->shape);
  if (failed(result) || failed(n.spend(static_cast<double>(input.size()))))
    return failure();
  const int64_t count = reduction->count;
  const bool real = isFloat(input.dtype) || !reduceInts(kind, input.dtype, {1});
  Shape integers(real ? 0 : count);
  SmallVector<double> reals(real ? count : 0);
  for (int64_t i = 0, e = (*result)->size(); i < e; ++i) {
    for (int64_t k = 0; k < count; ++k) {
      if (real)
        reals[k] = reduction->sorted->getDouble(i * count + k);
      else
        integers[k] = reduction->sorted->getInt(i * count + k);
    }
    std::optional<int64_t> integer = real ? std::nullopt : reduceInts(kind, input.dtype, integers);
    if (integer)
      (*result)->setInt(i, *integer);
    else
      (*result)->setDouble(i, reduceReals(kind, reals));
  }
  return n.give(*result);
}

/// Whether element `i` comes before `j` in the order of the largest, or smallest, first. NaN is larger than numbers.
static bool precedes(const OnnxConstant &input, int64_t i, int64_t j, bool largest) {
  if (isFloat(input.dtype)) {
    const double a = input.getDouble(i), b = input.getDouble(j);
    if (std::isnan(a) || std::isnan(b))
      return std::isnan(a) != std::isnan(b) && std::isnan(a) == largest;
    return largest ? a > b : a < b;
  }
  const int64_t a = input.getInt(i), b = input.getInt(j);
  if (isWideUnsigned(input.dtype))
    return largest ? static_cast<uint64_t>(a) > static_cast<uint64_t>(b)
                   : static_cast<uint64_t>(a) < static_cast<uint64_t>(b);
  return largest ? a > b : a < b;
}

static LogicalResult evaluateArgExtreme(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", 0), n.input(0).rank());
  if (failed(axis))
    return failure();
  const bool largest = n.node.opType == "ArgMax", last = n.intAttr("select_last_index", 0) != 0;
  const AlongAxis along(input.shape(), *axis);
  Shape shape(input.shape());
  shape[*axis] = 1;
  if (along.length == 0)
    return n.error() << "the axis is empty";
  FailureOr<Result> result = n.allocate(DType::I64, shape);
  if (failed(result) || failed(n.spend(static_cast<double>(input.size()))))
    return failure();
  for (int64_t o = 0; o < along.outer; ++o)
    for (int64_t k = 0; k < along.inner; ++k) {
      int64_t best = 0;
      for (int64_t i = 1; i < along.length; ++i)
        if (precedes(input, along.at(o, i, k), along.at(o, best, k), largest) ||
            (last && !precedes(input, along.at(o, best, k), along.at(o, i, k), largest)))
          best = i;
      (*result)->setInt(o * along.inner + k, best);
    }
  if (n.intAttr("keepdims", 1) != 0)
    return n.give(*result);
  shape.erase(shape.begin() + *axis);
  return n.setOutput(n.reshape(Imported(ConstantPtr(*result)), shape));
}

//===----------------------------------------------------------------------===//
// Orders
//===----------------------------------------------------------------------===//

/// Equal elements are in the order of their indices.
static LogicalResult evaluateTopK(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", -1), n.input(0).rank());
  FailureOr<int64_t> k = n.opset() < 10 ? FailureOr<int64_t>(n.intAttr("k", -1)) : intInput(n, 1, "K");
  if (failed(axis) || failed(k))
    return failure();
  const AlongAxis along(input.shape(), *axis);
  if (*k < 0 || *k > along.length)
    return n.error() << "cannot take " << *k << " of " << along.length << " elements";
  Shape shape(input.shape());
  shape[*axis] = *k;
  FailureOr<Result> values = n.allocate(input.dtype, shape), indices = n.allocate(DType::I64, shape);
  constexpr double kSorting = 128;
  if (failed(values) || failed(indices) || failed(n.spend(static_cast<double>(input.size()) * kSorting)))
    return failure();
  const bool largest = n.intAttr("largest", 1) != 0;
  Shape order(along.length);
  for (int64_t o = 0; o < along.outer; ++o)
    for (int64_t i = 0; i < along.inner; ++i) {
      std::iota(order.begin(), order.end(), 0);
      llvm::sort(order, [&](int64_t a, int64_t b) {
        const int64_t first = along.at(o, a, i), second = along.at(o, b, i);
        return precedes(input, first, second, largest) || (a < b && !precedes(input, second, first, largest));
      });
      for (int64_t rank = 0; rank < *k; ++rank) {
        const int64_t to = (o * *k + rank) * along.inner + i;
        copyElement(**values, to, input, along.at(o, order[rank], i));
        (*indices)->setInt(to, order[rank]);
      }
    }
  return success(succeeded(n.give(*values, 0)) && succeeded(n.give(*indices, 1)));
}

static LogicalResult evaluateCumSum(NodeImporter &n) {
  const OnnxConstant &input = n.constant(0);
  FailureOr<int64_t> given = intInput(n, 1, "axis");
  FailureOr<int64_t> axis = failed(given) ? FailureOr<int64_t>() : n.axis(*given, n.input(0).rank());
  if (failed(axis))
    return failure();
  if (input.dtype == DType::Bool)
    return n.error() << "is no function of bool";
  FailureOr<Result> result = n.allocate(input.dtype, input.shape());
  if (failed(result))
    return failure();
  const bool exclusive = n.intAttr("exclusive", 0) != 0, reverse = n.intAttr("reverse", 0) != 0;
  const AlongAxis along(input.shape(), *axis);
  for (int64_t o = 0; o < along.outer; ++o)
    for (int64_t k = 0; k < along.inner; ++k) {
      double real = 0;
      uint64_t integer = 0;
      for (int64_t step = 0; step < along.length; ++step) {
        const int64_t at = along.at(o, reverse ? along.length - 1 - step : step, k);
        const double nextReal = real + input.getDouble(at);
        const uint64_t nextInteger = integer + static_cast<uint64_t>(input.getInt(at));
        if (isFloat(input.dtype))
          (*result)->setDouble(at, exclusive ? real : nextReal);
        else
          (*result)->setInt(at, wrapped(exclusive ? integer : nextInteger));
        real = nextReal;
        integer = nextInteger;
      }
    }
  return n.give(*result);
}

void vitq::frontend::addReduceEvaluators(HandlerTable &table) {
  for (const char *name : {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
                           "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"})
    addEvaluator(table, name, evaluateReduce, 1, 2);
  addEvaluator(table, "ArgMax", evaluateArgExtreme, 1, 1);
  addEvaluator(table, "ArgMin", evaluateArgExtreme, 1, 1);
  addEvaluator(table, "TopK", evaluateTopK, 1, 2);
  addEvaluator(table, "CumSum", evaluateCumSum, 2, 2);
}
