//===- SplitOutliers.cpp - Take outlier channels out of the 8-bit path -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/QuantizationHints.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/Support/DebugLog.h"
#include "llvm/Support/Format.h"

#include <algorithm>
#include <cmath>

#define DEBUG_TYPE "vit-split-outliers"

namespace vitq {
#define GEN_PASS_DEF_VITSPLITOUTLIERSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

/// first -> function -> second, each with one user.
struct Mlp {
  LinearOp first;
  Operation *function;
  LinearOp second;
};

/// Rows `indices` of a [rows, ...] matrix, in order.
std::vector<float> takeRows(ArrayRef<float> values, int64_t rows, ArrayRef<int64_t> indices) {
  size_t width = values.size() / rows;
  std::vector<float> taken;
  for (int64_t row : indices)
    taken.insert(taken.end(), values.begin() + row * width, values.begin() + (row + 1) * width);
  return taken;
}

class SplitOutliers : public vitq::impl::VitSplitOutliersPassBase<SplitOutliers> {
  using VitSplitOutliersPassBase::VitSplitOutliersPassBase;

  void runOnOperation() override {
    if (threshold == 0.0)
      return;
    if (!(threshold >= 1.0) || !std::isfinite(threshold)) {
      getOperation().emitError("vit-split-outliers: threshold must be at least 1, or 0 for no split");
      return signalPassFailure();
    }
    SmallVector<Mlp> found;
    getOperation().walk([&](Operation *op) {
      if (std::optional<Mlp> mlp = match(op))
        found.push_back(*mlp);
    });
    for (Mlp mlp : found)
      if (failed(process(mlp)))
        return signalPassFailure();
  }

  /// Only functions that are the identity for large arguments can leave 8 bits.
  static std::optional<Mlp> match(Operation *op) {
    auto function = dyn_cast<UnaryFunction>(op);
    if (!function || !function.approachesIdentity() || getQuantizedType(op->getOperand(0)) || !op->hasOneUse())
      return std::nullopt;
    auto first = op->getOperand(0).getDefiningOp<LinearOp>();
    auto second = dyn_cast<LinearOp>(*op->getUsers().begin());
    if (!first || !second || !first->hasOneUse() || second.getInput() != op->getResult(0) || op->hasAttr(kWideAttr))
      return std::nullopt;
    for (Value weight : {first.getWeight(), second.getWeight(), first.getBias()})
      if (weight && !isConstant(weight))
        return std::nullopt;
    return Mlp{first, op, second};
  }

  LogicalResult process(Mlp mlp) {
    std::optional<ChannelRanges> ranges = getChannelRanges(mlp.function), inputs = getChannelRanges(mlp.first);
    size_t channels = shapeOf(mlp.function->getResult(0)).back();
    if (!ranges || !inputs || ranges->min.size() != channels || inputs->min.size() != channels)
      return mlp.function->emitError("'")
             << nodeName(mlp.function->getLoc())
             << "' has no calibrated channel ranges, which finding outlier channels needs; "
                "calibrate again, or compile with --recipe=minmax or --split-outliers=0";
    SmallVector<float> magnitudes;
    for (size_t c = 0; c < channels; ++c)
      magnitudes.push_back(std::max(std::abs(ranges->min[c]), std::abs(ranges->max[c])));
    float median = medianOf(magnitudes);
    SmallVector<int64_t> outliers;
    for (size_t c = 0; c < channels; ++c)
      if (median > 0 && magnitudes[c] > threshold * median)
        outliers.push_back(c);
    LDBG() << nodeName(mlp.function->getLoc()) << ": " << outliers.size() << " of " << channels
           << " channels are beyond " << threshold.getValue() << " times the median of " << median;
    // Where many channels stand out none does: the layer is uneven, and 16 bits for
    // that many would cost time for nothing.
    if (outliers.empty() || outliers.size() * 16 > channels)
      return success();
    for (int64_t c : outliers)
      recordDecision(mlp.second, "vit-split-outliers",
                     "channel " + llvm::Twine(c) + " of its input reaches " + number(magnitudes[c]) + ", " +
                         number(magnitudes[c] / median) + " times the median channel (" + number(median) +
                         "): it is computed in 16 bits, apart from the others");
    numSplit += outliers.size();
    return split(mlp, outliers, *inputs, *ranges);
  }

  /// Of the channels that are not 0 throughout: pruned ones say nothing about the others.
  /// 0 without any.
  static float medianOf(ArrayRef<float> magnitudes) {
    SmallVector<float> living;
    llvm::copy_if(magnitudes, std::back_inserter(living),
                  [](float magnitude) { return magnitude > numerics::kTinyRange; });
    if (living.empty())
      return 0;
    auto *middle = living.begin() + living.size() / 2;
    std::nth_element(living.begin(), middle, living.end());
    return *middle;
  }

  static std::string number(double value) {
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format("%.4g", value);
    return text;
  }

  LogicalResult split(Mlp mlp, ArrayRef<int64_t> outliers, const ChannelRanges &inputs, const ChannelRanges &outputs) {
    Value weight = mlp.first.getWeight(), firstBias = mlp.first.getBias(), lastWeight = mlp.second.getWeight();
    FailureOr<std::vector<float>> rows = elementsOf(mlp.first, "weight", weight), biases = std::vector<float>(),
                                  columns = elementsOf(mlp.second, "weight", lastWeight);
    if (firstBias)
      biases = elementsOf(mlp.first, "bias", firstBias);
    if (failed(rows) || failed(biases) || failed(columns))
      return failure();
    IRRewriter rewriter(mlp.second);
    // Ordinary channels keep their places, so that the layer has the shape of its
    // siblings (and shares their code); an outlier's weights become 0 there.
    Value bias = mlp.second.getBias();
    Value main = branch(rewriter, mlp, "main", withoutRows(rewriter, weight, *rows, outliers),
                        firstBias ? withoutRows(rewriter, firstBias, *biases, outliers) : Value(),
                        withoutColumns(rewriter, lastWeight, *columns, outliers), bias);
    setRanges(main, without(inputs, outliers), without(outputs, outliers), mlp, [&](SmallVector<double> means) {
      for (int64_t c : outliers)
        means[c] = 0;
      return means;
    });
    Value wide = branch(rewriter, mlp, "outlier", onlyRows(rewriter, weight, *rows, outliers),
                        firstBias ? onlyRows(rewriter, firstBias, *biases, outliers) : Value(),
                        onlyColumns(rewriter, lastWeight, *columns, outliers), Value());
    setRanges(wide, only(inputs, outliers), only(outputs, outliers), mlp, [&](const SmallVector<double> &means) {
      SmallVector<double> taken;
      for (int64_t c : outliers)
        taken.push_back(means[c]);
      return taken;
    });
    Operation *last = wide.getDefiningOp();
    for (Operation *op : {last, last->getOperand(0).getDefiningOp()})
      op->setAttr(kWideAttr, rewriter.getUnitAttr());
    auto sum = createInferred<AddOp>(rewriter, mlp.second.getLoc(), ValueRange{main, wide});
    sum->setDiscardableAttrs(mlp.second->getDiscardableAttrDictionary());
    rewriter.replaceOp(mlp.second, sum->getResults());
    rewriter.eraseOp(mlp.function);
    rewriter.eraseOp(mlp.first);
    return success();
  }

  /// linear, function, linear; named after those of `mlp`.
  static Value branch(IRRewriter &rewriter, Mlp mlp, StringRef name, Value weight, Value bias, Value lastWeight,
                      Value lastBias) {
    SmallVector<Value> operands{mlp.first.getInput(), weight};
    if (bias)
      operands.push_back(bias);
    Value hidden = createInferred<LinearOp>(rewriter, suffixed(mlp.first.getLoc(), name), operands)->getResult(0);
    auto element = cast<RankedTensorType>(mlp.function->getResult(0).getType()).getElementType();
    Operation *function =
        rewriter.create(suffixed(mlp.function->getLoc(), name), mlp.function->getName().getIdentifier(), hidden,
                        withElementType(hidden.getType(), element), mlp.function->getAttrs());
    for (NamedAttribute attribute : function->getDiscardableAttrs())
      function->removeAttr(attribute.getName());
    operands = {function->getResult(0), lastWeight};
    if (lastBias)
      operands.push_back(lastBias);
    return createInferred<LinearOp>(rewriter, suffixed(mlp.second.getLoc(), name), operands)->getResult(0);
  }

  //===--------------------------------------------------------------------===//
  // Ranges
  //===--------------------------------------------------------------------===//

  static ChannelRanges without(ChannelRanges ranges, ArrayRef<int64_t> channels) {
    for (int64_t c : channels)
      ranges.min[c] = ranges.max[c] = 0;
    return ranges;
  }
  static ChannelRanges only(const ChannelRanges &ranges, ArrayRef<int64_t> channels) {
    ChannelRanges taken;
    for (int64_t c : channels) {
      taken.min.push_back(ranges.min[c]);
      taken.max.push_back(ranges.max[c]);
    }
    return taken;
  }

  static void setRanges(Value last, const ChannelRanges &inputs, const ChannelRanges &outputs, Mlp mlp,
                        llvm::function_ref<SmallVector<double>(SmallVector<double>)> chooseMeans) {
    Operation *function = last.getDefiningOp()->getOperand(0).getDefiningOp();
    Operation *first = function->getOperand(0).getDefiningOp();
    setRange(first, inputs, getHistogram(mlp.first));
    setRange(function, outputs, getHistogram(mlp.function));
    if (std::optional<std::vector<double>> means = getChannelMeans(mlp.function))
      setChannelMeans(function, chooseMeans(llvm::to_vector(*means)));
  }

  /// Ranges and, with what lies outside cut off, the histogram of all channels.
  static void setRange(Operation *op, const ChannelRanges &ranges, const std::optional<Histogram> &all) {
    double min = *llvm::min_element(ranges.min), max = *llvm::max_element(ranges.max);
    op->setAttr(kRangeAttr, DenseF64ArrayAttr::get(op->getContext(), {min, max}));
    setChannelRanges(op, ranges);
    if (!all)
      return;
    std::vector<std::pair<int64_t, int64_t>> bins = all->sparse();
    int64_t first = Histogram::binOf(static_cast<float>(min)), last = Histogram::binOf(static_cast<float>(max));
    llvm::erase_if(bins, [&](auto &bin) { return bin.first < first || bin.first > last; });
    setHistogram(op, *Histogram::fromSparse(bins));
  }

  //===--------------------------------------------------------------------===//
  // Weights [N, K] and biases [N]
  //===--------------------------------------------------------------------===//

  static Value constant(IRRewriter &rewriter, Value like, ArrayRef<int64_t> shape, ArrayRef<float> values) {
    auto type = RankedTensorType::get(shape, cast<RankedTensorType>(like.getType()).getElementType());
    return createFloatConstant(rewriter, like.getLoc(), type, values, getBlobName(like));
  }
  static FailureOr<std::vector<float>> elementsOf(LinearOp op, StringRef name, Value value) {
    return getFloatConstantF32(value, [&] { return op.emitError("its ") << name << " "; });
  }
  static Value withoutRows(IRRewriter &rewriter, Value value, std::vector<float> values, ArrayRef<int64_t> rows) {
    size_t width = values.size() / shapeOf(value)[0];
    for (int64_t row : rows)
      std::fill_n(values.begin() + row * width, width, 0.0f);
    return constant(rewriter, value, shapeOf(value), values);
  }
  static Value onlyRows(IRRewriter &rewriter, Value value, ArrayRef<float> values, ArrayRef<int64_t> rows) {
    SmallVector<int64_t> shape(shapeOf(value));
    shape[0] = rows.size();
    return constant(rewriter, value, shape, takeRows(values, shapeOf(value)[0], rows));
  }
  static Value withoutColumns(IRRewriter &rewriter, Value value, std::vector<float> values, ArrayRef<int64_t> columns) {
    int64_t width = shapeOf(value)[1];
    for (size_t row = 0; row < values.size(); row += width)
      for (int64_t column : columns)
        values[row + column] = 0;
    return constant(rewriter, value, shapeOf(value), values);
  }
  static Value onlyColumns(IRRewriter &rewriter, Value value, ArrayRef<float> values, ArrayRef<int64_t> columns) {
    std::vector<float> taken;
    int64_t width = shapeOf(value)[1];
    for (size_t row = 0; row < values.size(); row += width)
      for (int64_t column : columns)
        taken.push_back(values[row + column]);
    return constant(rewriter, value, {shapeOf(value)[0], static_cast<int64_t>(columns.size())}, taken);
  }
};

} // namespace
