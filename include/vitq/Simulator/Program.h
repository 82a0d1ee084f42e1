//===- Program.h - Programs for the systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SIMULATOR_PROGRAM_H
#define VITQ_SIMULATOR_PROGRAM_H

#include "vitq/Simulator/Config.h"
#include "vitq/Simulator/Instruction.h"
#include "vitq/Simulator/Units.h"

#include <string>
#include <vector>

namespace vitq::simulator {

/// A sequence of instructions that several launches share; its DRAM addresses are
/// relative to the launch's operands.
struct Routine {
  std::string name;
  std::vector<Instruction> code;
};

/// A DRAM operand of a launch: memory of the host (pointer number `host` of the call),
/// or a part of the data image.
struct Operand {
  /// -1: in the image.
  int32_t host = -1;
  /// From the start of the image.
  uint64_t offset = 0;
  uint64_t bytes = 0;
  bool isOutput = false;
  bool operator==(const Operand &) const = default;
};

/// Bytes of the image that hold a code of less than 8 bits each. A file has so many bits of each.
struct PackedRange {
  /// The first byte from the start of the image, and bytes.
  uint64_t offset = 0, count = 0;
  /// Of a code: 2 to 7.
  uint8_t bits = 4;
  /// Whether the bytes are the codes extended by zeros, or by the sign.
  bool isUnsigned = false;
  bool operator==(const PackedRange &) const = default;
};

/// What a launch computes, for figures: which utilization it counts for.
enum class LaunchKind : uint8_t { Linear, Attention, UnitsOnly };

/// One run of a routine, started by the host.
struct Launch {
  /// The ONNX node.
  std::string node;
  /// The ops that it computes, joined by '+'.
  std::string op;
  LaunchKind kind = LaunchKind::Linear;
  uint32_t routine = 0;
  /// Multiply-accumulates of the model's op, and how many of the array's elements' products
  /// each is (planes of the left times planes of the right operand).
  uint64_t macs = 0, passes = 1;
  std::vector<Operand> operands;
  /// Indices of Program::unitPrograms; Instruction::unit counts these.
  std::vector<uint32_t> units;
};

/// An op that runs somewhere, and why there.
struct Placement {
  std::string node, op;
  /// `array`, a unit's name, or `host`.
  std::string place;
  std::string reason;
};

/// A program file: the array's part, and the host's object code that calls it.
struct Program {
  Config config;
  /// As of a compiled program (vitq::Manifest), with what the arrays adds.
  std::string manifest;
  std::vector<Routine> routines;
  std::vector<UnitProgram> unitPrograms;
  std::vector<Launch> launches;
  /// Constants in DRAM, of which each code has a byte at least.
  std::vector<char> image;
  /// Where codes of less than 8 bits are in it: one behind the other, without overlap.
  std::vector<PackedRange> packed;
  /// ELF object for `hostTarget`; calls `vitq_array_launch` (Simulator.h). May be empty in
  /// a program that has launches only.
  std::vector<char> hostObject;
  std::string hostTarget;
  std::vector<Placement> placements;
};

/// The file's first bytes, and its versions: 1, or 2 where something in it has less than 8 bits.
inline constexpr llvm::StringLiteral kProgramMagic = "vitqsys\n";
inline constexpr uint32_t kBytesVersion = 1, kNarrowVersion = 2;

/// The bytes of a program file (docs/Systolic.md has the format): the same program gives the same bytes.
std::vector<char> serialize(const Program &program);

/// Reads a program file. Errors name `name` and what is wrong: not a program, another
/// version, truncated, a section's checksum, an instruction (with its routine and number)
/// that is no instruction or reaches outside the array's memories or its operands, packed codes
/// outside the image or upon each other. Nothing in `bytes` is trusted.
llvm::Expected<Program> deserialize(llvm::ArrayRef<char> bytes, llvm::StringRef name);

/// Checks that every instruction obeys the rules of Instruction.h for the program's
/// configuration, for every launch, and that packed ranges hold codes. Part of `deserialize`.
llvm::Error checkProgram(const Program &program);

/// The whole program as text, and back. Assembling what was disassembled gives the same
/// program. Errors name `name`, the line and what was expected.
std::string disassemble(const Program &program);
llvm::Expected<Program> assemble(llvm::StringRef text, llvm::StringRef name);

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_PROGRAM_H
