//===- SystolicUnits.h - vitq ops as stages of units -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_SYSTOLIC_UNITS_H
#define VITQ_TARGET_SYSTOLIC_UNITS_H

#include "dialects/systolic/Systolic.h"
#include "vitq/Analysis/CodeSigns.h"
#include "vitq/Simulator/Units.h"

#include <string>

namespace vitq::systolic {

/// A vitq op as a stage: what it reads along with its rows, and the result that is no row.
struct StageOfOp {
  simulator::Stage stage;
  /// The operand whose rows go through the unit.
  mlir::Value rows;
  /// An operand in DRAM: a residual, or the sums of rows.
  mlir::Value extraInput;
  /// The sums of a softmax.
  mlir::Value extraOutput;
  /// How the elements of the rows, of the extra input and of the result are read.
  bool inputUnsigned = false, extraUnsigned = false, resultUnsigned = false;
};

/// The stage for `op` where `rows` are the rows that come (null: its first operand). None
/// and a reason ("softmax by powers of two is in no unit") where no unit computes it. `signs` say how bytes hold
/// the narrow codes that are entries of a table; without them it is as if they were signed.
std::optional<StageOfOp> stageOf(mlir::Operation *op, mlir::Value rows, std::string &reason,
                                 const CodeSigns &signs = {});

/// The unit that would compute ops like `op`, whatever its attributes; none for ops that only
/// move elements.
std::optional<simulator::Unit> unitFor(mlir::Operation *op);

/// The unit program of a launch that has units; `signs` as for stageOf, which no time depends on. Errors are
/// diagnostics.
mlir::FailureOr<simulator::UnitProgram> encodeUnits(LaunchOp launch, const CodeSigns &signs = {});

} // namespace vitq::systolic

#endif // VITQ_TARGET_SYSTOLIC_UNITS_H
