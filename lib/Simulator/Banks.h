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

/// Who reads which bank of the accumulator memory, and for how long others are held up: a store or a unit goes before
/// the array, which waits a cycle for each row that they read while it reads that bank itself. A row of many that are
/// read in a time is taken to be anywhere in it.
class AccumulatorBanks {
public:
  /// Cycles in which something reads `rows` rows, not necessarily one a cycle.
  struct Span {
    uint64_t start = 0, end = 0, rows = 0;
  };

  explicit AccumulatorBanks(const Config &config)
      : bankRows(static_cast<uint64_t>(config.accumulatorRows)), banks(static_cast<size_t>(config.accumulatorBanks)) {}

  /// A store or a unit reads rows from cycle `start` to `end`. For how many cycles that holds up the array, where it
  /// adds to sums already.
  uint64_t read(uint64_t first, uint64_t rows, uint64_t start, uint64_t end);
  /// The array adds to rows from cycle `start` on, one a cycle. How many cycles it is held up meanwhile. What has ended
  /// at `now` meets nothing any more.
  uint64_t add(uint64_t first, uint64_t rows, uint64_t start, uint64_t now);

private:
  struct Bank {
    std::vector<Span> reads, additions;
  };
  uint64_t bankRows;
  std::vector<Bank> banks;
};

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_BANKS_H
