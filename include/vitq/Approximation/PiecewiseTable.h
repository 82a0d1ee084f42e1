//===- PiecewiseTable.h - Piecewise-linear tables of integers ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a fit produces, and what it is asked for. See docs/Approximation.md.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_APPROXIMATION_PIECEWISETABLE_H
#define VITQ_APPROXIMATION_PIECEWISETABLE_H

#include "vitq/Numerics/PiecewiseLinear.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace vitq::approximation {

/// Entries that a table may have.
inline constexpr unsigned kMinEntries = 2;
inline constexpr unsigned kMaxEntries = 256;

/// How the lines of a table are stored. A slope k is the integer rne(k * 2^L), L =
/// fractionBits; an intercept b, the line's value at the zero point, is
///   rne(b * 2^L)      the published storage, independent of the input step S,
///   rne(b * 2^L / S)  in steps, what the operation stores: then
///                     slope * q + intercept, times S * 2^-L, is the value at q.
struct TableFormat {
  unsigned fractionBits = 6;  ///< 0..30
  unsigned slopeBits = 8;     ///< signed, with the sign; 2..32
  unsigned interceptBits = 8; ///< signed, with the sign; 2..32
  bool interceptInSteps = false;

  /// Real value of one unit of a slope, per input step of size `scale`.
  double slopeUnit(double scale) const;
  /// Real value of one unit of an intercept.
  double interceptUnit(double scale) const;
};

/// A piecewise-linear function of a code q relative to its zero point. Entry i
/// serves breakpoints[i-1] <= q < breakpoints[i]: a code equal to a breakpoint
/// belongs to the entry on its right. The first and last entry serve every code
/// below and above, also those that were not fitted. Breakpoints never fall; where
/// two are equal, the entry between them serves nothing.
struct PiecewiseTable {
  std::vector<int64_t> breakpoints; ///< entries() - 1, in input steps
  std::vector<int64_t> slopes;
  std::vector<int64_t> intercepts;
  unsigned fractionBits = 0;
  bool interceptInSteps = false;

  size_t entries() const { return slopes.size(); }
  /// The entry that serves `code`.
  size_t entryOf(int64_t code) const;
  /// The real value at `code`, exactly as the integers stand for it (up to the
  /// rounding of one multiplication and one addition in double).
  double value(int64_t code, double scale) const;

  /// The same with intercepts in steps, rounded half to even.
  PiecewiseTable inSteps(double scale) const;
  /// The arithmetic of a program. Preconditions: intercepts in steps, all of 32 bits.
  numerics::PiecewiseLinear lines() const;

  friend bool operator==(const PiecewiseTable &a, const PiecewiseTable &b) {
    return a.breakpoints == b.breakpoints && a.slopes == b.slopes && a.intercepts == b.intercepts &&
           a.fractionBits == b.fractionBits && a.interceptInSteps == b.interceptInSteps;
  }
};

/// A function over the codes firstCode..lastCode (both included, relative to the
/// zero point), code q standing for q * scale.
struct FitProblem {
  std::function<double(double)> function;
  std::string name = "the function"; ///< for messages
  double scale = 0.0;
  int64_t firstCode = 0;
  int64_t lastCode = -1;
  unsigned entries = 8;
  TableFormat format;
  /// How much the squared error at each code counts; empty: all the same. Codes of
  /// weight 0 still get a sensible line: they count with a billionth of the mean.
  std::vector<double> weights;
};

/// Checks everything that can be checked without fitting: the scale, the number of
/// entries, the range (at most 2^20 codes, the function finite on each), weights
/// (none negative, not all zero), widths.
llvm::Error checkProblem(const FitProblem &problem);

/// Checks the widths of `format` alone.
llvm::Error checkFormat(const TableFormat &format);

/// Weighted mean of the squared errors of `table` over the codes of `problem`.
double meanSquaredError(const FitProblem &problem, const PiecewiseTable &table);

/// Largest error over the codes of `problem`.
double largestError(const FitProblem &problem, const PiecewiseTable &table);

/// The table for another input step: slopes and stored intercepts stay, breakpoints
/// are rounded again (half to even) and clamped to [firstCode, lastCode + 1], the last
/// of which no code reaches. Intercepts in steps are scaled and rounded.
PiecewiseTable moveToScale(const PiecewiseTable &table, double from, double to, int64_t firstCode, int64_t lastCode);

/// The power of two nearest to `scale` in the logarithm. `scale` is positive and
/// finite.
double nearestPowerOfTwo(double scale);

} // namespace vitq::approximation

#endif // VITQ_APPROXIMATION_PIECEWISETABLE_H
