//===- IntegerRows.h - What kernels of vitq ops share -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_INTEGERROWS_H
#define VITQ_LIB_INTERPRETER_INTEGERROWS_H

#include "Engine.h"

#include "dialects/vitq/Vitq.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Tensor/Attributes.h"

#include "mlir/IR/TypeUtilities.h"

namespace vitq::interp {

/// How a result is written: its kind and its range of codes.
struct Output {
  llvm::SmallVector<int64_t> shape;
  ElementKind kind;
  int64_t zeroPoint, min, max;

  Output(mlir::Value result, numerics::Code code)
      : shape(shapeOfValue(result)), kind(*storageKindOf(mlir::getElementTypeOrSelf(result))), zeroPoint(code.zero),
        min(code.min()), max(code.max()) {}
  Output(mlir::Value result, integer::CodeAttr code) : Output(result, integer::codeOf(result, code)) {}
  Tensor allocate() const { return Tensor::allocate(kind, shape); }
};

/// The multipliers of a #vitq.dyadic, and which one an element has.
struct Multipliers {
  llvm::SmallVector<numerics::Dyadic, 1> all;
  int64_t inner = 1;

  /// One per index of `axis` (from the end when negative) of `shape`.
  Multipliers(integer::DyadicAttr attr, llvm::ArrayRef<int64_t> shape, int64_t axis) {
    for (size_t i = 0; i < attr.size(); ++i)
      all.push_back(attr.entry(i));
    if (all.size() > 1)
      inner = productOf(shape.drop_front((axis < 0 ? axis + static_cast<int64_t>(shape.size()) : axis) + 1));
  }
  numerics::Dyadic of(int64_t element) const {
    return all.size() == 1 ? all[0] : all[static_cast<size_t>(element / inner) % all.size()];
  }
};

//===----------------------------------------------------------------------===//
// Rows as 32-bit values
//===----------------------------------------------------------------------===//

/// to[i] = tensor[start + i] - code.zero. Of a byte that holds a narrower code, the bits above
/// it do not count.
inline void loadRow(const Tensor &tensor, numerics::Code code, int64_t start, int64_t n, int32_t *to) {
  const bool isUnsigned = code.isUnsigned;
  auto load = [&](auto zero) {
    const auto *from = tensor.data<decltype(zero)>() + start;
    for (int64_t i = 0; i < n; ++i)
      to[i] = static_cast<int32_t>(from[i] - code.zero);
  };
  if (code.bits < 8) {
    const auto *from = tensor.data<uint8_t>() + start;
    for (int64_t i = 0; i < n; ++i)
      to[i] = static_cast<int32_t>(numerics::readCode(from[i], code.bits, isUnsigned) - code.zero);
    return;
  }
  switch (tensor.kind()) {
  case ElementKind::I8:
    return isUnsigned ? load(uint8_t(0)) : load(int8_t(0));
  case ElementKind::I16:
    return isUnsigned ? load(uint16_t(0)) : load(int16_t(0));
  default:
    return load(int32_t(0));
  }
}

/// tensor[start + i] = from[i], truncated to the element's width.
inline void storeRow(Tensor &tensor, int64_t start, int64_t n, const int32_t *from) {
  auto store = [&](auto zero) {
    auto *to = tensor.mutableData<decltype(zero)>() + start;
    for (int64_t i = 0; i < n; ++i)
      to[i] = static_cast<decltype(zero)>(from[i]);
  };
  switch (tensor.kind()) {
  case ElementKind::I8:
    return store(int8_t(0));
  case ElementKind::I16:
    return store(int16_t(0));
  default:
    return store(int32_t(0));
  }
}

/// Calls `row(start, size)` for every row over the last axis.
template <typename Function>
void forEachRow(llvm::ArrayRef<int64_t> shape, Function row) {
  const int64_t size = shape.empty() ? 1 : shape.back(), end = productOf(shape);
  for (int64_t start = 0; start < end; start += size)
    row(start, size);
}

inline int64_t rowLength(llvm::ArrayRef<int64_t> shape) { return shape.empty() ? 1 : shape.back(); }

/// Kernels of the ops that compute along rows, and of quantizers made of comparisons.
Kernel makeRowKernel(integer::SoftmaxOp op);
Kernel makeRowKernel(integer::ShiftmaxOp op);
Kernel makeRowKernel(integer::DivideRowsOp op);
Kernel makeRowKernel(integer::LayerNormOp op);
Kernel makeRowKernel(integer::NormQuantOp op);
Kernel makeRowKernel(integer::ThresholdOp op);

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_INTEGERROWS_H
