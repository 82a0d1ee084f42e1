//===- UnitImageTest.cpp - What the RTL's row unit does not hold -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What it does hold is compared in test/rtl/units.
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/UnitImage.h"
#include "UnitPrograms.h"

#include "gtest/gtest.h"

using namespace vitq;
using namespace vitq::simulator;

namespace {

/// Why `programs` are refused.
std::string refusal(std::vector<UnitProgram> programs, UnitSizes sizes = {}) {
  std::vector<const UnitProgram *> pointers;
  for (const UnitProgram &program : programs)
    pointers.push_back(&program);
  llvm::Expected<std::vector<UnitRun>> runs = encodeUnitPrograms(pointers, sizes);
  return runs ? "none" : llvm::toString(runs.takeError());
}

UnitProgram requant(size_t multipliers) {
  RequantStage stage;
  stage.multipliers = Multipliers(multipliers, {3, 4});
  return programWith(stage);
}

} // namespace

TEST(UnitImage, AHeaderAndRecordsOfLanes) {
  const UnitProgram program = requant(1);
  const UnitProgram *pointer = &program;
  const UnitSizes sizes{.lanes = 2, .slots = 2, .programs = 1, .records = 1};
  llvm::Expected<std::vector<UnitRun>> runs = encodeUnitPrograms(pointer, sizes);
  ASSERT_TRUE(static_cast<bool>(runs));
  const std::vector<UnitWrite> writes = writesOf(*runs, sizes);
  EXPECT_EQ(llvm::count(writes, UnitWrite{UnitRun::Header, 0, 0, 0, 0, 1}), 1);
  // Both lanes have M and c; the second slot has no stage.
  EXPECT_EQ(llvm::count(writes, UnitWrite{UnitRun::Record, 0, 0, 1, 0, 3}), 1);
  EXPECT_EQ(llvm::count(writes, UnitWrite{UnitRun::Record, 0, 0, 0, 1, 4}), 1);
  EXPECT_EQ(writes.back(), (UnitWrite{UnitRun::Header, 1, 0, 0, 0, 0}));
}

TEST(UnitImage, MoreThanTheUnitHasIsRefused) {
  EXPECT_EQ(refusal({requant(1), requant(1)}, {.programs = 1}), "2 unit programs of a launch; the unit holds 1");
  EXPECT_EQ(refusal({requant(1), requant(1)}, {.records = 1}),
            "unit program 1: stage 0 (requant): 1 records for parameters; 0 of the unit's 1 are left");
  EXPECT_EQ(refusal({requant(kChannels)}, {.lanes = 8, .records = 4}),
            "unit program 0: stage 0 (requant): 5 records for parameters; 4 of the unit's 4 are left");
  EXPECT_EQ(refusal({requant(kChannels)}, {.lanes = 8, .records = 5}), "none");

  UnitProgram two = requant(1);
  two.stages.push_back(two.stages.front());
  EXPECT_EQ(refusal({two}, {.slots = 1}), "unit program 0: 2 stages; the unit has 1 slots");

  AddStage add;
  add.lhsMultipliers = add.rhsMultipliers = {{1, 1}};
  EXPECT_EQ(refusal({programWith(add)}, {.extras = 0}), "unit program 0: 1 extra inputs; the unit has 0");

  const ThresholdStage thresholds{.min = 0, .levels = 16, .thresholds = std::vector<int32_t>(16)};
  EXPECT_EQ(refusal({programWith(thresholds)}),
            "unit program 0: stage 0 (threshold): 16 thresholds; the unit compares with 15");
  const NormQuantStage levels{
      .levels = 4, .squares = std::vector<int32_t>(4 * kChannels), .negative = std::vector<uint8_t>(kChannels)};
  EXPECT_EQ(refusal({programWith(levels)}, {.levels = 3}),
            "unit program 0: stage 0 (norm_quant): 4 thresholds; the unit compares with 3");
  EXPECT_EQ(refusal({programWith(levels)}, {.channels = 36}),
            "unit program 0: stage 0 (norm_quant): rows of 37 channels; the unit stores 36");

  const TableStage tables{.entries = std::vector<int32_t>(3 * 256), .tableOfChannel = std::vector<int32_t>(kChannels)};
  EXPECT_EQ(refusal({programWith(tables)}, {.tables = 2}),
            "unit program 0: stage 0 (table): 3 tables; 2 of the unit's 2 are left");

  PwlStage lines;
  lines.lines = {std::vector<int32_t>(16), std::vector<int32_t>(17), std::vector<int32_t>(17)};
  lines.multipliers = {{1, 1}};
  EXPECT_EQ(refusal({programWith(lines)}), "unit program 0: stage 0 (pwl): 17 lines; the unit has 16");

  UnitProgram sums = programWith(SoftmaxTableStage{.exponentials = std::vector<uint8_t>(256), .multipliers = {{1, 1}}});
  EXPECT_EQ(refusal({sums}), "none");
  sums.stages.push_back(sums.stages.front());
  sums.extraOutputs.push_back(sums.extraOutputs.front());
  EXPECT_EQ(refusal({sums}), "unit program 0: more than one stage gives sums");
}
