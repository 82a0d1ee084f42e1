//===- QuantizedTypes.h - Building and reading !quant.uniform types -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_QUANTIZEDTYPES_H
#define VITQ_ANALYSIS_QUANTIZEDTYPES_H

#include "vitq/Numerics/Code.h"

#include "dialects/vit/Vit.h"

namespace vitq {

/// The quantized element type of a value, null when it has none.
inline mlir::quant::QuantizedType getQuantizedType(mlir::Value value) {
  auto shaped = llvm::dyn_cast<mlir::ShapedType>(value.getType());
  return shaped ? llvm::dyn_cast<mlir::quant::QuantizedType>(shaped.getElementType()) : nullptr;
}

/// `tensor` with another element type.
inline mlir::RankedTensorType withElementType(mlir::Type tensor, mlir::Type element) {
  return mlir::RankedTensorType::get(llvm::cast<mlir::ShapedType>(tensor).getShape(), element);
}

/// Scales and zero points of a uniform type, read alike per tensor and per axis.
struct UniformParameters {
  llvm::SmallVector<double> scales;
  llvm::SmallVector<int64_t> zeroPoints;
  /// Axis along which they vary, -1 per tensor.
  int64_t axis = -1;
  bool isSigned = true;
  unsigned width = 8;
  int64_t min = 0, max = 0;

  double scale(size_t i = 0) const { return scales[axis < 0 ? 0 : i]; }
  int64_t zeroPoint(size_t i = 0) const { return zeroPoints[axis < 0 ? 0 : i]; }
  /// How codes are read, where there is one zero point.
  numerics::Code code() const { return {width, !isSigned, zeroPoint()}; }
};

/// None when `type` is not a uniform quantized type.
std::optional<UniformParameters> getUniformParameters(mlir::Type type);

/// A per-tensor type of f32 with the whole storage range.
mlir::quant::UniformQuantizedType getPerTensorType(mlir::MLIRContext *context, unsigned width, bool isSigned,
                                                   double scale, int64_t zeroPoint);

/// A symmetric per-axis type of f32; storage is [-(2^(bits-1)-1), 2^(bits-1)-1] of `width` bits.
mlir::quant::UniformQuantizedPerAxisType getSymmetricPerAxisType(mlir::MLIRContext *context, unsigned width,
                                                                 unsigned bits, llvm::ArrayRef<double> scales,
                                                                 int32_t axis);

/// Calibrated range of a value: attribute `vit.range` of its op (two numbers a
/// result) or argument. None when absent or malformed.
std::optional<std::pair<double, double>> getCalibratedRange(mlir::Value value);
inline constexpr llvm::StringLiteral kRangeAttr = "vit.range";
/// Text of the preprocessing, on the module.
inline constexpr llvm::StringLiteral kPreprocessAttr = "vit.preprocess";
/// Scale of the program's result, on the integer module.
inline constexpr llvm::StringLiteral kOutputScaleAttr = "vitq.output_scale";

/// The ONNX node a location names, "?" when it names none.
std::string nodeName(mlir::Location loc);

} // namespace vitq

#endif // VITQ_ANALYSIS_QUANTIZEDTYPES_H
