//===- Statistics.cpp - What calibration keeps of a value -------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Statistics.h"

#include "vitq/Analysis/Scores.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::calibration;

static constexpr double kSumUnit = 0x1p-40;

Statistics::Statistics(const NamedValue &value) {
  if (!value.op)
    return;
  if (Value result = value.op->getResult(value.result); isSoftmaxArgument(result))
    scoreRow = cast<RankedTensorType>(result.getType()).getShape().back();
  if (wantsHistogram(value.op))
    counts.emplace();
  if (!wantsChannels(value.op))
    return;
  size_t channels = cast<RankedTensorType>(value.op->getResult(0).getType()).getShape().back();
  channelMin.assign(channels, std::numeric_limits<float>::infinity());
  channelMax.assign(channels, -std::numeric_limits<float>::infinity());
  channelSum.assign(channels, 0);
  imageSum.assign(channels, 0);
}

void Statistics::merge(const Statistics &other) {
  min = std::min(min, other.min);
  max = std::max(max, other.max);
  if (counts)
    counts->merge(*other.counts);
  for (size_t i = 0; i < channelSum.size(); ++i) {
    channelMin[i] = std::min(channelMin[i], other.channelMin[i]);
    channelMax[i] = std::max(channelMax[i], other.channelMax[i]);
    channelSum[i] += other.channelSum[i];
  }
  rows += other.rows;
}

ArrayRef<float> Statistics::seenBySoftmax(ArrayRef<float> values) {
  scores.clear();
  for (; !values.empty(); values = values.drop_front(scoreRow)) {
    ArrayRef<float> row = values.take_front(scoreRow);
    float top = *std::max_element(row.begin(), row.end());
    if (top <= kMaskedRow)
      continue;
    // NaN stays, and is found.
    auto lowest = static_cast<float>(top - kSoftmaxReach);
    for (float x : row)
      scores.push_back(x < lowest ? lowest : x);
  }
  return scores;
}

bool Statistics::addRange(ArrayRef<float> values) {
  // Several at a time: each alone waits for the one before.
  constexpr size_t lanes = 16;
  const float first = values.empty() ? 0 : values[0];
  float low[lanes], high[lanes], bad[lanes] = {};
  std::fill(std::begin(low), std::end(low), first);
  std::fill(std::begin(high), std::end(high), first);
  auto add = [&](float x, size_t lane) {
    low[lane] = x < low[lane] ? x : low[lane];
    high[lane] = x > high[lane] ? x : high[lane];
    // Comparing alone would pass over a NaN; 0 * x is NaN for NaN and infinity.
    bad[lane] += 0.0f * x;
  };
  for (; values.size() >= lanes; values = values.drop_front(lanes))
    for (size_t lane = 0; lane < lanes; ++lane)
      add(values[lane], lane);
  for (auto [lane, x] : llvm::enumerate(values))
    add(x, lane);
  min = std::min<double>(min, *std::min_element(std::begin(low), std::end(low)));
  max = std::max<double>(max, *std::max_element(std::begin(high), std::end(high)));
  return llvm::all_of(bad, [](float sum) { return sum == 0; });
}

void Statistics::addChannels(ArrayRef<float> values) {
  size_t channels = channelSum.size();
  std::fill(imageSum.begin(), imageSum.end(), 0.0);
  for (const float *row = values.begin(); row != values.end(); row += channels) {
    float *low = channelMin.data(), *high = channelMax.data();
    double *sum = imageSum.data();
    for (size_t i = 0; i < channels; ++i) {
      float x = row[i];
      low[i] = x < low[i] ? x : low[i];
      high[i] = x > high[i] ? x : high[i];
      sum[i] += x;
    }
  }
  // Below the limit, 2^26 images cannot overflow; sums beyond it are of no use.
  constexpr double limit = 0x1p100;
  for (size_t i = 0; i < channels; ++i)
    channelSum[i] += static_cast<Sum>(std::clamp(std::round(imageSum[i] / kSumUnit), -limit, limit));
  rows += static_cast<int64_t>(values.size() / channels);
}

void Statistics::addImage(ArrayRef<float> values) {
  if (counts)
    counts->add(values);
  if (!channelSum.empty())
    addChannels(values);
}

bool Statistics::add(const Tensor &tensor, int64_t batch, int64_t counted) {
  ArrayRef<float> values = tensor.values<float>();
  bool imagesApart = !tensor.shape().empty() && tensor.shape()[0] % batch == 0;
  if (scoreRow > 0) {
    ArrayRef<float> seen = seenBySoftmax(imagesApart ? values.take_front(values.size() / batch * counted) : values);
    if (!addRange(seen))
      return false;
    addImage(seen);
    return true;
  }
  if (!addRange(values))
    return false;
  // Images are apart where the first axis is the batch, or folded from it.
  if (!imagesApart) {
    addImage(values);
    return true;
  }
  size_t size = values.size() / batch;
  for (int64_t image = 0; image < counted; ++image)
    addImage(values.slice(image * size, size));
  return true;
}

// Adding 0 turns -0 into 0: which of both equal ones was seen first does depend on
// the order.
Range Statistics::range() const { return {min + 0.0, max + 0.0}; }

std::optional<ChannelStatistics> Statistics::channels() const {
  if (channelSum.empty() || rows == 0)
    return std::nullopt;
  ChannelStatistics result;
  for (size_t i = 0; i < channelSum.size(); ++i) {
    result.ranges.min.push_back(channelMin[i] + 0.0f);
    result.ranges.max.push_back(channelMax[i] + 0.0f);
    result.means.push_back(static_cast<double>(channelSum[i]) * kSumUnit / static_cast<double>(rows));
  }
  return result;
}
