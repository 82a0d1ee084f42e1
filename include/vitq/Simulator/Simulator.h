//===- Simulator.h - Running programs of the systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SIMULATOR_SIMULATOR_H
#define VITQ_SIMULATOR_SIMULATOR_H

#include "vitq/Simulator/Program.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <memory>

namespace vitq::simulator {

/// Where a launch's operands are: one pointer for each, as long as the operand says.
using OperandPointers = llvm::ArrayRef<char *>;

/// Executes a launch's instructions in program order on memories of its own, which start
/// undefined (0 here). The scoreboard of the timing model lets no result depend on timing,
/// so this is what the machine computes. The program must have passed checkProgram.
class Executor {
public:
  explicit Executor(const Program &program);
  ~Executor();
  /// `operands`: one pointer for each operand of launch `number`.
  void run(uint32_t number, OperandPointers operands);
  /// Executes one instruction, none of Units, that obeys the rules of checkProgram;
  /// `operands` are what its DRAM reference counts.
  void step(const Instruction &instruction, OperandPointers operands);

private:
  struct State;
  std::unique_ptr<State> state;
};

/// What the machine did in a launch, or in a program. Cycles unless said otherwise; in
/// brackets Gemmini's name of the same counter.
struct Counters {
  uint64_t cycles = 0, instructions = 0;
  /// The array multiplied [EXE_ACTIVE_CYCLE]; a unit worked.
  uint64_t executeBusy = 0, unitBusy = 0;
  /// A DMA channel moved data.
  uint64_t loadBusy = 0, storeBusy = 0;
  /// The first instruction of a queue waited for an operand that is being loaded or
  /// stored, for a result, [EXE_PRELOAD_HAZ_CYCLE ...]; the DMA waited for memory
  /// [LOAD_DMA_WAIT_CYCLE]; no place in a queue [RESERVATION_STATION_FULL_CYCLES]; two
  /// operands in one bank.
  uint64_t executeWaitLoad = 0, executeWaitStore = 0, loadWaitExecute = 0, storeWaitExecute = 0;
  uint64_t dmaWait = 0, queueFull = 0, bankConflicts = 0;
  /// Bytes [RDMA_BYTES_REC, WDMA_BYTES_SENT], and of scratchpad and accumulator accesses.
  uint64_t bytesRead = 0, bytesWritten = 0, sramBytes = 0;
  /// Products that the elements computed, of those needed (macs * passes).
  uint64_t usefulProducts = 0;
  /// Energy by the proxy of Config, in picojoules.
  double energyPicojoules = 0;

  Counters &operator+=(const Counters &other);
  /// usefulProducts / (cycles * elements).
  double utilization(const Config &config) const;
  llvm::json::Object toJSON() const;
};

/// What one instruction did when, for pictures.
struct TimelineEvent {
  enum class Lane : uint8_t { Load, Execute, Store, Unit } lane;
  Opcode opcode;
  uint64_t start, end;
  /// Its number in the routine.
  uint32_t index;
};

/// Timing of one launch, which its data do not change. `events` receives the timeline if
/// not null.
Counters simulateTiming(const Program &program, uint32_t launch, std::vector<TimelineEvent> *events = nullptr);
/// The same for code that is not part of a program yet; `units` has the launch's unit
/// programs.
Counters simulateTiming(const Config &config, llvm::ArrayRef<Instruction> code,
                        llvm::ArrayRef<const UnitProgram *> units = {}, std::vector<TimelineEvent> *events = nullptr);

/// The fewest cycles that any schedule needs: products by the elements, or bytes by the
/// DMA's width, whichever is more. `bytesRead`, `bytesWritten`: every operand once.
uint64_t rooflineCycles(const Config &config, uint64_t products, uint64_t bytesRead, uint64_t bytesWritten);

/// Timing of a whole program, launch by launch; launches of one routine with equal units
/// are simulated once. `progress` is called with the launches done and their number.
struct ProgramTiming {
  std::vector<Counters> launches;
  std::vector<uint64_t> roofline;
  Counters total;
  /// Of linear layers and of attention products; 0 where there are none.
  double linearUtilization = 0, attentionUtilization = 0;
};
ProgramTiming simulateTiming(const Program &program, llvm::function_ref<void(size_t, size_t)> progress = {});

/// Timeline as Chrome-trace JSON (one process a launch, a thread for each queue; 1
/// microsecond is a cycle), and as an SVG picture.
void writeChromeTrace(llvm::raw_ostream &os, const Program &program, uint32_t launch,
                      llvm::ArrayRef<TimelineEvent> events);
void writeTimelineSvg(llvm::raw_ostream &os, const Program &program, uint32_t launch,
                      llvm::ArrayRef<TimelineEvent> events, const Counters &counters);

/// The name of the function that host code calls: void vitq_array_launch(int32_t launch,
/// char *const *operands), `operands` being the host's pointers (Operand::host).
inline constexpr llvm::StringLiteral kLaunchSymbol = "vitq_array_launch";

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_SIMULATOR_H
