//===- Tensor.cpp - Tensors known at compile time -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tensor.h"

#include "llvm/Support/MathExtras.h"

#include <cassert>
#include <cmath>
#include <limits>

using namespace llvm;
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

Tensor::Tensor(DType dtype, ArrayRef<int64_t> shape, StringRef name) : dtype(dtype), shape(shape), name(name.str()) {
  int64_t count = size();
  if (dtype == DType::F32)
    f32.resize(count);
  else if (dtype == DType::F64)
    f64.resize(count);
  else
    ints.resize(count);
}

int64_t Tensor::size() const {
  std::optional<int64_t> count = countElements(shape);
  assert(count && "shapes are checked where they are read");
  return count.value_or(0);
}

/// The integer of a real number; what does not fit is clamped, NaN is 0.
static int64_t toInt(double value) {
  if (std::isnan(value))
    return 0;
  if (value >= 9223372036854775808.0)
    return std::numeric_limits<int64_t>::max();
  if (value <= -9223372036854775808.0)
    return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

double Tensor::getDouble(int64_t i) const {
  if (dtype == DType::F32)
    return f32[i];
  return dtype == DType::F64 ? f64[i] : static_cast<double>(ints[i]);
}

int64_t Tensor::getInt(int64_t i) const { return isFloat(dtype) ? toInt(getDouble(i)) : ints[i]; }

void Tensor::setDouble(int64_t i, double value) {
  if (dtype == DType::F32)
    f32[i] = static_cast<float>(value);
  else if (dtype == DType::F64)
    f64[i] = value;
  else
    setInt(i, dtype == DType::Bool ? value != 0 : toInt(value));
}

void Tensor::setInt(int64_t i, int64_t value) {
  switch (dtype) {
  case DType::F32:
  case DType::F64:
    return setDouble(i, static_cast<double>(value));
  case DType::I64:
    break;
  case DType::I32:
    value = static_cast<int32_t>(value);
    break;
  case DType::I16:
    value = static_cast<int16_t>(value);
    break;
  case DType::I8:
    value = static_cast<int8_t>(value);
    break;
  case DType::U8:
    value = static_cast<uint8_t>(value);
    break;
  case DType::Bool:
    value = value != 0;
    break;
  }
  ints[i] = value;
}

std::vector<float> vitq::frontend::toFloats(const Tensor &tensor) {
  if (tensor.dtype == DType::F32)
    return tensor.f32;
  std::vector<float> values(tensor.size());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(tensor.getDouble(i));
  return values;
}

Shape vitq::frontend::rowMajorStrides(ArrayRef<int64_t> shape) {
  Shape strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<int64_t>(shape[i], 1);
  return strides;
}

TensorPtr vitq::frontend::reshapeTensor(const Tensor &input, ArrayRef<int64_t> shape, StringRef name) {
  auto result = std::make_shared<Tensor>(input);
  result->shape.assign(shape.begin(), shape.end());
  result->name = name.str();
  return result;
}

/// Calls `visit(i, j)` with the result's and the input's linear index of every
/// element of a strided view.
static void forEachElement(ArrayRef<int64_t> shape, int64_t offset, ArrayRef<int64_t> strides,
                           function_ref<void(int64_t, int64_t)> visit) {
  int64_t count = *countElements(shape);
  Shape index(shape.size(), 0);
  int64_t from = offset;
  for (int64_t to = 0; to < count; ++to) {
    visit(to, from);
    for (size_t axis = shape.size(); axis-- > 0;) {
      from += strides[axis];
      if (++index[axis] < shape[axis])
        break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

TensorPtr vitq::frontend::stridedTensor(const Tensor &input, ArrayRef<int64_t> shape, int64_t offset,
                                        ArrayRef<int64_t> strides, StringRef name) {
  auto result = std::make_shared<Tensor>(input.dtype, shape, name);
  if (input.dtype == DType::F32)
    forEachElement(shape, offset, strides, [&](int64_t to, int64_t from) { result->f32[to] = input.f32[from]; });
  else if (input.dtype == DType::F64)
    forEachElement(shape, offset, strides, [&](int64_t to, int64_t from) { result->f64[to] = input.f64[from]; });
  else
    forEachElement(shape, offset, strides, [&](int64_t to, int64_t from) { result->ints[to] = input.ints[from]; });
  return result;
}

TensorPtr vitq::frontend::transposeTensor(const Tensor &input, ArrayRef<int64_t> permutation, StringRef name) {
  Shape from = rowMajorStrides(input.shape), shape, strides;
  for (int64_t axis : permutation) {
    shape.push_back(input.shape[axis]);
    strides.push_back(from[axis]);
  }
  return stridedTensor(input, shape, 0, strides, name);
}

TensorPtr vitq::frontend::sliceTensor(const Tensor &input, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
                                      ArrayRef<int64_t> strides, StringRef name) {
  Shape from = rowMajorStrides(input.shape);
  int64_t offset = 0;
  Shape steps;
  for (size_t i = 0; i < sizes.size(); ++i) {
    offset += offsets[i] * from[i];
    steps.push_back(strides[i] * from[i]);
  }
  return stridedTensor(input, sizes, offset, steps, name);
}

TensorPtr vitq::frontend::broadcastTensor(const Tensor &input, ArrayRef<int64_t> shape, StringRef name) {
  Shape from = rowMajorStrides(input.shape), strides(shape.size(), 0);
  size_t extra = shape.size() - input.shape.size();
  for (size_t i = 0; i < input.shape.size(); ++i)
    strides[extra + i] = input.shape[i] == 1 ? 0 : from[i];
  return stridedTensor(input, shape, 0, strides, name);
}

TensorPtr vitq::frontend::gatherTensor(const Tensor &input, ArrayRef<int64_t> indices, int64_t axis, StringRef name) {
  Shape shape = input.shape;
  shape[axis] = indices.size();
  Shape inputStrides = rowMajorStrides(input.shape), strides = inputStrides;
  strides[axis] = 0;
  Shape outStrides = rowMajorStrides(shape);
  auto result = std::make_shared<Tensor>(input.dtype, shape, name);
  forEachElement(shape, 0, strides, [&](int64_t to, int64_t from) {
    int64_t source = from + indices[(to / outStrides[axis]) % shape[axis]] * inputStrides[axis];
    if (input.dtype == DType::F32)
      result->f32[to] = input.f32[source];
    else if (input.dtype == DType::F64)
      result->f64[to] = input.f64[source];
    else
      result->ints[to] = input.ints[source];
  });
  return result;
}

TensorPtr vitq::frontend::concatTensors(ArrayRef<TensorPtr> inputs, int64_t axis, StringRef name) {
  Shape shape = inputs.front()->shape;
  shape[axis] = 0;
  for (const TensorPtr &input : inputs)
    shape[axis] += input->shape[axis];
  auto result = std::make_shared<Tensor>(inputs.front()->dtype, shape, name);
  Shape strides = rowMajorStrides(shape);
  int64_t offset = 0;
  for (const TensorPtr &input : inputs) {
    forEachElement(input->shape, offset, strides, [&](int64_t from, int64_t to) {
      if (result->dtype == DType::F32)
        result->f32[to] = input->f32[from];
      else if (result->dtype == DType::F64)
        result->f64[to] = input->f64[from];
      else
        result->ints[to] = input->ints[from];
    });
    offset += input->shape[axis] * strides[axis];
  }
  return result;
}

TensorPtr vitq::frontend::castTensor(const Tensor &input, DType dtype, StringRef name) {
  auto result = std::make_shared<Tensor>(dtype, input.shape, name);
  for (int64_t i = 0, e = input.size(); i < e; ++i) {
    if (isFloat(input.dtype))
      result->setDouble(i, input.getDouble(i));
    else
      result->setInt(i, input.getInt(i));
  }
  return result;
}

TensorPtr vitq::frontend::mapTensor(const Tensor &input, function_ref<double(double)> function, StringRef name) {
  auto result = std::make_shared<Tensor>(input.dtype, input.shape, name);
  for (int64_t i = 0, e = input.size(); i < e; ++i)
    result->setDouble(i, function(input.getDouble(i)));
  return result;
}
