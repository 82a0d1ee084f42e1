//===- CodeSigns.h - How bytes hold narrow codes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_CODESIGNS_H
#define VITQ_ANALYSIS_CODESIGNS_H

#include "vitq/Tensor/Tensor.h"

#include "mlir/IR/Operation.h"
#include "llvm/ADT/EquivalenceClasses.h"

namespace vitq {

/// A code of less than 8 bits takes a byte in memory, which holds its value (docs/Numerics.md,
/// Codes): extended by zeros where codes are unsigned, by the sign otherwise. So who writes and
/// who reads a tensor must agree. Tensors that ops only move elements between are of one sign;
/// of constants and table entries, the readers decide.
class CodeSigns {
public:
  CodeSigns() = default;
  /// Of all values below `root`. Emits an error at an op that reads codes as another one wrote
  /// them not.
  static llvm::FailureOr<CodeSigns> of(mlir::Operation *root);

  /// Whether the narrow codes of `value` are unsigned; false where nobody reads them.
  bool isUnsigned(mlir::Value value) const;

  /// The elements of a constant that become elements of `value`, as its bytes are.
  Tensor inMemory(const Tensor &constant, mlir::Value value) const;

private:
  llvm::LogicalResult add(mlir::Value value, bool isUnsigned, mlir::Operation *op);

  struct Sign {
    bool isUnsigned;
    mlir::Operation *op;
  };
  llvm::EquivalenceClasses<const void *> classes;
  /// By the leader of a class.
  llvm::DenseMap<const void *, Sign> signs;
};

} // namespace vitq

#endif // VITQ_ANALYSIS_CODESIGNS_H
