//===- QuantizedTypes.cpp - Building and reading !quant.uniform types -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/QuantizedTypes.h"

#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using quant::QuantizedType;
using quant::UniformQuantizedPerAxisType;
using quant::UniformQuantizedType;

namespace vitq {

std::optional<UniformParameters> getUniformParameters(Type type) {
  UniformParameters result;
  if (auto uniform = dyn_cast_or_null<UniformQuantizedType>(type)) {
    result.scales.push_back(uniform.getScale());
    result.zeroPoints.push_back(uniform.getZeroPoint());
  } else if (auto perAxis = dyn_cast_or_null<UniformQuantizedPerAxisType>(type)) {
    result.scales.append(perAxis.getScales().begin(), perAxis.getScales().end());
    result.zeroPoints.append(perAxis.getZeroPoints().begin(), perAxis.getZeroPoints().end());
    result.axis = perAxis.getQuantizedDimension();
  } else {
    return std::nullopt;
  }
  auto quantized = cast<QuantizedType>(type);
  result.isSigned = quantized.isSigned();
  result.width = quantized.getStorageTypeIntegralWidth();
  result.min = quantized.getStorageTypeMin();
  result.max = quantized.getStorageTypeMax();
  return result;
}

UniformQuantizedType getPerTensorType(MLIRContext *context, unsigned width, bool isSigned, double scale,
                                      int64_t zeroPoint) {
  return UniformQuantizedType::get(isSigned ? quant::QuantizationFlags::Signed : 0, IntegerType::get(context, width),
                                   Float32Type::get(context), scale, zeroPoint,
                                   QuantizedType::getDefaultMinimumForInteger(isSigned, width),
                                   QuantizedType::getDefaultMaximumForInteger(isSigned, width));
}

UniformQuantizedPerAxisType getSymmetricPerAxisType(MLIRContext *context, unsigned width, unsigned bits,
                                                    ArrayRef<double> scales, int32_t axis) {
  SmallVector<int64_t> zeroPoints(scales.size(), 0);
  int64_t max = (int64_t(1) << (bits - 1)) - 1;
  return UniformQuantizedPerAxisType::get(quant::QuantizationFlags::Signed, IntegerType::get(context, width),
                                          Float32Type::get(context), scales, zeroPoints, axis, -max, max);
}

std::optional<std::pair<double, double>> getCalibratedRange(Value value) {
  DenseF64ArrayAttr ranges;
  size_t index = 0;
  if (auto result = dyn_cast<OpResult>(value)) {
    ranges = result.getOwner()->getAttrOfType<DenseF64ArrayAttr>(kRangeAttr);
    index = result.getResultNumber();
  } else {
    auto argument = cast<BlockArgument>(value);
    if (auto function = dyn_cast<FunctionOpInterface>(argument.getOwner()->getParentOp()))
      ranges = function.getArgAttrOfType<DenseF64ArrayAttr>(argument.getArgNumber(), kRangeAttr);
  }
  if (!ranges || static_cast<size_t>(ranges.size()) < 2 * index + 2)
    return std::nullopt;
  double min = ranges[2 * index], max = ranges[2 * index + 1];
  if (!std::isfinite(min) || !std::isfinite(max) || min > max)
    return std::nullopt;
  return std::make_pair(min, max);
}

std::string nodeName(Location loc) {
  std::string name;
  loc->walk([&](Location inner) {
    if (auto named = dyn_cast<NameLoc>(inner)) {
      name = named.getName().str();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return name.empty() ? "?" : name;
}

} // namespace vitq
