//===- ImportContractions.cpp - Products, softmax, means -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Importer.h"

#include "ConstantCodes.h"

#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

static ConstantPtr scaled(ConstantPtr tensor, double factor) {
  if (factor == 1.0)
    return tensor;
  if (tensor->codes && factor > 0) {
    auto codes = std::make_shared<ConstantCodes>(*tensor->codes);
    for (double &scale : codes->grid.scales)
      scale *= factor;
    return dequantizedConstant(std::move(codes), tensor->name);
  }
  if (isHalf(tensor->dtype)) // not rounded to a half again
    tensor = castConstant(*tensor, DType::F32, tensor->name);
  return mapConstant(*tensor, [&](double v) { return v * factor; }, tensor->name);
}

MaybeImported vitq::frontend::makeLinear(NodeImporter &n, const Imported &input, ConstantPtr weight, ConstantPtr bias) {
  Value rest;
  FailureOr<Value> x = n.materialize(input), w = n.materializeWeight(Imported(std::move(weight)), rest);
  if (failed(x) || failed(w))
    return failure();
  SmallVector<Value> operands{*x, *w};
  if (bias) {
    FailureOr<Value> b = n.materialize(Imported(std::move(bias)));
    if (failed(b))
      return failure();
    operands.push_back(*b);
  }
  MaybeImported result = n.create<vit::LinearOp>(operands);
  if (failed(result) || !rest)
    return result;
  MaybeImported share = n.create<vit::LinearOp>({*x, rest});
  return failed(share) ? share : n.create<vit::AddOp>({result->value, share->value});
}

MaybeImported vitq::frontend::makeGemm(NodeImporter &n) {
  Imported a = n.input(0);
  if (a.rank() != 2 || n.input(1).rank() != 2)
    return n.error() << "expects matrices";
  if (n.intAttr("transA", 0)) {
    MaybeImported transposed = n.transpose(a, {1, 0});
    if (failed(transposed))
      return failure();
    a = *transposed;
  }
  double alpha = n.floatAttr("alpha", 1.0), beta = n.floatAttr("beta", 1.0);
  ConstantPtr weight = n.input(1).constant;
  if (!weight || !isFloat(weight->dtype))
    return n.error() << "the second matrix must be a constant of floats";
  if (!n.intAttr("transB", 0))
    weight = transposedConstant(*weight, {1, 0}, weight->name);
  if (!n.has(2) || beta == 0)
    return makeLinear(n, a, scaled(weight, alpha), nullptr);
  ConstantPtr bias = n.input(2).constant;
  if (!bias || !isFloat(bias->dtype))
    return n.error() << "the third operand must be a constant of floats";
  // [N], [1, N], [1] or a scalar; a bias for each row is no bias.
  int64_t channels = weight->shape()[0], size = bias->size();
  remarkBiasScale(n, a, weight, bias);
  bool isRow = bias->shape().empty() || (bias->shape().size() <= 2 && bias->shape().back() == size);
  if (!isRow || (size != channels && size != 1))
    return n.error() << "the third operand must be a vector of " << channels << " numbers";
  bias = bias->with(broadcastTo(bias->elements.reshaped({size}), {channels}), bias->name);
  return makeLinear(n, a, scaled(weight, alpha), scaled(bias, beta));
}

static LogicalResult importGemm(NodeImporter &n) { return n.setOutput(makeGemm(n)); }

/// Both operands of a batched product with equal batch axes.
static LogicalResult alignBatches(NodeImporter &n, Imported &lhs, Imported &rhs) {
  Shape a(lhs.shape()), b(rhs.shape());
  ArrayRef<int64_t> aBatch = ArrayRef(a).drop_back(2), bBatch = ArrayRef(b).drop_back(2);
  FailureOr<Shape> batch = broadcastShapes(n, aBatch, bBatch);
  if (failed(batch))
    return failure();
  auto align = [&](Imported &operand, ArrayRef<int64_t> shape) -> LogicalResult {
    Shape aligned(batch->size() + 2 - shape.size(), 1);
    aligned.append(shape.begin(), shape.end());
    Shape full(*batch);
    full.append(shape.end() - 2, shape.end());
    MaybeImported ranked = n.reshape(operand, aligned);
    MaybeImported result = failed(ranked) ? ranked : n.broadcast(*ranked, full);
    if (failed(result))
      return failure();
    operand = *result;
    return success();
  };
  return success(succeeded(align(lhs, a)) && succeeded(align(rhs, b)));
}

/// The shape of a product before the axes that stood in for vectors go.
static Shape dropVectorAxes(ArrayRef<int64_t> shape, bool lhsIsVector, bool rhsIsVector) {
  Shape result(shape);
  if (lhsIsVector)
    result.erase(result.end() - 2);
  if (rhsIsVector)
    result.pop_back();
  return result;
}

MaybeImported vitq::frontend::makeMatMul(NodeImporter &n, Imported lhs, Imported rhs) {
  if (!lhs.isFloat() || !rhs.isFloat())
    return n.error() << "only products of floats are supported";
  if (lhs.rank() < 1 || rhs.rank() < 1)
    return n.error() << "expects matrices";
  bool lhsIsVector = lhs.rank() == 1, rhsIsVector = rhs.rank() == 1;
  if (lhsIsVector) {
    MaybeImported matrix = n.reshape(lhs, {1, lhs.shape()[0]});
    if (failed(matrix))
      return failure();
    lhs = *matrix;
  }
  if (rhsIsVector) {
    MaybeImported matrix = n.reshape(rhs, {rhs.shape()[0], 1});
    if (failed(matrix))
      return failure();
    rhs = *matrix;
  }
  MaybeImported result = failure();
  bool isLinear = rhs.constant && countElements(rhs.shape().drop_back(2)) == 1 && rhs.rank() <= lhs.rank();
  if (isLinear) {
    ConstantPtr matrix = reshapedConstant(*rhs.constant, rhs.shape().take_back(2), rhs.constant->name);
    result = makeLinear(n, lhs, transposedConstant(*matrix, {1, 0}, matrix->name), nullptr);
  } else {
    if (failed(alignBatches(n, lhs, rhs)))
      return failure();
    FailureOr<Value> a = n.materialize(lhs), b = n.materialize(rhs);
    if (failed(a) || failed(b))
      return failure();
    result = n.create<vit::MatmulOp>({*a, *b});
  }
  if (succeeded(result) && (lhsIsVector || rhsIsVector))
    result = n.reshape(*result, dropVectorAxes(result->shape(), lhsIsVector, rhsIsVector));
  return result;
}

static LogicalResult importMatMul(NodeImporter &n) { return n.setOutput(makeMatMul(n, n.input(0), n.input(1))); }

//===----------------------------------------------------------------------===//
// Softmax, means
//===----------------------------------------------------------------------===//

static LogicalResult importSoftmax(NodeImporter &n) {
  const Imported &input = n.input(0);
  FailureOr<Value> x = n.materialize(input);
  FailureOr<int64_t> axis = n.axis(n.intAttr("axis", n.opset() < 13 ? 1 : -1), input.rank());
  if (failed(x) || failed(axis))
    return failure();
  int64_t rank = input.rank();
  if (*axis == rank - 1)
    return n.setOutput(n.create<vit::SoftmaxOp>(*x));
  Shape shape(input.shape());
  if (n.opset() < 13) {
    // Softmax over all axes from `axis` on, as one.
    Shape flat{*countElements(ArrayRef(shape).take_front(*axis)), *countElements(ArrayRef(shape).drop_front(*axis))};
    MaybeImported rows = n.reshape(input, flat);
    MaybeImported softmax = failed(rows) ? rows : n.create<vit::SoftmaxOp>(rows->value);
    return n.setOutput(failed(softmax) ? softmax : n.reshape(*softmax, shape));
  }
  Shape swap = range(0, rank);
  std::swap(swap[*axis], swap[rank - 1]);
  MaybeImported rows = n.transpose(input, swap);
  MaybeImported softmax = failed(rows) ? rows : n.create<vit::SoftmaxOp>(rows->value);
  return n.setOutput(failed(softmax) ? softmax : n.transpose(*softmax, swap));
}

MaybeImported vitq::frontend::makeMean(NodeImporter &n, const Imported &input, Shape axes, bool keepDims) {
  FailureOr<Value> x = n.materialize(input);
  if (failed(x))
    return failure();
  llvm::sort(axes);
  SmallVector<NamedAttribute> attributes{n.i64s("axes", axes)};
  if (keepDims)
    attributes.push_back(n.builder.getNamedAttr("keep_dims", n.builder.getUnitAttr()));
  return n.create<vit::MeanOp>(*x, attributes);
}

void vitq::frontend::addContractionHandlers(HandlerTable &table) {
  table["Gemm"] = {importGemm, 2, 3};
  table["MatMul"] = {importMatMul, 2, 2};
  table["Softmax"] = {importSoftmax, 1, 1};
}
