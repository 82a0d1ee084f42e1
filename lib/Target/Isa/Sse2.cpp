//===- Sse2.cpp - Any x86-64 -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Isas.h"

using namespace vitq;

const Isa isas::kSse2 = {"sse2",
                         "x86_64",
                         "",
                         /*vectorBits=*/128,
                         /*dot8=*/{4, 2, 16, false, "llvm.x86.sse2.pmadd.wd", false},
                         /*dot16=*/{4, 2, 16, false, "llvm.x86.sse2.pmadd.wd", false},
                         /*tileRows=*/6,
                         /*tileVectors=*/2,
                         /*variableShifts=*/false,
                         ByteLookup::Scalar,
                         /*permuteWords=*/nullptr,
                         "llvm.readcyclecounter",
                         /*l2Bytes=*/256 << 10};
