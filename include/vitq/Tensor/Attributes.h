//===- Attributes.h - Tensors from and to attributes -------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TENSOR_ATTRIBUTES_H
#define VITQ_TENSOR_ATTRIBUTES_H

#include "vitq/Tensor/Tensor.h"

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/Error.h"

#include <optional>

namespace vitq {

/// Constants with at least this many elements, not all equal, are blobs.
constexpr int64_t kMinBlobElements = 16;

/// The kind whose elements are exactly those of `type`: f32, f64, i1, i8, i16,
/// i32 or i64 of any signedness.
std::optional<ElementKind> exactKindOf(mlir::Type type);
/// The smallest kind that holds the elements of `type`: as above, or an integer
/// of 2 to 63 bits.
std::optional<ElementKind> storageKindOf(mlir::Type type);

/// The elements of a `dense` or `dense_resource` attribute of static shape, or
/// a number as a tensor of rank 0, as `storageKindOf` the element type. Shares
/// the attribute's memory where its form allows. The error is the reason, to
/// follow "the constant": "has elements of type bf16".
llvm::Expected<Tensor> readTensor(mlir::Attribute attribute);

/// `tensor`, whose kind is `storageKindOf` the element type of `type`, as an
/// attribute: a blob that shares the elements if the tensor owns them, or a
/// dense attribute (few elements, all equal, or of another width than their
/// kind). `blobName` names the blob; the context makes it unique by a suffix.
mlir::TypedAttr makeTensorAttr(mlir::RankedTensorType type, const Tensor &tensor, llvm::StringRef blobName);

} // namespace vitq

#endif // VITQ_TENSOR_ATTRIBUTES_H
