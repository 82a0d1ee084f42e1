//===- Constants.cpp - Constants as tensors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Engine.h"

#include "dialects/vit/Vit.h"
#include "dialects/vitq/Vitq.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;

static std::optional<ElementKind> kindOfType(Type type) {
  if (type.isF32())
    return ElementKind::F32;
  if (type.isF64())
    return ElementKind::F64;
  if (!isa<IntegerType>(type))
    return std::nullopt;
  switch (type.getIntOrFloatBitWidth()) {
  case 1:
    return ElementKind::I1;
  case 8:
    return ElementKind::I8;
  case 16:
    return ElementKind::I16;
  case 32:
    return ElementKind::I32;
  case 64:
    return ElementKind::I64;
  default:
    return std::nullopt;
  }
}

Tensor interp::convertFloat(const Tensor &tensor, ElementKind kind) {
  if (tensor.kind() == kind || (tensor.kind() != ElementKind::F32 && tensor.kind() != ElementKind::F64))
    return tensor;
  Tensor result = Tensor::allocate(kind, tensor.shape());
  if (kind == ElementKind::F64)
    llvm::copy(tensor.values<float>(), result.mutableData<double>());
  else
    llvm::transform(tensor.values<double>(), result.mutableData<float>(),
                    [](double x) { return static_cast<float>(x); });
  return result;
}

/// A tensor over `data`, or a copy where that is not aligned.
static Tensor viewOrCopy(ElementKind kind, ArrayRef<int64_t> shape, ArrayRef<char> data) {
  if (reinterpret_cast<uintptr_t>(data.data()) % sizeOf(kind) == 0)
    return Tensor::view(kind, shape, data.data());
  Tensor tensor = Tensor::allocate(kind, shape);
  llvm::copy(data, tensor.mutableBytes());
  return tensor;
}

/// The elements of `dense` whose raw data has none, one for all, or packed bits.
static Tensor expand(DenseElementsAttr dense, ElementKind kind) {
  Tensor tensor = Tensor::allocate(kind, dense.getType().getShape());
  if (kind == ElementKind::I1) {
    llvm::copy(dense.getValues<bool>(), tensor.mutableData<bool>());
    return tensor;
  }
  ArrayRef<char> element = dense.getRawData();
  for (size_t i = 0; i < tensor.numBytes(); i += element.size())
    llvm::copy(element, tensor.mutableBytes() + i);
  return tensor;
}

FailureOr<Tensor> interp::loadConstant(Operation *op, Attribute attribute, ElementKind floatKind) {
  auto elements = dyn_cast<ElementsAttr>(attribute);
  std::optional<ElementKind> kind = elements ? kindOfType(elements.getElementType()) : std::nullopt;
  if (!kind)
    return op->emitOpError("has a value that cannot be run: the interpreter takes tensors of f32, f64, i1, i8, i16, "
                           "i32 and i64");
  ArrayRef<int64_t> shape = elements.getShapedType().getShape();
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute)) {
    if (dense.isSplat() || kind == ElementKind::I1)
      return convertFloat(expand(dense, *kind), floatKind);
    return convertFloat(viewOrCopy(*kind, shape, dense.getRawData()), floatKind);
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(attribute);
  if (!resource)
    return op->emitOpError("has a value that is neither dense nor a dense_resource");
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  size_t expected = productOf(shape) * sizeOf(*kind);
  if (!blob)
    return op->emitOpError("has no data for its resource '")
           << resource.getRawHandle().getKey() << "'; was the module printed with elided resources?";
  if (blob->getData().size() != expected)
    return op->emitOpError("needs ") << expected << " bytes, its resource '" << resource.getRawHandle().getKey()
                                     << "' has " << blob->getData().size();
  return convertFloat(viewOrCopy(*kind, shape, blob->getData()), floatKind);
}

int64_t interp::macsOf(Operation *op) {
  if (isa<vit::LinearOp, vit::MatmulOp, integer::MatmulOp>(op))
    return productOf(shapeOfValue(op->getResult(0))) * shapeOfValue(op->getOperand(0)).back();
  if (isa<vit::PatchEmbedOp, vit::Conv2dOp>(op))
    return productOf(shapeOfValue(op->getResult(0))) * productOf(shapeOfValue(op->getOperand(1)).drop_front());
  return 0;
}
