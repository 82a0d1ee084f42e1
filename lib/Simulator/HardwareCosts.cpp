//===- HardwareCosts.cpp - What the array's parts cost in gates -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/HardwareCosts.h"

using namespace vitq;
using namespace vitq::simulator;

namespace {

struct UnitCost {
  Unit unit;
  /// Square micrometres, once and for each lane.
  double once, lane;
};

} // namespace

// By rising bits.
static constexpr ElementCost kElements[] = {
#define ELEMENT_COST(BITS, SUMS_STAY, AREA, AREA_OF_SUM_BIT, PICOJOULES)                                               \
  {BITS, SUMS_STAY, AREA, AREA_OF_SUM_BIT, PICOJOULES},
#include "HardwareCosts.inc"
};

static constexpr UnitCost kUnits[] = {
#define UNIT_COST(UNIT, ONCE, LANE) {Unit##UNIT, ONCE, LANE},
#include "HardwareCosts.inc"
};

const ElementCost &simulator::elementCost(int64_t bits, Dataflow dataflow) {
  const bool sumsStay = dataflow == Dataflow::OutputStationary;
  const ElementCost *found = nullptr;
  for (const ElementCost &cost : kElements)
    if (cost.sumsStay == sumsStay && (!found || found->bits < bits))
      found = &cost;
  return *found;
}

ArrayArea simulator::areaOf(const Config &config) {
  const ElementCost &cost = elementCost(config.bits, config.dataflow);
  const double element = cost.area - static_cast<double>(32 - config.accumulatorBits) * cost.areaOfSumBit;
  ArrayArea area;
  area.elements = static_cast<double>(config.rows * config.cols) * element * 1e-6;
  area.unmeasured = config.units;
  for (const UnitCost &unit : kUnits)
    if (config.has(unit.unit)) {
      area.units += (unit.once + static_cast<double>(config.unitLanes) * unit.lane) * 1e-6;
      area.unmeasured &= ~uint32_t(unit.unit);
    }
  return area;
}
