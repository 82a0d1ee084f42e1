//===- IntegerEmitter.h - The integer phase as ONNX nodes --*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TARGET_ONNX_INTEGEREMITTER_H
#define VITQ_LIB_TARGET_ONNX_INTEGEREMITTER_H

#include "Emitter.h"
#include "ExactIntegers.h"

#include "dialects/vitq/Vitq.h"

namespace vitq::onnxwriter {

/// How the first op that computes with `value`, or with moved elements of it, reads its codes.
bool isReadUnsigned(mlir::Value value);
/// The elements of a constant, as `code` reads them.
llvm::FailureOr<KnownIntegers> readConstant(mlir::Value value, const numerics::Code &code);

/// Whether ties go to even numbers or up; none where they do neither.
std::optional<bool> tiesToEven(integer::Rounding rounding);

class IntegerEmitter {
public:
  IntegerEmitter(mlir::func::FuncOp function, Writer &writer) : function(function), writer(writer), math(writer) {}

  llvm::LogicalResult run();

private:
  /// Codes (or sums) in ONNX, and whether codes were written unsigned.
  struct Stored {
    Integers integers;
    bool isUnsigned = false;
  };

  Integers read(mlir::Value value, const numerics::Code &code);
  void write(mlir::Value value, Integers integers, bool isUnsigned = false);
  void writeCodes(mlir::Value value, const Digit &relative, const numerics::Code &code, int64_t min, int64_t max);
  /// Factors of `value`, one or one for each index of `axis`, negative from the end.
  static Factors factorsOf(integer::DyadicAttr by, mlir::Value value, int64_t axis);
  Integers split(const Integers &a) { return a.size() == 1 ? math.split(a[0]) : a; }
  std::string lookUp(llvm::ArrayRef<float> table, const Digit &index);
  std::pair<std::string, int64_t> rightOperand(integer::MatmulOp op);

  llvm::LogicalResult emit(integer::MatmulOp op);
  llvm::LogicalResult emit(integer::RequantOp op);
  llvm::LogicalResult emit(integer::AddOp op);
  llvm::LogicalResult emit(integer::MulOp op);
  llvm::LogicalResult emit(integer::SumOp op);
  llvm::LogicalResult emit(integer::TableOp op);
  llvm::LogicalResult emit(integer::InterpolateOp op);
  llvm::LogicalResult emit(integer::SoftmaxOp op);
  llvm::LogicalResult emit(integer::DivideRowsOp op);
  llvm::LogicalResult emit(integer::LayerNormOp op);
  llvm::LogicalResult emit(integer::ExtractPatchesOp op);
  llvm::LogicalResult emit(integer::MaxPoolOp op);
  llvm::LogicalResult emit(integer::DepthwiseConv2dOp op);
  llvm::LogicalResult emit(integer::ResampleOp op);
  std::string channelsFirst(const std::string &map);
  std::string channelsLast(const std::string &planes);
  std::string surround(integer::ExtractPatchesOp op, std::string map, const numerics::Code &code);
  /// How the codes of a value are kept; as they are read, of a constant.
  bool isWrittenUnsigned(mlir::Value value) const;
  std::string move(mlir::Operation *op, llvm::ArrayRef<std::string> inputs, int64_t padding);
  llvm::LogicalResult emitMove(mlir::Operation *op);
  llvm::LogicalResult emitOp(mlir::Operation *op);
  llvm::LogicalResult addInput();
  llvm::LogicalResult addOutputs(mlir::func::ReturnOp op);
  llvm::LogicalResult refuse(mlir::Operation *op, const llvm::Twine &why);

  mlir::func::FuncOp function;
  Writer &writer;
  Arithmetic math;
  llvm::DenseMap<mlir::Value, Stored> values;
};

} // namespace vitq::onnxwriter

#endif // VITQ_LIB_TARGET_ONNX_INTEGEREMITTER_H
