//===- TableTest.cpp - Tables and the functions they hold -----------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Table.h"
#include "vitq/Numerics/RealFunctions.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace vitq::numerics;

namespace {

TEST(Table, Indexing) {
  EXPECT_EQ(tableIndex(0, false), 0);
  EXPECT_EQ(tableIndex(255, false), 255);
  EXPECT_EQ(tableIndex(-128, true), 0);
  EXPECT_EQ(tableIndex(127, true), 255);
  EXPECT_EQ(tableCode(tableIndex(-5, true), true), -5);
}

TEST(Table, IdentityReluAndRounding) {
  const auto identity = [](double x) { return x; };
  const Table256 copy = buildTable(identity, 0.1, 3, true, 0.1, 3, 8, true);
  for (int64_t code = -128; code < 128; ++code)
    EXPECT_EQ(copy[tableIndex(code, true)], code);
  const Table256 relu = buildTable(reluReal, 0.5, 128, false, 0.5, 0, 8, false);
  EXPECT_EQ(relu[0], 0);
  EXPECT_EQ(relu[128], 0);
  EXPECT_EQ(relu[200], 72);
  // Halving: ties go up on both sides of zero, and the range clamps.
  const Table256 half = buildTable(identity, 1.0, 0, true, 2.0, 0, 4, true);
  EXPECT_EQ(half[tableIndex(3, true)], 2);
  EXPECT_EQ(half[tableIndex(-3, true)], -1);
  EXPECT_EQ(half[tableIndex(127, true)], 7);
  EXPECT_EQ(half[tableIndex(-128, true)], -8);
  const Table256 undefined = buildTable([](double x) { return std::log(x); }, 1.0, 0, true, 0.1, 9, 16, true);
  EXPECT_EQ(undefined[tableIndex(-1, true)], 9);
  EXPECT_EQ(undefined[tableIndex(0, true)], -32768);
}

TEST(RealFunctions, KnownValues) {
  EXPECT_NEAR(geluErfReal(1.0), 0.8413447460685429, 1e-15);
  EXPECT_NEAR(geluErfReal(-1.0), -0.15865525393145705, 1e-15);
  EXPECT_NEAR(geluTanhReal(1.0), 0.8411919906082768, 1e-12);
  EXPECT_NEAR(geluQuickReal(1.0), 1.0 / (1.0 + std::exp(-1.702)), 1e-15);
  EXPECT_NEAR(siluReal(1.0), 0.7310585786300049, 1e-15);
  EXPECT_EQ(hardSwishReal(-3.5), 0.0);
  EXPECT_EQ(hardSwishReal(4.0), 4.0);
  EXPECT_NEAR(hardSwishReal(1.0), 4.0 / 6.0, 1e-15);
  EXPECT_EQ(reluReal(-2.0), 0.0);
  EXPECT_EQ(tanhReal(0.0), 0.0);
  EXPECT_EQ(sigmoidReal(-1000.0), 0.0);
  EXPECT_EQ(sigmoidReal(1000.0), 1.0);
  EXPECT_EQ(geluErfReal(-40.0), 0.0);
}

} // namespace
