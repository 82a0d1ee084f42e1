//===- vitq-unit-vectors.cpp - Rows for the units in RTL -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// vitq-unit-vectors SEED LANES PROGRAMS [STAGE...]: random unit programs (of these stages only), random rows for
// them with extremes, and what the simulator, with lib/Numerics, makes of them. A line is a letter and numbers:
//   C NAME CYCLES CHANNELS LANES   a case, cycles of its rows: what follows is for a unit after reset
//   W space slot index lane word data   a word of configuration
//   R program batch record channels sums   a row; whether its sum is wanted
//   I values   E port values   O values   S sum   the row's input, extra inputs, output, sum
// vitq-unit-vectors --shift: lines of sum, shift, relu, and the shift requantizer's result.
//
//===----------------------------------------------------------------------===//

#include "tools/vitq-rtl/RandomStages.h"

#include "vitq/Numerics/Code.h"
#include "vitq/Numerics/Requantize.h"
#include "vitq/Simulator/Simulator.h"
#include "vitq/Simulator/Stages.h"
#include "vitq/Simulator/UnitImage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cstring>

using namespace vitq;
using namespace vitq::simulator;
using numerics::Rounding;
using rtl::Draw;
using rtl::StageMaker;

namespace {

constexpr int64_t kRows = 4, kBatches = 3, kAllRows = kRows * kBatches;

/// Operands of a launch: input, two extra inputs, sums, output.
enum Operands : uint8_t { Input, FirstExtra, Sums = 3, Output, kOperands };

UnitOperand rowsOf(uint8_t operand, int64_t channels, uint8_t bytes = 4) {
  UnitOperand rows;
  rows.operand = operand;
  rows.bytes = bytes;
  rows.rowPitch = static_cast<uint64_t>(channels) * bytes;
  rows.batchPitch = kRows * rows.rowPitch;
  rows.groupSize = static_cast<uint64_t>(channels);
  return rows;
}

/// A unit program and what its rows read.
struct Case {
  UnitProgram unit;
  std::vector<int32_t> input, extras[2];
};

Config allUnits(int64_t lanes) {
  Config config;
  config.units = 63;
  config.unitLanes = lanes;
  return config;
}

Case makeCase(Draw &draw, llvm::StringRef chain, int64_t channels, int64_t lanes) {
  llvm::SmallVector<llvm::StringRef> names;
  chain.split(names, '+');
  const std::vector<uint64_t> bytes(kOperands, static_cast<uint64_t>(kAllRows * channels * 4));
  for (;;) {
    StageMaker maker(draw, channels, kBatches);
    Case made;
    UnitProgram &unit = made.unit;
    numerics::Interval input{INT32_MIN, INT32_MAX};
    for (auto [i, name] : llvm::enumerate(names)) {
      unit.stages.push_back(maker.make(name, i == 0));
      if (i == 0)
        input = maker.input;
      const StageInfo &info = infoOf(unit.stages.back());
      if (info.extraInput != ExtraInput::None) {
        UnitOperand extra = rowsOf(static_cast<uint8_t>(FirstExtra + unit.extraInputs.size()), channels);
        extra.onePerRow = info.extraInput == ExtraInput::PerRow;
        unit.extraInputs.push_back(extra);
      }
      if (info.givesSums && draw.flip()) {
        unit.extraOutputs.push_back(rowsOf(Sums, channels));
        unit.extraOutputs.back().onePerRow = true;
      }
    }
    unit.rowsPerBatch = kRows;
    unit.batches = kBatches;
    unit.channels = channels;
    unit.input = rowsOf(Input, channels, input.max <= 127 ? 1 : input.max <= 32767 ? 2 : 4);
    unit.output = rowsOf(Output, channels);
    if (llvm::Error error = checkUnitProgram(unit, allUnits(lanes), bytes)) {
      llvm::consumeError(std::move(error));
      continue;
    }
    for (int64_t row = 0; row < kAllRows; ++row) {
      // Rows of extremes, of any sizes, and of one value.
      const int64_t kind = draw.pick(0, 5), value = draw.extreme(input.min, input.max);
      for (int64_t c = 0; c < channels; ++c)
        made.input.push_back(static_cast<int32_t>(kind == 0   ? value
                                                  : kind == 1 ? draw.extreme(input.min, input.max)
                                                              : draw.ofAnySize(input.min, input.max)));
    }
    for (std::vector<int32_t> &extra : made.extras)
      for (int64_t i = 0; i < kAllRows * channels; ++i)
        extra.push_back(static_cast<int32_t>(draw.ofAnySize(INT32_MIN, INT32_MAX)));
    return made;
  }
}

/// What the simulator makes of it, in bytes of its operands.
std::vector<std::vector<char>> simulate(const Case &given, int64_t lanes) {
  const UnitProgram &unit = given.unit;
  const size_t values = given.input.size();
  std::vector<std::vector<char>> bytes(kOperands, std::vector<char>(values * 4));
  for (size_t i = 0; i < values; ++i)
    std::memcpy(bytes[Input].data() + i * unit.input.bytes, &given.input[i], unit.input.bytes);
  for (size_t i = 0; i < 2; ++i)
    std::memcpy(bytes[FirstExtra + i].data(), given.extras[i].data(), values * 4);
  Program program;
  program.config = allUnits(lanes);
  const std::string text =
      "units unit 0 row 0 rows " + std::to_string(kAllRows) + " channel 0 cols " + std::to_string(unit.channels);
  program.routines.push_back({"rows", {llvm::cantFail(parseInstruction(text))}});
  Launch launch;
  launch.node = launch.op = "rows";
  for (int32_t i = 0; i < kOperands; ++i)
    launch.operands.push_back({i, 0, values * 4, i >= Sums});
  launch.units = {0};
  program.launches.push_back(launch);
  program.unitPrograms.push_back(unit);
  llvm::cantFail(checkProgram(program));
  std::vector<char *> pointers;
  for (std::vector<char> &operand : bytes)
    pointers.push_back(operand.data());
  Executor executor(program);
  executor.run(0, pointers);
  return bytes;
}

/// `cols` values from one of a row on.
void printValues(llvm::StringRef letter, const int32_t *values, int64_t cols) {
  llvm::outs() << letter;
  for (int64_t c = 0; c < cols; ++c)
    llvm::outs() << ' ' << values[c];
  llvm::outs() << '\n';
}

/// Channels from `channel` on of a row.
void printRow(const Case &given, const std::vector<std::vector<char>> &results, size_t number, int64_t row,
              int64_t channel, int64_t cols, int64_t lanes) {
  const UnitProgram &unit = given.unit;
  const bool sums = !unit.extraOutputs.empty();
  llvm::outs() << llvm::formatv("R {0} {1} {2} {3} {4}\n", number, row / kRows, channel / lanes, cols, int(sums));
  const int64_t at = row * unit.channels + channel;
  printValues("I", given.input.data() + at, cols);
  for (auto [i, extra] : llvm::enumerate(unit.extraInputs))
    printValues("E " + std::to_string(i), given.extras[i].data() + (extra.onePerRow ? row * unit.channels : at),
                extra.onePerRow ? 1 : cols);
  printValues("O", reinterpret_cast<const int32_t *>(results[Output].data()) + at, cols);
  if (sums)
    printValues("S", reinterpret_cast<const int32_t *>(results[Sums].data()) + row * unit.channels, 1);
}

void printCase(Draw &draw, llvm::StringRef chain, int64_t lanes, int64_t programs) {
  const UnitSizes sizes{.lanes = lanes, .slots = 3, .programs = 4, .records = 64, .tables = 16, .channels = 64};
  for (int64_t round = 0; round < programs; ++round) {
    // Two programs at a time, of which rows come mixed.
    const int64_t channels = draw.flip() ? draw.pick(1, 63) : draw.pick(1, 15) * lanes;
    const Case cases[] = {makeCase(draw, chain, std::min<int64_t>(channels, 60), lanes),
                          makeCase(draw, chain, draw.pick(1, 40), lanes)};
    const std::vector<std::vector<char>> results[] = {simulate(cases[0], lanes), simulate(cases[1], lanes)};
    const UnitProgram *units[] = {&cases[0].unit, &cases[1].unit};
    llvm::outs() << llvm::formatv("C {0} {1} {2} {3}\n", chain,
                                  paceOf(units[0]->stages).periodOf(llvm::divideCeil(units[0]->channels, lanes)),
                                  units[0]->channels, lanes);
    for (const UnitWrite &write : writesOf(llvm::cantFail(encodeUnitPrograms(units, sizes)), sizes))
      llvm::outs() << llvm::formatv("W {0} {1} {2} {3} {4} {5}\n", int(write.space), int(write.slot), write.index,
                                    write.lane, int(write.word), write.data);
    for (size_t number = 0; number < 2; ++number) {
      const UnitProgram &unit = *units[number];
      const bool whole = llvm::any_of(unit.stages, needsWholeRow);
      const int64_t part = whole || unit.channels <= lanes ? unit.channels : (unit.channels / lanes + 1) / 2 * lanes;
      for (int64_t row = 0; row < kAllRows; ++row)
        for (int64_t channel = 0; channel < unit.channels; channel += part)
          printRow(cases[number], results[number], number, row, channel, std::min(part, unit.channels - channel),
                   lanes);
    }
  }
}

void printShifts(Draw &draw) {
  for (int i = 0; i < 4000; ++i) {
    const int64_t sum = draw.ofAnySize(INT32_MIN, INT32_MAX), shift = draw.pick(0, 31);
    const bool relu = draw.flip();
    const int64_t rounded =
        numerics::roundShift(relu ? std::max<int64_t>(sum, 0) : sum, static_cast<unsigned>(shift), Rounding::HalfEven);
    llvm::outs() << sum << ' ' << shift << ' ' << int(relu) << ' ' << std::clamp<int64_t>(rounded, -128, 127) << '\n';
  }
}

} // namespace

int main(int argc, char **argv) {
  if (argc == 2 && llvm::StringRef(argv[1]) == "--shift") {
    std::mt19937_64 rng(1);
    Draw draw(rng);
    printShifts(draw);
    return 0;
  }
  uint64_t seed = 0;
  int64_t lanes = 0, programs = 0;
  if (argc < 5 || !llvm::to_integer(argv[1], seed) || !llvm::to_integer(argv[2], lanes) ||
      !llvm::to_integer(argv[3], programs)) {
    llvm::errs() << "vitq-unit-vectors: give SEED LANES PROGRAMS STAGE..., or --shift\n";
    return 1;
  }
  std::mt19937_64 rng(seed);
  Draw draw(rng);
  for (int i = 4; i < argc; ++i)
    printCase(draw, argv[i], lanes, programs);
  return 0;
}
