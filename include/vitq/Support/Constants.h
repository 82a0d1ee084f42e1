//===- Constants.h - Reading and making constants ----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Constants are `arith.constant` ops on tensors. Large ones are
// `dense_resource` blobs: they are neither hashed nor uniqued, and printing
// them can be elided. These functions hide which form a constant has.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SUPPORT_CONSTANTS_H
#define VITQ_SUPPORT_CONSTANTS_H

#include "vitq/Tensor/Attributes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Attributes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Value.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace vitq {

/// Where a reader says why it fails. Without one it fails silently, as a pattern
/// wants that asks whether a value is a constant it knows. What is emitted ends in
/// the reason: "is no constant number or tensor".
using EmitConstantError = llvm::function_ref<mlir::InFlightDiagnostic()>;

/// A constant of integers (a tensor in either form, or a scalar) in the width of
/// its type: see `readTensor`. Shares the constant's memory where it can: the way
/// to read whole weights.
llvm::FailureOr<Tensor> getIntTensor(mlir::Attribute attribute, EmitConstantError emitError = nullptr);

/// The elements in row-major order of such a constant, extended by their sign
/// (i1: by zeros), and of one of f32 or f64.
llvm::FailureOr<std::vector<int64_t>> getIntConstant(mlir::Attribute attribute, EmitConstantError emitError = nullptr);
llvm::FailureOr<std::vector<double>> getFloatConstant(mlir::Attribute attribute, EmitConstantError emitError = nullptr);
llvm::FailureOr<std::vector<float>> getFloatConstantF32(mlir::Attribute attribute,
                                                        EmitConstantError emitError = nullptr);

/// The same for a value that an `arith.constant` defines, or that is the argument of a region
/// into which such a value is passed.
llvm::FailureOr<Tensor> getIntTensor(mlir::Value value, EmitConstantError emitError = nullptr);
llvm::FailureOr<std::vector<double>> getFloatConstant(mlir::Value value, EmitConstantError emitError = nullptr);
llvm::FailureOr<std::vector<float>> getFloatConstantF32(mlir::Value value, EmitConstantError emitError = nullptr);
llvm::FailureOr<std::vector<int64_t>> getIntConstant(mlir::Value value, EmitConstantError emitError = nullptr);

/// The value all elements of a float constant have, none when they differ or
/// `value` is not a float constant.
std::optional<double> getSplatFloat(mlir::Value value);

/// Whether `value` is defined by an `arith.constant`, or passed into a region as one.
bool isConstant(mlir::Value value);

/// The name of a constant's blob, empty when it has none.
llvm::StringRef getBlobName(mlir::Value value);

/// Elements of a float (f32, f64) tensor type as an attribute: see
/// `makeTensorAttr`.
mlir::TypedAttr makeFloatAttr(mlir::RankedTensorType type, llvm::ArrayRef<float> values, llvm::StringRef blobName);
/// Elements of a signless integer (i1 to i64) tensor type as an attribute.
/// Values are truncated to the element type's width.
mlir::TypedAttr makeIntAttr(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> values, llvm::StringRef blobName);

/// The same as an `arith.constant` at the builder's insertion point.
mlir::arith::ConstantOp createConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                                       const Tensor &tensor, llvm::StringRef blobName);
mlir::arith::ConstantOp createFloatConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                                            llvm::ArrayRef<float> values, llvm::StringRef blobName);
mlir::arith::ConstantOp createIntConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                                          llvm::ArrayRef<int64_t> values, llvm::StringRef blobName);

} // namespace vitq

#endif // VITQ_SUPPORT_CONSTANTS_H
