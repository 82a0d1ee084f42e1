//===- LinesOfFunctions.h - Lines for tests -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_NUMERICS_LINESOFFUNCTIONS_H
#define VITQ_TEST_UNIT_NUMERICS_LINESOFFUNCTIONS_H

#include "vitq/Numerics/ReciprocalLines.h"

#include <cmath>

namespace vitq::test {

/// Chords of `function` (of a code, in units of a line's value) with breakpoints at
/// equal ratios in [first, 4096), lowered by a common factor until `fits`.
template <typename Function, typename Fits>
numerics::PiecewiseLinear chordsBelow(Function function, double first, int entries, Fits fits) {
  for (double factor = 1.0; factor > 0.5; factor -= 0.0005) {
    numerics::PiecewiseLinear lines;
    auto end = [&](int i) { return std::round(first * std::pow(4096 / first, static_cast<double>(i) / entries)); };
    for (int i = 0; i < entries; ++i) {
      const double a = end(i), b = end(i + 1);
      const double slope = (function(b) - function(a)) / (b - a) * factor;
      lines.slopes.push_back(static_cast<int32_t>(std::lround(slope)));
      lines.intercepts.push_back(static_cast<int32_t>(std::lround(function(a) * factor - lines.slopes.back() * a)));
      if (i > 0)
        lines.breakpoints.push_back(static_cast<int32_t>(a));
    }
    if (fits(lines))
      return lines;
  }
  return {};
}

inline numerics::PiecewiseLinear reciprocalLines(int entries) {
  return chordsBelow([](double c) { return 0x1p32 / c; }, 512, entries, numerics::reciprocalLinesFit);
}

inline numerics::PiecewiseLinear inverseRootLines(int entries) {
  return chordsBelow([](double c) { return 0x1p27 / std::sqrt(c); }, 256, entries, numerics::inverseRootLinesFit);
}

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_NUMERICS_LINESOFFUNCTIONS_H
