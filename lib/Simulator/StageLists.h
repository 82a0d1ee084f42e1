//===- StageLists.h - Stages as lists of integers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_STAGELISTS_H
#define VITQ_LIB_SIMULATOR_STAGELISTS_H

#include "vitq/Simulator/Stages.h"

namespace vitq::simulator {

inline constexpr unsigned kNumStageKinds = std::variant_size_v<Stage>;

/// A stage as files and assembly have it: the number of its kind, then of its fields all that are
/// numbers, and all that are arrays.
struct StageLists {
  unsigned kind = 0;
  std::vector<int64_t> numbers;
  std::vector<std::vector<int64_t>> arrays;
};

StageLists listsOf(const Stage &stage);

/// Errors begin with the kind's name: counts that do not fit, entries that the field does not hold.
/// The kind is one of kNumStageKinds.
llvm::Expected<Stage> stageFromLists(const StageLists &lists);

/// By number.
llvm::StringRef nameOfStage(unsigned kind);

/// Passes over a row that a program takes.
int64_t passesOf(llvm::ArrayRef<Stage> stages);

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_STAGELISTS_H
