//===- RtlParameters.cpp - A configuration as a package of SystemVerilog -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Rtl.h"
#include "vitq/Simulator/UnitImage.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace vitq;
using namespace vitq::simulator;

namespace {

/// A size for which there is RTL only within limits.
struct Limit {
  llvm::StringLiteral key;
  int64_t Config::*member;
  int64_t least, most;
  llvm::StringLiteral why;
};

} // namespace

static constexpr Limit kLimits[] = {
    {"rows", &Config::rows, 1, 64, "the elements' wires are built flat"},
    {"cols", &Config::cols, 1, 64, "the elements' wires are built flat"},
    {"block-tiles", &Config::blockTiles, 1, 16, "hazards are looked for in all tiles of a move at once"},
    {"dma-latency", &Config::dmaLatency, 3, 1000000, "the array's own registers take two cycles of it"},
    {"dma-bytes", &Config::dmaBytes, 1, 64, "a word is taken apart in one cycle"},
    {"dma-requests", &Config::dmaRequests, 1, 256, "each request has a place of its own"},
    {"dma-request-bytes", &Config::dmaRequestBytes, 1, 4096, "each word of a request has a place of its own"},
    {"load-queue", &Config::loadQueue, 1, 64, "hazards are looked for in all places at once"},
    {"store-queue", &Config::storeQueue, 1, 64, "hazards are looked for in all places at once"},
    {"execute-queue", &Config::executeQueue, 1, 64, "hazards are looked for in all places at once"},
};

llvm::Expected<std::string> simulator::rtlParameters(const Config &config) {
  if (llvm::Error error = config.validate())
    return error;
  for (const Limit &limit : kLimits)
    if (const int64_t value = config.*limit.member; value < limit.least || value > limit.most)
      return llvm::createStringError(llvm::formatv("there is no RTL for {0}={1}, only for {2} to {3}: {4}", limit.key,
                                                   value, limit.least, limit.most, limit.why)
                                         .str());
  const bool hasUnits = (config.units & ~uint32_t(UnitShift)) != 0;
  if (hasUnits && config.unitLanes != config.cols)
    return llvm::createStringError(
        llvm::formatv("there is no RTL for unit-lanes={0} with cols={1}: units take a row of sums at a time",
                      config.unitLanes, config.cols)
            .str());
  if (hasUnits && config.accumulatorSize() > 65535)
    return llvm::createStringError(
        llvm::formatv(
            "there is no RTL for units and {0} rows of sums, only for up to 65535: it counts those of an instruction "
            "in 16 bits",
            config.accumulatorSize())
            .str());
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "// Parameters of the RTL of a systolic array, written by vitq-opt --emit=rtl-parameters.\n"
     << "// Configuration: " << config.str(/*all=*/true) << "\n"
     << "package vitq_config_pkg;\n";
  auto number = [&](llvm::StringRef name, int64_t value) {
    os << "  localparam int unsigned " << name << " = " << value << ";\n";
  };
  auto flag = [&](llvm::StringRef name, bool value) {
    os << "  localparam bit " << name << " = 1'b" << value << ";\n";
  };
  number("ROWS", config.rows);
  number("COLS", config.cols);
  number("WIDTH", config.width());
  flag("SUMS_STAY", config.dataflow == Dataflow::OutputStationary);
  number("BITS", config.bits);
  number("PLANES", config.planesOf(8));
  number("ACCUMULATOR_BITS", config.accumulatorBits);
  number("SCRATCHPAD_BANKS", config.scratchpadBanks);
  number("SCRATCHPAD_ROWS", config.scratchpadRows);
  number("ACCUMULATOR_BANKS", config.accumulatorBanks);
  number("ACCUMULATOR_ROWS", config.accumulatorRows);
  number("BLOCK_TILES", config.blockTiles);
  number("DMA_BYTES", config.dmaBytes);
  number("DMA_LATENCY", config.dmaLatency);
  number("DMA_REQUESTS", config.dmaRequests);
  number("DMA_REQUEST_BYTES", config.dmaRequestBytes);
  number("LOAD_QUEUE", config.loadQueue);
  number("STORE_QUEUE", config.storeQueue);
  number("EXECUTE_QUEUE", config.executeQueue);
  flag("UNIT_SHIFT", config.has(UnitShift));
  flag("HAS_UNITS", hasUnits);
  const UnitSizes sizes = unitSizesOf(config);
  number("UNITS", config.units);
  number("UNIT_LANES", sizes.lanes);
  number("UNIT_SLOTS", sizes.slots);
  number("UNIT_PROGRAMS", sizes.programs);
  number("UNIT_RECORDS", sizes.records);
  number("UNIT_TABLES", sizes.tables);
  number("UNIT_CHANNELS", sizes.channels);
  number("UNIT_LEVELS", sizes.levels);
  number("UNIT_ENTRIES", sizes.entries);
  os << "endpackage\n";
  return text;
}
