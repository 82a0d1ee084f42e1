//===- Emitter.h - The quantized phase as ONNX nodes -------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TARGET_ONNX_EMITTER_H
#define VITQ_LIB_TARGET_ONNX_EMITTER_H

#include "OnnxWriter.h"

#include "vitq/Analysis/QuantizedTypes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vitq::onnxwriter {

using NodeAttribute = Attribute;

/// The ONNX values of an SSA value.
struct Emitted {
  /// Of a quantized value, or a dequantized one that nothing has read yet; empty where
  /// they do not exist in ONNX.
  std::string codes;
  /// Of a float value, and of a quantized one without codes.
  std::string real;
  /// What dequantizes `codes`.
  vit::DequantizeOp dequantize;
};

/// Adds the image, `[B, C, H, W]` as the float model takes it, and what makes it pixels from 0 to 1, which it returns.
llvm::FailureOr<std::string> addPixels(Writer &writer, mlir::func::FuncOp function, const std::string &image,
                                       int64_t channels);
/// The name that a location has, or another.
std::string nameAt(mlir::Location loc, llvm::StringRef otherwise);

class Emitter {
public:
  Emitter(mlir::func::FuncOp function, Writer &writer) : writer(writer), function(function) {}

  llvm::LogicalResult run();

private:
  // Constants.
  std::string floats(llvm::StringRef name, llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<float> values) {
    return writer.constant(name, Tensor::of<float>(shape, values));
  }
  std::string scalar(llvm::StringRef name, double value) { return floats(name, {}, {static_cast<float>(value)}); }
  std::string ints(llvm::StringRef name, llvm::ArrayRef<int64_t> values) {
    return writer.constant(name, Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values));
  }

  // Names.
  static std::string hint(mlir::Operation *op, llvm::StringRef suffix = "") {
    std::string name = nodeName(op->getLoc());
    return (name == "?" ? op->getName().stripDialect().str() : name) + suffix.str();
  }
  std::string node(llvm::StringRef type, llvm::ArrayRef<std::string> inputs, mlir::Operation *op,
                   llvm::StringRef suffix = "", llvm::ArrayRef<NodeAttribute> attributes = {}) {
    return writer.node(type, inputs, hint(op, suffix), attributes);
  }
  std::string real(mlir::Value value);
  void setReal(mlir::Value value, std::string name) { values[value] = {"", std::move(name), {}}; }

  // Casts.
  struct Grid {
    std::string scale, zeroPoint;
    std::vector<NodeAttribute> axis;
  };
  std::optional<Grid> gridOf(mlir::Type element, const std::string &name, std::optional<int64_t> axis = std::nullopt,
                             bool isWeight = false);
  void findShifted();
  llvm::LogicalResult emit(vit::QuantizeOp op);
  llvm::LogicalResult emit(vit::DequantizeOp op);
  llvm::LogicalResult emit(mlir::quant::StorageCastOp op);
  llvm::FailureOr<std::string> weight(mlir::Operation *op, mlir::Value value, llvm::ArrayRef<int64_t> permutation);

  // Ops.
  llvm::LogicalResult emit(vit::LinearOp op);
  llvm::LogicalResult emit(vit::ResampleOp op);
  llvm::LogicalResult emit(vit::MatmulOp op);
  llvm::LogicalResult emit(vit::PatchEmbedOp op);
  llvm::LogicalResult emit(vit::Conv2dOp op);
  llvm::LogicalResult emit(vit::SoftmaxNumeratorOp op);
  llvm::LogicalResult emit(vit::DivideRowsOp op);
  llvm::LogicalResult emit(vit::LayerNormOp op);
  llvm::LogicalResult emitFunction(mlir::Operation *op);
  llvm::LogicalResult emitMove(mlir::Operation *op);
  llvm::LogicalResult emitOp(mlir::Operation *op);
  llvm::LogicalResult emitConstant(mlir::arith::ConstantOp op);
  llvm::LogicalResult addInput();
  llvm::LogicalResult addOutputs(mlir::func::ReturnOp op);

  Writer &writer;
  mlir::func::FuncOp function;
  llvm::DenseMap<mlir::Value, Emitted> values;
  /// Signed types of 8 bits whose codes are written as uint8, 128 larger.
  llvm::DenseSet<mlir::Type> shifted;
  /// Pixels as planes, where the function reads bytes: real, [B, C, H, W].
  std::string image, planes;
};

} // namespace vitq::onnxwriter

#endif // VITQ_LIB_TARGET_ONNX_EMITTER_H
