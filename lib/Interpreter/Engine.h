//===- Engine.h - What runs one op -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_ENGINE_H
#define VITQ_LIB_INTERPRETER_ENGINE_H

#include "vitq/Tensor/Tensor.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"

#include <functional>
#include <memory>

namespace vitq::interp {

/// Computes an op's results from its operands. Called from several threads at
/// once. On failure it has emitted an error at the op.
using Kernel = std::function<llvm::LogicalResult(llvm::ArrayRef<Tensor>, llvm::MutableArrayRef<Tensor>)>;

/// Makes the kernels of one kind of ops.
class Engine {
public:
  virtual ~Engine();

  /// A kernel for `op`, null when this engine has none.
  virtual Kernel compile(mlir::Operation *op) const = 0;
};

/// vit ops on float tensors, computed in float or double.
std::unique_ptr<Engine> createFloatEngine(bool useDouble);
/// vit ops with a quantized operand or result, and quant.scast.
std::unique_ptr<Engine> createQuantizedEngine(bool useDouble);
/// Casts that do nothing, between vit ops that compute on the reals behind quantized types (`ignoreCasts`).
std::unique_ptr<Engine> createCastlessEngine(bool useDouble);
/// vitq ops.
std::unique_ptr<Engine> createIntegerEngine();

/// The kernel of an op that only moves elements, whatever they are; null for
/// other ops. `padding` is a new element of vit.pad and vitq.pad.
Kernel compileMove(mlir::Operation *op, int64_t padding);

/// The constant `attribute` as a tensor; large ones are not copied if their kind
/// stays. Floats become `floatKind`. Emits an error at `op`.
llvm::FailureOr<Tensor> loadConstant(mlir::Operation *op, mlir::Attribute attribute, ElementKind floatKind);

/// A float tensor as `kind`; others as they are.
Tensor convertFloat(const Tensor &tensor, ElementKind kind);

/// Multiply-accumulates of a contraction, 0 for other ops.
int64_t macsOf(mlir::Operation *op);

/// The static shape of a value.
inline llvm::ArrayRef<int64_t> shapeOfValue(mlir::Value value) {
  return llvm::cast<mlir::ShapedType>(value.getType()).getShape();
}

/// Product of extents.
inline int64_t productOf(llvm::ArrayRef<int64_t> shape) {
  int64_t product = 1;
  for (int64_t extent : shape)
    product *= extent;
  return product;
}

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_ENGINE_H
