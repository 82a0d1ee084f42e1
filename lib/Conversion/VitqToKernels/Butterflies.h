//===- Butterflies.h - Sums and differences of words in vectors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_BUTTERFLIES_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_BUTTERFLIES_H

#include "Emitter.h"

namespace vitq::kernels {

/// Words in parts of 128 bits of vectors, in any order that is one of the bits of their indices: each bit of a place
/// (of the vector's number, of the part in it, of the word in that) is a bit of the index.
///
/// Two numbers that differ in a bit of the vector's number are added and subtracted without a shuffle. Other bits are
/// brought there first, by instructions that interleave two vectors, one for each: numbers then stay where they are.
struct WordOrder {
  /// Bits of the index, those of the lowest bits of the place first.
  llvm::SmallVector<unsigned> number, part, word;

  int64_t vectors() const { return int64_t{1} << number.size(); }
  int64_t lanes() const { return int64_t{8} << part.size(); }
  /// The index that belongs to a lane of a vector.
  int64_t indexOf(int64_t vector, int64_t lane) const;

  /// What shuffles make of it: bit `p` of the number becomes the lowest one of parts, or the highest of words; what
  /// was there moves down, or up, and the last comes to the number.
  void exchangePart(unsigned p);
  void exchangeWord(unsigned p);
};

/// How sums and differences of all numbers whose indices differ in one of some bits are formed.
struct ButterflyPlan {
  enum class Step { AddAndSubtract, ExchangeParts, ExchangeWords };

  /// Of bits below `bits`, but those of which it is done. Unless any order will do, bits 0 to 3 of the index then say
  /// the place in a part and in the first two vectors.
  static ButterflyPlan of(WordOrder order, unsigned bits, llvm::ArrayRef<unsigned> done, bool anyOrder);

  /// Each with a bit of the number.
  llvm::SmallVector<std::pair<Step, unsigned>> steps;
  WordOrder last;

  void emit(Emitter &e, Values &vectors) const;

private:
  void exchange(Step step, unsigned p);
  void addAndSubtract(unsigned p);
  bool anyLeft(llvm::ArrayRef<unsigned> indexBits) const;

  llvm::SmallVector<unsigned> left;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_BUTTERFLIES_H
