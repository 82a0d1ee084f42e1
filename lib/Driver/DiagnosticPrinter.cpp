//===- DiagnosticPrinter.cpp - Diagnostics for people who compile a model -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DiagnosticPrinter.h"

#include "vitq/Analysis/Places.h"

#include "llvm/Support/WithColor.h"

using namespace mlir;

namespace vitq {

DiagnosticPrinter::DiagnosticPrinter(MLIRContext *context, llvm::StringRef input)
    : ScopedDiagnosticHandler(context), input(input.str()) {
  context->printOpOnDiagnostic(false);
  setHandler([this](Diagnostic &diagnostic) { print(diagnostic); });
}

void DiagnosticPrinter::print(Diagnostic &diagnostic) const {
  auto line = [&](Diagnostic &entry) {
    llvm::errs() << "vitq-opt: ";
    switch (entry.getSeverity()) {
    case DiagnosticSeverity::Error:
      llvm::WithColor::error();
      break;
    case DiagnosticSeverity::Warning:
      llvm::WithColor::warning();
      break;
    case DiagnosticSeverity::Remark:
      llvm::WithColor::remark();
      break;
    case DiagnosticSeverity::Note:
      llvm::WithColor::note();
      break;
    }
    std::string text = entry.str();
    llvm::errs() << describePlace(entry.getLocation(), input, text) << text << "\n";
  };
  line(diagnostic);
  for (Diagnostic &note : diagnostic.getNotes())
    line(note);
}

} // namespace vitq
