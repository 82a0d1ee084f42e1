//===- ProductCost.cpp - What a product costs on a CPU ----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Isa/ProductCost.h"

#include "vitq/Numerics/Bounds.h"

#include <algorithm>

using namespace vitq;

/// Of a requantization in lanes of 32 bits, as in NonlinearCost.cpp.
static constexpr double kRequantization = 12;
/// What comes from memory while an operation is computed, per core.
static constexpr double kBytesPerOperation = 1;

static double productsOf(const DotInstruction &dot) { return static_cast<double>(dot.lanes) * dot.group; }

/// What multiplies two registers of tiles takes so many operations' time.
static constexpr double kTileOperations = 16;

/// Operations for a multiply-accumulate whose sums have 32 bits at once.
static double longSums(const DotInstruction &dot) { return (dot.accumulates ? 1 : 2) / productsOf(dot); }

/// The same for sums of 16 bits, as many groups at a time as the operands' ranges leave room for; as `longSums` where
/// there is none.
static double shortSums(const ProductWork &work, const Isa &isa) {
  const ShortDot &instruction = isa.shortDot;
  const DotInstruction &dot = instruction.dot;
  // As Geometry chooses: matrices where there is more than one row, tiles where there are more than in vectors.
  const int64_t rows = work.m * (work.hasWeights ? work.batch : 1);
  if (const TileRegisters &tiles = isa.tileRegisters; tiles && rows > isa.tileRows)
    return kTileOperations / (static_cast<double>(tiles.rows) * tiles.groups * 64);
  const bool hasMatrices = isa.unsignedMatrices.group && rows > 1;
  const double otherwise = longSums(hasMatrices ? isa.unsignedMatrices : isa.dot8);
  if (!dot.group)
    return otherwise;
  const numerics::Interval left = numerics::codeRange(static_cast<int>(work.lhsBits), /*isSigned=*/!dot.unsignedLhs),
                           right = numerics::codeRange(static_cast<int>(work.rhsBits), /*isSigned=*/true);
  const int64_t steps = numerics::shortSumSteps(right, work.k, left.min, left.max, dot.group);
  if (steps == 0 || (steps == 1 && instruction.tileRows == 0))
    return otherwise;
  // The product, its addition to the others of a run, and of each run what brings it to 32 bits and adds it.
  const double runs = 1 / static_cast<double>(steps);
  return std::min(otherwise, (1 + (1 - runs) + 2 * runs) / productsOf(dot));
}

double vitq::productCost(const ProductWork &work, const TargetDesc &target) {
  const double macs = static_cast<double>(work.macs());
  const double products = macs * shortSums(work, *target.isa);
  const double lanes = target.variableShifts ? target.vectorBits / 32.0 : 1;
  const double results = static_cast<double>(work.batch * work.m * work.n) * kRequantization / lanes;
  const bool isOneRow = work.hasWeights && work.batch * work.m == 1;
  const double bytes = isOneRow ? macs * work.rhsBits / 8 : 0;
  return std::max(products, bytes / kBytesPerOperation) + results;
}
