//===- Resample.h - Weights of pooling and resizing as integers -===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_RESAMPLE_H
#define VITQ_NUMERICS_RESAMPLE_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitq::numerics {

/// Integers over one divisor.
struct RationalWeights {
  std::vector<int64_t> weights;
  int64_t divisor = 1;
  /// Whether they are the reals that they were made of, to 1e-6.
  bool isExact = true;
};

/// Weights of sums of `taps` terms, one sum after the other, over the least divisor up to `limit` of which all are
/// multiples to within 1e-6. Where there is none they are rounded over `limit`, and the largest of
/// each sum takes what is missing, so that the weights of a sum add up to what they did.
RationalWeights rationalWeights(const std::vector<double> &weights, size_t taps, int64_t limit);

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_RESAMPLE_H
