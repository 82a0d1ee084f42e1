//===- Calibration.h - Ranges of a float model's values -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_CALIBRATION_CALIBRATION_H
#define VITQ_CALIBRATION_CALIBRATION_H

#include "vitq/Analysis/CalibrationStatistics.h"
#include "vitq/Data/ImageSource.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Support/LLVM.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace vitq::calibration {

/// Attribute of an op (one pair of numbers for each result) and of the
/// argument: array<f64: min, max, ...>.
inline constexpr llvm::StringLiteral kRangeAttr = "vit.range";
/// Attribute of the module: the text of its preprocessing.
inline constexpr llvm::StringLiteral kPreprocessAttr = "vit.preprocess";
/// Attribute of the module: how many images its ranges are from, an integer.
inline constexpr llvm::StringLiteral kImagesAttr = "vit.calibration_images";

/// The smallest and the largest value seen.
struct Range {
  double min = 0, max = 0;
  bool operator==(const Range &) const = default;
};

/// The sum of a channel's values in units of 2^-40: integers, which add up to the same in any order.
using ChannelSum = __int128;
/// The mean of `rows` values.
double channelMean(ChannelSum sum, int64_t rows);

/// Ranges and means of the channels (last axis) of a value; equally many.
struct ChannelStatistics {
  ChannelRanges ranges;
  std::vector<double> means;
  /// What the means are from, which tables are merged by; none when read from a file of an earlier version.
  std::vector<ChannelSum> sums = {};
  int64_t rows = 0;
  bool operator==(const ChannelStatistics &) const = default;
};

/// What was seen of the values of one model, by name (see `collectValues`).
struct RangeTable {
  uint64_t images = 0;
  /// `calibration::fingerprint` of the model; empty when read from a file of an
  /// earlier version.
  std::string fingerprint;
  /// `data::toString` of what was done to the images.
  std::string preprocess;
  std::map<std::string, Range> ranges;
  /// Of those values only that `wantsChannels` and `wantsHistogram` name; empty
  /// when read from a file of version 1.
  std::map<std::string, ChannelStatistics> channels;
  std::map<std::string, Histogram> histograms;

  bool operator==(const RangeTable &) const = default;
};

/// Reads what `saveRanges` writes, or a file of version 1, which has ranges only; several files, their paths separated
/// by commas, are merged. Everything is checked but what depends on the model (`attachRanges`). The error names the
/// path, the value, what is wrong and what to do.
llvm::Expected<RangeTable> loadRanges(llvm::StringRef path);

/// Adds what `other`, of the file `origin`, saw on other images of the same model: `table` becomes that of all of them,
/// equal in every number to one that is measured at once. Errors: another model or preprocessing; means without their
/// sums.
llvm::Error mergeRanges(RangeTable &table, const RangeTable &other, llvm::StringRef origin);

/// Writes {"version":2, "images":N, "fingerprint":"...", "preprocess":"...", "ranges":{"name":[min,
/// max], ...}, "channels":{"name":{"min":[...], "max":[...], "mean":[...], "rows":N, "sum":["...",
/// ...]}, ...},
/// "histograms":{"name":[[bin, count], ...], ...}}, wholly or not at all. Every
/// number is read back as it was.
llvm::Error saveRanges(const RangeTable &table, llvm::StringRef path);

/// A value whose range is wanted: an op's result, or the argument (no op).
struct NamedValue {
  std::string name;
  mlir::Operation *op = nullptr;
  unsigned result = 0;
};

/// The argument ("input") and every float result of a vit op, in program order.
/// A result has the name of its ONNX node (the first name in its location; the
/// op's name when there is none), with "#k" if k earlier ops have the same, and
/// ":r" if it is result r > 0.
std::vector<NamedValue> collectValues(mlir::func::FuncOp function);

/// Whether a histogram is kept of an op's result: the only one, a float tensor, of
/// a vit op that does more than move elements (reshape, transpose, slice, gather,
/// broadcast, pad, concat).
bool wantsHistogram(mlir::Operation *op);

/// Whether channel statistics are kept: of the only result, a float tensor, of
/// `vit.linear`, `vit.layer_norm`, a unary function, and of any vit op whose
/// result a layer with weights reads (`WeightedOp`); at most `kMaxStatisticsChannels`.
bool wantsChannels(mlir::Operation *op);

/// 32 hexadecimal digits that tell models apart by what determines their ranges: the
/// ops of `function`, how they are connected, their attributes, types and constants.
/// Names, locations, results of a calibration and the batch (the leading extent of
/// every value) do not count.
std::string fingerprint(mlir::func::FuncOp function);

/// Whether `table` is of `function`: an error that names `origin` and says what to do
/// if not, a warning if the table does not say.
llvm::LogicalResult checkFingerprint(mlir::func::FuncOp function, const RangeTable &table, llvm::StringRef origin);

struct CalibrationOptions {
  /// Images that are looked at, from the first on.
  uint64_t limit = UINT64_MAX;
  /// Images in flight, each with the memory of one run; 0: one for each core.
  unsigned threads = 0;
};

/// Runs `function`, a float vit function of one image tensor [B, C, H, W], on
/// the images of `source`. The result does not depend on the number of threads.
/// Copies of the last image that fill the last batch up count in no histogram and
/// no mean; of a value whose first axis is not made of the batch's images they do.
/// Errors: the images do not have the model's size; an image cannot be read; a
/// value is NaN or infinite.
mlir::FailureOr<RangeTable> calibrate(mlir::func::FuncOp function, const data::ImageSource &source,
                                      const CalibrationOptions &options = {});

/// Sets `kRangeAttr` on the argument and the ops of `function`, and on the ops the
/// attributes of vitq/Analysis/CalibrationStatistics.h as far as `table` has them
/// (older ones are removed). A value without a range in `table`, or with another
/// number of channels, is an error that names it; `origin` is where the table comes
/// from.
llvm::LogicalResult attachRanges(mlir::func::FuncOp function, const RangeTable &table, llvm::StringRef origin);

} // namespace vitq::calibration

#endif // VITQ_CALIBRATION_CALIBRATION_H
