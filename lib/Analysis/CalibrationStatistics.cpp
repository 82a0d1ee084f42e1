//===- CalibrationStatistics.cpp - What calibration saw, on ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/CalibrationStatistics.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <cmath>

using namespace mlir;

namespace vitq {

/// The extent of the last axis of `op`'s only result; none when there is none, or
/// it is too large for statistics.
static std::optional<int64_t> getChannels(Operation *op) {
  if (op->getNumResults() != 1)
    return std::nullopt;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1) ||
      type.getShape().back() > kMaxStatisticsChannels)
    return std::nullopt;
  return type.getShape().back();
}

/// The dense attribute `name` of `op` if it has this type of element and, after
/// its first axis, this shape.
template <typename T>
static DenseElementsAttr getDense(Operation *op, StringRef name, ArrayRef<int64_t> inner) {
  auto dense = op ? op->getAttrOfType<DenseElementsAttr>(name) : nullptr;
  if (!dense || !isa<RankedTensorType>(dense.getType()) || dense.getType().getRank() == 0 ||
      dense.getType().getShape().drop_front() != inner)
    return nullptr;
  Type element = dense.getElementType();
  bool fits = std::is_same_v<T, float>    ? element.isF32()
              : std::is_same_v<T, double> ? element.isF64()
                                          : element.isSignlessInteger(64);
  return fits ? dense : nullptr;
}

std::optional<Histogram> getHistogram(Operation *op) {
  DenseElementsAttr dense = getDense<int64_t>(op, kHistogramAttr, {2});
  // More rows than bins cannot ascend; a splat could claim any number of them.
  if (!dense || op->getNumResults() != 1 || dense.getType().getShape()[0] > 2 * Histogram::kMaxBin + 1)
    return std::nullopt;
  std::vector<std::pair<int64_t, int64_t>> bins;
  auto values = dense.getValues<int64_t>();
  for (auto it = values.begin(); it != values.end();) {
    int64_t bin = *it++;
    bins.emplace_back(bin, *it++);
  }
  return Histogram::fromSparse(bins);
}

std::optional<ChannelRanges> getChannelRanges(Operation *op) {
  DenseElementsAttr dense = getDense<float>(op, kChannelRangeAttr, {2});
  if (!dense || getChannels(op) != dense.getType().getShape()[0])
    return std::nullopt;
  ChannelRanges ranges;
  auto values = dense.getValues<float>();
  for (auto it = values.begin(); it != values.end();) {
    float min = *it++, max = *it++;
    if (!std::isfinite(min) || !std::isfinite(max) || min > max)
      return std::nullopt;
    ranges.min.push_back(min);
    ranges.max.push_back(max);
  }
  return ranges;
}

std::optional<std::vector<double>> getChannelMeans(Operation *op) {
  DenseElementsAttr dense = getDense<double>(op, kChannelMeanAttr, {});
  if (!dense || getChannels(op) != dense.getType().getShape()[0])
    return std::nullopt;
  std::vector<double> means;
  for (double mean : dense.getValues<double>()) {
    if (!std::isfinite(mean))
      return std::nullopt;
    means.push_back(mean);
  }
  return means;
}

void setHistogram(Operation *op, const Histogram &histogram) {
  std::vector<int64_t> rows;
  for (auto [bin, count] : histogram.sparse())
    rows.insert(rows.end(), {bin, count});
  auto type = RankedTensorType::get({static_cast<int64_t>(rows.size() / 2), 2}, IntegerType::get(op->getContext(), 64));
  op->setAttr(kHistogramAttr, DenseElementsAttr::get(type, ArrayRef<int64_t>(rows)));
}

void setChannelRanges(Operation *op, const ChannelRanges &ranges) {
  assert(ranges.min.size() == ranges.max.size() && "ranges of different numbers of channels");
  std::vector<float> rows;
  for (size_t i = 0; i < ranges.min.size(); ++i)
    rows.insert(rows.end(), {ranges.min[i], ranges.max[i]});
  auto type = RankedTensorType::get({static_cast<int64_t>(ranges.min.size()), 2}, Float32Type::get(op->getContext()));
  op->setAttr(kChannelRangeAttr, DenseElementsAttr::get(type, ArrayRef<float>(rows)));
}

void setChannelMeans(Operation *op, ArrayRef<double> means) {
  auto type = RankedTensorType::get({static_cast<int64_t>(means.size())}, Float64Type::get(op->getContext()));
  op->setAttr(kChannelMeanAttr, DenseElementsAttr::get(type, means));
}

void removeCalibrationStatistics(Operation *op) {
  for (StringRef name : {StringRef(kHistogramAttr), StringRef(kChannelRangeAttr), StringRef(kChannelMeanAttr)})
    op->removeAttr(name);
}

} // namespace vitq
