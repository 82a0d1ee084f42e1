//===- Constants.cpp - Reading and making constants -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Support/Constants.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinDialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cassert>
#include <cstring>

using namespace mlir;
using namespace vitq;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// The blob's elements of type `Stored`, none when its size does not fit.
template <typename Stored, typename Out>
static std::optional<std::vector<Out>> readBlob(ArrayRef<char> data, int64_t count) {
  if (data.size() / sizeof(Stored) != static_cast<size_t>(count) || data.size() % sizeof(Stored))
    return std::nullopt;
  std::vector<Out> values(count);
  for (int64_t i = 0; i < count; ++i) {
    Stored element;
    std::memcpy(&element, data.data() + i * sizeof(Stored), sizeof(Stored));
    values[i] = static_cast<Out>(element);
  }
  return values;
}

template <typename Out>
static std::optional<std::vector<Out>> readFloats(Attribute attribute) {
  if (auto scalar = dyn_cast_or_null<FloatAttr>(attribute))
    return std::vector<Out>{static_cast<Out>(scalar.getValueAsDouble())};
  auto elements = dyn_cast_or_null<ElementsAttr>(attribute);
  if (!elements || !elements.getShapedType().hasStaticShape())
    return std::nullopt;
  Type type = elements.getElementType();
  if (!type.isF32() && !type.isF64())
    return std::nullopt;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    int64_t count = elements.getNumElements();
    return type.isF32() ? readBlob<float, Out>(blob->getData(), count) : readBlob<double, Out>(blob->getData(), count);
  }
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense)
    return std::nullopt;
  std::vector<Out> values;
  values.reserve(dense.getNumElements());
  if (type.isF32())
    for (float value : dense.getValues<float>())
      values.push_back(static_cast<Out>(value));
  else
    for (double value : dense.getValues<double>())
      values.push_back(static_cast<Out>(value));
  return values;
}

std::optional<std::vector<double>> vitq::getFloatConstant(Attribute attribute) { return readFloats<double>(attribute); }
std::optional<std::vector<float>> vitq::getFloatConstantF32(Attribute attribute) {
  return readFloats<float>(attribute);
}

static std::optional<std::vector<int64_t>> readIntBlob(ArrayRef<char> data, unsigned width, int64_t count) {
  switch (width) {
  case 8:
    return readBlob<int8_t, int64_t>(data, count);
  case 16:
    return readBlob<int16_t, int64_t>(data, count);
  case 32:
    return readBlob<int32_t, int64_t>(data, count);
  case 64:
    return readBlob<int64_t, int64_t>(data, count);
  default:
    return std::nullopt;
  }
}

std::optional<std::vector<int64_t>> vitq::getIntConstant(Attribute attribute) {
  auto toInt = [](const APInt &value) {
    return value.getBitWidth() == 1 ? value.getZExtValue() : value.getSExtValue();
  };
  if (auto scalar = dyn_cast_or_null<IntegerAttr>(attribute))
    if (scalar.getType().isInteger() && scalar.getValue().getBitWidth() <= 64)
      return std::vector<int64_t>{static_cast<int64_t>(toInt(scalar.getValue()))};
  auto elements = dyn_cast_or_null<ElementsAttr>(attribute);
  if (!elements || !elements.getShapedType().hasStaticShape())
    return std::nullopt;
  auto type = dyn_cast<IntegerType>(elements.getElementType());
  if (!type || type.getWidth() > 64)
    return std::nullopt;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    const AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    return readIntBlob(blob->getData(), type.getWidth(), elements.getNumElements());
  }
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense)
    return std::nullopt;
  std::vector<int64_t> values;
  values.reserve(dense.getNumElements());
  for (const APInt &value : dense.getValues<APInt>())
    values.push_back(static_cast<int64_t>(toInt(value)));
  return values;
}

static Attribute constantAttr(Value value) {
  if (!value)
    return {};
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  return constant ? Attribute(constant.getValue()) : Attribute();
}

std::optional<std::vector<double>> vitq::getFloatConstant(Value value) { return getFloatConstant(constantAttr(value)); }
std::optional<std::vector<float>> vitq::getFloatConstantF32(Value value) {
  return getFloatConstantF32(constantAttr(value));
}
std::optional<std::vector<int64_t>> vitq::getIntConstant(Value value) { return getIntConstant(constantAttr(value)); }

std::optional<double> vitq::getSplatFloat(Value value) {
  Attribute attribute = constantAttr(value);
  if (auto dense = dyn_cast_or_null<DenseElementsAttr>(attribute);
      dense && dense.isSplat() && isa<FloatType>(dense.getElementType()))
    return dense.getSplatValue<APFloat>().convertToDouble();
  std::optional<std::vector<double>> values = getFloatConstant(attribute);
  if (!values || values->empty() || !llvm::all_equal(*values))
    return std::nullopt;
  return values->front();
}

bool vitq::isConstant(Value value) { return static_cast<bool>(constantAttr(value)); }

StringRef vitq::getBlobName(Value value) {
  auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(constantAttr(value));
  return resource ? resource.getRawHandle().getKey() : StringRef();
}

//===----------------------------------------------------------------------===//
// Making
//===----------------------------------------------------------------------===//

template <typename Stored, typename In>
static TypedAttr makeBlob(RankedTensorType type, ArrayRef<In> values, StringRef blobName) {
  std::vector<Stored> stored(values.begin(), values.end());
  AsmResourceBlob blob = HeapAsmResourceBlob::allocateAndCopyInferAlign<Stored>(stored, /*dataIsMutable=*/false);
  auto &manager = DenseResourceElementsHandle::getManagerInterface(type.getContext());
  return DenseResourceElementsAttr::get(type,
                                        manager.insert(blobName.empty() ? "constant" : blobName, std::move(blob)));
}

template <typename In>
static bool wantsBlob(ArrayRef<In> values) {
  return static_cast<int64_t>(values.size()) >= kMinBlobElements && !llvm::all_equal(values);
}

TypedAttr vitq::makeFloatAttr(RankedTensorType type, ArrayRef<float> values, StringRef blobName) {
  assert(type.getNumElements() == static_cast<int64_t>(values.size()) && "one value for each element");
  bool isDouble = type.getElementType().isF64();
  if (wantsBlob(values))
    return isDouble ? makeBlob<double>(type, values, blobName) : makeBlob<float>(type, values, blobName);
  if (!values.empty() && llvm::all_equal(values))
    values = values.take_front();
  if (!isDouble)
    return DenseElementsAttr::get(type, values);
  SmallVector<double> doubles(values.begin(), values.end());
  return DenseElementsAttr::get(type, ArrayRef<double>(doubles));
}

TypedAttr vitq::makeIntAttr(RankedTensorType type, ArrayRef<int64_t> values, StringRef blobName) {
  assert(type.getNumElements() == static_cast<int64_t>(values.size()) && "one value for each element");
  unsigned width = type.getElementType().getIntOrFloatBitWidth();
  if (wantsBlob(values)) {
    if (width == 8)
      return makeBlob<int8_t>(type, values, blobName);
    if (width == 16)
      return makeBlob<int16_t>(type, values, blobName);
    if (width == 32)
      return makeBlob<int32_t>(type, values, blobName);
    if (width == 64)
      return makeBlob<int64_t>(type, values, blobName);
  }
  if (!values.empty() && llvm::all_equal(values))
    values = values.take_front();
  SmallVector<APInt> integers;
  for (int64_t value : values)
    integers.push_back(APInt(64, static_cast<uint64_t>(value)).sextOrTrunc(width));
  return DenseElementsAttr::get(type, integers);
}

arith::ConstantOp vitq::createFloatConstant(OpBuilder &builder, Location loc, RankedTensorType type,
                                            ArrayRef<float> values, StringRef blobName) {
  return arith::ConstantOp::create(builder, loc, makeFloatAttr(type, values, blobName));
}

arith::ConstantOp vitq::createIntConstant(OpBuilder &builder, Location loc, RankedTensorType type,
                                          ArrayRef<int64_t> values, StringRef blobName) {
  return arith::ConstantOp::create(builder, loc, makeIntAttr(type, values, blobName));
}
