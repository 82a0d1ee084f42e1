//===- Packing.cpp - Offsets of buffers that live for a while -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Packing.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <algorithm>

using namespace vitq::arena;

namespace {

/// Which gap between its neighbours a buffer takes.
enum class Fit { Tightest, Lowest };

using Order = llvm::SmallVector<size_t>;

class Packer {
public:
  Packer(llvm::ArrayRef<Lifetime> lifetimes, llvm::MutableArrayRef<int64_t> best)
      : lifetimes(lifetimes), offsets(lifetimes.size()), best(best), bound(largestLiveSet(lifetimes)) {}

  int64_t run();

private:
  int64_t place(llvm::ArrayRef<size_t> order, Fit fit);
  bool tryOrder(llvm::ArrayRef<size_t> order, Fit fit);
  void improve(Order order, Fit fit);

  llvm::ArrayRef<Lifetime> lifetimes;
  llvm::SmallVector<int64_t> offsets;
  llvm::MutableArrayRef<int64_t> best;
  int64_t bound, total = INT64_MAX;
};

} // namespace

int64_t vitq::arena::largestLiveSet(llvm::ArrayRef<Lifetime> lifetimes, int64_t *position) {
  int64_t most = 0;
  // A set that lives at any position lives where its youngest begins.
  for (const Lifetime &at : lifetimes) {
    int64_t live = 0;
    for (const Lifetime &other : lifetimes)
      live += other.begin <= at.begin && at.begin <= other.end ? other.size : 0;
    if (live > most && position)
      *position = at.begin;
    most = std::max(most, live);
  }
  return most;
}

/// One after the other into a gap between those placed before that live with it, or
/// behind them.
int64_t Packer::place(llvm::ArrayRef<size_t> order, Fit fit) {
  llvm::SmallVector<size_t> placed; // by offset
  int64_t top = 0;
  for (size_t index : order) {
    const Lifetime &buffer = lifetimes[index];
    int64_t at = -1, tightest = 0, end = 0;
    for (size_t other : placed) {
      if (!buffer.livesWith(lifetimes[other]))
        continue;
      const int64_t gap = offsets[other] - end;
      if (gap >= buffer.size && (at < 0 || (fit == Fit::Tightest && gap < tightest))) {
        at = end;
        tightest = gap;
      }
      end = std::max(end, offsets[other] + lifetimes[other].size);
    }
    offsets[index] = at < 0 ? end : at;
    top = std::max(top, offsets[index] + buffer.size);
    placed.insert(llvm::upper_bound(placed, index, [&](size_t a, size_t b) { return offsets[a] < offsets[b]; }), index);
  }
  return top;
}

/// Keeps the result where it is the best so far; returns whether none can be better.
bool Packer::tryOrder(llvm::ArrayRef<size_t> order, Fit fit) {
  const int64_t top = place(order, fit);
  if (top < total) {
    total = top;
    llvm::copy(offsets, best.begin());
  }
  return total == bound;
}

/// Places what reached highest earlier, again and again.
void Packer::improve(Order order, Fit fit) {
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds && !tryOrder(order, fit); ++round) {
    auto highest = llvm::max_element(
        order, [&](size_t a, size_t b) { return offsets[a] + lifetimes[a].size < offsets[b] + lifetimes[b].size; });
    std::rotate(order.begin(), highest, std::next(highest));
  }
}

int64_t Packer::run() {
  if (lifetimes.empty())
    return 0;
  auto size = [](const Lifetime &a) { return a.size; };
  auto length = [](const Lifetime &a) { return a.end - a.begin + 1; };
  auto area = [&](const Lifetime &a) { return size(a) * length(a); };
  auto begin = [](const Lifetime &a) { return -a.begin; };
  // The largest first by one measure and, of equal ones, by another.
  using Measure = llvm::function_ref<int64_t(const Lifetime &)>;
  const std::pair<Measure, Measure> measures[] = {{size, length}, {length, size}, {area, size}, {begin, size}};
  for (auto [first, second] : measures) {
    Order order = llvm::to_vector(llvm::seq<size_t>(0, lifetimes.size()));
    llvm::sort(order, [&](size_t a, size_t b) {
      return std::tuple(-first(lifetimes[a]), -second(lifetimes[a]), a) <
             std::tuple(-first(lifetimes[b]), -second(lifetimes[b]), b);
    });
    for (Fit fit : {Fit::Tightest, Fit::Lowest}) {
      improve(order, fit);
      if (total == bound)
        return total;
    }
  }
  return total;
}

int64_t vitq::arena::pack(llvm::ArrayRef<Lifetime> lifetimes, llvm::MutableArrayRef<int64_t> offsets) {
  return Packer(lifetimes, offsets).run();
}
