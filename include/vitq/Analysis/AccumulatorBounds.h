//===- AccumulatorBounds.h - Bounds of 32-bit accumulators -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_ACCUMULATORBOUNDS_H
#define VITQ_ANALYSIS_ACCUMULATORBOUNDS_H

#include "dialects/vitq/Vitq.h"
#include "vitq/Numerics/Bounds.h"

namespace vitq {

/// The range of every partial sum, in any order, of the accumulators of `op`,
/// as the union over its output channels: with constant weights per channel
/// `sum_k max(0, extreme of (lhs - z) * w[k, n])` plus the bias, otherwise
/// `K * max|lhs - z| * max|rhs|` (docs/Rules.md, R3). `lhs` is the range of the lhs codes.
numerics::Interval getAccumulatorBound(integer::MatmulOp op, numerics::Interval lhs);

/// The range that the lhs type allows.
numerics::Interval getLhsTypeRange(integer::MatmulOp op);

} // namespace vitq

#endif // VITQ_ANALYSIS_ACCUMULATORBOUNDS_H
