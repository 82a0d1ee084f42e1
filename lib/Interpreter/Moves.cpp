//===- Moves.cpp - Ops that move elements -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Moves.h"
#include "Engine.h"

#include "dialects/vit/Vit.h"
#include "dialects/vitq/Vitq.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cstring>

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;

SmallVector<int64_t, 6> interp::stridesOf(ArrayRef<int64_t> shape) {
  SmallVector<int64_t, 6> strides(shape.size());
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
  SmallVector<int64_t, 6> position(outer.size(), 0);
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

void interp::copyBox(const char *from, ArrayRef<int64_t> fromStrides, char *to, ArrayRef<int64_t> toStrides,
                     ArrayRef<int64_t> shape, size_t size) {
  // Axes of size 1 vanish; neighbours that are contiguous in both merge.
  SmallVector<Axis, 6> axes;
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

/// A new tensor of `shape` read from `source` with the given strides.
static Tensor readBox(const Tensor &source, int64_t offset, ArrayRef<int64_t> strides, ArrayRef<int64_t> shape) {
  Tensor result = Tensor::allocate(source.kind(), shape);
  size_t size = sizeOf(source.kind());
  copyBox(source.bytes() + offset * static_cast<int64_t>(size), strides, result.mutableBytes(), stridesOf(shape), shape,
          size);
  return result;
}

Tensor interp::broadcastTo(const Tensor &tensor, ArrayRef<int64_t> shape) {
  if (tensor.shape() == shape)
    return tensor;
  SmallVector<int64_t, 6> own = stridesOf(tensor.shape()), strides(shape.size(), 0);
  size_t missing = shape.size() - tensor.shape().size();
  for (auto [i, extent] : llvm::enumerate(tensor.shape()))
    strides[missing + i] = extent == 1 ? 0 : own[i];
  return readBox(tensor, 0, strides, shape);
}

Tensor interp::transposed(const Tensor &tensor, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t, 6> own = stridesOf(tensor.shape()), strides, shape;
  for (int64_t axis : permutation) {
    strides.push_back(own[axis]);
    shape.push_back(tensor.shape()[axis]);
  }
  return readBox(tensor, 0, strides, shape);
}

Tensor interp::reductionRows(const Tensor &tensor, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> permutation;
  int64_t columns = 1, rank = tensor.shape().size();
  for (int64_t axis = 0; axis < rank; ++axis)
    if (!llvm::is_contained(axes, axis))
      permutation.push_back(axis);
  for (int64_t axis : axes) {
    permutation.push_back(axis);
    columns *= tensor.shape()[axis];
  }
  return transposed(tensor, permutation).reshaped({tensor.numElements() / columns, columns});
}

Tensor interp::patchRows(const Tensor &image, int64_t ph, int64_t pw, bool channelsLast, bool channelOrder) {
  ArrayRef<int64_t> s = image.shape();
  int64_t batch = s[0], channels = channelsLast ? s[3] : s[1];
  int64_t height = channelsLast ? s[1] : s[2], width = channelsLast ? s[2] : s[3];
  int64_t rowStride = channelsLast ? width * channels : width, columnStride = channelsLast ? channels : 1;
  int64_t channelStride = channelsLast ? 1 : height * width;
  SmallVector<int64_t, 6> shape = {batch, height / ph, width / pw},
                          strides = {height * width * channels, ph * rowStride, pw * columnStride};
  if (channelOrder) {
    shape.append({channels, ph, pw});
    strides.append({channelStride, rowStride, columnStride});
  } else {
    shape.append({ph, pw, channels});
    strides.append({rowStride, columnStride, channelStride});
  }
  return readBox(image, 0, strides, shape).reshaped({batch, (height / ph) * (width / pw), ph * pw * channels});
}

//===----------------------------------------------------------------------===//
// Kernels, alike for both dialects
//===----------------------------------------------------------------------===//

static Kernel moveReshape(ArrayRef<int64_t> shape) {
  return [shape](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = in[0].reshaped(shape);
    return success();
  };
}

static Kernel moveTranspose(ArrayRef<int64_t> permutation) {
  return [permutation](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = transposed(in[0], permutation);
    return success();
  };
}

static Kernel moveBroadcast(ArrayRef<int64_t> shape) {
  return [shape](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = broadcastTo(in[0], shape);
    return success();
  };
}

static Kernel moveSlice(ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes, ArrayRef<int64_t> steps) {
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    SmallVector<int64_t, 6> strides = stridesOf(in[0].shape());
    int64_t offset = 0;
    for (size_t i = 0; i < strides.size(); ++i) {
      offset += offsets[i] * strides[i];
      strides[i] *= steps[i];
    }
    out[0] = readBox(in[0], offset, strides, sizes);
    return success();
  };
}

static Kernel moveGather(ArrayRef<int64_t> indices, int64_t axis, ArrayRef<int64_t> shape) {
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = Tensor::allocate(in[0].kind(), shape);
    ArrayRef<int64_t> from = in[0].shape();
    size_t row = productOf(from.drop_front(axis + 1)) * sizeOf(in[0].kind());
    char *to = out[0].mutableBytes();
    for (int64_t outer = 0, e = productOf(from.take_front(axis)); outer < e; ++outer)
      for (int64_t index : indices) {
        std::memcpy(to, in[0].bytes() + (outer * from[axis] + index) * row, row);
        to += row;
      }
    return success();
  };
}

static Kernel moveConcat(int64_t axis, ArrayRef<int64_t> shape) {
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = Tensor::allocate(in[0].kind(), shape);
    size_t size = sizeOf(in[0].kind());
    SmallVector<int64_t, 6> strides = stridesOf(shape);
    int64_t offset = 0;
    for (const Tensor &part : in) {
      copyBox(part.bytes(), stridesOf(part.shape()), out[0].mutableBytes() + offset * strides[axis] * size, strides,
              part.shape(), size);
      offset += part.shape()[axis];
    }
    return success();
  };
}

static void fill(Tensor &tensor, int64_t value) {
  auto as = [&](auto zero) {
    using T = decltype(zero);
    std::fill_n(tensor.mutableData<T>(), tensor.numElements(), static_cast<T>(value));
  };
  switch (tensor.kind()) {
  case ElementKind::F32:
    return as(0.0f);
  case ElementKind::F64:
    return as(0.0);
  case ElementKind::I1:
    return as(false);
  case ElementKind::I8:
    return as(int8_t(0));
  case ElementKind::I16:
    return as(int16_t(0));
  case ElementKind::I32:
    return as(int32_t(0));
  case ElementKind::I64:
    return as(int64_t(0));
  }
}

static Kernel movePad(ArrayRef<int64_t> low, ArrayRef<int64_t> shape, int64_t padding) {
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = Tensor::allocate(in[0].kind(), shape);
    fill(out[0], padding);
    SmallVector<int64_t, 6> strides = stridesOf(shape);
    int64_t offset = 0;
    for (size_t i = 0; i < strides.size(); ++i)
      offset += low[i] * strides[i];
    size_t size = sizeOf(in[0].kind());
    copyBox(in[0].bytes(), stridesOf(in[0].shape()), out[0].mutableBytes() + offset * size, strides, in[0].shape(),
            size);
    return success();
  };
}

static Kernel movePatches(ArrayRef<int64_t> patch) {
  return [patch](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = patchRows(in[0], patch[0], patch[1], /*channelsLast=*/true, /*channelOrder=*/false);
    return success();
  };
}

Kernel interp::compileMove(Operation *op, int64_t padding) {
  return TypeSwitch<Operation *, Kernel>(op)
      .Case<vit::ReshapeOp, integer::ReshapeOp>([](auto op) { return moveReshape(shapeOfValue(op.getResult())); })
      .Case<vit::TransposeOp, integer::TransposeOp>([](auto op) { return moveTranspose(op.getPermutation()); })
      .Case<vit::BroadcastOp, integer::BroadcastOp>([](auto op) { return moveBroadcast(shapeOfValue(op.getResult())); })
      .Case<vit::SliceOp, integer::SliceOp>(
          [](auto op) { return moveSlice(op.getOffsets(), op.getSizes(), op.getStrides()); })
      .Case<vit::GatherOp, integer::GatherOp>(
          [](auto op) { return moveGather(op.getIndices(), op.getAxis(), shapeOfValue(op.getResult())); })
      .Case<vit::ConcatOp, integer::ConcatOp>(
          [](auto op) { return moveConcat(op.getAxis(), shapeOfValue(op.getResult())); })
      .Case<vit::PadOp, integer::PadOp>(
          [&](auto op) { return movePad(op.getLow(), shapeOfValue(op.getResult()), padding); })
      .Case([](integer::ExtractPatchesOp op) { return movePatches(op.getPatch()); })
      .Default(Kernel());
}
