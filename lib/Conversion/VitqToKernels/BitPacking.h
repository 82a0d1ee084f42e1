//===- BitPacking.h - Narrow codes in constants -----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Constants of codes of less than 8 bits take no more bits than these; in memory that
// kernels write, a code takes a byte. A block of `length` codes (a multiple of 8) becomes
// length * bits / 8 bytes: the bits are cut into fields of 4, 2 and 1, and a field of f
// bits is length * f / 8 bytes in which code i is in byte i mod (length * f / 8), from bit
// f * (i / (length * f / 8)) on. So vectors are unpacked by a shift and a mask a piece.
// Signed codes are stored less the lowest one, which costs a subtraction to undo.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_BITPACKING_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_BITPACKING_H

#include "Emitter.h"

namespace vitq::kernels {

class BitPacking {
public:
  /// Of codes of 2 to 8 bits, in blocks of `length`; 8 bits stay as they are.
  BitPacking(unsigned bits, bool isUnsigned, int64_t length) : bits(bits), isUnsigned(isUnsigned), length(length) {}

  bool packs() const { return bits < 8; }
  unsigned codeBits() const { return bits; }
  int64_t blockCodes() const { return length; }
  int64_t blockBytes() const { return length * bits / 8; }
  /// Bytes that hold a code each, padded by 0 to whole blocks, as packed ones.
  std::vector<char> pack(llvm::ArrayRef<char> codes) const;
  /// The codes of the block at byte `at` of `bytes`, a vector of i8.
  Value load(Emitter &e, Value bytes, Value at) const;
  /// Code `i` of that block alone.
  Value loadCode(Emitter &e, Value bytes, Value at, Value i) const;

private:
  /// What is added to a code before it is cut.
  int64_t signOffset() const { return isUnsigned ? 0 : int64_t(1) << (bits - 1); }

  unsigned bits;
  bool isUnsigned;
  int64_t length;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_BITPACKING_H
