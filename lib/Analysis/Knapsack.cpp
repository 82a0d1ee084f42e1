//===- Knapsack.cpp - One choice for each group within a budget -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/Knapsack.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>
#include <cstdint>
#include <limits>

std::vector<size_t> vitq::solveKnapsack(const std::vector<std::vector<KnapsackChoice>> &groups, double budget,
                                        size_t steps) {
  constexpr double none = std::numeric_limits<double>::infinity();
  if (!(budget >= 0))
    return {};
  // Of the groups so far: the least loss at each sum of rounded costs, and the choice of the last group there.
  std::vector<double> least(steps + 1, none), next(steps + 1);
  std::vector<std::vector<uint16_t>> chosen(groups.size(), std::vector<uint16_t>(steps + 1));
  auto stepsOf = [&](double cost) -> size_t {
    if (cost <= 0)
      return 0;
    const double count = std::ceil(cost / budget * static_cast<double>(steps) - 1e-9);
    return count <= static_cast<double>(steps) ? static_cast<size_t>(count) : steps + 1;
  };
  least[0] = 0;
  for (size_t g = 0; g < groups.size(); ++g) {
    llvm::fill(next, none);
    for (size_t c = 0; c < groups[g].size(); ++c)
      for (size_t cost = stepsOf(groups[g][c].cost), at = cost; at <= steps; ++at)
        if (const double loss = least[at - cost] + groups[g][c].loss; loss < next[at])
          next[at] = loss, chosen[g][at] = static_cast<uint16_t>(c);
    least.swap(next);
  }
  size_t at = static_cast<size_t>(llvm::min_element(least) - least.begin());
  if (least[at] == none)
    return {};
  std::vector<size_t> result(groups.size());
  for (size_t g = groups.size(); g-- > 0;) {
    result[g] = chosen[g][at];
    at -= stepsOf(groups[g][result[g]].cost);
  }
  return result;
}
