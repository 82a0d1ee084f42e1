//===- PiecewiseLinear.h - Functions as a few lines -------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A function of an 8- or 16-bit code as lines between breakpoints (GQA-LUT).
// See docs/Numerics.md, Lines.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_PIECEWISELINEAR_H
#define VITQ_NUMERICS_PIECEWISELINEAR_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitq::numerics {

/// Entry i serves the codes breakpoints[i-1] <= q < breakpoints[i], relative to the
/// zero point: a code equal to a breakpoint belongs to the entry on its right. The
/// first and the last entry serve everything beyond. Breakpoints never fall; an entry
/// between two equal ones serves nothing.
struct PiecewiseLinear {
  std::vector<int32_t> breakpoints; ///< one fewer than entries
  std::vector<int32_t> slopes, intercepts;

  size_t entries() const { return slopes.size(); }
  size_t entryOf(int64_t q) const;
  /// slopes[i] * q + intercepts[i], i = entryOf(q): with an input step S and lambda
  /// fraction bits the value in units of S * 2^-lambda.
  int64_t evaluate(int64_t q) const;
  /// Whether every slope * q + intercept, each for all q in [lo, hi], fits 32 bits.
  bool fits(int64_t lo, int64_t hi) const;
  bool operator==(const PiecewiseLinear &) const = default;
};

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_PIECEWISELINEAR_H
