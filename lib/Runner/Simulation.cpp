//===- Simulation.cpp - Where the cycles of an array's program go -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/Simulation.h"

#include "vitq/Support/AtomicFile.h"
#include "vitq/Support/NearestNames.h"
#include "vitq/Support/Progress.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Format.h"

#include <tuple>

using namespace vitq;
using namespace vitq::runner;
using simulator::Counters;
using simulator::LaunchKind;

Simulation::Simulation(const simulator::Program &program) : config(program.config), launches(program.launches) {
  Progress progress("timing the array, launches", program.launches.size());
  size_t shown = 0;
  times = simulator::simulateTiming(program, [&](size_t done, size_t) {
    progress.advance(done - shown);
    shown = done;
  });
}

bool Simulation::hasKind(LaunchKind kind) const {
  return llvm::any_of(launches, [&](const simulator::Launch &launch) { return launch.kind == kind; });
}

std::optional<double> Simulation::linearUtilization() const {
  return hasKind(LaunchKind::Linear) ? std::optional(100 * times.linearUtilization) : std::nullopt;
}

std::optional<double> Simulation::attentionUtilization() const {
  return hasKind(LaunchKind::Attention) ? std::optional(100 * times.attentionUtilization) : std::nullopt;
}

static std::optional<double> ratio(uint64_t cycles, uint64_t roofline) {
  return roofline ? std::optional(static_cast<double>(cycles) / static_cast<double>(roofline)) : std::nullopt;
}

std::optional<double> Simulation::cyclesOverRoofline() const {
  uint64_t least = 0;
  for (uint64_t roofline : times.roofline)
    least += roofline;
  return ratio(times.total.cycles, least);
}

llvm::Expected<uint32_t> Simulation::findLaunch(llvm::StringRef text) const {
  const auto count = static_cast<uint32_t>(launches.size());
  if (count == 0)
    return llvm::createStringError("the program has no launches");
  uint32_t number;
  if (!text.getAsInteger(10, number)) {
    if (number >= count)
      return llvm::createStringError("--launch: there is no launch " + llvm::Twine(number) + "; the program has 0 to " +
                                     llvm::Twine(count - 1));
    return number;
  }
  std::optional<uint32_t> longest;
  llvm::StringSet<> seen;
  std::vector<llvm::StringRef> names;
  for (uint32_t i = 0; i < count; ++i) {
    llvm::StringRef node = launches[i].node;
    if (seen.insert(node).second)
      names.push_back(node);
    const bool matches = text.empty() || node == text;
    if (matches && (!longest || times.launches[i].cycles > times.launches[*longest].cycles))
      longest = i;
  }
  if (longest)
    return *longest;
  return llvm::createStringError("--launch: no launch is of a node '" + text + "'; the nearest are '" +
                                 llvm::join(nearestNames(text, names, 3), "', '") + "'");
}

LaunchFigures Simulation::figuresOf(size_t launch) const {
  const simulator::Launch &own = launches[launch];
  return {own.node, own.op, 1, times.roofline[launch], times.launches[launch]};
}

std::vector<LaunchFigures> Simulation::kinds() const {
  llvm::MapVector<llvm::StringRef, LaunchFigures> sums;
  for (size_t i = 0; i < launches.size(); ++i) {
    LaunchFigures row = figuresOf(i);
    auto [entry, isNew] = sums.try_emplace(launches[i].op, row);
    if (isNew) {
      entry->second.node.clear();
      continue;
    }
    LaunchFigures &sum = entry->second;
    sum.launches += 1;
    sum.roofline += row.roofline;
    sum.counters += row.counters;
  }
  std::vector<LaunchFigures> sorted;
  for (auto &[op, sum] : sums)
    sorted.push_back(sum);
  llvm::sort(sorted, [](const LaunchFigures &a, const LaunchFigures &b) {
    return std::tie(b.counters.cycles, a.op) < std::tie(a.counters.cycles, b.op);
  });
  return sorted;
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static llvm::json::Value orNull(std::optional<double> value) {
  return value ? llvm::json::Value(*value) : llvm::json::Value(nullptr);
}

llvm::json::Object Simulation::toJSON(const LaunchFigures &row) const {
  llvm::json::Object entry = row.counters.toJSON();
  entry["op"] = llvm::json::fixUTF8(row.op);
  entry["utilization"] = 100 * row.counters.utilization(config);
  entry["roofline_cycles"] = static_cast<int64_t>(row.roofline);
  entry["cycles_over_roofline"] = orNull(ratio(row.counters.cycles, row.roofline));
  return entry;
}

llvm::json::Value Simulation::toJSON() const {
  llvm::json::Array entries, sums;
  for (size_t i = 0; i < launches.size(); ++i) {
    LaunchFigures row = figuresOf(i);
    llvm::json::Object entry = toJSON(row);
    entry["launch"] = static_cast<int64_t>(i);
    entry["node"] = llvm::json::fixUTF8(row.node);
    entries.push_back(std::move(entry));
  }
  for (const LaunchFigures &row : kinds()) {
    llvm::json::Object entry = toJSON(row);
    entry["launches"] = static_cast<int64_t>(row.launches);
    sums.push_back(std::move(entry));
  }
  llvm::json::Object total = times.total.toJSON();
  return llvm::json::Object{{"array", config.str()},
                            {"total", std::move(total)},
                            {"launches", std::move(entries)},
                            {"kinds", std::move(sums)}};
}

/// The end of a name, in `width` columns.
static std::string column(llvm::StringRef name, size_t width) {
  std::string text = name.size() >= width ? ".." + name.take_back(width - 3).str() : name.str();
  return text + std::string(width - text.size(), ' ');
}

/// Ops without the names of their dialects.
static std::string shortOp(llvm::StringRef op) {
  llvm::SmallVector<llvm::StringRef> names;
  op.split(names, '+');
  for (llvm::StringRef &name : names)
    name.consume_front("vitq.");
  return llvm::join(names, "+");
}

static void printHead(llvm::raw_ostream &os) {
  for (auto [title, width] :
       {std::pair("cycles", 12), std::pair("useful", 9), std::pair("/ roof", 8), std::pair("wait load", 11),
        std::pair("wait store", 11), std::pair("ld wait ex", 11), std::pair("st wait ex", 11), std::pair("dma", 10),
        std::pair("queue", 10), std::pair("banks", 10), std::pair("KiB read", 10), std::pair("written", 10)})
    os << llvm::right_justify(title, width);
  os << "\n";
}

void Simulation::print(const LaunchFigures &row, llvm::raw_ostream &os) const {
  const Counters &c = row.counters;
  os << llvm::right_justify(std::to_string(c.cycles), 12) << llvm::format("%7.1f %%", 100 * c.utilization(config));
  if (std::optional<double> over = ratio(c.cycles, row.roofline))
    os << llvm::format("%8.2f", *over);
  else
    os << llvm::right_justify("-", 8);
  for (uint64_t waits : {c.executeWaitLoad, c.executeWaitStore, c.loadWaitExecute, c.storeWaitExecute})
    os << llvm::right_justify(std::to_string(waits), 11);
  for (uint64_t waits : {c.dmaWait, c.queueFull, c.bankConflicts})
    os << llvm::right_justify(std::to_string(waits), 10);
  for (uint64_t bytes : {c.bytesRead, c.bytesWritten})
    os << llvm::format("%10.1f", static_cast<double>(bytes) / 1024);
  os << "\n";
}

void Simulation::print(llvm::raw_ostream &os) const {
  os << "Launch by launch, cycles of systolic:" << config.str() << "\n"
     << column("launch", 8) << column("node", 44) << column("op", 34);
  printHead(os);
  for (size_t i = 0; i < launches.size(); ++i) {
    const LaunchFigures row = figuresOf(i);
    os << column(std::to_string(i), 8) << column(row.node, 44) << column(shortOp(row.op), 34);
    print(row, os);
  }
  os << "\nBy kind of op\n" << column("op", 76) << llvm::right_justify("launches", 10);
  printHead(os);
  for (const LaunchFigures &row : kinds()) {
    os << column(shortOp(row.op), 76) << llvm::right_justify(std::to_string(row.launches), 10);
    print(row, os);
  }
}

//===----------------------------------------------------------------------===//
// Timelines
//===----------------------------------------------------------------------===//

llvm::Error runner::checkTimelinePath(llvm::StringRef path) {
  if (path.ends_with(".json") || path.ends_with(".svg"))
    return checkWritable(path);
  return llvm::createStringError("--timeline: '" + path +
                                 "' must end in .json (for chrome://tracing or Perfetto) or .svg (a picture)");
}

llvm::Error runner::writeTimeline(const simulator::Program &program, uint32_t launch, llvm::StringRef path) {
  std::vector<simulator::TimelineEvent> events;
  const Counters counters = simulator::simulateTiming(program, launch, &events);
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) {
    if (path.ends_with(".svg"))
      simulator::writeTimelineSvg(os, program, launch, events, counters);
    else
      simulator::writeChromeTrace(os, program, launch, events);
    return llvm::Error::success();
  });
}
