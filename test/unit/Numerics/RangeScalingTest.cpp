//===- RangeScalingTest.cpp - Powers of two before and after a function -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/RangeScaling.h"

#include "gtest/gtest.h"

using namespace vitq::numerics;

namespace {

/// code * 2^shift is v, or v rounded half up to a multiple of 2^shift, kept below 2^bits.
void expectExact(const RangeScaling &scaling, uint64_t v) {
  const RangeScaling::Scaled scaled = scaling.reduce(v);
  const uint64_t top = uint64_t(1) << scaling.bits;
  ASSERT_GE(scaled.code, top >> scaling.octaves) << v;
  ASSERT_LT(scaled.code, top) << v;
  const int shift = scaled.group * static_cast<int>(scaling.octaves);
  if (shift <= 0) {
    EXPECT_EQ(scaled.code, v << -shift) << v;
    return;
  }
  // In 128 bits: half a unit to either side, the lower end included.
  const __int128 twice = 2 * static_cast<__int128>(v), unit = static_cast<__int128>(1) << shift;
  const __int128 code = scaled.code;
  EXPECT_GE(twice, (2 * code - 1) * unit) << v;
  if (scaled.code + 1 < top)
    EXPECT_LT(twice, (2 * code + 1) * unit) << v;
}

} // namespace

TEST(RangeScaling, EveryCodeIsTheRoundedNumber) {
  for (const RangeScaling &scaling : {kReciprocalScaling, kRootScaling, RangeScaling{8, 3}, RangeScaling{16, 3},
                                      RangeScaling{16, 4}, RangeScaling{32, 4}}) {
    for (uint64_t v = 1; v < 70000; ++v)
      expectExact(scaling, v);
    for (int length = 17; length <= 63; ++length)
      for (int64_t beside = -2; beside <= 2; ++beside) {
        const uint64_t power = uint64_t(1) << (length - 1);
        if (power + beside < (uint64_t(1) << 63))
          expectExact(scaling, power + beside);
        expectExact(scaling, power + power / 3 + beside);
      }
    expectExact(scaling, (uint64_t(1) << 63) - 1);
  }
}

TEST(RangeScaling, Examples) {
  // 16 <= code < 128, groups of three bits.
  EXPECT_EQ(kReciprocalScaling.reduce(16).code, 16u);
  EXPECT_EQ(kReciprocalScaling.reduce(16).group, 0);
  EXPECT_EQ(kReciprocalScaling.reduce(127).code, 127u);
  EXPECT_EQ(kReciprocalScaling.reduce(128).code, 16u);
  EXPECT_EQ(kReciprocalScaling.reduce(128).group, 1);
  EXPECT_EQ(kReciprocalScaling.reduce(132).code, 17u);   // 16.5
  EXPECT_EQ(kReciprocalScaling.reduce(1023).code, 127u); // 127.9
  EXPECT_EQ(kReciprocalScaling.reduce(1).code, 64u);
  EXPECT_EQ(kReciprocalScaling.reduce(1).group, -2);
  EXPECT_EQ(kRootScaling.reduce(1).code, 16u);
  EXPECT_EQ(kRootScaling.reduce(1).group, -1);
}

// The function of the code, shifted back, is the function of the number: exactly where no
// bit is lost.
TEST(RangeScaling, UndoesItself) {
  for (uint64_t code = 16; code < 128; ++code)
    for (int group = 0; group < 18; ++group) {
      const RangeScaling::Scaled scaled = kReciprocalScaling.reduce(code << (3 * group));
      EXPECT_EQ(scaled.code, code);
      EXPECT_EQ(kReciprocalScaling.reciprocalExponent(scaled.group), -3 * group);
    }
  for (uint64_t code = 8; code < 128; ++code)
    for (int group = 0; group < 13; ++group) {
      const RangeScaling::Scaled scaled = kRootScaling.reduce(code << (4 * group));
      EXPECT_EQ(scaled.code, code);
      EXPECT_EQ(kRootScaling.rootExponent(scaled.group), -2 * group);
    }
}
