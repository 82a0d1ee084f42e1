//===- RequantToThresholds.cpp - Requantize to few levels by comparisons -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/AccumulatorBounds.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/Thresholds.h"
#include "vitq/Support/Constants.h"
#include "vitq/Transforms/Passes.h"

#include "llvm/Support/DebugLog.h"

#include <cmath>

#define DEBUG_TYPE "vitq-requant-to-thresholds"

namespace vitq {
#define GEN_PASS_DEF_VITQREQUANTTOTHRESHOLDSPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::integer;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

/// What the input of a requantization can be.
static numerics::Interval inputRange(RequantOp op) {
  numerics::Interval range = codeOf(op.getInput(), op.getInputCode()).range();
  if (auto product = op.getInput().getDefiningOp<MatmulOp>()) {
    const numerics::Interval bound = product.getAccumulatorBound(getOperandTypeRange(product));
    if (bound.min >= range.min && bound.max <= range.max)
      return bound;
  }
  return range;
}

/// Thresholds level by level, as the op stores them.
static std::optional<SmallVector<int64_t>> thresholdsOf(RequantOp op, int64_t lo, int64_t hi) {
  const numerics::Interval inputs = inputRange(op);
  SmallVector<std::vector<int32_t>> columns;
  for (size_t c = 0; c < op.getBy().size(); ++c) {
    std::optional<std::vector<int32_t>> column = numerics::requantizeThresholds(
        op.getBy().entry(c), toNumerics(op.getRounding()), static_cast<int64_t>(op.getInputCode().getZero()),
        static_cast<int64_t>(op.getResultCode().getZero()), lo, hi, inputs);
    if (!column)
      return std::nullopt;
    columns.push_back(std::move(*column));
  }
  SmallVector<int64_t> thresholds;
  for (int64_t k = 0; k < hi - lo; ++k)
    for (const std::vector<int32_t> &column : columns)
      thresholds.push_back(column[k]);
  return thresholds;
}

/// Comparisons know no zero point.
static CodeAttr signOf(CodeAttr code) { return CodeAttr::get(code.getContext(), code.isUnsigned(), /*zero=*/0); }

/// The threshold that computes the same as `op`; null if none does.
static ThresholdOp toThreshold(RequantOp op) {
  const numerics::Interval all = codeOf(op.getResult(), op.getResultCode()).range();
  const auto lo = static_cast<int64_t>(op.getMin().value_or(all.min)),
             hi = static_cast<int64_t>(op.getMax().value_or(all.max));
  ArrayRef<int64_t> shape = shapeOf(op.getInput());
  const auto axis = static_cast<int64_t>(op.getAxis()), rank = static_cast<int64_t>(shape.size());
  const bool shared = op.getBy().size() == 1;
  const unsigned width = cast<ShapedType>(op.getInput().getType()).getElementTypeBitWidth();
  if (hi <= lo || hi - lo > 15 || (!shared && axis != -1 && axis != rank - 1) ||
      cast<ShapedType>(op.getType()).getElementTypeBitWidth() > 16 || (width == 32 && op.getInputCode().isUnsigned()))
    return {};
  std::optional<SmallVector<int64_t>> thresholds = thresholdsOf(op, lo, hi);
  if (!thresholds)
    return {};
  OpBuilder b(op);
  SmallVector<int64_t> sizes{hi - lo};
  if (!shared)
    sizes.push_back(shape.back());
  Value constant =
      createIntConstant(b, op.getLoc(), RankedTensorType::get(sizes, b.getI32Type()), *thresholds, "thresholds");
  return ThresholdOp::create(b, op.getLoc(), op.getType(), op.getInput(), constant, lo, signOf(op.getInputCode()),
                             signOf(op.getResultCode()));
}

/// The norm_quant for a normalization and the comparisons of its codes; null if there is
/// none. A code reaches a threshold T if the value before rounding reaches T - 1/2.
static NormQuantOp toNormQuant(ThresholdOp op) {
  auto norm = op.getInput().getDefiningOp<LayerNormOp>();
  FailureOr<std::vector<int64_t>> thresholds = getIntConstant(op.getThresholds());
  auto exact = norm ? dyn_cast<NormExactAttr>(norm.getAlgorithm()) : NormExactAttr();
  if (!exact || !exact.isCentered() || !norm->hasOneUse() || failed(thresholds) ||
      norm.getResultCode().isUnsigned() != op.getInputCode().isUnsigned())
    return {};
  const auto channels = static_cast<size_t>(shapeOf(norm.getInput()).back());
  const size_t levels = static_cast<size_t>(shapeOf(op.getThresholds())[0]), stride = thresholds->size() / levels;
  // A value whose square is e^2/V becomes the code e/sqrt(V) * M * 2^14 / 2^s + offset / 2^s.
  std::vector<double> gamma, beta, at;
  for (size_t c = 0; c < channels; ++c) {
    const int shift = norm.getBy().shift(c);
    gamma.push_back(std::ldexp(norm.getBy().multiplier(c), 14 - shift));
    beta.push_back(std::ldexp(static_cast<double>(norm.getOffsets()[c]), -shift));
  }
  const numerics::Interval codes = codeOf(norm.getResult(), norm.getResultCode()).range();
  for (size_t k = 0; k < levels; ++k)
    for (size_t c = 0; c < channels; ++c) {
      const int64_t threshold = (*thresholds)[k * stride + (stride == 1 ? 0 : c)];
      at.push_back(threshold > codes.max ? INFINITY
                   : threshold <= codes.min
                       ? -INFINITY
                       : static_cast<double>(threshold) - 0.5 -
                             static_cast<double>(static_cast<int64_t>(norm.getResultCode().getZero())));
    }
  std::optional<numerics::NormQuantThresholds> found = numerics::normQuantThresholds(gamma, beta, at);
  if (!found)
    return {};
  OpBuilder b(op);
  auto type = RankedTensorType::get({found->levels, static_cast<int64_t>(channels)}, b.getI32Type());
  Value squares = createIntConstant(b, norm.getLoc(), type,
                                    SmallVector<int64_t>(found->squares.begin(), found->squares.end()), "squares");
  return NormQuantOp::create(
      b, norm.getLoc(), op.getType(), norm.getInput(), squares,
      b.getDenseBoolArrayAttr(llvm::map_to_vector(found->negative, [](uint8_t n) { return n != 0; })),
      b.getI64IntegerAttr(exact.getEpsilon()), op.getMinAttr(), norm.getInputCodeAttr(), op.getResultCodeAttr());
}

static void replace(Operation *op, Operation *by) {
  by->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  op->replaceAllUsesWith(by);
  op->erase();
}

namespace {

class RequantToThresholds : public vitq::impl::VitqRequantToThresholdsPassBase<RequantToThresholds> {
  using VitqRequantToThresholdsPassBase::VitqRequantToThresholdsPassBase;

  void runOnOperation() override {
    getOperation().walk([&](RequantOp op) {
      if (ThresholdOp threshold = toThreshold(op)) {
        LDBG() << op.getLoc() << ": " << cast<ShapedType>(threshold.getThresholds().getType()).getDimSize(0)
               << " thresholds";
        replace(op, threshold);
        ++numThresholds;
      } else {
        LDBG(2) << op.getLoc() << ": stays a requantization";
      }
    });
    if (!norms)
      return;
    getOperation().walk([&](ThresholdOp op) {
      if (NormQuantOp quant = toNormQuant(op)) {
        Operation *norm = op.getInput().getDefiningOp(), *thresholds = op.getThresholds().getDefiningOp();
        LDBG() << quant.getLoc() << ": a norm_quant";
        replace(op, quant);
        norm->erase();
        if (thresholds->use_empty())
          thresholds->erase();
        ++numNorms;
      }
    });
  }
};

} // namespace
