//===- Portable.cpp - No instruction set -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels whose every value is one number, as C has them. A column of the right operand is
// one run of elements, so that the innermost loop of a product is a sum of products of two
// arrays, or four of them that share one: what C compilers know how to vectorize. Memory is
// that of a microcontroller: what is copied to be reused is small.
//
//===----------------------------------------------------------------------===//

#include "Isas.h"

using namespace vitq;

const Isa isas::kPortable = {"portable",
                             /*arch=*/"",
                             "",
                             /*vectorBits=*/8,
                             /*dot8=*/{1, 1, 8, false, nullptr, false},
                             /*dot16=*/{1, 1, 16, false, nullptr, false},
                             /*tileRows=*/4,
                             /*tileVectors=*/1,
                             /*variableShifts=*/true,
                             ByteLookup::Scalar,
                             /*permuteWords=*/nullptr,
                             "llvm.readcyclecounter",
                             /*l2Bytes=*/32 << 10};
