//===- OnnxConstant.cpp - Tensors known at compile time -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxConstant.h"

#include "llvm/Support/MathExtras.h"

#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>

using namespace llvm;
using namespace vitq;
using namespace vitq::frontend;

StringRef vitq::frontend::stringify(DType type) {
  switch (type) {
  case DType::F32:
    return "float";
  case DType::F64:
    return "double";
  case DType::I64:
    return "int64";
  case DType::I32:
    return "int32";
  case DType::I16:
    return "int16";
  case DType::I8:
    return "int8";
  case DType::U8:
    return "uint8";
  case DType::Bool:
    return "bool";
  }
  return "unknown";
}

ElementKind vitq::frontend::kindOf(DType type) {
  switch (type) {
  case DType::F32:
    return ElementKind::F32;
  case DType::F64:
    return ElementKind::F64;
  case DType::I64:
    return ElementKind::I64;
  case DType::I32:
    return ElementKind::I32;
  case DType::I16:
    return ElementKind::I16;
  case DType::I8:
  case DType::U8:
    return ElementKind::I8;
  case DType::Bool:
    return ElementKind::I1;
  }
  llvm_unreachable("unknown element type");
}

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

double OnnxConstant::getDouble(int64_t i) const {
  return isFloat(dtype) ? elements.realAt(i) : static_cast<double>(getInt(i));
}

int64_t OnnxConstant::getInt(int64_t i) const {
  if (isFloat(dtype))
    return toInt(getDouble(i));
  const int64_t value = elements.intAt(i);
  return dtype == DType::U8 ? static_cast<uint8_t>(value) : value;
}

void OnnxConstant::setDouble(int64_t i, double value) {
  if (dtype == DType::F32)
    elements.mutableData<float>()[i] = static_cast<float>(value);
  else if (dtype == DType::F64)
    elements.mutableData<double>()[i] = value;
  else
    setInt(i, dtype == DType::Bool ? value != 0 : toInt(value));
}

void OnnxConstant::setInt(int64_t i, int64_t value) {
  if (isFloat(dtype))
    setDouble(i, static_cast<double>(value));
  else
    elements.setInt(i, value);
}

Shape OnnxConstant::ints() const {
  Shape values(size());
  for (int64_t i = 0, e = size(); i < e; ++i)
    values[i] = getInt(i);
  return values;
}

ConstantPtr vitq::frontend::castConstant(const OnnxConstant &input, DType dtype, StringRef name) {
  auto result = std::make_shared<OnnxConstant>(dtype, input.shape(), name);
  for (int64_t i = 0, e = input.size(); i < e; ++i) {
    if (isFloat(input.dtype))
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
