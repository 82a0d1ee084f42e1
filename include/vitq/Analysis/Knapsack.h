//===- Knapsack.h - One choice for each group within a budget ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_KNAPSACK_H
#define VITQ_ANALYSIS_KNAPSACK_H

#include <cstddef>
#include <vector>

namespace vitq {

/// One of the choices of a group, which exclude each other.
struct KnapsackChoice {
  /// Finite, any sign; finite and not negative.
  double loss = 0, cost = 0;
};

/// For each group the index of its choice: the costs add up to at most `budget`, and the losses to the least that such
/// choices have. Empty if even the cheapest choices cost more, or if a group has none. Exact but for costs, which are
/// rounded up to multiples of `budget / steps`: the sum stays within the budget. Ties: the cheaper sum, then the
/// earlier choice. Time and memory are groups times `steps`, times choices the former.
std::vector<size_t> solveKnapsack(const std::vector<std::vector<KnapsackChoice>> &groups, double budget,
                                  size_t steps = 1 << 14);

} // namespace vitq

#endif // VITQ_ANALYSIS_KNAPSACK_H
