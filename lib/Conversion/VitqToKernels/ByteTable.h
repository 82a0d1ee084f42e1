//===- ByteTable.h - Lookups in 256 bytes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_BYTETABLE_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_BYTETABLE_H

#include "Emitter.h"

#include "vitq/Target/Isa/TargetDesc.h"

namespace vitq::kernels {

/// What a byte can be.
inline constexpr int64_t kBytes = 256;

/// 256 bytes in registers, or in memory where the target has no instruction that
/// looks up bytes. Entry i belongs to the code i, or to i - 128 if codes are signed.
class ByteTable {
public:
  /// Lanes that one lookup takes; 1 where only scalars are worth while.
  static int64_t lanesOf(const TargetDesc &target);

  /// The 256 bytes of `memref` that begin at element `at`.
  ByteTable(Emitter &e, const TargetDesc &target, Value memref, Values at, bool signedCodes);

  /// The entries of codes of 8 bits: a scalar, or a vector of any length.
  Value lookup(Emitter &e, Value codes) const;

  /// The top byte of each of some lanes of 32 bits.
  Value topBytes(Emitter &e, Value x) const;

private:
  Value lookupWhole(Emitter &e, Value codes) const;
  Value shuffle16(Emitter &e, Value codes) const;
  Value table64(Emitter &e, Value codes) const;
  Value permute128(Emitter &e, Value codes) const;
  Value lookupScalar(Emitter &e, Value code) const;

  ByteLookup kind;
  int64_t lanes;
  Value memref;
  Values at;
  bool signedCodes;
  /// In the order of the codes as unsigned numbers.
  Values registers;
};

/// 256 entries of 16 bits as two tables: their lower bytes, then their higher ones.
class WordTable {
public:
  /// The 512 bytes of `memref` that begin at element `at`.
  WordTable(Emitter &e, const TargetDesc &target, Value memref, Value at, bool signedCodes)
      : low(e, target, memref, {at}, signedCodes), high(e, target, memref, {e.indexAdd(at, 256)}, signedCodes) {}

  Value lookup(Emitter &e, Value codes) const;
  /// The lower bytes of the entries, and the higher ones.
  std::pair<Value, Value> halves(Emitter &e, Value codes) const {
    return {low.lookup(e, codes), high.lookup(e, codes)};
  }

  /// Tables of 256 entries each, in that order.
  static std::vector<uint8_t> split(llvm::ArrayRef<uint16_t> entries);

private:
  ByteTable low, high;
};

/// Position of an 8-bit code in its range: x, or x + 128 when signed.
Value tablePosition(Emitter &e, Value x, bool isUnsigned);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_BYTETABLE_H
