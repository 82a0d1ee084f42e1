//===- PiecewiseLinearTest.cpp - Functions as a few lines -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/PiecewiseLinear.h"

#include "gtest/gtest.h"

#include <limits>

using namespace vitq::numerics;

namespace {

constexpr int32_t kMost = std::numeric_limits<int32_t>::max(), kLeast = std::numeric_limits<int32_t>::min();

TEST(PiecewiseLinear, TiesGoRight) {
  const PiecewiseLinear lines{{-3, 5}, {1, 0, -2}, {10, 20, 30}};
  EXPECT_EQ(lines.entries(), 3u);
  EXPECT_EQ(lines.entryOf(-4), 0u);
  EXPECT_EQ(lines.entryOf(-3), 1u);
  EXPECT_EQ(lines.entryOf(4), 1u);
  EXPECT_EQ(lines.entryOf(5), 2u);
  EXPECT_EQ(lines.evaluate(-4), 6);
  EXPECT_EQ(lines.evaluate(-3), 20);
  EXPECT_EQ(lines.evaluate(4), 20);
  EXPECT_EQ(lines.evaluate(5), 20);
  EXPECT_EQ(lines.evaluate(6), 18);
}

TEST(PiecewiseLinear, EndsServeWhatLiesBeyond) {
  const PiecewiseLinear lines{{0}, {2, 3}, {1, -1}};
  EXPECT_EQ(lines.evaluate(-65536), -131071);
  EXPECT_EQ(lines.evaluate(65535), 196604);
  // A breakpoint beyond all codes: its entry is never reached.
  const PiecewiseLinear never{{kMost}, {1, 1000}, {0, 0}};
  EXPECT_EQ(never.evaluate(65535), 65535);
  EXPECT_EQ((PiecewiseLinear{{kLeast}, {1000, 1}, {0, 0}}.evaluate(-65536)), -65536);
}

TEST(PiecewiseLinear, EntriesBetweenEqualBreakpointsServeNothing) {
  const PiecewiseLinear lines{{-1, -1, -1, 4, 4}, {0, 0, 0, 0, 0, 0}, {0, 1, 2, 3, 4, 5}};
  for (int64_t q = -10; q < 10; ++q)
    EXPECT_EQ(lines.evaluate(q), q < -1 ? 0 : q < 4 ? 3 : 5) << q;
}

/// Against counting the breakpoints that are not above the code.
TEST(PiecewiseLinear, EntryIsTheNumberOfBreakpointsReached) {
  const PiecewiseLinear lines{
      {-128, -100, -100, -7, 0, 0, 1, 90, 127}, std::vector<int32_t>(10, 3), std::vector<int32_t>(10, 4)};
  for (int64_t q = -200; q <= 200; ++q) {
    size_t reached = 0;
    for (int32_t point : lines.breakpoints)
      reached += q >= point;
    EXPECT_EQ(lines.entryOf(q), reached) << q;
  }
}

TEST(PiecewiseLinear, FitsIsAboutEveryLineAndEveryCode) {
  EXPECT_TRUE((PiecewiseLinear{{0}, {1, 1}, {kMost - 127, kLeast + 128}}.fits(-128, 127)));
  EXPECT_FALSE((PiecewiseLinear{{0}, {1, 1}, {kMost - 126, 0}}.fits(-128, 127)));
  EXPECT_FALSE((PiecewiseLinear{{0}, {1, 1}, {0, kLeast + 127}}.fits(-128, 127)));
  // Also where another line serves the code.
  EXPECT_FALSE((PiecewiseLinear{{0}, {1 << 24, 0}, {1 << 24, 0}}.fits(-128, 127)));
  EXPECT_TRUE((PiecewiseLinear{{0}, {1 << 24, 0}, {0, 0}}.fits(-128, 127)));
  // Products beyond 32 bits do not wrap around to something that fits.
  EXPECT_FALSE((PiecewiseLinear{{0}, {kMost, 0}, {0, 0}}.fits(-65535, 65535)));
  EXPECT_FALSE((PiecewiseLinear{{0}, {kLeast, 0}, {0, 0}}.fits(-65535, 0)));
}

} // namespace
