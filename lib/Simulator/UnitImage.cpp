//===- UnitImage.cpp - Unit programs as the RTL's row unit holds them -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/UnitImage.h"

#include "vitq/Simulator/Stages.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace vitq;
using namespace vitq::simulator;
using llvm::formatv;

namespace {

/// Words of a header (rtl/units/vitq_units.sv).
enum HeaderWord : uint8_t {
  Kind,
  RoundingMode,
  InputZeroPoint,
  OtherZeroPoint,
  ZeroPoint,
  Least,
  Greatest,
  Flags,
  FirstRecord,
  FirstTable,
  ExtraPort,
  Count,
  EpsilonLow,
  EpsilonHigh,
  Lowest,
  Channels,
  Breakpoints,
  Slopes = 32,
  Intercepts = 48,
  // Of stages by shifts.
  ExponentStep = 1,
  FractionBits,
  CodeShift,
  ReciprocalBits,
  ResultBits
};
enum HeaderFlag : uint32_t {
  FlagOfChannels = 1,
  FlagOfBatches = 2,
  FlagIsRhs = 4,
  FlagLines = 8,
  FlagKeepsMean = 16,
  FlagByShifts = 32,
  FlagSigned = 64,
  FlagSums = 128
};

/// Records and tables of a slot that earlier programs have taken.
struct Taken {
  int64_t records = 0, tables = 0;
};

/// Writes one stage of a program.
class StageEncoder {
public:
  StageEncoder(const UnitProgram &program, const UnitSizes &sizes, uint16_t number, uint8_t slot, Taken &taken,
               std::vector<UnitWrite> &writes)
      : program(program), sizes(sizes), number(number), slot(slot), taken(taken), writes(writes) {}

  llvm::Error encode(const Stage &stage, int64_t extraPort) {
    header(Kind, static_cast<int64_t>(stage.index()) + 1);
    header(ExtraPort, extraPort);
    header(FirstRecord, taken.records);
    header(FirstTable, taken.tables);
    if (needsWholeRow(stage)) {
      if (program.channels > sizes.channels)
        return refuse("rows of {0} channels; the unit stores {1}", program.channels, sizes.channels);
      header(Channels, program.channels);
    }
    if (llvm::Error error = std::visit([&](const auto &kind) { return encodeKind(kind); }, stage))
      return error;
    header(Flags, flags);
    return llvm::Error::success();
  }

private:
  template <typename... Ts>
  static llvm::Error refuse(const char *format, Ts &&...values) {
    return llvm::createStringError(formatv(format, std::forward<Ts>(values)...).str());
  }

  void header(unsigned word, int64_t value) {
    writes.push_back({UnitWrite::Header, slot, number, 0, static_cast<uint8_t>(word), static_cast<uint32_t>(value)});
  }
  void range(const OutputRange &output) {
    header(ZeroPoint, output.zeroPoint);
    header(Least, output.min);
    header(Greatest, output.max);
  }
  void epsilon(int64_t eps) {
    header(EpsilonLow, eps);
    header(EpsilonHigh, eps >> 32);
  }

  llvm::Error lines(const numerics::PiecewiseLinear &lines) {
    if (static_cast<int64_t>(lines.entries()) > sizes.entries)
      return refuse("{0} lines; the unit has {1}", lines.entries(), sizes.entries);
    header(Count, static_cast<int64_t>(lines.breakpoints.size()));
    for (auto [i, breakpoint] : llvm::enumerate(lines.breakpoints))
      header(Breakpoints + static_cast<unsigned>(i), breakpoint);
    for (auto [i, slope] : llvm::enumerate(lines.slopes))
      header(Slopes + static_cast<unsigned>(i), slope);
    for (auto [i, intercept] : llvm::enumerate(lines.intercepts))
      header(Intercepts + static_cast<unsigned>(i), intercept);
    return llvm::Error::success();
  }

  enum class Each { All, Channel, Batch };
  static Each eachOf(size_t count, bool perBatch) {
    return count == 1 ? Each::All : perBatch ? Each::Batch : Each::Channel;
  }
  /// Records whose words are `wordsOf(number of the channel or batch)`.
  template <typename WordsOf>
  llvm::Error records(Each each, WordsOf wordsOf) {
    const int64_t count = each == Each::All     ? 1
                          : each == Each::Batch ? program.batches
                                                : llvm::divideCeil(program.channels, sizes.lanes);
    flags |= each == Each::Channel ? FlagOfChannels : each == Each::Batch ? FlagOfBatches : 0;
    if (taken.records + count > sizes.records)
      return refuse("{0} records for parameters; {1} of the unit's {2} are left", count, sizes.records - taken.records,
                    sizes.records);
    for (int64_t record = 0; record < count; ++record)
      for (int64_t lane = 0; lane < sizes.lanes; ++lane) {
        const int64_t i = each == Each::Channel ? record * sizes.lanes + lane : record;
        if (each == Each::Channel && i >= program.channels)
          break;
        for (auto [word, value] : llvm::enumerate(wordsOf(static_cast<size_t>(i))))
          writes.push_back({UnitWrite::Record, slot, static_cast<uint16_t>(taken.records + record),
                            static_cast<uint16_t>(lane), static_cast<uint8_t>(word), static_cast<uint32_t>(value)});
      }
    taken.records += count;
    return llvm::Error::success();
  }
  static numerics::Dyadic at(const Multipliers &all, size_t i) { return all[i % all.size()]; }
  llvm::Error multipliers(const Multipliers &all, bool perBatch) {
    return records(eachOf(all.size(), perBatch), [&](size_t i) {
      const numerics::Dyadic dyadic = at(all, i);
      return std::array<int64_t, 2>{dyadic.multiplier, dyadic.shift};
    });
  }

  llvm::Error tables(size_t count, size_t size, llvm::function_ref<int64_t(size_t table, size_t i)> entry) {
    if (taken.tables + static_cast<int64_t>(count) > sizes.tables)
      return refuse("{0} tables; {1} of the unit's {2} are left", count, sizes.tables - taken.tables, sizes.tables);
    for (size_t table = 0; table < count; ++table)
      for (size_t i = 0; i < size; ++i)
        writes.push_back({UnitWrite::Table, slot, static_cast<uint16_t>(taken.tables + static_cast<int64_t>(table)), 0,
                          static_cast<uint8_t>(i), static_cast<uint32_t>(entry(table, i))});
    taken.tables += static_cast<int64_t>(count);
    return llvm::Error::success();
  }

  llvm::Error encodeKind(const RequantStage &stage) {
    header(RoundingMode, static_cast<int64_t>(stage.rounding));
    header(InputZeroPoint, stage.inputZeroPoint);
    range(stage.output);
    return multipliers(stage.multipliers, stage.perBatch);
  }

  llvm::Error encodeKind(const AddStage &stage) {
    header(RoundingMode, static_cast<int64_t>(stage.rounding));
    header(InputZeroPoint, stage.lhsZeroPoint);
    header(OtherZeroPoint, stage.rhsZeroPoint);
    range(stage.output);
    flags |= stage.swapped ? FlagIsRhs : 0;
    return records(eachOf(std::max(stage.lhsMultipliers.size(), stage.rhsMultipliers.size()), false), [&](size_t i) {
      const numerics::Dyadic lhs = at(stage.lhsMultipliers, i), rhs = at(stage.rhsMultipliers, i);
      return std::array<int64_t, 4>{lhs.multiplier, lhs.shift, rhs.multiplier, rhs.shift};
    });
  }

  llvm::Error encodeKind(const ThresholdStage &stage) {
    if (stage.levels > sizes.levels)
      return refuse("{0} thresholds; the unit compares with {1}", stage.levels, sizes.levels);
    header(Count, stage.levels);
    header(Lowest, stage.min);
    const auto levels = static_cast<size_t>(stage.levels), channels = stage.thresholds.size() / levels;
    return records(channels == 1 ? Each::All : Each::Channel, [&](size_t c) {
      std::vector<int64_t> words;
      for (size_t k = 0; k < levels; ++k)
        words.push_back(stage.thresholds[k * channels + c]);
      return words;
    });
  }

  llvm::Error encodeKind(const TableStage &stage) {
    header(Count, stage.inputBits);
    flags |= stage.inputSigned ? FlagSigned : 0;
    const size_t size = size_t(1) << stage.inputBits;
    if (llvm::Error error = tables(stage.entries.size() / size, size,
                                   [&](size_t table, size_t i) { return stage.entries[table * size + i]; }))
      return error;
    const std::vector<int32_t> &which = stage.tableOfChannel;
    return records(which.empty() ? Each::All : Each::Channel,
                   [&](size_t c) { return std::array<int64_t, 1>{which.empty() ? 0 : which[c]}; });
  }

  llvm::Error encodeKind(const PwlStage &stage) {
    header(RoundingMode, static_cast<int64_t>(stage.rounding));
    header(InputZeroPoint, stage.inputZeroPoint);
    range(stage.output);
    if (llvm::Error error = lines(stage.lines))
      return error;
    return multipliers(stage.multipliers, false);
  }

  void wantSums() { flags |= program.extraOutputs.empty() ? 0 : FlagSums; }

  llvm::Error encodeKind(const SoftmaxTableStage &stage) {
    wantSums();
    if (llvm::Error error =
            tables(1, stage.exponentials.size(), [&](size_t, size_t i) { return stage.exponentials[i]; }))
      return error;
    return multipliers(stage.multipliers, true);
  }

  llvm::Error encodeKind(const SoftmaxShiftStage &stage) {
    wantSums();
    header(ExponentStep, -stage.exponentStep);
    header(FractionBits, stage.fractionBits);
    header(CodeShift, stage.codeShift);
    return multipliers(stage.multipliers, true);
  }

  llvm::Error encodeKind(const ShiftmaxStage &stage) {
    header(ExponentStep, -stage.exponentStep);
    header(FractionBits, stage.fractionBits);
    header(ReciprocalBits, stage.reciprocalBits);
    header(ResultBits, stage.resultBits);
    return llvm::Error::success();
  }

  llvm::Error encodeKind(const DivideRowsStage &stage) {
    header(RoundingMode, static_cast<int64_t>(stage.rounding));
    header(InputZeroPoint, 0);
    range(stage.output);
    if (stage.lines) {
      flags |= FlagLines;
      if (llvm::Error error = lines(*stage.lines))
        return error;
    }
    return multipliers(stage.multipliers, stage.perBatch);
  }

  llvm::Error encodeKind(const LayerNormStage &stage) {
    header(RoundingMode, static_cast<int64_t>(stage.rounding));
    range(stage.output);
    epsilon(stage.eps);
    flags |= (stage.byShifts ? FlagByShifts : 0) | (stage.keepsMean ? FlagKeepsMean : 0);
    if (stage.lines && !stage.byShifts) {
      flags |= FlagLines;
      if (llvm::Error error = lines(*stage.lines))
        return error;
    }
    return records(Each::Channel, [&](size_t c) {
      const numerics::Dyadic dyadic = stage.multipliers[c];
      const int64_t offset = stage.offsets[c], post = stage.postOffsets.empty() ? 0 : stage.postOffsets[c];
      return std::array<int64_t, 6>{dyadic.multiplier, dyadic.shift, offset, offset >> 32, post, post >> 32};
    });
  }

  llvm::Error encodeKind(const NormQuantStage &stage) {
    if (stage.levels > sizes.levels)
      return refuse("{0} thresholds; the unit compares with {1}", stage.levels, sizes.levels);
    header(Count, stage.levels);
    header(Lowest, stage.min);
    epsilon(stage.eps);
    return records(Each::Channel, [&](size_t c) {
      std::array<int64_t, 16> words{};
      for (size_t k = 0; k < static_cast<size_t>(stage.levels); ++k)
        words[k] = stage.squares[k * static_cast<size_t>(program.channels) + c];
      words[15] = stage.negative[c];
      return words;
    });
  }

  const UnitProgram &program;
  const UnitSizes &sizes;
  const uint16_t number;
  const uint8_t slot;
  Taken &taken;
  std::vector<UnitWrite> &writes;
  uint32_t flags = 0;
};

} // namespace

llvm::Expected<std::vector<UnitWrite>> simulator::encodeUnitPrograms(llvm::ArrayRef<const UnitProgram *> programs,
                                                                     const UnitSizes &sizes) {
  if (static_cast<int64_t>(programs.size()) > sizes.programs)
    return llvm::createStringError(
        formatv("{0} unit programs of a launch; the unit holds {1}", programs.size(), sizes.programs).str());
  std::vector<UnitWrite> writes;
  std::vector<Taken> taken(static_cast<size_t>(sizes.slots));
  for (auto [number, program] : llvm::enumerate(programs)) {
    auto refuse = [&, number = number](const llvm::Twine &why) {
      return llvm::createStringError("unit program " + llvm::Twine(number) + ": " + why);
    };
    const std::vector<Stage> &stages = program->stages;
    if (static_cast<int64_t>(stages.size()) > sizes.slots)
      return refuse(formatv("{0} stages; the unit has {1} slots", stages.size(), sizes.slots).str());
    if (static_cast<int64_t>(program->extraInputs.size()) > sizes.extras)
      return refuse(formatv("{0} extra inputs; the unit has {1}", program->extraInputs.size(), sizes.extras).str());
    if (program->extraOutputs.size() > 1)
      return refuse("more than one stage gives sums");
    int64_t port = 0;
    for (int64_t slot = 0; slot < sizes.slots; ++slot) {
      // Without a stage a slot passes values on.
      if (slot >= static_cast<int64_t>(stages.size())) {
        writes.push_back({UnitWrite::Header, static_cast<uint8_t>(slot), static_cast<uint16_t>(number), 0, Kind, 0});
        continue;
      }
      const Stage &stage = stages[static_cast<size_t>(slot)];
      StageEncoder encoder(*program, sizes, static_cast<uint16_t>(number), static_cast<uint8_t>(slot),
                           taken[static_cast<size_t>(slot)], writes);
      if (llvm::Error error = encoder.encode(stage, port))
        return refuse("stage " + llvm::Twine(slot) + " (" + infoOf(stage).name +
                      "): " + llvm::toString(std::move(error)));
      port += infoOf(stage).extraInput != ExtraInput::None;
    }
  }
  return writes;
}
