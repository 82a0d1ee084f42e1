//===- KnapsackTest.cpp - One choice for each group within a budget -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/Knapsack.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace vitq;

namespace {

using Groups = std::vector<std::vector<KnapsackChoice>>;

double lossOf(const Groups &groups, const std::vector<size_t> &chosen) {
  double loss = 0;
  for (size_t g = 0; g < groups.size(); ++g)
    loss += groups[g][chosen[g]].loss;
  return loss;
}
double costOf(const Groups &groups, const std::vector<size_t> &chosen) {
  double cost = 0;
  for (size_t g = 0; g < groups.size(); ++g)
    cost += groups[g][chosen[g]].cost;
  return cost;
}

/// All combinations, one after the other.
double leastLoss(const Groups &groups, double budget) {
  double least = INFINITY;
  std::vector<size_t> chosen(groups.size(), 0);
  for (size_t g = 0; g < groups.size();) {
    if (costOf(groups, chosen) <= budget)
      least = std::min(least, lossOf(groups, chosen));
    for (g = 0; g < groups.size() && ++chosen[g] == groups[g].size(); ++g)
      chosen[g] = 0;
  }
  return least;
}

TEST(Knapsack, FindsWhatAllCombinationsHave) {
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 300; ++trial) {
    Groups groups(1 + random() % 5);
    double most = 0;
    for (auto &group : groups) {
      group.resize(1 + random() % 4);
      double largest = 0;
      // Whole numbers, so that the budget's steps hold them.
      for (KnapsackChoice &choice : group) {
        choice = {static_cast<double>(random() % 100), static_cast<double>(random() % 50)};
        largest = std::max(largest, choice.cost);
      }
      most += largest;
    }
    const auto budget = static_cast<double>(random() % (static_cast<size_t>(most) + 2));
    const std::vector<size_t> chosen = solveKnapsack(groups, budget, static_cast<size_t>(std::max(budget, 1.0)));
    const double least = leastLoss(groups, budget);
    ASSERT_EQ(chosen.empty(), std::isinf(least)) << trial;
    if (chosen.empty())
      continue;
    EXPECT_LE(costOf(groups, chosen), budget) << trial;
    EXPECT_EQ(lossOf(groups, chosen), least) << trial;
  }
}

TEST(Knapsack, StaysWithinTheBudgetWhateverTheSteps) {
  const Groups groups = {{{3, 1.7}, {1, 2.9}}, {{3, 0.6}, {1, 1.1}}, {{9, 0}, {0, 0.4}}};
  for (size_t steps : {3, 10, 100, 10000}) {
    const std::vector<size_t> chosen = solveKnapsack(groups, 3.3, steps);
    if (!chosen.empty())
      EXPECT_LE(costOf(groups, chosen), 3.3) << steps;
  }
  EXPECT_TRUE(solveKnapsack(groups, 2.2).empty());
  EXPECT_TRUE(solveKnapsack(groups, -1).empty());
  EXPECT_TRUE(solveKnapsack({{}}, 5).empty());
  EXPECT_TRUE(solveKnapsack({}, 5).empty());
}

} // namespace
