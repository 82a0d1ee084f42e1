//===- BalanceChannels.cpp - Make far channels between linear layers reach less -*- C++ -*-===//
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

#define DEBUG_TYPE "vit-balance-channels"

namespace vitq {
#define GEN_PASS_DEF_VITBALANCECHANNELSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

/// Channel c of the result of `first` decides channel c of what `readers` read, and is
/// multiplied by a positive number there if it is here.
struct Path {
  /// A layer with weights or a layer_norm.
  Operation *first = nullptr;
  /// Ops from there to the readers, in order.
  SmallVector<Operation *> between;
  SmallVector<WeightedOp> readers;

  /// What the readers read.
  Operation *end() const { return between.empty() ? first : between.back(); }
};

class BalanceChannels : public vitq::impl::VitBalanceChannelsPassBase<BalanceChannels> {
  using VitBalanceChannelsPassBase::VitBalanceChannelsPassBase;

  void runOnOperation() override {
    if (!(threshold >= 1.0) || !std::isfinite(threshold)) {
      getOperation().emitError("vit-balance-channels: threshold must be at least 1");
      return signalPassFailure();
    }
    SmallVector<Path> paths;
    getOperation().walk([&](Operation *op) {
      if (isa<LayerNormOp, ReluOp, ReshapeOp>(op))
        if (std::optional<Path> path = match(op))
          paths.push_back(*path);
    });
    for (const Path &path : paths)
      if (failed(balance(path)))
        return signalPassFailure();
  }

  //===--------------------------------------------------------------------===//
  // Paths
  //===--------------------------------------------------------------------===//

  /// The path that ends with `end`: a layer_norm, or layer -> rectifier, or the values of
  /// an attention: linear -> heads -> product with the probabilities, and their
  /// division -> tokens. Only layers with constant weights read it.
  static std::optional<Path> match(Operation *end) {
    Path path;
    for (OpOperand &use : end->getResult(0).getUses()) {
      auto reader = dyn_cast<WeightedOp>(use.getOwner());
      if (!reader || use.getOperandNumber() != 0 || !isConstant(reader->getOperand(1)) || reader->hasAttr(kWideAttr))
        return std::nullopt;
      path.readers.push_back(reader);
    }
    if (isa<LayerNormOp>(end)) {
      path.first = end;
    } else {
      path.between.push_back(end);
      Value source = isa<ReluOp>(end) ? end->getOperand(0) : matchValues(cast<ReshapeOp>(end), path);
      path.first =
          source && source.hasOneUse() ? dyn_cast_or_null<WeightedOp>(source.getDefiningOp()).getOperation() : nullptr;
    }
    if (path.readers.empty() || !path.first || path.first->hasAttr(kWideAttr) ||
        getQuantizedType(path.first->getOperand(0)) ||
        !llvm::all_of(path.first->getOperands().drop_front(), [](Value value) { return isConstant(value); }))
      return std::nullopt;
    std::reverse(path.between.begin(), path.between.end());
    return path;
  }

  /// The op of this kind behind `value`, which nobody else reads; put on the path.
  template <typename OpTy>
  static OpTy step(Value value, Path &path) {
    auto op = value.getDefiningOp<OpTy>();
    if (!op || !value.hasOneUse())
      return {};
    path.between.push_back(op);
    return op;
  }

  static Value matchValues(ReshapeOp merge, Path &path) {
    auto tokens = step<TransposeOp>(merge.getInput(), path);
    if (!tokens || !swapsHeads(tokens))
      return {};
    Value product = tokens.getInput();
    if (auto division = step<DivideRowsOp>(product, path))
      product = division.getInput();
    auto matmul = step<MatmulOp>(product, path);
    if (!matmul || matmul.getTransposeRhs())
      return {};
    auto heads = step<TransposeOp>(matmul.getRhs(), path);
    auto split = heads && swapsHeads(heads) ? step<ReshapeOp>(heads.getInput(), path) : ReshapeOp();
    if (!split)
      return {};
    // [B, N, C] -> [B, N, H, d] and back.
    ArrayRef<int64_t> from = shapeOf(split.getInput()), to = shapeOf(split.getResult()),
                      back = shapeOf(merge.getResult());
    if (from.size() != 3 || to.size() != 4 || from.take_front(2) != to.take_front(2) || back != from)
      return {};
    return split.getInput();
  }
  static bool swapsHeads(TransposeOp op) { return op.getPermutation() == ArrayRef<int64_t>{0, 2, 1, 3}; }

  //===--------------------------------------------------------------------===//
  // Factors
  //===--------------------------------------------------------------------===//

  LogicalResult balance(const Path &path) {
    std::optional<ChannelRanges> ranges = getChannelRanges(path.end());
    if (!ranges || static_cast<int64_t>(ranges->min.size()) != shapeOf(path.end()->getResult(0)).back())
      return success();
    std::vector<float> reach;
    for (auto [min, max] : llvm::zip_equal(ranges->min, ranges->max))
      reach.push_back(std::max(std::abs(min), std::abs(max)));
    SmallVector<int> exponents = exponentsFor(reach);
    auto count = llvm::count_if(exponents, [](int e) { return e != 0; });
    if (count == 0)
      return success();
    std::string text;
    llvm::raw_string_ostream(text) << llvm::format(
        "%d of %d channels reach up to %.4g where the others reach %.4g: they are divided by powers of two, which the "
        "weights that read them take up",
        static_cast<int>(count), static_cast<int>(reach.size()), *llvm::max_element(reach), levelOf(reach));
    LDBG() << nodeName(path.end()->getLoc()) << ": " << text;
    recordDecision(path.end(), "vit-balance-channels", text);
    numBalanced += count;
    scaleStatistics(path, exponents);
    return scaleConstants(path, exponents);
  }

  /// How far channels reach that are left alone: at most `threshold` times the lower
  /// quartile of those that are not 0 on every image. 0 where all are.
  float levelOf(ArrayRef<float> reach) const {
    std::vector<float> sorted;
    llvm::copy_if(reach, std::back_inserter(sorted), [](float r) { return r > numerics::kTinyRange; });
    if (sorted.empty())
      return 0;
    llvm::sort(sorted);
    double limit = threshold * sorted[sorted.size() / 4];
    return *std::prev(llvm::upper_bound(sorted, limit));
  }

  /// Channel c is to be divided by 2^exponents[c].
  SmallVector<int> exponentsFor(ArrayRef<float> reach) const {
    float level = levelOf(reach);
    SmallVector<int> exponents(reach.size(), 0);
    for (auto [exponent, r] : llvm::zip_equal(exponents, reach))
      if (level > 0 && r > level)
        exponent = static_cast<int>(std::ceil(std::log2(double(r) / level)));
    return exponents;
  }

  //===--------------------------------------------------------------------===//
  // Statistics and weights
  //===--------------------------------------------------------------------===//

  /// Ranges as they are with the new constants: of ops with all channels in the last axis
  /// channel by channel, of those between them as of the one before, or behind the
  /// product of an attention as at the path's end.
  static void scaleStatistics(const Path &path, ArrayRef<int> exponents) {
    Operation *source = path.first;
    scaleStatistics(path.first, exponents);
    if (path.end() != path.first)
      scaleStatistics(path.end(), exponents);
    // They are no longer what the float model computes under these names.
    path.first->setLoc(suffixed(path.first->getLoc(), "balanced"));
    for (Operation *op : path.between) {
      op->setLoc(suffixed(op->getLoc(), "balanced"));
      if (op == path.end())
        break;
      if (isa<MatmulOp>(op))
        source = path.end();
      removeCalibrationStatistics(op);
      if (Attribute range = source->getAttr(kRangeAttr); range && op->hasAttr(kRangeAttr))
        op->setAttr(kRangeAttr, range);
    }
  }

  static void scaleStatistics(Operation *op, ArrayRef<int> exponents) {
    std::optional<ChannelRanges> ranges = getChannelRanges(op);
    std::optional<std::vector<double>> means = getChannelMeans(op);
    std::optional<std::pair<double, double>> range = getCalibratedRange(op->getResult(0));
    // A histogram has no channels, and nothing reads it after this.
    removeCalibrationStatistics(op);
    if (!ranges)
      return;
    for (auto [min, max, exponent] : llvm::zip_equal(ranges->min, ranges->max, exponents)) {
      // Observers may have narrowed the range of the whole tensor.
      if (range) {
        min = static_cast<float>(std::clamp<double>(min, range->first, range->second));
        max = static_cast<float>(std::clamp<double>(max, range->first, range->second));
      }
      min = std::ldexp(min, -exponent);
      max = std::ldexp(max, -exponent);
    }
    setChannelRanges(op, *ranges);
    op->setAttr(kRangeAttr, DenseF64ArrayAttr::get(op->getContext(), {double(*llvm::min_element(ranges->min)),
                                                                      double(*llvm::max_element(ranges->max))}));
    if (!means)
      return;
    for (auto [mean, exponent] : llvm::zip_equal(*means, exponents))
      mean = std::ldexp(mean, -exponent);
    setChannelMeans(op, *means);
  }

  /// Rows of the first weight and its bias, or gamma and beta, are divided, columns of the
  /// readers' weights multiplied.
  static LogicalResult scaleConstants(const Path &path, ArrayRef<int> exponents) {
    auto replace = [](OpOperand &operand, llvm::function_ref<int(size_t)> exponentOf) -> LogicalResult {
      Value old = operand.get();
      FailureOr<std::vector<float>> values = getFloatConstantF32(
          old, [&] { return operand.getOwner()->emitError("operand #") << operand.getOperandNumber() << " "; });
      if (failed(values))
        return failure();
      for (auto [i, value] : llvm::enumerate(*values))
        value = std::ldexp(value, exponentOf(i));
      OpBuilder builder(operand.getOwner());
      operand.set(
          createFloatConstant(builder, old.getLoc(), cast<RankedTensorType>(old.getType()), *values, getBlobName(old)));
      return success();
    };
    for (OpOperand &operand : path.first->getOpOperands().drop_front()) {
      // A row, or one number, for each channel.
      size_t perChannel = cast<RankedTensorType>(operand.get().getType()).getNumElements() / exponents.size();
      if (failed(replace(operand, [&](size_t i) { return -exponents[i / perChannel]; })))
        return failure();
    }
    for (WeightedOp reader : path.readers)
      if (failed(replace(reader->getOpOperand(1), [&](size_t i) { return exponents[reader.getInputChannel(i)]; })))
        return failure();
    return success();
  }
};

} // namespace
