//===- FitFunctionRanges.cpp - Choose the input range of a function by the error of its output -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Transforms/Passes.h"

#include "llvm/Support/DebugLog.h"
#include "llvm/Support/Format.h"

#include <cmath>

#define DEBUG_TYPE "vit-fit-function-ranges"

namespace vitq {
#define GEN_PASS_DEF_VITFITFUNCTIONRANGESPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

/// Points of the input's distribution, with the function's value there.
struct Sample {
  double x, y, weight;
};

class FitFunctionRanges : public vitq::impl::VitFitFunctionRangesPassBase<FitFunctionRanges> {
  using VitFitFunctionRangesPassBase::VitFitFunctionRangesPassBase;

  void runOnOperation() override {
    WalkResult result = getOperation().walk(
        [&](UnaryFunction op) { return failed(fit(op)) ? WalkResult::interrupt() : WalkResult::advance(); });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult fit(UnaryFunction op) {
    Value input = op->getOperand(0);
    Operation *producer = input.getDefiningOp();
    // A rectifier has no table; 16-bit inputs need no fitting; other users of the
    // argument may need the whole range.
    auto quantizable = dyn_cast<QuantizableOp>(op.getOperation());
    if (!quantizable || quantizable.getOperandCode(0).kind != CodeKind::Code || !producer || !input.hasOneUse() ||
        producer->getNumResults() != 1 || op->hasAttr(kWideAttr) || getQuantizedType(input))
      return success();
    std::optional<std::pair<double, double>> range = getCalibratedRange(input);
    std::optional<Histogram> histogram = getHistogram(producer);
    if (!range || !histogram) {
      InFlightDiagnostic error = op->emitError("the argument of '")
                                 << nodeName(op->getLoc())
                                 << "' has no calibrated histogram, which choosing its range needs; calibrate again, "
                                    "or compile with --fit-function-ranges=off";
      error.attachNote(producer->getLoc()) << "the argument is computed here";
      return error;
    }
    std::vector<Sample> samples = sample(op, *histogram, *range);
    std::pair<double, double> best = search(op, samples, *range);
    if (best == *range)
      return success();
    double before = error(op, samples, *range), after = error(op, samples, best);
    producer->setAttr(kRangeAttr, DenseF64ArrayAttr::get(&getContext(), {best.first, best.second}));
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("its argument is coded over [%.3g, %.3g] instead of [%.3g, %.3g]: "
                                                   "the error of its result falls by %.1f dB",
                                                   best.first, best.second, range->first, range->second,
                                                   10 * std::log10(before / after));
    LDBG() << nodeName(op->getLoc()) << ": " << text;
    recordDecision(op, "vit-fit-function-ranges", text);
    ++numFitted;
    return success();
  }

  /// Bins are 1/32 octave wide; points inside resolve the steps of 8-bit codes.
  static std::vector<Sample> sample(UnaryFunction op, const Histogram &histogram, std::pair<double, double> range) {
    constexpr int points = 8;
    std::vector<Sample> samples;
    histogram.forEach([&](double lo, double hi, int64_t count) {
      for (int i = 0; i < points; ++i) {
        double x = lo + (hi - lo) * (i + 0.5) / points;
        x = std::clamp(x, range.first, range.second);
        samples.push_back({x, op.evaluate(x), static_cast<double>(count) / points});
      }
    });
    return samples;
  }

  /// Sum of squared errors of f(code of x) when codes cover `range`.
  static double error(UnaryFunction op, ArrayRef<Sample> samples, std::pair<double, double> range) {
    constexpr unsigned kBits = 8;
    const numerics::Interval codes = numerics::codeRange(kBits, /*isSigned=*/false);
    numerics::ScaleZeroPoint code = numerics::asymmetricScale(range.first, range.second, kBits);
    std::array<double, size_t(1) << kBits> values;
    for (int64_t q = codes.min; q <= codes.max; ++q)
      values[q] = op.evaluate(numerics::dequantize(q, code.scale, code.zeroPoint));
    double sum = 0;
    for (const Sample &s : samples) {
      double q = std::clamp(std::floor(s.x / code.scale + 0.5) + static_cast<double>(code.zeroPoint),
                            static_cast<double>(codes.min), static_cast<double>(codes.max));
      double e = values[static_cast<size_t>(q)] - s.y;
      sum += s.weight * e * e;
    }
    return sum;
  }

  /// Where an end of a range may move to: in equal steps, and below the last of them in
  /// shrinking ones, for a channel that is far away from what the others are.
  static SmallVector<double> inwards(double end, int steps) {
    SmallVector<double> ends;
    for (int i = 1; i < steps; ++i)
      ends.push_back(end * (1 - double(i) / steps));
    end /= 1.5 * steps;
    while (std::abs(end) > 1) {
      ends.push_back(end);
      end /= 1.5;
    }
    return ends;
  }

  /// Ends of the range move inwards where the function is flat: its value moves by
  /// at most a tenth of the way, and by `tolerance` of its span. What lies beyond is
  /// then off by no more than that, however rare and however important (docs/Recipes.md).
  std::pair<double, double> search(UnaryFunction op, ArrayRef<Sample> samples, std::pair<double, double> range) {
    constexpr int steps = 64;
    double lowest = op.evaluate(range.first), highest = lowest;
    for (const Sample &s : samples) {
      lowest = std::min(lowest, s.y);
      highest = std::max(highest, s.y);
    }
    double allowed = tolerance * (highest - lowest);
    std::pair<double, double> best = range;
    double least = error(op, samples, best);
    auto consider = [&](std::pair<double, double> candidate) {
      double e = error(op, samples, candidate);
      if (e < least) {
        least = e;
        best = candidate;
      }
    };
    // Everywhere in between, not at the ends alone: what comes back from a dip is not flat.
    auto isFlat = [&](double from, double to) {
      double end = op.evaluate(to), limit = std::min(allowed, 0.1 * std::abs(to - from));
      for (int i = 0; i < steps; ++i)
        if (std::abs(op.evaluate(from + (to - from) * i / steps) - end) > limit)
          return false;
      return true;
    };
    for (double end : inwards(range.first, steps))
      if (end < 0 && isFlat(range.first, end))
        consider({end, range.second});
    double low = best.first;
    for (double end : inwards(range.second, steps))
      if (end > 0 && isFlat(range.second, end))
        consider({low, end});
    return best;
  }
};

} // namespace
