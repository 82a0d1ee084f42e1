//===- ProgramKinds.h - Opening each kind of program -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_RUNNER_PROGRAMKINDS_H
#define VITQ_LIB_RUNNER_PROGRAMKINDS_H

#include "vitq/Runner/Program.h"

namespace vitq::runner {

/// What --num-threads may ask for.
inline constexpr int kMaxThreads = 1024;

/// Whether the loader can be given the file: a whole shared library for this machine.
/// The error names it and says what it is instead.
llvm::Error checkLibraryFile(llvm::StringRef path);

/// Loads a shared object made by vitq.
llvm::Expected<std::unique_ptr<Program>> openSharedObject(llvm::StringRef path);

/// Whether the file begins as a program for a systolic array.
bool isSystolicProgram(llvm::StringRef path);

/// Reads a program for a systolic array, and links its host code into this process. One
/// without host code can be timed, not run.
llvm::Expected<std::unique_ptr<Program>> openSystolicProgram(llvm::StringRef path);

/// Reads an ONNX model, MLIR text or bytecode, to be interpreted.
llvm::Expected<std::unique_ptr<Program>> openModule(llvm::StringRef path, const frontend::ImportOptions &options);

/// The outputs in the memory that compiled code wrote, which they share.
llvm::SmallVector<Tensor> outputsIn(const Tensor &memory, const ProgramInfo &info);
/// Memory for them.
Tensor allocateOutputs(const ProgramInfo &info);

} // namespace vitq::runner

#endif // VITQ_LIB_RUNNER_PROGRAMKINDS_H
