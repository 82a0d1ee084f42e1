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
//   C NAME PASSES CHANNELS LANES   a case: what follows is for a unit after reset
//   W space slot index lane word data   a word of configuration
//   R program batch record channels sums   a row; whether its sum is wanted
//   I values   E port values   O values   S sum   the row's input, extra inputs, output, sum
// vitq-unit-vectors --shift: lines of sum, shift, relu, and the shift requantizer's result.
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Code.h"
#include "vitq/Numerics/Requantize.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Simulator/Simulator.h"
#include "vitq/Simulator/Stages.h"
#include "vitq/Simulator/UnitImage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <cstring>
#include <random>

using namespace vitq;
using namespace vitq::simulator;
using numerics::Dyadic;
using numerics::PiecewiseLinear;
using numerics::Rounding;

namespace {

constexpr int64_t kRows = 4, kBatches = 3, kAllRows = kRows * kBatches;

/// Draws numbers, extremes of a range more often than others.
class Draw {
public:
  explicit Draw(uint64_t seed) : rng(seed) {}
  int64_t pick(int64_t lo, int64_t hi) { return std::uniform_int_distribution<int64_t>(lo, hi)(rng); }
  bool flip() { return pick(0, 1) != 0; }
  int64_t extreme(int64_t lo, int64_t hi) {
    switch (pick(0, 9)) {
    case 0:
      return lo;
    case 1:
      return hi;
    case 2:
      return std::clamp<int64_t>(pick(-2, 2), lo, hi);
    default:
      return pick(lo, hi);
    }
  }
  /// Of a random length.
  int64_t ofAnySize(int64_t lo, int64_t hi) {
    const int64_t value = extreme(lo, hi);
    return std::clamp(value >> pick(0, 40), lo, hi);
  }
  template <typename T>
  std::vector<T> all(int64_t n, int64_t lo, int64_t hi) {
    std::vector<T> values;
    for (int64_t i = 0; i < n; ++i)
      values.push_back(static_cast<T>(extreme(lo, hi)));
    return values;
  }

private:
  std::mt19937_64 rng;
};

/// Makes a stage and says what its input may be.
class StageMaker {
public:
  StageMaker(Draw &draw, int64_t channels) : draw(draw), channels(channels) {}

  /// What a stage that comes first may read.
  numerics::Interval input{INT32_MIN, INT32_MAX};

  Stage make(llvm::StringRef name, bool first) {
    if (name == "requant")
      return RequantStage{rounding(), first ? draw.extreme(-200, 200) : draw.pick(-9, 9), output(), false, each()};
    if (name == "add")
      return AddStage{rounding(), draw.pick(-200, 200), draw.pick(-200, 200), output(), draw.flip(), each(), each()};
    if (name == "threshold")
      return threshold();
    if (name == "table")
      return table();
    if (name == "pwl")
      return pwl(first);
    if (name == "softmax_table")
      return SoftmaxTableStage{draw.all<uint8_t>(256, 0, 255), batches()};
    if (name == "softmax_shift")
      return softmaxShift();
    if (name == "shiftmax")
      return ShiftmaxStage{-draw.pick(1, int64_t(1) << draw.pick(1, 30)), draw.pick(1, 30), draw.flip() ? 31 : 62,
                           draw.pick(2, 16)};
    if (name == "divide_rows")
      return divideRows();
    if (name == "norm_quant")
      return normQuant();
    return layerNorm(name);
  }

private:
  Rounding rounding() { return static_cast<Rounding>(draw.pick(0, 3)); }
  OutputRange output() {
    if (draw.pick(0, 3) == 0)
      return {draw.extreme(INT32_MIN, INT32_MAX), INT32_MIN, INT32_MAX};
    const int64_t bits = draw.pick(2, 8);
    return {draw.pick(-5, 5), -(int64_t(1) << (bits - 1)), (int64_t(1) << (bits - 1)) - 1};
  }
  Dyadic dyadic(bool positive = false) {
    return {static_cast<int32_t>(draw.extreme(positive ? 0 : -INT32_MAX, INT32_MAX)),
            static_cast<int32_t>(draw.flip() ? draw.extreme(1, 62) : draw.pick(40, 60))};
  }
  Multipliers some(int64_t n, bool positive = false) {
    Multipliers all;
    for (int64_t i = 0; i < n; ++i)
      all.push_back(dyadic(positive));
    return all;
  }
  Multipliers each() { return some(draw.flip() ? 1 : channels); }
  Multipliers batches() { return some(draw.flip() ? 1 : kBatches, /*positive=*/true); }

  Stage threshold() {
    ThresholdStage stage;
    stage.levels = draw.pick(1, 15);
    stage.min = draw.pick(-8, 0);
    stage.thresholds = draw.all<int32_t>(stage.levels * (draw.flip() ? 1 : channels), INT32_MIN, INT32_MAX);
    return stage;
  }
  Stage table() {
    TableStage stage;
    stage.inputSigned = draw.flip();
    stage.inputBits = draw.pick(2, 8);
    const int64_t tables = draw.flip() ? 1 : draw.pick(2, 4);
    stage.entries = draw.all<int32_t>(tables << stage.inputBits, -128, 255);
    if (tables > 1)
      stage.tableOfChannel = draw.all<int32_t>(channels, 0, tables - 1);
    return stage;
  }
  PiecewiseLinear lines(int64_t entries, int64_t lo, int64_t hi, int64_t slope) {
    PiecewiseLinear lines;
    lines.breakpoints = draw.all<int32_t>(entries - 1, lo, hi);
    llvm::sort(lines.breakpoints);
    lines.slopes = draw.all<int32_t>(entries, -slope, slope);
    lines.intercepts = draw.all<int32_t>(entries, -(1 << 24), 1 << 24);
    return lines;
  }
  Stage pwl(bool first) {
    // Lines of codes of 8 or 16 bits.
    const int64_t bits = draw.flip() ? 8 : 16, top = int64_t(1) << (bits - 1);
    if (first)
      input = {-top, top - 1};
    return PwlStage{rounding(), draw.pick(-9, 9), output(), lines(draw.pick(1, 16), -top, top, 1 << (29 - bits)),
                    each()};
  }
  Stage softmaxShift() {
    const numerics::SoftmaxShift s = numerics::softmaxShiftConstants(1.0 / static_cast<double>(draw.pick(1, 60000)));
    if (draw.flip())
      return SoftmaxShiftStage{s.x0, s.n, s.t, batches()};
    return SoftmaxShiftStage{-draw.extreme(1, 1 << 16), draw.pick(1, 30), draw.extreme(1, 46), batches()};
  }
  /// Near kappa/x or kappa/sqrt(x) at all codes, which is all that is asked of them.
  PiecewiseLinear nearCurve(bool root) {
    PiecewiseLinear lines;
    const double first = root ? 256 : 512, last = 4096;
    auto curve = [&](double x) { return root ? 0x1p27 / std::sqrt(x + 1) : 0x1p32 / (x + 1); };
    const int entries = 16;
    for (int i = 0; i < entries; ++i) {
      const double a = first * std::pow(last / first, double(i) / entries);
      const double b = first * std::pow(last / first, double(i + 1) / entries);
      // A tangent lies below the curve.
      const double middle = std::sqrt(a * b), step = 1e-3;
      const double slope = std::ceil((curve(middle + step) - curve(middle - step)) / (2 * step));
      double least = 1e300;
      for (int x = static_cast<int>(std::floor(a)); x <= static_cast<int>(std::ceil(b)); ++x)
        least = std::min(least, curve(x) - slope * x);
      lines.slopes.push_back(static_cast<int32_t>(slope));
      lines.intercepts.push_back(static_cast<int32_t>(std::floor(least) - 2));
      if (i > 0)
        lines.breakpoints.push_back(static_cast<int32_t>(std::ceil(a)));
    }
    return lines;
  }
  Stage divideRows() {
    DivideRowsStage stage;
    stage.rounding = rounding();
    stage.output = output();
    stage.perBatch = draw.flip();
    stage.multipliers = some(draw.flip() ? 1 : stage.perBatch ? kBatches : channels);
    if (draw.flip())
      stage.lines = nearCurve(/*root=*/false);
    return stage;
  }
  Stage layerNorm(llvm::StringRef name) {
    LayerNormStage stage;
    stage.byShifts = name == "layer_norm_shift";
    stage.output = output();
    const int64_t bits = draw.flip() ? 8 : 16, top = int64_t(1) << (bits - 1);
    input = {-top, top - 1};
    if (stage.byShifts) {
      stage.rounding = rounding();
      stage.multipliers = some(channels);
      stage.offsets = draw.all<int64_t>(channels, -(int64_t(1) << 31), int64_t(1) << 31);
      stage.postOffsets = draw.all<int64_t>(channels, -(int64_t(1) << 31), int64_t(1) << 31);
      return stage;
    }
    stage.keepsMean = draw.flip();
    stage.eps = draw.flip() ? 1 : draw.pick(1, 100000);
    for (int64_t c = 0; c < channels; ++c)
      stage.multipliers.push_back(
          {static_cast<int32_t>(draw.extreme(-(1 << 30), 1 << 30)), static_cast<int32_t>(draw.pick(20, 45))});
    stage.offsets = draw.all<int64_t>(channels, -(int64_t(1) << 50), int64_t(1) << 50);
    if (name == "layer_norm_lines")
      stage.lines = nearCurve(/*root=*/true);
    return stage;
  }
  Stage normQuant() {
    NormQuantStage stage;
    const bool wide = draw.flip();
    input = wide ? numerics::Interval{-32768, 32767} : numerics::Interval{-128, 127};
    stage.levels = draw.pick(1, 15);
    stage.eps = draw.pick(1, 500);
    stage.min = draw.pick(-8, 0);
    stage.squares = draw.all<int32_t>(stage.levels * channels, draw.flip() ? -INT32_MAX : -4000000,
                                      draw.flip() ? INT32_MAX : 4000000);
    stage.negative = draw.all<uint8_t>(channels, 0, 1);
    return stage;
  }

  Draw &draw;
  int64_t channels;
};

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
    StageMaker maker(draw, channels);
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
    llvm::outs() << llvm::formatv("C {0} {1} {2} {3}\n", chain, timingOf(*units[0]).passes, units[0]->channels, lanes);
    for (const UnitWrite &write : llvm::cantFail(encodeUnitPrograms(units, sizes)))
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
    Draw draw(1);
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
  Draw draw(seed);
  for (int i = 4; i < argc; ++i)
    printCase(draw, argv[i], lanes, programs);
  return 0;
}
