//===- HardwareCosts.h - What the array's parts cost in gates -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Measured on rtl/ by benchmarks/hardware_cost.py, which writes lib/Simulator/HardwareCosts.inc. That file names the
// tools and the cells.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SIMULATOR_HARDWARECOSTS_H
#define VITQ_SIMULATOR_HARDWARECOSTS_H

#include "vitq/Simulator/Config.h"

namespace vitq::simulator {

/// A processing element, with registers for what passes through it.
struct ElementCost {
  int64_t bits = 0;
  bool sumsStay = false;
  /// Square micrometres of 0.18 um cells with 32-bit sums, and of each bit of the sum.
  double area = 0, areaOfSumBit = 0;
  /// Picojoules of a multiply-accumulate with 32-bit sums, brought to 45 nm.
  double picojoules = 0;
};

/// Of elements of at least so many bits; of 8, if there are none.
const ElementCost &elementCost(int64_t bits, Dataflow dataflow);

/// Square millimetres of 0.18 um cells. Memories, DMA and control are in neither.
struct ArrayArea {
  double elements = 0, units = 0;
  /// Units of the configuration whose area was not measured, and is not in `units`.
  uint32_t unmeasured = 0;
};
ArrayArea areaOf(const Config &config);

} // namespace vitq::simulator

#endif // VITQ_SIMULATOR_HARDWARECOSTS_H
