//===- Packing.h - Offsets of buffers that live for a while -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_PLANARENA_PACKING_H
#define VITQ_LIB_CONVERSION_PLANARENA_PACKING_H

#include "llvm/ADT/ArrayRef.h"

#include <cstdint>

namespace vitq::arena {

/// Memory that is in use from position `begin` to `end`, both included.
struct Lifetime {
  int64_t size, begin, end;

  bool livesWith(const Lifetime &other) const { return begin <= other.end && other.begin <= end; }
};

/// Gives every lifetime an offset so that those that live together do not overlap,
/// and returns the end of the last. Several orders of placing are tried, the best is
/// kept; equal lifetimes always give equal offsets. Sizes stay sums of sizes: where
/// all are multiples of an alignment, so are the offsets.
int64_t pack(llvm::ArrayRef<Lifetime> lifetimes, llvm::MutableArrayRef<int64_t> offsets);

/// The largest sum of sizes that live at one position: no packing needs less. `position` receives where that is.
int64_t largestLiveSet(llvm::ArrayRef<Lifetime> lifetimes, int64_t *position = nullptr);

} // namespace vitq::arena

#endif // VITQ_LIB_CONVERSION_PLANARENA_PACKING_H
