//===- Plan.h - Choosing how a product is cut -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_PLAN_H
#define VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_PLAN_H

#include "Routine.h"

#include "vitq/Simulator/Units.h"

namespace vitq::systolic {

/// A tiling with the cycles and the energy that it takes, and the cycles of the fixed heuristic.
struct Plan {
  Tiling tiling;
  uint64_t cycles = 0, fixedCycles = 0;
  double picojoules = 0;
};

/// The tiling that Gemmini's library chooses (tiled_matmul_auto in gemmini.h): as many tiles
/// as half of each memory holds, grown one dimension after the other.
Tiling fixedTiling(const Product &product, const simulator::Config &config);

/// Instructions that a product takes at least.
double leastInstructions(const Product &product, const simulator::Config &config);

/// The tiling with the fewest cycles: all that fit are compared by their traffic and
/// products, the best of them and the fixed one are simulated. Errors are diagnostics at
/// `loc`: not even one tile of each operand fits.
/// `units`: the unit program of a product that has one.
mlir::FailureOr<Plan> choosePlan(mlir::Location loc, const Product &product, const simulator::Config &config,
                                 const simulator::UnitProgram *units);

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_VITQTOSYSTOLIC_PLAN_H
