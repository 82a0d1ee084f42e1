//===- Units.h - What the units beside the array compute -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SIMULATOR_UNITS_H
#define VITQ_SIMULATOR_UNITS_H

#include "vitq/Simulator/Config.h"

#include <memory>
#include <vector>

namespace vitq::simulator {

/// A stage of a unit program: one vitq op on a row of 32-bit values. `numbers` and
/// `arrays` hold what each kind lists, in that order. An array that is `per channel`
/// has one entry, or one for each of the program's channels; for `per batch` each
/// batch's rows have one (batch = row / rowsPerBatch of the program).
enum class StageKind : uint8_t {
  /// vitq.requant. numbers: rounding, input zero point, zero point, min, max.
  /// arrays: multipliers, shifts (per channel, or per batch with number perBatch = 1,
  /// the sixth). Unit: dyadic.
  Requant,
  /// vitq.add: the row is lhs, extra input the rhs, or the other way round with number
  /// `swapped`. numbers: rounding, lhs zero point, rhs zero point, zero point, min, max,
  /// swapped. arrays: lhs multipliers, lhs shifts, rhs multipliers, rhs shifts (per
  /// channel). Unit: dyadic.
  Add,
  /// vitq.threshold. numbers: min, levels. arrays: thresholds, [levels] or [levels x
  /// channels]. Unit: comparator.
  Threshold,
  /// vitq.table. numbers: input is signed. arrays: entries (256 a table), the table
  /// of each channel (or empty). Unit: lookup.
  Table,
  /// vitq.pwl. numbers: rounding, input zero point, zero point, min, max. arrays:
  /// breakpoints, slopes, intercepts, multipliers, shifts (per channel). Unit: lookup.
  Pwl,
  /// vitq.softmax by a table of 256 exponentials; a whole row. The row becomes the
  /// codes, the sum goes to the extra output. arrays: table, multipliers, shifts (per
  /// batch). Unit: exponent.
  SoftmaxTable,
  /// vitq.softmax by shifts. numbers: exponent step, fraction bits, code shift. arrays:
  /// multipliers, shifts (per batch). Unit: exponent.
  SoftmaxShift,
  /// vitq.shiftmax; a whole row. numbers: exponent step, fraction bits, reciprocal bits,
  /// result bits. Unit: exponent.
  Shiftmax,
  /// vitq.divide_rows; the extra input are the sums, one for each row. numbers:
  /// rounding, zero point, min, max, has lines, perBatch. arrays: multipliers, shifts (per
  /// channel, or per batch), then the lines' breakpoints, slopes, intercepts. Unit:
  /// exponent.
  DivideRows,
  /// vitq.layer_norm; a whole row. numbers: shift algorithm, rounding, eps, zero point,
  /// min, max, has lines. arrays: multipliers, shifts, offsets, post offsets (per
  /// channel), then the lines as above. Unit: norm.
  LayerNorm,
  /// vitq.norm_quant; a whole row. numbers: levels, eps, min. arrays: squares, negative
  /// (per channel). Unit: norm.
  NormQuant,
};
inline constexpr unsigned kNumStageKinds = 11;

struct Stage {
  StageKind kind = StageKind::Requant;
  std::vector<int64_t> numbers;
  std::vector<std::vector<int64_t>> arrays;
  bool operator==(const Stage &) const = default;
};

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

  /// Bytes of its parameters, as a unit holds them: 4 a multiplier, 1 a shift, 1 a table
  /// entry, 4 anything else in arrays. They are read once a launch.
  int64_t parameterBytes() const;
};

/// The unit that a stage needs.
Unit unitOf(StageKind kind);
llvm::StringRef nameOf(Unit unit);
llvm::StringRef nameOf(StageKind kind);
/// Whether a stage needs all channels of a row at once.
bool needsWholeRow(StageKind kind);

/// Errors: a unit that `config` lacks, counts of numbers and arrays that do not fit the
/// kind, values outside what lib/Numerics takes (shifts 1 to 62, table indices ...),
/// operands outside `operandBytes` (of the launch's operands).
llvm::Error checkUnitProgram(const UnitProgram &program, const Config &config, llvm::ArrayRef<uint64_t> operandBytes);

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_UNITS_H
