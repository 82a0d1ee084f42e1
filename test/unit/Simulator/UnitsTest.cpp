//===- UnitsTest.cpp - What the units beside the array compute -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Code.h"
#include "UnitPrograms.h"

#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Numerics/Table.h"
#include "vitq/Numerics/Thresholds.h"
#include "vitq/Simulator/UnitImage.h"

#include "gtest/gtest.h"

#include <random>

using namespace vitq;
using namespace vitq::simulator;
using numerics::Dyadic;
using numerics::Rounding;

namespace {

using Rng = std::mt19937_64;

int64_t pick(Rng &rng, int64_t lo, int64_t hi) { return std::uniform_int_distribution<int64_t>(lo, hi)(rng); }
template <typename T = int32_t>
std::vector<T> pickAll(Rng &rng, int64_t n, int64_t lo, int64_t hi) {
  std::vector<T> values;
  for (int64_t i = 0; i < n; ++i)
    values.push_back(static_cast<T>(pick(rng, lo, hi)));
  return values;
}

struct Results {
  std::vector<int32_t> rows, sums;
};

/// Runs it on whole rows or, in two halves, on some of the channels at a time.
Results run(const UnitProgram &unit, std::vector<int32_t> input, std::vector<int32_t> extra, bool halves) {
  constexpr size_t all = kAllRows * kChannels;
  input.resize(all);
  extra.resize(all);
  Results results;
  results.rows.resize(all);
  results.sums.resize(all);
  const std::string rows = " rows " + std::to_string(kAllRows);
  const std::string code =
      halves ? "units unit 0 row 0" + rows + " channel 0 cols 20\nunits unit 0 row 0" + rows + " channel 20 cols 17"
             : "units unit 0 row 0" + rows + " channel 0 cols 37";
  Program program = programOf(allUnits(), codeOf(code), {});
  for (int32_t i = 0; i < 4; ++i)
    program.launches[0].operands.push_back({i, 0, all * 4, i >= 2});
  program.unitPrograms.push_back(unit);
  program.launches[0].units = {0};
  EXPECT_EQ(llvm::toString(checkProgram(program)), "");
  char *pointers[] = {reinterpret_cast<char *>(input.data()), reinterpret_cast<char *>(extra.data()),
                      reinterpret_cast<char *>(results.sums.data()), reinterpret_cast<char *>(results.rows.data())};
  Executor executor(program);
  executor.run(0, pointers);
  return results;
}

std::vector<int32_t> randomRows(Rng &rng, int64_t lo, int64_t hi) { return pickAll(rng, kAllRows * kChannels, lo, hi); }

Dyadic dyadicOf(const Multipliers &multipliers, int64_t i) {
  return multipliers[static_cast<size_t>(multipliers.size() == 1 ? 0 : i)];
}
int64_t batchOf(int64_t row) { return row / kRows; }

/// Compares every value with `expected(row, channel)`.
template <typename Function>
void expectRows(const UnitProgram &unit, const std::vector<int32_t> &input, const std::vector<int32_t> &extra,
                Function expected) {
  ASSERT_EQ(llvm::toString(checkUnitProgram(unit, allUnits(), operandBytes())), "");
  const bool whole = needsWholeRow(unit.stages[0]);
  for (int halves = 0; halves <= !whole; ++halves) {
    const Results results = run(unit, input, extra, halves);
    for (int64_t row = 0; row < kAllRows; ++row)
      for (int64_t c = 0; c < kChannels; ++c)
        ASSERT_EQ(results.rows[static_cast<size_t>(row * kChannels + c)], expected(row, c))
            << "row " << row << " channel " << c << (halves ? " in halves" : "");
  }
}

/// With the default shifts results of some size are left of 32-bit values.
Multipliers someMultipliers(Rng &rng, int64_t n, int64_t leastShift = 40, int64_t mostShift = 60,
                            int64_t least = -INT32_MAX, int64_t most = INT32_MAX) {
  Multipliers multipliers;
  for (int64_t i = 0; i < n; ++i)
    multipliers.push_back(
        {static_cast<int32_t>(pick(rng, least, most)), static_cast<int32_t>(pick(rng, leastShift, mostShift))});
  return multipliers;
}

} // namespace

TEST(Units, RequantEqualsNumerics) {
  Rng rng(1);
  for (Rounding rounding : {Rounding::HalfUp, Rounding::HalfEven, Rounding::HalfAway, Rounding::Floor})
    for (bool perBatch : {false, true})
      for (int64_t count : {int64_t(1), perBatch ? kBatches : kChannels}) {
        const Multipliers multipliers = someMultipliers(rng, count);
        UnitProgram unit = programWith(RequantStage{.rounding = rounding,
                                                    .inputZeroPoint = 17,
                                                    .output = {-5, -128, 120},
                                                    .perBatch = perBatch,
                                                    .multipliers = multipliers});
        const std::vector<int32_t> input = randomRows(rng, INT32_MIN + 17, INT32_MAX);
        expectRows(unit, input, {}, [&](int64_t row, int64_t c) {
          return numerics::requantize(int64_t(input[static_cast<size_t>(row * kChannels + c)]) - 17,
                                      dyadicOf(multipliers, perBatch ? batchOf(row) : c), rounding, -5, -128, 120);
        });
      }
}

TEST(Units, AddEqualsNumerics) {
  Rng rng(2);
  for (bool swapped : {false, true})
    for (int64_t count : {int64_t(1), kChannels}) {
      const Multipliers lhsBy = someMultipliers(rng, count), rhsBy = someMultipliers(rng, 1);
      const Rounding rounding = swapped ? Rounding::HalfEven : Rounding::HalfUp;
      UnitProgram unit = programWith(AddStage{.rounding = rounding,
                                              .lhsZeroPoint = 3,
                                              .rhsZeroPoint = -4,
                                              .output = {5, -128, 127},
                                              .swapped = swapped,
                                              .lhsMultipliers = lhsBy,
                                              .rhsMultipliers = rhsBy});
      const std::vector<int32_t> first = randomRows(rng, -INT32_MAX / 2, INT32_MAX / 2),
                                 second = randomRows(rng, -INT32_MAX / 2, INT32_MAX / 2);
      expectRows(unit, first, second, [&](int64_t row, int64_t c) {
        int64_t lhs = first[static_cast<size_t>(row * kChannels + c)];
        int64_t rhs = second[static_cast<size_t>(row * kChannels + c)];
        if (swapped)
          std::swap(lhs, rhs);
        return numerics::requantizeAdd(lhs - 3, dyadicOf(lhsBy, c), rhs + 4, dyadicOf(rhsBy, c), rounding, 5, -128,
                                       127);
      });
    }
}

TEST(Units, ThresholdEqualsNumerics) {
  Rng rng(3);
  for (int64_t channels : {int64_t(1), kChannels}) {
    const std::vector<int32_t> thresholds = pickAll(rng, 7 * channels, -1000, 1000);
    UnitProgram unit = programWith(ThresholdStage{.min = -4, .levels = 7, .thresholds = thresholds});
    const std::vector<int32_t> input = randomRows(rng, -1200, 1200);
    expectRows(unit, input, {}, [&](int64_t row, int64_t c) {
      return numerics::thresholdCode(input[static_cast<size_t>(row * kChannels + c)],
                                     thresholds.data() + (channels == 1 ? 0 : c), 7, channels, -4);
    });
  }
}

TEST(Units, TableEqualsNumerics) {
  Rng rng(4);
  for (unsigned bits = 2; bits <= 8; ++bits)
    for (bool isSigned : {false, true})
      for (int64_t tables : {1, 3}) {
        const numerics::Code code{bits, !isSigned, 0};
        const std::vector<int32_t> entries = pickAll(rng, code.count() * tables, -128, 127);
        const std::vector<int32_t> which =
            tables == 1 ? std::vector<int32_t>() : pickAll(rng, kChannels, 0, tables - 1);
        UnitProgram unit = programWith(
            TableStage{.inputSigned = isSigned, .inputBits = bits, .entries = entries, .tableOfChannel = which});
        const std::vector<int32_t> input =
            randomRows(rng, static_cast<int32_t>(code.min()), static_cast<int32_t>(code.max()));
        expectRows(unit, input, {}, [&](int64_t row, int64_t c) {
          const int64_t table = which.empty() ? 0 : which[static_cast<size_t>(c)];
          return entries[static_cast<size_t>(table * code.count() +
                                             code.index(input[static_cast<size_t>(row * kChannels + c)]))];
        });
      }
}

TEST(Units, PwlEqualsNumerics) {
  Rng rng(5);
  const numerics::PiecewiseLinear lines{{-40, 3, 70}, {12, -5, 300, 7}, {100, -7, 1000, 0}};
  const Multipliers multipliers = someMultipliers(rng, kChannels, 35, 45);
  UnitProgram unit = programWith(PwlStage{.rounding = Rounding::HalfAway,
                                          .inputZeroPoint = 9,
                                          .output = {1, -128, 127},
                                          .lines = lines,
                                          .multipliers = multipliers});
  // Bytes, so that no line leaves 32 bits.
  unit.input.bytes = 1;
  const std::vector<int32_t> words = randomRows(rng, INT32_MIN, INT32_MAX);
  const auto *bytes = reinterpret_cast<const int8_t *>(words.data());
  unit.input.rowPitch = kChannels;
  unit.input.batchPitch = kChannels * kRows;
  expectRows(unit, words, {}, [&](int64_t row, int64_t c) {
    return numerics::requantize(lines.evaluate(int64_t(bytes[row * kChannels + c]) - 9), dyadicOf(multipliers, c),
                                Rounding::HalfAway, 1, -128, 127);
  });
}

TEST(Units, SoftmaxEqualsNumerics) {
  Rng rng(6);
  const numerics::SoftmaxShift shift = numerics::softmaxShiftConstants(0.04);
  const std::array<uint8_t, 256> exact = numerics::softmaxExpTable(0.03);
  for (bool byShift : {false, true}) {
    const Multipliers multipliers = someMultipliers(rng, kBatches, 38, 42, 1 << 29);
    Stage stage = SoftmaxTableStage{.exponentials = {exact.begin(), exact.end()}, .multipliers = multipliers};
    if (byShift)
      stage = SoftmaxShiftStage{
          .exponentStep = shift.x0, .fractionBits = shift.n, .codeShift = shift.t, .multipliers = multipliers};
    UnitProgram unit = programWith(stage);
    const std::vector<int32_t> input = randomRows(rng, -100000, 100000);
    std::vector<int32_t> sums(kAllRows, 0);
    expectRows(unit, input, {}, [&](int64_t row, int64_t c) {
      const int32_t *x = input.data() + row * kChannels;
      const int64_t distance =
          numerics::softmaxDistance(*std::max_element(x, x + kChannels), x[c], dyadicOf(multipliers, batchOf(row)));
      const int32_t code = byShift ? numerics::softmaxShiftCode(distance, shift) : exact[static_cast<size_t>(distance)];
      sums[static_cast<size_t>(row)] += code;
      return code;
    });
    const Results results = run(unit, input, {}, false);
    EXPECT_EQ(std::vector<int32_t>(results.sums.begin(), results.sums.begin() + kAllRows), sums);
  }
}

TEST(Units, ShiftmaxEqualsNumerics) {
  Rng rng(7);
  UnitProgram unit =
      programWith(ShiftmaxStage{.exponentStep = -20, .fractionBits = 15, .reciprocalBits = 31, .resultBits = 16});
  const std::vector<int32_t> input = randomRows(rng, -128, 127);
  std::vector<int32_t> expected(input.size());
  for (int64_t row = 0; row < kAllRows; ++row)
    numerics::shiftmaxRow(input.data() + row * kChannels, expected.data() + row * kChannels, kChannels, -20, 15, 31,
                          16);
  expectRows(unit, input, {},
             [&](int64_t row, int64_t c) { return expected[static_cast<size_t>(row * kChannels + c)]; });
}

TEST(Units, DivideRowsEqualsNumerics) {
  Rng rng(8);
  for (bool perBatch : {false, true})
    for (int64_t count : {int64_t(1), perBatch ? kBatches : kChannels}) {
      const Multipliers multipliers = someMultipliers(rng, count, 45, 52);
      UnitProgram unit = programWith(DivideRowsStage{.rounding = Rounding::HalfEven,
                                                     .output = {2, -128, 127},
                                                     .perBatch = perBatch,
                                                     .multipliers = multipliers,
                                                     .lines = {}});
      const std::vector<int32_t> input = randomRows(rng, -4000000, 4000000), sums = randomRows(rng, 0, 60000);
      expectRows(unit, input, sums, [&](int64_t row, int64_t c) {
        return numerics::requantize(
            numerics::softmaxQuotient(input[static_cast<size_t>(row * kChannels + c)], sums[static_cast<size_t>(row)]),
            dyadicOf(multipliers, perBatch ? batchOf(row) : c), Rounding::HalfEven, 2, -128, 127);
      });
    }
}

TEST(Units, LayerNormEqualsNumerics) {
  Rng rng(9);
  const Multipliers multipliers = someMultipliers(rng, kChannels, 36, 36, -(1 << 29), 1 << 29);
  const std::vector<int64_t> offsets = pickAll<int64_t>(rng, kChannels, -(int64_t(1) << 42), int64_t(1) << 42);
  LayerNormStage stage;
  stage.eps = 1000;
  stage.output = {3, -128, 127};
  stage.multipliers = multipliers;
  stage.offsets = offsets;
  UnitProgram unit = programWith(stage);
  unit.input.bytes = 2;
  const std::vector<int32_t> words = randomRows(rng, INT32_MIN, INT32_MAX);
  const auto *halves = reinterpret_cast<const int16_t *>(words.data());
  unit.input.rowPitch = kChannels * 2;
  unit.input.batchPitch = kChannels * kRows * 2;
  std::vector<int32_t> expected(words.size()), a;
  for (Dyadic dyadic : multipliers)
    a.push_back(dyadic.multiplier);
  for (int64_t row = 0; row < kAllRows; ++row) {
    std::vector<int32_t> x(halves + row * kChannels, halves + (row + 1) * kChannels);
    // Its multipliers have one shift for all, as here.
    numerics::layerNormRow(x.data(), expected.data() + row * kChannels, kChannels, 1000, a.data(), offsets.data(), 36,
                           3, -128, 127);
  }
  expectRows(unit, words, {},
             [&](int64_t row, int64_t c) { return expected[static_cast<size_t>(row * kChannels + c)]; });
}

TEST(Units, LayerNormThatKeepsTheMeanEqualsNumerics) {
  Rng rng(12);
  LayerNormStage stage;
  stage.eps = 1000;
  stage.output = {3, -128, 127};
  stage.multipliers = someMultipliers(rng, kChannels, 36, 36, -(1 << 29), 1 << 29);
  stage.offsets = pickAll<int64_t>(rng, kChannels, -(int64_t(1) << 42), int64_t(1) << 42);
  stage.keepsMean = 1;
  UnitProgram unit = programWith(stage);
  unit.input.bytes = 1;
  const std::vector<int32_t> words = randomRows(rng, INT32_MIN, INT32_MAX);
  const auto *bytes = reinterpret_cast<const int8_t *>(words.data());
  unit.input.rowPitch = kChannels;
  unit.input.batchPitch = kChannels * kRows;
  std::vector<int32_t> expected(words.size());
  for (int64_t row = 0; row < kAllRows; ++row) {
    std::vector<int32_t> x(bytes + row * kChannels, bytes + (row + 1) * kChannels);
    numerics::layerNormNormalize(x.data(), x.data(), kChannels, 1000, /*centered=*/false);
    numerics::layerNormScale(x.data(), expected.data() + row * kChannels, kChannels, stage.multipliers.data(),
                             stage.offsets.data(), 3, -128, 127);
  }
  expectRows(unit, words, {},
             [&](int64_t row, int64_t c) { return expected[static_cast<size_t>(row * kChannels + c)]; });
}

TEST(Units, LayerNormByShiftsEqualsNumerics) {
  Rng rng(10);
  LayerNormStage stage;
  stage.byShifts = true;
  stage.rounding = Rounding::HalfAway;
  stage.output = {3, -128, 127};
  stage.multipliers = someMultipliers(rng, kChannels, 50, 56);
  stage.offsets = pickAll<int64_t>(rng, kChannels, -(1 << 28), 1 << 28);
  stage.postOffsets = pickAll<int64_t>(rng, kChannels, -9, 9);
  UnitProgram unit = programWith(stage);
  unit.input.bytes = 1;
  const std::vector<int32_t> words = randomRows(rng, INT32_MIN, INT32_MAX);
  const auto *bytes = reinterpret_cast<const int8_t *>(words.data());
  unit.input.rowPitch = kChannels;
  unit.input.batchPitch = kChannels * kRows;
  std::vector<int32_t> expected(words.size());
  for (int64_t row = 0; row < kAllRows; ++row) {
    std::vector<int32_t> x(bytes + row * kChannels, bytes + (row + 1) * kChannels);
    numerics::layerNormIvitRow(x.data(), expected.data() + row * kChannels, kChannels, numerics::SqrtStart::BitLength,
                               10, stage.offsets.data(), stage.multipliers.data(), stage.postOffsets.data(),
                               Rounding::HalfAway, 3, -128, 127);
  }
  expectRows(unit, words, {},
             [&](int64_t row, int64_t c) { return expected[static_cast<size_t>(row * kChannels + c)]; });
}

TEST(Units, NormQuantEqualsNumerics) {
  Rng rng(11);
  const std::vector<int32_t> squares = pickAll(rng, 3 * kChannels, -3000000, 3000000);
  const auto negative = pickAll<uint8_t>(rng, kChannels, 0, 1);
  UnitProgram unit =
      programWith(NormQuantStage{.levels = 3, .eps = 500, .min = -2, .squares = squares, .negative = negative});
  unit.input.bytes = 1;
  unit.input.isUnsigned = true;
  const std::vector<int32_t> words = randomRows(rng, INT32_MIN, INT32_MAX);
  const auto *bytes = reinterpret_cast<const uint8_t *>(words.data());
  unit.input.rowPitch = kChannels;
  unit.input.batchPitch = kChannels * kRows;
  std::vector<int32_t> expected(words.size());
  for (int64_t row = 0; row < kAllRows; ++row) {
    std::vector<int32_t> x(bytes + row * kChannels, bytes + (row + 1) * kChannels);
    numerics::normQuantRow(x.data(), expected.data() + row * kChannels, kChannels, 500, squares.data(), negative.data(),
                           3, -2);
  }
  expectRows(unit, words, {},
             [&](int64_t row, int64_t c) { return expected[static_cast<size_t>(row * kChannels + c)]; });
}

TEST(Units, StagesFollowEachOtherOnAccumulatorsAndWriteHeadsApart) {
  // Two rows of 20 sums in two tiles: requantized, then through a table; written as
  // groups of 5 bytes, 16 bytes apart.
  UnitProgram unit;
  std::vector<int32_t> squares;
  for (int32_t i = -128; i < 128; ++i)
    squares.push_back(std::min(i * i / 64, 255));
  RequantStage requant;
  requant.output = {0, -128, 127};
  requant.multipliers = {{1 << 30, 34}};
  unit.stages = {requant, TableStage{.inputSigned = true, .entries = squares, .tableOfChannel = {}}};
  unit.rowsPerBatch = 2;
  unit.channels = 20;
  unit.output.operand = 1;
  unit.output.offset = 3;
  unit.output.rowPitch = 5;
  unit.output.groupSize = 5;
  unit.output.groupPitch = 16;
  Program program = programOf(allUnits(), codeOf(R"(
    mvin_acc local 0x0 rows 2 cols 16 from 0 + 0 pitch 80
    mvin_acc local 0x8 rows 2 cols 4 from 0 + 64 pitch 80
    units unit 0 row 0 rows 2 channel 0 cols 20 local 0x0 tile_stride 8 from_accumulator)"),
                              {{0, 0, 160, false}, {1, 0, 64, true}});
  program.unitPrograms = {unit};
  program.launches[0].units = {0};
  ASSERT_EQ(llvm::toString(checkProgram(program)), "");
  std::vector<int32_t> sums;
  for (int i = 0; i < 40; ++i)
    sums.push_back(i * 97 - 1900);
  std::vector<char> bytes(64, 99);
  char *pointers[] = {reinterpret_cast<char *>(sums.data()), bytes.data()};
  Executor executor(program);
  executor.run(0, pointers);
  std::vector<char> expected(64, 99);
  for (int row = 0; row < 2; ++row)
    for (int c = 0; c < 20; ++c) {
      const int64_t code =
          numerics::requantize(sums[static_cast<size_t>(row * 20 + c)], {1 << 30, 34}, Rounding::HalfUp, 0, -128, 127);
      expected[static_cast<size_t>(3 + row * 5 + c / 5 * 16 + c % 5)] =
          static_cast<char>(squares[static_cast<size_t>(code + 128)]);
    }
  EXPECT_EQ(bytes, expected);
}

TEST(Units, ParametersAreCountedAsTheyAreRead) {
  // Of every kind of stage, for every way in which words come.
  const numerics::PiecewiseLinear lines{{5}, {1, 2}, {3, 4}};
  const Multipliers one = {{1, 1}}, each(kChannels, {1, 1});
  RequantStage requant, requantEach;
  requant.multipliers = one;
  requantEach.multipliers = each;
  AddStage add;
  add.lhsMultipliers = one;
  add.rhsMultipliers = each;
  ThresholdStage threshold;
  threshold.levels = 3;
  threshold.thresholds.resize(3);
  TableStage table, narrow;
  table.entries.resize(2 * 256);
  table.tableOfChannel.resize(kChannels);
  narrow.inputBits = 4;
  narrow.entries.resize(16);
  PwlStage pwl;
  pwl.lines = lines;
  pwl.multipliers = one;
  SoftmaxTableStage softmax;
  softmax.exponentials.resize(256);
  softmax.multipliers = one;
  SoftmaxShiftStage shifts;
  shifts.multipliers = Multipliers(kBatches, {1, 1});
  DivideRowsStage divide;
  divide.perBatch = true;
  divide.lines = lines;
  divide.multipliers = one;
  LayerNormStage norm;
  norm.multipliers = each;
  norm.offsets.resize(kChannels);
  LayerNormStage normByShifts = norm, normByLines = norm;
  normByShifts.byShifts = true;
  normByLines.lines = lines;
  NormQuantStage levels;
  levels.levels = 2;
  levels.squares.resize(2 * kChannels);
  levels.negative.resize(kChannels);
  const std::vector<Stage> stages = {requant, requantEach, add,          threshold,   table,
                                     narrow,  pwl,         softmax,      shifts,      ShiftmaxStage(),
                                     divide,  norm,        normByShifts, normByLines, levels};
  for (const Stage &stage : stages)
    for (int64_t bytes : {1, 4, 8, 16, 64}) {
      Config config;
      config.dmaBytes = bytes;
      const UnitProgram unit = programWith(stage), *pointer = &unit;
      llvm::Expected<std::vector<uint8_t>> image = unitImage(pointer, config);
      ASSERT_TRUE(static_cast<bool>(image));
      EXPECT_EQ(unit.parameterBytes(config), static_cast<int64_t>(image->size())) << infoOf(stage).name.str() << bytes;
    }
}
