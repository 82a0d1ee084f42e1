//===- Hadamard.h - Products with Hadamard matrices --------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A Hadamard matrix H of order n has elements 1 and -1 and H H^T = n I. That of order
// n = m 2^k is the Kronecker product of one of order m and Sylvester's of order 2^k:
// element [a 2^k + b, c 2^k + d] is H_m[a, c] (-1)^popcount(b & d). H_m, m = 1 or a multiple
// of 4, is Paley's (R. E. A. C. Paley, On Orthogonal Matrices, J. Math. Phys. 12, 1933): of the
// first kind where m - 1 is a prime, of the second where m / 2 - 1 is one that leaves 1 when
// divided by 4.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_NUMERICS_HADAMARD_H
#define VITQ_NUMERICS_HADAMARD_H

#include "vitq/Numerics/Quantize.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace vitq::numerics {

/// H of one order, known by its two factors. Orders beyond 2^20 are not.
class Hadamard {
public:
  /// None where no matrix of the order is known here.
  static std::optional<Hadamard> ofOrder(int64_t order);
  /// Of the largest order that divides `count` > 0; at least of order 1.
  static Hadamard ofLargestDivisor(int64_t count);

  int64_t order() const { return static_cast<int64_t>(core.size()) << doublings; }
  /// 1 or -1; 0 <= row, column < order.
  int element(int64_t row, int64_t column) const;

  /// x = x H, or with `transposed` x = x H^T, of `order` numbers: `m - 1` additions and k
  /// for each, exact where sums of `order` numbers are. Integers must not overflow.
  void multiply(llvm::MutableArrayRef<double> x, bool transposed = false) const;
  void multiply(llvm::MutableArrayRef<int64_t> x, bool transposed = false) const;

private:
  Hadamard(llvm::ArrayRef<llvm::SmallVector<int8_t>> core, unsigned doublings)
      : core(core.begin(), core.end()), doublings(doublings) {}

  template <typename T>
  void multiplyAny(llvm::MutableArrayRef<T> x, bool transposed) const;

  /// H_m.
  llvm::SmallVector<llvm::SmallVector<int8_t>> core;
  unsigned doublings;
};

//===----------------------------------------------------------------------===//
// Hadamard's transform of a power of two, with signs (docs/Numerics.md, Hadamard)
//===----------------------------------------------------------------------===//

inline constexpr int64_t kMaxHadamardBlock = 256;

/// Whether a block of as many numbers can be transformed: a power of two, 2 to `kMaxHadamardBlock`.
inline bool isHadamardBlock(int64_t size) { return size >= 2 && size <= kMaxHadamardBlock && (size & (size - 1)) == 0; }

/// Whether number `i` of a block is negated first: (-1)^(i0 i1 + i2 i3 + ...), the bits of i. It is a bent function,
/// at an odd number of bits up to one factor of sqrt(2): what all numbers have in common is spread as well
/// (Rothaus 1976).
inline bool isNegatedFirst(int64_t i) {
  return __builtin_parityll(static_cast<unsigned long long>(i & (i >> 1) & 0x5555555555555555)) != 0;
}

/// y[j] = sum over i of (-1)^(i . j) s[i] x[i], s the signs above, i . j the number of bits that both have: n log2(n)
/// additions in place. x has `isHadamardBlock` numbers; y is sqrt(n) times as long as x. Integers must not overflow.
template <typename T>
void hadamardBlock(llvm::MutableArrayRef<T> x) {
  for (size_t i = 0; i < x.size(); ++i)
    if (isNegatedFirst(static_cast<int64_t>(i)))
      x[i] = -x[i];
  for (size_t half = 1; half < x.size(); half *= 2)
    for (size_t i = 0; i < x.size(); ++i)
      if (!(i & half)) {
        const T a = x[i], b = x[i + half];
        x[i] = a + b;
        x[i + half] = a - b;
      }
}

/// The transpose of `hadamardBlock`, which takes it back but for a factor of n.
template <typename T>
void hadamardBlockBack(llvm::MutableArrayRef<T> x) {
  auto negate = [&] {
    for (size_t i = 0; i < x.size(); ++i)
      if (isNegatedFirst(static_cast<int64_t>(i)))
        x[i] = -x[i];
  };
  negate(); // `hadamardBlock` does so again.
  hadamardBlock(x);
  negate();
}

/// A channel may be multiplied by 2^0 to 2^4 before it is transformed.
inline constexpr int kMaxHadamardShift = 4;

/// Whether these are shifts for `channels` channels: none at all, or one for each.
inline bool areHadamardShifts(llvm::ArrayRef<int8_t> shifts, int64_t channels) {
  return shifts.empty() || (static_cast<int64_t>(shifts.size()) == channels && llvm::all_of(shifts, [](int8_t shift) {
                              return shift >= 0 && shift <= kMaxHadamardShift;
                            }));
}

/// Twice the farthest from 0 that a sum may be, of numbers from `least` to `most` less `zeroOf(channel)`, times a
/// positive `factorOf(channel)`: the transform of what is in the middle, and all widths.
template <typename T, typename ZeroOf, typename FactorOf>
T twiceHadamardReach(T least, T most, int64_t channels, int64_t block, ZeroOf zeroOf, FactorOf factorOf) {
  T reach = 0;
  llvm::SmallVector<T> middles(static_cast<size_t>(block));
  for (int64_t first = 0; first < channels; first += block) {
    T widths = 0;
    for (int64_t c = 0; c < block; ++c) {
      const T factor = factorOf(first + c);
      middles[static_cast<size_t>(c)] = factor * (least + most - 2 * zeroOf(first + c));
      widths += factor * (most - least);
    }
    hadamardBlock(llvm::MutableArrayRef<T>(middles));
    for (T middle : middles)
      reach = std::max(reach, std::abs(middle) + widths);
  }
  return reach;
}

/// The farthest from 0 that a sum may be, of codes in `codes`. `zero`, or `zeros` of channels if there are any, is
/// taken from each; `shifts` as in `hadamardRow`.
inline int64_t hadamardReach(Interval codes, int64_t zero, llvm::ArrayRef<int32_t> zeros, llvm::ArrayRef<int8_t> shifts,
                             int64_t block) {
  const auto channels = static_cast<int64_t>(std::max(zeros.size(), shifts.size()));
  auto zeroOf = [&](int64_t c) { return zeros.empty() ? zero : zeros[static_cast<size_t>(c)]; };
  auto factorOf = [&](int64_t c) { return int64_t{1} << (shifts.empty() ? 0 : shifts[static_cast<size_t>(c)]); };
  return (twiceHadamardReach(codes.min, codes.max, channels ? channels : block, block, zeroOf, factorOf) + 1) / 2;
}

/// A row of whole blocks: each number times two to the power of its channel's shift (none: 0), then each block
/// transformed. Sums of codes of 16 bits fit 32.
template <typename T>
void hadamardRow(llvm::MutableArrayRef<T> x, int64_t block, llvm::ArrayRef<int8_t> shifts) {
  for (size_t i = 0; i < shifts.size(); ++i)
    x[i] *= static_cast<T>(1 << shifts[i]);
  for (; !x.empty(); x = x.drop_front(static_cast<size_t>(block)))
    hadamardBlock(x.take_front(static_cast<size_t>(block)));
}

} // namespace vitq::numerics

#endif // VITQ_NUMERICS_HADAMARD_H
