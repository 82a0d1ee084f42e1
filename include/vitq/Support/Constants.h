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

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Attributes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace vitq {

/// Constants with at least this many elements, not all equal, are blobs.
constexpr int64_t kMinBlobElements = 16;

/// The elements in row-major order of a constant of f32 or f64 (a tensor in
/// either form, or a scalar), none when `attribute` is not such a constant.
std::optional<std::vector<double>> getFloatConstant(mlir::Attribute attribute);
std::optional<std::vector<float>> getFloatConstantF32(mlir::Attribute attribute);

/// The same for signless or signed i1, i8, i16, i32, i64 (sign-extended, i1
/// zero-extended).
std::optional<std::vector<int64_t>> getIntConstant(mlir::Attribute attribute);

/// The same for a value that an `arith.constant` defines.
std::optional<std::vector<double>> getFloatConstant(mlir::Value value);
std::optional<std::vector<float>> getFloatConstantF32(mlir::Value value);
std::optional<std::vector<int64_t>> getIntConstant(mlir::Value value);

/// The value all elements of a float constant have, none when they differ or
/// `value` is not a float constant.
std::optional<double> getSplatFloat(mlir::Value value);

/// Whether `value` is defined by an `arith.constant`.
bool isConstant(mlir::Value value);

/// The name of a constant's blob, empty when it has none.
llvm::StringRef getBlobName(mlir::Value value);

/// Elements of a float (f32, f64) tensor type as an attribute. `blobName` names
/// the blob if one is made; the context makes it unique by a suffix.
mlir::TypedAttr makeFloatAttr(mlir::RankedTensorType type, llvm::ArrayRef<float> values, llvm::StringRef blobName);
/// Elements of a signless integer (i1 to i64) tensor type as an attribute.
/// Values are truncated to the element type's width.
mlir::TypedAttr makeIntAttr(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> values, llvm::StringRef blobName);

/// The same as an `arith.constant` at the builder's insertion point.
mlir::arith::ConstantOp createFloatConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                                            llvm::ArrayRef<float> values, llvm::StringRef blobName);
mlir::arith::ConstantOp createIntConstant(mlir::OpBuilder &builder, mlir::Location loc, mlir::RankedTensorType type,
                                          llvm::ArrayRef<int64_t> values, llvm::StringRef blobName);

} // namespace vitq

#endif // VITQ_SUPPORT_CONSTANTS_H
