//===- Vit.h - The vit dialect -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_VIT_VIT_H
#define DIALECTS_VIT_VIT_H

#include "dialects/vit/Quantization.h"
#include "dialects/vit/ShapeInference.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "vitq/Numerics/RealArrays.h"

#include "dialects/vit/VitDialect.h.inc"
#include "dialects/vit/VitEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/vit/VitAttrs.h.inc"

namespace vitq::vit {
/// The algorithm that an op was given; `table` if none.
inline Algorithm kindOf(std::optional<AlgorithmAttr> algorithm) {
  return algorithm ? algorithm->getKind() : Algorithm::Table;
}
} // namespace vitq::vit

#include "dialects/vit/VitInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialects/vit/VitOps.h.inc"

#endif // DIALECTS_VIT_VIT_H
