//===- ClipRanges.cpp - Narrow calibrated ranges as observers say -*- C++ -*-===//
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

#include <array>
#include <cmath>

#define DEBUG_TYPE "vit-clip-ranges"

namespace vitq {
#define GEN_PASS_DEF_VITCLIPRANGESPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

enum class Method { MinMax, Percentile, Mse };
struct Observer {
  Method method = Method::MinMax;
  double percentile = 100;
};

/// Kinds of tensors, by what reads them.
enum Kind { Residual, Attention, Function, Argument, Linear, NumKinds };
constexpr std::array<llvm::StringLiteral, NumKinds> kKindNames = {"residual", "attention", "function", "argument",
                                                                  "linear"};

class ClipRanges : public vitq::impl::VitClipRangesPassBase<ClipRanges> {
  using VitClipRangesPassBase::VitClipRangesPassBase;

  void runOnOperation() override {
    std::array<Observer, NumKinds> chosen;
    if (failed(parse(chosen)))
      return signalPassFailure();
    WalkResult result = getOperation().walk([&](Operation *op) {
      if (op->getNumResults() != 1 || !op->hasAttr(kRangeAttr) || isMove(op))
        return WalkResult::advance();
      std::optional<Kind> kind = kindOf(op->getResult(0));
      if (!kind || chosen[*kind].method == Method::MinMax)
        return WalkResult::advance();
      return failed(clip(op, *kind, chosen[*kind])) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  //===--------------------------------------------------------------------===//
  // observers=KIND=METHOD,...
  //===--------------------------------------------------------------------===//

  LogicalResult parse(std::array<Observer, NumKinds> &chosen) {
    SmallVector<StringRef> parts;
    StringRef(observers).split(parts, ',', -1, /*KeepEmpty=*/false);
    for (StringRef part : parts) {
      auto [kind, method] = part.split('=');
      std::optional<Observer> observer = parseMethod(method);
      const auto *name = llvm::find(kKindNames, kind);
      if (!observer || (name == kKindNames.end() && kind != "all"))
        return getOperation().emitError("'")
               << part << "' is no observer: write KIND=METHOD with KIND residual, attention, function, argument, "
               << "linear or all, and METHOD minmax, percentile:P (50 < P <= 100) or mse";
      for (int k = 0; k < NumKinds; ++k)
        if (kind == "all" || kKindNames[k] == kind)
          chosen[k] = *observer;
    }
    return success();
  }

  static std::optional<Observer> parseMethod(StringRef text) {
    if (text == "minmax")
      return Observer{};
    if (text == "mse")
      return Observer{Method::Mse, 100};
    double percentile;
    if (text.consume_front("percentile:") && !text.getAsDouble(percentile) && percentile > 50 && percentile <= 100)
      return Observer{Method::Percentile, percentile};
    return std::nullopt;
  }

  static std::optional<Kind> kindOf(Value value) {
    if (isa<UnaryFunction>(value.getDefiningOp()))
      return Function;
    for (OpOperand &use : value.getUses()) {
      if (isMove(use.getOwner()))
        return kindOf(use.getOwner()->getResult(0));
      if (auto user = dyn_cast<QuantizableOp>(use.getOwner()))
        if (std::optional<Kind> kind = kindOf(value, user.getOperandCode(use.getOperandNumber())))
          return kind;
    }
    return std::nullopt;
  }

  /// Of an operand that is to have this code.
  static std::optional<Kind> kindOf(Value value, CodeSpec code) {
    switch (code.tensor) {
    case TensorKind::Attention:
      return Attention;
    case TensorKind::Argument:
      return Argument;
    case TensorKind::Linear:
      return Linear;
    case TensorKind::Residual:
      // The stream; what is added to it is an accumulator.
      if (!code.takesAccumulator || isResidual(value.getDefiningOp()))
        return Residual;
      break;
    case TensorKind::Other:
      break;
    }
    return std::nullopt;
  }

  //===--------------------------------------------------------------------===//
  // Ranges
  //===--------------------------------------------------------------------===//

  LogicalResult clip(Operation *op, Kind kind, Observer observer) {
    std::optional<Histogram> histogram = getHistogram(op);
    std::optional<std::pair<double, double>> range = getCalibratedRange(op->getResult(0));
    if (!histogram || !range)
      return op->emitError("'")
             << nodeName(op->getLoc())
             << "' has no calibrated histogram, which an observer other than minmax needs; calibrate "
                "again, or compile with --observer="
             << kKindNames[kind] << "=minmax";
    std::pair<double, double> narrowed = observer.method == Method::Mse
                                             ? leastError(*histogram, *range, kind == Residual ? 16 : 8)
                                             : std::pair(histogram->quantile(1 - observer.percentile / 100),
                                                         histogram->quantile(observer.percentile / 100));
    narrowed = {std::clamp(narrowed.first, range->first, range->second),
                std::clamp(narrowed.second, range->first, range->second)};
    if (narrowed == *range)
      return success();
    op->setAttr(kRangeAttr, DenseF64ArrayAttr::get(&getContext(), {narrowed.first, narrowed.second}));
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("values beyond [%.4g, %.4g] are clipped; they reach [%.4g, %.4g]",
                                                   narrowed.first, narrowed.second, range->first, range->second);
    LDBG() << nodeName(op->getLoc()) << " (" << kKindNames[kind] << "): " << text;
    recordDecision(op, "vit-clip-ranges", text);
    ++numClipped;
    return success();
  }

  /// Shrinks both ends alike: the factor whose codes have the least squared error.
  static std::pair<double, double> leastError(const Histogram &histogram, std::pair<double, double> range, int bits) {
    constexpr int steps = 64, points = 4;
    double least = INFINITY;
    std::pair<double, double> best = range;
    for (int i = 0; i < steps; ++i) {
      double factor = 1 - double(i) / steps, error = 0;
      std::pair<double, double> candidate{range.first * factor, range.second * factor};
      numerics::ScaleZeroPoint code = numerics::asymmetricScale(candidate.first, candidate.second, bits);
      int64_t hi = (int64_t(1) << bits) - 1;
      histogram.forEach([&](double lo, double up, int64_t count) {
        for (int p = 0; p < points; ++p) {
          double x = std::clamp(lo + (up - lo) * (p + 0.5) / points, range.first, range.second);
          double e = numerics::dequantize(numerics::quantizeReal(x, code.scale, code.zeroPoint, 0, hi), code.scale,
                                          code.zeroPoint) -
                     x;
          error += static_cast<double>(count) * e * e;
        }
      });
      if (error < least) {
        least = error;
        best = candidate;
      }
    }
    return best;
  }
};

} // namespace
