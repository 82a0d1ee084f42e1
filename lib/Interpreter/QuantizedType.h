//===- QuantizedType.h - Codes and the reals they stand for -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_QUANTIZEDTYPE_H
#define VITQ_LIB_INTERPRETER_QUANTIZEDTYPE_H

#include "vitq/Numerics/Requantize.h"
#include "vitq/Tensor/Tensor.h"

#include "mlir/IR/BuiltinTypes.h"

#include <optional>

namespace vitq::interp {

/// The numbers of a `!quant.uniform` tensor type, per tensor or per axis.
struct QuantizedType {
  llvm::SmallVector<double, 1> scales;
  llvm::SmallVector<int64_t, 1> zeroPoints;
  /// Elements for each index of the quantized axis.
  int64_t inner = 1;
  int64_t min = 0, max = 0;

  /// None for other element types.
  static std::optional<QuantizedType> get(mlir::RankedTensorType type);

  /// The entry of `scales` for element `i`.
  size_t channelOf(int64_t i) const { return scales.size() == 1 ? 0 : static_cast<size_t>(i / inner) % scales.size(); }
  /// scale * (code - zero point), F64.
  Tensor dequantize(const Tensor &codes) const;
  /// clamp(zero point + round(x / scale)), I32.
  Tensor quantize(const Tensor &reals, numerics::Rounding rounding) const;
  /// code - zero point.
  Tensor centered(const Tensor &codes) const;
};

/// Stored I8 or I16 codes as I32, and back.
Tensor widenCodes(const Tensor &input, bool isSigned);
Tensor narrowCodes(const Tensor &codes, ElementKind kind);

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_QUANTIZEDTYPE_H
