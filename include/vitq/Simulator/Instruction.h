//===- Instruction.h - Instructions of the systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SIMULATOR_INSTRUCTION_H
#define VITQ_SIMULATOR_INSTRUCTION_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <array>
#include <cstdint>
#include <string>

namespace vitq::simulator {

enum class Opcode : uint8_t {
  /// Waits until every earlier instruction is done.
  Fence,
  /// DRAM to scratchpad. Row r of the source lies at `dram.offset + r * dram.pitch`
  /// bytes of the operand and has `cols` elements, signed or not being of no
  /// consequence. Without `Split` an element has Config::bits bits, packed from the
  /// lowest bit of each byte on; column c goes to element c % width of row `local + (c / width)
  /// * tileStride + r`. With `Split` an element is a byte, and its bits p * bits to
  /// (p + 1) * bits - 1, as far as it has them (the last plane is sign-extended to
  /// `bits`), go to the same place plus p * planeStride rows, for every plane p, or for
  /// the first `shift` of them if that is not 0. The rest of the last tile's row becomes 0.
  Mvin,
  /// DRAM to accumulator memory: 32-bit sums, `cols` <= Config::cols of each row. With
  /// `pitch` 0 the DMA reads one row and writes it `rows` times, a row a cycle (Gemmini's
  /// repeating bias). `Accumulate` adds instead of writing.
  MvinAcc,
  /// Names the next compute's operand that stays, and where its sums go.
  /// Weight stationary: the tile of `rows` (K) by `cols` (N) weights in the scratchpad
  /// rows from `local` on: row k holds weights [k][0..N), or, with `Transpose`, row n
  /// holds [0..K)[n], `cols` rows. `local` = kNone keeps the weights that are there.
  /// Output stationary: `local` must be kNone; `rows` x `cols` sums are meant.
  /// `local2` is the first accumulator row of the sums, `Accumulate` adds to what is
  /// there, and sums are shifted left by `shift` before that.
  Preload,
  /// Streams `rows` rows of the left operand, `cols` (K) elements each, from scratchpad
  /// row `local` on. `LhsUnsigned`, `RhsUnsigned`: how the bits of each operand are read.
  /// Weight stationary: row m gives `C[m][n] (+)= (sum_k A[m][k] * B[k][n]) << shift` for
  /// the n of the last preload. `Fresh` takes the weights of the last preload; without it
  /// those before stay (and the preload must have named none).
  /// Output stationary: `rows` <= Config::rows, and `local2` is the first of `cols`
  /// scratchpad rows of the right operand, row k holds [k][0..N) with the N of the last
  /// preload. `Fresh` starts the sums at 0; `Last` writes them where the preload says.
  Compute,
  /// Accumulator memory to DRAM, `rows` rows of `cols` sums; column c of row r is element
  /// c % Config::cols of row `local + (c / Config::cols) * tileStride + r`. Without `Scale` 32
  /// bits each, and `cols` <= Config::cols; with it
  /// `saturate8(roundHalfEven(max(acc, relu ? 0 : -inf) * 2^-shift))` as bytes, `cols` up to
  /// blockTiles tiles.
  Mvout,
  /// Runs unit program number `unit` of the launch on rows `row` to `row + rows` and
  /// channels `channel` to `channel + cols`. Its first input are accumulator rows (as in
  /// Mvout) with `FromAccumulator`, else DRAM. Where every operand lies in DRAM is part of
  /// the unit program (Units.h).
  Units,
};
inline constexpr unsigned kNumOpcodes = 7;

enum Flag : uint16_t {
  FlagSplit = 1,
  FlagAccumulate = 2,
  FlagTranspose = 4,
  FlagLhsUnsigned = 8,
  FlagRhsUnsigned = 16,
  FlagFresh = 32,
  FlagLast = 64,
  FlagScale = 128,
  FlagRelu = 256,
  FlagFromAccumulator = 512,
};

/// No scratchpad address.
inline constexpr uint32_t kNone = 0xffffffff;

/// Rows of an operand of a launch in DRAM.
struct DramRef {
  uint8_t operand = 0;
  /// Bytes from the operand's start to the first row.
  uint32_t offset = 0;
  /// Bytes from one row to the next.
  uint32_t pitch = 0;
  bool operator==(const DramRef &) const = default;
};

/// One decoded instruction. Fields that an opcode does not name are 0.
struct Instruction {
  Opcode opcode = Opcode::Fence;
  uint8_t shift = 0, unit = 0;
  uint16_t flags = 0;
  uint32_t local = 0, local2 = 0;
  uint16_t rows = 0, cols = 0;
  /// Local rows from one tile to the next beside it, and from one plane to the next.
  uint16_t tileStride = 0, planeStride = 0;
  DramRef dram;
  /// Of Units: the first row and channel of its operands.
  uint32_t row = 0, channel = 0;

  /// Planes that an Mvin fills on elements of `bits` bits.
  int64_t movedPlanes(int64_t bits) const { return !has(FlagSplit) ? 1 : shift != 0 ? shift : (8 + bits - 1) / bits; }
  bool has(Flag flag) const { return flags & flag; }
  /// Whether this is an MvinAcc that writes one row to all its local rows.
  bool repeatsRow() const { return opcode == Opcode::MvinAcc && dram.pitch == 0; }
  bool operator==(const Instruction &) const = default;
};

/// An instruction is 32 bytes, little endian: opcode, shift (1 each), flags (2); local,
/// local2 (4 each); rows, cols, tileStride, planeStride (2 each); operand, unit (1
/// each), two zero bytes; then offset and pitch, of Units row and channel (4 each).
inline constexpr size_t kInstructionBytes = 32;
using EncodedInstruction = std::array<uint8_t, kInstructionBytes>;
EncodedInstruction encode(const Instruction &instruction);

/// Errors: no such opcode, or a reserved field that is not 0.
llvm::Expected<Instruction> decode(llvm::ArrayRef<uint8_t> bytes);

/// One line of assembly, without indentation or line end.
std::string print(const Instruction &instruction);
/// Reads what `print` writes. Errors say what was expected.
llvm::Expected<Instruction> parseInstruction(llvm::StringRef line);

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_INSTRUCTION_H
