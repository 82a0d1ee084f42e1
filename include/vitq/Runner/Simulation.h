//===- Simulation.h - Where the cycles of an array's program go -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_RUNNER_SIMULATION_H
#define VITQ_RUNNER_SIMULATION_H

#include "vitq/Simulator/Simulator.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <string>
#include <vector>

namespace vitq::runner {

/// Figures of one launch, or of all launches of the same ops.
struct LaunchFigures {
  /// Empty for several launches.
  std::string node;
  std::string op;
  uint64_t launches = 1, roofline = 0;
  simulator::Counters counters;
};

/// The timing of a program, launch by launch. Shares are percentages.
class Simulation {
public:
  /// Simulates every launch; progress is shown on a terminal.
  explicit Simulation(const simulator::Program &program);

  const simulator::ProgramTiming &timing() const { return times; }
  uint64_t dramBytes() const { return times.total.bytesRead + times.total.bytesWritten; }
  /// Percent of linear layers and of attention products; none where there are none.
  std::optional<double> linearUtilization() const;
  std::optional<double> attentionUtilization() const;
  /// Cycles over the sum of the launches' rooflines; none for no launch.
  std::optional<double> cyclesOverRoofline() const;

  /// The launch that `text` names: a number, an ONNX node (its longest launch), or the
  /// longest of all when empty. The error of an unknown one lists its neighbours.
  llvm::Expected<uint32_t> findLaunch(llvm::StringRef text) const;

  LaunchFigures figuresOf(size_t launch) const;
  /// Sums over the launches of the same ops, the longest first.
  std::vector<LaunchFigures> kinds() const;

  /// Every launch, and sums by kind of op.
  llvm::json::Value toJSON() const;
  void print(llvm::raw_ostream &os) const;

private:
  llvm::json::Object toJSON(const LaunchFigures &row) const;
  void print(const LaunchFigures &row, llvm::raw_ostream &os) const;
  bool hasKind(simulator::LaunchKind kind) const;

  simulator::Config config;
  std::vector<simulator::Launch> launches;
  simulator::ProgramTiming times;
};

/// Writes the timeline of a launch as `path` says by its extension: .json for Chrome
/// (chrome://tracing, Perfetto), .svg as a picture. The file appears whole or not at all.
llvm::Error writeTimeline(const simulator::Program &program, uint32_t launch, llvm::StringRef path);
/// Whether `path` ends in one of them, before the work.
llvm::Error checkTimelinePath(llvm::StringRef path);

} // namespace vitq::runner

#endif // VITQ_RUNNER_SIMULATION_H
