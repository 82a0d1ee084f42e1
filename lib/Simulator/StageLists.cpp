//===- StageLists.cpp - Stages as lists of integers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StageLists.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <array>
#include <limits>

using namespace vitq;
using namespace vitq::simulator;
using numerics::PiecewiseLinear;
using numerics::Rounding;

/// A stage of each kind, with nothing in it.
static const auto &emptyStages() {
  static const auto stages = []<size_t... I>(std::index_sequence<I...>) {
    return std::array<Stage, kNumStageKinds>{Stage(std::in_place_index<I>)...};
  }(std::make_index_sequence<kNumStageKinds>());
  return stages;
}

llvm::StringRef simulator::nameOfStage(unsigned kind) { return infoOf(emptyStages()[kind]).name; }

//===----------------------------------------------------------------------===//
// To lists
//===----------------------------------------------------------------------===//

namespace {

class ListWriter {
public:
  explicit ListWriter(StageLists &lists) : lists(lists) {}

  void operator()(llvm::StringRef, int64_t value) { lists.numbers.push_back(value); }
  void operator()(llvm::StringRef, Rounding value) { lists.numbers.push_back(static_cast<int64_t>(value)); }
  void operator()(llvm::StringRef, const OutputRange &range) {
    llvm::append_values(lists.numbers, range.zeroPoint, range.min, range.max);
  }
  template <typename T>
  void operator()(llvm::StringRef, Presence<T> presence) {
    lists.numbers.push_back(presence.optional.has_value());
  }
  template <typename T>
  void operator()(llvm::StringRef, Unusual<T> field) {
    if (field.number != field.usual)
      lists.numbers.push_back(field.number);
  }
  void operator()(llvm::StringRef, const Multipliers &dyadics) {
    std::vector<int64_t> multipliers, shifts;
    for (numerics::Dyadic dyadic : dyadics) {
      multipliers.push_back(dyadic.multiplier);
      shifts.push_back(dyadic.shift);
    }
    array(multipliers);
    array(shifts);
  }
  void operator()(llvm::StringRef, const PiecewiseLinear &lines) {
    array(lines.breakpoints);
    array(lines.slopes);
    array(lines.intercepts);
  }
  void operator()(llvm::StringRef what, const std::optional<PiecewiseLinear> &lines) {
    if (lines)
      (*this)(what, *lines);
  }
  template <typename T>
  void operator()(llvm::StringRef, const std::vector<T> &entries) {
    array(entries);
  }

private:
  template <typename T>
  void array(const std::vector<T> &entries) {
    lists.arrays.emplace_back(entries.begin(), entries.end());
  }

  StageLists &lists;
};

} // namespace

StageLists simulator::listsOf(const Stage &stage) {
  StageLists lists;
  lists.kind = static_cast<unsigned>(stage.index());
  std::visit([&](const auto &kind) { kind.fields(kind, ListWriter(lists)); }, stage);
  return lists;
}

//===----------------------------------------------------------------------===//
// From lists
//===----------------------------------------------------------------------===//

namespace {

/// Takes numbers and arrays in order; those that there are not read as 0 and empty, which the
/// counts show in the end. Keeps the first complaint.
class ListReader {
public:
  explicit ListReader(const StageLists &lists) : lists(lists) {}

  template <typename T>
  void operator()(llvm::StringRef what, T &value)
    requires std::is_integral_v<T>
  {
    value = narrow<T>(what, number());
  }
  void operator()(llvm::StringRef what, Rounding &value) {
    value = static_cast<Rounding>(within(what, number(), 0, static_cast<int64_t>(Rounding::Floor)));
  }
  void operator()(llvm::StringRef, OutputRange &range) {
    range.zeroPoint = number();
    range.min = number();
    range.max = number();
  }
  template <typename T>
  void operator()(llvm::StringRef what, Presence<T> presence) {
    if (narrow<bool>(what, number()))
      presence.optional.emplace();
  }
  template <typename T>
  void operator()(llvm::StringRef what, Unusual<T> field) {
    if (numbers >= lists.numbers.size())
      return;
    field.number = number();
    if (field.number == field.usual)
      complain(llvm::formatv("{0} {1} are not written", what, field.usual));
  }
  void operator()(llvm::StringRef what, Multipliers &dyadics) {
    const auto multipliers = array<int32_t>(what), shifts = array<int32_t>("shift");
    if (multipliers.size() != shifts.size())
      complain(llvm::formatv("{0} multipliers have {1} shifts", multipliers.size(), shifts.size()));
    for (auto [multiplier, shift] : llvm::zip(multipliers, shifts))
      dyadics.push_back({multiplier, shift});
  }
  void operator()(llvm::StringRef what, PiecewiseLinear &lines) {
    lines.breakpoints = array<int32_t>(what);
    lines.slopes = array<int32_t>(what);
    lines.intercepts = array<int32_t>(what);
  }
  void operator()(llvm::StringRef what, std::optional<PiecewiseLinear> &lines) {
    if (lines)
      (*this)(what, *lines);
  }
  template <typename T>
  void operator()(llvm::StringRef what, std::vector<T> &entries) {
    entries = array<T>(what);
  }

  /// What is wrong, or nothing.
  std::string finish() const {
    if (lists.numbers.size() != numbers)
      return llvm::formatv("it has {0} numbers instead of {1}", lists.numbers.size(), numbers);
    if (lists.arrays.size() != arrays)
      return llvm::formatv("it has {0} arrays instead of {1}", lists.arrays.size(), arrays);
    return complaint;
  }

private:
  void complain(std::string text) {
    if (complaint.empty())
      complaint = std::move(text);
  }
  int64_t within(llvm::StringRef what, int64_t value, int64_t min, int64_t max) {
    if (value >= min && value <= max)
      return value;
    complain(llvm::formatv("{0} {1}: must be {2} to {3}", what, value, min, max));
    return min;
  }
  template <typename T>
  T narrow(llvm::StringRef what, int64_t value) {
    return static_cast<T>(within(what, value, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
  int64_t number() {
    const size_t i = numbers++;
    return i < lists.numbers.size() ? lists.numbers[i] : 0;
  }
  template <typename T>
  std::vector<T> array(llvm::StringRef what) {
    std::vector<T> entries;
    if (const size_t i = arrays++; i < lists.arrays.size())
      for (int64_t entry : lists.arrays[i])
        entries.push_back(narrow<T>(what, entry));
    return entries;
  }

  const StageLists &lists;
  size_t numbers = 0, arrays = 0;
  std::string complaint;
};

} // namespace

llvm::Expected<Stage> simulator::stageFromLists(const StageLists &lists) {
  Stage stage = emptyStages()[lists.kind];
  ListReader reader(lists);
  std::visit([&](auto &kind) { kind.fields(kind, reader); }, stage);
  if (std::string complaint = reader.finish(); !complaint.empty())
    return llvm::createStringError(nameOfStage(lists.kind) + ": " + complaint);
  return stage;
}

int64_t simulator::passesOf(llvm::ArrayRef<Stage> stages) {
  // Stages that work element by element are a pipeline: together they are one pass.
  int64_t passes = 0;
  for (const Stage &stage : stages)
    passes += infoOf(stage).rowPasses;
  return std::max<int64_t>(passes, 1);
}
