//===- Stages.h - The stages of unit programs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each kind of stage is a struct, which says in `kInfo` what it needs and in `fields` what it
// has, in the order of the program file: files, assembly, sizes and checks follow these lists.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SIMULATOR_STAGES_H
#define VITQ_SIMULATOR_STAGES_H

#include "vitq/Numerics/PiecewiseLinear.h"
#include "vitq/Numerics/Requantize.h"
#include "vitq/Simulator/Config.h"

#include <optional>
#include <variant>
#include <vector>

namespace vitq::simulator {

/// What a stage reads in DRAM besides its row: nothing, an element for each of the row's, or one
/// element for the row.
enum class ExtraInput : uint8_t { None, PerChannel, PerRow };

struct StageInfo {
  /// In assembly.
  llvm::StringLiteral name;
  Unit unit;
  /// Times that the unit passes over a whole row; 0 for a stage that takes element by element.
  int64_t rowPasses = 0;
  ExtraInput extraInput = ExtraInput::None;
  /// Whether an operand may take the sum of each row.
  bool givesSums = false;
};

/// One for all elements of a row, one for each channel, or one for each batch.
using Multipliers = std::vector<numerics::Dyadic>;

/// What a result is: `zeroPoint` and what comes from the arithmetic, limited to [min, max].
struct OutputRange {
  int64_t zeroPoint = 0, min = 0, max = 0;
  bool operator==(const OutputRange &) const = default;
};

/// In a list of fields: a number that says whether something optional is there.
template <typename T>
struct Presence {
  T &optional;
};
template <typename T>
Presence(T &) -> Presence<T>;

/// In a list of fields: a number that is left out where it is `usual`. Only the last number of a stage is one.
template <typename T>
struct Unusual {
  T &number;
  int64_t usual;
};
template <typename T>
Unusual(T &, int64_t) -> Unusual<T>;

// `fields(stage, visit)` calls `visit(what, field)` for each field of the stage; `what` names a number, or an
// entry of an array. A field is one number (bool, Rounding, int64_t, Presence, Unusual) or three (OutputRange), an
// array of entries (vectors; their bytes are a third argument where they are not four), two of them
// (Multipliers: multipliers, shifts) or three (PiecewiseLinear: breakpoints, slopes, intercepts; none of
// them where it is optional and not there).

/// vitq.requant. Multipliers of channels, or of batches.
struct RequantStage {
  static constexpr StageInfo kInfo{.name = "requant", .unit = UnitDyadic};
  numerics::Rounding rounding = numerics::Rounding::HalfUp;
  int64_t inputZeroPoint = 0;
  OutputRange output;
  bool perBatch = false;
  Multipliers multipliers;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("rounding", stage.rounding);
    visit("input zero point", stage.inputZeroPoint);
    visit("output", stage.output);
    visit("per batch", stage.perBatch);
    visit("multiplier", stage.multipliers);
  }
  bool operator==(const RequantStage &) const = default;
};

/// vitq.add: the row is lhs and the extra input rhs, or with `swapped` the other way round.
/// Multipliers of channels.
struct AddStage {
  static constexpr StageInfo kInfo{.name = "add", .unit = UnitDyadic, .extraInput = ExtraInput::PerChannel};
  numerics::Rounding rounding = numerics::Rounding::HalfUp;
  int64_t lhsZeroPoint = 0, rhsZeroPoint = 0;
  OutputRange output;
  bool swapped = false;
  Multipliers lhsMultipliers, rhsMultipliers;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("rounding", stage.rounding);
    visit("input zero point", stage.lhsZeroPoint);
    visit("input zero point", stage.rhsZeroPoint);
    visit("output", stage.output);
    visit("swapped", stage.swapped);
    visit("multiplier", stage.lhsMultipliers);
    visit("multiplier", stage.rhsMultipliers);
  }
  bool operator==(const AddStage &) const = default;
};

/// vitq.threshold: `levels` thresholds, or [levels x channels].
struct ThresholdStage {
  static constexpr StageInfo kInfo{.name = "threshold", .unit = UnitComparator};
  /// The code of values below all thresholds.
  int64_t min = 0, levels = 0;
  std::vector<int32_t> thresholds;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("lowest level", stage.min);
    visit("levels", stage.levels);
    visit("threshold", stage.thresholds);
  }
  bool operator==(const ThresholdStage &) const = default;
};

/// vitq.table: tables of 2^inputBits entries, one after the other.
struct TableStage {
  static constexpr StageInfo kInfo{.name = "table", .unit = UnitLut};
  static constexpr int64_t kByteBits = 8;
  bool inputSigned = false;
  /// Of the codes that come, 2 to 8.
  int64_t inputBits = kByteBits;
  std::vector<int32_t> entries;
  /// The table of each channel; empty if there is one table.
  std::vector<int32_t> tableOfChannel;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("input signed", stage.inputSigned);
    visit("input bits", Unusual{stage.inputBits, kByteBits});
    visit("entry", stage.entries);
    visit("table", stage.tableOfChannel);
  }
  bool operator==(const TableStage &) const = default;
};

/// vitq.pwl. Multipliers of channels.
struct PwlStage {
  static constexpr StageInfo kInfo{.name = "pwl", .unit = UnitLut};
  numerics::Rounding rounding = numerics::Rounding::HalfUp;
  int64_t inputZeroPoint = 0;
  OutputRange output;
  numerics::PiecewiseLinear lines;
  Multipliers multipliers;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("rounding", stage.rounding);
    visit("input zero point", stage.inputZeroPoint);
    visit("output", stage.output);
    visit("line's number", stage.lines);
    visit("multiplier", stage.multipliers);
  }
  bool operator==(const PwlStage &) const = default;
};

/// vitq.softmax by a table of 256 exponentials: the row becomes the codes. Multipliers of batches.
struct SoftmaxTableStage {
  static constexpr StageInfo kInfo{.name = "softmax_table", .unit = UnitExponent, .rowPasses = 2, .givesSums = true};
  std::vector<uint8_t> exponentials;
  Multipliers multipliers;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("entry", stage.exponentials);
    visit("multiplier", stage.multipliers);
  }
  bool operator==(const SoftmaxTableStage &) const = default;
};

/// vitq.softmax by shifts (numerics::SoftmaxShift). Multipliers of batches.
struct SoftmaxShiftStage {
  static constexpr StageInfo kInfo{.name = "softmax_shift", .unit = UnitExponent, .rowPasses = 2, .givesSums = true};
  int64_t exponentStep = 0, fractionBits = 0, codeShift = 0;
  Multipliers multipliers;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("exponent step", stage.exponentStep);
    visit("fraction bits", stage.fractionBits);
    visit("code shift", stage.codeShift);
    visit("multiplier", stage.multipliers);
  }
  bool operator==(const SoftmaxShiftStage &) const = default;
};

/// vitq.shiftmax.
struct ShiftmaxStage {
  static constexpr StageInfo kInfo{.name = "shiftmax", .unit = UnitExponent, .rowPasses = 3};
  int64_t exponentStep = 0, fractionBits = 0, reciprocalBits = 0, resultBits = 0;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("exponent step", stage.exponentStep);
    visit("fraction bits", stage.fractionBits);
    visit("reciprocal bits", stage.reciprocalBits);
    visit("result bits", stage.resultBits);
  }
  bool operator==(const ShiftmaxStage &) const = default;
};

/// vitq.divide_rows: the extra input are the sums of the rows. Multipliers of channels, or of
/// batches.
struct DivideRowsStage {
  static constexpr StageInfo kInfo{.name = "divide_rows", .unit = UnitExponent, .extraInput = ExtraInput::PerRow};
  numerics::Rounding rounding = numerics::Rounding::HalfUp;
  OutputRange output;
  bool perBatch = false;
  Multipliers multipliers;
  /// The reciprocal as lines.
  std::optional<numerics::PiecewiseLinear> lines;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("rounding", stage.rounding);
    visit("output", stage.output);
    visit("has lines", Presence{stage.lines});
    visit("per batch", stage.perBatch);
    visit("multiplier", stage.multipliers);
    visit("line's number", stage.lines);
  }
  bool operator==(const DivideRowsStage &) const = default;
};

/// vitq.layer_norm, exact or by shifts. One multiplier, offset and post offset a channel.
struct LayerNormStage {
  static constexpr StageInfo kInfo{.name = "layer_norm", .unit = UnitNorm, .rowPasses = 3};
  bool byShifts = false;
  numerics::Rounding rounding = numerics::Rounding::HalfUp;
  int64_t eps = 0;
  OutputRange output;
  Multipliers multipliers;
  std::vector<int64_t> offsets, postOffsets;
  /// The reciprocal root as lines.
  std::optional<numerics::PiecewiseLinear> lines;
  /// 1: rows are divided by the root of their squares' mean and not centered before; not by shifts.
  int64_t keepsMean = 0;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("by shifts", stage.byShifts);
    visit("rounding", stage.rounding);
    visit("epsilon", stage.eps);
    visit("output", stage.output);
    visit("has lines", Presence{stage.lines});
    visit("keeps mean", Unusual{stage.keepsMean, 0});
    visit("multiplier", stage.multipliers);
    visit("offset", stage.offsets);
    visit("post offset", stage.postOffsets);
    visit("line's number", stage.lines);
  }
  bool operator==(const LayerNormStage &) const = default;
};

/// vitq.norm_quant: [levels x channels] squares, and for each channel whether it is negative.
struct NormQuantStage {
  static constexpr StageInfo kInfo{.name = "norm_quant", .unit = UnitNorm, .rowPasses = 3};
  int64_t levels = 0, eps = 0, min = 0;
  std::vector<int32_t> squares;
  std::vector<uint8_t> negative;

  template <typename Self, typename Visit>
  static void fields(Self &stage, Visit &&visit) {
    visit("levels", stage.levels);
    visit("epsilon", stage.eps);
    visit("lowest level", stage.min);
    visit("square", stage.squares);
    visit("sign", stage.negative);
  }
  bool operator==(const NormQuantStage &) const = default;
};

/// One vitq op on a row of 32-bit values. A program file has the alternative's number.
using Stage = std::variant<RequantStage, AddStage, ThresholdStage, TableStage, PwlStage, SoftmaxTableStage,
                           SoftmaxShiftStage, ShiftmaxStage, DivideRowsStage, LayerNormStage, NormQuantStage>;

inline const StageInfo &infoOf(const Stage &stage) {
  return std::visit([](const auto &kind) -> const StageInfo & { return kind.kInfo; }, stage);
}
/// Whether it needs all channels of a row at once.
inline bool needsWholeRow(const Stage &stage) { return infoOf(stage).rowPasses > 0; }

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_STAGES_H
