//===- ProgramTiming.cpp - Timing of whole programs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dma.h"

#include "llvm/ADT/STLExtras.h"

using namespace vitq;
using namespace vitq::simulator;

static std::vector<const UnitProgram *> unitsOf(const Program &program, const Launch &launch) {
  std::vector<const UnitProgram *> units;
  for (uint32_t number : launch.units)
    units.push_back(&program.unitPrograms[number]);
  return units;
}

/// Products that the launch's op needs are useful, whatever else was multiplied.
static void countUseful(Counters &counters, const Launch &launch) {
  counters.usefulProducts = launch.macs * launch.passes;
}

Counters simulator::simulateTiming(const Program &program, uint32_t number, std::vector<TimelineEvent> *events) {
  const Launch &launch = program.launches[number];
  Counters counters =
      simulateTiming(program.config, program.routines[launch.routine].code, unitsOf(program, launch), events);
  countUseful(counters, launch);
  return counters;
}

//===----------------------------------------------------------------------===//
// The least that a launch moves
//===----------------------------------------------------------------------===//

namespace {

/// Which bytes of the operands a launch touches.
class Coverage {
public:
  explicit Coverage(llvm::ArrayRef<Operand> operands) : touched(operands.size()) {}
  void add(uint8_t operand, uint64_t offset, uint64_t bytes) {
    std::vector<uint8_t> &map = touched[operand];
    map.resize(std::max<size_t>(map.size(), offset + bytes));
    std::fill(map.begin() + static_cast<int64_t>(offset), map.begin() + static_cast<int64_t>(offset + bytes), 1);
  }
  uint64_t count() const {
    uint64_t bytes = 0;
    for (const std::vector<uint8_t> &map : touched)
      bytes += static_cast<uint64_t>(llvm::count(map, 1));
    return bytes;
  }

private:
  std::vector<std::vector<uint8_t>> touched;
};

/// Bytes of DRAM that a launch has to read and write, each once.
struct Traffic {
  uint64_t read = 0, written = 0;
};

} // namespace

static void coverUnits(const Instruction &instruction, const UnitProgram &unit, Coverage &reads, Coverage &writes) {
  auto cover = [&](const UnitOperand &operand, Coverage &coverage) {
    for (uint64_t row = instruction.row, end = row + instruction.rows; row < end; ++row)
      forEachSpan(operand, unit, instruction, row,
                  [&](uint64_t offset, uint64_t bytes) { coverage.add(operand.operand, offset, bytes); });
  };
  if (!instruction.has(FlagFromAccumulator))
    cover(unit.input, reads);
  for (const UnitOperand &extra : unit.extraInputs)
    cover(extra, reads);
  for (const UnitOperand &extra : unit.extraOutputs)
    cover(extra, writes);
  cover(unit.output, writes);
}

static Traffic leastTraffic(const Program &program, const Launch &launch) {
  Coverage reads(launch.operands), writes(launch.operands);
  const std::vector<const UnitProgram *> units = unitsOf(program, launch);
  Traffic traffic;
  for (const UnitProgram *unit : units)
    traffic.read += static_cast<uint64_t>(unit->parameterBytes(program.config));
  for (const Instruction &instruction : program.routines[launch.routine].code) {
    switch (instruction.opcode) {
    case Opcode::Mvin:
    case Opcode::MvinAcc:
    case Opcode::Mvout: {
      Coverage &coverage = instruction.opcode == Opcode::Mvout ? writes : reads;
      forEachSpan(program.config, instruction,
                  [&](uint64_t offset, uint64_t bytes) { coverage.add(instruction.dram.operand, offset, bytes); });
      break;
    }
    case Opcode::Units:
      coverUnits(instruction, *units[instruction.unit], reads, writes);
      break;
    default:
      break;
    }
  }
  traffic.read += reads.count();
  traffic.written += writes.count();
  return traffic;
}

//===----------------------------------------------------------------------===//
// Launches that take the same time
//===----------------------------------------------------------------------===//

namespace {

/// All of a launch that timing depends on.
struct TimedLaunch {
  uint32_t routine;
  std::vector<uint64_t> operandBytes;
  std::vector<UnitTiming> units;
  bool operator==(const TimedLaunch &) const = default;

  TimedLaunch(const Program &program, const Launch &launch) : routine(launch.routine) {
    for (const Operand &operand : launch.operands)
      operandBytes.push_back(operand.bytes);
    for (const UnitProgram *unit : unitsOf(program, launch))
      units.push_back(timingOf(*unit, program.config));
  }
};

} // namespace

ProgramTiming simulator::simulateTiming(const Program &program, llvm::function_ref<void(size_t, size_t)> progress) {
  struct Known {
    Counters counters;
    Traffic traffic;
  };
  std::vector<std::pair<TimedLaunch, Known>> known;
  ProgramTiming timing;
  Counters kinds[3];
  for (auto [i, launch] : llvm::enumerate(program.launches)) {
    TimedLaunch timed(program, launch);
    auto found = llvm::find_if(known, [&](const auto &entry) { return entry.first == timed; });
    if (found == known.end()) {
      const Known result{simulateTiming(program, static_cast<uint32_t>(i)), leastTraffic(program, launch)};
      found = known.insert(found, {std::move(timed), result});
    }
    const Known &result = found->second;
    Counters counters = result.counters;
    countUseful(counters, launch);
    timing.launches.push_back(counters);
    timing.roofline.push_back(
        rooflineCycles(program.config, counters.usefulProducts, result.traffic.read, result.traffic.written));
    timing.total += counters;
    kinds[static_cast<unsigned>(launch.kind)] += counters;
    if (progress)
      progress(i + 1, program.launches.size());
  }
  timing.linearUtilization = kinds[static_cast<unsigned>(LaunchKind::Linear)].utilization(program.config);
  timing.attentionUtilization = kinds[static_cast<unsigned>(LaunchKind::Attention)].utilization(program.config);
  return timing;
}
