//===- Code.h - What an integer stands for ----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_CODE_H
#define VITQ_NUMERICS_CODE_H

#include "vitq/Numerics/Quantize.h"

#include <algorithm>
#include <cstdint>

namespace vitq::numerics {

/// How the integers of a tensor are read: their bits (2 to 32), their sign, and which
/// of them stands for 0. Every range, clamp, table size and bound is computed from it.
struct Code {
  unsigned bits = 8;
  bool isUnsigned = false;
  int64_t zero = 0;

  Interval range() const { return codeRange(static_cast<int>(bits), !isUnsigned); }
  int64_t min() const { return range().min; }
  int64_t max() const { return range().max; }
  /// How many codes there are: the entries of a table.
  int64_t count() const { return int64_t(1) << bits; }
  bool contains(int64_t code) const { return min() <= code && code <= max(); }
  /// What codes stand for, in units of the scale.
  Interval values() const { return {min() - zero, max() - zero}; }
  /// The largest |code - zero|.
  int64_t magnitude() const { return std::max(max() - zero, zero - min()); }
  /// The entry of a table for `code`: tables are ordered by what codes stand for.
  int64_t index(int64_t code) const { return code - min(); }

  friend bool operator==(Code a, Code b) {
    return a.bits == b.bits && a.isUnsigned == b.isUnsigned && a.zero == b.zero;
  }
};

/// The value of the lowest `bits` bits of `pattern`.
inline int64_t readCode(int64_t pattern, unsigned bits, bool isUnsigned) {
  const uint64_t low = static_cast<uint64_t>(pattern) << (64 - bits);
  return isUnsigned ? static_cast<int64_t>(low >> (64 - bits)) : static_cast<int64_t>(low) >> (64 - bits);
}

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_CODE_H
