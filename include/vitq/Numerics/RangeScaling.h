//===- RangeScaling.h - Powers of two before and after a function -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// 1/v and 1/sqrt(v) of integers of any size by a table that covers three or four
// octaves (multi-range scaling): v is shifted into the table's range by a multiple of
// three or four bits, found from its leading zeros, and the result shifted back:
//   1/v       = 2^-3j * 1/(v * 2^-3j)
//   1/sqrt(v) = 2^-2j * 1/sqrt(v * 2^-4j)
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_RANGESCALING_H
#define VITQ_NUMERICS_RANGESCALING_H

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdint>

namespace vitq::numerics {

/// A table of codes with at most `bits` bits, 2^(bits - octaves) the lowest one:
/// octaves = 3 for 1/v (0.5 to 4 is a factor of 8), 4 for 1/sqrt(v) (0.25 to 4).
struct RangeScaling {
  unsigned bits = 7;
  unsigned octaves = 3;

  /// v is about code * 2^(octaves * group).
  struct Scaled {
    uint64_t code;
    int group;
  };

  /// For v in 1..2^63 - 1:
  ///   group = floor((length(v) - (bits - octaves + 1)) / octaves)
  ///   code  = v * 2^(-octaves * group), rounded half up where bits are lost, at most
  ///           2^bits - 1,
  /// so that 2^(bits-octaves) <= code < 2^bits. Preconditions: octaves >= 1, octaves <
  /// bits <= 32.
  Scaled reduce(uint64_t v) const {
    assert(v > 0 && v < (uint64_t(1) << 63) && "range scaling needs a positive number");
    assert(octaves >= 1 && octaves < bits && bits <= 32 && "range scaling out of range");
    const int width = static_cast<int>(octaves);
    const int excess = static_cast<int>(std::bit_width(v)) - static_cast<int>(bits) + width - 1;
    const int group = excess >= 0 ? excess / width : -((width - 1 - excess) / width);
    const int shift = group * width;
    if (shift <= 0)
      return {v << -shift, group};
    const uint64_t code = (v + (uint64_t(1) << (shift - 1))) >> shift;
    return {std::min(code, (uint64_t(1) << bits) - 1), group};
  }

  /// The power of two to multiply the table's 1/code with.
  int reciprocalExponent(int group) const { return -static_cast<int>(octaves) * group; }
  /// The power of two to multiply the table's 1/sqrt(code) with; octaves is even.
  int rootExponent(int group) const {
    assert(octaves % 2 == 0 && "a root needs an even number of octaves");
    return -static_cast<int>(octaves / 2) * group;
  }
};

/// 1/v by 8 times the range: 16 <= code < 128 for a table with step 2^-5 over 0.5..4.
inline constexpr RangeScaling kReciprocalScaling{7, 3};
/// 1/sqrt(v) by 16 times the range: 8 <= code < 128, step 2^-5, 0.25..4.
inline constexpr RangeScaling kRootScaling{7, 4};

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_RANGESCALING_H
