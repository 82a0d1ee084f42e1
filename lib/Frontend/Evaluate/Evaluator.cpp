//===- Evaluator.cpp - Operators on constants -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

#include <cstring>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

void vitq::frontend::addEvaluator(HandlerTable &table, StringRef opType, Evaluator evaluate, unsigned minInputs,
                                  unsigned maxInputs) {
  OperatorHandler &handler = table[opType];
  handler.evaluate = evaluate;
  if (handler.import)
    return;
  handler.minInputs = minInputs;
  handler.maxInputs = maxInputs;
}

void vitq::frontend::copyElement(OnnxConstant &to, int64_t i, const OnnxConstant &from, int64_t j) {
  assert(to.dtype == from.dtype && "elements are moved as they are");
  const size_t size = sizeOf(from.elements.kind());
  std::memcpy(to.elements.mutableBytes() + i * size, from.elements.bytes() + j * size, size);
}

AlongAxis::AlongAxis(ArrayRef<int64_t> shape, int64_t axis) : length(shape[axis]) {
  for (int64_t size : shape.take_front(axis))
    outer *= size;
  for (int64_t size : shape.drop_front(axis + 1))
    inner *= size;
}

void vitq::frontend::forEachIndex(ArrayRef<int64_t> shape, function_ref<void(ArrayRef<int64_t>)> visit) {
  if (llvm::is_contained(shape, 0))
    return;
  Shape index(shape.size(), 0);
  while (true) {
    visit(index);
    size_t axis = shape.size();
    while (axis > 0 && ++index[axis - 1] == shape[axis - 1])
      index[--axis] = 0;
    if (axis == 0)
      return;
  }
}

std::vector<double> vitq::frontend::realsOf(const OnnxConstant &constant) {
  std::vector<double> values(constant.size());
  for (auto [i, value] : llvm::enumerate(values))
    value = constant.getDouble(static_cast<int64_t>(i));
  return values;
}

ConstantPtr vitq::frontend::broadcast(const OnnxConstant &constant, ArrayRef<int64_t> shape) {
  return constant.with(broadcastTo(constant.elements, shape), constant.name);
}

FailureOr<Shape> vitq::frontend::broadcastInputs(NodeImporter &n) {
  FailureOr<Shape> shape = Shape(n.input(0).shape());
  for (size_t i = 1; i < n.numInputs() && succeeded(shape); ++i)
    shape = broadcastShapes(n, *shape, n.input(i).shape());
  return shape;
}

FailureOr<int64_t> vitq::frontend::intInput(NodeImporter &n, size_t i, StringRef what) {
  const OnnxConstant &value = n.constant(i);
  if (value.size() != 1 || !isInteger(value.dtype))
    return n.error() << "input '" << what << "' must be one integer";
  return value.getInt(0);
}
