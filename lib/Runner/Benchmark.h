//===- Benchmark.h - Timing compiled programs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_RUNNER_BENCHMARK_H
#define VITQ_LIB_RUNNER_BENCHMARK_H

#include "vitq/Runner/PeakRate.h"
#include "vitq/Runner/Program.h"
#include "vitq/Runner/Runner.h"

namespace vitq::runner {

/// Times a compiled program on one input, next to the peak rate of the machine.
class Benchmark {
public:
  /// `threads` are those that `program` runs in.
  Benchmark(const Program &program, Tensor input, int threads);

  /// The latency of runs.
  llvm::Error time(Figures &figures);
  /// The time of each step, in one thread, measured for so long; none: as long as the latency.
  llvm::Error profile(Figures &figures, std::optional<double> milliseconds = std::nullopt);

private:
  void samplePeaks();
  llvm::Expected<double> runOnce() const;
  llvm::Error collectSteps(std::vector<std::vector<double>> &times, double milliseconds, size_t least);
  void setPeaks(Figures &figures) const;

  const Program &program;
  Tensor input;
  int threads;
  /// Of the program's dot product, and of the machine's best one.
  std::optional<PeakRate> peak, machinePeak;
};

/// Pixels without structure, the same every time.
Tensor pixelsForTiming(const ProgramInfo &info);

} // namespace vitq::runner

#endif // VITQ_LIB_RUNNER_BENCHMARK_H
