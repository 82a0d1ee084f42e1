//===- OnnxConstant.cpp - Tensors known at compile time -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxConstant.h"

#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

using namespace llvm;
using namespace vitq;
using namespace vitq::frontend;

namespace {
/// What is known of an ONNX type.
struct TypeFacts {
  DType type;
  /// In onnx.TensorProto.DataType, which the schema in use may not know yet.
  int number;
  StringLiteral name;
  ElementKind kind;
};
} // namespace

static constexpr TypeFacts kTypes[] = {
    {DType::F32, 1, "float", ElementKind::F32},      {DType::U8, 2, "uint8", ElementKind::I8},
    {DType::I8, 3, "int8", ElementKind::I8},         {DType::U16, 4, "uint16", ElementKind::I16},
    {DType::I16, 5, "int16", ElementKind::I16},      {DType::I32, 6, "int32", ElementKind::I32},
    {DType::I64, 7, "int64", ElementKind::I64},      {DType::Bool, 9, "bool", ElementKind::I1},
    {DType::F16, 10, "float16", ElementKind::I16},   {DType::F64, 11, "double", ElementKind::F64},
    {DType::U32, 12, "uint32", ElementKind::I32},    {DType::U64, 13, "uint64", ElementKind::I64},
    {DType::BF16, 16, "bfloat16", ElementKind::I16}, {DType::U4, 21, "uint4", ElementKind::I8},
    {DType::I4, 22, "int4", ElementKind::I8},
};

static const TypeFacts &factsOf(DType type) {
  return *llvm::find_if(kTypes, [&](const TypeFacts &facts) { return facts.type == type; });
}

StringRef vitq::frontend::stringify(DType type) { return factsOf(type).name; }

std::optional<DType> vitq::frontend::fromOnnxType(int64_t number) {
  const auto *found = llvm::find_if(kTypes, [&](const TypeFacts &facts) { return facts.number == number; });
  return found == std::end(kTypes) ? std::nullopt : std::optional<DType>(found->type);
}

ElementKind vitq::frontend::kindOf(DType type) { return factsOf(type).kind; }

std::optional<int64_t> vitq::frontend::countElements(ArrayRef<int64_t> shape, int64_t limit) {
  if (shape.size() > kMaxRank)
    return std::nullopt;
  int64_t count = 1;
  // A zero must not hide an absurd size beside it: every size is bounded.
  for (int64_t size : shape) {
    if (size < 0 || size > limit)
      return std::nullopt;
    if (MulOverflow(count, size, count) || count > limit)
      return std::nullopt;
  }
  return count;
}

OnnxConstant::OnnxConstant(DType dtype, ArrayRef<int64_t> shape, StringRef name)
    : dtype(dtype), elements(Tensor::allocate(frontend::kindOf(dtype), shape)), name(name.str()) {
  assert(countElements(shape) && "shapes are checked where they are read");
  std::memset(elements.mutableBytes(), 0, elements.numBytes());
}

static int64_t toInt(double value) {
  if (std::isnan(value))
    return 0;
  if (value >= 9223372036854775808.0)
    return std::numeric_limits<int64_t>::max();
  if (value <= -9223372036854775808.0)
    return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

//===----------------------------------------------------------------------===//
// Halves
//===----------------------------------------------------------------------===//

uint16_t vitq::frontend::toHalf(DType type, double value) {
  APFloat number(value);
  bool losesInfo = false;
  number.convert(type == DType::F16 ? APFloat::IEEEhalf() : APFloat::BFloat(), APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

float vitq::frontend::fromHalf(DType type, uint16_t bits) {
  if (type == DType::BF16)
    return bit_cast<float>(static_cast<uint32_t>(bits) << 16);
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16, magnitude = bits & 0x7fff;
  if (magnitude >= 0x7c00) // infinities and NaNs
    return bit_cast<float>(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  // As the fraction and exponent of a float, whose exponent is then 112 too small; denormals come right, too.
  constexpr float kExponents = 0x1p112f;
  const float scaled = bit_cast<float>(magnitude << 13) * kExponents;
  return bit_cast<float>(sign | bit_cast<uint32_t>(scaled));
}

Tensor vitq::frontend::toF32(const OnnxConstant &constant) {
  if (!isHalf(constant.dtype) && isFloat(constant.dtype))
    return constant.elements.converted(ElementKind::F32);
  Tensor result = Tensor::allocate(ElementKind::F32, constant.shape());
  float *elements = result.mutableData<float>();
  if (isHalf(constant.dtype)) { // all weights of a model may be
    ArrayRef<uint16_t> halves = constant.elements.values<uint16_t>();
    llvm::transform(halves, elements, [&](uint16_t bits) { return fromHalf(constant.dtype, bits); });
    return result;
  }
  for (int64_t i = 0, e = constant.size(); i < e; ++i)
    elements[i] = static_cast<float>(constant.getDouble(i));
  return result;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// The nearest integer that a type has.
static int64_t clampTo(DType type, int64_t value) {
  const unsigned bits = isNibble(type) ? 4 : 8 * sizeOf(frontend::kindOf(type));
  if (isUnsigned(type))
    return std::clamp<int64_t>(value, 0, bits == 64 ? INT64_MAX : maxUIntN(bits));
  return std::clamp(value, minIntN(bits), maxIntN(bits));
}

double OnnxConstant::getDouble(int64_t i) const {
  if (isHalf(dtype))
    return fromHalf(dtype, elements.data<uint16_t>()[i]);
  if (dtype == DType::U64)
    return static_cast<double>(elements.data<uint64_t>()[i]);
  return isFloat(dtype) ? elements.realAt(i) : static_cast<double>(getInt(i));
}

int64_t OnnxConstant::getInt(int64_t i) const {
  switch (dtype) {
  case DType::F32:
  case DType::F64:
  case DType::F16:
  case DType::BF16:
    return toInt(getDouble(i));
  case DType::U8:
    return elements.data<uint8_t>()[i];
  case DType::U16:
    return elements.data<uint16_t>()[i];
  case DType::U32:
    return elements.data<uint32_t>()[i];
  default:
    return elements.intAt(i);
  }
}

void OnnxConstant::setDouble(int64_t i, double value) {
  if (dtype == DType::F32)
    elements.mutableData<float>()[i] = static_cast<float>(value);
  else if (dtype == DType::F64)
    elements.mutableData<double>()[i] = value;
  else if (isHalf(dtype))
    elements.mutableData<uint16_t>()[i] = toHalf(dtype, value);
  else if (dtype == DType::U64 && value >= 9223372036854775808.0)
    elements.mutableData<uint64_t>()[i] =
        value >= 18446744073709551616.0 ? std::numeric_limits<uint64_t>::max() : static_cast<uint64_t>(value);
  else if (dtype == DType::Bool)
    setInt(i, value != 0);
  else
    setInt(i, clampTo(dtype, toInt(value)));
}

void OnnxConstant::setInt(int64_t i, int64_t value) {
  if (isFloat(dtype))
    setDouble(i, static_cast<double>(value));
  else if (dtype == DType::I4)
    elements.setInt(i, SignExtend64<4>(static_cast<uint64_t>(value)));
  else
    elements.setInt(i, dtype == DType::U4 ? value & 15 : value);
}

Shape OnnxConstant::ints() const {
  Shape values(size());
  for (int64_t i = 0, e = size(); i < e; ++i)
    values[i] = getInt(i);
  return values;
}

ConstantPtr vitq::frontend::castConstant(const OnnxConstant &input, DType dtype, StringRef name) {
  if (dtype == DType::F32)
    return std::make_shared<OnnxConstant>(dtype, toF32(input), name);
  auto result = std::make_shared<OnnxConstant>(dtype, input.shape(), name);
  for (int64_t i = 0, e = input.size(); i < e; ++i) {
    // A U64 may be larger than any int64.
    if (isFloat(input.dtype) || isFloat(dtype))
      result->setDouble(i, input.getDouble(i));
    else
      result->setInt(i, input.getInt(i));
  }
  return result;
}

ConstantPtr vitq::frontend::mapConstant(const OnnxConstant &input, function_ref<double(double)> function,
                                        StringRef name) {
  auto result = std::make_shared<OnnxConstant>(input.dtype, input.shape(), name);
  for (int64_t i = 0, e = input.size(); i < e; ++i)
    result->setDouble(i, function(input.getDouble(i)));
  return result;
}
