//===- Profile.cpp - Where the time of a program goes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Runner/Profile.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/Format.h"

using namespace vitq::runner;

double Profile::total() const {
  double sum = 0;
  for (const StepTime &step : steps)
    sum += step.median;
  return sum;
}

std::vector<StepTime> Profile::kinds() const {
  llvm::MapVector<llvm::StringRef, StepTime> sums;
  for (const StepTime &step : steps) {
    auto [entry, isNew] = sums.try_emplace(step.op);
    StepTime &sum = entry->second;
    sum.op = step.op;
    sum.steps = isNew ? 1 : sum.steps + 1;
    sum.median += step.median;
    sum.share += step.share;
    if (step.limit)
      sum.limit = sum.limit.value_or(0) + *step.limit;
  }
  std::vector<StepTime> sorted;
  for (auto &[op, sum] : sums)
    sorted.push_back(sum);
  llvm::sort(sorted, [](const StepTime &a, const StepTime &b) {
    return std::make_pair(-a.median, llvm::StringRef(a.op)) < std::make_pair(-b.median, llvm::StringRef(b.op));
  });
  return sorted;
}

//===----------------------------------------------------------------------===//
// Output
//===----------------------------------------------------------------------===//

static llvm::json::Object toJSON(const StepTime &time) {
  return llvm::json::Object{{"op", time.op},
                            {"us_median", time.median},
                            {"limit_us", time.limit ? llvm::json::Value(*time.limit) : nullptr},
                            {"share", time.share}};
}

llvm::json::Value Profile::toJSON() const {
  llvm::json::Array all, sums;
  for (const StepTime &step : steps) {
    llvm::json::Object entry = ::toJSON(step);
    entry["kernel"] = step.kernel;
    entry["node"] = step.node;
    all.push_back(std::move(entry));
  }
  for (const StepTime &kind : kinds()) {
    llvm::json::Object entry = ::toJSON(kind);
    entry["steps"] = kind.steps;
    sums.push_back(std::move(entry));
  }
  return llvm::json::Object{
      {"runs", runs}, {"us_total", total()}, {"steps", std::move(all)}, {"kinds", std::move(sums)}};
}

/// The end of a name, in `width` columns.
static std::string column(llvm::StringRef name, size_t width) {
  std::string text = name.size() >= width ? ".." + name.take_back(width - 3).str() : name.str();
  return text + std::string(width - text.size(), ' ');
}

static void printTimes(const StepTime &time, llvm::raw_ostream &os) {
  os << llvm::format("%10.2f", time.median);
  if (time.limit)
    os << llvm::format("%10.2f", *time.limit);
  else
    os << llvm::right_justify("-", 10);
  if (time.limit && *time.limit > 0)
    os << llvm::format("%9.2f", time.median / *time.limit);
  else
    os << llvm::right_justify("-", 9);
  os << llvm::format("%8.2f %%", time.share) << "\n";
}

static void printHead(llvm::raw_ostream &os) {
  os << llvm::right_justify("median us", 10) << llvm::right_justify("limit us", 10) << llvm::right_justify("/ limit", 9)
     << llvm::right_justify("share", 10) << "\n";
}

void Profile::print(llvm::raw_ostream &os) const {
  os << "Step by step, in one thread, " << runs << " runs\n" << column("node", 44) << column("op", 46);
  printHead(os);
  for (const StepTime &step : steps) {
    os << column(step.node, 44) << column(step.op, 46);
    printTimes(step, os);
  }
  os << "\nBy kind of op\n" << column("op", 82) << llvm::right_justify("steps", 8);
  printHead(os);
  for (const StepTime &kind : kinds()) {
    os << column(kind.op, 82) << llvm::right_justify(std::to_string(kind.steps), 8);
    printTimes(kind, os);
  }
}
