//===- CompileC.h - Portable C in tests -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_TARGET_COMPILEC_H
#define VITQ_TEST_UNIT_TARGET_COMPILEC_H

#include "vitq/Target/NativeCompiler.h"

#include <vector>

namespace vitq::test {

/// Whether there is a C compiler.
bool canCompileC();

/// Lowers `module` for the target `portable`, and compiles its C so that undefined behaviour
/// traps; empty on failure, of which a warning of the compiler is one.
std::vector<char> compileC(mlir::ModuleOp module, const NativeOptions &options);

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_TARGET_COMPILEC_H
