//===- CastlessEngine.cpp - Quantized functions without rounding -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Engine.h"
#include "QuantizedType.h"

#include "dialects/vit/Vit.h"

#include "mlir/Dialect/Quant/IR/Quant.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::interp;

namespace {

/// Everything but casts is left to the engine of float ops, which does not look at element types.
class CastlessEngine final : public Engine {
public:
  explicit CastlessEngine(bool useDouble) : floatKind(useDouble ? ElementKind::F64 : ElementKind::F32) {}

  Kernel compile(Operation *op) const override {
    if (!isa<vit::QuantizeOp, vit::DequantizeOp, quant::StorageCastOp>(op))
      return {};
    auto result = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!result)
      return {};
    std::optional<QuantizedType> type = QuantizedType::get(result);
    auto quantized = dyn_cast<quant::QuantizedType>(result.getElementType());
    const bool isSigned = quantized && quantized.isSigned();
    return [=, kind = floatKind](ArrayRef<Tensor> in, MutableArrayRef<Tensor> out) {
      // What is integer at run time comes from a constant.
      const bool isCode = type && !isFloat(in[0].kind());
      out[0] = isCode ? convertFloat(type->dequantize(widenCodes(in[0], isSigned)), kind) : in[0];
      return success();
    };
  }

private:
  ElementKind floatKind;
};

} // namespace

std::unique_ptr<Engine> interp::createCastlessEngine(bool useDouble) {
  return std::make_unique<CastlessEngine>(useDouble);
}
