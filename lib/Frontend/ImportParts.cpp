//===- ImportParts.cpp - Values that are no tensors yet -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// ONNX values that stand for something which later operators complete. Integers whose scale
// the graph computes from the image are reals divided by that scale, until it is multiplied
// back. A row's maximum is there to be subtracted from the row before its exponentials are
// taken: the numerators of a softmax whose division comes later, as vitq's own models have it.

#include "ConstantCodes.h"
#include "Importer.h"

#include <utility>

using namespace mlir;
using namespace vitq;
using namespace vitq::frontend;

//===----------------------------------------------------------------------===//
// Scales that the graph computes
//===----------------------------------------------------------------------===//

/// Codes, scale and zero point of the image's data: x in units of the scale, the scale
/// itself, and nothing more of the zero point than whose it is.
static LogicalResult importDynamicQuantizeLinear(NodeImporter &n) {
  Imported codes = n.input(0);
  if (!codes.value || !codes.isFloat())
    return n.error() << "expects floats that depend on the image";
  if (n.node.outputs.size() != 3)
    return n.error() << "expects three outputs";
  n.noteDynamicScale();
  codes.dynamicScales = {n.node.outputs[1]};
  Imported scale;
  scale.dynamicScales = codes.dynamicScales;
  n.setOutput(0, codes);
  n.setOutput(1, scale);
  n.setOutput(2, scale);
  return success();
}

/// An operand of an integer product: in units of its dynamic scale, or constant codes as
/// reals of scale 1.
static MaybeImported unscaledInput(NodeImporter &n, size_t i, size_t zero, int64_t axis) {
  const Imported &input = n.input(i);
  if (!input.dynamicScales.empty() && input.value) {
    if (n.has(zero) && n.input(zero).dynamicScales != input.dynamicScales)
      return n.error() << "the zero point of its operand is not the one its codes were made with";
    return input;
  }
  const ConstantPtr &codes = input.constant;
  if (!codes)
    return n.error() << "its operands must be constants, or codes of a DynamicQuantizeLinear";
  Grid grid;
  if (!setCode(grid, codes->dtype) || grid.bits > 8)
    return n.error() << "expects codes of 8 bits";
  if (n.has(zero)) {
    const ConstantPtr &zeros = n.input(zero).constant;
    if (!zeros || zeros->dtype != codes->dtype || zeros->size() == 0)
      return n.error() << "the zero point must be one constant integer for each scale";
    grid.zeroPoints.clear();
    for (int64_t k = 0, e = zeros->size(); k < e; ++k)
      grid.zeroPoints.push_back(zeros->getInt(k));
    if (zeros->size() > 1) {
      FailureOr<int64_t> normal = n.axis(axis, codes->shape().size());
      if (failed(normal))
        return failure();
      if (zeros->size() != codes->shape()[*normal])
        return n.error() << "has " << zeros->size() << " zero points for an axis of " << codes->shape()[*normal];
      grid.axis = *normal;
      grid.scales.assign(zeros->size(), 1.0);
    }
  }
  return dequantized(n, input, grid);
}

static SmallVector<std::string, 1> joinScales(const Imported &a, const Imported &b) {
  SmallVector<std::string, 1> scales(a.dynamicScales);
  llvm::append_range(scales, b.dynamicScales);
  llvm::sort(scales);
  return scales;
}

/// The product of the first two inputs, whose zero points are inputs too, in units of both scales.
static MaybeImported unscaledMatMul(NodeImporter &n, size_t lhsZeroPoint, size_t rhsZeroPoint) {
  MaybeImported lhs = unscaledInput(n, 0, lhsZeroPoint, n.input(0).rank() - 2),
                rhs = unscaledInput(n, 1, rhsZeroPoint, n.input(1).rank() - 1);
  if (failed(lhs) || failed(rhs))
    return failure();
  SmallVector<std::string, 1> scales = joinScales(*lhs, *rhs);
  lhs->dynamicScales.clear();
  rhs->dynamicScales.clear();
  MaybeImported result = makeMatMul(n, *lhs, *rhs);
  if (succeeded(result))
    result->dynamicScales = scales;
  return result;
}

static LogicalResult importMatMulInteger(NodeImporter &n) { return n.setOutput(unscaledMatMul(n, 2, 3)); }

static LogicalResult importConvInteger(NodeImporter &n) {
  MaybeImported input = unscaledInput(n, 0, 2, 1), weight = unscaledInput(n, 1, 3, 0);
  if (failed(input) || failed(weight))
    return failure();
  SmallVector<std::string, 1> scales = joinScales(*input, *weight);
  input->dynamicScales.clear();
  MaybeImported result = importConvolution(n, *input, *weight, Imported());
  if (succeeded(result))
    result->dynamicScales = scales;
  return n.setOutput(result);
}

/// A scale times a constant, or what is in units of a scale times that scale.
static LogicalResult mulByDynamicScale(NodeImporter &n) {
  for (int i = 0; i < 2; ++i) {
    const Imported &a = n.input(i), &b = n.input(1 - i);
    const bool isScale = !a.value && !a.dynamicScales.empty();
    if (!isScale)
      continue;
    Imported result;
    if (!b.value && (b.constant || !b.dynamicScales.empty())) {
      if (a.constant && b.constant)
        return n.error() << "multiplies two scales that both have constant factors, which is not supported";
      result.constant = a.constant ? a.constant : b.constant;
      result.dynamicScales = joinScales(a, b);
      return n.setOutput(MaybeImported(result));
    }
    if (b.value && b.dynamicScales == a.dynamicScales) {
      if (!a.constant)
        return n.setOutput(MaybeImported(Imported(b.value)));
      if (failed(broadcastShapes(n, b.value ? Imported(b.value).shape() : b.shape(), a.constant->shape())))
        return failure();
      FailureOr<Value> factor = n.materialize(Imported(a.constant));
      return failed(factor) ? failure() : n.setOutput(n.create<vit::MulOp>({b.value, *factor}));
    }
  }
  return n.error() << "multiplies codes by something else than the scale that they were made with";
}

/// com.microsoft: a MatMulInteger, Cast, and Mul by both scales, and a bias.
static LogicalResult importMatMulIntegerToFloat(NodeImporter &n) {
  MaybeImported result = unscaledMatMul(n, 4, 5);
  if (failed(result))
    return failure();
  SmallVector<std::string, 1> scales = std::exchange(result->dynamicScales, {});
  for (size_t i : {2, 3}) {
    if (failed(result))
      return failure();
    const Imported &scale = n.input(i);
    if (!scale.dynamicScales.empty()) {
      const auto *it = llvm::find(scales, scale.dynamicScales.front());
      if (scale.dynamicScales.size() != 1 || scale.constant || it == scales.end())
        return n.error() << "multiplies codes by something else than the scale that they were made with";
      scales.erase(it);
      continue;
    }
    FailureOr<Value> factor = n.materialize(scale);
    if (failed(factor) || failed(broadcastShapes(n, result->shape(), scale.shape())))
      return failure();
    result = n.create<vit::MulOp>({result->value, *factor});
  }
  if (!scales.empty())
    return n.error() << "multiplies codes by something else than the scale that they were made with";
  if (succeeded(result) && n.has(6)) {
    FailureOr<Value> bias = n.materialize(n.input(6));
    if (failed(bias) || failed(broadcastShapes(n, result->shape(), n.input(6).shape())))
      return failure();
    result = n.create<vit::AddOp>({result->value, *bias});
  }
  return n.setOutput(result);
}

/// Integer products become floats before their scale comes back.
static LogicalResult castIntegerProduct(NodeImporter &n) {
  if (n.intAttr("to", 0) != 1) // onnx.TensorProto.DataType
    return n.error() << "makes something else than floats of an integer product";
  return n.setOutput(MaybeImported(n.input(0)));
}

//===----------------------------------------------------------------------===//
// Numerators of a softmax
//===----------------------------------------------------------------------===//

/// Whether the node reduces the last axis of its input.
static FailureOr<bool> reducesLastAxis(NodeImporter &n, int64_t axesAreInputSince) {
  bool given = false;
  const int64_t rank = n.input(0).rank();
  FailureOr<Shape> axes = n.axes(rank, axesAreInputSince, given);
  if (failed(axes))
    return failure();
  return axes->size() == 1 && axes->front() == rank - 1;
}

static LogicalResult importRowMaximum(NodeImporter &n) {
  const int64_t rank = n.input(0).rank();
  bool given = false;
  FailureOr<Shape> axes = n.axes(rank, 18, given);
  if (failed(axes))
    return failure();
  llvm::sort(*axes);
  // Of other axes than the last one it is a maximum of windows.
  const bool isRow = axes->size() == 1 && axes->front() == rank - 1;
  if (!isRow && !axes->empty() && axes->front() > 0 && n.input(0).value && n.input(0).isFloat()) {
    if (*axes == range(axes->front(), axes->back() + 1)) {
      MaybeImported largest = *axes == range(2, rank) ? makeGlobalMaximum(n, n.input(0))
                                                      : makeMaximum(n, n.input(0), axes->front(), axes->size());
      if (failed(largest) || n.intAttr("keepdims", 1) != 0)
        return n.setOutput(largest);
      Shape shape(n.input(0).shape());
      shape.erase(shape.begin() + axes->front(), shape.begin() + axes->back() + 1);
      return n.setOutput(n.reshape(*largest, shape));
    }
  }
  if (!isRow || n.intAttr("keepdims", 1) == 0 || !n.input(0).value || !n.input(0).isFloat())
    return n.error() << "is supported on constants, over neighbouring axes behind the batch, and as part of x - max(x) "
                        "over the last axis, only";
  Imported result;
  result.rowMaximumOf = n.input(0).value;
  return n.setOutput(MaybeImported(result));
}

static LogicalResult subtractRowMaximum(NodeImporter &n) {
  if (!n.input(0).value || n.input(0).value != n.input(1).rowMaximumOf)
    return n.error() << "reads the maximum of rows; only x - max(x) is supported";
  Imported result;
  result.distanceOf = n.input(0).value;
  return n.setOutput(MaybeImported(result));
}

static LogicalResult exponentialOfDistance(NodeImporter &n) {
  Value x = n.input(0).distanceOf;
  if (!x)
    return n.error() << "reads the maximum of rows; only x - max(x) is supported";
  auto numerator = vit::createInferred<vit::SoftmaxNumeratorOp>(n.builder, n.loc, x);
  return numerator ? n.setOutput(MaybeImported(Imported(Value(numerator.getNumerator())))) : failure();
}

/// The sum of numerators, or of their codes; others as usual.
static LogicalResult importRowSum(NodeImporter &n) {
  Value value = n.input(0).value;
  while (value && isa_and_nonnull<vit::QuantizeOp, vit::DequantizeOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  auto numerator = value ? value.getDefiningOp<vit::SoftmaxNumeratorOp>() : vit::SoftmaxNumeratorOp();
  if (!numerator || value != numerator.getNumerator())
    return importReduceSum(n);
  FailureOr<bool> last = reducesLastAxis(n, 13);
  if (failed(last))
    return failure();
  if (!*last)
    return importReduceSum(n);
  Imported sum(Value(numerator.getSum()));
  if (n.intAttr("keepdims", 1) == 0)
    return n.setOutput(MaybeImported(sum));
  Shape kept(sum.shape());
  kept.push_back(1);
  return n.setOutput(n.reshape(sum, kept));
}

void vitq::frontend::addPartHandlers(HandlerTable &table) {
  addCodeHandler(table, "DynamicQuantizeLinear", importDynamicQuantizeLinear, 1, 1);
  addCodeHandler(table, "MatMulInteger", importMatMulInteger, 2, 4);
  addCodeHandler(table, "ConvInteger", importConvInteger, 2, 4);
  addCodeHandler(table, "com.microsoft::MatMulIntegerToFloat", importMatMulIntegerToFloat, 4, 7);
  table["Mul"].onPart = mulByDynamicScale;
  table["Cast"].onPart = castIntegerProduct;
  table["Sub"].onPart = subtractRowMaximum;
  table["Exp"].onPart = exponentialOfDistance;
  table["ReduceMax"].import = importRowMaximum;
  table["ReduceSum"].import = importRowSum;
}
