//===- Stages.cpp - What the stages of a compilation cost -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Support/Stages.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <sys/resource.h>
#include <unistd.h>

using namespace vitq;

static thread_local StageRecorder *recorderOfThread = nullptr;

/// Bytes of this process in memory now.
static int64_t residentBytes() {
  // Its second number counts pages.
  auto text = llvm::MemoryBuffer::getFileAsStream("/proc/self/statm");
  int64_t pages = 0;
  if (!text || (*text)->getBuffer().split(' ').second.split(' ').first.getAsInteger(10, pages))
    return 0;
  return pages * sysconf(_SC_PAGESIZE);
}

/// The most that it ever had.
static int64_t peakBytes() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<int64_t>(usage.ru_maxrss) * 1024 : 0;
}

StageRecorder::StageRecorder() : outer(recorderOfThread) { recorderOfThread = this; }
StageRecorder::~StageRecorder() { recorderOfThread = outer; }
StageRecorder *StageRecorder::current() { return recorderOfThread; }

void StageRecorder::add(const StageCost &cost) {
  auto known = llvm::find_if(costs, [&](const StageCost &other) { return other.name == cost.name; });
  if (known == costs.end()) {
    costs.push_back(cost);
    return;
  }
  known->seconds += cost.seconds;
  known->residentBytes = std::max(known->residentBytes, cost.residentBytes);
  known->peakGrowthBytes += cost.peakGrowthBytes;
}

Stage::Stage(llvm::StringRef name) : recorder(StageRecorder::current()) {
  if (!recorder)
    return;
  this->name = name.str();
  peak = peakBytes();
  start = std::chrono::steady_clock::now();
}

Stage::~Stage() {
  if (!recorder)
    return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  recorder->add({name, seconds, residentBytes(), peakBytes() - peak});
}
