//===- Dma.h - Traffic between DRAM and the array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_DMA_H
#define VITQ_LIB_SIMULATOR_DMA_H

#include "vitq/Simulator/Simulator.h"

namespace vitq::simulator {

using SpanFunction = llvm::function_ref<void(uint64_t offset, uint64_t bytes)>;

/// Calls `span` for the bytes that a move touches of its operand, in order; rows without
/// a gap between them are one span.
void forEachSpan(const Config &config, const Instruction &instruction, SpanFunction span);

/// Bytes of a row of a move in DRAM.
uint64_t rowBytesOf(const Config &config, const Instruction &instruction);

/// The same for row `row` (of all batches) of an operand of a unit program.
void forEachSpan(const UnitOperand &operand, const UnitProgram &program, const Instruction &instruction, uint64_t row,
                 SpanFunction span);

/// Rows of the local memory that a move or a unit touches beside `rows`: tiles of a row,
/// times planes.
int64_t localTiles(const Config &config, const Instruction &instruction);

/// What a word that is stored is put together of, a cycle for each: rows of a span, and tiles of a row.
struct Pieces {
  uint64_t rowBytes = 0, tileBytes = 0;
};

/// One direction of the DMA: requests one after the other, each occupying the channel for
/// its words, each answered a latency after its last word, so many at a time.
class DmaChannel {
public:
  explicit DmaChannel(const Config &config)
      : width(static_cast<uint64_t>(config.dmaBytes)), latency(static_cast<uint64_t>(config.dmaLatency)),
        requestBytes(static_cast<uint64_t>(config.dmaRequestBytes)),
        answers(static_cast<size_t>(config.dmaRequests), 0) {}

  /// Sends the requests of a span, none before `time`. Without `pieces` a word takes a cycle.
  void send(uint64_t time, uint64_t offset, uint64_t bytes, Pieces pieces = {});

  /// When the last request sent has left the channel, and when it is answered.
  uint64_t sent() const { return freeAt; }
  uint64_t answered() const { return lastAnswer; }

  /// Cycles with data, cycles that a request waited for an answer to an earlier one, and
  /// bytes.
  uint64_t busy = 0, waited = 0, bytes = 0;

private:
  uint64_t wordsOf(uint64_t begin, uint64_t end, uint64_t offset, Pieces pieces) const;

  uint64_t width, latency, requestBytes;
  uint64_t freeAt = 0, lastAnswer = 0;
  /// A ring: when the last requests are answered; `next` is the oldest.
  std::vector<uint64_t> answers;
  size_t next = 0;
};

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_DMA_H
