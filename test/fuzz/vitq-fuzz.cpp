//===- vitq-fuzz.cpp - Damaged files by the thousand --------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiles damaged copies of the digits model, its ranges and its images in child
// processes, so that one that dies or hangs is counted and the next ones run. Every
// case must end in success or in a diagnostic.
//
//===----------------------------------------------------------------------===//

#include "Cases.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <thread>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define VITQ_HAVE_LSAN 1
// LLVM's libraries are not instrumented: see CONTRIBUTING.md.
extern "C" const char *__asan_default_options() {
  return "detect_container_overflow=0:allow_user_poisoning=0:hard_rss_limit_mb=3000";
}
#endif
#endif

using namespace vitq::fuzz;
namespace cl = llvm::cl;

namespace {

struct Flags {
  cl::OptionCategory category{"vitq-fuzz options"};
  cl::opt<std::string> digits{cl::Positional, cl::Required, cl::desc("<folder of digits.onnx>"), cl::cat(category)};
  cl::opt<std::string> work{"work", cl::desc("Folder for files; those of failed cases stay there"), cl::init("fuzz"),
                            cl::cat(category)};
  cl::opt<uint64_t> cases{"cases", cl::desc("How many of each kind"), cl::init(1000), cl::cat(category)};
  cl::opt<uint64_t> first{"first", cl::desc("Number of the first case"), cl::init(0), cl::cat(category)};
  cl::opt<std::string> only{"case", cl::desc("Run this case in this process and print what it says, e.g. model:7"),
                            cl::cat(category)};
  cl::opt<std::string> tool{"tool", cl::desc("Run this vitq-opt for each case instead"), cl::cat(category)};
  cl::opt<unsigned> jobs{"jobs", cl::desc("Processes at a time"), cl::init(2), cl::cat(category)};
  cl::opt<unsigned> seconds{"seconds", cl::desc("Time limit of a case"), cl::init(20), cl::cat(category)};
  cl::opt<bool> verbose{"v", cl::desc("Print the diagnostics of every case"), cl::cat(category)};
};

using Clock = std::chrono::steady_clock;

/// What a child process tells its parent, in shared memory.
struct Slot {
  std::atomic<uint64_t> current;
  /// When the current case began, in ticks of Clock.
  std::atomic<Clock::rep> began;
  std::atomic<uint64_t> ok, diagnosed, wrong;
};

class Fuzzer {
public:
  Fuzzer(const Flags &flags, const Cases &cases) : flags(flags), cases(cases) {}
  /// Whether every case ended well.
  bool run();

private:
  Case at(uint64_t index) const {
    return {static_cast<Kind>(index % kKindNames.size()), flags.first + index / kKindNames.size()};
  }
  uint64_t count() const { return flags.cases * kKindNames.size(); }
  /// Forks a process that runs every `jobs`-th case from `first` on.
  pid_t start(Slot &slot, uint64_t first) const;
  void work(Slot &slot, uint64_t first) const;
  Outcome runCase(Case which) const;
  Outcome runTool(Case which) const;
  /// Runs one process for each slot until all cases are through.
  void watch(std::vector<Slot *> slots);

  const Flags &flags;
  const Cases &cases;
  /// Cases that killed their process, and leaks.
  uint64_t died = 0;
};

} // namespace

Outcome Fuzzer::runTool(Case which) const {
  llvm::Expected<std::vector<std::string>> arguments = cases.prepare(which);
  if (!arguments)
    return {Outcome::Wrong, llvm::toString(arguments.takeError())};
  std::string log = cases.folder(which) + ".log", tool = flags.tool, problem;
  llvm::SmallVector<llvm::StringRef> command = {tool};
  command.append(arguments->begin(), arguments->end());
  int status = llvm::sys::ExecuteAndWait(tool, command, std::nullopt, {"/dev/null", "/dev/null", log}, flags.seconds, 0,
                                         &problem);
  auto messages = llvm::MemoryBuffer::getFile(log);
  std::string text = messages ? (*messages)->getBuffer().str() : "";
  if (status != 0 && status != 1)
    return {Outcome::Wrong, llvm::formatv("exit status {0} {1}\n{2}", status, problem, text).str()};
  llvm::sys::fs::remove(log);
  return cases.judge(which, status == 0, text);
}

Outcome Fuzzer::runCase(Case which) const { return flags.tool.empty() ? cases.run(which) : runTool(which); }

void Fuzzer::work(Slot &slot, uint64_t first) const {
  for (uint64_t index = first; index < count(); index += flags.jobs) {
    slot.current = index;
    slot.began = Clock::now().time_since_epoch().count();
    Outcome outcome = runCase(at(index));
    (outcome.result == Outcome::Ok ? slot.ok : outcome.result == Outcome::Diagnosed ? slot.diagnosed : slot.wrong)++;
    if (flags.verbose || outcome.result == Outcome::Wrong)
      llvm::errs() << at(index).name() << (outcome.result == Outcome::Wrong ? ": failed: " : ": ") << outcome.text
                   << "\n";
  }
#ifdef VITQ_HAVE_LSAN
  slot.began = Clock::now().time_since_epoch().count();
  if (flags.tool.empty() && __lsan_do_recoverable_leak_check()) {
    llvm::errs() << "failed: memory was leaked; find the case with --case\n";
    slot.wrong++;
  }
#endif
}

pid_t Fuzzer::start(Slot &slot, uint64_t first) const {
  slot.current = first;
  slot.began = Clock::now().time_since_epoch().count();
  llvm::outs().flush();
  pid_t child = fork();
  if (child != 0)
    return child;
  work(slot, first);
  llvm::errs().flush();
  _exit(0);
}

void Fuzzer::watch(std::vector<Slot *> slots) {
  std::vector<pid_t> children;
  for (auto [i, slot] : llvm::enumerate(slots))
    children.push_back(start(*slot, i));
  for (size_t running = children.size(); running;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    for (auto [child, slot] : llvm::zip_equal(children, slots)) {
      if (child <= 0)
        continue;
      Clock::duration spent = Clock::now().time_since_epoch() - Clock::duration(slot->began);
      // A tool is given its own time limit.
      bool late = spent > std::chrono::seconds(flags.seconds + (flags.tool.empty() ? 0 : 10));
      if (late)
        kill(child, SIGKILL);
      int status = 0;
      if (waitpid(child, &status, late ? 0 : WNOHANG) != child)
        continue;
      child = -1;
      if (!late && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        --running;
        continue;
      }
      Case which = at(slot->current);
      llvm::errs() << which.name() << ": failed: "
                   << (late                  ? "took more than " + std::to_string(flags.seconds) + " s"
                       : WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                             : "exit status " + std::to_string(WEXITSTATUS(status)))
                   << "; its files are in " << cases.folder(which) << "\n";
      ++died;
      if (uint64_t next = slot->current + flags.jobs; next < count())
        child = start(*slot, next);
      else
        --running;
    }
  }
}

bool Fuzzer::run() {
  void *memory = mmap(nullptr, sizeof(Slot) * flags.jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    llvm::errs() << "cannot share memory\n";
    return false;
  }
  std::vector<Slot *> slots;
  for (unsigned i = 0; i < flags.jobs; ++i)
    slots.push_back(new (static_cast<Slot *>(memory) + i) Slot{});
  watch(slots);
  uint64_t ok = 0, diagnosed = 0, failed = died;
  for (const Slot *slot : slots) {
    ok += slot->ok;
    diagnosed += slot->diagnosed;
    failed += slot->wrong;
  }
  llvm::outs() << llvm::formatv("{0} of each of {1}{2}: {3} ok, {4} diagnosed, {5} failed\n", flags.cases,
                                llvm::join(kKindNames, ", "), flags.tool.empty() ? "" : " through vitq-opt", ok,
                                diagnosed, failed);
  return failed == 0 && ok + diagnosed == count();
}

/// Runs the case that `--case` names.
static int runOne(const Cases &cases, llvm::StringRef text) {
  auto [kind, number] = text.split(':');
  const auto *name = llvm::find(kKindNames, kind);
  uint64_t seed;
  if (name == kKindNames.end() || number.getAsInteger(10, seed)) {
    llvm::errs() << "'" << text << "' is no case: write model:N, ranges:N or npy:N\n";
    return 2;
  }
  Case which{static_cast<Kind>(name - kKindNames.begin()), seed};
  if (llvm::Expected<std::vector<std::string>> arguments = cases.prepare(which); !arguments)
    llvm::consumeError(arguments.takeError());
  else
    llvm::errs() << "vitq-opt " << llvm::join(*arguments, " ") << "\n";
  Outcome outcome = cases.run(which);
  llvm::errs() << (outcome.result == Outcome::Ok          ? "ok\n"
                   : outcome.result == Outcome::Diagnosed ? "diagnosed\n"
                                                          : "failed: ")
               << outcome.text;
  // Once more, for who wants to look at them.
  llvm::consumeError(cases.prepare(which).takeError());
  return outcome.result == Outcome::Wrong;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  Flags flags;
  cl::HideUnrelatedOptions(flags.category);
  cl::ParseCommandLineOptions(argc, argv, "Compiles damaged files, which must be diagnosed or compile\n");
  llvm::SmallString<128> work(flags.work);
  if (std::error_code ec = llvm::sys::fs::create_directories(work)) {
    llvm::errs() << work << ": " << ec.message() << "\n";
    return 2;
  }
  llvm::sys::fs::make_absolute(work);
  setenv("ASAN_OPTIONS", "detect_container_overflow=0:allow_user_poisoning=0:hard_rss_limit_mb=3000",
         /*overwrite=*/0); // for vitq-opt
  llvm::Expected<std::unique_ptr<Cases>> cases = Cases::create(flags.digits, work);
  if (!cases) {
    llvm::errs() << llvm::toString(cases.takeError()) << "\n";
    return 2;
  }
  if (!flags.only.empty())
    return runOne(**cases, flags.only);
  return Fuzzer(flags, **cases).run() ? 0 : 1;
}
