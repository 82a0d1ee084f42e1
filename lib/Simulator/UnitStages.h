//===- UnitStages.h - Running unit programs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_UNITSTAGES_H
#define VITQ_LIB_SIMULATOR_UNITSTAGES_H

#include "vitq/Simulator/Simulator.h"

#include <functional>

namespace vitq::simulator {

/// Some channels of one row on their way through the stages.
struct UnitRow {
  int64_t batch = 0, channel = 0;
  llvm::MutableArrayRef<int32_t> values;
  /// What the stage's extra input has for these channels; one value if it has one a row.
  llvm::ArrayRef<int32_t> extra;
  /// What goes to the extra output.
  int32_t sum = 0;
};

using StageFunction = std::function<void(UnitRow &)>;

/// The stage of a program of so many channels, which passed checkUnitProgram.
StageFunction compileStage(const Stage &stage, int64_t channels);

/// Calls `run(at, c, n)` for the runs of adjacent elements that channels `channel` to
/// `channel + cols` of a row (counted through all batches) have: `at` is the byte of
/// the first, channel `c`, from the start of the launch's operand.
void forEachRun(const UnitOperand &operand, int64_t rowsPerBatch, int64_t row, int64_t channel, int64_t cols,
                llvm::function_ref<void(uint64_t, int64_t, int64_t)> run);

/// A unit program ready to run.
class UnitRunner {
public:
  explicit UnitRunner(const UnitProgram &program);
  UnitRunner(const UnitRunner &) = delete;
  UnitRunner &operator=(const UnitRunner &) = delete;

  /// Runs the stages on `values`, channels `channel` on of row `row` of all batches;
  /// without `given` they are loaded from the program's input first.
  void run(int64_t row, int64_t channel, llvm::MutableArrayRef<int32_t> values, bool given, OperandPointers operands);

private:
  UnitProgram program;
  struct Step {
    StageFunction function;
    const UnitOperand *extraInput = nullptr, *extraOutput = nullptr;
  };
  std::vector<Step> steps;
  std::vector<int32_t> extra;
  bool hasInput;
};

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_UNITSTAGES_H
