//===- RandomProgram.cpp - Programs that try the RTL -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomProgram.h"

#include "RandomUnits.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace vitq;
using namespace vitq::simulator;

namespace {

class Generator {
public:
  Generator(const Config &config, std::mt19937_64 &random, bool apart)
      : config(config), random(random), apart(apart), moveRows(std::max(config.tileRows(), config.width())) {}

  Program generate();

private:
  int64_t pick(int64_t least, int64_t most) { return std::uniform_int_distribution<int64_t>(least, most)(random); }
  bool toss() { return pick(0, 1) == 1; }
  /// Where `rows` local rows begin: most of the time among the first, or about where two banks meet.
  int64_t place(int64_t rows, int64_t all, int64_t bankRows) {
    const int64_t window = std::min(all - rows, 3 * moveRows);
    int64_t first = pick(0, window);
    if (all > bankRows && pick(0, 3) == 0 && !apart)
      first = std::min(all - rows, std::max<int64_t>(0, bankRows - pick(0, rows)));
    return first;
  }
  int64_t placeOperands(int64_t rows) { return place(rows, config.scratchpadSize(), config.scratchpadRows); }
  /// Weights, or the right operand.
  int64_t placeRight(int64_t rows) {
    return apart ? config.scratchpadRows + place(rows, config.scratchpadRows, config.scratchpadRows)
                 : placeOperands(rows);
  }
  /// Whether sums are added to those that are there, which are then read.
  bool tossAdds() { return toss() && !apart; }
  int64_t placeSums(int64_t rows) { return place(rows, config.accumulatorSize(), config.accumulatorRows); }

  Instruction &add(Opcode opcode) {
    Instruction &added = code.emplace_back();
    added.opcode = opcode;
    return added;
  }
  /// An offset and a pitch so that rows lie in the operand.
  void placeInDram(Instruction &instruction, uint8_t operand, int64_t rowBytes, int64_t least, int64_t align);
  void mvin();
  void mvinAcc();
  void product();
  void productOfStationarySums();
  void mvout();
  void rowsOfUnits();
  void drawUnitPrograms();
  void storeAll();

  const Config &config;
  std::mt19937_64 &random;
  bool apart;
  int64_t moveRows;
  std::vector<Instruction> code;
  /// K and N of the weights that the array holds.
  int64_t heldRows = 0, heldCols = 0;
  uint64_t written = 0;
  /// Unit programs of the launch, and whether each works on sums.
  std::vector<UnitProgram> units;
  std::vector<bool> ofSums;
};

} // namespace

static constexpr int64_t kOperandBytes = 1 << 16;

void Generator::placeInDram(Instruction &instruction, uint8_t operand, int64_t rowBytes, int64_t least, int64_t align) {
  int64_t pitch = toss() ? rowBytes : rowBytes + pick(0, 40);
  pitch =
      std::max(least, static_cast<int64_t>(llvm::alignTo(static_cast<uint64_t>(pitch), static_cast<uint64_t>(align))));
  pitch = std::min(pitch, kOperandBytes / (2 * instruction.rows));
  const int64_t reach = (instruction.rows - 1) * pitch + rowBytes;
  int64_t offset = pick(0, (kOperandBytes - reach) / align) * align;
  if (toss()) // As compiled programs have it.
    offset = offset / config.dmaRequestBytes * config.dmaRequestBytes;
  instruction.dram = {operand, static_cast<uint32_t>(offset), static_cast<uint32_t>(pitch)};
}

void Generator::mvin() {
  const int64_t width = config.width();
  Instruction &move = add(Opcode::Mvin);
  move.rows = static_cast<uint16_t>(pick(1, std::min<int64_t>(moveRows, 24)));
  const bool split = toss();
  const int64_t tiles = pick(1, config.blockTiles);
  move.cols = static_cast<uint16_t>(pick((tiles - 1) * width + 1, tiles * width));
  if (split) {
    move.flags = FlagSplit;
    move.shift = static_cast<uint8_t>(pick(0, config.planesOf(8)));
  }
  const int64_t planes = move.movedPlanes(config.bits);
  // Tiles beside each other and planes behind them, or the other way round.
  const int64_t gap = move.rows + pick(0, 2);
  const bool planesInside = toss();
  move.tileStride = static_cast<uint16_t>(planesInside ? gap * planes : gap);
  move.planeStride = static_cast<uint16_t>(!split ? 0 : planesInside ? gap : gap * tiles);
  const int64_t reach = gap * planes * tiles;
  if (reach > (apart ? config.scratchpadRows : config.scratchpadSize())) {
    code.pop_back();
    return;
  }
  move.local = static_cast<uint32_t>(toss() && apart ? placeRight(reach) : placeOperands(reach));
  const auto bits = static_cast<uint64_t>(move.cols * (split ? 8 : config.bits));
  placeInDram(move, 0, static_cast<int64_t>(llvm::divideCeil(bits, 8)), 0, 1);
}

void Generator::mvinAcc() {
  Instruction &move = add(Opcode::MvinAcc);
  move.rows = static_cast<uint16_t>(pick(1, std::min<int64_t>(moveRows, 24)));
  move.cols = static_cast<uint16_t>(toss() ? config.cols : pick(1, config.cols));
  move.local = static_cast<uint32_t>(placeSums(move.rows));
  move.flags = toss() ? FlagAccumulate : 0;
  placeInDram(move, 1, move.cols * 4, 0, 4);
  if (toss() && !apart)
    move.dram.pitch = 0;
  else if (apart && move.dram.pitch == 0)
    move.dram.pitch = static_cast<uint32_t>(move.cols * 4);
}

void Generator::product() {
  const bool fresh = heldRows == 0 || pick(0, 2) != 0;
  Instruction &preload = add(Opcode::Preload);
  preload.rows = static_cast<uint16_t>(pick(1, fresh ? config.rows : heldRows));
  preload.cols = static_cast<uint16_t>(pick(1, fresh ? config.cols : heldCols));
  if (fresh && toss()) {
    preload.rows = static_cast<uint16_t>(config.rows);
    preload.cols = static_cast<uint16_t>(config.cols);
  }
  preload.local = kNone;
  preload.flags = tossAdds() ? FlagAccumulate : 0;
  preload.shift = static_cast<uint8_t>(toss() ? 0 : pick(0, toss() ? 12 : 31));
  if (fresh) {
    const bool transpose = pick(0, 3) == 0;
    preload.flags |= transpose ? FlagTranspose : 0;
    preload.local = static_cast<uint32_t>(placeRight(transpose ? preload.cols : preload.rows));
    heldRows = preload.rows;
    heldCols = preload.cols;
  }
  const int64_t rows = toss() ? config.tileRows() : pick(1, config.tileRows());
  preload.local2 = static_cast<uint32_t>(placeSums(rows));
  const int64_t mostK = preload.rows;
  Instruction &compute = add(Opcode::Compute);
  compute.rows = static_cast<uint16_t>(rows);
  compute.cols = static_cast<uint16_t>(toss() ? mostK : pick(1, mostK));
  compute.local = static_cast<uint32_t>(placeOperands(rows));
  compute.flags =
      static_cast<uint16_t>((fresh ? FlagFresh : 0) | (toss() ? FlagLhsUnsigned : 0) | (toss() ? FlagRhsUnsigned : 0));
}

void Generator::productOfStationarySums() {
  const auto rows = static_cast<uint16_t>(toss() ? config.rows : pick(1, config.rows));
  const auto cols = static_cast<uint16_t>(toss() ? config.cols : pick(1, config.cols));
  const int64_t steps = pick(1, 3);
  for (int64_t step = 0; step < steps; ++step) {
    Instruction &preload = add(Opcode::Preload);
    preload.rows = rows;
    preload.cols = cols;
    preload.local = kNone;
    preload.local2 = static_cast<uint32_t>(placeSums(rows));
    preload.flags = tossAdds() ? FlagAccumulate : 0;
    preload.shift = static_cast<uint8_t>(toss() ? 0 : pick(0, toss() ? 12 : 31));
    Instruction &compute = add(Opcode::Compute);
    compute.rows = rows;
    compute.cols = static_cast<uint16_t>(toss() ? config.width() : pick(apart ? rows : 1, config.width()));
    compute.local = static_cast<uint32_t>(placeOperands(rows));
    compute.local2 = static_cast<uint32_t>(placeRight(compute.cols));
    compute.flags = static_cast<uint16_t>((step == 0 ? FlagFresh : 0) | (step + 1 == steps ? FlagLast : 0) |
                                          (toss() ? FlagLhsUnsigned : 0) | (toss() ? FlagRhsUnsigned : 0));
  }
}

void Generator::mvout() {
  Instruction &move = add(Opcode::Mvout);
  move.rows = static_cast<uint16_t>(pick(1, std::min<int64_t>(moveRows, 24)));
  const bool scale = config.has(UnitShift) && toss();
  const int64_t tiles = scale ? pick(1, config.blockTiles) : 1;
  move.cols =
      static_cast<uint16_t>(toss() ? tiles * config.cols : pick((tiles - 1) * config.cols + 1, tiles * config.cols));
  move.tileStride = static_cast<uint16_t>(move.rows + pick(0, 2));
  const int64_t reach = (tiles - 1) * move.tileStride + move.rows;
  if (reach > config.accumulatorSize()) {
    code.pop_back();
    return;
  }
  move.local = static_cast<uint32_t>(placeSums(reach));
  if (scale) {
    move.flags = static_cast<uint16_t>(FlagScale | (toss() ? FlagRelu : 0));
    move.shift = static_cast<uint8_t>(toss() ? pick(0, 12) : pick(0, 31));
  }
  // A word must not have bytes of several rows, or of several tiles.
  const int64_t word = apart ? std::lcm<int64_t>(config.dmaBytes, 4) : toss() ? 1 : 4;
  if (apart)
    move.cols = static_cast<uint16_t>(tiles * config.cols);
  placeInDram(move, 2, move.cols * (scale ? 1 : 4), move.cols * (scale ? 1 : 4), word);
}

void Generator::drawUnitPrograms() {
  if ((config.units & ~uint32_t(UnitShift)) == 0 || config.unitLanes != config.cols)
    return;
  rtl::Draw draw(random);
  const uint64_t bytes[] = {kOperandBytes, kOperandBytes, kOperandBytes, kOperandBytes};
  for (int64_t i = 0, n = pick(0, 3); i < n; ++i) {
    ofSums.push_back(toss());
    units.push_back(rtl::randomUnitProgram(config, draw, ofSums.back(), bytes));
  }
}

void Generator::rowsOfUnits() {
  if (units.empty())
    return;
  rtl::Draw draw(random);
  const auto number = static_cast<size_t>(pick(0, static_cast<int64_t>(units.size()) - 1));
  Instruction rows = rtl::randomRows(config, draw, units[number], ofSums[number], 24);
  rows.unit = static_cast<uint8_t>(number);
  if (ofSums[number]) {
    const int64_t tiles =
        static_cast<int64_t>(llvm::divideCeil(uint64_t(rows.cols), static_cast<uint64_t>(config.cols)));
    const int64_t stride = rows.rows + (apart ? 0 : pick(0, 2)), reach = (tiles - 1) * stride + rows.rows;
    if (reach > config.accumulatorSize())
      return;
    rows.tileStride = static_cast<uint16_t>(stride);
    rows.local = static_cast<uint32_t>(placeSums(reach));
  }
  code.push_back(rows);
}

void Generator::storeAll() {
  add(Opcode::Fence);
  const int64_t all = config.accumulatorSize();
  uint64_t offset = kOperandBytes;
  for (int64_t row = 0; row < all; row += moveRows) {
    // Where `place` puts rows.
    if (row > 5 * moveRows &&
        (row + 2 * moveRows < config.accumulatorRows || row > config.accumulatorRows + 2 * moveRows))
      continue;
    Instruction &move = add(Opcode::Mvout);
    move.rows = static_cast<uint16_t>(std::min(moveRows, all - row));
    move.cols = static_cast<uint16_t>(config.cols);
    move.local = static_cast<uint32_t>(row);
    move.dram = {2, static_cast<uint32_t>(offset), static_cast<uint32_t>(config.cols * 4)};
    offset += static_cast<uint64_t>(move.rows * config.cols * 4);
  }
  written = offset;
}

Program Generator::generate() {
  drawUnitPrograms();
  // Something to multiply, first.
  for (int i = 0; i < 4; ++i)
    mvin();
  for (int64_t i = 0, n = pick(10, 60); i < n; ++i) {
    const int64_t kind = pick(0, units.empty() ? 40 : 46);
    if (kind < 9)
      mvin();
    else if (kind < 13)
      mvinAcc();
    else if (kind < 34)
      config.dataflow == Dataflow::WeightStationary ? product() : productOfStationarySums();
    else if (kind < 40)
      mvout();
    else if (kind == 40)
      add(Opcode::Fence);
    else
      rowsOfUnits();
  }
  storeAll();
  Program program;
  program.config = config;
  program.routines.push_back({"random", std::move(code)});
  Launch launch;
  launch.node = "random";
  launch.op = "random";
  launch.operands = {{0, 0, kOperandBytes, false},
                     {1, 0, kOperandBytes, false},
                     {2, 0, written, true},
                     {rtl::kUnitResults, 0, kOperandBytes, true}};
  for (auto [i, unit] : llvm::enumerate(units)) {
    program.unitPrograms.push_back(unit);
    launch.units.push_back(static_cast<uint32_t>(i));
  }
  program.launches.push_back(std::move(launch));
  return program;
}

Program rtl::randomProgram(const Config &config, std::mt19937_64 &random, bool apart) {
  return Generator(config, random, apart).generate();
}
