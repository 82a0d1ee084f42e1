//===- NativeCompiler.h - Integer programs to native code -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_NATIVECOMPILER_H
#define VITQ_TARGET_NATIVECOMPILER_H

#include "vitq/Target/Isa/TargetDesc.h"
#include "vitq/Target/Program.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

namespace vitq {

struct NativeOptions {
  TargetDesc target;
  /// Prefix of the program's entry point; a C identifier.
  std::string name = "model";
  /// Of files that name each other, C and its header: without folder and extension; `name` when empty.
  std::string stem = "";
  /// Whether several ops are computed in one kernel (`vitq-form-kernels`).
  bool fuse = true;
  /// Whether the program also has an entry point that uses threads (needs libomp).
  bool openmp = false;
  /// One run computes @main so many times, one batch of its own after the other.
  int64_t turns = 1;
};

/// Adds the passes from vitq ops to the LLVM dialect: kernels (formed if `fuse`), arena, loops,
/// vectors, memrefs with the bare-pointer convention.
void buildVitqToLLVMPipeline(mlir::OpPassManager &manager, llvm::StringRef target, bool fuse = true,
                             bool openmp = false);

/// Registers it as `--vitq-to-llvm="target=... fuse=... openmp=..."`.
void registerNativePipelines();

/// Runs that pipeline.
mlir::LogicalResult lowerToLLVM(mlir::ModuleOp module, const NativeOptions &options);

/// Translate and optimize a module that lowerToLLVM produced and write it. The
/// same module, options and version give the same bytes.
mlir::LogicalResult emitLLVM(mlir::ModuleOp module, const NativeOptions &options, llvm::raw_pwrite_stream &os);
mlir::LogicalResult emitAssembly(mlir::ModuleOp module, const NativeOptions &options, llvm::raw_pwrite_stream &os);
mlir::LogicalResult emitObject(mlir::ModuleOp module, const NativeOptions &options, llvm::raw_pwrite_stream &os);

/// What the program of a lowered module says about itself.
Manifest describeProgram(mlir::ModuleOp module, const NativeOptions &options, uint64_t codeBytes);

/// The same as text.
std::string manifestOf(mlir::ModuleOp module, const NativeOptions &options, uint64_t codeBytes);

/// A C header that declares the entry point of an object, and its sizes; before these, `more`.
std::string headerOf(mlir::ModuleOp module, const NativeOptions &options, llvm::StringRef more = "");

/// Bytes of machine code in an object.
llvm::Expected<uint64_t> codeBytesOf(llvm::ArrayRef<char> object);

/// Links a shared library with ld.lld: a program's object, which may need memory functions and OpenMP only, and others.
llvm::Error linkSharedObject(llvm::ArrayRef<char> object, llvm::StringRef outPath,
                             llvm::ArrayRef<llvm::ArrayRef<char>> others = {});

} // namespace vitq

#endif // VITQ_TARGET_NATIVECOMPILER_H
