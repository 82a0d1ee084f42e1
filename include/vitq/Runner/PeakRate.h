//===- PeakRate.h - The fastest that this machine multiplies -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_RUNNER_PEAKRATE_H
#define VITQ_RUNNER_PEAKRATE_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>

namespace vitq::runner {

/// A register-resident loop of one dot product instruction.
struct PeakLoop {
  /// As vitq::DotInstruction has it: empty for widening multiplications.
  const char *intrinsic;
  /// The feature that the processor must have for it; empty for none.
  const char *feature;
  /// Runs `rounds` rounds of `kInstructions` independent instructions.
  int (*run)(int64_t rounds);
  int64_t macsOfInstruction;

  static constexpr int kInstructions = 12;

  /// The loop of an instruction; null when this processor does not have it.
  static const PeakLoop *find(llvm::StringRef intrinsic);
  /// The widest loop that this processor has; null on other architectures.
  static const PeakLoop *best();
};

/// The rate of 8-bit multiply-accumulates, all of them exact, of one or several
/// threads that run a loop at the same time. The clock of a machine moves: sampled
/// between the runs of what is compared with it, and the best sample counts.
class PeakRate {
public:
  explicit PeakRate(const PeakLoop &loop, int threads = 1) : loop(&loop), threads(threads) {}

  /// Measures for a few milliseconds.
  void sample();

  /// The best sample, in 10^9 multiply-accumulates a second of all threads together;
  /// 0 before the first.
  double gmacs() const { return best; }

private:
  const PeakLoop *loop;
  int threads;
  double best = 0;
};

} // namespace vitq::runner

#endif // VITQ_RUNNER_PEAKRATE_H
