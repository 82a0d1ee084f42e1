//===- MainFunction.h - The function that a module computes ------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SUPPORT_MAINFUNCTION_H
#define VITQ_SUPPORT_MAINFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace vitq {

/// @main, null when the module has none.
mlir::func::FuncOp lookupMain(mlir::ModuleOp module);

/// @main, which must have one block; otherwise an error at the module.
mlir::FailureOr<mlir::func::FuncOp> findMain(mlir::ModuleOp module);

} // namespace vitq

#endif // VITQ_SUPPORT_MAINFUNCTION_H
