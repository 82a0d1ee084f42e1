//===- Scores.h - What softmax makes of its argument -------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_SCORES_H
#define VITQ_ANALYSIS_SCORES_H

#include "mlir/IR/Value.h"

#include <limits>

namespace vitq {

/// What lies this far below the maximum of its row counts for nothing in a softmax:
/// exp(-24) = 4e-11, and every integer algorithm gives the code 0 from 11.1 on
/// (docs/Numerics.md, Softmax).
inline constexpr double kSoftmaxReach = 24.0;

/// A row with no value above this is masked altogether: beside -2^20 a 32-bit float
/// keeps less than four bits of a score's fraction. Its probabilities are all equal.
inline constexpr float kMaskedRow = -0x1p20f;

/// What masks add at most: the lowest finite float. Unlike -inf it makes no NaN.
inline constexpr float kLowestMask = std::numeric_limits<float>::lowest();

/// Whether `value` is read by softmaxes only (whole or its numerator), directly or
/// through reshapes that keep the last axis.
bool isSoftmaxArgument(mlir::Value value);

/// Whether `value` is such an argument and a constant was added to it: a mask or a bias.
bool isMaskedScores(mlir::Value value);

} // namespace vitq

#endif // VITQ_ANALYSIS_SCORES_H
