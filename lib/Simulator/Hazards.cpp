//===- Hazards.cpp - What an instruction has to wait for -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Who touched each local row last, in program order. Only loads write the scratchpad and
// only computes and preloads read it; every queue touches the accumulator memory.
//
//===----------------------------------------------------------------------===//

#include "Hazards.h"

#include "Dma.h"

#include "llvm/Support/ErrorHandling.h"

using namespace vitq;
using namespace vitq::simulator;

Queue simulator::queueOf(Opcode opcode) {
  switch (opcode) {
  case Opcode::Mvin:
  case Opcode::MvinAcc:
    return Queue::Load;
  case Opcode::Mvout:
  case Opcode::Units:
    return Queue::Store;
  case Opcode::Preload:
  case Opcode::Compute:
  case Opcode::Fence:
    return Queue::Execute;
  }
  llvm_unreachable("all opcodes are above");
}

namespace {

/// Numbers of instructions plus one, 0 for none.
struct ScratchpadRow {
  uint32_t load = 0, compute = 0, preload = 0;
};
struct AccumulatorRow {
  uint32_t load = 0, compute = 0, store = 0;
};

class HazardFinder {
public:
  HazardFinder(const Config &config, llvm::ArrayRef<Instruction> code)
      : config(config), code(code), scratchpad(static_cast<size_t>(config.scratchpadSize())),
        accumulator(static_cast<size_t>(config.accumulatorSize())) {}

  Hazards find(uint32_t number, const Instruction &instruction);

private:
  void findMvin(const Instruction &instruction);
  void findPreload(const Instruction &instruction);
  void findCompute(const Instruction &instruction);

  template <typename Row, typename Function>
  static void forRows(std::vector<Row> &rows, uint64_t first, uint64_t count, Function touch) {
    Row *row = rows.data() + first;
    for (uint64_t i = 0; i < count; ++i)
      touch(row[i]);
  }

  const Config &config;
  llvm::ArrayRef<Instruction> code;
  std::vector<ScratchpadRow> scratchpad;
  std::vector<AccumulatorRow> accumulator;
  Instruction target;
  uint32_t targetNumber = kNone;
  /// The instruction at hand, plus one; what it conflicts with.
  uint32_t self = 0, first = 0, second = 0, third = 0;
};

} // namespace

void HazardFinder::findMvin(const Instruction &instruction) {
  const uint64_t width = static_cast<uint64_t>(config.width()), tiles = llvm::divideCeil(instruction.cols, width);
  const uint64_t planes = static_cast<uint64_t>(instruction.movedPlanes(config.bits));
  for (uint64_t plane = 0; plane < planes; ++plane)
    for (uint64_t tile = 0; tile < tiles; ++tile)
      forRows(scratchpad, instruction.local + tile * instruction.tileStride + plane * instruction.planeStride,
              instruction.rows, [this](ScratchpadRow &row) {
                first = std::max(first, row.compute);
                second = std::max(second, row.preload);
                row.load = self;
              });
}

void HazardFinder::findPreload(const Instruction &instruction) {
  target = instruction;
  targetNumber = self - 1;
  if (instruction.local != kNone)
    forRows(scratchpad, instruction.local, instruction.has(FlagTranspose) ? instruction.cols : instruction.rows,
            [this](ScratchpadRow &row) {
              first = std::max(first, row.load);
              row.preload = self;
            });
}

void HazardFinder::findCompute(const Instruction &instruction) {
  auto read = [this](ScratchpadRow &row) {
    first = std::max(first, row.load);
    row.compute = self;
  };
  forRows(scratchpad, instruction.local, instruction.rows, read);
  const bool stationarySums = config.dataflow == Dataflow::OutputStationary;
  if (stationarySums)
    forRows(scratchpad, instruction.local2, instruction.cols, read);
  if (stationarySums && !instruction.has(FlagLast))
    return;
  forRows(accumulator, target.local2, stationarySums ? target.rows : instruction.rows, [this](AccumulatorRow &row) {
    third = std::max(third, row.load);
    second = std::max(second, row.store);
    row.compute = self;
  });
}

Hazards HazardFinder::find(uint32_t number, const Instruction &instruction) {
  self = number + 1;
  first = second = third = 0;
  bool firstUntilRead = false, secondUntilRead = true, thirdUntilRead = false;
  switch (instruction.opcode) {
  case Opcode::Fence:
    break;
  case Opcode::Mvin:
    findMvin(instruction);
    firstUntilRead = true;
    break;
  case Opcode::MvinAcc:
    forRows(accumulator, instruction.local, instruction.rows, [this](AccumulatorRow &row) {
      first = std::max(first, row.compute);
      second = std::max(second, row.store);
      row.load = self;
    });
    break;
  case Opcode::Preload:
    findPreload(instruction);
    break;
  case Opcode::Compute:
    findCompute(instruction);
    // A row that is repeated from the compute's first row on is there before the compute adds to it.
    thirdUntilRead = third != 0 && code[third - 1].repeatsRow() && code[third - 1].local == target.local2;
    break;
  case Opcode::Mvout:
  case Opcode::Units:
    secondUntilRead = false;
    if (instruction.opcode == Opcode::Units && !instruction.has(FlagFromAccumulator))
      break;
    for (int64_t tile = 0, tiles = localTiles(config, instruction); tile < tiles; ++tile)
      forRows(accumulator, instruction.local + static_cast<uint64_t>(tile) * instruction.tileStride, instruction.rows,
              [this](AccumulatorRow &row) {
                first = std::max(first, row.compute);
                second = std::max(second, row.load);
                row.store = self;
              });
    break;
  }
  // 0 - 1 is kNone.
  return {{{first - 1, firstUntilRead}, {second - 1, secondUntilRead}, {third - 1, thirdUntilRead}},
          instruction.opcode == Opcode::Compute ? targetNumber : kNone};
}

std::vector<Hazards> simulator::findHazards(const Config &config, llvm::ArrayRef<Instruction> code) {
  HazardFinder finder(config, code);
  std::vector<Hazards> hazards;
  hazards.reserve(code.size());
  for (const Instruction &instruction : code)
    hazards.push_back(finder.find(static_cast<uint32_t>(hazards.size()), instruction));
  return hazards;
}
