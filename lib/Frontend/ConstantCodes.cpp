//===- ConstantCodes.cpp - Constants of a quantized model -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ConstantCodes.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <limits>

using namespace llvm;
using namespace vitq;
using namespace vitq::frontend;

int64_t ConstantCodes::at(int64_t i) const {
  const int64_t value = codes.intAt(i);
  return grid.isSigned ? value : value & ((int64_t(1) << grid.bits) - 1);
}

size_t ConstantCodes::channelOf(int64_t i) const {
  if (grid.isPerTensor())
    return 0;
  int64_t inner = 1;
  for (int64_t size : codes.shape().drop_front(grid.axis + 1))
    inner *= size;
  return static_cast<size_t>(i / inner % codes.shape()[grid.axis]);
}

/// A moved constant whose codes, moved alike, have `grid`.
static ConstantPtr withCodes(const OnnxConstant &constant, Tensor reals, StringRef name, std::optional<Grid> grid,
                             function_ref<Tensor(const Tensor &)> move) {
  auto moved = std::make_shared<OnnxConstant>(constant.dtype, std::move(reals), name);
  if (constant.codes && grid)
    moved->codes = std::make_shared<ConstantCodes>(ConstantCodes{std::move(*grid), move(constant.codes->codes)});
  return moved;
}

ConstantPtr vitq::frontend::transposedConstant(const OnnxConstant &constant, ArrayRef<int64_t> permutation,
                                               StringRef name) {
  auto move = [&](const Tensor &tensor) { return transposed(tensor, permutation); };
  std::optional<Grid> grid;
  if (constant.codes) {
    grid = constant.codes->grid;
    if (!grid->isPerTensor())
      grid->axis = std::distance(permutation.begin(), llvm::find(permutation, grid->axis));
  }
  return withCodes(constant, move(constant.elements), name, grid, move);
}

/// Where the axis of the scales is after a reshape, if it is still one.
static std::optional<int64_t> reshapedAxis(int64_t axis, ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  auto before = [](ArrayRef<int64_t> shape, int64_t end) {
    int64_t product = 1;
    for (int64_t size : shape.take_front(end))
      product *= size;
    return product;
  };
  for (int64_t i = 0, e = to.size(); i < e; ++i)
    if (to[i] == from[axis] && before(to, i) == before(from, axis))
      return i;
  return std::nullopt;
}

ConstantPtr vitq::frontend::reshapedConstant(const OnnxConstant &constant, ArrayRef<int64_t> shape, StringRef name) {
  auto move = [&](const Tensor &tensor) { return tensor.reshaped(shape); };
  std::optional<Grid> grid;
  if (constant.codes) {
    grid = constant.codes->grid;
    if (!grid->isPerTensor()) {
      std::optional<int64_t> axis = reshapedAxis(grid->axis, constant.shape(), shape);
      if (axis)
        grid->axis = *axis;
      else
        grid = std::nullopt;
    }
  }
  return withCodes(constant, move(constant.elements), name, grid, move);
}

ConstantPtr vitq::frontend::slicedConstant(const OnnxConstant &constant, ArrayRef<int64_t> offsets,
                                           ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides, StringRef name) {
  auto move = [&](const Tensor &tensor) { return sliced(tensor, offsets, sizes, strides); };
  std::optional<Grid> grid;
  if (constant.codes) {
    grid = constant.codes->grid;
    if (int64_t axis = grid->axis; axis >= 0) {
      std::vector<double> scales;
      std::vector<int64_t> zeroPoints;
      for (int64_t i = 0; i < sizes[axis]; ++i) {
        scales.push_back(grid->scales[offsets[axis] + i * strides[axis]]);
        zeroPoints.push_back(grid->zeroPoints[offsets[axis] + i * strides[axis]]);
      }
      grid->scales = std::move(scales);
      grid->zeroPoints = std::move(zeroPoints);
    }
  }
  return withCodes(constant, move(constant.elements), name, grid, move);
}

ConstantPtr vitq::frontend::dequantizedConstant(std::shared_ptr<const ConstantCodes> codes, StringRef name) {
  auto reals = std::make_shared<OnnxConstant>(DType::F32, codes->codes.shape(), name);
  for (int64_t i = 0, e = reals->size(); i < e; ++i) {
    const size_t channel = codes->channelOf(i);
    // As onnxruntime does: in 32 bits.
    reals->setDouble(i, static_cast<float>(codes->at(i) - codes->grid.zeroPoints[channel]) *
                            static_cast<float>(codes->grid.scales[channel]));
  }
  reals->codes = std::move(codes);
  return reals;
}

CenteredCodes vitq::frontend::centered(const ConstantCodes &codes) {
  CenteredCodes result;
  result.scales = codes.grid.scales;
  const int64_t count = codes.codes.numElements();
  std::vector<int64_t> values(count);
  int64_t low = 0, high = 0;
  for (int64_t i = 0; i < count; ++i) {
    values[i] = codes.at(i) - codes.grid.zeroPoints[codes.channelOf(i)];
    low = std::min(low, values[i]);
    high = std::max(high, values[i]);
  }
  // The narrowest width that holds them, at least the model's where it is signed.
  result.bits = codes.grid.isSigned ? codes.grid.bits : 2;
  auto fits = [&](unsigned bits) { return low >= -(int64_t(1) << (bits - 1)) && high < (int64_t(1) << (bits - 1)); };
  while (result.bits < 8 && !fits(result.bits))
    ++result.bits;
  if (!fits(result.bits)) {
    // Each row around the middle of the codes.
    for (int64_t zero : codes.grid.zeroPoints)
      result.shifts.push_back((codes.grid.isSigned ? 0 : 128) - zero);
    for (int64_t i = 0; i < count; ++i)
      values[i] -= result.shifts[codes.channelOf(i)];
  }
  result.codes = Tensor::allocate(ElementKind::I8, codes.codes.shape());
  for (int64_t i = 0; i < count; ++i)
    result.codes.setInt(i, values[i]);
  return result;
}
