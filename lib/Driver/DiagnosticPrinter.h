//===- DiagnosticPrinter.h - Diagnostics for people who compile a model -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_DIAGNOSTICPRINTER_H
#define LIB_DRIVER_DIAGNOSTICPRINTER_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

#include <string>

namespace vitq {

/// Prints diagnostics as `vitq-opt: error: FILE: node 'NAME': text`; a place in a
/// text file as `FILE:LINE:COLUMN`. Ops are not dumped: their constants may be
/// megabytes.
class DiagnosticPrinter : public mlir::ScopedDiagnosticHandler {
public:
  DiagnosticPrinter(mlir::MLIRContext *context, llvm::StringRef input);

private:
  void print(mlir::Diagnostic &diagnostic) const;

  std::string input;
};

} // namespace vitq

#endif // LIB_DRIVER_DIAGNOSTICPRINTER_H
