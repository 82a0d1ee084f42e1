//===- MainFunction.cpp - The function that a module computes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Support/MainFunction.h"

using namespace mlir;

func::FuncOp vitq::lookupMain(ModuleOp module) { return module.lookupSymbol<func::FuncOp>("main"); }

FailureOr<func::FuncOp> vitq::findMain(ModuleOp module) {
  func::FuncOp main = lookupMain(module);
  if (main && main.getBody().hasOneBlock())
    return main;
  InFlightDiagnostic error = module.emitError("the module needs a function @main of one block");
  if (main)
    error.attachNote(main.getLoc()) << (main.isExternal() ? "this one has no body" : "this one has branches");
  return error;
}
