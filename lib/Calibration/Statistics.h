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

  /// Adds the first `counted` of `batch` images along the tensor's first axis, the others being
  /// copies of the last of them; a tensor whose first axis is not theirs as a whole. Returns
  /// whether all are finite.
  bool add(const Tensor &tensor, int64_t batch, int64_t counted);
  void merge(const Statistics &other);

  Range range() const;
  const std::optional<Histogram> &histogram() const { return counts; }
  /// None when not kept.
  std::optional<ChannelStatistics> channels() const;

private:
  /// Some rows. Whether all values are finite.
  bool addRange(llvm::ArrayRef<float> values);
  /// Rows of scores, none lower than softmax sees (`kSoftmaxReach`), without those that
  /// are masked altogether.
  llvm::ArrayRef<float> seenBySoftmax(llvm::ArrayRef<float> values);
  void addChannels(llvm::ArrayRef<float> values);
  bool endImage();
  bool addImage(llvm::ArrayRef<float> values);

  /// Whether these are the argument of softmax; what it sees of some rows.
  bool areScores = false;
  std::vector<float> scores;
  /// The length of a row of scores, or the number of channels; 1 where rows do not matter.
  size_t rowSize = 1;
  /// Where no channels are kept.
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  std::optional<Histogram> counts;
  /// One for each channel; empty when not kept.
  std::vector<float> channelMin, channelMax;
  std::vector<ChannelSum> channelSum;
  /// Values of each channel.
  int64_t rows = 0;
  /// Of one image.
  std::vector<double> imageSum;
};

} // namespace vitq::calibration

#endif // VITQ_LIB_CALIBRATION_STATISTICS_H
