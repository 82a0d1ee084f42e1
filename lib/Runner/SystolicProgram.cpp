//===- SystolicProgram.cpp - Programs for the systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arena.h"
#include "ProgramKinds.h"

#include "vitq/Simulator/Rtl.h"
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
  /// The same array as hardware, where it is asked for.
  std::unique_ptr<simulator::RtlArray> rtl;
};

class SystolicProgram final : public Program {
public:
  static llvm::Expected<std::unique_ptr<Program>> open(llvm::StringRef path);
  llvm::Expected<llvm::SmallVector<Tensor>> run(const Tensor &input) const override;
  const simulator::Program *getArrayProgram() const override { return &program; }
  llvm::Error setRtl(llvm::StringRef library) override;
  std::vector<uint64_t> rtlCycles() const override;

private:
  llvm::Error fail(const llvm::Twine &what) const { return llvm::createStringError(information.path + ": " + what); }
  llvm::Error linkHost();
  std::unique_ptr<Machine> takeMachine() const;
  llvm::Error launch(int32_t number, char *const *pointers, Machine &machine) const;
  llvm::Error launchRtl(uint32_t number, simulator::OperandPointers operands, Machine &machine) const;
  static void launchCurrent(int32_t number, char *const *pointers);

  simulator::Program program;
  std::unique_ptr<JitProgram> host;
  int64_t arenaAlign = 64;
  /// Machines that no thread uses now.
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Machine>> idle;
  /// The RTL, and the cycles of each launch there and in the simulator.
  std::shared_ptr<const simulator::RtlLibrary> rtl;
  mutable std::vector<uint64_t> cyclesOfRtl;
  std::vector<uint64_t> simulatedCycles;
};

/// The run that this thread is in: host code knows nothing of the array but a function.
struct CurrentRun {
  const SystolicProgram *program = nullptr;
  Machine *machine = nullptr;
  /// Of the first launch that failed; nothing is launched after it.
  std::string problem;
};
thread_local CurrentRun *currentRun = nullptr;

} // namespace

/// Host code is as trusted as that of a shared object; a launch that there is not would
/// still be a mistake worth a message.
llvm::Error SystolicProgram::launch(int32_t number, char *const *pointers, Machine &machine) const {
  if (number < 0 || static_cast<size_t>(number) >= program.launches.size())
    return llvm::createStringError("host code asks for a launch that is not in the program");
  llvm::SmallVector<char *> operands;
  for (const simulator::Operand &operand : program.launches[number].operands)
    operands.push_back(operand.host >= 0 ? pointers[operand.host]
                                         : const_cast<char *>(program.image.data()) + operand.offset);
  if (machine.rtl)
    return launchRtl(static_cast<uint32_t>(number), operands, machine);
  machine.executor.run(static_cast<uint32_t>(number), operands);
  return llvm::Error::success();
}

/// The RTL works on copies of what it may write, the simulator on the operands: both begin with the same.
llvm::Error SystolicProgram::launchRtl(uint32_t number, simulator::OperandPointers operands, Machine &machine) const {
  const simulator::Launch &launch = program.launches[number];
  std::vector<std::vector<char>> copies(operands.size());
  llvm::SmallVector<char *> own(operands);
  for (auto [i, operand] : llvm::enumerate(launch.operands))
    if (operand.isOutput) {
      copies[i].assign(operands[i], operands[i] + operand.bytes);
      own[i] = copies[i].data();
    }
  llvm::Expected<simulator::RtlCounters> counters =
      machine.rtl->run(program, number, own, 2 * simulatedCycles[number] + 10000);
  if (!counters)
    return counters.takeError();
  machine.executor.run(number, operands);
  for (auto [i, operand] : llvm::enumerate(launch.operands))
    if (operand.isOutput && !std::equal(copies[i].begin(), copies[i].end(), operands[i]))
      return llvm::createStringError("launch " + llvm::Twine(number) + " (node '" + launch.node +
                                     "'): the RTL gives another operand " + llvm::Twine(i) + " than the simulator");
  std::lock_guard<std::mutex> lock(mutex);
  cyclesOfRtl[number] = counters->cycles;
  return llvm::Error::success();
}

llvm::Error SystolicProgram::setRtl(llvm::StringRef library) {
  llvm::Expected<std::shared_ptr<const simulator::RtlLibrary>> opened = simulator::RtlLibrary::open(library);
  if (!opened)
    return opened.takeError();
  if (llvm::Error error = (*opened)->accept(program.config))
    return error;
  // What the RTL lacks is said before anything runs.
  for (const simulator::Launch &launch : program.launches)
    if (llvm::Error error = (*opened)->accept(program, launch))
      return fail(llvm::toString(std::move(error)));
  rtl = std::move(*opened);
  cyclesOfRtl.assign(program.launches.size(), 0);
  for (const simulator::Counters &counters : simulator::simulateTiming(program).launches)
    simulatedCycles.push_back(counters.cycles);
  return llvm::Error::success();
}

std::vector<uint64_t> SystolicProgram::rtlCycles() const {
  std::lock_guard<std::mutex> lock(mutex);
  return cyclesOfRtl;
}

void SystolicProgram::launchCurrent(int32_t number, char *const *pointers) {
  CurrentRun &run = *currentRun;
  if (!run.problem.empty())
    return;
  if (llvm::Error error = run.program->launch(number, pointers, *run.machine))
    run.problem = llvm::toString(std::move(error));
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
  auto machine =
      std::make_unique<Machine>(program, static_cast<size_t>(*information.arenaBytes), static_cast<size_t>(arenaAlign));
  if (rtl)
    machine->rtl = std::make_unique<simulator::RtlArray>(rtl);
  return machine;
}

llvm::Expected<llvm::SmallVector<Tensor>> SystolicProgram::run(const Tensor &input) const {
  if (!host)
    return fail("has no host code: it can be timed, not run");
  std::unique_ptr<Machine> machine = takeMachine();
  Tensor memory = allocateOutputs(information);
  CurrentRun run{this, machine.get(), {}};
  CurrentRun *outer = std::exchange(currentRun, &run);
  const int status = host->run(input.bytes(), memory.mutableBytes(), machine->arena.memory);
  currentRun = outer;
  {
    std::lock_guard<std::mutex> lock(mutex);
    idle.push_back(std::move(machine));
  }
  if (status)
    return fail("the program returned " + llvm::Twine(status));
  if (!run.problem.empty())
    return fail(run.problem);
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
