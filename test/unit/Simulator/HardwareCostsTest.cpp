//===- HardwareCostsTest.cpp - Energies and areas of configurations -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/HardwareCosts.h"

#include "gtest/gtest.h"

using namespace vitq::simulator;

static Config configOf(llvm::StringRef text) { return llvm::cantFail(Config::parse(text)); }

TEST(HardwareCosts, ElementsOfFewerBitsAreSmaller) {
  for (Dataflow dataflow : {Dataflow::WeightStationary, Dataflow::OutputStationary})
    for (auto [fewer, more] : {std::pair(2, 3), std::pair(3, 4), std::pair(4, 8)}) {
      EXPECT_EQ(elementCost(fewer, dataflow).bits, fewer);
      EXPECT_LT(elementCost(fewer, dataflow).area, elementCost(more, dataflow).area);
    }
  // What is no width of an element has the cost of the next one.
  EXPECT_EQ(elementCost(5, Dataflow::WeightStationary).bits, 8);
  EXPECT_EQ(elementCost(9, Dataflow::WeightStationary).bits, 8);
}

TEST(HardwareCosts, EnergyOfAProductFollowsTheElement) {
  const Config eight = configOf("gemmini-16x16"), four = configOf("bits=4"), sums = configOf("dataflow=os");
  EXPECT_EQ(eight.macPicojoules, Config().macPicojoules);
  EXPECT_EQ(four.macPicojoules * 16, elementCost(4, Dataflow::WeightStationary).picojoules);
  EXPECT_EQ(sums.macPicojoules * 64, elementCost(8, Dataflow::OutputStationary).picojoules);
  EXPECT_EQ(configOf("bits=4,mac-pj=0.0047").macPicojoules, 0.0047);
  // What follows is not written.
  EXPECT_EQ(four.str(), "gemmini-16x16,bits=4");
  EXPECT_EQ(configOf(four.str(/*all=*/true)).macPicojoules, four.macPicojoules);
}

TEST(HardwareCosts, AreaGrowsWithElementsSumsAndUnits) {
  auto elements = [](llvm::StringRef text) { return areaOf(configOf(text)).elements; };
  EXPECT_DOUBLE_EQ(elements("rows=32,cols=32"), 4 * elements("rows=16,cols=16"));
  EXPECT_LT(elements("accumulator-bits=24"), elements("accumulator-bits=32"));
  EXPECT_EQ(areaOf(configOf("units=none")).units, 0);
  EXPECT_EQ(areaOf(configOf("units=shift")).unmeasured, 0u);
  EXPECT_GT(areaOf(configOf("units=shift")).units, 0);
  EXPECT_GT(areaOf(configOf("units=shift,unit-lanes=32")).units, areaOf(configOf("units=shift,unit-lanes=16")).units);
}
