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

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;

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
  return TensorView(image, 0, shape, strides)
      .toTensor()
      .reshaped({batch, (height / ph) * (width / pw), ph * pw * channels});
}

template <typename Element>
static Tensor gatherWindows(const Tensor &map, const vit::Windows &windows, int64_t first, int64_t channels,
                            bool channelOrder, llvm::function_ref<int64_t(int64_t)> padding) {
  ArrayRef<int64_t> shape = map.shape();
  const int64_t height = shape[1], width = shape[2];
  const auto [taps, columns] = std::pair(windows.size[0] * windows.size[1], windows.size[1]);
  const FailureOr<vit::Shape> results = vit::inferWindows(std::nullopt, height, width, windows);
  Tensor rows = Tensor::allocate(map.kind(), {shape[0] * (*results)[0] * (*results)[1], taps * channels});
  SmallVector<Element> outside;
  for (int64_t c = 0; c < channels; ++c)
    outside.push_back(static_cast<Element>(padding(first + c)));
  Element *row = rows.mutableData<Element>();
  const int64_t tapStep = channelOrder ? 1 : channels, channelStep = channelOrder ? taps : 1;
  for (int64_t batch = 0; batch < shape[0]; ++batch) {
    const Element *from = map.data<Element>() + batch * height * width * shape[3] + first;
    for (int64_t y = 0; y < (*results)[0]; ++y)
      for (int64_t x = 0; x < (*results)[1]; ++x, row += taps * channels)
        for (int64_t tap = 0; tap < taps; ++tap) {
          const int64_t h = windows.first(0, y) + tap / columns * windows.dilations[0],
                        w = windows.first(1, x) + tap % columns * windows.dilations[1];
          const bool inside = h >= 0 && h < height && w >= 0 && w < width;
          const Element *values = inside ? from + (h * width + w) * shape[3] : outside.data();
          for (int64_t c = 0; c < channels; ++c)
            row[tap * tapStep + c * channelStep] = values[c];
        }
  }
  return rows;
}

Tensor interp::windowRows(const Tensor &map, const vit::Windows &windows, int64_t first, int64_t channels,
                          bool channelOrder, llvm::function_ref<int64_t(int64_t)> padding) {
  switch (map.kind()) {
  case ElementKind::I8:
    return gatherWindows<int8_t>(map, windows, first, channels, channelOrder, padding);
  case ElementKind::I16:
    return gatherWindows<int16_t>(map, windows, first, channels, channelOrder, padding);
  default:
    return gatherWindows<int32_t>(map, windows, first, channels, channelOrder, padding);
  }
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
    out[0] = sliced(in[0], offsets, sizes, steps);
    return success();
  };
}

static Kernel moveGather(ArrayRef<int64_t> indices, int64_t axis) {
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = gathered(in[0], indices, axis);
    return success();
  };
}

static Kernel moveConcat(int64_t axis) {
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = concatenated(in, axis);
    return success();
  };
}

static Kernel movePad(ArrayRef<int64_t> low, ArrayRef<int64_t> shape, int64_t padding) {
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    out[0] = padded(in[0], low, shape, padding);
    return success();
  };
}

static Kernel movePatches(integer::ExtractPatchesOp op) {
  ArrayRef<int64_t> shape = shapeOfValue(op.getResult());
  const vit::Windows windows = op.getWindows();
  const int64_t channels = shapeOfValue(op.getInput())[3];
  return [=](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
    integer::ExtractPatchesOp patches = op;
    out[0] = windowRows(in[0], windows, 0, channels, /*channelOrder=*/false, [&](int64_t c) {
               return patches.paddingOf(c);
             }).reshaped(shape);
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
      .Case<vit::GatherOp, integer::GatherOp>([](auto op) { return moveGather(op.getIndices(), op.getAxis()); })
      .Case<vit::ConcatOp, integer::ConcatOp>([](auto op) { return moveConcat(op.getAxis()); })
      .Case<vit::PadOp, integer::PadOp>(
          [&](auto op) { return movePad(op.getLow(), shapeOfValue(op.getResult()), padding); })
      .Case([](integer::ExtractPatchesOp op) { return movePatches(op); })
      .Default(Kernel());
}
