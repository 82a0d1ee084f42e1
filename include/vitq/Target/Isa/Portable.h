//===- Portable.h - The target that is no processor -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_ISA_PORTABLE_H
#define VITQ_TARGET_ISA_PORTABLE_H

#include "vitq/Target/Isa/TargetDesc.h"

namespace vitq {

/// The text of the target whose kernels compute one number at a time: they become C
/// (--target=c). TargetDesc::parse reads it.
inline constexpr llvm::StringLiteral kPortable = "portable";

/// Whether rows are computed in vectors of at least 128 bits; otherwise one number at a time.
inline bool hasVectors(const TargetDesc &target) { return target.vectorBits >= 128; }

/// Whether LLVM has code for it; otherwise it is only written as C.
inline bool hasMachine(const TargetDesc &target) { return !target.triple.empty(); }

/// TargetDesc::parse of a CPU that LLVM has code for; the error of another says what it is for.
llvm::Expected<TargetDesc> parseMachine(llvm::StringRef text);

} // namespace vitq

#endif // VITQ_TARGET_ISA_PORTABLE_H
