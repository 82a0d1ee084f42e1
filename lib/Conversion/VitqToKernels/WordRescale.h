//===- WordRescale.h - Dyadic multiplication of 16-bit numbers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_WORDRESCALE_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_WORDRESCALE_H

#include "Rescale.h"

namespace vitq::kernels {

/// round(x * M / 2^c) for x of 16 bits with a sign, by products of 16 bits: three for as many numbers as two vectors of
/// 32 bits hold, where `Rescale` takes four.
///
/// M = 2^16 * h + l, l of 16 bits with a sign, so that floor(x*M / 2^16) = x*h + floor(x*l / 2^16): the second is the
/// upper half of a product, the first is added to it by the dot product of pairs, (x, floor(x*l / 2^16)) and (h, 1).
/// What is below 2^16 cannot carry into the result if c >= 17, so
/// `(x*M + 2^(c-1)) >> c = (floor(x*M / 2^16) + 2^(c-17)) >> (c-16)`, in 32 bits: |x*h| <= 2^30.
class WordRescale {
public:
  /// Puts the constants into the blob; none where the form is not exact, or the target has no instruction for it.
  static std::optional<WordRescale> of(const TargetDesc &target, Blob &blob, integer::DyadicAttr dyadic,
                                       integer::Rounding rounding);

  /// Results of 32 bits for `x`, vectors of 16-bit numbers; null for any other length.
  Value apply(Emitter &e, Value blob, Value x) const;

private:
  Value applyVector(Emitter &e, Value blob, Value x) const;

  const Isa *isa = nullptr;
  bool spelt = false;
  /// l twice, (h, 1), 2^(c-17), c - 16: of 32 bits each, for the lanes of two vectors.
  Slot lower, upper, half, shift;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_WORDRESCALE_H
