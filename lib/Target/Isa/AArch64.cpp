//===- AArch64.cpp - NEON and SVE -*- C++ -*-===//
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
                          ShortDot shortDot = {}, DotInstruction unsignedMatrices = {},
                          DotInstruction signedMatrices = {}, unsigned vectorBits = 128) noexcept {
  return {name,
          "aarch64",
          features,
          vectorBits,
          dot8,
          /*dot16=*/{vectorBits / 32, 1, 16, false, "", false},
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
          shortDot,
          /*packs=*/{},
          unsignedMatrices,
          signedMatrices,
          /*matrixVectors=*/3,
          /*scalableVectors=*/vectorBits > 128};
}

/// SVE with registers of so many bits, of which all that is used is in its first version. Products of matrices are one
/// in each 128 of them.
static constexpr Isa sve(const char *name, unsigned bits, bool multipliesMatrices) noexcept {
  const unsigned lanes = bits / 32;
  const DotInstruction sdot = {lanes, 4, 8, false, "llvm.aarch64.sve.sdot.nxv4i32", true, 1, true};
  if (!multipliesMatrices)
    return neon(name, "+sve", sdot, 6, {}, {}, {}, bits);
  return neon(name, "+sve,+i8mm", {lanes, 4, 8, true, "llvm.aarch64.sve.usdot.nxv4i32", true, 1, true}, 6, {},
              {lanes, 8, 8, true, "llvm.aarch64.sve.usmmla.nxv4i32", true, 2, true},
              {lanes, 8, 8, false, "llvm.aarch64.sve.smmla.nxv4i32", true, 2, true}, bits);
}

const Isa isas::kSveI8mm512 = sve("sve-i8mm-512", 512, true);
const Isa isas::kSveI8mm256 = sve("sve-i8mm-256", 256, true);
const Isa isas::kSve512 = sve("sve-512", 512, false);
const Isa isas::kSve256 = sve("sve-256", 256, false);

const Isa isas::kAarch64I8mm =
    neon("aarch64-i8mm", "+neon,+i8mm,+dotprod", {4, 4, 8, true, "llvm.aarch64.neon.usdot.v4i32.v16i8", true}, 6, {},
         {4, 8, 8, true, "llvm.aarch64.neon.usmmla.v4i32.v16i8", true, 2},
         {4, 8, 8, false, "llvm.aarch64.neon.smmla.v4i32.v16i8", true, 2});
const Isa isas::kAarch64Dotprod =
    neon("aarch64-dotprod", "+neon,+dotprod", {4, 4, 8, false, "llvm.aarch64.neon.sdot.v4i32.v16i8", true}, 6);
const Isa isas::kAarch64 = neon("aarch64", "+neon", {4, 1, 16, false, "", false}, 4,
                                {{4, 2, 8, false, "", false}, "llvm.aarch64.neon.saddlp.v4i32.v8i16", false, 0, true});
