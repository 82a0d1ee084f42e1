//===- Isa.h - Facts about instruction sets -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One struct of facts for each instruction set; lib/Target/Isa holds one file for
// each. The code generator branches on facts, never on names.
// docs/Howto/add-an-isa.md tells how to add one.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_ISA_ISA_H
#define VITQ_TARGET_ISA_ISA_H

#include "llvm/ADT/ArrayRef.h"

namespace vitq {

/// An instruction that multiplies and adds: each of `lanes` sums of 32 bits gains
/// `group` products of operands of `width` bits. It must be exact: `vpmaddubsw`,
/// which saturates, is a `ShortDot`.
struct DotInstruction {
  unsigned lanes, group, width;
  /// The left operand has no sign; the right one, the weights, always has.
  bool unsignedLhs;
  /// LLVM intrinsic; empty: widening multiplications and additions, with group 1.
  const char *intrinsic;
  /// The sums are the intrinsic's first operand; else they are added after it.
  bool accumulates;
  /// Rows of the left operand that one instruction multiplies. If 2, each 128 bits of operands are two rows of the left
  /// matrix and two columns of the right one, of sums their square, row by row (`smmla`): `lanes` columns are two
  /// registers.
  unsigned rows = 1;
  /// Its intrinsic takes vectors of the length that the machine has (SVE).
  bool scalable = false;
};

/// An instruction that multiplies bytes and adds in 16 bits: more products at once, and exact while these bits
/// hold their sums. Each sum of 32 bits has two lanes: one gains the first half of its group's products, the other
/// the second.
struct ShortDot {
  /// Gives the products of one group, halves added up; `group` 0: there is none.
  DotInstruction dot = {};
  /// LLVM intrinsic that adds neighbouring lanes of 16 bits to one of 32, or multiplies them by those of a second
  /// operand before (`timesOnes`).
  const char *addPairs = nullptr;
  bool timesOnes = false;
  /// Rows of a tile whose sums gain every group's products at once: the ones, too, take a register. 0: `dot8` is as
  /// fast then.
  unsigned tileRows = 0;
  /// Whether registers hold all sums of a tile beside the right operands of two groups.
  bool holdsTwoGroups = false;
};

/// LLVM intrinsics that put the lanes of two vectors side by side with half the bits, limited to what these hold, in
/// each 128 bits by itself (`vpackssdw`).
struct PackInstructions {
  const char *words = nullptr;         ///< 32 bits to 16
  const char *signedBytes = nullptr;   ///< 16 to 8
  const char *unsignedBytes = nullptr; ///< 16, signed, to 8 without sign
};

/// Registers that hold a matrix each, of at most `rows` rows of 64 bytes, and instructions that multiply two of them
/// (AMX): sums of 32 bits, [rows, 16], gain left operands, [rows, groups of four bytes], times right ones, [groups, 16
/// columns of four bytes]. There are eight: four of sums, two of each operand.
struct TileRegisters {
  /// LLVM intrinsics for left operands without sign and with one, right ones with a sign; null: there are none.
  const char *unsignedProduct = nullptr, *signedProduct = nullptr;
  unsigned rows = 16, groups = 16;

  explicit operator bool() const { return unsignedProduct; }
};

/// How 256 bytes are looked up with the bytes of a vector.
enum class ByteLookup {
  Scalar,     ///< a load for each byte
  Shuffle16,  ///< 16 shuffles within 16 bytes (`vpshufb`)
  Table64,    ///< four lookups in 64 bytes (`tbl`, `tbx`)
  Permute128, ///< two permutations of 128 bytes (`vpermi2b`)
};

struct Isa {
  /// Short name, part of what distinguishes kernels.
  const char *name;
  /// LLVM's name of the architecture and the features that must all be there.
  const char *arch, *features;
  /// Width of the vectors that row kernels work with.
  unsigned vectorBits;
  /// For 8-bit left operands, and for 16-bit ones.
  DotInstruction dot8, dot16;
  /// Output tile of a contraction: rows x vectors of sums, which together with a row
  /// of right operands and a left one fit the registers.
  unsigned tileRows, tileVectors;
  /// Whether a vector can be shifted by a vector of amounts. Where it cannot, LLVM
  /// would compute the shift with floating point: nothing but contractions is
  /// vectorized.
  bool variableShifts;
  ByteLookup byteLookup;
  /// LLVM intrinsic (table, indices) that permutes the 32-bit lanes of a whole vector by
  /// a vector of indices; null if there is none.
  const char *permuteWords;
  /// LLVM intrinsic that reads a clock which never stops.
  const char *clock;
  /// The L2 cache of one core, as blocks of rows are sized for.
  unsigned l2Bytes;
  /// LLVM intrinsic (sums, left, right) that does `dot16` and adds to sums at once; null if there is none.
  const char *addDot16 = nullptr;
  /// Whether lanes of 32 bits are multiplied to 64 two by two, the even ones of both operands (`vpmuldq`), not those of
  /// half a vector.
  bool multipliesEvenLanes = false;
  /// LLVM features that say which of several ways is the fastest; of every CPU that has the set.
  const char *tuning = "";
  /// Whether some lanes of a vector can be loaded and stored as fast as all of them.
  bool maskedMoves = false;
  /// For 8-bit left operands and right ones that leave room for short sums.
  ShortDot shortDot = {};
  /// Null where truncating moves are as fast.
  PackInstructions packs = {};
  /// For 8-bit left operands of two rows or more, without sign and with one; `group` 0: there is none.
  DotInstruction unsignedMatrices = {}, signedMatrices = {};
  /// Vectors of their tile: of right operands, a group of it needs two registers for each.
  unsigned matrixVectors = 0;
  /// Vectors have as many bits as the machine's registers, which must have `vectorBits` (SVE).
  bool scalableVectors = false;
  /// For 8-bit left operands of more rows than a tile of the dot product has.
  TileRegisters tileRegisters = {};
  /// Whether what follows a tile's sums is computed beside the next tile's products: where these leave units of a CPU
  /// idle, and the registers beside a tile's sums hold what takes four of them.
  bool storesBeside = false;
};

/// All sets, the best of an architecture first.
llvm::ArrayRef<const Isa *> allIsas();

} // namespace vitq

#endif // VITQ_TARGET_ISA_ISA_H
