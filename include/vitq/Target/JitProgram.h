//===- JitProgram.h - Compiled programs in this process -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_JITPROGRAM_H
#define VITQ_TARGET_JITPROGRAM_H

#include "vitq/Target/Program.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace vitq {

/// A function of this process that a program may call.
struct JitSymbol {
  llvm::StringRef name;
  void *address;
};

/// The object of a program, linked into this process.
class JitProgram {
public:
  /// Links what `emitObject` wrote; `object` is copied. The object must be for a
  /// processor that this process runs on (`TargetDesc::runsOnHost`) and may refer
  /// to memcpy, memmove, memset and `symbols` only. Errors: it is no such object.
  static llvm::Expected<std::unique_ptr<JitProgram>> load(llvm::ArrayRef<char> object,
                                                          llvm::ArrayRef<JitSymbol> symbols = {});

  /// Unloads the code; no `run` may be going on.
  ~JitProgram();

  /// As `vitq_program::run`. May be called from several threads at once, each with
  /// an arena of its own.
  int run(const void *in, void *out, void *arena) const { return program->run(in, out, arena); }

  /// All entry points; they live as long as this.
  const vitq_program *getCompiled() const { return program; }

  /// The manifest embedded in the object.
  llvm::StringRef manifest() const { return program->manifest; }

private:
  JitProgram(std::unique_ptr<llvm::orc::LLJIT> jit, const vitq_program *program);

  std::unique_ptr<llvm::orc::LLJIT> jit;
  const vitq_program *program;
};

} // namespace vitq

#endif // VITQ_TARGET_JITPROGRAM_H
