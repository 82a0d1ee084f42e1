//===- Trace.cpp - Timelines as Chrome traces -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Timeline.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

using namespace vitq;
using namespace vitq::simulator;

/// Threads of a lane have numbers from a multiple of this on.
static constexpr unsigned kThreadsOfLane = 1000;

llvm::StringRef simulator::opcodeName(Opcode opcode) {
  static constexpr llvm::StringLiteral names[kNumOpcodes] = {"fence",   "mvin",  "mvin_acc", "preload",
                                                             "compute", "mvout", "units"};
  return names[static_cast<unsigned>(opcode)];
}

static void writeMetadata(llvm::json::OStream &json, llvm::StringRef kind, uint32_t process, unsigned thread,
                          llvm::function_ref<void()> arguments) {
  json.object([&] {
    json.attribute("ph", "M");
    json.attribute("name", kind);
    json.attribute("pid", process);
    json.attribute("tid", thread);
    json.attributeObject("args", arguments);
  });
}

void simulator::writeChromeTrace(llvm::raw_ostream &os, const Program &program, uint32_t number,
                                 llvm::ArrayRef<TimelineEvent> events) {
  const Launch &launch = program.launches[number];
  llvm::ArrayRef<Instruction> code = program.routines[launch.routine].code;
  llvm::json::OStream json(os);
  RowsOfLanes rows;
  auto writeEvent = [&](const TimelineEvent &event) {
    const unsigned thread = static_cast<unsigned>(event.lane) * kThreadsOfLane + rows.rowOf(event);
    json.object([&] {
      json.attribute("ph", "X");
      json.attribute("name", opcodeName(event.opcode));
      json.attribute("pid", number);
      json.attribute("tid", thread);
      json.attribute("ts", event.start);
      json.attribute("dur", event.end - event.start);
      json.attributeObject("args", [&] {
        json.attribute("number", event.index);
        json.attribute("instruction", llvm::json::fixUTF8(print(code[event.index])));
      });
    });
  };
  auto writeNames = [&] {
    const std::string name = "launch " + llvm::utostr(number) + ": " + launch.node + " (" + launch.op + ")";
    writeMetadata(json, "process_name", number, 0, [&] { json.attribute("name", llvm::json::fixUTF8(name)); });
    for (unsigned lane = 0; lane < kNumLanes; ++lane)
      for (unsigned row = 0; row < rows.rows(lane); ++row) {
        const unsigned thread = lane * kThreadsOfLane + row;
        const std::string title = kLaneNames[lane].str() + (row ? " " + llvm::utostr(row + 1) : "");
        writeMetadata(json, "thread_name", number, thread, [&] { json.attribute("name", title); });
        writeMetadata(json, "thread_sort_index", number, thread, [&] { json.attribute("sort_index", thread); });
      }
  };
  json.object([&] {
    json.attribute("displayTimeUnit", "ns");
    json.attributeArray("traceEvents", [&] {
      for (const TimelineEvent &event : events)
        writeEvent(event);
      writeNames();
    });
  });
  os << '\n';
}
