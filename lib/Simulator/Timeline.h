//===- Timeline.h - Lanes of a timeline -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_TIMELINE_H
#define VITQ_LIB_SIMULATOR_TIMELINE_H

#include "vitq/Simulator/Simulator.h"

namespace vitq::simulator {

inline constexpr unsigned kNumLanes = 4;
inline constexpr llvm::StringLiteral kLaneNames[kNumLanes] = {"load", "execute", "store", "units"};

/// The opcode's name in assembly.
llvm::StringRef opcodeName(Opcode opcode);

/// Events of a lane overlap: a move's data are on their way while the next one sends its
/// requests. Gives each event the first of its lane's rows that is free.
class RowsOfLanes {
public:
  unsigned rowOf(const TimelineEvent &event) {
    std::vector<uint64_t> &ends = lanes[static_cast<unsigned>(event.lane)];
    unsigned row = 0;
    while (row < ends.size() && ends[row] > event.start)
      ++row;
    if (row == ends.size())
      ends.push_back(0);
    ends[row] = event.end;
    return row;
  }
  size_t rows(unsigned lane) const { return lanes[lane].size(); }

private:
  std::vector<uint64_t> lanes[kNumLanes];
};

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_TIMELINE_H
