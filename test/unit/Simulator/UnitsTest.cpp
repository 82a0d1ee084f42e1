//===- UnitsTest.cpp - What the units beside the array compute -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Code.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Numerics/Table.h"
#include "vitq/Numerics/Thresholds.h"

#include "gtest/gtest.h"

#include <random>

using namespace vitq;
using namespace vitq::simulator;
using numerics::Dyadic;
using numerics::Rounding;

namespace {

using Rng = std::mt19937_64;
using Numbers = std::vector<int64_t>;

int64_t pick(Rng &rng, int64_t lo, int64_t hi) { return std::uniform_int_distribution<int64_t>(lo, hi)(rng); }
Numbers pickAll(Rng &rng, int64_t n, int64_t lo, int64_t hi) {
  Numbers values;
  for (int64_t i = 0; i < n; ++i)
    values.push_back(pick(rng, lo, hi));
  return values;
}

constexpr int64_t kRows = 5, kBatches = 3, kChannels = 37, kAllRows = kRows * kBatches;

/// A program of one stage on rows of 32-bit input, extra input 1, extra output 2.
UnitProgram programWith(StageKind kind, Numbers numbers, std::vector<Numbers> arrays) {
  UnitProgram unit;
  unit.stages.push_back({kind, std::move(numbers), std::move(arrays)});
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
  if (kind == StageKind::Add)
    unit.extraInputs.push_back(rows(1));
  perRow.operand = 1;
  if (kind == StageKind::DivideRows)
    unit.extraInputs.push_back(perRow);
  perRow.operand = 2;
  if (kind == StageKind::SoftmaxTable || kind == StageKind::SoftmaxShift)
    unit.extraOutputs.push_back(perRow);
  unit.output = rows(3);
  return unit;
}

Config allUnits() {
  Config config;
  config.units = 63;
  return config;
}

std::vector<uint64_t> operandBytes() {
  const uint64_t rows = kAllRows * kChannels * 4;
  return {rows, rows, rows, rows};
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

std::vector<int32_t> randomRows(Rng &rng, int64_t lo, int64_t hi) {
  const Numbers values = pickAll(rng, kAllRows * kChannels, lo, hi);
  return std::vector<int32_t>(values.begin(), values.end());
}

std::vector<int32_t> narrowed(const Numbers &values) { return std::vector<int32_t>(values.begin(), values.end()); }
Dyadic dyadicOf(const Numbers &multipliers, const Numbers &shifts, int64_t i) {
  const auto at = static_cast<size_t>(multipliers.size() == 1 ? 0 : i);
  return {static_cast<int32_t>(multipliers[at]), static_cast<int32_t>(shifts[at])};
}
int64_t batchOf(int64_t row) { return row / kRows; }

/// Compares every value with `expected(row, channel)`.
template <typename Function>
void expectRows(const UnitProgram &unit, const std::vector<int32_t> &input, const std::vector<int32_t> &extra,
                Function expected) {
  ASSERT_EQ(llvm::toString(checkUnitProgram(unit, allUnits(), operandBytes())), "");
  const bool whole = needsWholeRow(unit.stages[0].kind);
  for (int halves = 0; halves <= !whole; ++halves) {
    const Results results = run(unit, input, extra, halves);
    for (int64_t row = 0; row < kAllRows; ++row)
      for (int64_t c = 0; c < kChannels; ++c)
        ASSERT_EQ(results.rows[static_cast<size_t>(row * kChannels + c)], expected(row, c))
            << "row " << row << " channel " << c << (halves ? " in halves" : "");
  }
}

/// Shifts that leave results of some size for 32-bit values.
Numbers someShifts(Rng &rng, int64_t n) { return pickAll(rng, n, 40, 60); }
Numbers someMultipliers(Rng &rng, int64_t n, int64_t lo = -INT32_MAX) { return pickAll(rng, n, lo, INT32_MAX); }

} // namespace

TEST(Units, RequantEqualsNumerics) {
  Rng rng(1);
  for (int64_t rounding = 0; rounding < 4; ++rounding)
    for (int64_t perBatch : {0, 1})
      for (int64_t count : {int64_t(1), perBatch ? kBatches : kChannels}) {
        const Numbers multipliers = someMultipliers(rng, count), shifts = someShifts(rng, count);
        UnitProgram unit =
            programWith(StageKind::Requant, {rounding, 17, -5, -128, 120, perBatch}, {multipliers, shifts});
        const std::vector<int32_t> input = randomRows(rng, INT32_MIN + 17, INT32_MAX);
        expectRows(unit, input, {}, [&](int64_t row, int64_t c) {
          return numerics::requantize(int64_t(input[static_cast<size_t>(row * kChannels + c)]) - 17,
                                      dyadicOf(multipliers, shifts, perBatch ? batchOf(row) : c),
                                      static_cast<Rounding>(rounding), -5, -128, 120);
        });
      }
}

TEST(Units, AddEqualsNumerics) {
  Rng rng(2);
  for (int64_t swapped : {0, 1})
    for (int64_t count : {int64_t(1), kChannels}) {
      const Numbers lhsM = someMultipliers(rng, count), lhsS = someShifts(rng, count);
      const Numbers rhsM = someMultipliers(rng, 1), rhsS = someShifts(rng, 1);
      UnitProgram unit =
          programWith(StageKind::Add, {swapped ? 1 : 0, 3, -4, 5, -128, 127, swapped}, {lhsM, lhsS, rhsM, rhsS});
      const std::vector<int32_t> first = randomRows(rng, -INT32_MAX / 2, INT32_MAX / 2),
                                 second = randomRows(rng, -INT32_MAX / 2, INT32_MAX / 2);
      expectRows(unit, first, second, [&](int64_t row, int64_t c) {
        int64_t lhs = first[static_cast<size_t>(row * kChannels + c)];
        int64_t rhs = second[static_cast<size_t>(row * kChannels + c)];
        if (swapped)
          std::swap(lhs, rhs);
        return numerics::requantizeAdd(lhs - 3, dyadicOf(lhsM, lhsS, c), rhs + 4, dyadicOf(rhsM, rhsS, c),
                                       swapped ? Rounding::HalfEven : Rounding::HalfUp, 5, -128, 127);
      });
    }
}

TEST(Units, ThresholdEqualsNumerics) {
  Rng rng(3);
  for (int64_t channels : {int64_t(1), kChannels}) {
    const Numbers thresholds = pickAll(rng, 7 * channels, -1000, 1000);
    UnitProgram unit = programWith(StageKind::Threshold, {-4, 7}, {thresholds});
    const std::vector<int32_t> input = randomRows(rng, -1200, 1200), narrow = narrowed(thresholds);
    expectRows(unit, input, {}, [&](int64_t row, int64_t c) {
      return numerics::thresholdCode(input[static_cast<size_t>(row * kChannels + c)],
                                     narrow.data() + (channels == 1 ? 0 : c), 7, channels, -4);
    });
  }
}

TEST(Units, TableEqualsNumerics) {
  Rng rng(4);
  for (int64_t isSigned : {0, 1})
    for (int64_t tables : {1, 3}) {
      const Numbers entries = pickAll(rng, 256 * tables, -128, 127);
      const Numbers which = tables == 1 ? Numbers() : pickAll(rng, kChannels, 0, tables - 1);
      UnitProgram unit = programWith(StageKind::Table, {isSigned}, {entries, which});
      const std::vector<int32_t> input = isSigned ? randomRows(rng, -128, 127) : randomRows(rng, 0, 255);
      expectRows(unit, input, {}, [&](int64_t row, int64_t c) {
        const int64_t table = which.empty() ? 0 : which[static_cast<size_t>(c)];
        return entries[static_cast<size_t>(
            table * 256 + numerics::Code{8, !isSigned, 0}.index(input[static_cast<size_t>(row * kChannels + c)]))];
      });
    }
}

TEST(Units, PwlEqualsNumerics) {
  Rng rng(5);
  const numerics::PiecewiseLinear lines{{-40, 3, 70}, {12, -5, 300, 7}, {100, -7, 1000, 0}};
  const Numbers multipliers = someMultipliers(rng, kChannels), shifts = pickAll(rng, kChannels, 35, 45);
  auto wide = [](const std::vector<int32_t> &from) { return Numbers(from.begin(), from.end()); };
  UnitProgram unit =
      programWith(StageKind::Pwl, {2, 9, 1, -128, 127},
                  {wide(lines.breakpoints), wide(lines.slopes), wide(lines.intercepts), multipliers, shifts});
  // Bytes, so that no line leaves 32 bits.
  unit.input.bytes = 1;
  const std::vector<int32_t> words = randomRows(rng, INT32_MIN, INT32_MAX);
  const auto *bytes = reinterpret_cast<const int8_t *>(words.data());
  unit.input.rowPitch = kChannels;
  unit.input.batchPitch = kChannels * kRows;
  expectRows(unit, words, {}, [&](int64_t row, int64_t c) {
    return numerics::requantize(lines.evaluate(int64_t(bytes[row * kChannels + c]) - 9),
                                dyadicOf(multipliers, shifts, c), Rounding::HalfAway, 1, -128, 127);
  });
}

TEST(Units, SoftmaxEqualsNumerics) {
  Rng rng(6);
  const numerics::SoftmaxShift shift = numerics::softmaxShiftConstants(0.04);
  const std::array<uint8_t, 256> exact = numerics::softmaxExpTable(0.03);
  for (bool byShift : {false, true}) {
    const Numbers multipliers = someMultipliers(rng, kBatches, 1 << 29), shifts = pickAll(rng, kBatches, 38, 42);
    UnitProgram unit =
        byShift ? programWith(StageKind::SoftmaxShift, {shift.x0, shift.n, shift.t}, {multipliers, shifts})
                : programWith(StageKind::SoftmaxTable, {}, {Numbers(exact.begin(), exact.end()), multipliers, shifts});
    const std::vector<int32_t> input = randomRows(rng, -100000, 100000);
    std::vector<int32_t> sums(kAllRows, 0);
    expectRows(unit, input, {}, [&](int64_t row, int64_t c) {
      const int32_t *x = input.data() + row * kChannels;
      const int64_t distance = numerics::softmaxDistance(*std::max_element(x, x + kChannels), x[c],
                                                         dyadicOf(multipliers, shifts, batchOf(row)));
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
  UnitProgram unit = programWith(StageKind::Shiftmax, {-20, 15, 31, 16}, {});
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
  for (int64_t perBatch : {0, 1})
    for (int64_t count : {int64_t(1), perBatch ? kBatches : kChannels}) {
      const Numbers multipliers = someMultipliers(rng, count), shifts = pickAll(rng, count, 45, 52);
      UnitProgram unit = programWith(StageKind::DivideRows, {1, 2, -128, 127, 0, perBatch}, {multipliers, shifts});
      const std::vector<int32_t> input = randomRows(rng, -4000000, 4000000), sums = randomRows(rng, 0, 60000);
      expectRows(unit, input, sums, [&](int64_t row, int64_t c) {
        return numerics::requantize(
            numerics::softmaxQuotient(input[static_cast<size_t>(row * kChannels + c)], sums[static_cast<size_t>(row)]),
            dyadicOf(multipliers, shifts, perBatch ? batchOf(row) : c), Rounding::HalfEven, 2, -128, 127);
      });
    }
}

TEST(Units, LayerNormEqualsNumerics) {
  Rng rng(9);
  const Numbers multipliers = pickAll(rng, kChannels, -(1 << 29), 1 << 29), shifts(kChannels, 36);
  const Numbers offsets = pickAll(rng, kChannels, -(int64_t(1) << 42), int64_t(1) << 42);
  UnitProgram unit = programWith(StageKind::LayerNorm, {0, 0, 1000, 3, -128, 127, 0}, {multipliers, shifts, offsets});
  unit.input.bytes = 2;
  const std::vector<int32_t> words = randomRows(rng, INT32_MIN, INT32_MAX);
  const auto *halves = reinterpret_cast<const int16_t *>(words.data());
  unit.input.rowPitch = kChannels * 2;
  unit.input.batchPitch = kChannels * kRows * 2;
  const std::vector<int32_t> a = narrowed(multipliers);
  std::vector<int32_t> expected(words.size());
  for (int64_t row = 0; row < kAllRows; ++row) {
    std::vector<int32_t> x(halves + row * kChannels, halves + (row + 1) * kChannels);
    // Its multipliers have one shift for all, as here.
    numerics::layerNormRow(x.data(), expected.data() + row * kChannels, kChannels, 1000, a.data(), offsets.data(), 36,
                           3, -128, 127);
  }
  expectRows(unit, words, {},
             [&](int64_t row, int64_t c) { return expected[static_cast<size_t>(row * kChannels + c)]; });
}

TEST(Units, LayerNormByShiftsEqualsNumerics) {
  Rng rng(10);
  const Numbers multipliers = someMultipliers(rng, kChannels), shifts = pickAll(rng, kChannels, 50, 56);
  const Numbers offsets = pickAll(rng, kChannels, -(1 << 28), 1 << 28), post = pickAll(rng, kChannels, -9, 9);
  UnitProgram unit =
      programWith(StageKind::LayerNorm, {1, 2, 0, 3, -128, 127, 0}, {multipliers, shifts, offsets, post});
  unit.input.bytes = 1;
  const std::vector<int32_t> words = randomRows(rng, INT32_MIN, INT32_MAX);
  const auto *bytes = reinterpret_cast<const int8_t *>(words.data());
  unit.input.rowPitch = kChannels;
  unit.input.batchPitch = kChannels * kRows;
  std::vector<Dyadic> by;
  for (int64_t c = 0; c < kChannels; ++c)
    by.push_back(dyadicOf(multipliers, shifts, c));
  std::vector<int32_t> expected(words.size());
  for (int64_t row = 0; row < kAllRows; ++row) {
    std::vector<int32_t> x(bytes + row * kChannels, bytes + (row + 1) * kChannels);
    numerics::layerNormIvitRow(x.data(), expected.data() + row * kChannels, kChannels, numerics::SqrtStart::BitLength,
                               10, offsets.data(), by.data(), post.data(), Rounding::HalfAway, 3, -128, 127);
  }
  expectRows(unit, words, {},
             [&](int64_t row, int64_t c) { return expected[static_cast<size_t>(row * kChannels + c)]; });
}

TEST(Units, NormQuantEqualsNumerics) {
  Rng rng(11);
  const Numbers squares = pickAll(rng, 3 * kChannels, -3000000, 3000000), negative = pickAll(rng, kChannels, 0, 1);
  UnitProgram unit = programWith(StageKind::NormQuant, {3, 500, -2}, {squares, negative});
  unit.input.bytes = 1;
  unit.input.isUnsigned = true;
  const std::vector<int32_t> words = randomRows(rng, INT32_MIN, INT32_MAX), narrow = narrowed(squares);
  const auto *bytes = reinterpret_cast<const uint8_t *>(words.data());
  unit.input.rowPitch = kChannels;
  unit.input.batchPitch = kChannels * kRows;
  const std::vector<uint8_t> signs(negative.begin(), negative.end());
  std::vector<int32_t> expected(words.size());
  for (int64_t row = 0; row < kAllRows; ++row) {
    std::vector<int32_t> x(bytes + row * kChannels, bytes + (row + 1) * kChannels);
    numerics::normQuantRow(x.data(), expected.data() + row * kChannels, kChannels, 500, narrow.data(), signs.data(), 3,
                           -2);
  }
  expectRows(unit, words, {},
             [&](int64_t row, int64_t c) { return expected[static_cast<size_t>(row * kChannels + c)]; });
}

TEST(Units, StagesFollowEachOtherOnAccumulatorsAndWriteHeadsApart) {
  // Two rows of 20 sums in two tiles: requantized, then through a table; written as
  // groups of 5 bytes, 16 bytes apart.
  UnitProgram unit;
  Numbers squares;
  for (int64_t i = -128; i < 128; ++i)
    squares.push_back(std::min<int64_t>(i * i / 64, 255));
  unit.stages = {{StageKind::Requant, {0, 0, 0, -128, 127}, {{1 << 30}, {34}}}, {StageKind::Table, {1}, {squares, {}}}};
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

TEST(Units, ParametersAreCounted) {
  UnitProgram unit = programWith(StageKind::SoftmaxTable, {}, {Numbers(256, 0), Numbers(3, 1), Numbers(3, 1)});
  EXPECT_EQ(unit.parameterBytes(), 256 + 3 * 4 + 3);
  unit.stages.push_back({StageKind::Threshold, {0, 4}, {Numbers(4, 0)}});
  EXPECT_EQ(unit.parameterBytes(), 256 + 3 * 4 + 3 + 16);
}

//===----------------------------------------------------------------------===//
// What is refused
//===----------------------------------------------------------------------===//

namespace {
std::string refusal(const UnitProgram &unit, const Config &config = allUnits()) {
  return llvm::toString(checkUnitProgram(unit, config, operandBytes()));
}
UnitProgram goodRequant() { return programWith(StageKind::Requant, {0, 0, 0, -128, 127, 0}, {{1000}, {20}}); }
} // namespace

TEST(Units, RefusesWhatItCannotRun) {
  ASSERT_EQ(refusal(goodRequant()), "");
  EXPECT_EQ(refusal(goodRequant(), Config()), "stage 0 (requant) needs the unit 'dyadic', which this array lacks");

  UnitProgram unit = goodRequant();
  unit.stages[0].arrays[1] = {63};
  EXPECT_EQ(refusal(unit), "stage 0 (requant): shift 63: must be 1 to 62");
  unit = goodRequant();
  unit.stages[0].arrays = {{1, 2}, {3, 4}};
  EXPECT_EQ(refusal(unit), "stage 0 (requant): 2 multipliers for 37 channels");
  unit = goodRequant();
  unit.stages[0].arrays.pop_back();
  EXPECT_EQ(refusal(unit), "stage 0 (requant): 1 multipliers have 0 shifts");
  unit = goodRequant();
  unit.stages[0].numbers.resize(3);
  EXPECT_EQ(refusal(unit), "stage 0 (requant): it has 3 numbers instead of 6");
  unit = goodRequant();
  unit.stages[0].numbers[0] = 4;
  EXPECT_EQ(refusal(unit), "stage 0 (requant): rounding 4: must be 0 to 3");
  unit = goodRequant();
  unit.stages[0].numbers[3] = 200;
  EXPECT_EQ(refusal(unit), "stage 0 (requant): limits 200 and 127 leave no value");
  unit = goodRequant();
  unit.stages.clear();
  EXPECT_EQ(refusal(unit), "it has no stages");
  unit = goodRequant();
  unit.stages[0].kind = static_cast<StageKind>(11);
  EXPECT_EQ(refusal(unit), "stage 0: there is no kind 11");
}

TEST(Units, RefusesOperandsThatReachTooFar) {
  UnitProgram unit = goodRequant();
  unit.output.offset = 4;
  EXPECT_EQ(refusal(unit), "output: reaches byte 2224 of operand 3, which has 2220");
  unit = goodRequant();
  unit.input.rowPitch = ~uint64_t(0) / 3;
  EXPECT_EQ(refusal(unit), "input: reaches byte 18446744073709551615 of operand 0, which has 2220");
  unit = goodRequant();
  unit.input.operand = 4;
  EXPECT_EQ(refusal(unit), "input: there is no operand 4, only 4");
  unit = goodRequant();
  unit.input.bytes = 3;
  EXPECT_EQ(refusal(unit), "input: elements of 3 bytes, must be 1, 2 or 4");
  unit = goodRequant();
  unit.input.groupSize = 0;
  EXPECT_EQ(refusal(unit), "input: groups of 0 channels");
  // An early group can reach further than the last element's.
  unit = goodRequant();
  unit.output.groupSize = 36;
  unit.output.groupPitch = 4;
  EXPECT_EQ(refusal(unit), "");
  unit.extraInputs.push_back(unit.input);
  EXPECT_EQ(refusal(unit), "it has 1 extra inputs instead of 0");
  unit = programWith(StageKind::DivideRows, {0, 0, -128, 127, 0, 0}, {{1}, {30}});
  unit.extraInputs[0].onePerRow = false;
  EXPECT_EQ(refusal(unit), "extra input 0 of divide_rows: must have one value a row");
  unit.extraInputs.clear();
  EXPECT_EQ(refusal(unit), "it has 0 extra inputs instead of 1");
  unit = goodRequant();
  unit.channels = 100000;
  EXPECT_EQ(refusal(unit), "channels 100000: must be 1 to 65535");
}

TEST(Units, RefusesArithmeticThatDoesNotFit) {
  UnitProgram unit =
      programWith(StageKind::LayerNorm, {0, 0, 100, 0, -128, 127, 0}, {Numbers(37, 1), Numbers(37, 1), Numbers(37, 1)});
  EXPECT_EQ(refusal(unit),
            "stage 0 (layer_norm): the variance of 37 channels of 32 bits and epsilon 100 does not fit 52 bits");
  unit.input.bytes = 2;
  EXPECT_EQ(refusal(unit), "");
  unit.stages[0].arrays[2][5] = int64_t(1) << 62;
  EXPECT_EQ(refusal(unit),
            "stage 0 (layer_norm): multiplier 1 and offset 4611686018427387904 of a channel leave 62 bits");
  unit.stages[0].arrays[2].pop_back();
  EXPECT_EQ(refusal(unit), "stage 0 (layer_norm): 36 offsets and 0 post offsets for 37 channels");
  unit = programWith(StageKind::Pwl, {0, 0, 0, -128, 127}, {{}, {2}, {0}, {1}, {30}});
  EXPECT_EQ(refusal(unit), "stage 0 (pwl): a line leaves 32 bits for an input of -2147483648 to 2147483647");
  unit = programWith(StageKind::Table, {1}, {Numbers(256, 0), Numbers(37, 1)});
  EXPECT_EQ(refusal(unit), "stage 0 (table): table 1: must be 0 to 0");
  unit = programWith(StageKind::SoftmaxTable, {}, {Numbers(255, 0), {1}, {30}});
  EXPECT_EQ(refusal(unit), "stage 0 (softmax_table): its table has 255 entries instead of 256");
  unit = programWith(StageKind::SoftmaxTable, {}, {Numbers(256, 0), {-1}, {30}});
  EXPECT_EQ(refusal(unit), "stage 0 (softmax_table): multiplier -1: must be 0 to 2147483647");
}
