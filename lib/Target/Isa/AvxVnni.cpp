//===- AvxVnni.cpp - AVX2 with dot products of bytes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Isas.h"

using namespace vitq;

const Isa isas::kAvxVnni = {"avx-vnni",
                            "x86_64",
                            "+avx2,+avxvnni",
                            /*vectorBits=*/256,
                            /*dot8=*/{8, 4, 8, true, "llvm.x86.avx512.vpdpbusd.256", true},
                            /*dot16=*/{8, 2, 16, false, "llvm.x86.avx2.pmadd.wd", false},
                            /*tileRows=*/6,
                            /*tileVectors=*/2,
                            /*variableShifts=*/true,
                            ByteLookup::Shuffle16,
                            /*permuteWords=*/"llvm.x86.avx2.permd",
                            "llvm.readcyclecounter",
                            /*l2Bytes=*/1 << 20,
                            /*addDot16=*/"llvm.x86.avx512.vpdpwssd.256",
                            /*multipliesEvenLanes=*/true,
                            /*tuning=*/"+fast-dpwssd"};
