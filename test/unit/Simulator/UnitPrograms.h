//===- UnitPrograms.h - Unit programs of one stage, for tests -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_UNITTEST_SIMULATOR_UNITPROGRAMS_H
#define VITQ_UNITTEST_SIMULATOR_UNITPROGRAMS_H

#include "vitq/Simulator/Units.h"

namespace vitq::simulator {

inline constexpr int64_t kRows = 5, kBatches = 3, kChannels = 37, kAllRows = kRows * kBatches;

/// A program of one stage on rows of 32-bit input, extra input 1, extra output 2.
inline UnitProgram programWith(Stage stage) {
  UnitProgram unit;
  const StageInfo &info = infoOf(stage);
  unit.stages.push_back(std::move(stage));
  unit.rowsPerBatch = kRows;
  unit.batches = kBatches;
  unit.channels = kChannels;
  auto rows = [](uint8_t operand) {
    UnitOperand rows;
    rows.operand = operand;
    rows.bytes = 4;
    rows.rowPitch = kChannels * 4;
    rows.batchPitch = kRows * rows.rowPitch;
    rows.groupSize = kChannels;
    return rows;
  };
  UnitOperand perRow;
  perRow.bytes = 4;
  perRow.onePerRow = true;
  perRow.rowPitch = 4;
  perRow.batchPitch = kRows * 4;
  unit.input = rows(0);
  if (info.extraInput == ExtraInput::PerChannel)
    unit.extraInputs.push_back(rows(1));
  perRow.operand = 1;
  if (info.extraInput == ExtraInput::PerRow)
    unit.extraInputs.push_back(perRow);
  perRow.operand = 2;
  if (info.givesSums)
    unit.extraOutputs.push_back(perRow);
  unit.output = rows(3);
  return unit;
}

inline Config allUnits() {
  Config config;
  config.units = 63;
  return config;
}

inline std::vector<uint64_t> operandBytes() {
  const uint64_t rows = kAllRows * kChannels * 4;
  return {rows, rows, rows, rows};
}

} // namespace vitq::simulator

#endif // VITQ_UNITTEST_SIMULATOR_UNITPROGRAMS_H
