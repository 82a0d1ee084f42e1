//===- Avx512Vnni.cpp - AVX-512 with dot products of bytes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Isas.h"

using namespace vitq;

// 24 sums, 4 vectors of weights and a broadcast operand of 32 registers.
static constexpr Isa vnni(const char *name, const char *features, ByteLookup lookup, unsigned l2Bytes = 1 << 20,
                          TileRegisters tileRegisters = {}) noexcept {
  return {name,
          "x86_64",
          features,
          /*vectorBits=*/512,
          /*dot8=*/{16, 4, 8, true, "llvm.x86.avx512.vpdpbusd.512", true},
          /*dot16=*/{16, 2, 16, false, "llvm.x86.avx512.pmaddw.d.512", false},
          /*tileRows=*/6,
          /*tileVectors=*/4,
          /*variableShifts=*/true,
          lookup,
          /*permuteWords=*/"llvm.x86.avx512.permvar.si.512",
          "llvm.readcyclecounter",
          l2Bytes,
          /*addDot16=*/"llvm.x86.avx512.vpdpwssd.512",
          /*multipliesEvenLanes=*/true,
          /*tuning=*/"+fast-dpwssd",
          /*maskedMoves=*/true,
          /*shortDot=*/{},
          isas::kPacks512,
          /*unsignedMatrices=*/{},
          /*signedMatrices=*/{},
          /*matrixVectors=*/0,
          /*scalableVectors=*/false,
          tileRegisters,
          /*storesBeside=*/!tileRegisters.unsignedProduct};
}

// What has no tiles is computed as without them: every CPU that has AMX has these vectors.
const Isa isas::kAmx = vnni("amx", "+amx-int8,+avx512vnni,+avx512vbmi,+avx512bw,+avx512vl,+avx512dq",
                            ByteLookup::Permute128, /*l2Bytes=*/2 << 20, {"llvm.x86.tdpbusd", "llvm.x86.tdpbssd"});
const Isa isas::kAvx512VnniVbmi =
    vnni("avx512-vnni-vbmi", "+avx512vnni,+avx512vbmi,+avx512bw,+avx512vl,+avx512dq", ByteLookup::Permute128);
const Isa isas::kAvx512Vnni = vnni("avx512-vnni", "+avx512vnni,+avx512bw,+avx512vl,+avx512dq", ByteLookup::Shuffle16);
