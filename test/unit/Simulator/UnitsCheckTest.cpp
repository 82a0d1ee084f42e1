//===- UnitsCheckTest.cpp - Unit programs that are refused -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "UnitPrograms.h"

#include "llvm/Support/Error.h"
#include "gtest/gtest.h"

using namespace vitq;
using namespace vitq::simulator;
using numerics::Rounding;

namespace {
std::string refusal(const UnitProgram &unit, const Config &config = allUnits()) {
  return llvm::toString(checkUnitProgram(unit, config, operandBytes()));
}
RequantStage goodRequantStage() {
  RequantStage stage;
  stage.output = {0, -128, 127};
  stage.multipliers = {{1000, 20}};
  return stage;
}
UnitProgram goodRequant() { return programWith(goodRequantStage()); }
} // namespace

TEST(UnitsCheck, RefusesWhatItCannotRun) {
  ASSERT_EQ(refusal(goodRequant()), "");
  EXPECT_EQ(refusal(goodRequant(), Config()), "stage 0 (requant) needs the unit 'dyadic', which this array lacks");

  RequantStage stage = goodRequantStage();
  stage.multipliers = {{1000, 63}};
  EXPECT_EQ(refusal(programWith(stage)), "stage 0 (requant): shift 63: must be 1 to 62");
  stage.multipliers = {{1, 3}, {2, 4}};
  EXPECT_EQ(refusal(programWith(stage)), "stage 0 (requant): 2 multipliers for 37 channels");
  stage = goodRequantStage();
  stage.output = {0, 200, 127};
  EXPECT_EQ(refusal(programWith(stage)), "stage 0 (requant): limits 200 and 127 leave no value");
  UnitProgram unit = goodRequant();
  unit.stages.clear();
  EXPECT_EQ(refusal(unit), "it has no stages");
}

TEST(UnitsCheck, RefusesOperandsThatReachTooFar) {
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
  DivideRowsStage division;
  division.output = {0, -128, 127};
  division.multipliers = {{1, 30}};
  unit = programWith(division);
  unit.extraInputs[0].onePerRow = false;
  EXPECT_EQ(refusal(unit), "extra input 0 of divide_rows: must have one value a row");
  unit.extraInputs.clear();
  EXPECT_EQ(refusal(unit), "it has 0 extra inputs instead of 1");
  unit = goodRequant();
  unit.channels = 100000;
  EXPECT_EQ(refusal(unit), "channels 100000: must be 1 to 65535");
}

TEST(UnitsCheck, RefusesExtraOperandsOfTheWrongShape) {
  AddStage add;
  add.output = {0, -128, 127};
  add.lhsMultipliers = add.rhsMultipliers = {{1, 30}};
  UnitProgram unit = programWith(add);
  ASSERT_EQ(refusal(unit), "");
  unit.extraInputs[0].onePerRow = true;
  EXPECT_EQ(refusal(unit), "extra input 0 of add: must have a value for each channel");
  unit = goodRequant();
  unit.extraOutputs.push_back(unit.output);
  EXPECT_EQ(refusal(unit), "it has 1 extra outputs instead of 0");
  unit = programWith(SoftmaxTableStage{.exponentials = std::vector<uint8_t>(256), .multipliers = {{1, 30}}});
  ASSERT_EQ(refusal(unit), "");
  unit.extraOutputs[0].onePerRow = false;
  EXPECT_EQ(refusal(unit), "extra output: must have one value a row");
  unit = goodRequant();
  unit.output.onePerRow = true;
  EXPECT_EQ(refusal(unit), "output: must have a value for each channel");
}

TEST(UnitsCheck, RefusesArithmeticThatDoesNotFit) {
  LayerNormStage norm;
  norm.eps = 100;
  norm.output = {0, -128, 127};
  norm.multipliers = Multipliers(kChannels, {1, 1});
  norm.offsets = std::vector<int64_t>(kChannels, 1);
  UnitProgram unit = programWith(norm);
  EXPECT_EQ(refusal(unit),
            "stage 0 (layer_norm): the variance of 37 channels of 32 bits and epsilon 100 does not fit 52 bits");
  auto ofHalves = [](Stage stage) {
    UnitProgram unit = programWith(std::move(stage));
    unit.input.bytes = 2;
    return refusal(unit);
  };
  EXPECT_EQ(ofHalves(norm), "");
  norm.rounding = Rounding::Floor;
  EXPECT_EQ(ofHalves(norm), "stage 0 (layer_norm): it rounds half up only");
  norm.keepsMean = 2;
  EXPECT_EQ(ofHalves(norm), "stage 0 (layer_norm): keeps mean 2: must be 0 to 1");
  norm.keepsMean = 0;
  norm.rounding = Rounding::HalfUp;
  norm.lines = numerics::PiecewiseLinear{{}, {0}, {0}};
  EXPECT_EQ(ofHalves(norm), "stage 0 (layer_norm): its lines are not near a reciprocal root");
  norm.lines.reset();
  norm.offsets[5] = int64_t(1) << 62;
  EXPECT_EQ(ofHalves(norm),
            "stage 0 (layer_norm): multiplier 1 and offset 4611686018427387904 of a channel leave 62 bits");
  norm.offsets.pop_back();
  EXPECT_EQ(ofHalves(norm), "stage 0 (layer_norm): 36 offsets and 0 post offsets for 37 channels");

  norm.byShifts = true;
  norm.offsets = std::vector<int64_t>(kChannels, 1);
  EXPECT_EQ(ofHalves(norm), "");
  EXPECT_EQ(refusal(programWith(norm)),
            "stage 0 (layer_norm): its input has -2147483648 to 2147483647, more than 16 bits");
  norm.keepsMean = 1;
  EXPECT_EQ(ofHalves(norm), "stage 0 (layer_norm): by shifts it centers rows");
  norm.keepsMean = 0;
  norm.offsets[0] = int64_t(1) << 32;
  EXPECT_EQ(ofHalves(norm), "stage 0 (layer_norm): offset 4294967296: must be -2147483648 to 2147483648");
}

TEST(UnitsCheck, RefusesLinesThatDoNotFit) {
  PwlStage stage;
  stage.output = {0, -128, 127};
  stage.lines = {{}, {2}, {0}};
  stage.multipliers = {{1, 30}};
  EXPECT_EQ(refusal(programWith(stage)),
            "stage 0 (pwl): a line leaves 32 bits for an input of -2147483648 to 2147483647");
  stage.lines = {{1}, {2}, {0}};
  EXPECT_EQ(refusal(programWith(stage)), "stage 0 (pwl): 1 breakpoints, 1 slopes and 1 intercepts are no lines");
  stage.lines = {{3, 1}, {0, 0, 0}, {0, 0, 0}};
  EXPECT_EQ(refusal(programWith(stage)), "stage 0 (pwl): breakpoints must not fall");
  DivideRowsStage division;
  division.output = {0, -128, 127};
  division.multipliers = {{1, 30}};
  division.lines = numerics::PiecewiseLinear{{}, {0}, {0}};
  EXPECT_EQ(refusal(programWith(division)), "stage 0 (divide_rows): its lines are not near a reciprocal");
}

TEST(UnitsCheck, RefusesArraysThatDoNotFit) {
  TableStage table;
  table.entries = std::vector<int32_t>(256);
  ASSERT_EQ(refusal(programWith(table)), "");
  table.tableOfChannel = std::vector<int32_t>(kChannels, 1);
  EXPECT_EQ(refusal(programWith(table)), "stage 0 (table): table 1: must be 0 to 0");
  table.tableOfChannel = std::vector<int32_t>(5);
  EXPECT_EQ(refusal(programWith(table)), "stage 0 (table): 5 channels name one of 1 tables, of 37 channels");
  table.tableOfChannel.clear();
  table.entries[7] = 256;
  EXPECT_EQ(refusal(programWith(table)), "stage 0 (table): entry 256: must be -128 to 255");
  table.entries.pop_back();
  EXPECT_EQ(refusal(programWith(table)), "stage 0 (table): 255 entries are not 1 to 128 tables of 256");
  table = {.inputBits = 3, .entries = std::vector<int32_t>(24), .tableOfChannel = std::vector<int32_t>(kChannels, 2)};
  ASSERT_EQ(refusal(programWith(table)), "");
  table.inputBits = 4;
  EXPECT_EQ(refusal(programWith(table)), "stage 0 (table): 24 entries are not 1 to 128 tables of 16");
  table.inputBits = 9;
  EXPECT_EQ(refusal(programWith(table)), "stage 0 (table): input bits 9: must be 2 to 8");
  table.inputBits = -64;
  EXPECT_EQ(refusal(programWith(table)), "stage 0 (table): input bits -64: must be 2 to 8");

  SoftmaxTableStage softmax{.exponentials = std::vector<uint8_t>(255), .multipliers = {{1, 30}}};
  EXPECT_EQ(refusal(programWith(softmax)), "stage 0 (softmax_table): its table has 255 entries instead of 256");
  softmax = {.exponentials = std::vector<uint8_t>(256), .multipliers = {{-1, 30}}};
  EXPECT_EQ(refusal(programWith(softmax)), "stage 0 (softmax_table): multiplier -1: must be 0 to 2147483647");

  EXPECT_EQ(refusal(programWith(ThresholdStage{.min = 0, .levels = 3, .thresholds = {1, 2}})),
            "stage 0 (threshold): 2 thresholds for 3 levels of 37 channels");

  EXPECT_EQ(refusal(programWith(
                ShiftmaxStage{.exponentStep = -20, .fractionBits = 15, .reciprocalBits = 30, .resultBits = 16})),
            "stage 0 (shiftmax): reciprocal bits 30: must be 31 or 62");

  UnitProgram unit = programWith(
      NormQuantStage{.levels = 1, .eps = 500, .min = 0, .squares = {1}, .negative = std::vector<uint8_t>(kChannels)});
  unit.input.bytes = 1;
  EXPECT_EQ(refusal(unit), "stage 0 (norm_quant): 1 squares and 37 signs for 1 levels of 37 channels");
}
