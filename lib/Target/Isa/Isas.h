//===- Isas.h - The instruction sets -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TARGET_ISA_ISAS_H
#define VITQ_LIB_TARGET_ISA_ISAS_H

#include "vitq/Target/Isa/Isa.h"

namespace vitq::isas {

inline constexpr PackInstructions kPacks512 = {"llvm.x86.avx512.packssdw.512", "llvm.x86.avx512.packsswb.512",
                                               "llvm.x86.avx512.packuswb.512"};

extern const Isa kAmx, kAvx512VnniVbmi, kAvx512Vnni, kAvx512, kAvxVnni, kAvx2, kSse2;
extern const Isa kSveI8mm512, kSveI8mm256, kSve512, kSve256;
extern const Isa kAarch64I8mm, kAarch64Dotprod, kAarch64;
/// Of no architecture: not one of allIsas.
extern const Isa kPortable;

} // namespace vitq::isas

#endif // VITQ_LIB_TARGET_ISA_ISAS_H
