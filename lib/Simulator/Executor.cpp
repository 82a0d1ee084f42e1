//===- Executor.cpp - What programs of the array compute -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Instructions in program order on memories of the array. Operands are kept as bit
// patterns, one a byte, and read as signed or unsigned where they are multiplied.
//
//===----------------------------------------------------------------------===//

#include "TileProduct.h"
#include "UnitStages.h"
#include "vitq/Numerics/Code.h"
#include "vitq/Numerics/Requantize.h"

#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace vitq;
using namespace vitq::simulator;

struct Executor::State {
  State(const Program &program)
      : program(program), config(program.config), width(config.width()),
        scratchpad(static_cast<size_t>(config.scratchpadSize() * width + 7)),
        accumulators(static_cast<size_t>(config.accumulatorSize() * config.cols)), units(program.unitPrograms.size()),
        product(config), sums(static_cast<size_t>(config.rows * config.cols)) {}

  void execute(const Instruction &instruction);
  void mvin(const Instruction &instruction);
  void mvinAcc(const Instruction &instruction);
  void preload(const Instruction &instruction);
  void computeStationaryWeights(const Instruction &instruction);
  void computeStationarySums(const Instruction &instruction);
  void mvout(const Instruction &instruction);
  void runUnits(const Instruction &instruction);

  uint8_t *scratchpadRow(uint64_t row) { return scratchpad.data() + row * static_cast<uint64_t>(width); }
  int32_t *accumulatorRow(uint64_t row) { return accumulators.data() + row * static_cast<uint64_t>(config.cols); }
  char *dramRow(const DramRef &ref, uint64_t row) const { return operands[ref.operand] + ref.offset + row * ref.pitch; }
  /// Sums wrap around.
  int32_t wrapped(uint32_t sum) const {
    return static_cast<int32_t>(llvm::SignExtend64(sum, static_cast<unsigned>(config.accumulatorBits)));
  }

  const Program &program;
  const Config &config;
  int64_t width;
  /// Seven bytes after the last row, see TileProduct::multiply.
  std::vector<uint8_t> scratchpad;
  std::vector<int32_t> accumulators;
  /// Unit programs in use, by their number in the program.
  std::vector<std::unique_ptr<UnitRunner>> units;
  TileProduct product;
  /// The last preload.
  Instruction target;
  /// Bit patterns of weights, [k][n]: those that the next fresh compute takes, and those
  /// in use.
  struct Weights {
    std::vector<uint8_t> patterns;
    int64_t k = 0, n = 0;
  };
  Weights pending, current;
  /// How the weights in use were read.
  bool currentUnsigned = false;
  /// Output stationary: the sums in the elements, `config.cols` a row.
  std::vector<uint32_t> sums;

  // Of the launch.
  const Launch *launch = nullptr;
  OperandPointers operands;
  std::vector<int32_t> row;
};

Executor::Executor(const Program &program) : state(std::make_unique<State>(program)) {}
Executor::~Executor() = default;

void Executor::run(uint32_t number, OperandPointers operands) {
  state->launch = &state->program.launches[number];
  state->operands = operands;
  for (const Instruction &instruction : state->program.routines[state->launch->routine].code)
    state->execute(instruction);
}

void Executor::step(const Instruction &instruction, OperandPointers operands) {
  state->operands = operands;
  state->execute(instruction);
}

void Executor::State::execute(const Instruction &instruction) {
  switch (instruction.opcode) {
  case Opcode::Fence:
    return;
  case Opcode::Mvin:
    return mvin(instruction);
  case Opcode::MvinAcc:
    return mvinAcc(instruction);
  case Opcode::Preload:
    return preload(instruction);
  case Opcode::Compute:
    return config.dataflow == Dataflow::WeightStationary ? computeStationaryWeights(instruction)
                                                         : computeStationarySums(instruction);
  case Opcode::Mvout:
    return mvout(instruction);
  case Opcode::Units:
    return runUnits(instruction);
  }
}

//===----------------------------------------------------------------------===//
// Moves in
//===----------------------------------------------------------------------===//

/// Elements `first` on of a row of `bits` bits each, one after the other from the lowest
/// bit on, to bytes.
static void unpack(const char *from, int64_t first, uint8_t *to, int64_t n, int64_t bits) {
  if (bits == 8) {
    std::memcpy(to, from + first, static_cast<size_t>(n));
    return;
  }
  const auto mask = static_cast<unsigned>((1 << bits) - 1);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t bit = (first + i) * bits;
    unsigned word = static_cast<uint8_t>(from[bit / 8]);
    if (bit % 8 + bits > 8)
      word |= static_cast<unsigned>(static_cast<uint8_t>(from[bit / 8 + 1])) << 8;
    to[i] = static_cast<uint8_t>((word >> (bit % 8)) & mask);
  }
}

/// Plane `plane` of bytes: `bits` bits each, those beyond the byte as its sign.
static void splitPlane(const char *from, uint8_t *to, int64_t n, int64_t bits, int64_t plane) {
  const auto mask = static_cast<uint8_t>((1 << bits) - 1);
  const int64_t shift = plane * bits;
  for (int64_t i = 0; i < n; ++i)
    to[i] = static_cast<uint8_t>(static_cast<int8_t>(from[i]) >> shift) & mask;
}

void Executor::State::mvin(const Instruction &instruction) {
  const bool split = instruction.has(FlagSplit);
  const int64_t planes = instruction.movedPlanes(config.bits), tiles = llvm::divideCeil(instruction.cols, width);
  for (uint64_t r = 0; r < instruction.rows; ++r) {
    const char *from = dramRow(instruction.dram, r);
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t first = tile * width, n = std::min<int64_t>(width, instruction.cols - first);
      for (int64_t plane = 0; plane < planes; ++plane) {
        uint8_t *to = scratchpadRow(instruction.local + static_cast<uint64_t>(tile) * instruction.tileStride +
                                    static_cast<uint64_t>(plane) * instruction.planeStride + r);
        if (split)
          splitPlane(from + first, to, n, config.bits, plane);
        else
          unpack(from, first, to, n, config.bits);
        std::memset(to + n, 0, static_cast<size_t>(width - n));
      }
    }
  }
}

void Executor::State::mvinAcc(const Instruction &instruction) {
  const bool accumulate = instruction.has(FlagAccumulate);
  for (uint64_t r = 0; r < instruction.rows; ++r) {
    const char *from = dramRow(instruction.dram, r);
    int32_t *to = accumulatorRow(instruction.local + r);
    for (int64_t c = 0; c < instruction.cols; ++c) {
      uint32_t value;
      std::memcpy(&value, from + c * 4, 4);
      to[c] = wrapped(value + (accumulate ? static_cast<uint32_t>(to[c]) : 0));
    }
  }
}

//===----------------------------------------------------------------------===//
// The array
//===----------------------------------------------------------------------===//

void Executor::State::preload(const Instruction &instruction) {
  target = instruction;
  if (instruction.local == kNone)
    return;
  pending.k = instruction.rows;
  pending.n = instruction.cols;
  pending.patterns.resize(static_cast<size_t>(pending.k * pending.n));
  uint8_t *to = pending.patterns.data();
  if (!instruction.has(FlagTranspose)) {
    for (int64_t k = 0; k < pending.k; ++k)
      std::memcpy(to + k * pending.n, scratchpadRow(instruction.local + static_cast<uint64_t>(k)),
                  static_cast<size_t>(pending.n));
    return;
  }
  for (int64_t n = 0; n < pending.n; ++n) {
    const uint8_t *from = scratchpadRow(instruction.local + static_cast<uint64_t>(n));
    for (int64_t k = 0; k < pending.k; ++k)
      to[k * pending.n + n] = from[k];
  }
}

void Executor::State::computeStationaryWeights(const Instruction &instruction) {
  const bool fresh = instruction.has(FlagFresh), isUnsigned = instruction.has(FlagRhsUnsigned);
  if (fresh)
    std::swap(current, pending);
  if (fresh || isUnsigned != currentUnsigned)
    product.setRight(current.patterns.data(), current.n, current.k, current.n, isUnsigned);
  currentUnsigned = isUnsigned;
  product.multiply(scratchpadRow(instruction.local), width, instruction.rows, instruction.cols,
                   instruction.has(FlagLhsUnsigned));
  product.writeSums(accumulatorRow(target.local2), config.cols, instruction.rows, target.cols, target.shift,
                    target.has(FlagAccumulate));
}

void Executor::State::computeStationarySums(const Instruction &instruction) {
  product.setRight(scratchpadRow(instruction.local2), width, instruction.cols, target.cols,
                   instruction.has(FlagRhsUnsigned));
  product.multiply(scratchpadRow(instruction.local), width, instruction.rows, instruction.cols,
                   instruction.has(FlagLhsUnsigned));
  if (instruction.has(FlagFresh))
    llvm::fill(sums, 0);
  for (int64_t m = 0; m < instruction.rows; ++m) {
    uint32_t *to = sums.data() + m * config.cols;
    for (int64_t n = 0; n < target.cols; ++n)
      to[n] += product.sum(m, n);
  }
  if (!instruction.has(FlagLast))
    return;
  for (int64_t m = 0; m < target.rows; ++m) {
    const uint32_t *from = sums.data() + m * config.cols;
    int32_t *to = accumulatorRow(target.local2 + static_cast<uint64_t>(m));
    for (int64_t n = 0; n < target.cols; ++n)
      to[n] = wrapped((target.has(FlagAccumulate) ? static_cast<uint32_t>(to[n]) : 0) + (from[n] << target.shift));
  }
}

//===----------------------------------------------------------------------===//
// Moves out and units
//===----------------------------------------------------------------------===//

void Executor::State::mvout(const Instruction &instruction) {
  const bool relu = instruction.has(FlagRelu);
  for (uint64_t r = 0; r < instruction.rows; ++r) {
    char *to = dramRow(instruction.dram, r);
    if (!instruction.has(FlagScale)) {
      std::memcpy(to, accumulatorRow(instruction.local + r), static_cast<size_t>(instruction.cols) * 4);
      continue;
    }
    for (int64_t c = 0; c < instruction.cols; ++c) {
      const uint64_t tile = static_cast<uint64_t>(c / config.cols) * instruction.tileStride;
      int64_t x = accumulatorRow(instruction.local + tile + r)[c % config.cols];
      x = numerics::roundShift(relu ? std::max<int64_t>(x, 0) : x, instruction.shift, numerics::Rounding::HalfEven);
      constexpr numerics::Code element; // a signed byte, on arrays of any width
      to[c] = static_cast<char>(std::clamp(x, element.min(), element.max()));
    }
  }
}

void Executor::State::runUnits(const Instruction &instruction) {
  const uint32_t number = launch->units[instruction.unit];
  std::unique_ptr<UnitRunner> &unit = units[number];
  if (!unit)
    unit = std::make_unique<UnitRunner>(program.unitPrograms[number]);
  const bool given = instruction.has(FlagFromAccumulator);
  row.resize(instruction.cols);
  for (uint64_t r = 0; r < instruction.rows; ++r) {
    for (int64_t c = 0; given && c < instruction.cols; c += config.cols) {
      const uint64_t tile = static_cast<uint64_t>(c / config.cols) * instruction.tileStride;
      std::copy_n(accumulatorRow(instruction.local + tile + r), std::min<int64_t>(config.cols, instruction.cols - c),
                  row.begin() + c);
    }
    unit->run(static_cast<int64_t>(instruction.row + r), instruction.channel, row, given, operands);
  }
}
