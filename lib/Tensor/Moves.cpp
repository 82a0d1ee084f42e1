//===- Moves.cpp - Moving the elements of tensors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Tensor/Moves.h"

#include "llvm/ADT/STLExtras.h"

#include <cstring>

using namespace vitq;
using llvm::ArrayRef;

Extents vitq::rowMajorStrides(ArrayRef<int64_t> shape) {
  Extents strides(shape.size());
  int64_t stride = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

namespace {
/// One axis of a box.
struct Axis {
  int64_t extent, from, to;
};
} // namespace

/// Copies over axes in row-major order; the innermost by itself.
template <typename Element>
static void copyAxes(const Element *from, Element *to, ArrayRef<Axis> axes) {
  Axis inner = axes.back();
  ArrayRef<Axis> outer = axes.drop_back();
  llvm::SmallVector<int64_t, 6> position(outer.size(), 0);
  while (true) {
    if (inner.from == 1 && inner.to == 1)
      std::memcpy(to, from, inner.extent * sizeof(Element));
    else
      for (int64_t i = 0; i < inner.extent; ++i)
        to[i * inner.to] = from[i * inner.from];
    size_t axis = outer.size();
    while (axis > 0) {
      --axis;
      from += outer[axis].from;
      to += outer[axis].to;
      if (++position[axis] < outer[axis].extent)
        break;
      from -= outer[axis].from * outer[axis].extent;
      to -= outer[axis].to * outer[axis].extent;
      position[axis] = 0;
      if (axis == 0)
        return;
    }
    if (outer.empty())
      return;
  }
}

/// Copies a box of elements of `size` bytes. Strides count elements.
static void copyBox(const char *from, ArrayRef<int64_t> fromStrides, char *to, ArrayRef<int64_t> toStrides,
                    ArrayRef<int64_t> shape, size_t size) {
  // Axes of size 1 vanish; neighbours that are contiguous in both merge.
  llvm::SmallVector<Axis, 6> axes;
  for (auto [extent, fromStride, toStride] : llvm::zip_equal(shape, fromStrides, toStrides)) {
    if (extent == 0)
      return;
    if (extent == 1)
      continue;
    if (!axes.empty() && axes.back().from == fromStride * extent && axes.back().to == toStride * extent)
      axes.back() = {axes.back().extent * extent, fromStride, toStride};
    else
      axes.push_back({extent, fromStride, toStride});
  }
  if (axes.empty())
    axes.push_back({1, 1, 1});
  switch (size) {
  case 1:
    return copyAxes(reinterpret_cast<const uint8_t *>(from), reinterpret_cast<uint8_t *>(to), axes);
  case 2:
    return copyAxes(reinterpret_cast<const uint16_t *>(from), reinterpret_cast<uint16_t *>(to), axes);
  case 4:
    return copyAxes(reinterpret_cast<const uint32_t *>(from), reinterpret_cast<uint32_t *>(to), axes);
  default:
    return copyAxes(reinterpret_cast<const uint64_t *>(from), reinterpret_cast<uint64_t *>(to), axes);
  }
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

TensorView TensorView::transposed(ArrayRef<int64_t> permutation) const {
  Extents newShape, newStrides;
  for (int64_t axis : permutation) {
    newShape.push_back(extents[axis]);
    newStrides.push_back(steps[axis]);
  }
  return {tensor, offset, newShape, newStrides};
}

TensorView TensorView::sliced(ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes, ArrayRef<int64_t> by) const {
  Extents newStrides(steps);
  int64_t first = offset;
  for (size_t i = 0; i < steps.size(); ++i) {
    first += offsets[i] * steps[i];
    newStrides[i] *= by[i];
  }
  return {tensor, first, sizes, newStrides};
}

TensorView TensorView::broadcastTo(ArrayRef<int64_t> shape) const {
  Extents newStrides(shape.size(), 0);
  const size_t missing = shape.size() - extents.size();
  for (auto [i, extent] : llvm::enumerate(extents))
    newStrides[missing + i] = extent == 1 ? 0 : steps[i];
  return {tensor, offset, shape, newStrides};
}

bool TensorView::isRowMajor() const {
  if (llvm::is_contained(extents, 0))
    return true;
  for (auto [extent, own, wanted] : llvm::zip_equal(extents, steps, rowMajorStrides(extents)))
    if (extent != 1 && own != wanted)
      return false;
  return true;
}

Tensor TensorView::toTensor() const {
  if (isRowMajor())
    return tensor.part(llvm::is_contained(extents, 0) ? 0 : offset, extents);
  Tensor result = Tensor::allocate(kind(), extents);
  copyTo(result, 0, rowMajorStrides(extents));
  return result;
}

void TensorView::copyTo(Tensor &target, int64_t at, ArrayRef<int64_t> strides) const {
  assert(target.kind() == kind() && "moves keep the kind");
  const auto size = static_cast<int64_t>(sizeOf(kind()));
  copyBox(tensor.bytes() + offset * size, steps, target.mutableBytes() + at * size, strides, extents, size);
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

Tensor vitq::transposed(const Tensor &tensor, ArrayRef<int64_t> permutation) {
  return TensorView(tensor).transposed(permutation).toTensor();
}

Tensor vitq::sliced(const Tensor &tensor, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes, ArrayRef<int64_t> steps) {
  return TensorView(tensor).sliced(offsets, sizes, steps).toTensor();
}

Tensor vitq::broadcastTo(const Tensor &tensor, ArrayRef<int64_t> shape) {
  return tensor.shape() == shape ? tensor : TensorView(tensor).broadcastTo(shape).toTensor();
}

Tensor vitq::gathered(const Tensor &tensor, ArrayRef<int64_t> indices, int64_t axis) {
  ArrayRef<int64_t> from = tensor.shape();
  Extents shape(from);
  shape[axis] = static_cast<int64_t>(indices.size());
  Tensor result = Tensor::allocate(tensor.kind(), shape);
  // What follows the axis stands in a row.
  int64_t outer = 1;
  for (int64_t extent : from.take_front(axis))
    outer *= extent;
  const size_t row = rowMajorStrides(from)[axis] * sizeOf(tensor.kind());
  char *to = result.mutableBytes();
  for (int64_t i = 0; i < outer; ++i)
    for (int64_t index : indices) {
      std::memcpy(to, tensor.bytes() + (i * from[axis] + index) * row, row);
      to += row;
    }
  return result;
}

Tensor vitq::concatenated(ArrayRef<Tensor> parts, int64_t axis) {
  Extents shape(parts.front().shape());
  shape[axis] = 0;
  for (const Tensor &part : parts)
    shape[axis] += part.shape()[axis];
  Tensor result = Tensor::allocate(parts.front().kind(), shape);
  const Extents strides = rowMajorStrides(shape);
  int64_t at = 0;
  for (const Tensor &part : parts) {
    TensorView(part).copyTo(result, at * strides[axis], strides);
    at += part.shape()[axis];
  }
  return result;
}

Tensor vitq::padded(const Tensor &tensor, ArrayRef<int64_t> low, ArrayRef<int64_t> shape, int64_t padding) {
  Tensor result = Tensor::allocate(tensor.kind(), shape);
  dispatch(result.kind(), [&](auto zero) {
    using Element = decltype(zero);
    std::fill_n(result.mutableData<Element>(), result.numElements(), static_cast<Element>(padding));
  });
  const Extents strides = rowMajorStrides(shape);
  int64_t at = 0;
  for (auto [first, stride] : llvm::zip_equal(low, strides))
    at += first * stride;
  TensorView(tensor).copyTo(result, at, strides);
  return result;
}
