//===- VitqProducts.cpp - Sums of products -----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// ProductOp: how many products an op sums, and what the sums may reach.

#include "dialects/vitq/Vitq.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace ::vitq;
using namespace vitq::integer;
using numerics::Interval;
using ::vitq::vit::shapeOf;

/// The bound of `channels` sums of `count` products of codes in [lo, hi], zero point subtracted, each. `weightOf`
/// gives the weight of a channel and product; null: any of `weightBits` bits.
static Interval boundOf(int64_t channels, int64_t count, int64_t lo, int64_t hi, int weightBits, Value biasValue,
                        llvm::function_ref<int64_t(int64_t, int64_t)> weightOf) {
  FailureOr<Tensor> bias = biasValue ? getIntTensor(biasValue) : FailureOr<Tensor>(failure());
  const Interval biasAny = biasValue && failed(bias) ? numerics::codeRange(32, true) : Interval{0, 0};
  Interval all{0, 0};
  for (int64_t channel = 0; channel < channels; ++channel) {
    // Partial sums lie between the sum of the negative and of the positive extremes.
    Interval sum{0, 0};
    if (!weightOf) {
      const int64_t magnitude =
          count * std::max(std::abs(lo), std::abs(hi)) * numerics::Code{unsigned(weightBits), false, 0}.magnitude();
      sum = {-magnitude, magnitude};
    }
    for (int64_t i = 0; weightOf && i < count; ++i) {
      const int64_t weight = weightOf(channel, i);
      const auto [least, most] = std::minmax({lo * weight, hi * weight});
      sum.min += std::min(least, int64_t(0));
      sum.max += std::max(most, int64_t(0));
    }
    const int64_t ownBias = succeeded(bias) ? bias->intAt(channel) : 0;
    sum.min += std::min(ownBias + biasAny.min, int64_t(0));
    sum.max += std::max(ownBias + biasAny.max, int64_t(0));
    all = numerics::unite(all, sum);
  }
  return all;
}

int64_t MatmulOp::getMacs() { return getType().getNumElements() * shapeOf(getLhs()).back(); }

Interval MatmulOp::getAccumulatorBound(Interval codes) {
  const int64_t zero = getLhsCode().getZero(), k = shapeOf(getLhs()).back(), n = shapeOf(getResult()).back();
  const int bits = static_cast<int>(codeOf(getRhs()).bits);
  FailureOr<Tensor> weights = shapeOf(getRhs()).size() == 2 ? getIntTensor(getRhs()) : FailureOr<Tensor>(failure());
  auto weightOf = [&](int64_t channel, int64_t i) {
    return weights->intAt(getTransposeRhs() ? channel * k + i : i * n + channel);
  };
  llvm::function_ref<int64_t(int64_t, int64_t)> known;
  if (succeeded(weights))
    known = weightOf;
  return boundOf(n, k, codes.min - zero, codes.max - zero, bits, getBias(), known);
}

int64_t DepthwiseConv2dOp::getMacs() {
  ArrayRef<int64_t> weight = shapeOf(getWeight());
  return getType().getNumElements() * weight[0] * weight[1];
}

Interval DepthwiseConv2dOp::getAccumulatorBound(Interval codes) {
  ArrayRef<int64_t> weight = shapeOf(getWeight());
  const int64_t channels = weight[2], zero = getInputCode().getZero();
  FailureOr<Tensor> weights = getIntTensor(getWeight());
  auto weightOf = [&](int64_t channel, int64_t i) { return weights->intAt(i * channels + channel); };
  llvm::function_ref<int64_t(int64_t, int64_t)> known;
  if (succeeded(weights))
    known = weightOf;
  // Kernels add padding of the zero point's code, and a bias that has the zero points in it, modulo 2^32.
  return boundOf(channels, weight[0] * weight[1], codes.min - zero, codes.max - zero,
                 static_cast<int>(codeOf(getWeight()).bits), getBias(), known);
}
