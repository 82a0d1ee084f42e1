//===- ChooseBitsRepair.cpp - Exchanges of bits that are measured -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChooseBits.h"

#include "vitq/Support/Progress.h"

#include <cmath>

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::quantize;

namespace {

/// One site a width up or down.
struct Move {
  size_t site;
  bool isUp;
  /// What losses of sites by themselves say of it, and what was measured of the whole.
  double expected = 0, measured = 0, cost = 0;
};

class Repairer {
public:
  Repairer(const BitMeter &meter, const BitCosts &costs, ArrayRef<BitSite> sites, double budget, size_t count,
           BitSelection &selection)
      : meter(meter), costs(costs), sites(sites), budget(budget), count(count), selection(selection),
        progress("bits, as a whole", 3 * count + 1) {}

  FailureOr<BitRepair> run() {
    FailureOr<MeasuredLoss> start = measure(selection);
    if (failed(start))
      return failure();
    result.before = result.after = std::move(*start);
    std::vector<Move> ups = movesOf(/*isUp=*/true), downs = movesOf(/*isUp=*/false);
    for (std::vector<Move> *moves : {&ups, &downs})
      for (Move &move : *moves)
        if (failed(measureAlone(move)))
          return failure();
    // The most gained for its cost first, the least lost for what it frees.
    for (std::vector<Move> *moves : {&ups, &downs})
      sortByRate(*moves, &Move::measured);
    while (result.tried < count && !ups.empty()) {
      const Move up = ups.front();
      ups.erase(ups.begin());
      if (failed(attempt(up, downs)))
        return failure();
    }
    return std::move(result);
  }

private:
  FailureOr<MeasuredLoss> measure(const BitSelection &tried) {
    FailureOr<MeasuredLoss> loss = meter.measure(sites, tried);
    progress.advance();
    return loss;
  }

  static void apply(BitSelection &to, const Move &move) { move.isUp ? ++to[move.site] : --to[move.site]; }
  bool isPossible(const BitSelection &from, const Move &move) const {
    return move.isUp ? from[move.site] + 1 < sites[move.site].widths.size() : from[move.site] > 0;
  }

  /// The least lost, or the most gained, for its cost first.
  static void sortByRate(std::vector<Move> &moves, double Move::*loss) {
    auto keyOf = [&](const Move &move) {
      return std::pair(move.*loss / std::max(std::abs(move.cost), 1e-30), move.site);
    };
    llvm::sort(moves, [&](const Move &a, const Move &b) { return keyOf(a) < keyOf(b); });
  }

  /// The `count` moves that promise most.
  std::vector<Move> movesOf(bool isUp) const {
    std::vector<Move> moves;
    const double now = costs.total(selection);
    for (size_t site = 0; site < sites.size(); ++site) {
      Move move{site, isUp};
      if (!isPossible(selection, move))
        continue;
      BitSelection next = selection;
      apply(next, move);
      move.expected = sites[site].loss[next[site]] - sites[site].loss[selection[site]];
      move.cost = costs.total(next) - now;
      // What frees nothing is no use.
      if (isUp || move.cost < 0)
        moves.push_back(move);
    }
    sortByRate(moves, &Move::expected);
    if (moves.size() > count)
      moves.resize(count);
    return moves;
  }

  LogicalResult measureAlone(Move &move) {
    BitSelection next = selection;
    apply(next, move);
    FailureOr<MeasuredLoss> loss = measure(next);
    if (failed(loss))
      return failure();
    move.measured = loss->mean - result.before.mean;
    return success();
  }

  /// Whether `loss` is less than what is reached by more than the standard error of the difference.
  bool isLess(const MeasuredLoss &loss) const {
    const auto n = static_cast<double>(loss.divergence.size());
    double squares = 0;
    const double mean = loss.mean - result.after.mean;
    for (auto [a, b] : llvm::zip_equal(loss.divergence, result.after.divergence))
      squares += (a - b - mean) * (a - b - mean);
    return mean < 0 && n > 1 && -mean > std::sqrt(squares / (n * (n - 1)));
  }

  /// Measures `up` with as many of `downs` as it needs, where that promises something; takes it where it is less.
  LogicalResult attempt(const Move &up, std::vector<Move> &downs) {
    if (!isPossible(selection, up) || up.measured >= 0)
      return success();
    BitSelection next = selection;
    apply(next, up);
    double change = up.measured;
    std::vector<size_t> used;
    for (size_t i = 0; i < downs.size() && costs.total(next) > budget; ++i) {
      if (downs[i].site == up.site || !isPossible(next, downs[i]))
        continue;
      apply(next, downs[i]);
      change += downs[i].measured;
      used.push_back(i);
    }
    if (costs.total(next) > budget || change >= 0)
      return success();
    ++result.tried;
    FailureOr<MeasuredLoss> loss = measure(next);
    if (failed(loss))
      return failure();
    if (!isLess(*loss))
      return success();
    ++result.taken;
    result.after = std::move(*loss);
    selection = std::move(next);
    for (size_t i : llvm::reverse(used))
      downs.erase(downs.begin() + static_cast<std::ptrdiff_t>(i));
    return success();
  }

  const BitMeter &meter;
  const BitCosts &costs;
  ArrayRef<BitSite> sites;
  double budget;
  size_t count;
  BitSelection &selection;
  Progress progress;
  BitRepair result;
};

} // namespace

FailureOr<BitRepair> quantize::repair(const BitMeter &meter, const BitCosts &costs, ArrayRef<BitSite> sites,
                                      double budget, size_t count, BitSelection &selection) {
  return Repairer(meter, costs, sites, budget, count, selection).run();
}
