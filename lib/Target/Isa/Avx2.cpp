//===- Avx2.cpp - AVX2 -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Isas.h"

using namespace vitq;

// 12 sums, 2 vectors of weights and a broadcast operand of 16 registers.
const Isa isas::kAvx2 = {"avx2",
                         "x86_64",
                         "+avx2",
                         /*vectorBits=*/256,
                         /*dot8=*/{8, 2, 16, false, "llvm.x86.avx2.pmadd.wd", false},
                         /*dot16=*/{8, 2, 16, false, "llvm.x86.avx2.pmadd.wd", false},
                         /*tileRows=*/6,
                         /*tileVectors=*/2,
                         /*variableShifts=*/true,
                         ByteLookup::Shuffle16,
                         /*permuteWords=*/"llvm.x86.avx2.permd",
                         "llvm.readcyclecounter",
                         /*l2Bytes=*/512 << 10,
                         /*addDot16=*/nullptr,
                         /*multipliesEvenLanes=*/true,
                         /*tuning=*/"",
                         /*maskedMoves=*/false,
                         {/*dot=*/{8, 4, 8, true, "llvm.x86.avx2.pmadd.ub.sw", false},
                          /*addPairs=*/"llvm.x86.avx2.pmadd.wd", /*timesOnes=*/true, /*tileRows=*/5}};
