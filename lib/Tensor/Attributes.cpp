//===- Attributes.cpp - Tensors from and to attributes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Tensor/Attributes.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq;

static std::optional<ElementKind> integerKind(unsigned width) {
  switch (width) {
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

std::optional<ElementKind> vitq::exactKindOf(Type type) {
  if (type.isF32())
    return ElementKind::F32;
  if (type.isF64())
    return ElementKind::F64;
  auto integer = dyn_cast<IntegerType>(type);
  return integer ? integerKind(integer.getWidth()) : std::nullopt;
}

std::optional<ElementKind> vitq::storageKindOf(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer || integer.getWidth() <= 1 || integer.getWidth() > 64)
    return exactKindOf(type);
  return integerKind(std::max<unsigned>(8, llvm::PowerOf2Ceil(integer.getWidth())));
}

//===----------------------------------------------------------------------===//
// From attributes
//===----------------------------------------------------------------------===//

template <typename... Values>
static llvm::Error reason(const char *format, const Values &...values) {
  return llvm::createStringError(llvm::formatv(format, values...).str());
}

/// A tensor over `data`, or a copy where that is not aligned.
static Tensor viewOrCopy(ElementKind kind, ArrayRef<int64_t> shape, ArrayRef<char> data) {
  if (reinterpret_cast<uintptr_t>(data.data()) % sizeOf(kind) == 0)
    return Tensor::view(kind, shape, data.data());
  Tensor tensor = Tensor::allocate(kind, shape);
  llvm::copy(data, tensor.mutableBytes());
  return tensor;
}

static Tensor readDense(DenseElementsAttr dense, ElementKind kind) {
  ArrayRef<int64_t> shape = dense.getType().getShape();
  const bool isExact = exactKindOf(dense.getElementType()) == kind;
  if (isExact && kind != ElementKind::I1 && !dense.isSplat())
    return viewOrCopy(kind, shape, dense.getRawData());
  Tensor tensor = Tensor::allocate(kind, shape);
  // The raw data is one element for all, packed bits, or not extended by the sign.
  if (isExact && kind != ElementKind::I1) {
    ArrayRef<char> element = dense.getRawData();
    for (size_t i = 0; i < tensor.numBytes(); i += element.size())
      llvm::copy(element, tensor.mutableBytes() + i);
  } else if (isExact) {
    llvm::copy(dense.getValues<bool>(), tensor.mutableData<bool>());
  } else {
    for (auto [i, value] : llvm::enumerate(dense.getValues<APInt>()))
      tensor.setInt(static_cast<int64_t>(i), value.getSExtValue());
  }
  return tensor;
}

static llvm::Expected<Tensor> readResource(DenseResourceElementsAttr resource, ElementKind kind) {
  if (exactKindOf(resource.getElementType()) != kind || kind == ElementKind::I1)
    return reason("has elements of type {0} in a resource", resource.getElementType());
  StringRef key = resource.getRawHandle().getKey();
  const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  if (!blob)
    return reason("has no data for its resource '{0}'; was the module printed with elided resources?", key);
  const uint64_t expected = static_cast<uint64_t>(resource.getNumElements()) * sizeOf(kind);
  if (blob->getData().size() != expected)
    return reason("needs {0} bytes, its resource '{1}' has {2}", expected, key, blob->getData().size());
  return viewOrCopy(kind, resource.getType().getShape(), blob->getData());
}

llvm::Expected<Tensor> vitq::readTensor(Attribute attribute) {
  auto typed = dyn_cast_or_null<TypedAttr>(attribute);
  if (!typed)
    return reason("is no constant number or tensor");
  auto shaped = dyn_cast<ShapedType>(typed.getType());
  Type element = shaped ? shaped.getElementType() : typed.getType();
  std::optional<ElementKind> kind = storageKindOf(element);
  if (!kind)
    return reason("has elements of type {0}", element);
  if (auto number = dyn_cast<FloatAttr>(attribute)) {
    double value = number.getValueAsDouble();
    return Tensor::of<double>({}, {value}).converted(*kind);
  }
  if (auto number = dyn_cast<IntegerAttr>(attribute)) {
    Tensor tensor = Tensor::allocate(*kind, {});
    tensor.setInt(0, number.getValue().getSExtValue());
    return tensor;
  }
  if (!shaped || !shaped.hasStaticShape())
    return reason("has no static shape");
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute))
    return readDense(dense, *kind);
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute))
    return readResource(resource, *kind);
  return reason("is neither dense nor a dense_resource");
}

//===----------------------------------------------------------------------===//
// To attributes
//===----------------------------------------------------------------------===//

static TypedAttr makeBlob(RankedTensorType type, const Tensor &tensor, StringRef blobName) {
  ArrayRef<char> bytes = tensor.raw();
  const size_t alignment = sizeOf(tensor.kind());
  AsmResourceBlob blob =
      tensor.ownsElements()
          ? AsmResourceBlob(
                bytes, alignment, /*deleter=*/[tensor](void *, size_t, size_t) {}, /*dataIsMutable=*/false)
          : HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, alignment, /*dataIsMutable=*/false);
  auto &manager = DenseResourceElementsHandle::getManagerInterface(type.getContext());
  return DenseResourceElementsAttr::get(type,
                                        manager.insert(blobName.empty() ? "constant" : blobName, std::move(blob)));
}

TypedAttr vitq::makeTensorAttr(RankedTensorType type, const Tensor &tensor, StringRef blobName) {
  assert(storageKindOf(type.getElementType()) == tensor.kind() && type.getNumElements() == tensor.numElements() &&
         "the tensor does not fit the type");
  const bool isExact = exactKindOf(type.getElementType()) == tensor.kind(), isSplat = tensor.isSplat();
  const int64_t count = isSplat ? 1 : tensor.numElements();
  if (tensor.kind() == ElementKind::I1)
    return DenseElementsAttr::get(type, tensor.values<bool>().take_front(count));
  if (isExact && !isSplat && count >= kMinBlobElements)
    return makeBlob(type, tensor, blobName);
  if (isExact)
    return DenseElementsAttr::getFromRawBuffer(
        type, tensor.raw().take_front(static_cast<size_t>(count) * sizeOf(tensor.kind())));
  SmallVector<APInt> integers;
  for (int64_t i = 0; i < count; ++i)
    integers.push_back(APInt(64, static_cast<uint64_t>(tensor.intAt(i))).trunc(type.getElementTypeBitWidth()));
  return DenseElementsAttr::get(type, integers);
}
