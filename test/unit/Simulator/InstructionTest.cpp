//===- InstructionTest.cpp - Instructions of systolic arrays as bytes and text -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Instruction.h"

#include "gtest/gtest.h"

#include <random>

using namespace vitq::simulator;

/// Any values in the fields that an opcode has.
static Instruction randomInstruction(std::mt19937_64 &random) {
  auto bits = [&](auto &field) {
    using T = std::remove_reference_t<decltype(field)>;
    // Small and zero values are special in text.
    const uint64_t value = random();
    field = static_cast<T>(value % 4 == 0 ? 0 : value % 4 == 1 ? value >> 60 : value >> 8);
  };
  auto flags = [&](unsigned mask) { return static_cast<uint16_t>(random() & mask); };
  Instruction i;
  i.opcode = static_cast<Opcode>(random() % kNumOpcodes);
  if (i.opcode == Opcode::Fence)
    return i;
  bits(i.local);
  bits(i.rows);
  bits(i.cols);
  if (i.opcode == Opcode::Mvin || i.opcode == Opcode::MvinAcc || i.opcode == Opcode::Mvout) {
    bits(i.dram.operand);
    bits(i.dram.offset);
    bits(i.dram.pitch);
  }
  switch (i.opcode) {
  case Opcode::Mvin:
    bits(i.tileStride);
    bits(i.planeStride);
    i.flags = flags(FlagSplit);
    break;
  case Opcode::MvinAcc:
    i.flags = flags(FlagAccumulate);
    break;
  case Opcode::Preload:
    if (random() % 2)
      i.local = kNone;
    bits(i.local2);
    bits(i.shift);
    i.flags = flags(FlagAccumulate | FlagTranspose);
    break;
  case Opcode::Compute:
    bits(i.local2);
    i.flags = flags(FlagLhsUnsigned | FlagRhsUnsigned | FlagFresh | FlagLast);
    break;
  case Opcode::Mvout:
    bits(i.tileStride);
    bits(i.shift);
    i.flags = flags(FlagScale | FlagRelu);
    break;
  default:
    bits(i.tileStride);
    bits(i.unit);
    bits(i.row);
    bits(i.channel);
    i.flags = flags(FlagFromAccumulator);
    break;
  }
  return i;
}

TEST(Instruction, BytesAndTextRoundTrip) {
  std::mt19937_64 random(1);
  for (int times = 0; times < 20000; ++times) {
    const Instruction instruction = randomInstruction(random);
    const EncodedInstruction bytes = encode(instruction);
    llvm::Expected<Instruction> decoded = decode(bytes);
    ASSERT_TRUE(static_cast<bool>(decoded)) << print(instruction) << ": " << llvm::toString(decoded.takeError());
    EXPECT_EQ(*decoded, instruction);
    llvm::Expected<Instruction> read = parseInstruction(print(instruction));
    ASSERT_TRUE(static_cast<bool>(read)) << print(instruction) << ": " << llvm::toString(read.takeError());
    EXPECT_EQ(*read, instruction) << print(instruction);
  }
}

TEST(Instruction, BytesAreThoseOfTheDocument) {
  Instruction mvin;
  mvin.opcode = Opcode::Mvin;
  mvin.flags = FlagSplit;
  mvin.local = 0x01020304;
  mvin.rows = 0x0506;
  mvin.cols = 0x0708;
  mvin.tileStride = 0x090a;
  mvin.planeStride = 0x0b0c;
  mvin.shift = 3;
  mvin.dram = {0x0d, 0x0e0f1011, 0x12131415};
  const EncodedInstruction expected = {1, 3, 1,    0,    4,    3,    2,    1,    0,    0,    0,
                                       0, 6, 5,    8,    7,    0x0a, 9,    0x0c, 0x0b, 0x0d, 0,
                                       0, 0, 0x11, 0x10, 0x0f, 0x0e, 0x15, 0x14, 0x13, 0x12};
  EXPECT_EQ(encode(mvin), expected);
  EXPECT_EQ(print(mvin),
            "mvin local 0x1020304 rows 1286 cols 1800 from 13 + 235868177 pitch 303240213 tile_stride 2314 "
            "plane_stride 2828 planes 3 split");
}

TEST(Instruction, AnyBytesAreDecodedOrRefused) {
  std::mt19937_64 random(2);
  EncodedInstruction bytes;
  unsigned good = 0;
  for (int times = 0; times < 100000; ++times) {
    for (uint8_t &byte : bytes)
      byte = static_cast<uint8_t>(random() % 8 ? 0 : random());
    bytes[0] %= 9;
    llvm::Expected<Instruction> decoded = decode(bytes);
    if (!decoded) {
      llvm::consumeError(decoded.takeError());
      continue;
    }
    ++good;
    EXPECT_EQ(encode(*decoded), bytes);
  }
  EXPECT_GT(good, 100u);
  llvm::Expected<Instruction> cut = decode(llvm::ArrayRef(bytes).drop_back());
  EXPECT_EQ(llvm::toString(cut.takeError()), "an instruction has 32 bytes, not 31");
}

TEST(Instruction, TextRefused) {
  const std::pair<llvm::StringRef, llvm::StringRef> cases[] = {
      {"", "expected an instruction"},
      {"mvinn local 0x0", "did you mean 'mvin'?"},
      {"fence 1", "fence stands alone"},
      {"compute left 0x0 rows 16", "compute needs 'cols'"},
      {"compute left 0x0 rows 16 rows 16 cols 16", "'rows' is given twice"},
      {"compute left 0x0 rows 65536 cols 16", "from 0 to 65535 for rows, found '65536'"},
      {"compute left 0x0 rows 16 cols 16 relu", "compute has no 'relu', but left"},
      {"compute left 0x0 rows 16 cols 16 fresh fresh", "'fresh' is given twice"},
      {"mvin local 0x0 rows 1 cols 1 from 0 16 pitch 1", "expected '+'"},
      {"mvin local 0xg rows 1 cols 1 from 0 + 16 pitch 1", "found '0xg'"},
      {"mvin local", "found the end of the line"},
      {"mvin local -1 rows 1", "found '-1'"},
  };
  for (auto [text, reason] : cases) {
    llvm::Expected<Instruction> read = parseInstruction(text);
    const std::string message = read ? "" : llvm::toString(read.takeError());
    EXPECT_NE(message.find(reason), std::string::npos) << text.str() << ": " << message;
  }
}
