//===- RowLines.h - Lines for what rows compute -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_CONVERSION_VITTOVITQ_ROWLINES_H
#define LIB_CONVERSION_VITTOVITQ_ROWLINES_H

#include "vitq/Approximation/Method.h"
#include "vitq/Numerics/PiecewiseLinear.h"

#include "llvm/Support/Error.h"

namespace vitq::lowering {

/// The exponential of distances to a row's maximum, in steps of 2^-5.
struct ExponentialLines {
  static constexpr double kStep = 0x1p-5;
  numerics::PiecewiseLinear lines;
  unsigned codeShift = 0;
};
/// exp(step * q) for q in -255..0, which reaches -8 as GQA-LUT's table does. Slopes have
/// 8 fraction bits: the published 6 leave a code of 1 to distances whose exponential is
/// nearly 0, of which a row has hundreds (docs/Numerics.md).
/// For codes of `bits` bits.
llvm::Expected<ExponentialLines> fitExponential(unsigned entries, approximation::Method method, unsigned bits);

/// Lines below 1/x or 1/sqrt(x) (numerics/ReciprocalLines.h).
struct ScaledLines {
  numerics::PiecewiseLinear lines;
  /// The mean of lines over function, all octaves alike: what divides the next multiplier.
  double gain = 1.0;
};
llvm::Expected<ScaledLines> fitReciprocal(unsigned entries);
llvm::Expected<ScaledLines> fitInverseRoot(unsigned entries);

} // namespace vitq::lowering

#endif // LIB_CONVERSION_VITTOVITQ_ROWLINES_H
