//===- AArch64.cpp - NEON, with and without dot products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Isas.h"

using namespace vitq;

// 24 sums, 4 vectors of weights and a broadcast operand of 32 registers.
static constexpr Isa neon(const char *name, const char *features, DotInstruction dot8, unsigned tileRows,
                          ShortDot shortDot = {}) noexcept {
  return {name,
          "aarch64",
          features,
          /*vectorBits=*/128,
          dot8,
          /*dot16=*/{4, 1, 16, false, "", false},
          tileRows,
          /*tileVectors=*/4,
          /*variableShifts=*/true,
          ByteLookup::Table64,
          /*permuteWords=*/nullptr,
          "llvm.readsteadycounter",
          /*l2Bytes=*/512 << 10,
          /*addDot16=*/nullptr,
          /*multipliesEvenLanes=*/false,
          /*tuning=*/"",
          /*maskedMoves=*/false,
          shortDot};
}

const Isa isas::kAarch64I8mm =
    neon("aarch64-i8mm", "+neon,+i8mm,+dotprod", {4, 4, 8, true, "llvm.aarch64.neon.usdot.v4i32.v16i8", true}, 6);
const Isa isas::kAarch64Dotprod =
    neon("aarch64-dotprod", "+neon,+dotprod", {4, 4, 8, false, "llvm.aarch64.neon.sdot.v4i32.v16i8", true}, 6);
const Isa isas::kAarch64 = neon("aarch64", "+neon", {4, 1, 16, false, "", false}, 4,
                                {{4, 2, 8, false, "", false}, "llvm.aarch64.neon.saddlp.v4i32.v8i16", false, 0, true});
