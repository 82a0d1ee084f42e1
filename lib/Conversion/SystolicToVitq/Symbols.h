//===- Symbols.h - What rows of memory hold -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_SYSTOLICTOVITQ_SYMBOLS_H
#define VITQ_LIB_CONVERSION_SYSTOLICTOVITQ_SYMBOLS_H

#include "vitq/Simulator/Config.h"
#include "vitq/Simulator/Instruction.h"

#include "llvm/ADT/FunctionExtras.h"

#include <optional>
#include <string>
#include <vector>

namespace vitq::systolic {

/// `count` elements of an operand of the launch that follow each other in DRAM, from byte, or packed element,
/// `offset` on; bits `plane * Config::bits` on of each. Nothing if count is 0.
struct Elements {
  uint8_t operand = 0;
  uint8_t plane = 0;
  uint32_t count = 0;
  int64_t offset = 0;
  bool operator==(const Elements &) const = default;
};

/// A tile that was preloaded (or streams through an output-stationary array): element [k][n] is
/// that at `offset + k * kStride + n * nStride`.
struct RightTile {
  uint8_t operand = 0, plane = 0;
  bool isUnsigned = false, transposed = false;
  int64_t offset = 0, kStride = 0, nStride = 0, k = 0, n = 0;
};

/// One row of products added to a row of sums.
struct Term {
  Elements lhs;
  RightTile rhs;
  uint8_t shift = 0;
  bool lhsUnsigned = false;
};

/// A row of the accumulator: what it began with, and what was added.
struct Sums {
  /// Not written yet; zero (the first compute wrote); or elements of a bias.
  enum class Start { Nothing, Zero, Bias } start = Start::Nothing;
  Elements bias;
  std::vector<Term> terms;
};

/// Rows of sums that left the accumulator, in one way or the other.
struct StoredRow {
  /// To DRAM.
  uint8_t operand = 0;
  int64_t offset = 0;
  /// Or to units.
  bool toUnits = false;
  int64_t row = 0, channel = 0;
  int64_t cols = 0;
  bool scaled = false, relu = false;
  uint8_t shift = 0;
  /// Null for rows that units read from DRAM.
  const Sums *sums = nullptr;
};

/// Runs instructions on symbols and shows every row that is stored, or read by units, to
/// `see`. Both give an error message ("" if there is none), which the caller completes with the
/// instruction's number.
class SymbolMachine {
public:
  using See = llvm::unique_function<std::string(const StoredRow &)>;
  SymbolMachine(const simulator::Config &config, See see);

  std::string next(const simulator::Instruction &instruction);

private:
  std::string moveIn(const simulator::Instruction &i);
  std::string moveInSums(const simulator::Instruction &i);
  std::string preload(const simulator::Instruction &i);
  std::string compute(const simulator::Instruction &i);
  std::string moveOut(const simulator::Instruction &i);
  std::string units(const simulator::Instruction &i);
  std::string rightTile(uint32_t local, int64_t rows, int64_t cols, bool transposed, RightTile &tile) const;
  std::string add(uint32_t row, Term term, bool accumulate);

  const simulator::Config &config;
  See see;
  std::vector<Elements> scratchpad;
  std::vector<Sums> accumulator;
  /// The last preload, and the weights in the array.
  std::optional<simulator::Instruction> preloaded;
  std::optional<RightTile> named, weights;
  /// Of an output-stationary array: terms of each row since `Fresh`.
  std::vector<std::vector<Term>> inArray;
};

} // namespace vitq::systolic

#endif // VITQ_LIB_CONVERSION_SYSTOLICTOVITQ_SYMBOLS_H
