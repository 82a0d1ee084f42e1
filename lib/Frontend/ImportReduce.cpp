//===- ImportReduce.cpp - Reductions of data -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Importer.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

/// The axes that the node reduces; none when it reduces none.
static FailureOr<Shape> reducedAxes(NodeImporter &n, int64_t inputSince) {
  bool given = false;
  FailureOr<Shape> axes = n.axes(n.input(0).rank(), inputSince, given);
  if (failed(axes))
    return failure();
  if (axes->empty() && n.intAttr("noop_with_empty_axes", 0) == 0)
    *axes = range(0, n.input(0).rank());
  return axes;
}

static bool keepsDims(NodeImporter &n) { return n.intAttr("keepdims", 1) != 0; }

static LogicalResult importReduceMean(NodeImporter &n) {
  FailureOr<Shape> axes = reducedAxes(n, 18);
  if (failed(axes))
    return failure();
  return n.setOutput(axes->empty() ? MaybeImported(n.input(0)) : makeMean(n, n.input(0), *axes, keepsDims(n)));
}

static int64_t countReduced(const Imported &input, ArrayRef<int64_t> axes) {
  int64_t count = 1;
  for (int64_t axis : axes)
    count *= input.shape()[axis];
  return count;
}

/// A sum over an axis along which a few values were put together is theirs.
static MaybeImported sumParts(NodeImporter &n, int64_t axis, bool keepDims) {
  const Imported &input = n.input(0);
  Shape shape(input.shape());
  MaybeImported sum = failure();
  for (int64_t i = 0; i < input.shape()[axis]; ++i) {
    Shape offsets(input.rank(), 0), sizes(input.shape()), strides(input.rank(), 1);
    offsets[axis] = i;
    sizes[axis] = 1;
    MaybeImported part = n.slice(input, offsets, sizes, strides);
    if (failed(part))
      return failure();
    sum = i == 0 ? part : n.apply<vit::AddOp>(*sum, *part);
    if (failed(sum))
      return failure();
  }
  shape[axis] = 1;
  if (!keepDims)
    shape.erase(shape.begin() + axis);
  return n.reshape(*sum, shape);
}

LogicalResult vitq::frontend::importReduceSum(NodeImporter &n) {
  FailureOr<Shape> axes = reducedAxes(n, 13);
  if (failed(axes))
    return failure();
  if (axes->empty())
    return n.setOutput(MaybeImported(n.input(0)));
  constexpr int64_t kFew = 4;
  if (axes->size() == 1 && n.input(0).shape()[axes->front()] <= kFew)
    return n.setOutput(sumParts(n, axes->front(), keepsDims(n)));
  MaybeImported mean = makeMean(n, n.input(0), *axes, keepsDims(n));
  const auto count = static_cast<double>(countReduced(n.input(0), *axes));
  return n.setOutput(failed(mean) ? mean : n.apply<vit::MulOp>(*mean, NodeImporter::scalar(count)));
}

/// sqrt(sum(x^2))
static LogicalResult importReduceL2(NodeImporter &n) {
  FailureOr<Shape> axes = reducedAxes(n, 18);
  if (failed(axes))
    return failure();
  if (axes->empty())
    return n.error() << "of no axes is supported on constants only";
  MaybeImported square = n.apply<vit::MulOp>(n.input(0), n.input(0));
  MaybeImported mean = failed(square) ? square : makeMean(n, *square, *axes, keepsDims(n));
  const auto count = static_cast<double>(countReduced(n.input(0), *axes));
  MaybeImported sum = failed(mean) ? mean : n.apply<vit::MulOp>(*mean, NodeImporter::scalar(count));
  return n.setOutput(failed(sum) ? sum : n.create<vit::SqrtOp>(sum->value));
}

static LogicalResult importGlobalAveragePool(NodeImporter &n) {
  if (n.input(0).rank() < 3)
    return n.error() << "expects rank 3 or more";
  return n.setOutput(makeMean(n, n.input(0), range(2, n.input(0).rank()), true));
}

void vitq::frontend::addReduceHandlers(HandlerTable &table) {
  table["ReduceMean"] = {importReduceMean, 1, 2};
  table["ReduceSum"] = {importReduceSum, 1, 2};
  table["ReduceL2"] = {importReduceL2, 1, 2};
  table["GlobalAveragePool"] = {importGlobalAveragePool, 1, 1};
}
