//===- FunctionWriter.h - One kernel as a C function -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Integers are unsigned in C, as their arithmetic is modulo 2^N; what depends on a sign
// converts, or is a function of Prelude.h. A value that is used once stands where it is used.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TARGET_PORTABLEC_FUNCTIONWRITER_H
#define VITQ_LIB_TARGET_PORTABLEC_FUNCTIONWRITER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/BitVector.h"

#include <functional>
#include <string>

namespace vitq::portable {

/// "u32" and the like, "size_t" for an index; empty for a type that is no integer.
std::string typeOf(mlir::Type type);
/// The same with a sign.
std::string signedTypeOf(mlir::Type type);

/// Rows that the prelude's functions dot_1, dot_2 ... multiply at most.
inline constexpr unsigned kMostDotRows = 4;

class FunctionWriter {
public:
  /// Which operands of a function are written to.
  using WrittenBy = std::function<const llvm::BitVector &(mlir::func::FuncOp)>;

  /// How the bytes of a constant are spelt, by its name.
  using ConstantBytes = std::function<std::string(llvm::StringRef)>;

  FunctionWriter(mlir::func::FuncOp function, const WrittenBy &writtenBy, const ConstantBytes &constantBytes,
                 llvm::raw_ostream &os);

  /// "static void f(...)", without what follows; a result that is no integer has no type.
  std::string signature();
  /// The whole function; failure after `unsupported` was called.
  llvm::LogicalResult write();

  /// The first operation that has no C, if any.
  mlir::Operation *unsupported = nullptr;

private:
  std::string name(mlir::Value value) {
    assert(text.contains(value) && "values are defined before they are used");
    return text.lookup(value);
  }
  std::string fresh() { return "v" + std::to_string(count++); }
  bool isConst(mlir::Value pointer);
  std::string declared(mlir::Value value, bool isArgument = false);
  /// Whether the text of `op` is part of what uses it.
  bool standsInPlace(mlir::Operation *op);
  mlir::Operation *statementOf(mlir::Operation *op);
  void line(const llvm::Twine &statement);
  void block(mlir::Block &block);
  void statement(mlir::Operation &op);
  void define(mlir::Value value, const std::string &expression, bool inPlace);
  void loop(mlir::scf::ForOp op);
  bool dotProducts(mlir::scf::ForOp op);
  void branch(mlir::scf::IfOp op);
  void call(mlir::func::CallOp op);
  void copy(mlir::memref::CopyOp op);
  void assign(mlir::ValueRange values, llvm::ArrayRef<std::string> targets);
  std::string expression(mlir::Operation *op);
  std::string binary(mlir::Operation *op);
  std::string product(mlir::arith::MulIOp op);
  std::string comparison(mlir::arith::CmpIOp op);
  std::string conversion(mlir::Operation *op);
  std::string pointer(mlir::Operation *op);
  std::string element(mlir::Value memref, mlir::ValueRange at);
  std::string constant(mlir::arith::ConstantOp op);

  mlir::func::FuncOp function;
  const WrittenBy &writtenBy;
  const ConstantBytes &constantBytes;
  llvm::raw_ostream &os;
  llvm::DenseMap<mlir::Value, std::string> text;
  unsigned count = 0, depth = 1;
};

} // namespace vitq::portable

#endif // VITQ_LIB_TARGET_PORTABLEC_FUNCTIONWRITER_H
