//===- SystolicLaunches.h - Launches in the interpreter -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_SYSTOLIC_LAUNCHES_H
#define VITQ_TARGET_SYSTOLIC_LAUNCHES_H

#include "vitq/Interpreter/Interpreter.h"
#include "vitq/Simulator/Program.h"

namespace vitq::systolic {

/// Options with which the interpreter runs a module of launches: the simulator's executor
/// computes them. `program` is what `encodeProgram` made of the same module; it must outlive
/// the interpreter.
InterpreterOptions interpretLaunches(mlir::ModuleOp module, const simulator::Program &program);

} // namespace vitq::systolic

#endif // VITQ_TARGET_SYSTOLIC_LAUNCHES_H
