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
    &isas::avx512VnniVbmi, &isas::avx512Vnni,  &isas::avx512,         &isas::avxVnni, &isas::avx2,
    &isas::sse2,           &isas::aarch64I8mm, &isas::aarch64Dotprod, &isas::aarch64,
};

llvm::ArrayRef<const Isa *> vitq::allIsas() { return kAll; }
