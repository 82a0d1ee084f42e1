//===- JitProgram.cpp - Compiled programs in this process -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/JitProgram.h"

#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"

#include <cstring>
#include <mutex>

using namespace llvm;
using namespace vitq;

static void initializeHost() {
  static std::once_flag once;
  std::call_once(once, [] {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
  });
}

JitProgram::JitProgram(std::unique_ptr<orc::LLJIT> jit, const vitq_program *program)
    : jit(std::move(jit)), program(program) {}

JitProgram::~JitProgram() = default;

/// All that a program may call.
static Error defineFunctions(orc::LLJIT &jit, ArrayRef<JitSymbol> others) {
  orc::SymbolMap symbols;
  auto define = [&](StringRef name, auto *function) {
    symbols[jit.mangleAndIntern(name)] = {orc::ExecutorAddr::fromPtr(function),
                                          JITSymbolFlags::Exported | JITSymbolFlags::Callable};
  };
  for (const JitSymbol &symbol : others)
    define(symbol.name, symbol.address);
  define("memcpy", static_cast<void *(*)(void *, const void *, size_t)>(&std::memcpy));
  define("memmove", static_cast<void *(*)(void *, const void *, size_t)>(&std::memmove));
  define("memset", static_cast<void *(*)(void *, int, size_t)>(&std::memset));
  return jit.getMainJITDylib().define(orc::absoluteSymbols(std::move(symbols)));
}

Expected<std::unique_ptr<JitProgram>> JitProgram::load(ArrayRef<char> object, ArrayRef<JitSymbol> symbols) {
  initializeHost();
  // Programs have no initializers, and nothing of the process but the memory
  // functions is visible to them.
  auto jit =
      orc::LLJITBuilder().setPlatformSetUp(orc::setUpInactivePlatform).setLinkProcessSymbolsByDefault(false).create();
  if (!jit)
    return jit.takeError();
  if (Error error = defineFunctions(**jit, symbols))
    return std::move(error);
  auto buffer = MemoryBuffer::getMemBufferCopy(StringRef(object.data(), object.size()), "program");
  if (Error error = (*jit)->addObjectFile(std::move(buffer)))
    return std::move(error);
  auto symbol = (*jit)->lookup(VITQ_PROGRAM_SYMBOL);
  if (!symbol)
    return symbol.takeError();
  const auto *program = symbol->toPtr<const vitq_program *>();
  if (program->abi_version < VITQ_PROGRAM_ABI_VERSION_ONE_OUTPUT || program->abi_version > VITQ_PROGRAM_ABI_VERSION)
    return createStringError("the program has ABI version " + Twine(program->abi_version) + ", not " +
                             Twine(VITQ_PROGRAM_ABI_VERSION_ONE_OUTPUT) + " to " + Twine(VITQ_PROGRAM_ABI_VERSION));
  return std::unique_ptr<JitProgram>(new JitProgram(std::move(*jit), program));
}
