//===- Systolic.h - From launches to a program of the array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_SYSTOLIC_SYSTOLIC_H
#define VITQ_TARGET_SYSTOLIC_SYSTOLIC_H

#include "vitq/Simulator/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace vitq::systolic {

/// Instructions of one routine; more is a mistake (512 MiB of code).
inline constexpr int64_t kMaxInstructions = int64_t(1) << 24;

/// The instructions of a routine, in a module with a configuration, whose tiles have addresses:
/// loops are unrolled, indices and addresses computed. Arguments are operands in their order.
/// Errors are diagnostics: indices and extents that break the rules of an instruction or are
/// numbers that it cannot hold.
mlir::FailureOr<std::vector<simulator::Instruction>> encodeRoutine(mlir::func::FuncOp routine);

/// Everything of a program but its host part and its manifest: launches in the order of
/// @main, constants among their operands in the image (equal ones once), the others
/// operands of the host: `Operand::host` counts the inputs that are no constants and the
/// results of that launch, in order.
mlir::FailureOr<simulator::Program> encodeProgram(mlir::ModuleOp module);

} // namespace vitq::systolic

#endif // VITQ_TARGET_SYSTOLIC_SYSTOLIC_H
