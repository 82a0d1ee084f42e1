//===- Statistics.h - What calibration keeps of a value ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CALIBRATION_STATISTICS_H
#define VITQ_LIB_CALIBRATION_STATISTICS_H

#include "vitq/Calibration/Calibration.h"
#include "vitq/Tensor/Tensor.h"

#include <limits>

namespace vitq::calibration {

/// What is kept of all values of one tensor seen so far. Merging is commutative
/// and associative, exactly, so the order of the images does not matter.
class Statistics {
public:
  explicit Statistics(const NamedValue &value);

  /// Adds a batch: of `batch` images along the tensor's first axis the first
  /// `counted` are in histogram and channels. Returns whether all are finite.
  bool add(const Tensor &tensor, int64_t batch, int64_t counted);
  void merge(const Statistics &other);

  Range range() const;
  const std::optional<Histogram> &histogram() const { return counts; }
  /// None when not kept.
  std::optional<ChannelStatistics> channels() const;

private:
  /// Sums are integers, of 2^-40: those of doubles would depend on the order.
  using Sum = __int128;

  bool addRange(llvm::ArrayRef<float> values);
  /// Rows of scores, none lower than softmax sees (`kSoftmaxReach`), without those that
  /// are masked altogether.
  llvm::ArrayRef<float> seenBySoftmax(llvm::ArrayRef<float> values);
  void addImage(llvm::ArrayRef<float> values);
  void addChannels(llvm::ArrayRef<float> values);

  /// Length of a row when these are the argument of softmax, otherwise 0; what it sees.
  size_t scoreRow = 0;
  std::vector<float> scores;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  std::optional<Histogram> counts;
  /// One for each channel; empty when not kept.
  std::vector<float> channelMin, channelMax;
  std::vector<Sum> channelSum;
  /// Values of each channel.
  int64_t rows = 0;
  /// Of one image.
  std::vector<double> imageSum;
};

} // namespace vitq::calibration

#endif // VITQ_LIB_CALIBRATION_STATISTICS_H
