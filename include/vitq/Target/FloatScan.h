//===- FloatScan.h - Floating-point arithmetic in machine code -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_FLOATSCAN_H
#define VITQ_TARGET_FLOATSCAN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace vitq {

/// An instruction that computes with floating-point numbers.
struct FloatInstruction {
  std::string function;
  uint64_t offset = 0;
  std::string mnemonic;
};

/// Disassembles an object or shared library (x86-64, AArch64) and returns its
/// floating-point arithmetic, conversions and comparisons. Moves, shuffles, blends
/// and bitwise operations of floating-point type are no arithmetic.
llvm::Expected<std::vector<FloatInstruction>> scanForFloat(llvm::ArrayRef<uint8_t> object);
llvm::Expected<std::vector<FloatInstruction>> scanForFloat(llvm::StringRef path);

/// Whether a mnemonic (AT&T spelling on x86) is such an instruction.
bool isFloatMnemonic(llvm::StringRef mnemonic, bool isX86);

} // namespace vitq

#endif // VITQ_TARGET_FLOATSCAN_H
