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

TEST(Code, RangesAndIndices) {
  const Code nibble{4, false, -3}, byte{8, true, 128};
  EXPECT_EQ(nibble.range(), (Interval{-8, 7}));
  EXPECT_EQ(nibble.values(), (Interval{-5, 10}));
  EXPECT_EQ(nibble.magnitude(), 10);
  EXPECT_EQ(nibble.count(), 16);
  EXPECT_EQ(nibble.index(-8), 0);
  EXPECT_EQ(nibble.index(7), 15);
  EXPECT_EQ(byte.range(), (Interval{0, 255}));
  EXPECT_EQ(byte.magnitude(), 128);
  EXPECT_EQ(byte.index(255), 255);
  EXPECT_TRUE(byte.contains(255) && !byte.contains(256) && !byte.contains(-1));
}

TEST(Code, ReadsTheLowestBits) {
  for (unsigned bits = 2; bits <= 8; ++bits)
    for (int64_t code = 0; code < int64_t(1) << bits; ++code) {
      const int64_t above = int64_t(5) << bits, half = int64_t(1) << (bits - 1);
      EXPECT_EQ(readCode(code | above, bits, true), code);
      EXPECT_EQ(readCode(code | above, bits, false), code < half ? code : code - 2 * half);
    }
}

TEST(Table, IdentityReluAndRounding) {
  const auto identity = [](double x) { return x; };
  const Code bytes{8, false, 0}, plain{8, true, 0};
  const auto copy = buildTable(identity, 0.1, {8, false, 3}, 0.1, {8, false, 3});
  for (int64_t code = -128; code < 128; ++code)
    EXPECT_EQ(copy[bytes.index(code)], code);
  const auto relu = buildTable(reluReal, 0.5, {8, true, 128}, 0.5, plain);
  EXPECT_EQ(relu[0], 0);
  EXPECT_EQ(relu[128], 0);
  EXPECT_EQ(relu[200], 72);
  // Halving: ties go up on both sides of zero, and the range clamps.
  const auto half = buildTable(identity, 1.0, bytes, 2.0, {4, false, 0});
  EXPECT_EQ(half[bytes.index(3)], 2);
  EXPECT_EQ(half[bytes.index(-3)], -1);
  EXPECT_EQ(half[bytes.index(127)], 7);
  EXPECT_EQ(half[bytes.index(-128)], -8);
  const auto undefined = buildTable([](double x) { return std::log(x); }, 1.0, bytes, 0.1, {16, false, 9});
  EXPECT_EQ(undefined[bytes.index(-1)], 9);
  EXPECT_EQ(undefined[bytes.index(0)], -32768);
  // As many entries as the input has codes.
  EXPECT_EQ(buildTable(identity, 1.0, {3, false, 0}, 1.0, bytes), (std::vector<int32_t>{-4, -3, -2, -1, 0, 1, 2, 3}));
}

TEST(Table, BytesFindTheirNarrowCode) {
  for (bool isUnsigned : {false, true}) {
    const Code narrow{3, isUnsigned, 0}, byte{8, isUnsigned, 0};
    const std::vector<int32_t> entries = {7, 6, 5, 4, 3, 2, 1, 0};
    const std::vector<int32_t> wide = widenTable(entries, narrow);
    ASSERT_EQ(wide.size(), 256u);
    for (int64_t code = narrow.min(); code <= narrow.max(); ++code)
      EXPECT_EQ(wide[byte.index(code)], entries[narrow.index(code)]);
    EXPECT_EQ(wide.back(), entries.back());
  }
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
