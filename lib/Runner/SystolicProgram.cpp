//===- SystolicProgram.cpp - Programs for the systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arena.h"
#include "ProgramKinds.h"

#include "vitq/Simulator/Simulator.h"
#include "vitq/Target/Isa/TargetDesc.h"
#include "vitq/Target/JitProgram.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <mutex>

using namespace vitq;
using namespace vitq::runner;

namespace {

/// An array of its own, and what host code works in.
struct Machine {
  Machine(const simulator::Program &program, size_t arenaBytes, size_t arenaAlign)
      : executor(program), arena(arenaBytes, arenaAlign) {}

  simulator::Executor executor;
  Arena arena;
};

class SystolicProgram final : public Program {
public:
  static llvm::Expected<std::unique_ptr<Program>> open(llvm::StringRef path);
  llvm::Expected<llvm::SmallVector<Tensor>> run(const Tensor &input) const override;
  const simulator::Program *getArrayProgram() const override { return &program; }

private:
  llvm::Error fail(const llvm::Twine &what) const { return llvm::createStringError(information.path + ": " + what); }
  llvm::Error linkHost();
  std::unique_ptr<Machine> takeMachine() const;
  bool launch(int32_t number, char *const *pointers, simulator::Executor &executor) const;
  static void launchCurrent(int32_t number, char *const *pointers);

  simulator::Program program;
  std::unique_ptr<JitProgram> host;
  int64_t arenaAlign = 64;
  /// Machines that no thread uses now.
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Machine>> idle;
};

/// The run that this thread is in: host code knows nothing of the array but a function.
struct CurrentRun {
  const SystolicProgram *program = nullptr;
  simulator::Executor *executor = nullptr;
  bool failed = false;
};
thread_local CurrentRun *currentRun = nullptr;

} // namespace

/// Host code is as trusted as that of a shared object; a launch that there is not would
/// still be a mistake worth a message.
bool SystolicProgram::launch(int32_t number, char *const *pointers, simulator::Executor &executor) const {
  if (number < 0 || static_cast<size_t>(number) >= program.launches.size())
    return false;
  llvm::SmallVector<char *> operands;
  for (const simulator::Operand &operand : program.launches[number].operands)
    operands.push_back(operand.host >= 0 ? pointers[operand.host]
                                         : const_cast<char *>(program.image.data()) + operand.offset);
  executor.run(static_cast<uint32_t>(number), operands);
  return true;
}

void SystolicProgram::launchCurrent(int32_t number, char *const *pointers) {
  CurrentRun &run = *currentRun;
  run.failed |= !run.program->launch(number, pointers, *run.executor);
}

llvm::Error SystolicProgram::linkHost() {
  llvm::Expected<TargetDesc> target = TargetDesc::parse(program.hostTarget);
  if (!target)
    return fail("host code: " + llvm::toString(target.takeError()));
  if (!target->runsOnHost())
    return fail("its host code was compiled for '" + program.hostTarget +
                "', which this CPU cannot run; compile with --host-target=native here");
  const JitSymbol launch{simulator::kLaunchSymbol, reinterpret_cast<void *>(&SystolicProgram::launchCurrent)};
  auto linked = JitProgram::load(program.hostObject, launch);
  if (!linked)
    return fail("host code cannot be linked: " + llvm::toString(linked.takeError()));
  host = std::move(*linked);
  std::string named;
  return parseManifest(host->manifest(), information, arenaAlign, named);
}

llvm::Expected<std::unique_ptr<Program>> SystolicProgram::open(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createStringError(path + ": " + buffer.getError().message());
  llvm::StringRef bytes = (*buffer)->getBuffer();
  auto program = simulator::deserialize(llvm::ArrayRef<char>(bytes.data(), bytes.size()), path);
  if (!program)
    return program.takeError();
  auto opened = std::make_unique<SystolicProgram>();
  opened->information.path = path.str();
  opened->program = std::move(*program);
  if (!opened->program.hostObject.empty())
    if (llvm::Error error = opened->linkHost())
      return error;
  return std::unique_ptr<Program>(std::move(opened));
}

std::unique_ptr<Machine> SystolicProgram::takeMachine() const {
  {
    std::lock_guard<std::mutex> lock(mutex);
    if (!idle.empty()) {
      std::unique_ptr<Machine> machine = std::move(idle.back());
      idle.pop_back();
      return machine;
    }
  }
  return std::make_unique<Machine>(program, static_cast<size_t>(*information.arenaBytes),
                                   static_cast<size_t>(arenaAlign));
}

llvm::Expected<llvm::SmallVector<Tensor>> SystolicProgram::run(const Tensor &input) const {
  if (!host)
    return fail("has no host code: it can be timed, not run");
  std::unique_ptr<Machine> machine = takeMachine();
  Tensor memory = allocateOutputs(information);
  CurrentRun run{this, &machine->executor, false};
  CurrentRun *outer = std::exchange(currentRun, &run);
  const int status = host->run(input.bytes(), memory.mutableBytes(), machine->arena.memory);
  currentRun = outer;
  {
    std::lock_guard<std::mutex> lock(mutex);
    idle.push_back(std::move(machine));
  }
  if (status)
    return fail("the program returned " + llvm::Twine(status));
  if (run.failed)
    return fail("host code asks for a launch that is not in the program");
  return outputsIn(memory, information);
}

bool runner::isSystolicProgram(llvm::StringRef path) {
  if (!llvm::sys::fs::is_regular_file(path))
    return false;
  auto magic = llvm::MemoryBuffer::getFileSlice(path, simulator::kProgramMagic.size(), 0);
  return magic && (*magic)->getBuffer() == simulator::kProgramMagic;
}

llvm::Expected<std::unique_ptr<Program>> runner::openSystolicProgram(llvm::StringRef path) {
  return SystolicProgram::open(path);
}
