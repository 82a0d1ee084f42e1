//===- KernelModule.h - Kernels, globals and calls of one module -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_KERNELMODULE_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_KERNELMODULE_H

#include "BitPacking.h"
#include "Blob.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "vitq/Analysis/CodeSigns.h"
#include "vitq/Conversion/KernelCalls.h"
#include "vitq/Target/Isa/TargetDesc.h"
#include "llvm/ADT/StringMap.h"

namespace vitq::kernels {

using EmitBody = llvm::function_ref<void(Emitter &, ValueRange)>;
/// Computes the units `first` to `last` (exclusive) of a kernel.
using EmitUnits = llvm::function_ref<void(Emitter &, ValueRange, Value first, Value last)>;

/// What a call computes, for profiles.
struct Step {
  Step(mlir::Location loc, std::string ops = "", int64_t macs = 0) : loc(loc), ops(std::move(ops)), macs(macs) {}
  Step(llvm::ArrayRef<mlir::Operation *> fused, int64_t macs);

  mlir::Location loc;
  /// "vitq.matmul+vitq.requant"; empty: the kernel's name says it.
  std::string ops;
  int64_t macs;
  /// If not 0: unit u of the work is the rows u * tileRows and on of so many, and
  /// touches only these rows of the arguments `local`.
  int64_t rows = 0;
  llvm::SmallVector<int64_t> local;
};

/// Owns what the kernels of a module share: functions with the same code, constants with the
/// same content. Values in its interface are memrefs of `@main`.
class KernelModule {
public:
  KernelModule(mlir::ModuleOp module, const TargetDesc &target, mlir::OpBuilder &main)
      : target(target), module(module), symbols(module), main(main) {}

  const TargetDesc &target;
  /// How bytes hold narrow codes.
  CodeSigns signs;
  /// Of all constant weights of products, as they are stored: what passes through the caches in a run.
  int64_t weightBytes = 0;

  /// Calls the kernel `vitq_<name>_<n>` of which `emit` builds the body. Its work consists
  /// of `units` that can be done apart: two more arguments say which are done.
  void call(const Step &step, llvm::StringRef name, Values args, int64_t units, EmitUnits emit);
  /// The same with one unit.
  void call(const Step &step, llvm::StringRef name, const Values &args, EmitBody emit) {
    call(step, name, args, 1, [&](Emitter &e, ValueRange in, Value, Value) { emit(e, in); });
  }

  /// The function `vitq_<name>_<n>` with the body that `emit` builds. It is built each time, and
  /// compared with those there are: nothing that shapes the code can be forgotten.
  mlir::func::FuncOp function(llvm::StringRef name, mlir::TypeRange args, mlir::TypeRange results, EmitBody emit);

  /// A constant of `@main`: equal bytes share one global.
  Value constant(mlir::Location loc, llvm::ArrayRef<char> bytes, mlir::MemRefType type = {});
  /// The constant elements that `tensor` has, narrow codes packed: a kernel unpacks them.
  Value codes(mlir::Location loc, const Tensor &elements, Value tensor);
  /// What a byte or more of `tensor` holds where its element is `code`, given as signed or unsigned.
  int64_t codeInMemory(Value tensor, int64_t code) const {
    const unsigned bits = integer::codeOf(tensor).bits;
    return bits < 8 ? numerics::readCode(code, bits, signs.isUnsigned(tensor)) : code;
  }
  Value blob(mlir::Location loc, Blob &blob) { return constant(loc, blob.finish()); }

  Value alloc(mlir::Location loc, llvm::ArrayRef<int64_t> shape, Type element);
  /// Bytes that a kernel may overwrite.
  Value scratch(mlir::Location loc, int64_t bytes);
  /// The same elements as another shape.
  Value reshape(mlir::Location loc, Value memref, llvm::ArrayRef<int64_t> shape);

  /// Inserts into `@main`.
  mlir::OpBuilder &builder() { return main; }

  /// The error of an op that has no kernel, which says why; without one it just has none.
  mlir::InFlightDiagnostic refuse(mlir::Operation *op) {
    hasRefused = true;
    return op->emitOpError();
  }
  mlir::LogicalResult noKernel(mlir::Operation *op) const {
    return hasRefused ? mlir::failure() : mlir::LogicalResult(op->emitOpError("has no kernel"));
  }

  int64_t constantBytes() const { return totalBytes; }
  unsigned kernelCount() const { return functionCount; }
  unsigned callCount = 0;

private:
  mlir::ModuleOp module;
  mlir::SymbolTable symbols;
  mlir::OpBuilder &main;
  /// Functions of one name, by the hash of their bodies.
  struct Named {
    llvm::DenseMap<size_t, llvm::SmallVector<mlir::func::FuncOp>> byHash;
    unsigned count = 0;
  };
  llvm::StringMap<Named> functions;
  unsigned functionCount = 0;
  llvm::StringMap<std::string> globals;
  int64_t totalBytes = 0;
  bool hasRefused = false;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_KERNELMODULE_H
