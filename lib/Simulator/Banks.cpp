//===- Banks.cpp - Banks of the accumulator memory -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Banks.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <algorithm>

using namespace vitq;
using namespace vitq::simulator;

/// Calls `visit(bank, rows)` for what each bank has of some rows.
static void forEachBank(uint64_t bankRows, uint64_t first, uint64_t rows,
                        llvm::function_ref<void(uint64_t, uint64_t)> visit) {
  for (uint64_t row = first, last = first + rows; row < last;) {
    const uint64_t bank = row / bankRows, to = std::min(last, (bank + 1) * bankRows);
    visit(bank, to - row);
    row = to;
  }
}

void AccumulatorBanks::read(uint64_t first, uint64_t rows, uint64_t start, uint64_t end) {
  forEachBank(bankRows, first, rows, [&](uint64_t number, uint64_t count) {
    Reads &bank = banks[number];
    if (start >= bank.until)
      bank.rows = 0;
    bank.rows += count;
    bank.until = std::max(bank.until, end);
  });
}

uint64_t AccumulatorBanks::delay(uint64_t first, uint64_t rows, uint64_t start) {
  uint64_t delay = 0;
  forEachBank(bankRows, first, rows, [&](uint64_t number, uint64_t count) {
    Reads &bank = banks[number];
    if (start >= bank.until)
      return;
    const uint64_t cycles = std::min(bank.rows, count);
    bank.rows -= cycles;
    delay += cycles;
  });
  return delay;
}
