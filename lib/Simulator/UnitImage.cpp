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
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Endian.h"
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

/// Words of a channel's record.
int64_t normWords(const LayerNormStage &stage) { return stage.byShifts ? 6 : 4; }

/// Records and tables of a slot that earlier programs have taken.
struct Taken {
  int64_t records = 0, tables = 0;
};

constexpr size_t kHeaderWords = 64, kShortHeaderWords = 16, kRecordWords = 16;

/// Writes one stage of a program.
class StageEncoder {
public:
  StageEncoder(const UnitProgram &program, const UnitSizes &sizes, uint16_t number, uint8_t slot, Taken &taken,
               std::vector<UnitRun> &runs)
      : program(program), sizes(sizes), number(number), slot(slot), taken(taken), runs(runs) {}

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
    words.resize(hasLines ? kHeaderWords : kShortHeaderWords);
    runs.push_back({UnitRun::Header, slot, number, words.size(), 1, std::move(words)});
    return llvm::Error::success();
  }

private:
  template <typename... Ts>
  static llvm::Error refuse(const char *format, Ts &&...values) {
    return llvm::createStringError(formatv(format, std::forward<Ts>(values)...).str());
  }

  void header(unsigned word, int64_t value) { words[word] = static_cast<uint32_t>(value); }
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
    hasLines = true;
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
    UnitRun run{UnitRun::Record, slot, static_cast<uint16_t>(taken.records), 0, 0, {}};
    for (int64_t record = 0; record < count; ++record)
      for (int64_t lane = 0; lane < sizes.lanes; ++lane) {
        const int64_t i = each == Each::Channel ? record * sizes.lanes + lane : record;
        if (each == Each::Channel && i >= program.channels)
          break;
        const auto item = wordsOf(static_cast<size_t>(i));
        run.words = item.size();
        ++run.items;
        for (int64_t value : item)
          run.data.push_back(static_cast<uint32_t>(value));
      }
    runs.push_back(std::move(run));
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
    // Two entries a word.
    UnitRun run{UnitRun::Table, slot, static_cast<uint16_t>(taken.tables), size / 2, count, {}};
    for (size_t table = 0; table < count; ++table)
      for (size_t i = 0; i < size; i += 2)
        run.data.push_back(static_cast<uint32_t>((entry(table, i) & 0xffff) | entry(table, i + 1) << 16));
    runs.push_back(std::move(run));
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
      llvm::SmallVector<int64_t, 6> words{dyadic.multiplier, dyadic.shift, offset, offset >> 32, post, post >> 32};
      words.truncate(static_cast<size_t>(normWords(stage)));
      return words;
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
  std::vector<UnitRun> &runs;
  std::vector<uint32_t> words = std::vector<uint32_t>(kHeaderWords);
  bool hasLines = false;
  uint32_t flags = 0;
};

} // namespace

/// Where a program's operands lie, and which of them there are: the input, two extra inputs, sums, the output.
static UnitRun encodeOperands(const UnitProgram &program, uint16_t number) {
  constexpr size_t kWords = 32, kEach = 6, kExtras = 2;
  UnitRun run{UnitRun::Operands, 0, number, kWords, 1, std::vector<uint32_t>(kWords)};
  auto put = [&](size_t place, const UnitOperand &operand) {
    uint32_t *word = &run.data[place * kEach];
    word[0] = static_cast<uint32_t>(operand.offset);
    word[1] = static_cast<uint32_t>(operand.batchPitch);
    word[2] = static_cast<uint32_t>(operand.rowPitch);
    word[3] = static_cast<uint32_t>(operand.groupPitch);
    word[4] = static_cast<uint32_t>(operand.groupSize);
    word[5] = static_cast<uint32_t>(operand.operand | llvm::Log2_32(operand.bytes) << 8 | operand.isUnsigned << 10 |
                                    operand.onePerRow << 11 | 1 << 12);
  };
  put(0, program.input);
  for (auto [i, extra] : llvm::enumerate(llvm::ArrayRef(program.extraInputs).take_front(kExtras)))
    put(1 + i, extra);
  if (!program.extraOutputs.empty())
    put(3, program.extraOutputs.front());
  put(4, program.output);
  run.data[30] = static_cast<uint32_t>(program.rowsPerBatch);
  return run;
}

llvm::Expected<std::vector<UnitRun>> simulator::encodeUnitPrograms(llvm::ArrayRef<const UnitProgram *> programs,
                                                                   const UnitSizes &sizes) {
  if (static_cast<int64_t>(programs.size()) > sizes.programs)
    return llvm::createStringError(
        formatv("{0} unit programs of a launch; the unit holds {1}", programs.size(), sizes.programs).str());
  std::vector<UnitRun> runs;
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
    runs.push_back(encodeOperands(*program, static_cast<uint16_t>(number)));
    int64_t port = 0;
    for (int64_t slot = 0; slot < sizes.slots; ++slot) {
      // Without a stage a slot passes values on.
      if (slot >= static_cast<int64_t>(stages.size())) {
        runs.push_back({UnitRun::Header, static_cast<uint8_t>(slot), static_cast<uint16_t>(number), 1, 1, {0}});
        continue;
      }
      const Stage &stage = stages[static_cast<size_t>(slot)];
      StageEncoder encoder(*program, sizes, static_cast<uint16_t>(number), static_cast<uint8_t>(slot),
                           taken[static_cast<size_t>(slot)], runs);
      if (llvm::Error error = encoder.encode(stage, port))
        return refuse("stage " + llvm::Twine(slot) + " (" + infoOf(stage).name +
                      "): " + llvm::toString(std::move(error)));
      port += infoOf(stage).extraInput != ExtraInput::None;
    }
  }
  return runs;
}

std::vector<UnitWrite> simulator::writesOf(llvm::ArrayRef<UnitRun> runs, const UnitSizes &sizes) {
  std::vector<UnitWrite> writes;
  for (const UnitRun &run : runs)
    for (size_t i = 0; i < run.data.size(); ++i) {
      const size_t item = i / run.words, lanes = static_cast<size_t>(sizes.lanes);
      const bool record = run.space == UnitRun::Record;
      writes.push_back({run.space, run.slot, static_cast<uint16_t>(run.index + (record ? item / lanes : item)),
                        static_cast<uint16_t>(record ? item % lanes : 0), static_cast<uint8_t>(i % run.words),
                        run.data[i]});
    }
  return writes;
}

//===----------------------------------------------------------------------===//
// The image
//===----------------------------------------------------------------------===//

UnitSizes simulator::unitSizesOf(const Config &config) { return {.lanes = config.unitLanes}; }

/// Words that come at a time.
static size_t wordsAtOnce(const Config &config) {
  return static_cast<size_t>(std::max<int64_t>(config.dmaBytes / 4, 1));
}

llvm::Expected<std::vector<uint8_t>> simulator::unitImage(llvm::ArrayRef<const UnitProgram *> programs,
                                                          const Config &config) {
  llvm::Expected<std::vector<UnitRun>> runs = encodeUnitPrograms(programs, unitSizesOf(config));
  if (!runs)
    return runs.takeError();
  const size_t width = wordsAtOnce(config);
  std::vector<uint32_t> words;
  auto align = [&] { words.resize(llvm::alignTo(words.size(), width)); };
  for (const UnitRun &run : *runs) {
    words.push_back(static_cast<uint32_t>(run.space | run.slot << 2 | run.index << 16));
    words.push_back(static_cast<uint32_t>((run.words - 1) | run.items << 16));
    align();
    for (size_t i = 0; i < run.data.size(); ++i) {
      words.push_back(run.data[i]);
      if ((i + 1) % run.words == 0)
        align();
    }
  }
  std::vector<uint8_t> image(words.size() * 4);
  for (size_t i = 0; i < words.size(); ++i)
    llvm::support::endian::write32le(&image[4 * i], words[i]);
  return image;
}

namespace {

/// Counts what unitImage writes, without it.
class ImageCounter {
public:
  ImageCounter(const UnitProgram &program, const Config &config)
      : program(program), config(config), width(static_cast<int64_t>(wordsAtOnce(config))) {}

  int64_t count() {
    const UnitSizes sizes = unitSizesOf(config);
    run(1, 32);
    for (const Stage &stage : program.stages)
      std::visit([&](const auto &kind) { add(kind); }, stage);
    for (auto slot = static_cast<int64_t>(program.stages.size()); slot < sizes.slots; ++slot)
      run(1, 1);
    return groups * width * 4;
  }

private:
  /// A run of so many items, of so many words each.
  void run(int64_t items, int64_t words) {
    groups += llvm::divideCeil(2, width) + items * llvm::divideCeil(words, width);
  }
  void header(bool lines) { run(1, static_cast<int64_t>(lines ? kHeaderWords : kShortHeaderWords)); }
  /// Records for all channels, for each or for each batch.
  void records(size_t count, bool perBatch, int64_t words) {
    run(count == 1 ? config.unitLanes : perBatch ? program.batches * config.unitLanes : program.channels, words);
  }

  void add(const RequantStage &stage) {
    header(false);
    records(stage.multipliers.size(), stage.perBatch, 2);
  }
  void add(const AddStage &stage) {
    header(false);
    records(std::max(stage.lhsMultipliers.size(), stage.rhsMultipliers.size()), false, 4);
  }
  void add(const ThresholdStage &stage) {
    header(false);
    records(stage.thresholds.size() / static_cast<size_t>(stage.levels), false, stage.levels);
  }
  void add(const TableStage &stage) {
    header(false);
    const int64_t entries = int64_t(1) << stage.inputBits;
    run(static_cast<int64_t>(stage.entries.size()) / entries, entries / 2);
    records(std::max<size_t>(stage.tableOfChannel.size(), 1), false, 1);
  }
  void add(const PwlStage &stage) {
    header(true);
    records(stage.multipliers.size(), false, 2);
  }
  void add(const SoftmaxTableStage &stage) {
    header(false);
    run(1, static_cast<int64_t>(stage.exponentials.size()) / 2);
    records(stage.multipliers.size(), true, 2);
  }
  void add(const SoftmaxShiftStage &stage) {
    header(false);
    records(stage.multipliers.size(), true, 2);
  }
  void add(const ShiftmaxStage &) { header(false); }
  void add(const DivideRowsStage &stage) {
    header(stage.lines.has_value());
    records(stage.multipliers.size(), stage.perBatch, 2);
  }
  void add(const LayerNormStage &stage) {
    header(stage.lines && !stage.byShifts);
    run(program.channels, normWords(stage));
  }
  void add(const NormQuantStage &) {
    header(false);
    run(program.channels, kRecordWords);
  }

  const UnitProgram &program;
  const Config &config;
  const int64_t width;
  int64_t groups = 0;
};

} // namespace

int64_t UnitProgram::parameterBytes(const Config &config) const { return ImageCounter(*this, config).count(); }
