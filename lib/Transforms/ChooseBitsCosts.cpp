//===- ChooseBitsCosts.cpp - What bits cost ---------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChooseBits.h"

#include "vitq/Analysis/NonlinearChoice.h"

#include <numeric>

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::quantize;

/// Sites of values that depend on each other are chosen for together up to so many combinations, all alike beyond.
static constexpr size_t kMostCombinations = 729;

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

BitCosts BitCosts::ofSize(const BitProblem &problem) {
  BitCosts costs;
  costs.fixed = costs.eight = problem.fixedBytes;
  for (const BitSite &site : problem.sites) {
    auto &row = costs.alone.emplace_back(site.widths.size(), 0.0);
    costs.isWeights.push_back(site.isWeights());
    if (!site.isWeights())
      continue;
    for (auto [w, width] : llvm::enumerate(site.widths))
      row[w] = static_cast<double>(site.elements()) * width / 8;
    costs.eight += static_cast<double>(site.elements());
  }
  return costs;
}

std::optional<BitCosts> BitCosts::ofEffort(const BitProblem &problem, func::FuncOp function, const Target &target,
                                           Effort effort) {
  BitCosts costs;
  for (const BitSite &site : problem.sites) {
    costs.alone.emplace_back(site.widths.size(), 0.0);
    costs.isWeights.push_back(site.isWeights());
  }
  auto widthsOf = [&](std::optional<size_t> site, unsigned otherwise) {
    return site ? SmallVector<unsigned>(problem.sites[*site].widths) : SmallVector<unsigned>{otherwise};
  };
  for (const BitProduct &product : problem.products) {
    Pair pair{product.lhs, product.rhs, {}};
    ProductWork work = product.work;
    auto costOf = [&](unsigned lhs, unsigned rhs) {
      work.lhsBits = lhs, work.rhsBits = rhs;
      return target.productCost(work, effort, function.getContext());
    };
    for (unsigned lhs : widthsOf(product.lhs, product.work.lhsBits)) {
      auto &row = pair.cost.emplace_back();
      for (unsigned rhs : widthsOf(product.rhs, product.work.rhsBits)) {
        std::optional<double> cost = costOf(lhs, rhs);
        if (!cost)
          return std::nullopt;
        row.push_back(*cost);
      }
    }
    costs.eight += costOf(std::max(8U, product.work.lhsBits), 8).value_or(0);
    if (product.lhs || product.rhs)
      costs.pairs.push_back(std::move(pair));
    else
      costs.fixed += pair.cost.front().front();
  }
  double functions = 0;
  for (Operation &op : function.front())
    if (StringRef name = nonlinearFunctionOf(&op); !name.empty())
      functions += target.functionCost(name, cast<ShapedType>(op.getOperand(0).getType()).getNumElements(), effort);
  costs.fixed += functions;
  costs.eight += functions;
  return costs;
}

double BitCosts::total(const BitSelection &selection) const {
  double sum = fixed;
  for (auto [site, row] : llvm::enumerate(alone))
    sum += row[selection[site]];
  for (const Pair &pair : pairs)
    sum += pair.cost[pair.lhs ? selection[*pair.lhs] : 0][pair.rhs ? selection[*pair.rhs] : 0];
  return sum;
}

//===----------------------------------------------------------------------===//
// Sites that depend on each other
//===----------------------------------------------------------------------===//

/// Sites that products tie together, the ones with the lowest number first.
std::vector<std::vector<size_t>> BitCosts::components() const {
  std::vector<size_t> parent(alone.size());
  std::iota(parent.begin(), parent.end(), size_t(0));
  auto find = [&](size_t site) {
    while (parent[site] != site)
      site = parent[site] = parent[parent[site]];
    return site;
  };
  for (const Pair &pair : pairs)
    if (pair.lhs && pair.rhs) {
      const size_t a = find(*pair.lhs), b = find(*pair.rhs);
      parent[std::max(a, b)] = std::min(a, b);
    }
  std::vector<std::vector<size_t>> all(alone.size());
  for (size_t site = 0; site < alone.size(); ++site)
    all[find(site)].push_back(site);
  llvm::erase_if(all, [](const auto &component) { return component.empty(); });
  return all;
}

/// Leaves those that no other beats in both loss and cost.
void BitCosts::keepBest(std::vector<Option> &options) {
  llvm::sort(options, [](const Option &a, const Option &b) {
    return std::tie(a.cost, a.loss, a.chosen) < std::tie(b.cost, b.loss, b.chosen);
  });
  double least = std::numeric_limits<double>::infinity();
  llvm::erase_if(options, [&](const Option &option) {
    if (option.loss >= least)
      return true;
    least = option.loss;
    return false;
  });
}

/// Extends each of `options` by every width of a site of weights, whose products read no other such site.
void BitCosts::addWeights(std::vector<Option> &options, size_t site, ArrayRef<BitSite> sites) const {
  std::vector<Option> extended;
  for (const Option &option : options)
    for (size_t w = 0; w < alone[site].size(); ++w) {
      Option next = option;
      next.loss += sites[site].loss[w];
      next.cost += alone[site][w];
      for (const Pair &pair : pairs) {
        if (pair.rhs != site)
          continue;
        const auto *lhs =
            pair.lhs ? llvm::find_if(option.chosen, [&](auto c) { return c.first == *pair.lhs; }) : nullptr;
        next.cost += pair.cost[lhs ? lhs->second : 0][w];
      }
      next.chosen.emplace_back(site, w);
      extended.push_back(std::move(next));
    }
  options = std::move(extended);
}

/// The ways to choose for a component that are worth it: all combinations of its values' widths, and for each the
/// weights one after the other.
std::vector<BitCosts::Option> BitCosts::optionsOf(ArrayRef<size_t> component, ArrayRef<BitSite> sites) const {
  SmallVector<size_t> values, weights;
  for (size_t site : component)
    (isWeights[site] ? weights : values).push_back(site);
  size_t combinations = 1;
  for (size_t site : values)
    combinations = std::min(kMostCombinations + 1, combinations * alone[site].size());
  const bool alike = combinations > kMostCombinations;
  if (alike)
    combinations = alone[values.front()].size();
  std::vector<Option> all;
  for (size_t number = 0; number < combinations; ++number) {
    Option start;
    size_t rest = number;
    for (size_t site : values) {
      const size_t w = alike ? number : rest % alone[site].size();
      rest /= alone[site].size();
      start.loss += sites[site].loss[w];
      start.cost += alone[site][w];
      start.chosen.emplace_back(site, w);
    }
    auto chosenOf = [&](std::optional<size_t> site) {
      return site ? llvm::find_if(start.chosen, [&](auto c) { return c.first == *site; })->second : 0;
    };
    for (const Pair &pair : pairs)
      if ((!pair.rhs || !isWeights[*pair.rhs]) && llvm::is_contained(values, pair.lhs ? *pair.lhs : *pair.rhs))
        start.cost += pair.cost[chosenOf(pair.lhs)][chosenOf(pair.rhs)];
    std::vector<Option> options = {std::move(start)};
    for (size_t site : weights) {
      addWeights(options, site, sites);
      keepBest(options);
    }
    llvm::append_range(all, options);
  }
  keepBest(all);
  return all;
}

BitSelection BitCosts::cheapest(ArrayRef<BitSite> sites) const {
  BitSelection selection(alone.size(), 0);
  for (const auto &component : components()) {
    const std::vector<Option> options = optionsOf(component, sites);
    for (auto [site, w] : options.front().chosen)
      selection[site] = w;
  }
  return selection;
}

double BitCosts::least() const {
  // Losses do not matter: sites without any.
  std::vector<BitSite> sites(alone.size());
  for (auto [site, row] : llvm::zip_equal(sites, alone))
    site.loss.assign(row.size(), 0.0);
  return total(cheapest(sites));
}

std::optional<BitSelection> BitCosts::choose(ArrayRef<BitSite> sites, double budget, size_t steps) const {
  std::vector<std::vector<Option>> options;
  std::vector<std::vector<KnapsackChoice>> groups;
  for (const auto &component : components()) {
    options.push_back(optionsOf(component, sites));
    auto &group = groups.emplace_back();
    for (const Option &option : options.back())
      group.push_back({option.loss, option.cost});
  }
  const std::vector<size_t> chosen = solveKnapsack(groups, budget - fixed, steps);
  if (chosen.empty() && !groups.empty())
    return std::nullopt;
  BitSelection selection(alone.size(), 0);
  for (auto [group, number] : llvm::enumerate(chosen))
    for (auto [site, w] : options[group][number].chosen)
      selection[site] = w;
  return selection;
}
