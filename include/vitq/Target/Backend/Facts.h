//===- Facts.h - What is known of an emitted program -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_BACKEND_FACTS_H
#define VITQ_TARGET_BACKEND_FACTS_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vitq {

/// Facts of a program, or of its part for a CPU; empty where nothing of the kind was
/// made. `weightBytes` are those of the packed constants in the object.
struct NativeFacts {
  /// A step of the program: one call of a kernel. Times are in microseconds: the median of some runs in one thread,
  /// where this machine could run it, and what its multiply-accumulates alone would take.
  struct Step {
    std::string node, op;
    int64_t macs = 0;
    std::optional<double> time, limit;
  };
  /// A buffer in the arena, in use from step `first` to step `last`.
  struct Buffer {
    int64_t offset = 0, size = 0, first = 0, last = 0;
  };

  std::string target;
  std::optional<int64_t> weightBytes, arenaBytes, arenaLowerBound, codeBytes, floatInstructions;
  /// Of a program as C: arena, input and output; constants and, by an estimate, machine code. With what it may take of
  /// each (--ram, --flash), if that was said.
  std::optional<int64_t> ramBytes, flashBytes, ramBudget, flashBudget;
  std::vector<Step> steps;
  std::vector<Buffer> arenaPlan;
};

/// A program for a systolic array. Shares are percentages; what was not simulated is empty.
struct ArrayFacts {
  /// Where an op runs, and why there.
  struct Placement {
    std::string node, op, place, reason;
  };
  /// All launches of the same ops.
  struct Kind {
    std::string op;
    int64_t launches = 0, cycles = 0, rooflineCycles = 0;
    double utilization = 0;
  };

  std::string config;
  std::vector<Placement> placements;
  std::vector<Kind> kinds;
  std::optional<int64_t> cycles, dramBytes;
  std::optional<double> linearUtilization, attentionUtilization, cyclesOverRoofline, energyPicojoules;
  /// Square millimetres of 0.18 um cells; no memories and no control.
  double elementArea = 0, unitArea = 0;
  /// Units that are not in `unitArea`, by name.
  std::vector<std::string> unmeasuredUnits;
};

/// What a target tells a report of what it made.
struct TargetFacts {
  NativeFacts native;
  std::optional<ArrayFacts> array;
};

} // namespace vitq

#endif // VITQ_TARGET_BACKEND_FACTS_H
