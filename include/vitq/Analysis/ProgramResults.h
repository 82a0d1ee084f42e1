//===- ProgramResults.h - What a program gives, by name and scale -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_PROGRAMRESULTS_H
#define VITQ_ANALYSIS_PROGRAMRESULTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace vitq {

/// The names of what @main gives, one each and all different. The return has them as
/// location: a name, or a fusion of names, one for each operand. Otherwise they are "output",
/// or "output0", "output1" ...
llvm::SmallVector<std::string> resultNames(mlir::func::FuncOp main);

/// The scales of `results` results on an integer module (kOutputScaleAttr: a number, or an
/// array of one for each of several), 0 for each that is not known.
llvm::SmallVector<double> getOutputScales(mlir::ModuleOp module, size_t results);
/// Remembers them; nothing where none is known.
void setOutputScales(mlir::ModuleOp module, llvm::ArrayRef<double> scales);

} // namespace vitq

#endif // VITQ_ANALYSIS_PROGRAMRESULTS_H
