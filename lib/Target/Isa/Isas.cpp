//===- Isas.cpp - The instruction sets, the best first -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Isas.h"

using namespace vitq;

static const Isa *const kAll[] = {
    &isas::kAmx,    &isas::kAvx512VnniVbmi, &isas::kAvx512Vnni,     &isas::kAvx512,     &isas::kAvxVnni,
    &isas::kAvx2,   &isas::kSse2,           &isas::kSveI8mm512,     &isas::kSveI8mm256, &isas::kSve512,
    &isas::kSve256, &isas::kAarch64I8mm,    &isas::kAarch64Dotprod, &isas::kAarch64,
};

llvm::ArrayRef<const Isa *> vitq::allIsas() { return kAll; }
