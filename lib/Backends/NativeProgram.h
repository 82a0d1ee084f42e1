//===- NativeProgram.h - Machine code of a lowered module -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_BACKENDS_NATIVEPROGRAM_H
#define LIB_BACKENDS_NATIVEPROGRAM_H

#include "vitq/Target/Backend/Facts.h"
#include "vitq/Target/NativeCompiler.h"

#include "llvm/ADT/SmallString.h"

namespace vitq {

/// What the lowering of a module to LLVM has recorded in it: the sizes of its weights
/// and its arena.
void readSizes(mlir::ModuleOp module, NativeFacts &facts);

/// The steps of a lowered module, without times.
void readSteps(mlir::ModuleOp module, const NativeOptions &options, NativeFacts &facts);

/// Times the steps on this machine, which must be one that runs `object`.
mlir::LogicalResult measureSteps(mlir::ModuleOp module, const NativeOptions &options, llvm::StringRef object,
                                 NativeFacts &facts);

/// The object of a lowered module, which computes without floats; `facts` receives what
/// the object has.
mlir::FailureOr<llvm::SmallString<0>> compileObject(mlir::ModuleOp module, const NativeOptions &options,
                                                    NativeFacts &facts);

/// Writes several files, of paths and contents: all of them or none.
mlir::LogicalResult writeTogether(mlir::ModuleOp module, llvm::ArrayRef<std::pair<std::string, llvm::StringRef>> files);

/// `path` with another ending in place of its extension.
std::string siblingOf(llvm::StringRef path, llvm::StringRef suffix);

/// An error, if there is one, as a diagnostic.
mlir::LogicalResult reportError(mlir::ModuleOp module, llvm::Error error);

} // namespace vitq

#endif // LIB_BACKENDS_NATIVEPROGRAM_H
