//===- Emulator.h - Programs for another architecture -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_TARGET_EMULATOR_H
#define VITQ_TEST_UNIT_TARGET_EMULATOR_H

#include "llvm/ADT/ArrayRef.h"

#include <optional>
#include <vector>

namespace vitq::test {

/// Whether the tools to run programs for AArch64 are installed.
bool canEmulateAArch64();

/// The output of an AArch64 object that exports `vitq_program_v1`.
std::optional<std::vector<char>> runEmulated(llvm::ArrayRef<char> object, llvm::ArrayRef<char> in, size_t outputBytes);

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_TARGET_EMULATOR_H
