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

/// The range that the type of the first operand allows its codes.
numerics::Interval getOperandTypeRange(integer::ProductOp op);

} // namespace vitq

#endif // VITQ_ANALYSIS_ACCUMULATORBOUNDS_H
