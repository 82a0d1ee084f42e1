//===- DiagnosticPrinter.cpp - Diagnostics for people who compile a model -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DiagnosticPrinter.h"

#include "vitq/Analysis/QuantizedTypes.h"

#include "llvm/Support/WithColor.h"

using namespace mlir;

namespace vitq {

DiagnosticPrinter::DiagnosticPrinter(MLIRContext *context, llvm::StringRef input)
    : ScopedDiagnosticHandler(context), input(input.str()) {
  context->printOpOnDiagnostic(false);
  setHandler([this](Diagnostic &diagnostic) { print(diagnostic); });
}

void DiagnosticPrinter::printLocation(Location location, llvm::StringRef text) const {
  FileLineColLoc place;
  location->walk([&](Location inner) {
    place = dyn_cast<FileLineColLoc>(inner);
    return place ? WalkResult::interrupt() : WalkResult::advance();
  });
  std::string node = nodeName(location);
  // An error of reading the file begins with its name, and that of the node.
  if (!place && text.starts_with(input))
    return;
  if (node == input || (node == "?" && !place)) {
    llvm::errs() << (isa<UnknownLoc>(location) ? "" : input + ": ");
    return;
  }
  if (place)
    llvm::errs() << place.getFilename().getValue() << ":" << place.getLine() << ":" << place.getColumn() << ": ";
  else
    llvm::errs() << input << ": ";
  if (node != "?" && !text.starts_with("node '" + node + "'"))
    llvm::errs() << "node '" << node << "': ";
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
    printLocation(entry.getLocation(), text);
    llvm::errs() << text << "\n";
  };
  line(diagnostic);
  for (Diagnostic &note : diagnostic.getNotes())
    line(note);
}

} // namespace vitq
