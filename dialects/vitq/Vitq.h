//===- Vitq.h - The vitq dialect -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_VITQ_VITQ_H
#define DIALECTS_VITQ_VITQ_H

#include "dialects/vit/Quantization.h"
#include "dialects/vit/ShapeInference.h"
#include "dialects/vitq/KernelRules.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "vitq/Numerics/Bounds.h"
#include "vitq/Numerics/Code.h"
#include "vitq/Numerics/PiecewiseLinear.h"
#include "vitq/Numerics/Requantize.h"
#include "vitq/Numerics/Softmax.h"

#include "dialects/vitq/VitqDialect.h.inc"
#include "dialects/vitq/VitqEnums.h.inc"

#include "dialects/vitq/VitqAlgorithmInterfaces.h.inc"
#include "dialects/vitq/VitqAttrInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/vitq/VitqAttrs.h.inc"

namespace vitq::integer {
/// The rounding that an attribute stands for.
numerics::Rounding toNumerics(Rounding rounding);

/// How the integers of `value` are read with `code`; without one they are signed, and 0 is 0.
numerics::Code codeOf(mlir::Value value, CodeAttr code = {});

/// What elements of this type are in memory: codes of less than 8 bits take a byte (CodeSigns).
mlir::Type storageOf(mlir::Type element);

/// What an operand is to the images of a batch.
enum class BatchOperand : uint8_t {
  Image,     ///< has them along its leading axis; repeated where it does not depend on the input
  Broadcast, ///< may have 1 there, or no such axis
  Shared,    ///< is the same for all; must not depend on the input
};

/// What a row of an op's results needs of an operand.
enum class RowOperand : uint8_t {
  Row,    ///< the row of the same index, or the one that broadcasts to it; it may flow through
  PerRow, ///< an element of its own
  Shared, ///< all of it, as every row of the same leading indices does
};
} // namespace vitq::integer

#include "dialects/vitq/VitqInterfaces.h.inc"

#define GET_OP_CLASSES
#include "dialects/vitq/VitqOps.h.inc"

namespace vitq::integer {
/// Module attribute with the real scales of integer values; the only place of an
/// integer module where floats are allowed.
inline constexpr llvm::StringLiteral kScalesAttr = "vitq.scales";
/// Integer attribute of an op: its key in `vitq.scales`.
inline constexpr llvm::StringLiteral kIdAttr = "vitq.id";
/// Module attribute: whose kernels are formed, an attribute that implements
/// KernelTargetAttrInterface.
inline constexpr llvm::StringLiteral kTargetAttr = "vitq.target";
} // namespace vitq::integer

#endif // DIALECTS_VITQ_VITQ_H
