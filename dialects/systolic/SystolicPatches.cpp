//===- SystolicPatches.cpp - Patches of a map as strides -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/systolic/Systolic.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

MemRefType systolic::patchesView(ArrayRef<int64_t> map, const vit::Windows &windows, Type element) {
  const int64_t channels = map[3], line = map[2] * channels;
  auto places = [&](int i) { return (map[1 + i] - windows.extent(i)) / windows.strides[i] + 1; };
  const bool side = windows.dilations[1] == 1;
  const int64_t shape[] = {map[0],
                           places(0),
                           places(1),
                           windows.size[0],
                           side ? 1 : windows.size[1],
                           side ? windows.size[1] * channels : channels};
  const int64_t strides[] = {map[1] * line,
                             windows.strides[0] * line,
                             windows.strides[1] * channels,
                             windows.dilations[0] * line,
                             windows.dilations[1] * channels,
                             1};
  return MemRefType::get(shape, element, StridedLayoutAttr::get(element.getContext(), 0, strides));
}

std::optional<vit::Windows> systolic::windowsOfView(MemRefType view, ArrayRef<int64_t> map) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (view.getRank() != 6 || map.size() != 4 || llvm::any_of(map, [](int64_t extent) { return extent < 1; }) ||
      failed(view.getStridesAndOffset(strides, offset)))
    return std::nullopt;
  ArrayRef<int64_t> shape = view.getShape();
  const int64_t channels = map[3], line = map[2] * channels;
  const int64_t columns = shape[4] == 1 ? shape[5] / channels : shape[4];
  const vit::Windows windows({shape[3], columns}, {strides[1] / line, strides[2] / channels}, {},
                             {strides[3] / line, strides[4] / channels});
  const bool positive = llvm::all_of(llvm::concat<const int64_t>(windows.size, windows.strides, windows.dilations),
                                     [](int64_t number) { return number > 0; });
  if (!positive || windows.extent(0) > map[1] || windows.extent(1) > map[2] ||
      patchesView(map, windows, view.getElementType()) != view)
    return std::nullopt;
  return windows;
}
