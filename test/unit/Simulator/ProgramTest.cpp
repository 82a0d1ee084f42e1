//===- ProgramTest.cpp - Program files and assembly of systolic arrays -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Program.h"
#include "vitq/Numerics/Code.h"

#include "llvm/ADT/STLExtras.h"

#include "gtest/gtest.h"

#include <random>

using namespace vitq::simulator;

/// A product of 16 x 16 by 16 x 16 and its bias, requantized by a unit and by a shift.
static constexpr const char *kSmall = R"(
.config "gemmini-16x16,units=shift+dyadic"
.manifest
| {
|   "name": "small \"quoted\"; no comment"
| }
|
.routine "product" ; what comes after this is a comment
  mvin_acc local 0x0 rows 16 cols 16 from 1 + 256 pitch 0
  mvin local 0x0 rows 16 cols 16 from 0 + 0 pitch 16
  mvin local 0x10 rows 16 cols 16 from 1 + 0 pitch 16
  preload weights 0x10 rows 16 cols 16 sums 0x0 accumulate
  compute left 0x0 rows 16 cols 16 fresh
  preload weights none rows 16 cols 16 sums 0x10 shift 3
  compute left 0x0 rows 16 cols 16 lhs_unsigned
  mvout local 0x0 rows 16 cols 16 to 2 + 0 pitch 16 shift 7 scale relu
  units unit 0 row 0 rows 16 channel 0 cols 16 local 0x10 from_accumulator
  fence
.unit rows_per_batch 16 batches 1 channels 16
  input operand 0 bytes 1 offset 0 batch_pitch 0 row_pitch 0 group_size 1 group_pitch 1
  output operand 3 bytes 1 offset 0 batch_pitch 0 row_pitch 16 group_size 16 group_pitch 16
  stage requant 0 0 0 -128 127 0
    array 123456789
    array 31
.launch "blocks.0/qkv" "linear+requant" kind linear routine 0 macs 4096 passes 1
  operand host 0 offset 0 bytes 256
  operand image offset 0 bytes 320
  operand host 1 offset 0 bytes 256 output
  operand host 2 offset 0 bytes 256 output
  units 0
.placement "blocks.0/qkv" "linear" "array" "products"
.placement "softmax \22of\22 a row" "softmax" "host" "no unit"
.image 320
)";

static std::string smallText(llvm::StringRef code = {}, llvm::StringRef instead = {}) {
  std::string text = kSmall;
  if (!code.empty()) {
    const size_t at = text.find(code);
    EXPECT_NE(at, std::string::npos) << code.str();
    text.replace(at, code.size(), instead.str());
  }
  // 320 bytes of 0.
  for (int line = 0; line < 10; ++line)
    text += std::string(40, 'A') + "\n";
  return text + std::string(27, 'A') + "=\n.host_object \"x86_64\" 3\nAQID\n";
}

static Program small() {
  llvm::Expected<Program> program = assemble(smallText(), "small.s");
  if (!program) {
    ADD_FAILURE() << llvm::toString(program.takeError());
    return {};
  }
  return std::move(*program);
}

static std::string assemblyError(llvm::StringRef text) {
  llvm::Expected<Program> program = assemble(text, "small.s");
  return program ? "" : llvm::toString(program.takeError());
}

static std::string fileError(llvm::ArrayRef<char> bytes) {
  llvm::Expected<Program> program = deserialize(bytes, "small.vitqsys");
  return program ? "" : llvm::toString(program.takeError());
}

TEST(Program, FileAndTextRoundTrip) {
  const Program program = small();
  EXPECT_EQ(program.routines.at(0).code.size(), 10u);
  EXPECT_EQ(program.manifest, "{\n  \"name\": \"small \\\"quoted\\\"; no comment\"\n}\n");
  EXPECT_EQ(program.placements.at(1).node, "softmax \"of\" a row");
  EXPECT_EQ(program.image.size(), 320u);
  EXPECT_EQ(program.hostObject, (std::vector<char>{1, 2, 3}));
  const std::vector<char> bytes = serialize(program);
  llvm::Expected<Program> read = deserialize(bytes, "small.vitqsys");
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(serialize(*read), bytes);
  EXPECT_EQ(read->config.str(), program.config.str());
  EXPECT_TRUE(read->unitPrograms == program.unitPrograms);
  const std::string text = disassemble(*read);
  llvm::Expected<Program> again = assemble(text, "again.s");
  ASSERT_TRUE(static_cast<bool>(again)) << llvm::toString(again.takeError()) << text;
  EXPECT_EQ(serialize(*again), bytes);
  EXPECT_EQ(disassemble(*again), text);
}

TEST(Program, EmptyProgram) {
  const std::vector<char> bytes = serialize({});
  EXPECT_EQ(fileError(bytes), "");
  llvm::Expected<Program> again = assemble(disassemble({}), "empty.s");
  ASSERT_TRUE(static_cast<bool>(again)) << llvm::toString(again.takeError());
  EXPECT_EQ(serialize(*again), bytes);
}

TEST(Program, TruncatedAnywhere) {
  const std::vector<char> bytes = serialize(small());
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(fileError(llvm::ArrayRef(bytes).take_front(size)), "") << size;
  EXPECT_NE(fileError(llvm::ArrayRef(bytes).take_front(100)).find("small.vitqsys: the file is truncated: 100 of its"),
            std::string::npos);
  std::vector<char> longer = bytes;
  longer.push_back(0);
  EXPECT_NE(fileError(longer).find("1 bytes follow"), std::string::npos);
}

TEST(Program, EveryByteFlipped) {
  const std::vector<char> bytes = serialize(small());
  for (size_t at = 0; at < bytes.size(); ++at)
    for (unsigned flip : {0x01u, 0x20u, 0x80u, 0xffu}) {
      std::vector<char> damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      EXPECT_NE(fileError(damaged), "") << at;
    }
  EXPECT_NE(fileError({'\x7f', 'E', 'L', 'F'}).find("no program for a systolic array"), std::string::npos);
  std::vector<char> other = bytes;
  other[8] = 3;
  EXPECT_NE(fileError(other).find("format version 3, this reads versions 1 and 2: compile it anew"), std::string::npos);
}

/// Recomputes the checksums of damaged sections so that what lies behind them is reached.
static void repair(std::vector<char> &bytes) {
  auto number = [&](size_t at, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = size; i-- > 0;)
      value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
    return value;
  };
  for (size_t at = 20; at + 16 <= bytes.size();) {
    const uint64_t size = number(at + 4, 8);
    if (size > bytes.size() - at - 16)
      return;
    uint32_t crc = 0xffffffff;
    for (size_t i = at + 16; i < at + 16 + size; ++i) {
      crc ^= static_cast<uint8_t>(bytes[i]);
      for (int bit = 0; bit < 8; ++bit)
        crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
    }
    for (unsigned i = 0; i < 4; ++i)
      bytes[at + 12 + i] = static_cast<char>(~crc >> (8 * i));
    at += 16 + size;
  }
}

/// With codes of `bits` bits behind each other and apart, and a table for such codes.
static Program narrow(uint8_t bits = 3) {
  Program program = small();
  program.packed = {{.offset = 0, .count = 101, .bits = bits},
                    {.offset = 101, .count = 8, .bits = bits, .isUnsigned = true},
                    {.offset = 109, .count = 0, .bits = 7},
                    {.offset = 192, .count = 128, .bits = bits, .isUnsigned = true}};
  std::mt19937_64 random(bits);
  for (char &byte : program.image)
    byte = static_cast<char>(random());
  for (const PackedRange &range : program.packed)
    for (char &byte : llvm::MutableArrayRef(program.image).slice(range.offset, range.count))
      byte = static_cast<char>(vitq::numerics::readCode(byte, bits, range.isUnsigned));
  program.config.units |= UnitLut;
  program.unitPrograms[0].stages.push_back(TableStage{.inputSigned = true,
                                                      .inputBits = bits,
                                                      .entries = std::vector<int32_t>(size_t(1) << bits, 1),
                                                      .tableOfChannel = {}});
  return program;
}

TEST(Program, CodesTakeTheirBitsInFiles) {
  EXPECT_EQ(serialize(small())[8], 1);
  for (uint8_t bits = 2; bits <= 7; ++bits) {
    const Program program = narrow(bits);
    ASSERT_EQ(llvm::toString(checkProgram(program)), "");
    const std::vector<char> bytes = serialize(program);
    EXPECT_EQ(bytes[8], 2);
    Program unpacked = program;
    unpacked.packed.clear();
    EXPECT_EQ(serialize(unpacked).size() - bytes.size() + 4 * 18,
              101 + 8 + 128 - ((101 * bits + 7) / 8 + bits + 16 * bits));
    llvm::Expected<Program> read = deserialize(bytes, "narrow.vitqsys");
    ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
    EXPECT_EQ(read->image, program.image);
    EXPECT_EQ(read->packed, program.packed);
    EXPECT_TRUE(read->unitPrograms == program.unitPrograms);
    llvm::Expected<Program> again = assemble(disassemble(*read), "again.s");
    ASSERT_TRUE(static_cast<bool>(again)) << llvm::toString(again.takeError());
    EXPECT_EQ(serialize(*again), bytes);
  }
}

TEST(Program, PackedRangesThatAreNone) {
  auto errorOf = [](std::vector<PackedRange> ranges) {
    Program program = small();
    program.packed = std::move(ranges);
    return llvm::toString(checkProgram(program));
  };
  EXPECT_EQ(errorOf({{.offset = 0, .count = 8, .bits = 8}}), "packed codes 0: they have 8 bits, must be 2 to 7");
  EXPECT_EQ(errorOf({{.offset = 0, .count = 8, .bits = 1}}), "packed codes 0: they have 1 bits, must be 2 to 7");
  EXPECT_EQ(errorOf({{.offset = 0, .count = 8}, {.offset = 7, .count = 8}}),
            "packed codes 1: begin at byte 7, but those before end at 8");
  EXPECT_EQ(errorOf({{.offset = 64, .count = 8}, {.offset = 0, .count = 8}}),
            "packed codes 1: begin at byte 0, but those before end at 72");
  EXPECT_EQ(errorOf({{.offset = 64, .count = 257}}),
            "packed codes 0: 257 from byte 64 on reach beyond the image's 320");
  EXPECT_EQ(errorOf({{.offset = 321, .count = 0}}), "packed codes 0: 0 from byte 321 on reach beyond the image's 320");
  EXPECT_EQ(errorOf({{.offset = 8, .count = ~uint64_t(0)}}),
            "packed codes 0: 18446744073709551615 from byte 8 on reach beyond the image's 320");
  Program program = narrow();
  program.image[5] = 4;
  EXPECT_EQ(llvm::toString(checkProgram(program)), "packed codes 0: 4 is no signed code of 3 bits");
  program = narrow();
  program.image[105] = -1;
  EXPECT_EQ(llvm::toString(checkProgram(program)), "packed codes 1: 255 is no unsigned code of 3 bits");
}

TEST(Program, PackedImagesThatAreNone) {
  const std::vector<char> good = serialize(narrow());
  // Contents of the section: ranges of 18 bytes behind their number, the image's size, its bytes.
  const size_t data = llvm::StringRef(good.data(), good.size()).find("DATA") + 16, size = data + 4 + 4 * 18;
  auto errorOf = [&](size_t at, std::initializer_list<int> values) {
    std::vector<char> bytes = good;
    for (int value : values)
      bytes[at++] = static_cast<char>(value);
    repair(bytes);
    return fileError(bytes);
  };
  auto expect = [&](const std::string &message, llvm::StringRef part) {
    EXPECT_EQ(message, ("small.vitqsys: section DATA: " + part).str());
  };
  expect(errorOf(size, {0x41}), "an image of 321 bytes is stored in 173 with its codes packed, not in 172");
  expect(errorOf(size + 7, {0x7f}),
         "an image of 9151314442816848192 bytes is stored in 9151314442816848044 with its codes packed, not in 172");
  expect(errorOf(data, {0xff, 0xff, 0xff, 0xff}), "it ends within a list of 4294967295");
  expect(errorOf(data, {2}), "an image of 109 bytes is stored in 41 with its codes packed, not in 208");
  expect(errorOf(data + 4 + 8 + 7, {0xff}),
         "packed codes 0: 18374686479671623781 from byte 0 on reach beyond the image's 320");
  expect(errorOf(data + 4 + 16, {9}), "packed codes 0: they have 9 bits, must be 2 to 7");
  expect(errorOf(data + 4 + 17, {2}), "a flag is 2, not 0 or 1");
  expect(errorOf(data + 4 + 18, {100}), "packed codes 1: begin at byte 100, but those before end at 101");
  // 101 codes of 3 bits leave one of the last byte.
  expect(errorOf(size + 8 + 37, {0xff}), "packed codes 0: the bits behind the last one are not 0");
}

// Whatever gets past the checksums is a program or an error, and text again.
static void damageWithGoodChecksums(const std::vector<char> &bytes, size_t end) {
  std::mt19937_64 random(7);
  unsigned good = 0, refused = 0;
  for (int times = 0; times < 5000; ++times) {
    std::vector<char> damaged = bytes;
    for (size_t count = 1 + random() % 3; count; --count) {
      char &byte = damaged[20 + random() % (end - 20)];
      byte = static_cast<char>(random() % 2 ? random() : byte ^ 1 << random() % 8);
    }
    repair(damaged);
    llvm::Expected<Program> program = deserialize(damaged, "damaged");
    if (!program) {
      ++refused;
      EXPECT_TRUE(llvm::StringRef(llvm::toString(program.takeError())).starts_with("damaged: "));
      continue;
    }
    ++good;
    llvm::Expected<Program> again = assemble(disassemble(*program), "again");
    ASSERT_TRUE(static_cast<bool>(again)) << llvm::toString(again.takeError());
    EXPECT_EQ(serialize(*again), serialize(*program));
  }
  EXPECT_GT(good, 100u);
  EXPECT_GT(refused, 1000u);
}

TEST(Program, DamagedWithGoodChecksums) {
  const std::vector<char> bytes = serialize(small());
  // The image and the host's object are any bytes; not those.
  damageWithGoodChecksums(bytes, bytes.size() - 360);
}

TEST(Program, DamagedPackedCodesWithGoodChecksums) {
  const std::vector<char> bytes = serialize(narrow());
  damageWithGoodChecksums(bytes, bytes.size());
}

TEST(Program, DamagedText) {
  const std::string text = smallText();
  std::mt19937_64 random(8);
  for (int times = 0; times < 3000; ++times) {
    std::string damaged = text;
    for (size_t count = 1 + random() % 3; count; --count) {
      const size_t at = random() % damaged.size();
      if (random() % 2)
        damaged[at] = static_cast<char>(random());
      else
        damaged.erase(at, 1 + random() % 5);
    }
    llvm::Expected<Program> program = assemble(damaged, "damaged.s");
    if (!program)
      EXPECT_TRUE(llvm::StringRef(llvm::toString(program.takeError())).starts_with("damaged.s:"));
  }
}

TEST(Program, RulesOfInstructions) {
  struct Case {
    const char *code, *instead, *reason;
  };
  const Case cases[] = {
      {"mvin local 0x0 rows 16", "mvin local 0x0 rows 17", "rows 17: must be 1 to 16"},
      {"mvin local 0x0 rows 16", "mvin local 0x0 rows 0", "rows 0: must be 1 to 16"},
      {"mvin local 0x0 rows 16 cols 16", "mvin local 0x0 rows 16 cols 65", "cols 65: must be 1 to 64"},
      {"mvin local 0x0", "mvin local 0x3ff8", "rows 0x3ff8 to 0x4008 reach beyond the 0x4000 rows of the scratchpad"},
      {"mvin local 0x0", "mvin local none", "reach beyond"},
      {"mvin local 0x0 rows 16 cols 16", "mvin local 0x0 rows 16 cols 17",
       "tile_stride 0 and plane_stride 0 lay tiles of 16 rows over each other"},
      {"pitch 16\n", "pitch 16 plane_stride 16\n", "plane_stride and planes need split"},
      {"pitch 16\n", "pitch 16 planes 1\n", "plane_stride and planes need split"},
      {"pitch 16\n", "pitch 16 planes 2 split\n", "planes 2: a byte has 1 on this array"},
      {"mvin local 0x0 rows 16 cols 16 from 0 + 0", "mvin local 0x0 rows 16 cols 16 from 0 + 1",
       "reaches byte 257 of operand 0, which has 256"},
      {"mvin local 0x0 rows 16 cols 16 from 0", "mvin local 0x0 rows 16 cols 16 from 4",
       "there is no operand 4, only 4"},
      {"mvin_acc local 0x0 rows 16 cols 16", "mvin_acc local 0x0 rows 16 cols 17", "cols 17: must be 1 to 16"},
      {"mvin_acc local 0x0", "mvin_acc local 0x3f8", "0x400 rows of the accumulator memory"},
      {"sums 0x0 accumulate", "sums 0x400 accumulate", "0x400 rows of the accumulator memory"},
      {"sums 0x0 accumulate", "sums 0x3f8 accumulate", "(compute left 0x0 rows 16 cols 16 fresh): rows 0x3f8 to 0x408"},
      {"  compute left 0x0 rows 16 cols 16 fresh\n", "", "a compute must follow the preload before this one"},
      {"  preload weights none rows 16 cols 16 sums 0x10 shift 3\n", "", "a compute needs a preload of its own"},
      {"preload weights 0x10 rows 16", "preload weights none rows 16",
       "there are no weights to keep: the routine has not preloaded any before"},
      {"preload weights none rows 16 cols 16",
       "preload weights none rows 16 cols 15 sums 0x0\n  compute left 0x0 rows 16 cols 16\n  "
       "preload weights 0x10 rows 15 cols 16 sums 0x0\n  compute left 0x0 rows 16 cols 15 fresh\n  preload weights "
       "none rows 16 cols 16",
       "16 x 16 weights cannot be kept, the array has 15 x 16"},
      {"preload weights 0x10 rows 16", "preload weights 0x10 rows 15", "cols 16: the preload is for 15 rows"},
      {"sums 0x10 shift 3", "sums 0x10 shift 32", "shift 32: must be 0 to 31"},
      {"sums 0x10 shift 3", "sums 0x10 transpose", "transpose needs weights"},
      {"cols 16 fresh", "cols 16", "which only a fresh compute takes"},
      {"cols 16 lhs_unsigned", "cols 16 fresh", "a fresh compute needs a preload that names weights"},
      {"cols 16 fresh", "cols 16 fresh last", "'last' is for output-stationary"},
      {"cols 16 fresh", "cols 16 fresh right 0x1", "'right' is for output-stationary"},
      {"compute left 0x0 rows 16 cols 16 fresh", "compute left 0x0 rows 17 cols 16 fresh", "rows 17: must be 1 to 16"},
      {"compute left 0x0", "compute left none", "reach beyond"},
      {"to 2 + 0", "to 1 + 0", "operand 1 is no output"},
      {"to 2 + 0 pitch 16", "to 2 + 0 pitch 15", "would overwrite each other"},
      {"shift 7 scale relu", "shift 7", "'relu' and 'shift' need 'scale'"},
      {"shift 7 scale relu", "", "rows of 64 bytes"},
      {"units=shift+dyadic", "units=dyadic", "'scale' needs the unit 'shift', which this array lacks"},
      {"units unit 0 row 0", "units unit 1 row 0", "no unit program 1 of the launch, only 1"},
      {"units unit 0 row 0", "units unit 0 row 1", "rows 1 to 17 reach beyond the unit program's 16"},
      {"channel 0 cols 16 local", "channel 1 cols 16 local", "channels 1 to 17"},
      {"local 0x10 from_accumulator", "local 0x10", "need from_accumulator"},
      {" local 0x10 from_accumulator", "", "the unit program names no input: it needs from_accumulator"},
      {"row_pitch 0 group_size 1 group_pitch 1\n  output", "row_pitch 1 group_size 1 group_pitch 1\n  output",
       "the unit program has an input in DRAM, which from_accumulator does not read"},
      {"routine 0 macs", "routine 1 macs", "there is no routine 1, only 1"},
      {"operand image offset 0", "operand image offset 1", "reach beyond the image's 320"},
      {"bytes 320\n", "bytes 320 output\n", "the image is constant"},
      {"operand host 2", "operand host 3", "operand 3: is host pointer 3 where 2 is next: they are numbered in order"},
      {"operand host 2", "operand host 99999999999", "expected a number from -2147483648 to 2147483647 for host"},
      {"operand host 0 offset 0", "operand host 0 offset 64", "begins 64 bytes into the host's memory"},
      {"operand host 0 offset 0 bytes 256", "operand host 0 offset 0 bytes 4294967297", "more than an instruction"},
      {"output operand 3", "output operand 0", "writes operand 0, which is no output"},
      {"  units 0\n", "  units 1\n", "there is no unit program 1, only 1"},
      {"cols 16 lhs_unsigned\n", "cols 16\n  preload weights none rows 1 cols 1 sums 0x0\n  fence\n",
       "the routine ends after a preload"},
  };
  for (const Case &one : cases) {
    const std::string message = assemblyError(smallText(one.code, one.instead));
    EXPECT_NE(message.find(one.reason), std::string::npos) << one.instead << ": " << message;
  }
  EXPECT_EQ(
      assemblyError(smallText("to 2 + 0", "to 2 + 1")),
      "small.s: launch 0 (node 'blocks.0/qkv'): routine 'product', instruction 7 (mvout local 0x0 rows 16 cols 16 "
      "to 2 + 1 pitch 16 shift 7 scale relu): reaches byte 257 of operand 2, which has 256");
}

TEST(Program, RulesOfLaunches) {
  auto errorOf = [](const Program &program) { return llvm::toString(checkProgram(program)); };
  Program program = small();
  program.launches[0].operands[0].host = -2;
  EXPECT_EQ(errorOf(program), "launch 0 (node 'blocks.0/qkv'): operand 0: there is no host pointer -2");
  program = small();
  program.launches[0].units.resize(257);
  EXPECT_EQ(errorOf(program), "launch 0 (node 'blocks.0/qkv'): 4 operands and 257 unit programs, of each at most 256 "
                              "can be named");
  program = small();
  program.config.units = UnitShift | UnitExponent;
  program.unitPrograms[0].stages = {
      ShiftmaxStage{.exponentStep = -20, .fractionBits = 15, .reciprocalBits = 31, .resultBits = 16}};
  ASSERT_EQ(errorOf(program), "");
  program.unitPrograms[0].channels = 32;
  program.launches[0].operands[3].bytes = 512;
  EXPECT_TRUE(llvm::StringRef(errorOf(program)).ends_with("shiftmax needs all 32 channels of a row at once"))
      << errorOf(program);
}

TEST(Program, OutputStationaryRules) {
  auto errorOf = [](llvm::StringRef code) {
    return assemblyError((".config \"gemmini-16x16,dataflow=os\"\n.routine \"r\"\n" + code).str());
  };
  const char *preload = "preload weights none rows 4 cols 8 sums 0x0\n";
  auto with = [&](llvm::StringRef code) { return errorOf((preload + code).str()); };
  EXPECT_EQ(with("compute left 0x0 right 0x10 rows 4 cols 16 fresh\ncompute left 0x0 rows 4 cols 3 last\n"), "");
  EXPECT_NE(errorOf("preload weights 0x0 rows 4 cols 8 sums 0x0\n")
                .find("an output-stationary array preloads no weights: write 'weights none', without "
                      "transpose"),
            std::string::npos);
  EXPECT_NE(with("compute left 0x0 rows 4 cols 16\n").find("needs one before it whose sums"), std::string::npos);
  EXPECT_NE(with("compute left 0x0 rows 5 cols 16 fresh\n").find("the preload is for 4 rows"), std::string::npos);
  EXPECT_NE(with("compute left 0x0 right 0x3ff8 rows 4 cols 16 fresh\n").find("reach beyond"), std::string::npos);
  EXPECT_NE(with("compute left 0x0 rows 4 cols 16 fresh\npreload weights none rows 5 cols 8 sums 0x0\n")
                .find("4 x 8 sums that are being computed"),
            std::string::npos);
}

TEST(Program, TextRefused) {
  auto contains = [](const std::string &message, llvm::StringRef part) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  contains(assemblyError("fence\n"), "small.s:1: expected a section");
  contains(assemblyError(""), "there is no .config");
  contains(assemblyError(".config \"rows=0\"\n"), "small.s:1: rows=0: must be");
  contains(assemblyError("\n.rutine \"x\"\n"), "small.s:2: expected a section");
  contains(assemblyError(".rutine \"x\"\n"), "did you mean '.routine'?");
  contains(assemblyError(".config \"rows=16\n"), "quotation marks");
  contains(assemblyError(smallText("fence", "fense")), "small.s:18: expected an instruction");
  contains(assemblyError(smallText("stage requant", "stage requnt")), "did you mean 'requant'?");
  contains(assemblyError(smallText("    array 31\n", "")), "small.s:22: requant: it has 1 arrays instead of 2");
  contains(assemblyError(smallText("    array 31\n", "    array 31\n    array\n")), "it has 3 arrays instead of 2");
  contains(assemblyError(smallText("-128 127 0\n", "-128 127\n")),
           "small.s:22: requant: it has 5 numbers instead of 6");
  contains(assemblyError(smallText("array 31", "array 31 30")), "requant: 1 multipliers have 2 shifts");
  contains(assemblyError(smallText("requant 0", "requant 4")), "requant: rounding 4: must be 0 to 3");
  contains(assemblyError(smallText("-128 127 0\n", "-128 127 2\n")), "requant: per batch 2: must be 0 to 1");
  contains(assemblyError(smallText("array 123456789", "array 123456789000")),
           "requant: multiplier 123456789000: must be -2147483648 to 2147483647");
  contains(assemblyError(smallText(".image 320", ".image 321")), ".image has 320 bytes, not 321");
  contains(assemblyError(smallText(".image 320", ".image 320\n*")), ".image: ");
  contains(assemblyError(smallText() + ".config \"rows=16\"\n"), "there is a second .config");
  contains(assemblyError(smallText() + ".packed offset 0 bits 3\n"), "expected 'count', found 'bits'");
  contains(assemblyError(smallText() + ".packed offset 0 count 1 bits 300\n"), "expected a number from 0 to 255");
  contains(assemblyError(smallText() + ".packed offset 0 count 1 bits 3 signed\n"), "found 'signed'");
  contains(assemblyError(smallText() + ".packed offset 300 count 21 bits 3\n"), "reach beyond the image's 320");
  contains(assemblyError(smallText("stage requant 0 0 0 -128 127 0\n    array 123456789\n    array 31\n",
                                   "stage table 1 8\n    array\n    array\n")),
           "table: input bits 8 are not written");
}
