//===- AssignChannelScales.cpp - Give heads and channels scales of their own -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Heads.h"
#include "QuantizeDetail.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Numerics/Table.h"
#include "vitq/Support/Constants.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/Support/DebugLog.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InterleavedRange.h"

#include <cmath>
#include <numeric>

#define DEBUG_TYPE "vit-assign-channel-scales"

namespace vitq {
#define GEN_PASS_DEF_VITASSIGNCHANNELSCALESPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

// Of `norms=auto` (docs/Recipes.md, Scales for the channels of LayerNorm): rows whose extremes
// a range should hold, and the gain in dB from which scales for channels are worth it.
constexpr double kRowsToExpect = 0x1p14, kLeastGain = 2;

class AssignChannelScales : public vitq::impl::VitAssignChannelScalesPassBase<AssignChannelScales> {
  using VitAssignChannelScalesPassBase::VitAssignChannelScalesPassBase;

  void runOnOperation() override {
    if (own >= numerics::kMaxTables) {
      getOperation().emitError("vit-assign-channel-scales: own must be at most ")
          << numerics::kMaxTables - 1 << " (a table for each, and one for the rest)";
      return signalPassFailure();
    }
    WalkResult result = getOperation().walk([&](Operation *op) {
      if (auto matmul = dyn_cast<MatmulOp>(op); matmul && heads) {
        if (failed(assignHeads(matmul, matmul.getLhs())) || failed(assignHeads(matmul, matmul.getRhs())))
          return WalkResult::interrupt();
      } else if (depthwise && isa<WeightedOp>(op) && feedsWeights(op, /*onlyDepthwise=*/true)) {
        assignDepthwise(op);
      } else if ((isa<MulOp>(op) || isTable(op)) && own > 0 && feedsWeights(op)) {
        if (failed(assignOwn(op)))
          return WalkResult::interrupt();
      } else if (isa<LayerNormOp>(op) && norms != NormScales::Off && feedsWeights(op)) {
        if (failed(assignAll(op)))
          return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  /// Whether the op is a function of codes: a table for each scale. A rectifier is none.
  static bool isTable(Operation *op) {
    return isa<UnaryFunction>(op) && isa<QuantizableOp>(op) &&
           cast<QuantizableOp>(op).getOperandCode(0).kind == CodeKind::Code;
  }

  /// Whether each row of the weight reads one channel: each channel's scale is then one of the row.
  static bool isDepthwise(WeightedOp op) {
    ArrayRef<int64_t> shape = shapeOf(op->getOperand(1));
    const int64_t row = computeProduct(shape.drop_front());
    for (int64_t i = 0, count = computeProduct(shape); i < count; ++i)
      if (op.getInputChannel(i) != op.getInputChannel(i / row * row))
        return false;
    return true;
  }

  /// Whether every user can take scales that differ along the last axis: it has them
  /// folded into constant weights.
  static bool feedsWeights(Operation *op, bool onlyDepthwise = false) {
    Value value = op->getResult(0);
    return !op->hasAttr(kWideAttr) && !getQuantizedType(op->getOperand(0)) && !value.use_empty() &&
           llvm::all_of(value.getUses(), [=](OpOperand &use) {
             auto weighted = dyn_cast<WeightedOp>(use.getOwner());
             return weighted && use.getOperandNumber() == 0 && isConstant(weighted->getOperand(1)) &&
                    (!onlyDepthwise || isDepthwise(weighted));
           });
  }

  static FailureOr<ChannelRanges> rangesOf(Operation *op) {
    std::optional<ChannelRanges> ranges = getChannelRanges(op);
    if (ranges && static_cast<int64_t>(ranges->min.size()) == shapeOf(op->getResult(0)).back())
      return *ranges;
    return op->emitError("'") << nodeName(op->getLoc())
                              << "' has no calibrated channel ranges, which scales of their own need; calibrate again, "
                                 "or compile with --recipe=minmax";
  }

  //===--------------------------------------------------------------------===//
  // Heads
  //===--------------------------------------------------------------------===//

  /// The probabilities are no linear's result: they have one scale.
  LogicalResult assignHeads(MatmulOp matmul, Value operand) {
    auto [linear, count] = headsOf(operand);
    if (!linear || count < 2 || linear->hasAttr(kCodeRangesAttr))
      return success();
    FailureOr<ChannelRanges> channels = rangesOf(linear);
    if (failed(channels))
      return failure();
    size_t width = channels->min.size() / count;
    ChannelRanges ranges = *channels;
    double smallest = INFINITY, largest = 0;
    for (int64_t h = 0; h < count; ++h) {
      auto begin = h * width, end = begin + width;
      float min = *std::min_element(channels->min.begin() + begin, channels->min.begin() + end);
      float max = *std::max_element(channels->max.begin() + begin, channels->max.begin() + end);
      std::fill(ranges.min.begin() + begin, ranges.min.begin() + end, min);
      std::fill(ranges.max.begin() + begin, ranges.max.begin() + end, max);
      double reach = std::max(std::abs(min), std::abs(max));
      smallest = std::min(smallest, reach);
      largest = std::max(largest, reach);
    }
    clampToRange(linear, ranges);
    setCodeRanges(linear, ranges);
    recordDecision(
        linear, "vit-assign-channel-scales",
        format("one scale for each of %d heads, which reach %.3g to %.3g", static_cast<int>(count), smallest, largest));
    LDBG() << nodeName(linear.getLoc()) << ": " << count << " heads reach " << smallest << " to " << largest;
    ++numHeads;
    return success();
  }

  //===--------------------------------------------------------------------===//
  // Channels
  //===--------------------------------------------------------------------===//

  /// Own scales for the channels that reach farthest; the rest shares one.
  LogicalResult assignOwn(Operation *op) {
    FailureOr<ChannelRanges> channels = rangesOf(op);
    if (failed(channels))
      return failure();
    size_t count = channels->max.size();
    if (count / 2 < own)
      return success();
    SmallVector<size_t> order(count);
    std::iota(order.begin(), order.end(), 0);
    auto reach = [&](size_t c) { return std::max(std::abs(channels->min[c]), std::abs(channels->max[c])); };
    llvm::sort(order, [&](size_t a, size_t b) { return std::pair(-reach(a), a) < std::pair(-reach(b), b); });
    float min = 0, max = 0;
    for (size_t i = own; i < count; ++i) {
      min = std::min(min, channels->min[order[i]]);
      max = std::max(max, channels->max[order[i]]);
    }
    double all = reach(order[0]), rest = reach(order[own]);
    ChannelRanges ranges;
    ranges.min.assign(count, min);
    ranges.max.assign(count, max);
    for (size_t i = 0; i < own; ++i) {
      ranges.min[order[i]] = channels->min[order[i]];
      ranges.max[order[i]] = channels->max[order[i]];
    }
    clampToRange(op, ranges);
    setCodeRanges(op, ranges);
    recordDecision(op, "vit-assign-channel-scales",
                   format("own scales for the %d largest channels: the others reach %.3g instead of %.3g",
                          static_cast<int>(own), rest, all));
    LDBG() << nodeName(op->getLoc()) << ": own scales for channels "
           << llvm::interleaved(ArrayRef(order).take_front(own)) << " of " << count;
    ++numChannels;
    return success();
  }

  /// A scale for every channel, where each is read by rows of weights of its own.
  void assignDepthwise(Operation *op) {
    std::optional<ChannelRanges> channels = getChannelRanges(op);
    if (!channels) // ranges saved by hand may be without: one scale serves as well
      return;
    clampToRange(op, *channels);
    setCodeRanges(op, *channels);
    recordDecision(op, "vit-assign-channel-scales", "one scale for each channel of what a depthwise convolution reads");
    ++numChannels;
  }

  /// A scale for every channel (RepQ).
  LogicalResult assignAll(Operation *op) {
    FailureOr<ChannelRanges> channels = rangesOf(op);
    if (failed(channels))
      return failure();
    std::string why;
    if (norms == NormScales::Auto) {
      FailureOr<double> gain = widenAndMeasure(op, *channels);
      if (failed(gain))
        return failure();
      LDBG() << nodeName(op->getLoc()) << ": scales for channels would gain " << *gain << " dB";
      if (*gain < kLeastGain)
        return success();
      why = format(" (%.1f dB less error)", *gain);
    }
    clampToRange(op, *channels);
    setCodeRanges(op, *channels);
    recordDecision(op, "vit-assign-channel-scales",
                   "one scale for each channel, folded into the weights that read it" + why);
    ++numChannels;
    return success();
  }

  /// Widens the channels' ranges by what more rows would show, and returns by how many dB their
  /// own steps make the error of the products smaller than one step does.
  FailureOr<double> widenAndMeasure(Operation *op, ChannelRanges &channels) {
    const double rows = quantize::rowsSeen(op).value_or(0);
    if (rows < 2)
      return -INFINITY;
    const auto [least, most] = std::pair(*llvm::min_element(channels.min), *llvm::max_element(channels.max));
    // The largest of n normal values grows as sqrt(2 ln n).
    const double factor = std::sqrt(std::max(1.0, std::log(kRowsToExpect) / std::log(rows)));
    std::vector<double> weights(channels.min.size());
    for (Operation *user : op->getResult(0).getUsers()) {
      FailureOr<std::vector<float>> values =
          getFloatConstantF32(user->getOperand(1), [&] { return user->emitOpError("weight "); });
      if (failed(values))
        return failure();
      for (auto [i, value] : llvm::enumerate(*values))
        weights[cast<WeightedOp>(user).getInputChannel(i)] += static_cast<double>(value) * value;
    }
    double together = 0, apart = 0;
    const double step = (std::max(most, 0.0f) - std::min(least, 0.0f)) / 2;
    for (auto [min, max, weight] : llvm::zip_equal(channels.min, channels.max, weights)) {
      const double middle = (min + max) / 2, half = (max - min) / 2 * factor;
      min = std::max(least, static_cast<float>(middle - half));
      max = std::min(most, static_cast<float>(middle + half));
      // The channels share a zero point, near the middle of the codes.
      const double own = std::max(std::abs(min), std::abs(max));
      together += step * step * weight;
      apart += own * own * weight;
    }
    return apart > 0 ? 10 * std::log10(together / apart) : -INFINITY;
  }

  /// Observers may have narrowed the range of the whole tensor.
  static void clampToRange(Operation *op, ChannelRanges &ranges) {
    std::optional<std::pair<double, double>> range = getCalibratedRange(op->getResult(0));
    if (!range)
      return;
    auto low = static_cast<float>(range->first), high = static_cast<float>(range->second);
    for (size_t c = 0; c < ranges.min.size(); ++c) {
      ranges.min[c] = std::clamp(ranges.min[c], low, high);
      ranges.max[c] = std::clamp(ranges.max[c], low, high);
    }
  }

  template <typename... Args>
  static std::string format(const char *pattern, Args... args) {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format(pattern, args...);
    return text;
  }
};

} // namespace
