//===- Hazards.h - What an instruction has to wait for -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_HAZARDS_H
#define VITQ_LIB_SIMULATOR_HAZARDS_H

#include "vitq/Simulator/Config.h"
#include "vitq/Simulator/Instruction.h"

#include <vector>

namespace vitq::simulator {

enum class Queue : uint8_t { Load, Store, Execute };
inline constexpr unsigned kNumQueues = 3;
Queue queueOf(Opcode opcode);

/// An earlier instruction of another queue, by number; kNone if there is none.
struct Hazard {
  uint32_t instruction = kNone;
  /// Until it has read its local rows, or until it is done.
  bool untilRead = false;
};

/// Of an instruction: the last one of each kind of access that conflicts with it. All of
/// that kind before are over by then, since queues work in order.
struct Hazards {
  Hazard all[3];
  /// The preload that says where a compute's sums go.
  uint32_t preload = kNone;
};

/// The hazards of every instruction.
std::vector<Hazards> findHazards(const Config &config, llvm::ArrayRef<Instruction> code);

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_HAZARDS_H
