//===- Segments.h - Lines over ranges of samples ----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_APPROXIMATION_SEGMENTS_H
#define VITQ_LIB_APPROXIMATION_SEGMENTS_H

#include "vitq/Approximation/PiecewiseTable.h"

namespace vitq::approximation {

/// Weighted sums over a range of samples (t, f).
struct Moments {
  double weight = 0.0;
  double t = 0.0, tt = 0.0;
  double f = 0.0, tf = 0.0, ff = 0.0;

  void add(double w, double position, double value);

  double meanT() const { return t / weight; }
  double meanF() const { return f / weight; }
  /// Sums of squares and products about the means.
  double spreadT() const { return std::max(tt - t * meanT(), 0.0); }
  double spreadTF() const { return tf - t * meanF(); }
  double spreadF() const { return std::max(ff - f * meanF(), 0.0); }

  /// Sum of the squared errors of the line slope * t + intercept.
  double error(double slope, double intercept) const;

  friend Moments operator-(const Moments &a, const Moments &b) {
    return {a.weight - b.weight, a.t - b.t, a.tt - b.tt, a.f - b.f, a.tf - b.tf, a.ff - b.ff};
  }
};

/// Running sums: the moments of any range of samples in constant time.
class RunningMoments {
public:
  explicit RunningMoments(size_t expected = 0) {
    sums.reserve(expected + 1);
    sums.emplace_back();
  }
  void add(double w, double position, double value) {
    sums.push_back(sums.back());
    sums.back().add(w, position, value);
  }
  size_t size() const { return sums.size() - 1; }
  /// Samples begin..end-1.
  Moments range(size_t begin, size_t end) const { return sums[end] - sums[begin]; }

private:
  std::vector<Moments> sums;
};

/// A line as a table stores it.
struct Line {
  int64_t slope = 0;
  int64_t intercept = 0;
  double error = 0.0; ///< sum of weighted squares
};

/// Finds the best stored line through samples at positions q * scale. Sums are taken
/// about `origin` (a code): t = q - origin.
class LineFitter {
public:
  LineFitter(const TableFormat &format, double scale, int64_t origin);

  /// The same whatever the widths are.
  LineFitter unlimited() const;

  /// The best line within the widths. `direction` is the slope (value per code) of
  /// the surroundings, which a single sample does not have.
  Line fit(const Moments &moments, double direction) const;

  /// The least-squares line, in stored units, not rounded, whatever the widths.
  std::pair<double, double> real(const Moments &moments, double direction) const;

  /// The stored line nearest to value = slope * code + intercept, both real.
  Line round(double slopePerCode, double intercept) const;

private:
  double slopeUnit;
  double interceptUnit;
  int64_t slopeLimit;
  int64_t interceptLimit;
  double origin;
};

/// What the fits share: weights with their floor, the running sums, the fitter.
class FittingProblem {
public:
  explicit FittingProblem(const FitProblem &problem);

  size_t codes() const { return size; }
  /// The best line over samples begin..end-1, whatever the widths; sample i is code
  /// firstCode + i.
  Line fit(size_t begin, size_t end) const;
  /// The best line within the widths, from sums over these samples alone, about their
  /// middle: no cancellation.
  Line fitExactly(size_t begin, size_t end) const;

  /// The table with entries that begin at samples `starts` (starts[0] = 0), filled up
  /// to the number of entries; fails if the lines do not fit the widths.
  llvm::Expected<PiecewiseTable> table(llvm::ArrayRef<size_t> starts) const;

  const FitProblem &problem;
  std::vector<double> weights;
  std::vector<double> values;

private:
  double direction(size_t begin, size_t end) const;
  Moments momentsAbout(size_t begin, size_t end, double origin) const;
  llvm::Error checkWidths(llvm::ArrayRef<size_t> starts) const;

  size_t size;
  int64_t origin;
  RunningMoments sums;
  LineFitter fitter; ///< ignores widths, so that too narrow ones do not move breakpoints
};

/// As %g writes it.
std::string number(double value);

/// An error if a slope or an intercept, both in stored units but not rounded, does not
/// fit its width.
llvm::Error checkWidth(const TableFormat &format, double scale, const std::string &name, double largestSlope,
                       double largestIntercept);

} // namespace vitq::approximation

#endif // VITQ_LIB_APPROXIMATION_SEGMENTS_H
