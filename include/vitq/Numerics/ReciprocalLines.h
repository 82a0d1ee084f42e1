//===- ReciprocalLines.h - Reciprocals of rows by lines ---------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// 2^40 / v of a softmax's sum and 2^40 / sqrt(v) of a variance without a division or
// a root: a power of two brings v to a code of 12 bits (RangeScaling.h), a few lines
// give the function there, a shift undoes the power. See docs/Numerics.md.
//
// Lines are in units of 2^-22 over codes in units of 2^-10. They may stay below the
// function by a constant factor, which the caller folds into its next multiplier:
// results that never exceed the exact ones keep every bound that holds with these.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_RECIPROCALLINES_H
#define VITQ_NUMERICS_RECIPROCALLINES_H

#include "vitq/Numerics/PiecewiseLinear.h"
#include "vitq/Numerics/RangeScaling.h"

#include <cstdint>

namespace vitq::numerics {

/// 1/v: codes 512..4095 stand for 0.5 to 4.
inline constexpr RangeScaling kReciprocalCodes{12, 3};
/// 1/sqrt(v): codes 256..4095 stand for 0.25 to 4.
inline constexpr RangeScaling kInverseRootCodes{12, 4};
/// The real value of one step between codes is 2^-kReciprocalCodeBits, that of one
/// unit of a line's value 2^-kReciprocalValueBits.
inline constexpr unsigned kReciprocalCodeBits = 10;
inline constexpr unsigned kReciprocalValueBits = 22;

/// About 2^40 / v: lines(code) * 2^(8 - 3*group), rounded down. 1 <= v < 2^31; at most
/// 2^40 / v under reciprocalLinesFit.
int64_t reciprocalByLines(int64_t v, const PiecewiseLinear &lines);

/// About 2^40 / sqrt(v): lines(code) * 2^(13 - 2*group), rounded down. 1 <= v < 2^52;
/// at most 2^40 / sqrt(v) under inverseRootLinesFit.
int64_t inverseRootByLines(int64_t v, const PiecewiseLinear &lines);

/// Whether, at every code c, 5/8 * 2^32/c <= lines(c) <= 2^32/(c + 1): no result is
/// above the exact one whatever was rounded away in c, and none below half of it.
bool reciprocalLinesFit(const PiecewiseLinear &lines);
/// Whether 2^26/sqrt(c) <= lines(c) <= 2^27/sqrt(c + 1).
bool inverseRootLinesFit(const PiecewiseLinear &lines);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_RECIPROCALLINES_H
