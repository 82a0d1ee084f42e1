//===- FitCodeRanges.cpp - Ranges of few codes by their squared error -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CalibrationImages.h"
#include "QuantizeDetail.h"

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/MainFunction.h"

#include "llvm/Support/DebugLog.h"
#include "llvm/Support/Format.h"

#include <cmath>
#include <map>

#define DEBUG_TYPE "vit-fit-code-ranges"

namespace vitq {
#define GEN_PASS_DEF_VITFITCODERANGESPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

/// Channels whose codes have one scale.
struct Group {
  double min = 0, max = 0;
  /// How many values lie in each of equal parts of [min, max].
  std::vector<int64_t> counts;

  static constexpr size_t kBins = 2048;
  double middle(size_t bin) const { return min + (max - min) * (static_cast<double>(bin) + 0.5) / kBins; }
};

/// A value that gets few codes.
struct Coded {
  Value value;
  int bits = 8;
  /// Codes around 0 (of a right operand), or around a zero point that groups share.
  bool isSymmetric = false;
  std::vector<Group> groups;
  /// The group of each channel.
  std::vector<unsigned> groupOf;

  void count(const Tensor &tensor, std::vector<std::vector<int64_t>> &counts) const;
};

/// The squared error of codes for [min, max], over all that was counted.
double errorOf(const Coded &coded, const Group &group, double min, double max) {
  numerics::ScaleZeroPoint code{0, 0};
  numerics::Interval codes;
  if (coded.isSymmetric) {
    code.scale = numerics::symmetricScale(std::max(-min, max), coded.bits);
    codes = numerics::codeRange(coded.bits, /*isSigned=*/true);
  } else {
    code = numerics::asymmetricScale(min, max, coded.bits);
    codes = numerics::codeRange(coded.bits, /*isSigned=*/false);
  }
  double error = 0;
  for (size_t bin = 0; bin < Group::kBins; ++bin) {
    if (group.counts[bin] == 0)
      continue;
    const double x = group.middle(bin);
    const double e = numerics::dequantize(numerics::quantizeReal(x, code.scale, code.zeroPoint, codes.min, codes.max),
                                          code.scale, code.zeroPoint) -
                     x;
    error += static_cast<double>(group.counts[bin]) * e * e;
  }
  return error;
}

/// The range of least error: both ends shrunk alike, then each end by itself (docs/Recipes.md, Bits).
std::pair<double, double> fit(const Coded &coded, const Group &group) {
  std::pair<double, double> best(group.min, group.max);
  if (coded.isSymmetric)
    best.first = -(best.second = std::max(-group.min, group.max));
  double least = errorOf(coded, group, best.first, best.second);
  auto attempt = [&](double min, double max) {
    if (double error = errorOf(coded, group, min, max); error < least)
      least = error, best = {min, max};
  };
  const std::pair<double, double> all = best;
  for (int i = 3; i < 20; ++i)
    attempt(all.first * i / 20, all.second * i / 20);
  for (int round = 0; round < 2; ++round)
    for (bool lower : {true, false})
      for (double factor : {0.6, 0.8, 0.9, 0.95, 1.05, 1.1, 1.25, 1.5}) {
        const auto [min, max] = best;
        attempt(coded.isSymmetric || lower ? min * factor : min, coded.isSymmetric || !lower ? max * factor : max);
      }
  return best;
}

class FitCodeRanges : public vitq::impl::VitFitCodeRangesPassBase<FitCodeRanges> {
  using VitFitCodeRangesPassBase::VitFitCodeRangesPassBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> function = findMain(getOperation());
    if (failed(function))
      return signalPassFailure();
    if (failed(collect(*function)))
      return signalPassFailure();
    if (coded.empty())
      return;
    FailureOr<CalibrationImages> images =
        CalibrationImages::open(*function, data, preprocess, limit, "codes of fewer than 8 bits: their range ");
    if (failed(images) || failed(measure(*function, *images)))
      return signalPassFailure();
    for (auto &[op, value] : coded)
      choose(op, value);
  }

  /// Values with few codes, and how their readers want them.
  LogicalResult collect(func::FuncOp function) {
    for (Operation &op : function.front()) {
      auto quantizable = dyn_cast<QuantizableOp>(op);
      if (!quantizable || op.hasAttr(kWideAttr))
        continue;
      for (OpOperand &use : op.getOpOperands()) {
        const CodeSpec code = quantizable.getOperandCode(use.getOperandNumber());
        Value value = quantize::root(use.get());
        if (code.kind != CodeKind::Code || getCodeBits(value) == kDefaultCodeBits || isResidual(value.getDefiningOp()))
          continue;
        auto [entry, isNew] = coded.insert({value.getDefiningOp(), Coded()});
        entry->second.isSymmetric |= code.isSigned;
        if (isNew && failed(prepare(value, entry->second)))
          return failure();
      }
    }
    return success();
  }

  LogicalResult prepare(Value value, Coded &result) {
    Operation *op = value.getDefiningOp();
    result.value = value;
    result.bits = static_cast<int>(getCodeBits(value));
    result.groupOf.assign(shapeOf(value).back(), 0);
    FailureOr<quantize::Range> range = quantize::calibratedRange(value);
    if (failed(range))
      return failure();
    std::optional<ChannelRanges> own = getCodeRanges(op);
    if (!own || own->min.size() != result.groupOf.size()) {
      result.groups.resize(1);
      std::tie(result.groups[0].min, result.groups[0].max) = *range;
      return success();
    }
    std::map<std::pair<float, float>, unsigned> known;
    for (size_t c = 0; c < result.groupOf.size(); ++c) {
      auto [group, isNew] = known.try_emplace({own->min[c], own->max[c]}, known.size());
      result.groupOf[c] = group->second;
      if (isNew)
        result.groups.push_back({own->min[c], own->max[c], {}});
    }
    // Scales of their own go with one zero point, near the middle where values lie on both sides of 0.
    result.isSymmetric |= !isa<UnaryFunction>(op);
    return success();
  }

  LogicalResult measure(func::FuncOp function, const CalibrationImages &images) {
    FailureOr<std::unique_ptr<Interpreter>> interpreter = Interpreter::create(function);
    if (failed(interpreter))
      return failure();
    // Counts of each thread, in the order of `coded`.
    std::vector<std::unique_ptr<std::vector<std::vector<std::vector<int64_t>>>>> parts;
    llvm::DenseMap<Operation *, size_t> indices;
    for (auto &[op, value] : coded)
      indices.try_emplace(op, indices.size());
    auto makeObserver = [&] {
      auto &part = *parts.emplace_back(std::make_unique<std::vector<std::vector<std::vector<int64_t>>>>());
      for (auto &[op, value] : coded)
        part.emplace_back(value.groups.size(), std::vector<int64_t>(Group::kBins, 0));
      return [&](Operation *op, ArrayRef<Tensor> tensors) {
        if (auto found = indices.find(op); found != indices.end())
          coded.find(op)->second.count(tensors.front(), part[found->second]);
      };
    };
    if (failed(images.run(**interpreter, "ranges of few codes", makeObserver)))
      return failure();
    for (auto [index, entry] : llvm::enumerate(coded))
      for (auto [g, group] : llvm::enumerate(entry.second.groups)) {
        group.counts.assign(Group::kBins, 0);
        for (const auto &part : parts)
          for (size_t bin = 0; bin < Group::kBins; ++bin)
            group.counts[bin] += (*part)[index][g][bin];
      }
    return success();
  }

  void choose(Operation *op, const Coded &value) {
    std::vector<std::pair<double, double>> ranges;
    double narrowest = INFINITY, widest = 0;
    for (const Group &group : value.groups) {
      ranges.push_back(fit(value, group));
      const double width = group.max > group.min
                               ? (ranges.back().second - ranges.back().first) /
                                     (value.isSymmetric ? 2 * std::max(-group.min, group.max) : group.max - group.min)
                               : 1;
      narrowest = std::min(narrowest, width), widest = std::max(widest, width);
    }
    if (value.groups.size() == 1 && !op->hasAttr(kCodeRangesAttr)) {
      op->setAttr(kRangeAttr, DenseF64ArrayAttr::get(&getContext(), {ranges[0].first, ranges[0].second}));
    } else {
      ChannelRanges channels;
      for (unsigned group : value.groupOf) {
        channels.min.push_back(static_cast<float>(ranges[group].first));
        channels.max.push_back(static_cast<float>(ranges[group].second));
      }
      setCodeRanges(op, channels);
    }
    std::string text;
    llvm::raw_string_ostream os(text);
    os << value.bits << " bits for " << llvm::format("%.0f", narrowest * 100);
    if (value.groups.size() > 1)
      os << " to " << llvm::format("%.0f", widest * 100);
    os << " % of the values' range";
    LDBG() << nodeName(op->getLoc()) << ": " << text;
    recordDecision(op, "vit-fit-code-ranges", text);
    ++numFitted;
  }

  llvm::MapVector<Operation *, Coded> coded;
};

} // namespace

void Coded::count(const Tensor &tensor, std::vector<std::vector<int64_t>> &counts) const {
  const size_t channels = groupOf.size();
  for (auto [i, x] : llvm::enumerate(tensor.values<float>())) {
    const unsigned g = groupOf[i % channels];
    const Group &group = groups[g];
    const double width = group.max - group.min;
    const double place = width > 0 ? (x - group.min) / width * Group::kBins : 0;
    ++counts[g][static_cast<size_t>(std::clamp(place, 0.0, static_cast<double>(Group::kBins - 1)))];
  }
}
