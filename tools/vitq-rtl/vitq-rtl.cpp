//===- vitq-rtl.cpp - The array's RTL beside its simulator -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomProgram.h"

#include "vitq/Simulator/Rtl.h"
#include "vitq/Support/AtomicFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVectorExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/WithColor.h"

#include <cmath>

using namespace vitq;
using namespace vitq::simulator;
namespace cl = llvm::cl;

namespace {

struct Flags {
  cl::OptionCategory category{"vitq-rtl options"};
  cl::opt<std::string> library{cl::Positional, cl::Required, cl::desc("<library of rtl/build.sh>"), cl::cat(category)};
  cl::opt<std::string> program{cl::Positional, cl::desc("[program]"), cl::cat(category)};
  cl::opt<unsigned> random{"random", cl::desc("Run this many random launches instead of a program's"), cl::init(0),
                           cl::cat(category)};
  cl::opt<bool> apart{
      "apart", cl::desc("Random launches in which nothing meets in a bank, whose cycles must be the simulator's"),
      cl::cat(category)};
  cl::opt<uint64_t> seed{"seed", cl::desc("Seed of random launches and operands (0)"), cl::init(0), cl::cat(category)};
  cl::opt<double> tolerance{"tolerance", cl::desc("Percent by which the simulator's cycles of a launch may differ (3)"),
                            cl::init(3), cl::cat(category)};
  cl::opt<uint64_t> mostCycles{"most-cycles",
                               cl::desc("Cycles after which a launch is given up (0: by its simulation)"), cl::init(0),
                               cl::cat(category)};
  cl::opt<std::string> save{"save", cl::desc("Where a random launch that fails is written, as a program"),
                            cl::value_desc("file"), cl::cat(category)};
  cl::opt<bool> quiet{"quiet", cl::desc("Print totals only"), cl::cat(category)};
};

/// Launches side by side.
class Comparison {
public:
  Comparison(const Flags &flags, std::shared_ptr<const RtlLibrary> library)
      : flags(flags), library(std::move(library)) {}

  /// Runs the launches of a program, on operands of random bytes where they are the host's. An error is a difference of
  /// values, or a launch that the RTL does not run.
  llvm::Error run(const Program &program, std::mt19937_64 &random);
  bool report();

private:
  llvm::Error runLaunch(const Program &program, uint32_t number, Executor &executor, RtlArray &array,
                        std::mt19937_64 &random);
  void print(const Launch &launch, const RtlCounters &rtl, const Counters &simulated);

  const Flags &flags;
  std::shared_ptr<const RtlLibrary> library;
  uint64_t launches = 0, equal = 0, outside = 0, rtlCycles = 0, simulatedCycles = 0;
  double largest = 0;
};

} // namespace

/// Percent by which a simulated time is off.
static double difference(uint64_t simulated, uint64_t rtl) {
  if (rtl == simulated)
    return 0;
  return 100 * (static_cast<double>(simulated) / static_cast<double>(std::max<uint64_t>(rtl, 1)) - 1);
}

void Comparison::print(const Launch &launch, const RtlCounters &rtl, const Counters &simulated) {
  auto pair = [](const char *name, uint64_t own, uint64_t other) {
    llvm::outs() << "  " << name << " " << own;
    if (own != other)
      llvm::outs() << " (" << other << ")";
  };
  llvm::outs() << "launch " << launches << " " << launch.op << ":";
  pair("cycles", rtl.cycles, simulated.cycles);
  llvm::outs() << llvm::format(" %+.2f %%", difference(simulated.cycles, rtl.cycles));
  pair("execute", rtl.executeBusy, simulated.executeBusy);
  pair("load", rtl.loadBusy, simulated.loadBusy);
  pair("store", rtl.storeBusy, simulated.storeBusy);
  pair("dma wait", rtl.dmaWait, simulated.dmaWait);
  pair("queue full", rtl.queueFull, simulated.queueFull);
  pair("banks", rtl.bankConflicts, simulated.bankConflicts);
  pair("execute waits", rtl.executeWait, simulated.executeWaitLoad + simulated.executeWaitStore);
  pair("load waits", rtl.loadWait, simulated.loadWaitExecute);
  pair("store waits", rtl.storeWait, simulated.storeWaitExecute);
  llvm::outs() << "\n";
}

llvm::Error Comparison::runLaunch(const Program &program, uint32_t number, Executor &executor, RtlArray &array,
                                  std::mt19937_64 &random) {
  const Launch &launch = program.launches[number];
  std::vector<std::vector<char>> expected;
  for (const Operand &operand : launch.operands) {
    std::vector<char> &bytes = expected.emplace_back(operand.bytes);
    if (operand.host < 0)
      std::copy_n(program.image.begin() + static_cast<int64_t>(operand.offset), operand.bytes, bytes.begin());
    else
      for (char &byte : bytes)
        byte = static_cast<char>(random());
  }
  std::vector<std::vector<char>> found = expected;
  auto pointers = [](std::vector<std::vector<char>> &operands) {
    return llvm::map_to_vector(operands, [](std::vector<char> &bytes) { return bytes.data(); });
  };
  const Counters simulated = simulateTiming(program, number);
  const uint64_t most = flags.mostCycles ? flags.mostCycles.getValue() : 2 * simulated.cycles + 10000;
  llvm::Expected<RtlCounters> rtl = array.run(program, number, pointers(found), most);
  if (!rtl)
    return rtl.takeError();
  executor.run(number, pointers(expected));
  for (size_t i = 0; i < found.size(); ++i)
    if (found[i] != expected[i]) {
      const auto at = std::mismatch(found[i].begin(), found[i].end(), expected[i].begin()).first - found[i].begin();
      return llvm::createStringError("launch " + llvm::Twine(launches) + " (node '" + launch.node +
                                     "'): the RTL and the simulator differ at byte " + llvm::Twine(at) +
                                     " of operand " + llvm::Twine(i));
    }
  if (!flags.quiet)
    print(launch, *rtl, simulated);
  ++launches;
  equal += rtl->cycles == simulated.cycles;
  rtlCycles += rtl->cycles;
  simulatedCycles += simulated.cycles;
  const double off = std::abs(difference(simulated.cycles, rtl->cycles));
  outside += off > flags.tolerance;
  largest = std::max(largest, off);
  return llvm::Error::success();
}

llvm::Error Comparison::run(const Program &program, std::mt19937_64 &random) {
  if (llvm::Error error = library->accept(program.config))
    return error;
  Executor executor(program);
  RtlArray array(library);
  for (uint32_t i = 0; i < program.launches.size(); ++i)
    if (llvm::Error error = runLaunch(program, i, executor, array, random))
      return error;
  return llvm::Error::success();
}

bool Comparison::report() {
  llvm::outs() << launches << " launches with equal results, " << equal << " in equal cycles; " << rtlCycles
               << " cycles, simulated " << simulatedCycles
               << llvm::format(", of a launch at most %.2f %% apart\n", largest);
  if (outside == 0)
    return true;
  llvm::WithColor::error(llvm::errs(), "vitq-rtl")
      << outside << " launches take a time that is more than " << llvm::format("%g", flags.tolerance.getValue())
      << " % from the simulated one\n";
  return false;
}

static llvm::Error runProgram(const Flags &flags, Comparison &comparison, std::mt19937_64 &random) {
  auto file = llvm::MemoryBuffer::getFile(flags.program, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return llvm::createStringError(flags.program + ": " + file.getError().message());
  const llvm::StringRef bytes = (*file)->getBuffer();
  llvm::Expected<Program> program = deserialize(llvm::ArrayRef(bytes.data(), bytes.size()), flags.program);
  if (!program)
    return program.takeError();
  if (llvm::Error error = comparison.run(*program, random))
    return llvm::createStringError(flags.program + ": " + llvm::toString(std::move(error)));
  return llvm::Error::success();
}

static llvm::Expected<bool> run(const Flags &flags) {
  if (flags.program.empty() == (flags.random == 0))
    return llvm::createStringError("give a program, or --random=N, one of both");
  auto library = RtlLibrary::open(flags.library);
  if (!library)
    return library.takeError();
  const Config config = (*library)->getConfig();
  Comparison comparison(flags, *library);
  std::mt19937_64 random(flags.seed);
  if (flags.random == 0)
    if (llvm::Error error = runProgram(flags, comparison, random))
      return error;
  for (unsigned i = 0; i < flags.random; ++i) {
    const Program program = rtl::randomProgram(config, random, flags.apart);
    // A mistake of the generator would say nothing about the RTL.
    if (llvm::Error error = checkProgram(program))
      return error;
    if (llvm::Error error = comparison.run(program, random)) {
      const std::vector<char> bytes = serialize(program);
      if (!flags.save.empty())
        error = llvm::joinErrors(std::move(error),
                                 writeFileAtomically(flags.save, llvm::StringRef(bytes.data(), bytes.size())));
      return error;
    }
  }
  return comparison.report();
}

int main(int argc, char **argv) {
  llvm::InitLLVM initialize(argc, argv);
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  cl::ParseCommandLineOptions(
      argc, argv,
      "Runs launches on the array's RTL and in its simulator, and compares results and cycles\n\n"
      "  rtl/build.sh CONFIG LIBRARY.so makes the library, vitq-opt --emit=systolic a program.\n"
      "  In brackets is what the simulator counted, where it differs. docs/Hardware.md\n");
  llvm::Expected<bool> good = run(flags);
  if (good)
    return *good ? 0 : 1;
  llvm::WithColor::error(llvm::errs(), "vitq-rtl") << llvm::toString(good.takeError()) << "\n";
  return 1;
}
