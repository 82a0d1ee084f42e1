//===- Data.h - What a report knows -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_REPORT_DATA_H
#define VITQ_LIB_REPORT_DATA_H

#include "vitq/Analysis/BitFront.h"
#include "vitq/Analysis/CalibrationStatistics.h"
#include "vitq/Report/Report.h"

#include <map>

namespace vitq::reporting {

/// An op of the integer module.
struct OpEntry {
  int64_t id = -1;
  std::string node, op, algorithm;
  llvm::SmallVector<unsigned> operandBits, resultBits;
  llvm::SmallVector<double> scales;
  llvm::SmallVector<int64_t> zeroPoints, accumulator;
  bool isUnsigned = false;
  std::optional<std::pair<double, double>> range;
  int64_t macs = 0, constantBytes = 0, resultBytes = 0;

  /// Smallest and largest real value of the codes; none with several scales.
  std::optional<std::pair<double, double>> representable() const;
};

/// What calibration saw of an op of the float model.
struct TensorStatistics {
  std::string node, op;
  std::optional<int64_t> block;
  /// Largest absolute value of each channel; empty when not collected.
  std::vector<double> channelMax;
  std::optional<Histogram> histogram;
  /// The linear layers that read it, maybe through moves.
  std::vector<std::string> consumers;
};

/// What a pass of the recipe decided about a node.
struct Decision {
  std::string pass, node, text;
};

/// A tensor of one scale of which one channel is much larger than the others.
struct Outlier {
  const TensorStatistics *tensor;
  const OpEntry *op;
  int64_t channel = 0;
  /// Largest values: of the channel, of the next one, of the median channel.
  double max = 0, next = 0, median = 0;
  /// Channels beyond `kOutlierRatio` times the median.
  int64_t above = 0;
  double step = 0;
  /// Steps that the median channel's largest value is wide.
  double medianSteps() const { return median / step; }
};

/// The ratio of the pass vit-split-outliers.
inline constexpr double kOutlierRatio = 4;

/// A histogram on equal bins.
struct LinearHistogram {
  double min = 0, max = 0;
  std::vector<double> counts;
};

struct Data {
  std::string model, nonlinear, preprocess;
  std::vector<std::pair<std::string, std::string>> options;
  std::optional<int64_t> calibrationImages;
  std::map<std::string, std::pair<double, double>> ranges;
  std::vector<TensorStatistics> tensors;
  std::vector<OpEntry> ops;
  std::vector<Decision> decisions;
  /// Where bits were chosen.
  std::optional<BitFront> bitFront;
  std::optional<comparison::Comparison> comparison;
  std::optional<AccuracyFacts> accuracy;
  NativeFacts native;
  std::optional<ArrayFacts> array;
  int64_t macs = 0, weightBytes = 0;
  /// In the order of the compilation.
  std::vector<StageCost> stages;

  /// An option's text, empty when it is not set.
  llvm::StringRef option(llvm::StringRef name) const;
  /// The last op of a node, whose result others read; null when there is none.
  const OpEntry *lastOf(llvm::StringRef node) const;
  const TensorStatistics *tensorOf(llvm::StringRef node) const;
  /// What was measured of an op; null when nothing was.
  const comparison::ValueFigures *measured(const OpEntry &op) const;
  /// Outlier channels of tensors of 8 bits and one scale, the largest ratio first.
  std::vector<Outlier> outliers() const;
  std::vector<Finding> findings() const;
  /// What the compilation did, the slowest first.
  std::vector<StageCost> slowestStages() const;
  /// By which algorithm the function of a node is computed; empty where it is none.
  std::string algorithmOf(llvm::StringRef node) const;
  /// Functions of one variable that were measured, the worst first.
  std::vector<const OpEntry *> curves() const;
  /// The steps by what they take beyond the time of their multiply-accumulates, the most first; none where none were
  /// timed.
  std::vector<const NativeFacts::Step *> slowestSteps() const;
  /// Microseconds of all steps, and what their multiply-accumulates alone would take.
  std::pair<double, double> timeAndLimit() const;
  /// Where the most error is added and a histogram exists; at most `count`.
  std::vector<const TensorStatistics *> worstTensors(size_t count) const;
};

/// `histogram` on at most `bins` equal bins over its range.
LinearHistogram toLinear(const Histogram &histogram, size_t bins);

/// `value` with `digits` significant digits, without needless zeros.
std::string format(double value, int digits = 4);
/// With decimals, "-" when absent.
std::string formatFixed(std::optional<double> value, int decimals);
/// With a separator between thousands.
std::string formatCount(int64_t value);
llvm::StringRef toString(Finding::Severity severity);

llvm::json::Value toJSON(const Data &data);
void printText(const Data &data, llvm::raw_ostream &os);
void printHtml(const Data &data, llvm::raw_ostream &os);

/// What other bits would have cost and lost.
llvm::json::Value bitFrontToJSON(const std::optional<BitFront> &front);
void printBitFront(const BitFront &front, llvm::raw_ostream &os);

/// The sections of a systolic array.
llvm::json::Value arrayToJSON(const std::optional<ArrayFacts> &array);
void printArray(const ArrayFacts &array, llvm::raw_ostream &os);

} // namespace vitq::reporting

#endif // VITQ_LIB_REPORT_DATA_H
