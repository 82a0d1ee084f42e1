//===- Sums.cpp - What is kept of two values while images pass -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Sums.h"

#include "vitq/Analysis/Scores.h"
#include "vitq/Numerics/Quantize.h"

#include <cmath>

using namespace vitq;
using namespace vitq::comparison;

void Power::add(const Tensor &reference, const Tensor &program, int64_t count) {
  const float *r = reference.data<float>(), *p = program.data<float>();
  for (int64_t i = 0; i < count; ++i) {
    double difference = static_cast<double>(r[i]) - p[i];
    signal += static_cast<double>(r[i]) * r[i];
    noise += difference * difference;
  }
}

std::optional<double> Power::decibels() const {
  if (!(signal > 0) || !(noise > 0) || !std::isfinite(signal) || !std::isfinite(noise))
    return std::nullopt;
  return 10 * std::log10(signal / noise);
}

/// Elements from one index of an axis to the next; 1 with one scale.
static int64_t innerOf(const UniformParameters &codes, llvm::ArrayRef<int64_t> shape) {
  int64_t inner = 1;
  if (codes.axis >= 0)
    for (int64_t extent : shape.drop_front(codes.axis + 1))
      inner *= extent;
  return inner;
}

void Sums::add(const Tensor &reference, const Tensor &program, const UniformParameters *codes, int64_t count) {
  const float *r = reference.data<float>(), *p = program.data<float>();
  size_t channels = reference.shape().empty() ? 1 : static_cast<size_t>(reference.shape().back());
  channelNoise.resize(std::max(channelNoise.size(), channels), 0.0);
  power.add(reference, program, count);
  size_t channel = 0;
  for (int64_t i = 0; i < count; ++i) {
    double expected = r[i], value = p[i], difference = expected - value;
    maxError = std::max(maxError, std::abs(difference));
    referenceMin = std::min(referenceMin, expected);
    referenceMax = std::max(referenceMax, expected);
    min = std::min(min, value);
    max = std::max(max, value);
    channelNoise[channel] += difference * difference;
    channel = channel + 1 == channels ? 0 : channel + 1;
  }
  elements += count;
  // Accumulators do not saturate.
  if (!codes || codes->width > 16)
    return;
  int64_t inner = innerOf(*codes, reference.shape());
  for (int64_t i = 0; i < count; ++i) {
    size_t index = codes->axis < 0 ? 0 : static_cast<size_t>(i / inner) % codes->scales.size();
    double step = codes->scales[index];
    double low = numerics::dequantize(codes->min, step, codes->zeroPoints[index]);
    double high = numerics::dequantize(codes->max, step, codes->zeroPoints[index]);
    saturated += (p[i] <= static_cast<float>(low) && r[i] < low - step) ||
                 (p[i] >= static_cast<float>(high) && r[i] > high + step);
  }
}

void Sums::add(const Sums &other) {
  power.add(other.power);
  added.add(other.added);
  maxError = std::max(maxError, other.maxError);
  referenceMin = std::min(referenceMin, other.referenceMin);
  referenceMax = std::max(referenceMax, other.referenceMax);
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  elements += other.elements;
  saturated += other.saturated;
  channelNoise.resize(std::max(channelNoise.size(), other.channelNoise.size()), 0.0);
  for (auto [sum, part] : llvm::zip(channelNoise, other.channelNoise))
    sum += part;
}

Tensor comparison::dequantize(const Tensor &codes, const std::optional<UniformParameters> &parameters) {
  if (codes.kind() == ElementKind::F32)
    return codes;
  Tensor reals = Tensor::allocate(ElementKind::F32, codes.shape());
  float *to = reals.mutableData<float>();
  if (codes.kind() == ElementKind::F64 || !parameters) {
    forEachElement(codes, true, [&](int64_t i, auto value) { to[i] = static_cast<float>(value); });
    return reals;
  }
  int64_t inner = innerOf(*parameters, codes.shape());
  forEachElement(codes, parameters->isSigned, [&](int64_t i, auto code) {
    size_t index = parameters->axis < 0 ? 0 : static_cast<size_t>(i / inner) % parameters->scales.size();
    to[i] = static_cast<float>(
        numerics::dequantize(static_cast<int64_t>(code), parameters->scales[index], parameters->zeroPoints[index]));
  });
  return reals;
}

/// Codes and their sums have one scale, which the quotient does not see.
static Tensor divideRows(const Tensor &numerators, const Tensor &sums) {
  Tensor quotients = Tensor::allocate(ElementKind::F32, numerators.shape());
  float *to = quotients.mutableData<float>();
  int64_t row = numerators.shape().back();
  std::vector<double> divisors(static_cast<size_t>(sums.numElements()));
  forEachElement(sums, true, [&](int64_t i, auto sum) { divisors[i] = static_cast<double>(sum); });
  forEachElement(numerators, false, [&](int64_t i, auto code) {
    double sum = divisors[i / row];
    to[i] = sum > 0 ? static_cast<float>(static_cast<double>(code) / sum) : 0.0f;
  });
  return quotients;
}

Tensor comparison::realsOf(const Counterpart &pair, llvm::ArrayRef<Tensor> results) {
  const Tensor &value = results[pair.program.getResultNumber()];
  if (pair.rowSums)
    return divideRows(value, results[pair.rowSums.getResultNumber()]);
  return comparison::dequantize(value, pair.codes);
}

Tensor comparison::seen(const Counterpart &pair, const Tensor &value, const Tensor &reference) {
  if (!pair.maskedScores)
    return value;
  Tensor result = Tensor::allocate(ElementKind::F32, value.shape());
  std::copy_n(value.data<float>(), value.numElements(), result.mutableData<float>());
  auto size = static_cast<size_t>(value.shape().back()), count = static_cast<size_t>(value.numElements());
  for (size_t first = 0; first < count; first += size) {
    llvm::MutableArrayRef<float> row(result.mutableData<float>() + first, size);
    bool masked = *llvm::max_element(reference.values<float>().slice(first, size)) <= kMaskedRow;
    auto lowest = static_cast<float>(*llvm::max_element(row) - kSoftmaxReach);
    for (float &score : row)
      score = masked ? 0.0f : std::max(score, lowest);
  }
  return result;
}

template <typename Function>
static Tensor combine(const Tensor &a, const Tensor &b, Function function) {
  Tensor result = Tensor::allocate(ElementKind::F32, a.shape());
  const float *x = a.data<float>(), *y = b.data<float>();
  float *to = result.mutableData<float>();
  for (int64_t i = 0, e = a.numElements(); i < e; ++i)
    to[i] = function(x[i], y[i]);
  return result;
}

Tensor comparison::subtract(const Tensor &a, const Tensor &b) { return combine(a, b, std::minus<float>()); }
Tensor comparison::add(const Tensor &a, const Tensor &b) { return combine(a, b, std::plus<float>()); }

void Curve::add(const Tensor &arguments, const Tensor &exact, const Tensor &computed) {
  // A few thousand elements of a tensor show nearly all codes of 8 bits.
  constexpr int64_t kLooks = 4096;
  constexpr size_t kMost = 4 * kMaxCurvePoints;
  const int64_t step = std::max<int64_t>(arguments.numElements() / kLooks, 1);
  for (int64_t i = 0, e = arguments.numElements(); i < e && seen.size() < kMost; i += step) {
    const CurvePoint point{arguments.data<float>()[i], exact.data<float>()[i], computed.data<float>()[i]};
    if (std::isfinite(point.x) && std::isfinite(point.exact) && std::isfinite(point.computed))
      seen.try_emplace(point.x, point);
  }
}

std::vector<CurvePoint> Curve::points() const {
  std::vector<CurvePoint> points;
  const size_t step = seen.size() / kMaxCurvePoints + 1;
  for (auto [i, entry] : llvm::enumerate(seen))
    if (i % step == 0)
      points.push_back(entry.second);
  return points;
}
