//===- Steps.h - The order of blocks -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_STEPS_H
#define VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_STEPS_H

#include "Routine.h"

#include <vector>

namespace vitq::systolic {

/// One block of a product: tiles m0 to m0 + m, and so on. `lhs`, `rhs` and `sums` say which
/// of two buffers holds its operands and sums.
struct Step {
  int64_t batch, m0, n0, k0, m, n, k;
  bool loadLhs, loadRhs, firstK, lastK;
  int lhs, rhs, sums;
};

/// All blocks in their order, K innermost. An operand that the next block uses again is not
/// loaded again; a new one goes to the other buffer, so that it can be loaded while the
/// block before is computed.
std::vector<Step> stepsOf(const Product &product, const TileCounts &tiles, const Tiling &tiling);

/// Buffers of each kind that the steps use: 1 or 2.
struct BufferCounts {
  int lhs = 1, rhs = 1, sums = 1;
};
BufferCounts buffersOf(llvm::ArrayRef<Step> steps);

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_STEPS_H
