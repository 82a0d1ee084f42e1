//===- Units.h - What the units beside the array compute -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SIMULATOR_UNITS_H
#define VITQ_SIMULATOR_UNITS_H

#include "vitq/Simulator/Stages.h"

namespace vitq::simulator {

/// Where an operand of a unit program lies. Element (row r, channel c) of batch b is at
/// offset + b * batchPitch + r * rowPitch + (c / groupSize) * groupPitch + (c % groupSize) * bytes
/// from the start of the launch's operand; of a value that has one element a row (a sum)
/// c counts as 0. Groups let a unit write the heads of a product apart.
struct UnitOperand {
  uint8_t operand = 0;
  /// Of an element: 1, 2 or 4.
  uint8_t bytes = 1;
  bool isUnsigned = false, onePerRow = false;
  uint64_t offset = 0, batchPitch = 0, rowPitch = 0, groupSize = 1, groupPitch = 1;
  bool operator==(const UnitOperand &) const = default;
};

/// Stages one after the other on each row: the first reads the input (accumulators or
/// `input`), the last writes `output`.
struct UnitProgram {
  std::vector<Stage> stages;
  /// Rows of a batch, batches, and channels of a row.
  int64_t rowsPerBatch = 0, batches = 1, channels = 0;
  /// Where the first stage reads, if not in the accumulator.
  UnitOperand input;
  /// One for each stage that wants one, in order.
  std::vector<UnitOperand> extraInputs;
  /// Empty or the sums of the softmax.
  std::vector<UnitOperand> extraOutputs;
  UnitOperand output;
  bool operator==(const UnitProgram &) const = default;

  /// Bytes of its parameters as `config` reads them, once a launch (unitImage).
  int64_t parameterBytes(const Config &config) const;
};

/// Cycles that depend on the beats of a row, its ceil(channels / unit-lanes) parts: `fixed` + `ofBeat` for each.
struct BeatCycles {
  int64_t fixed = 0, ofBeat = 0;
  int64_t at(int64_t beats) const { return fixed + ofBeat * beats; }
  bool operator==(const BeatCycles &) const = default;
};

/// How rows pass the units.
struct UnitPace {
  /// From a row's first value to the next row's: the largest of these.
  std::vector<BeatCycles> periods;
  /// From a row's first value to the cycle after its last result.
  BeatCycles latency;
  /// From when a row's data are there to its first value.
  int64_t ahead = 0;
  bool operator==(const UnitPace &) const = default;
  int64_t periodOf(int64_t beats) const;
};
UnitPace paceOf(llvm::ArrayRef<Stage> stages);

/// What the time of a launch depends on in its unit program: not on values.
struct UnitTiming {
  /// Without signs, and without stages, of which only what follows counts.
  UnitProgram accesses;
  int64_t parameterBytes = 0;
  UnitPace pace;
  bool operator==(const UnitTiming &) const = default;
};
UnitTiming timingOf(const UnitProgram &program, const Config &config);

llvm::StringRef nameOf(Unit unit);

/// Errors: a unit that `config` lacks, arrays whose sizes do not fit, values outside what
/// lib/Numerics takes (shifts 1 to 62, table indices ...), operands outside `operandBytes` (of the launch's operands).
llvm::Error checkUnitProgram(const UnitProgram &program, const Config &config, llvm::ArrayRef<uint64_t> operandBytes);

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_UNITS_H
