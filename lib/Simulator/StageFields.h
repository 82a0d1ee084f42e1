//===- StageFields.h - What each kind of stage has -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_STAGEFIELDS_H
#define VITQ_LIB_SIMULATOR_STAGEFIELDS_H

#include "vitq/Numerics/PiecewiseLinear.h"
#include "vitq/Numerics/Requantize.h"
#include "vitq/Simulator/Units.h"

namespace vitq::simulator {

inline constexpr size_t kMaxStageArrays = 7;

/// Counts of a stage's numbers and arrays, which Units.h names.
struct StageFields {
  llvm::StringLiteral name;
  /// Fewest and most numbers, and most arrays; those missing at the end are empty.
  size_t fewestNumbers, mostNumbers, arrays;
  /// Bytes of an entry of each array as the unit holds it.
  int64_t arrayBytes[kMaxStageArrays];
  /// Times that the unit passes over a row.
  int64_t passes;
};
const StageFields &fieldsOf(StageKind kind);

/// Passes over a row that a program takes.
int64_t passesOf(llvm::ArrayRef<Stage> stages);

/// Number `i` of a stage, 0 if it has not so many.
inline int64_t numberOf(const Stage &stage, size_t i) { return i < stage.numbers.size() ? stage.numbers[i] : 0; }
inline llvm::ArrayRef<int64_t> arrayOf(const Stage &stage, size_t i) {
  return i < stage.arrays.size() ? llvm::ArrayRef<int64_t>(stage.arrays[i]) : llvm::ArrayRef<int64_t>();
}

/// Roundings are numbered as in numerics: half up, half even, half away, floor.
inline numerics::Rounding roundingOf(int64_t number) { return static_cast<numerics::Rounding>(number); }
static_assert(static_cast<int>(numerics::Rounding::HalfUp) == 0 &&
              static_cast<int>(numerics::Rounding::HalfEven) == 1 &&
              static_cast<int>(numerics::Rounding::HalfAway) == 2 && static_cast<int>(numerics::Rounding::Floor) == 3);

/// Arrays `first` to `first + 2`: breakpoints, slopes and intercepts.
inline numerics::PiecewiseLinear linesOf(const Stage &stage, size_t first) {
  auto narrow = [&](size_t i) {
    llvm::ArrayRef<int64_t> from = arrayOf(stage, i);
    return std::vector<int32_t>(from.begin(), from.end());
  };
  return {narrow(first), narrow(first + 1), narrow(first + 2)};
}

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_STAGEFIELDS_H
