//===- Units.cpp - What unit programs are made of -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Units.h"

#include "StageLists.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace vitq;
using namespace vitq::simulator;

llvm::StringRef simulator::nameOf(Unit unit) {
  switch (unit) {
  case UnitShift:
    return "shift";
  case UnitDyadic:
    return "dyadic";
  case UnitComparator:
    return "comparator";
  case UnitExponent:
    return "exponent";
  case UnitLut:
    return "lut";
  case UnitNorm:
    return "norm";
  }
  llvm_unreachable("all units are above");
}

namespace {

/// Cycles of the RTL's units.
struct StagePace {
  /// How long each of a whole row's two engines has it, and from the last value in to the last result out.
  BeatCycles first, second, latency;
  /// From the row's data to its first value.
  int64_t ahead = 0;
};

} // namespace

/// From a beat to its result, in a stage that works element by element.
static constexpr int64_t kElementCycles = 6;

static StagePace paceOf(const Stage &stage) {
  if (std::holds_alternative<SoftmaxTableStage>(stage) || std::holds_alternative<SoftmaxShiftStage>(stage))
    return {{1, 1}, {2, 1}, {13, 1}};
  if (std::holds_alternative<ShiftmaxStage>(stage))
    return {{16, 2}, {2, 1}, {28, 2}};
  if (std::holds_alternative<NormQuantStage>(stage))
    return {{6, 1}, {0, 1}, {12, 1}};
  if (const auto *norm = std::get_if<LayerNormStage>(&stage)) {
    if (norm->byShifts)
      return {{81, 2}, {0, 1}, {87, 2}};
    if (norm->lines)
      return {{10, 1}, {0, 1}, {16, 1}};
    return {{18, 1}, {0, 1}, {24, 1}};
  }
  StagePace pace{{0, 1}, {0, 1}, {kElementCycles, 0}};
  if (std::holds_alternative<DivideRowsStage>(stage))
    pace.ahead = 9;
  return pace;
}

UnitPace simulator::paceOf(llvm::ArrayRef<Stage> stages) {
  UnitPace pace;
  pace.periods = {{0, passesOf(stages)}};
  pace.latency = {0, 1};
  for (const Stage &stage : stages) {
    const StagePace own = ::paceOf(stage);
    for (const BeatCycles &cycles : {own.first, own.second})
      if (!llvm::is_contained(pace.periods, cycles))
        pace.periods.push_back(cycles);
    pace.latency.fixed += own.latency.fixed;
    pace.latency.ofBeat += own.latency.ofBeat;
    pace.ahead += own.ahead;
  }
  return pace;
}

int64_t UnitPace::periodOf(int64_t beats) const {
  int64_t period = 0;
  for (const BeatCycles &cycles : periods)
    period = std::max(period, cycles.at(beats));
  return period;
}

UnitTiming simulator::timingOf(const UnitProgram &program, const Config &config) {
  UnitTiming timing{program, program.parameterBytes(config), paceOf(program.stages)};
  UnitProgram &accesses = timing.accesses;
  accesses.stages.clear();
  accesses.input.isUnsigned = accesses.output.isUnsigned = false;
  for (std::vector<UnitOperand> *extras : {&accesses.extraInputs, &accesses.extraOutputs})
    for (UnitOperand &extra : *extras)
      extra.isUnsigned = false;
  return timing;
}
