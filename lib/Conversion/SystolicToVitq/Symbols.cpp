//===- Symbols.cpp - What rows of memory hold -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Symbols.h"

#include "llvm/ADT/StringExtras.h"

using namespace vitq;
using namespace vitq::systolic;
using namespace vitq::simulator;

SymbolMachine::SymbolMachine(const Config &config, See see)
    : config(config), see(std::move(see)), scratchpad(config.scratchpadSize()), accumulator(config.accumulatorSize()) {}

std::string SymbolMachine::next(const Instruction &i) {
  switch (i.opcode) {
  case Opcode::Fence:
    return "";
  case Opcode::Mvin:
    return moveIn(i);
  case Opcode::MvinAcc:
    return moveInSums(i);
  case Opcode::Preload:
    return preload(i);
  case Opcode::Compute:
    return compute(i);
  case Opcode::Mvout:
    return moveOut(i);
  case Opcode::Units:
    return units(i);
  }
  llvm_unreachable("unknown opcode");
}

std::string SymbolMachine::moveIn(const Instruction &i) {
  const int64_t width = config.width(), planes = i.movedPlanes(config.bits);
  // What is not split lies packed.
  const int64_t bits = i.has(FlagSplit) ? 8 : config.bits;
  for (int64_t plane = 0; plane < planes; ++plane)
    for (int64_t row = 0; row < i.rows; ++row)
      for (int64_t col = 0; col < i.cols; col += width) {
        const int64_t memoryRow = i.local + plane * i.planeStride + col / width * i.tileStride + row;
        if (memoryRow >= static_cast<int64_t>(scratchpad.size()))
          return "fills a row outside the scratchpad";
        // A byte in which no element begins is no element's.
        const int64_t bit = (i.dram.offset + row * i.dram.pitch) * 8;
        scratchpad[memoryRow] = {i.dram.operand, static_cast<uint8_t>(plane),
                                 static_cast<uint32_t>(std::min<int64_t>(width, i.cols - col)),
                                 bit % bits == 0 ? bit / bits + col : -1};
      }
  return "";
}

std::string SymbolMachine::moveInSums(const Instruction &i) {
  if (i.has(FlagAccumulate))
    return "adds a bias to sums, which is no form that is recovered";
  for (int64_t row = 0; row < i.rows; ++row) {
    if (i.local + row >= static_cast<int64_t>(accumulator.size()))
      return "fills a row outside the accumulator";
    Sums &sums = accumulator[i.local + row];
    sums.start = Sums::Start::Bias;
    sums.bias = {i.dram.operand, 0, i.cols, i.dram.offset + row * i.dram.pitch};
    sums.terms.clear();
  }
  return "";
}

/// The tile of the right operand at `local`: `rows` (K) x `cols` (N).
std::string SymbolMachine::rightTile(uint32_t local, int64_t rows, int64_t cols, bool transposed,
                                     RightTile &tile) const {
  const int64_t lines = transposed ? cols : rows, length = transposed ? rows : cols;
  if (local + lines > static_cast<int64_t>(scratchpad.size()))
    return "reads a row outside the scratchpad";
  const Elements &first = scratchpad[local];
  const int64_t stride = lines > 1 ? scratchpad[local + 1].offset - first.offset : 0;
  for (int64_t line = 0; line < lines; ++line) {
    const Elements &row = scratchpad[local + line];
    if (row.count < length)
      return "reads " + llvm::itostr(length) + " elements of a scratchpad row that holds " + llvm::itostr(row.count);
    if (row.operand != first.operand || row.plane != first.plane || row.offset != first.offset + line * stride)
      return "reads a right operand whose rows do not belong to one tile";
  }
  tile.operand = first.operand;
  tile.transposed = transposed;
  tile.plane = first.plane;
  tile.offset = first.offset;
  tile.kStride = transposed ? 1 : stride;
  tile.nStride = transposed ? stride : 1;
  tile.k = rows;
  tile.n = cols;
  return "";
}

std::string SymbolMachine::preload(const Instruction &i) {
  preloaded = i;
  named.reset();
  if (i.local == kNone)
    return "";
  named.emplace();
  return rightTile(i.local, i.rows, i.cols, i.has(FlagTranspose), *named);
}

std::string SymbolMachine::add(uint32_t row, Term term, bool accumulate) {
  if (row >= accumulator.size())
    return "writes a row outside the accumulator";
  Sums &sums = accumulator[row];
  if (!accumulate) {
    sums.start = Sums::Start::Zero;
    sums.terms.clear();
  } else if (sums.start == Sums::Start::Nothing) {
    return "adds to sums that nothing began";
  }
  sums.terms.push_back(std::move(term));
  return "";
}

std::string SymbolMachine::compute(const Instruction &i) {
  if (!preloaded)
    return "computes without a preload";
  const bool outputs = config.dataflow == Dataflow::OutputStationary;
  RightTile right;
  if (outputs) {
    if (std::string error = rightTile(i.local2, i.cols, preloaded->cols, false, right); !error.empty())
      return error;
    if (i.has(FlagFresh))
      inArray.assign(i.rows, {});
    if (inArray.size() != i.rows)
      return "continues sums of another shape";
  } else {
    if (i.has(FlagFresh))
      weights = named;
    if (!weights)
      return "computes without weights";
    right = *weights;
    if (i.cols > right.k || preloaded->cols > right.n)
      return "multiplies by more weights than are there";
    right.k = i.cols;
    right.n = preloaded->cols;
  }
  right.isUnsigned = i.has(FlagRhsUnsigned);
  for (int64_t row = 0; row < i.rows; ++row) {
    if (i.local + row >= static_cast<int64_t>(scratchpad.size()))
      return "reads a row outside the scratchpad";
    const Elements &left = scratchpad[i.local + row];
    if (left.count < i.cols)
      return "reads " + llvm::itostr(i.cols) + " elements of a scratchpad row that holds " + llvm::itostr(left.count);
    Term term{left, right, preloaded->shift, i.has(FlagLhsUnsigned)};
    term.lhs.count = i.cols;
    const bool accumulate = preloaded->has(FlagAccumulate);
    if (!outputs) {
      if (std::string error = add(preloaded->local2 + row, std::move(term), accumulate); !error.empty())
        return error;
      continue;
    }
    inArray[row].push_back(std::move(term));
    if (!i.has(FlagLast))
      continue;
    bool adding = accumulate;
    for (Term &done : inArray[row]) {
      if (std::string error = add(preloaded->local2 + row, std::move(done), adding); !error.empty())
        return error;
      adding = true;
    }
  }
  return "";
}

std::string SymbolMachine::moveOut(const Instruction &i) {
  for (int64_t row = 0; row < i.rows; ++row)
    for (int64_t col = 0; col < i.cols; col += config.cols) {
      const int64_t memoryRow = i.local + col / config.cols * i.tileStride + row;
      if (memoryRow >= static_cast<int64_t>(accumulator.size()))
        return "reads a row outside the accumulator";
      const int64_t bytes = i.has(FlagScale) ? 1 : 4;
      const StoredRow stored{i.dram.operand,
                             int64_t(i.dram.offset) + row * i.dram.pitch + col * bytes,
                             false,
                             0,
                             0,
                             std::min(config.cols, i.cols - col),
                             i.has(FlagScale),
                             i.has(FlagRelu),
                             i.shift,
                             &accumulator[memoryRow]};
      if (std::string error = see(stored); !error.empty())
        return error;
    }
  return "";
}

std::string SymbolMachine::units(const Instruction &i) {
  for (int64_t row = 0; row < i.rows; ++row) {
    StoredRow stored;
    stored.toUnits = true;
    stored.row = int64_t(i.row) + row;
    stored.channel = i.channel;
    stored.cols = i.cols;
    if (!i.has(FlagFromAccumulator)) {
      if (std::string error = see(stored); !error.empty())
        return error;
      continue;
    }
    for (int64_t col = 0; col < i.cols; col += config.cols) {
      const int64_t memoryRow = i.local + col / config.cols * i.tileStride + row;
      if (memoryRow >= static_cast<int64_t>(accumulator.size()))
        return "reads a row outside the accumulator";
      stored.channel = int64_t(i.channel) + col;
      stored.cols = std::min(config.cols, i.cols - col);
      stored.sums = &accumulator[memoryRow];
      if (std::string error = see(stored); !error.empty())
        return error;
    }
  }
  return "";
}
