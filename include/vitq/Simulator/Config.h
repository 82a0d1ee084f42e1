//===- Config.h - What a systolic array is made of -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SIMULATOR_CONFIG_H
#define VITQ_SIMULATOR_CONFIG_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace vitq::simulator {

/// What stays in the processing elements while operands stream past them.
enum class Dataflow : uint8_t { WeightStationary, OutputStationary };

/// Units beside the array, a bit each.
enum Unit : uint32_t {
  /// Accumulator times a power of two, half to even, saturated to 8 signed bits, with or without ReLU.
  UnitShift = 1,
  /// `clamp(z + ((acc * M + 2^(c-1)) >> c))` per channel, and the addition of two of them.
  UnitDyadic = 2,
  /// Counts the thresholds below an accumulator.
  UnitComparator = 4,
  /// Softmax codes and sums of a row, Shiftmax, and the division of a row by its sum.
  UnitExponent = 8,
  /// Tables of 256 entries and piecewise linear functions.
  UnitLut = 16,
  /// LayerNorm and NormQuant of a row.
  UnitNorm = 32,
};

/// One systolic array with its memories, its DMA and the units beside it.
/// docs/Systolic.md says what each number means to the cycle.
struct Config {
  /// The preset that the rest started from.
  std::string preset = "gemmini-16x16";

  /// Processing elements. Weight stationary: `rows` is the K and `cols` the N of a
  /// tile of weights. Output stationary: `rows` is the M and `cols` the N of a tile
  /// of sums.
  int64_t rows = 16, cols = 16;
  Dataflow dataflow = Dataflow::WeightStationary;
  /// Bits of an operand of a processing element: 2, 3, 4 or 8. Wider operands are
  /// computed in planes of so many bits.
  int64_t bits = 8;
  /// Bits of an accumulator, 8 to 32; sums wrap around.
  int64_t accumulatorBits = 32;
  /// Rows of the left operand that one compute instruction streams at most (weight
  /// stationary).
  int64_t streamRows = 16;

  /// Scratchpad: `scratchpadBanks` of `scratchpadRows` rows of `width()` operands.
  int64_t scratchpadBanks = 4, scratchpadRows = 4096;
  /// Accumulator memory: `accumulatorBanks` of `accumulatorRows` rows of `cols` sums.
  int64_t accumulatorBanks = 2, accumulatorRows = 512;

  /// Tiles side by side that one move into the scratchpad fills at most.
  int64_t blockTiles = 4;
  /// DMA: bytes a cycle (each way), cycles from request to data, requests in flight,
  /// bytes of the largest request.
  int64_t dmaBytes = 16, dmaLatency = 50, dmaRequests = 16, dmaRequestBytes = 64;
  /// Instructions that wait or run in each queue.
  int64_t loadQueue = 8, storeQueue = 4, executeQueue = 16;

  /// The units there are (`Unit`), and elements that each takes in a cycle.
  uint32_t units = UnitShift;
  int64_t unitLanes = 16;

  /// What was measured of elements (HardwareCosts.h), for a product of one-bit operands; follows `bits` and `dataflow`.
  static double measuredMacPicojoules(int64_t bits, Dataflow dataflow);
  /// Energy proxy: picojoules of a product of one-bit operands (a MAC of b x b bits
  /// costs b * b of these), of a byte of SRAM and of a byte of DRAM.
  double macPicojoules = measuredMacPicojoules(8, Dataflow::WeightStationary), sramPicojoules = 1.25,
         dramPicojoules = 160;

  /// Operands of a scratchpad row.
  int64_t width() const { return rows > cols ? rows : cols; }
  int64_t scratchpadSize() const { return scratchpadBanks * scratchpadRows; }
  int64_t accumulatorSize() const { return accumulatorBanks * accumulatorRows; }
  bool has(Unit unit) const { return units & unit; }
  /// Planes of an operand of `width` bits.
  int64_t planesOf(int64_t width) const { return (width + bits - 1) / bits; }
  /// Rows that one preloaded tile may multiply: streamRows, or rows when output stationary.
  int64_t tileRows() const { return dataflow == Dataflow::OutputStationary ? rows : streamRows; }

  /// Parses `PRESET`, `PRESET,KEY=VALUE,...` or `KEY=VALUE,...` (starting from
  /// gemmini-16x16) and validates the result. Errors name the key, its limits, and
  /// the nearest key or preset to a misspelt one.
  static llvm::Expected<Config> parse(llvm::StringRef text);

  /// The shortest text that `parse` reads as this: the preset and what differs from it,
  /// or with `all` every key.
  std::string str(bool all = false) const;

  /// Errors: sizes that are zero, negative or beyond what an instruction can address;
  /// widths outside their sets; memories that hold no tile; too few bits.
  llvm::Error validate() const;

  static llvm::ArrayRef<llvm::StringLiteral> presets();
};

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_CONFIG_H
