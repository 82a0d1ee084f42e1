//===- AccumulatorBounds.cpp - Bounds of 32-bit accumulators -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/AccumulatorBounds.h"

#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using vitq::vit::shapeOf;

namespace vitq {

numerics::Interval getLhsTypeRange(integer::MatmulOp op) {
  return integer::codeOf(op.getLhs(), op.getLhsCode()).range();
}

numerics::Interval getAccumulatorBound(integer::MatmulOp op, numerics::Interval lhs) {
  int64_t zero = op.getLhsCode().getZero(), k = shapeOf(op.getLhs()).back(), n = shapeOf(op.getResult()).back();
  int64_t lo = lhs.min - zero, hi = lhs.max - zero;
  const numerics::Code rhs{cast<ShapedType>(op.getRhs().getType()).getElementTypeBitWidth(), false, 0};
  FailureOr<Tensor> weights = getIntTensor(op.getRhs()), bias;
  if (op.getBias())
    bias = getIntTensor(op.getBias());
  numerics::Interval biasAny{0, 0};
  if (op.getBias() && failed(bias))
    biasAny = numerics::codeRange(32, true);
  numerics::Interval all{0, 0};
  for (int64_t channel = 0; channel < n; ++channel) {
    // Partial sums lie between the sum of the negative and of the positive extremes.
    numerics::Interval sum{0, 0};
    if (failed(weights) || shapeOf(op.getRhs()).size() != 2) {
      int64_t magnitude = k * std::max(std::abs(lo), std::abs(hi)) * rhs.magnitude();
      sum = {-magnitude, magnitude};
    } else {
      for (int64_t i = 0; i < k; ++i) {
        const int64_t weight = weights->intAt(op.getTransposeRhs() ? channel * k + i : i * n + channel);
        const auto [least, most] = std::minmax({lo * weight, hi * weight});
        sum.min += std::min(least, int64_t(0));
        sum.max += std::max(most, int64_t(0));
      }
    }
    const int64_t ownBias = succeeded(bias) ? bias->intAt(channel) : 0;
    sum.min += std::min(ownBias + biasAny.min, int64_t(0));
    sum.max += std::max(ownBias + biasAny.max, int64_t(0));
    all = numerics::unite(all, sum);
  }
  return all;
}

} // namespace vitq
