//===- Histogram.h - Value counts in log-linear bins ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_HISTOGRAM_H
#define VITQ_ANALYSIS_HISTOGRAM_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace vitq {

/// Counts of float values. The bins are fixed, so no range is needed before the
/// first value, and histograms of parts add up to that of the whole in any
/// order.
///
/// Bin 0 holds |x| < 2^-20. Every octave 2^e <= |x| < 2^(e+1), e = -20 to 19, has
/// 32 bins of equal width (at most 1/32 of their lower edge): positive x have
/// bins 1 to 1280, negative ones -1 to -1280 of the same magnitudes. |x| >= 2^20
/// counts in the outermost bin of its sign.
class Histogram {
public:
  static constexpr int kMinExponent = -20, kMaxExponent = 20;
  static constexpr int kBinsPerOctave = 32;
  /// Bins are -kMaxBin to kMaxBin.
  static constexpr int64_t kMaxBin = int64_t(kMaxExponent - kMinExponent) * kBinsPerOctave;

  Histogram() : counts(2 * kMaxBin + 1, 0) {}

  /// Counts finite values. (A NaN or an infinity counts in an outermost bin.)
  void add(llvm::ArrayRef<float> values);
  void merge(const Histogram &other);

  /// The number of values.
  int64_t total() const;

  /// Calls `fn` for each bin with a positive count, in ascending order of value.
  /// Its values x have lo <= x <= hi, lo < hi (but for |x| > 2^20).
  void forEach(llvm::function_ref<void(double lo, double hi, int64_t count)> fn) const;

  /// The value below which a `share` (0 to 1, clamped) of the values lies,
  /// linear inside a bin: lower edge of the first bin used for 0, upper edge of
  /// the last for 1. 0 without values.
  double quantile(double share) const;

  /// (bin, count) of each bin with a positive count, ascending by bin.
  std::vector<std::pair<int64_t, int64_t>> sparse() const;
  /// The inverse. None when bins do not exist, do not ascend strictly, a count
  /// is negative, or the counts' sum has no int64.
  static std::optional<Histogram> fromSparse(llvm::ArrayRef<std::pair<int64_t, int64_t>> bins);

  /// The bin of a value.
  static int64_t binOf(float value);

  bool operator==(const Histogram &) const = default;

private:
  /// Of bin `i - kMaxBin`.
  std::vector<int64_t> counts;
};

} // namespace vitq

#endif // VITQ_ANALYSIS_HISTOGRAM_H
