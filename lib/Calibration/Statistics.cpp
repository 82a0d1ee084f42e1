//===- Statistics.cpp - What calibration keeps of a value -------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Statistics.h"

#include "vitq/Analysis/Scores.h"
#include "vitq/Numerics/RealArrays.h"
#include "vitq/Numerics/TargetClones.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace vitq;
using namespace vitq::calibration;

static constexpr double kSumUnit = 0x1p-40;
/// About as many values are looked at together.
static constexpr size_t kPiece = size_t(1) << 15;

double calibration::channelMean(ChannelSum sum, int64_t rows) {
  return static_cast<double>(sum) * kSumUnit / static_cast<double>(rows);
}

Statistics::Statistics(const NamedValue &value) {
  if (!value.op)
    return;
  if (Value result = value.op->getResult(value.result); isSoftmaxArgument(result))
    areScores = true, rowSize = cast<RankedTensorType>(result.getType()).getShape().back();
  if (wantsHistogram(value.op))
    counts.emplace();
  if (!wantsChannels(value.op))
    return;
  size_t channels = cast<RankedTensorType>(value.op->getResult(0).getType()).getShape().back();
  rowSize = channels;
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

VITQ_CLONES
static void raise(const float *values, float lowest, float *raised, size_t count) {
  // NaN stays, and is found.
  for (size_t i = 0; i < count; ++i)
    raised[i] = values[i] < lowest ? lowest : values[i];
}

ArrayRef<float> Statistics::seenBySoftmax(ArrayRef<float> values) {
  scores.resize(values.size());
  size_t seen = 0;
  for (; !values.empty(); values = values.drop_front(rowSize)) {
    float top = numerics::maxReal(values.data(), static_cast<int64_t>(rowSize));
    if (top <= kMaskedRow)
      continue;
    raise(values.data(), static_cast<float>(top - kSoftmaxReach), scores.data() + seen, rowSize);
    seen += rowSize;
  }
  return ArrayRef(scores).take_front(seen);
}

/// The extremes of `values`, and whether all are finite.
VITQ_CLONES
static bool findRange(const float *values, size_t count, float &least, float &most) {
  // Several at a time: each alone waits for the one before.
  constexpr size_t lanes = 64;
  float low[lanes], high[lanes], bad[lanes] = {};
  llvm::fill(low, values[0]);
  llvm::fill(high, values[0]);
  auto add = [&](float x, size_t lane) __attribute__((always_inline)) {
    low[lane] = x < low[lane] ? x : low[lane];
    high[lane] = x > high[lane] ? x : high[lane];
    // Comparing alone would pass over a NaN; 0 * x is NaN for NaN and infinity.
    bad[lane] += 0.0f * x;
  };
  size_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (size_t lane = 0; lane < lanes; ++lane)
      add(values[i + lane], lane);
  for (; i < count; ++i)
    add(values[i], i % lanes);
  least = *llvm::min_element(low);
  most = *llvm::max_element(high);
  float allBad = 0;
  for (float sum : bad)
    allBad += sum;
  return allBad == 0;
}

bool Statistics::addRange(ArrayRef<float> values) {
  if (values.empty())
    return true;
  float least = 0, most = 0;
  bool finite = findRange(values.data(), values.size(), least, most);
  min = std::min<double>(min, least);
  max = std::max<double>(max, most);
  return finite;
}

/// Extremes and sums of `width` channels of all rows, which lie `stride` apart.
template <size_t width>
VITQ_INLINE void addColumns(const float *values, size_t rows, size_t stride, float *low, float *high, double *sum) {
  float least[width], most[width];
  double total[width];
  std::copy_n(low, width, least);
  std::copy_n(high, width, most);
  std::copy_n(sum, width, total);
  for (size_t row = 0; row < rows; ++row, values += stride)
    for (size_t i = 0; i < width; ++i) {
      const float x = values[i];
      least[i] = x < least[i] ? x : least[i];
      most[i] = x > most[i] ? x : most[i];
      total[i] += x;
    }
  std::copy_n(least, width, low);
  std::copy_n(most, width, high);
  std::copy_n(total, width, sum);
}

VITQ_CLONES
static void addRows(const float *values, size_t rows, size_t channels, float *low, float *high, double *sum) {
  // A few channels at a time stay in registers.
  constexpr size_t width = 32;
  size_t first = 0;
  for (; first + width <= channels; first += width)
    addColumns<width>(values + first, rows, channels, low + first, high + first, sum + first);
  for (; first < channels; ++first)
    addColumns<1>(values + first, rows, channels, low + first, high + first, sum + first);
}

void Statistics::addChannels(ArrayRef<float> values) {
  addRows(values.data(), values.size() / rowSize, rowSize, channelMin.data(), channelMax.data(), imageSum.data());
}

bool Statistics::endImage() {
  // The sum of a channel shows a NaN, or an infinity; that of floats is not beyond the doubles.
  if (!llvm::all_of(imageSum, [](double sum) { return std::isfinite(sum); }))
    return false;
  // Below the limit, 2^26 images cannot overflow; sums beyond it are of no use.
  constexpr double limit = 0x1p100;
  for (auto [total, sum] : llvm::zip_equal(channelSum, imageSum))
    total += static_cast<ChannelSum>(std::clamp(std::round(sum / kSumUnit), -limit, limit));
  return true;
}

bool Statistics::addImage(ArrayRef<float> values) {
  llvm::fill(imageSum, 0.0);
  bool finite = true;
  // Rows that stay in the cache from one kind of statistics to the next.
  const size_t piece = std::max<size_t>(kPiece / rowSize, 1) * rowSize;
  for (size_t added = 0; !values.empty(); values = values.drop_front(added)) {
    added = std::min(piece, values.size());
    ArrayRef<float> now = values.take_front(added);
    if (areScores)
      now = seenBySoftmax(now);
    // The range of all channels is that of their ranges.
    if (channelSum.empty())
      finite &= addRange(now);
    else
      addChannels(now);
    if (counts)
      counts->add(now);
    rows += static_cast<int64_t>(now.size() / rowSize);
  }
  return endImage() && finite;
}

bool Statistics::add(const Tensor &tensor, int64_t batch, int64_t counted) {
  ArrayRef<float> values = tensor.values<float>();
  // Images are apart where the first axis is the batch, or folded from it.
  if (tensor.shape().empty() || tensor.shape()[0] % batch != 0)
    return addImage(values);
  size_t size = values.size() / batch;
  bool finite = true;
  for (int64_t image = 0; image < counted; ++image)
    finite &= addImage(values.slice(image * size, size));
  return finite;
}

// Adding 0 turns -0 into 0: which of both equal ones was seen first does depend on
// the order.
Range Statistics::range() const {
  double least = min, most = max;
  if (!channelMin.empty()) {
    least = *llvm::min_element(channelMin);
    most = *llvm::max_element(channelMax);
  }
  // Of scores that are all masked nothing was seen.
  return least <= most ? Range{least + 0.0, most + 0.0} : Range{0, 0};
}

std::optional<ChannelStatistics> Statistics::channels() const {
  if (channelSum.empty() || rows == 0)
    return std::nullopt;
  ChannelStatistics result;
  for (size_t i = 0; i < channelSum.size(); ++i) {
    result.ranges.min.push_back(channelMin[i] + 0.0f);
    result.ranges.max.push_back(channelMax[i] + 0.0f);
    result.means.push_back(channelMean(channelSum[i], rows));
  }
  result.sums = channelSum;
  result.rows = rows;
  return result;
}
