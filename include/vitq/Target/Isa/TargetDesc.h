//===- TargetDesc.h - What the code generator knows of a CPU -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_ISA_TARGETDESC_H
#define VITQ_TARGET_ISA_TARGETDESC_H

#include "vitq/Target/Isa/Isa.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace vitq {

/// The CPU that code is generated for. Passes branch on the facts of its
/// instruction set, never on names of CPUs or features.
struct TargetDesc {
  /// The text it was parsed from.
  std::string text;
  std::string triple;
  std::string cpu;
  /// LLVM feature string, "+a,-b"; empty when the CPU says it all.
  std::string features;
  /// The facts that kernels and layouts are shaped by.
  const Isa *isa = nullptr;
  /// Facts that also need the instructions: those of the machine, if it is another.
  unsigned vectorBits = 128;
  bool variableShifts = false;
  ByteLookup byteLookup = ByteLookup::Scalar;
  const char *permuteWords = nullptr;
  /// Spell the dot product out instead of using its instruction.
  bool emulateDot = false;

  bool isX86() const;
  /// Registers must have `vectorBits` bits, which the CPU's features do not say.
  bool needsVectorLength() const { return isa && isa->scalableVectors && !emulateDot; }

  /// Parses `native`, an LLVM CPU name or level (`x86-64-v3`, `znver4`), or
  /// `aarch64`, each with features: `x86-64-v4+avx512vnni`, `aarch64+dotprod`; with SVE the
  /// length of its registers may follow, `aarch64+sve2,vector-bits=256`, for which kernels
  /// then are, and programs of which refuse any other.
  /// The error of an unknown name lists its neighbours. `A@B` is for tests: the
  /// kernels and layouts of A in instructions of B.
  static llvm::Expected<TargetDesc> parse(llvm::StringRef text);

  /// A machine for this CPU that emits position-independent code.
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine() const;

  /// Whether this process can run the code.
  bool runsOnHost() const;
};

} // namespace vitq

#endif // VITQ_TARGET_ISA_TARGETDESC_H
