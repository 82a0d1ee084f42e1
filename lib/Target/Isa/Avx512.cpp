//===- Avx512.cpp - AVX-512 without dot products of bytes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Isas.h"

using namespace vitq;

const Isa isas::kAvx512 = {"avx512",
                           "x86_64",
                           "+avx512bw,+avx512vl,+avx512dq",
                           /*vectorBits=*/512,
                           /*dot8=*/{16, 2, 16, false, "llvm.x86.avx512.pmaddw.d.512", false},
                           /*dot16=*/{16, 2, 16, false, "llvm.x86.avx512.pmaddw.d.512", false},
                           /*tileRows=*/6,
                           /*tileVectors=*/4,
                           /*variableShifts=*/true,
                           ByteLookup::Shuffle16,
                           /*permuteWords=*/"llvm.x86.avx512.permvar.si.512",
                           "llvm.readcyclecounter",
                           /*l2Bytes=*/1 << 20,
                           /*addDot16=*/nullptr,
                           /*multipliesEvenLanes=*/true,
                           /*tuning=*/"",
                           /*maskedMoves=*/true,
                           {/*dot=*/{16, 4, 8, true, "llvm.x86.avx512.pmaddubs.w.512", false},
                            /*addPairs=*/"llvm.x86.avx512.pmaddw.d.512", /*timesOnes=*/true, /*tileRows=*/6},
                           isas::kPacks512};
