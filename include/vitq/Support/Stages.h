//===- Stages.h - What the stages of a compilation cost -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_SUPPORT_STAGES_H
#define VITQ_SUPPORT_STAGES_H

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace vitq {

/// What one stage cost, or all that have the same name.
struct StageCost {
  std::string name;
  double seconds = 0;
  /// Memory that the process had after it, and what it added to the most that the
  /// process ever had; 0 where the system does not say.
  int64_t residentBytes = 0, peakGrowthBytes = 0;
};

/// Collects the costs of the stages that begin on this thread while it exists. Without
/// one, stages cost nothing.
class StageRecorder {
public:
  StageRecorder();
  ~StageRecorder();
  StageRecorder(const StageRecorder &) = delete;
  StageRecorder &operator=(const StageRecorder &) = delete;

  /// The recorder of this thread; null if there is none.
  static StageRecorder *current();

  /// In the order in which they first ended.
  const std::vector<StageCost> &stages() const { return costs; }
  void add(const StageCost &cost);

private:
  StageRecorder *outer;
  std::vector<StageCost> costs;
};

/// A stage: from its construction to its end.
class Stage {
public:
  explicit Stage(llvm::StringRef name);
  ~Stage();
  Stage(const Stage &) = delete;
  Stage &operator=(const Stage &) = delete;

private:
  StageRecorder *recorder;
  std::string name;
  std::chrono::steady_clock::time_point start;
  int64_t peak = 0;
};

} // namespace vitq

#endif // VITQ_SUPPORT_STAGES_H
