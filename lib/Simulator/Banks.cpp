//===- Banks.cpp - Banks of the accumulator memory -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Banks.h"

#include "llvm/ADT/STLExtras.h"
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

/// How many of the reads of `reads` fall into `window`.
static uint64_t meet(const AccumulatorBanks::Span &reads, const AccumulatorBanks::Span &window) {
  const uint64_t from = std::max(reads.start, window.start), to = std::min(reads.end, window.end);
  if (from >= to)
    return 0;
  return std::min((reads.rows * (to - from) + (reads.end - reads.start) / 2) / (reads.end - reads.start), to - from);
}

/// Adds a span, in place of those that nothing will meet any more.
static void keep(std::vector<AccumulatorBanks::Span> &spans, const AccumulatorBanks::Span &added, uint64_t now) {
  llvm::erase_if(spans, [&](const AccumulatorBanks::Span &span) { return span.end <= now; });
  spans.push_back(added);
}

uint64_t AccumulatorBanks::read(uint64_t first, uint64_t rows, uint64_t start, uint64_t end) {
  uint64_t held = 0;
  forEachBank(bankRows, first, rows, [&](uint64_t number, uint64_t count) {
    Bank &bank = banks[number];
    const Span reads{start, std::max(end, start + 1), count};
    for (const Span &window : bank.additions)
      held += meet(reads, window);
    keep(bank.reads, reads, start);
  });
  return held;
}

uint64_t AccumulatorBanks::add(uint64_t first, uint64_t rows, uint64_t start, uint64_t now) {
  uint64_t held = 0;
  forEachBank(bankRows, first, rows, [&](uint64_t number, uint64_t count) {
    Bank &bank = banks[number];
    // Held up, it meets what is read a little later.
    const uint64_t from = start + held;
    uint64_t here = 0, before = 0;
    do {
      before = here;
      here = 0;
      for (const Span &reads : bank.reads)
        here += meet(reads, {from, from + count + before, 0});
    } while (here > before && here < count);
    held += here;
    keep(bank.additions, {from, from + count + here, count}, now);
    start += count;
  });
  return held;
}
