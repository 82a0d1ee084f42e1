//===- Quantization.h - Codes that vit ops want and give ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The vocabulary of the interface QuantizableOp (VitInterfaces.td), and the trait of
// ops that only move elements.
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_VIT_QUANTIZATION_H
#define DIALECTS_VIT_QUANTIZATION_H

#include "mlir/IR/OpDefinition.h"

#include <cstdint>

namespace vitq::vit {

/// What kind of code a value is, or is to be.
enum class CodeKind : uint8_t {
  None,        ///< none: a float parameter, or a weight, which has a pass of its own
  Code,        ///< few bits, 8 unless something asks for more
  Residual,    ///< 16 bits: terms of sums, rows that a function reads as a whole
  Probability, ///< of [0, 1]: 16 bits, scale a power of two
  Accumulator, ///< 32 bits, the exact sum of products
};

/// Which tensors of a model an operand belongs to: what `--observer` tells apart.
enum class TensorKind : uint8_t { Other, Residual, Attention, Argument, Linear };

/// Scales vary along no axis, or along whichever does.
inline constexpr int64_t kNoAxis = -1, kAnyAxis = -2;

/// What an op wants an operand to be coded as, or what its result is coded as.
struct CodeSpec {
  CodeKind kind = CodeKind::None;
  TensorKind tensor = TensorKind::Other;
  /// Symmetric codes around 0, where the op cannot fold a zero point.
  bool isSigned = false;
  /// An accumulator serves as it is, in layouts that keep accumulators.
  bool takesAccumulator = false;
  /// The axis along which scales may differ (of the accumulator, where one is taken).
  int64_t channelAxis = kNoAxis;
  /// Codes of 16 bits serve as well, where another reader wants them of the value.
  bool takesWide = false;
};

/// How an op's integer form rounds its result.
enum class ResultRounding : uint8_t {
  Chosen, ///< as the quantization says
  HalfUp, ///< a table, or a product: always half up
  Floor,  ///< toward -infinity, whatever the quantization says
};

/// The result holds elements of the operands (or zeros), unchanged: a code passes as it
/// is, and what holds of the operand's values holds of the result's.
template <typename ConcreteType>
class MoveOp : public mlir::OpTrait::TraitBase<ConcreteType, MoveOp> {};

/// The op works on the rows and columns of maps [B, H, W, C].
template <typename ConcreteType>
class MapOp : public mlir::OpTrait::TraitBase<ConcreteType, MapOp> {};

/// Whether `op` is one; false for null.
bool isMove(mlir::Operation *op);

/// The value [B, C, H, W] of which `map` is a view [B, H, W, C]: transposed, or reshaped where there is one channel.
/// Null if it is no such view.
mlir::Value planesOf(mlir::Value map);

/// Whether `op` gives the residual stream: a sum, or tokens joined. False for null.
bool isResidual(mlir::Operation *op);

} // namespace vitq::vit

#endif // DIALECTS_VIT_QUANTIZATION_H
