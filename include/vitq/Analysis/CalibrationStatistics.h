//===- CalibrationStatistics.h - What calibration saw, on ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attributes that `vit-calibrate` attaches beside `vit.range`, on ops with one
// float result only. C is the extent of the result's last axis, the channels.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_CALIBRATIONSTATISTICS_H
#define VITQ_ANALYSIS_CALIBRATIONSTATISTICS_H

#include "vitq/Analysis/Histogram.h"

#include "mlir/IR/Operation.h"

#include <optional>
#include <vector>

namespace vitq {

/// dense : tensor<Nx2xi64>, rows [bin, count] as `Histogram::sparse` gives them.
inline constexpr llvm::StringLiteral kHistogramAttr = "vit.histogram";
/// dense : tensor<Cx2xf32>, [min, max] of each channel.
inline constexpr llvm::StringLiteral kChannelRangeAttr = "vit.channel_range";
/// dense : tensor<Cxf64>, mean of each channel.
inline constexpr llvm::StringLiteral kChannelMeanAttr = "vit.channel_mean";

/// Values with more channels than this have a histogram only.
inline constexpr int64_t kMaxStatisticsChannels = 65536;

/// The smallest and the largest value seen of each channel.
struct ChannelRanges {
  std::vector<float> min, max;
  bool operator==(const ChannelRanges &) const = default;
};

/// What the attributes of `op` say. None when absent, or malformed: of another
/// type or shape than above, not C of them (C of `op`'s only result), bins that
/// `Histogram::fromSparse` refuses, NaN, infinite or min > max. Null is no op.
std::optional<Histogram> getHistogram(mlir::Operation *op);
std::optional<ChannelRanges> getChannelRanges(mlir::Operation *op);
std::optional<std::vector<double>> getChannelMeans(mlir::Operation *op);

void setHistogram(mlir::Operation *op, const Histogram &histogram);
void setChannelRanges(mlir::Operation *op, const ChannelRanges &ranges);
void setChannelMeans(mlir::Operation *op, llvm::ArrayRef<double> means);

/// Takes the three attributes off `op`.
void removeCalibrationStatistics(mlir::Operation *op);

} // namespace vitq

#endif // VITQ_ANALYSIS_CALIBRATIONSTATISTICS_H
