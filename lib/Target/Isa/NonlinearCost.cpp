//===- NonlinearCost.cpp - What a nonlinear function costs on a CPU -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Isa/NonlinearCost.h"

using namespace vitq;

namespace {

/// Operations per element of the parts that algorithms are made of.
class Costs {
public:
  explicit Costs(const TargetDesc &target) : target(target) {}

  /// Lanes of 32 bits that are computed at once.
  double lanes() const { return target.variableShifts ? target.vectorBits / 32.0 : 1; }

  /// One of 256 bytes.
  double byteTable() const {
    switch (target.byteLookup) {
    case ByteLookup::Scalar:
      return 3;
    case ByteLookup::Shuffle16: // 16 shuffles, comparisons and blends for 16 or 32 codes
      return 40.0 / (target.vectorBits / 8.0);
    case ByteLookup::Table64: // four lookups for 16 codes
      return 8.0 / 16;
    case ByteLookup::Permute128: // two permutations of two registers and a blend for 64
      return 6.0 / 64;
    }
    return 3;
  }
  /// A requantization in 32-bit lanes, with the widening and narrowing around it.
  double requantization() const { return 12 / lanes(); }
  /// Breakpoints are compared in the width of the codes and counted; slope and intercept
  /// are permuted out of one register, or two and a selection. Without such registers a
  /// comparison and two selections for each breakpoint. Then a product and a sum.
  double lines(int64_t entries, unsigned inputBits) const {
    const auto points = static_cast<double>(entries - 1), count = static_cast<double>(entries);
    if (!target.permuteWords || count > 2 * lanes())
      return (3 * points + 2) / lanes();
    return 2 * points / (lanes() * 32 / inputBits) + (count > lanes() ? 11 : 6) / lanes();
  }
  /// Two loads of neighbours for each lane, inserted one by one; then the line.
  double interpolation() const { return 5 + 16 / lanes(); }

private:
  const TargetDesc &target;
};

double elementwise(const AlgorithmSpec &spec, unsigned inputBits, const Costs &costs) {
  switch (spec.kind) {
  case vit::Algorithm::Lut:
    return costs.lines(spec.entries, inputBits) + costs.requantization();
  case vit::Algorithm::Poly:
    return 9 / costs.lanes() + costs.requantization();
  case vit::Algorithm::Shift:
  case vit::Algorithm::IVit:
    // The row's maximum first; then the table that belongs to it, of 16-bit products
    // that are brought to the channels' scales.
    return 1 / (4 * costs.lanes()) + 2 * costs.byteTable() + costs.requantization();
  case vit::Algorithm::Table:
  case vit::Algorithm::Log2:
    break;
  }
  return inputBits == 8 ? costs.byteTable() : costs.interpolation();
}

/// Distances to the maximum are codes of 8 bits, whose exponentials are a table
/// whatever they are computed by.
double softmax(const AlgorithmSpec &spec, const Costs &costs) {
  const double codes = 1 / costs.lanes() + costs.requantization() + costs.byteTable();
  // Powers of two have 16 bits: two tables, and a product at half the rate for them,
  // of which 64 columns are typical.
  if (spec.kind == vit::Algorithm::Log2)
    return codes + costs.byteTable() + 64 / (8 * costs.lanes());
  return codes;
}

/// Mean, squares and the affine step are the same; roots and divisions are one a row.
double layerNorm(const AlgorithmSpec &spec, const Costs &costs) {
  const double common = 6 / costs.lanes() + 2 * costs.requantization();
  // A product of 64 bits for each element.
  return spec.kind == vit::Algorithm::Shift || spec.kind == vit::Algorithm::IVit ? common + 8 / costs.lanes() : common;
}

} // namespace

double vitq::nonlinearCost(llvm::StringRef function, const AlgorithmSpec &spec, unsigned inputBits,
                           const TargetDesc &target) {
  const Costs costs(target);
  if (function == "softmax")
    return softmax(spec, costs);
  if (function == "layer_norm")
    return layerNorm(spec, costs);
  return elementwise(spec, inputBits, costs);
}
