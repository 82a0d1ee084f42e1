//===- TargetDesc.h - What the code generator knows of a CPU -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_TARGETDESC_H
#define VITQ_TARGET_TARGETDESC_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class TargetMachine;
} // namespace llvm

namespace vitq {

/// The instruction on which contractions are built.
///   VnniU8S8_512/256: `vpdpbusd`, four u8*s8 products into an i32 lane.
///   MaddI16_512/256/128: `vpmaddwd`, two s16*s16 products into an i32 lane.
///   Plain: widening multiply and add on 32-bit lanes, any CPU.
/// All are exact. `vpmaddubsw` saturates and is never used.
enum class DotKind { VnniU8S8_512, VnniU8S8_256, MaddI16_512, MaddI16_256, MaddI16_128, Plain };

/// Facts about the CPU that code is generated for. Passes branch on these, never
/// on names of CPUs or features.
struct TargetDesc {
  /// The text it was parsed from.
  std::string text;
  std::string triple;
  std::string cpu;
  /// LLVM feature string, "+a,-b"; empty when the CPU says it all.
  std::string features;
  /// Width of the vectors that row kernels work with.
  unsigned vectorBits = 128;
  DotKind dot = DotKind::Plain;
  /// Whether a vector can be shifted by a vector of amounts. Where it cannot,
  /// LLVM would compute the shift with floating point: nothing but contractions
  /// is vectorized.
  bool variableShifts = false;
  /// Output tile of the contraction kernel.
  unsigned tileRows = 4;
  unsigned tileCols = 16;
  /// Spell the dot product out instead of using its instruction.
  bool emulateDot = false;

  unsigned dotBits() const;
  bool isX86() const;

  /// Parses `native`, an LLVM CPU name or level (`x86-64-v3`, `znver4`), or
  /// `aarch64`, each with features: `x86-64-v4+avx512vnni`, `aarch64+dotprod`.
  /// The error of an unknown name lists its neighbours. `A@B` is for tests: the
  /// kernels and layouts of A in instructions of B.
  static llvm::Expected<TargetDesc> parse(llvm::StringRef text);

  /// A machine for this CPU that emits position-independent code.
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine() const;

  /// Whether this process can run the code.
  bool runsOnHost() const;
};

/// Short name, part of the names of kernels.
llvm::StringRef dotKindName(DotKind kind);

} // namespace vitq

#endif // VITQ_TARGET_TARGETDESC_H
