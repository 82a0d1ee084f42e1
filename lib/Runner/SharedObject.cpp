//===- SharedObject.cpp - Compiled programs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arena.h"
#include "ProgramKinds.h"

#include "vitq/Target/Isa/Portable.h"
#include "vitq/Target/Program.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"

#include <dlfcn.h>

using namespace vitq;
using namespace vitq::runner;

namespace {

struct CloseLibrary {
  void operator()(void *handle) const { dlclose(handle); }
};

class SharedObject final : public Program {
public:
  static llvm::Expected<std::unique_ptr<Program>> open(llvm::StringRef path);
  bool isCompiled() const override { return true; }
  const vitq_program *getCompiled() const override { return symbols; }
  llvm::Expected<llvm::SmallVector<Tensor>> run(const Tensor &input) const override;
  llvm::Error setThreads(int threads) override;
  llvm::Error runProfiled(const Tensor &input, std::vector<uint64_t> &ticks) const override;

private:
  llvm::Error fail(const llvm::Twine &what) const { return llvm::createStringError(information.path + ": " + what); }
  llvm::Error checkStatus(int status) const;
  void *arena() const;

  std::unique_ptr<void, CloseLibrary> library;
  const vitq_program *symbols = nullptr;
  decltype(vitq_program::run) entry = nullptr;
  decltype(vitq_program::run_mt) parallelEntry = nullptr;
  decltype(vitq_program::run_profiled) profiledEntry = nullptr;
  int64_t arenaAlign = 64;
  /// 0: `entry`.
  int threads = 0;
};

} // namespace

llvm::Expected<std::unique_ptr<Program>> SharedObject::open(llvm::StringRef path) {
  auto fail = [&](const llvm::Twine &what) { return llvm::createStringError(path + ": " + what); };
  // dlopen looks names without a slash up elsewhere.
  llvm::SmallString<256> absolute(path);
  if (std::error_code error = llvm::sys::fs::make_absolute(absolute))
    return fail(error.message());
  if (llvm::Error error = checkLibraryFile(path))
    return error;
  auto program = std::make_unique<SharedObject>();
  program->information.path = path.str();
  program->library.reset(dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!program->library)
    return fail(llvm::Twine("cannot be loaded: ") + dlerror());
  auto *symbol = static_cast<const vitq_program *>(dlsym(program->library.get(), VITQ_PROGRAM_SYMBOL));
  if (!symbol)
    return fail("is no vitq program: it does not export '" VITQ_PROGRAM_SYMBOL "' (made by vitq-opt --emit=so)");
  if (symbol->abi_version < 1 || symbol->abi_version > VITQ_PROGRAM_ABI_VERSION)
    return fail("has ABI version " + llvm::Twine(symbol->abi_version) + ", this vitq-run knows 1 to " +
                llvm::Twine(VITQ_PROGRAM_ABI_VERSION) + "; compile it again");
  if (!symbol->run || !symbol->manifest || !symbol->name)
    return fail("is damaged: its name, code or manifest is missing");
  std::string target;
  if (llvm::Error error = parseManifest(symbol->manifest, program->information, program->arenaAlign, target))
    return error;
  llvm::Expected<TargetDesc> description = TargetDesc::parse(target);
  if (!description)
    return fail(llvm::toString(description.takeError()));
  if (hasMachine(*description) && !description->runsOnHost())
    return fail("was compiled for '" + target + "', which this CPU cannot run; compile with --target=native here");
  program->symbols = symbol;
  program->entry = symbol->run;
  const Isa &isa = *description->isa;
  const char *intrinsic = (isa.signedMatrices.group ? isa.signedMatrices : isa.dot8).intrinsic;
  if (isa.tileRegisters && !description->emulateDot)
    intrinsic = isa.tileRegisters.unsignedProduct;
  if (intrinsic)
    program->information.dotIntrinsic = intrinsic;
  if (symbol->abi_version >= 2) {
    program->profiledEntry = symbol->run_profiled;
    program->parallelEntry = symbol->run_mt;
    // Threads of the OpenMP runtime go on waiting in it: it must stay.
    if (program->parallelEntry)
      dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD | RTLD_NODELETE);
  }
  return std::unique_ptr<Program>(std::move(program));
}

/// One arena for each thread that calls, kept between runs.
void *SharedObject::arena() const {
  thread_local std::unique_ptr<Arena> arena;
  auto size = static_cast<size_t>(*information.arenaBytes + std::max(threads - 1, 0) * information.threadArenaBytes);
  auto align = static_cast<size_t>(arenaAlign);
  if (!arena || arena->size < size || arena->align < align)
    arena = std::make_unique<Arena>(size, align);
  return arena->memory;
}

llvm::Error SharedObject::checkStatus(int status) const {
  return status ? fail("the program returned " + llvm::Twine(status)) : llvm::Error::success();
}

llvm::Expected<llvm::SmallVector<Tensor>> SharedObject::run(const Tensor &input) const {
  Tensor memory = allocateOutputs(information);
  int status = threads ? parallelEntry(input.bytes(), memory.mutableBytes(), arena(), threads)
                       : entry(input.bytes(), memory.mutableBytes(), arena());
  if (llvm::Error error = checkStatus(status))
    return error;
  return outputsIn(memory, information);
}

llvm::Error SharedObject::setThreads(int count) {
  if (!parallelEntry) {
    if (count == 1)
      return llvm::Error::success();
    return fail("runs in one thread only; compile with --openmp");
  }
  threads = count;
  return llvm::Error::success();
}

llvm::Error SharedObject::runProfiled(const Tensor &input, std::vector<uint64_t> &ticks) const {
  if (!profiledEntry || information.steps.empty())
    return fail("has no profile; compile it again with this version of vitq-opt");
  ticks.assign(information.turns * information.steps.size() + 1, 0);
  Tensor memory = allocateOutputs(information);
  return checkStatus(profiledEntry(input.bytes(), memory.mutableBytes(), arena(), ticks.data()));
}

llvm::Expected<std::unique_ptr<Program>> runner::openSharedObject(llvm::StringRef path) {
  return SharedObject::open(path);
}
