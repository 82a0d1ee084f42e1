//===- ProductWork.h - A product that a target is asked the cost of -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_PRODUCTWORK_H
#define VITQ_ANALYSIS_PRODUCTWORK_H

#include <cstdint>

namespace vitq {

/// `batch` products of [m, k] by [k, n]; with `hasWeights` the right operand is one constant for all of them.
struct ProductWork {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  bool hasWeights = false;
  /// Bits of the operands' codes.
  unsigned lhsBits = 8, rhsBits = 8;

  int64_t macs() const { return batch * m * n * k; }
  bool operator==(const ProductWork &) const = default;
};

/// What bits are chosen to save: time of a run, or energy.
enum class Effort : uint8_t { Latency, Energy };

} // namespace vitq

#endif // VITQ_ANALYSIS_PRODUCTWORK_H
