//===- Harness.h - Compiling and running programs in tests -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_TARGET_HARNESS_H
#define VITQ_TEST_UNIT_TARGET_HARNESS_H

#include "vitq/Target/NativeCompiler.h"
#include "vitq/Tensor/Tensor.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <optional>
#include <string>
#include <vector>

namespace vitq::test {

/// A context with the dialects that a program passes through.
std::unique_ptr<mlir::MLIRContext> makeContext();

/// Lowers a copy of `module` and returns the object; empty on failure.
std::vector<char> compile(mlir::ModuleOp module, const NativeOptions &options);

/// Runs an object, in this process if it is for this architecture. Outputs lie behind each other, each at a multiple of
/// 64 bytes.
std::optional<std::vector<char>> runObject(const std::vector<char> &object, const std::string &name,
                                           const std::vector<Tensor> &inputs, size_t outputBytes);

/// Tensors of the function's argument types with random elements.
std::vector<Tensor> randomInputs(mlir::ModuleOp module, uint64_t seed);

/// What the interpreter says, in the layout of runObject.
std::optional<std::vector<char>> interpret(mlir::ModuleOp module, const std::vector<Tensor> &inputs);

/// Targets of the tests that this CPU or an installed emulator can run.
std::vector<TargetDesc> runnableTargets();

/// Targets with registers of tiles: by TileEmulator where the CPU has the rest but not these, and with all their
/// instructions spelt out.
std::vector<TargetDesc> tileTargets();

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_TARGET_HARNESS_H
