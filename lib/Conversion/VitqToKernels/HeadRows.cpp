//===- HeadRows.cpp - Rows of the heads of an attention -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadRows.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

#include <numeric>

using namespace mlir;
using namespace vitq::kernels;

HeadRows HeadRows::of(KernelModule &module, Location loc, Value memref, ArrayRef<int64_t> shape,
                      ArrayRef<int64_t> axes) {
  SmallVector<int64_t> positions(axes), inMemory(shape);
  if (axes.empty()) {
    positions.resize(shape.size());
    std::iota(positions.begin(), positions.end(), 0);
  }
  for (auto [axis, position] : llvm::enumerate(positions))
    inMemory[position] = shape[axis];
  // In rows: the last axis is one.
  const SmallVector<int64_t> stridesInMemory = computeSuffixProduct(ArrayRef(inMemory).drop_back());
  HeadRows rows;
  rows.memref = module.reshape(loc, memref, {computeProduct(shape.drop_back()), shape.back()});
  const size_t tokenAxis = shape.size() - 2;
  rows.tokenStride = stridesInMemory[positions[tokenAxis]];
  for (size_t axis = 0; axis < tokenAxis; ++axis) {
    const int64_t stride = stridesInMemory[positions[axis]];
    if (!rows.sizes.empty() && rows.strides.back() == stride * shape[axis]) {
      rows.sizes.back() *= shape[axis];
      rows.strides.back() = stride;
    } else {
      rows.sizes.push_back(shape[axis]);
      rows.strides.push_back(stride);
    }
  }
  return rows;
}

int64_t HeadRows::count() const { return cast<ShapedType>(memref.getType()).getDimSize(0); }

Value HeadRows::first(Emitter &e, Value head) const {
  if (sizes.empty())
    return e.index(0);
  // Indices, innermost first.
  Values indices;
  Value outer = head;
  for (int64_t size : llvm::reverse(ArrayRef(sizes).drop_front())) {
    Value next = e.divu(outer, e.index(size));
    indices.push_back(e.remu(outer, e.index(size)));
    outer = next;
  }
  Value row = e.indexMul(outer, strides.front());
  for (auto [index, stride] : llvm::zip_equal(llvm::reverse(indices), ArrayRef(strides).drop_front()))
    row = e.add(row, e.indexMul(index, stride));
  return row;
}
