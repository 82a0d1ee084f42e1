//===- EmitNative.h - From the integer phase to files -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_EMITNATIVE_H
#define LIB_DRIVER_EMITNATIVE_H

#include "vitq/Driver/Driver.h"
#include "vitq/Report/Report.h"
#include "vitq/Target/NativeCompiler.h"

#include "llvm/ADT/SmallString.h"

namespace vitq {

struct NativeRequest {
  std::string name, target, output;
  OutputKind emit;
  bool openmp = false;
  int64_t batch = 1;
  BatchSchedule schedule = BatchSchedule::Auto;
};

/// As lowerToLLVM, with every pass recorded as a stage; `facts` receives the sizes.
mlir::LogicalResult lowerNative(mlir::ModuleOp module, const NativeOptions &options, NativeFacts &facts);

/// The object of a lowered module, which computes without floats; `facts` receives what
/// the object has.
mlir::FailureOr<llvm::SmallString<0>> compileObject(mlir::ModuleOp module, const NativeOptions &options,
                                                    NativeFacts &facts);

/// An error, if there is one, as a diagnostic.
mlir::LogicalResult reportError(mlir::ModuleOp module, llvm::Error error);

/// Lowers an integer module for a target and writes what was asked for. With a batch,
/// the module is one of one image, or already one of the batch.
mlir::FailureOr<NativeFacts> emitNative(mlir::ModuleOp module, const NativeRequest &request);

} // namespace vitq

#endif // LIB_DRIVER_EMITNATIVE_H
