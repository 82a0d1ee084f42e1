//===- Config.cpp - Configurations as text, and their limits -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Config.h"

#include "vitq/Simulator/HardwareCosts.h"
#include "vitq/Simulator/Units.h"
#include "vitq/Support/NearestNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallSet.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <array>
#include <charconv>
#include <cmath>

using namespace vitq;
using namespace vitq::simulator;
using llvm::formatv;

namespace {

/// A key whose value is an integer.
struct IntegerKey {
  llvm::StringLiteral key;
  int64_t Config::*member;
  int64_t least, most;
};

/// A key whose value is a real.
struct RealKey {
  llvm::StringLiteral key;
  double Config::*member;
};

} // namespace

// The limits keep every quantity within its field of an instruction, and the memories that a
// simulation allocates within a gigabyte (see validate).
static constexpr IntegerKey kIntegers[] = {
    {"rows", &Config::rows, 1, 1024},
    {"cols", &Config::cols, 1, 1024},
    {"bits", &Config::bits, 2, 8},
    {"accumulator-bits", &Config::accumulatorBits, 8, 32},
    {"stream-rows", &Config::streamRows, 1, 65535},
    {"scratchpad-banks", &Config::scratchpadBanks, 1, 64},
    {"scratchpad-rows", &Config::scratchpadRows, 1, 1 << 24},
    {"accumulator-banks", &Config::accumulatorBanks, 1, 64},
    {"accumulator-rows", &Config::accumulatorRows, 1, 1 << 24},
    {"block-tiles", &Config::blockTiles, 1, 256},
    {"dma-bytes", &Config::dmaBytes, 1, 4096},
    {"dma-latency", &Config::dmaLatency, 0, 1000000},
    {"dma-requests", &Config::dmaRequests, 1, 4096},
    {"dma-request-bytes", &Config::dmaRequestBytes, 1, 65536},
    {"load-queue", &Config::loadQueue, 1, 4096},
    {"store-queue", &Config::storeQueue, 1, 4096},
    {"execute-queue", &Config::executeQueue, 1, 4096},
    {"unit-lanes", &Config::unitLanes, 1, 65535},
};
static constexpr RealKey kReals[] = {
    {"mac-pj", &Config::macPicojoules},
    {"sram-pj", &Config::sramPicojoules},
    {"dram-pj", &Config::dramPicojoules},
};
static constexpr Unit kUnits[] = {UnitShift, UnitDyadic, UnitComparator, UnitExponent, UnitLut, UnitNorm};
static constexpr uint32_t kAllUnits = 63;
static constexpr llvm::StringLiteral kPresets[] = {"gemmini-16x16", "edge-8x8-int4"};

/// Elements of all scratchpad, and of all accumulator memory, at most.
static constexpr int64_t kLargestMemory = int64_t(1) << 28;

llvm::ArrayRef<llvm::StringLiteral> Config::presets() { return kPresets; }

/// A small array for 4-bit operands with every unit, for a narrow DRAM.
static Config edgePreset() {
  Config config;
  config.preset = "edge-8x8-int4";
  config.rows = config.cols = 8;
  config.bits = 4;
  config.macPicojoules = Config::measuredMacPicojoules(config.bits, config.dataflow);
  config.streamRows = 256;
  config.scratchpadBanks = 2;
  config.scratchpadRows = 4096;
  config.accumulatorBanks = 2;
  config.accumulatorRows = 1024;
  config.dmaBytes = 8;
  config.dmaRequests = 8;
  config.units = kAllUnits;
  config.unitLanes = 8;
  return config;
}

static std::string listOf(llvm::ArrayRef<llvm::StringRef> names) { return llvm::join(names, ", "); }

static llvm::Expected<Config> presetNamed(llvm::StringRef name) {
  if (name == kPresets[0])
    return Config();
  if (name == kPresets[1])
    return edgePreset();
  const llvm::SmallVector<llvm::StringRef> names(kPresets, std::end(kPresets));
  return llvm::createStringError(
      formatv(
          "there is no preset '{0}' of a systolic array; did you mean '{1}'? The presets are {2}; a size is written as "
          "KEY=VALUE",
          name, nearestNames(name, names, 1).front(), listOf(names))
          .str());
}

static std::string unitsText(uint32_t units) {
  if (units == 0 || units == kAllUnits)
    return units ? "all" : "none";
  llvm::SmallVector<llvm::StringRef> names;
  for (Unit unit : kUnits)
    if (units & unit)
      names.push_back(nameOf(unit));
  return llvm::join(names, "+");
}

static llvm::Error parseUnits(llvm::StringRef text, uint32_t &units) {
  units = 0;
  if (text == "none")
    return llvm::Error::success();
  if (text == "all") {
    units = kAllUnits;
    return llvm::Error::success();
  }
  llvm::SmallVector<llvm::StringRef> parts, names = {"none", "all"};
  for (Unit unit : kUnits)
    names.push_back(nameOf(unit));
  text.split(parts, '+');
  for (llvm::StringRef part : parts) {
    if (parts.size() > 1 && (part == "all" || part == "none"))
      return llvm::createStringError(formatv("units={0}: '{1}' stands alone", text, part).str());
    const Unit *unit = llvm::find_if(kUnits, [&](Unit candidate) { return nameOf(candidate) == part; });
    if (unit == std::end(kUnits))
      return llvm::createStringError(
          formatv("units={0}: there is no unit '{1}'; did you mean '{2}'? Units are {3}, joined by '+', or none or all",
                  text, part, nearestNames(part, names, 1).front(), listOf(llvm::ArrayRef(names).drop_front(2)))
              .str());
    units |= *unit;
  }
  return llvm::Error::success();
}

static llvm::Error unknownKey(llvm::StringRef key) {
  llvm::SmallVector<llvm::StringRef> names = {"dataflow", "units"};
  for (const IntegerKey &entry : kIntegers)
    names.push_back(entry.key);
  for (const RealKey &entry : kReals)
    names.push_back(entry.key);
  return llvm::createStringError(formatv("a systolic array has no '{0}'; did you mean '{1}'? The keys are {2}", key,
                                         nearestNames(key, names, 1).front(), listOf(names))
                                     .str());
}

static llvm::Error setKey(Config &config, llvm::StringRef key, llvm::StringRef value) {
  if (const IntegerKey *entry = llvm::find_if(kIntegers, [&](const IntegerKey &e) { return e.key == key; });
      entry != std::end(kIntegers)) {
    if (value.getAsInteger(10, config.*entry->member))
      return llvm::createStringError(
          formatv("{0}={1}: write a number from {2} to {3}", key, value, entry->least, entry->most).str());
    return llvm::Error::success();
  }
  if (const RealKey *entry = llvm::find_if(kReals, [&](const RealKey &e) { return e.key == key; });
      entry != std::end(kReals)) {
    if (value.getAsDouble(config.*entry->member))
      return llvm::createStringError(formatv("{0}={1}: write picojoules, e.g. 1.25", key, value).str());
    return llvm::Error::success();
  }
  if (key == "units")
    return parseUnits(value, config.units);
  if (key != "dataflow")
    return unknownKey(key);
  if (value != "ws" && value != "os")
    return llvm::createStringError(formatv("dataflow={0}: write ws (weights stay) or os (sums stay)", value).str());
  config.dataflow = value == "ws" ? Dataflow::WeightStationary : Dataflow::OutputStationary;
  return llvm::Error::success();
}

/// What follows the array's size where the preset has it so and it is not given.
static void followSize(Config &config, const Config &preset, bool streamRowsGiven, bool unitLanesGiven) {
  if (!streamRowsGiven && preset.streamRows == preset.rows)
    config.streamRows = config.rows;
  if (!unitLanesGiven && preset.unitLanes == preset.cols)
    config.unitLanes = config.cols;
}

double Config::measuredMacPicojoules(int64_t bits, Dataflow dataflow) {
  const ElementCost &cost = elementCost(bits, dataflow);
  return cost.picojoules / static_cast<double>(cost.bits * cost.bits);
}

llvm::Expected<Config> Config::parse(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',');
  llvm::ArrayRef<llvm::StringRef> rest = parts;
  Config preset;
  if (llvm::StringRef first = rest.front().trim(); !first.contains('=')) {
    llvm::Expected<Config> named = presetNamed(first);
    if (!named)
      return named.takeError();
    preset = std::move(*named);
    rest = rest.drop_front();
  }
  Config config = preset;
  llvm::SmallSet<llvm::StringRef, 16> given;
  for (llvm::StringRef part : rest) {
    auto [key, value] = part.split('=');
    key = key.trim();
    value = value.trim();
    if (!part.contains('='))
      return llvm::createStringError(
          formatv("'{0}' of '{1}' is not of the form KEY=VALUE (a preset comes first)", part, text).str());
    if (llvm::Error error = setKey(config, key, value))
      return error;
    if (!given.insert(key).second)
      return llvm::createStringError(formatv("'{0}' is given twice in '{1}'", key, text).str());
  }
  followSize(config, preset, given.contains("stream-rows"), given.contains("unit-lanes"));
  if (!given.contains("mac-pj"))
    config.macPicojoules = measuredMacPicojoules(config.bits, config.dataflow);
  if (llvm::Error error = config.validate())
    return error;
  return config;
}

std::string Config::str(bool all) const {
  Config base;
  if (llvm::Expected<Config> named = presetNamed(preset))
    base = std::move(*named);
  else
    llvm::consumeError(named.takeError());
  std::string text = base.preset;
  Config follows = base;
  follows.rows = rows;
  follows.cols = cols;
  followSize(follows, base, false, false);
  follows.macPicojoules = measuredMacPicojoules(bits, dataflow);
  for (const IntegerKey &entry : kIntegers) {
    const bool isSize = entry.member == &Config::rows || entry.member == &Config::cols;
    if (all || this->*entry.member != (isSize ? base : follows).*entry.member)
      text += formatv(",{0}={1}", entry.key, this->*entry.member).str();
    if (entry.member == &Config::cols && (all || dataflow != base.dataflow))
      text += dataflow == Dataflow::WeightStationary ? ",dataflow=ws" : ",dataflow=os";
    if (entry.member == &Config::executeQueue && (all || units != base.units))
      text += ",units=" + unitsText(units);
  }
  for (const RealKey &entry : kReals)
    if (all || this->*entry.member != follows.*entry.member) {
      // The fewest digits that are read as the same number.
      std::array<char, 32> digits;
      const char *end = std::to_chars(digits.begin(), digits.end(), this->*entry.member).ptr;
      text += formatv(",{0}={1}", entry.key, llvm::StringRef(digits.data(), end - digits.data())).str();
    }
  return text;
}

/// Rules that concern one key each.
static llvm::Error validateKeys(const Config &config) {
  for (const IntegerKey &entry : kIntegers)
    if (config.*entry.member < entry.least || config.*entry.member > entry.most)
      return llvm::createStringError(
          formatv("{0}={1}: must be {2} to {3}", entry.key, config.*entry.member, entry.least, entry.most).str());
  for (const RealKey &entry : kReals)
    if (!std::isfinite(config.*entry.member) || config.*entry.member < 0 || config.*entry.member > 1e9)
      return llvm::createStringError(
          formatv("{0}={1}: picojoules must be 0 to 1e9", entry.key, config.*entry.member).str());
  if (!llvm::is_contained({2, 3, 4, 8}, config.bits))
    return llvm::createStringError(
        formatv("bits={0}: the operands of an element have 2, 3, 4 or 8 bits", config.bits).str());
  for (auto [key, value] :
       {std::pair("dma-bytes", config.dmaBytes), std::pair("dma-request-bytes", config.dmaRequestBytes)})
    if (!llvm::isPowerOf2_64(static_cast<uint64_t>(value)))
      return llvm::createStringError(formatv("{0}={1}: must be a power of two", key, value).str());
  if (config.units & ~kAllUnits)
    return llvm::createStringError(formatv("units: {0:x} has bits that are no units", config.units).str());
  return llvm::Error::success();
}

llvm::Error Config::validate() const {
  if (llvm::Expected<Config> named = presetNamed(preset); !named)
    return named.takeError();
  if (llvm::Error error = validateKeys(*this))
    return error;
  if (dmaRequestBytes < dmaBytes)
    return llvm::createStringError(
        formatv("dma-request-bytes={0}: a request must fill the DMA's {1} bytes a cycle (dma-bytes) at least once",
                dmaRequestBytes, dmaBytes)
            .str());
  if (blockTiles * width() > 65535)
    return llvm::createStringError(
        formatv("block-tiles={0}: {0} tiles of {1} columns are more than the 65535 that an instruction can name",
                blockTiles, width())
            .str());
  // One tile must fit: a stationary and a streamed operand, and the sums.
  if (scratchpadSize() < width() + tileRows())
    return llvm::createStringError(formatv("the scratchpad has {0} rows (scratchpad-banks * scratchpad-rows) and must "
                                           "hold one tile of each operand, {1} "
                                           "+ {2} rows: make it larger{3}",
                                           scratchpadSize(), width(), tileRows(),
                                           dataflow == Dataflow::WeightStationary ? " or stream-rows smaller" : "")
                                       .str());
  if (accumulatorSize() < tileRows())
    return llvm::createStringError(formatv("the accumulator memory has {0} rows (accumulator-banks * accumulator-rows) "
                                           "and must hold the {1} rows of a "
                                           "tile of sums: make it larger{2}",
                                           accumulatorSize(), tileRows(),
                                           dataflow == Dataflow::WeightStationary ? " or stream-rows smaller" : "")
                                       .str());
  if (scratchpadSize() * width() > kLargestMemory || accumulatorSize() * cols > kLargestMemory)
    return llvm::createStringError(
        formatv("the memories have {0} and {1} elements, more than the {2} each that a simulation holds",
                scratchpadSize() * width(), accumulatorSize() * cols, kLargestMemory)
            .str());
  return llvm::Error::success();
}
