//===- Dma.cpp - Traffic between DRAM and the array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dma.h"
#include "UnitStages.h"

#include "llvm/Support/MathExtras.h"

using namespace vitq;
using namespace vitq::simulator;

uint64_t simulator::rowBytesOf(const Config &config, const Instruction &instruction) {
  const uint64_t cols = instruction.cols;
  switch (instruction.opcode) {
  case Opcode::Mvin:
    return instruction.has(FlagSplit) ? cols : llvm::divideCeil(cols * static_cast<uint64_t>(config.bits), 8);
  case Opcode::Mvout:
    return instruction.has(FlagScale) ? cols : cols * 4;
  default:
    return cols * 4;
  }
}

void simulator::forEachSpan(const Config &config, const Instruction &instruction, SpanFunction span) {
  const uint64_t rowBytes = rowBytesOf(config, instruction), pitch = instruction.dram.pitch;
  if (instruction.opcode == Opcode::MvinAcc && pitch == 0) // One row for all.
    return span(instruction.dram.offset, rowBytes);
  if (pitch == rowBytes)
    return span(instruction.dram.offset, instruction.rows * rowBytes);
  for (uint64_t r = 0; r < instruction.rows; ++r)
    span(instruction.dram.offset + r * pitch, rowBytes);
}

void simulator::forEachSpan(const UnitOperand &operand, const UnitProgram &program, const Instruction &instruction,
                            uint64_t row, SpanFunction span) {
  uint64_t start = 0, end = 0;
  forEachRun(operand, program.rowsPerBatch, static_cast<int64_t>(row), instruction.channel, instruction.cols,
             [&](uint64_t begin, int64_t, int64_t n) {
               if (begin != end || start == end) {
                 if (start != end)
                   span(start, end - start);
                 start = begin;
               }
               end = begin + static_cast<uint64_t>(n) * operand.bytes;
             });
  span(start, end - start);
}

int64_t simulator::localTiles(const Config &config, const Instruction &instruction) {
  if (instruction.opcode == Opcode::Mvin)
    return static_cast<int64_t>(
               llvm::divideCeil(static_cast<uint64_t>(instruction.cols), static_cast<uint64_t>(config.width()))) *
           instruction.movedPlanes(config.bits);
  return static_cast<int64_t>(
      llvm::divideCeil(static_cast<uint64_t>(instruction.cols), static_cast<uint64_t>(config.cols)));
}

/// Cycles of the words from `begin` to `end` of a span that begins at `offset`.
uint64_t DmaChannel::wordsOf(uint64_t begin, uint64_t end, uint64_t offset, Pieces pieces) const {
  uint64_t words = llvm::divideCeil(end, width) - begin / width;
  if (pieces.rowBytes == 0)
    return words;
  for (uint64_t at = begin;;) {
    const uint64_t ofRow = (at - offset) % pieces.rowBytes;
    at += std::min(pieces.rowBytes - ofRow, pieces.tileBytes - ofRow % pieces.tileBytes);
    if (at >= end)
      return words;
    words += at % width != 0;
  }
}

void DmaChannel::send(uint64_t time, uint64_t offset, uint64_t count, Pieces pieces) {
  bytes += count;
  for (uint64_t begin = offset, end = offset + count; begin < end;) {
    const uint64_t to = std::min(end, (begin / requestBytes + 1) * requestBytes);
    const uint64_t words = wordsOf(begin, to, offset, pieces);
    const uint64_t free = std::max(time, freeAt), start = std::max(free, answers[next]);
    waited += start - free;
    busy += words;
    freeAt = start + words;
    lastAnswer = freeAt + latency;
    answers[next] = lastAnswer;
    if (++next == answers.size())
      next = 0;
    begin = to;
  }
}
