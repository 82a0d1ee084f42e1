//===- Banks.h - Banks of the accumulator memory -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_BANKS_H
#define VITQ_LIB_SIMULATOR_BANKS_H

#include "vitq/Simulator/Config.h"

#include <vector>

namespace vitq::simulator {

/// Who reads which bank of the accumulator memory, and how long others wait.
class AccumulatorBanks {
public:
  explicit AccumulatorBanks(const Config &config)
      : bankRows(static_cast<uint64_t>(config.accumulatorRows)), banks(static_cast<size_t>(config.accumulatorBanks)) {}

  /// A store or a unit reads rows from cycle `start` to `end`.
  void read(uint64_t first, uint64_t rows, uint64_t start, uint64_t end);
  /// Cycles that a compute which adds to rows from cycle `start` on waits for such reads; these
  /// rows are then read.
  uint64_t delay(uint64_t first, uint64_t rows, uint64_t start);

private:
  /// Rows of a bank that are still read, which accumulating computes wait for.
  struct Reads {
    uint64_t rows = 0, until = 0;
  };
  uint64_t bankRows;
  std::vector<Reads> banks;
};

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_BANKS_H
