//===- DepthwisePlan.cpp - Which taps a step multiplies ---- -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DepthwisePlan.h"

#include "vitq/Target/Isa/Portable.h"

#include <set>

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

std::optional<int64_t> DepthwisePlan::kernelRow(int64_t row, int64_t tap) const {
  const int64_t offset = taps[tap] - row * windows.strides[0], i = offset / windows.dilations[0];
  return offset >= 0 && offset % windows.dilations[0] == 0 && i < windows.size[0] ? std::optional(i) : std::nullopt;
}

std::optional<int64_t> DepthwisePlan::kernelColumn(int64_t place, int64_t column) const {
  const int64_t offset = column - place * windows.strides[1], j = offset / windows.dilations[1];
  return offset >= 0 && offset % windows.dilations[1] == 0 && j < windows.size[1] ? std::optional(j) : std::nullopt;
}

/// `count` windows of `size` elements along one axis: what they reach, in order.
static SmallVector<int64_t> reach(int64_t count, int64_t size, int64_t stride, int64_t dilation) {
  std::set<int64_t> all;
  for (int64_t window = 0; window < count; ++window)
    for (int64_t i = 0; i < size; ++i)
      all.insert(window * stride + i * dilation);
  return {all.begin(), all.end()};
}

SmallVector<int64_t> DepthwisePlan::columns(int64_t count) const {
  return reach(count, windows.size[1], windows.strides[1], windows.dilations[1]);
}

SmallVector<int64_t> DepthwisePlan::carried() const {
  if (!carries)
    return {};
  SmallVector<int64_t> all = columns(places), again;
  for (int64_t column : all)
    if (llvm::is_contained(all, column + places * windows.strides[1]))
      again.push_back(column);
  return again;
}

void DepthwisePlan::setRows(int64_t count) {
  rows = count;
  taps = reach(rows, windows.size[0], windows.strides[0], windows.dilations[0]);
  uses.clear();
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t g = 0; g < groups(); ++g)
      if (llvm::any_of(llvm::seq(tapsOf(g)), [&](int64_t i) { return kernelRow(row, g * group + i).has_value(); }))
        uses.push_back({row, g});
}

/// Instructions for a vector of results, about: products, what brings columns into their form, weights that find no
/// register, and what a step takes besides. None where sums would find no register.
std::optional<double> DepthwisePlan::cost(int64_t elementBits, int64_t registers) const {
  // Addresses and the end of the loop; registers for what is read of a column and for what follows: multiplier, addend
  // and shift of a requantization, and what it works on.
  constexpr int64_t kStep = 4, kOthers = 7;
  const auto again = static_cast<int64_t>(carried().size()), all = static_cast<int64_t>(columns(places).size());
  const auto weights = static_cast<int64_t>(uses.size()) * windows.size[1];
  const int64_t room = registers - kOthers - vectors * (rows * places + again * groups());
  if (room < 0)
    return std::nullopt;
  int64_t loads = 0;
  for (int64_t g = 0; g < groups(); ++g)
    loads += tapsOf(g) * (group > 1 && elementBits < dot.width ? 2 : 1);
  const int64_t reloads = std::max<int64_t>(0, vectors * weights - room) * places;
  const int64_t step = vectors * (weights * places + loads * (all - again)) + reloads + kStep;
  return static_cast<double>(step) / static_cast<double>(vectors * rows * places);
}

static constexpr int64_t kScalarRegisters = 16;

DepthwisePlan DepthwisePlan::of(integer::DepthwiseConv2dOp op, const TargetDesc &target) {
  const Isa &isa = *target.isa;
  ArrayRef<int64_t> result = op.getType().getShape();
  const int64_t channels = result[3];
  const unsigned bits = integer::storageOf(getElementTypeOrSelf(op.getInput().getType())).getIntOrFloatBitWidth();
  DepthwisePlan plan;
  plan.windows = op.getWindows();
  if (bits == 8 && isa.dot8.width == 8 && isa.dot8.group > 1) {
    plan.dot = isa.dot8;
  } else {
    plan.dot = isa.dot16;
    plan.adding = isa.addDot16;
  }
  if (plan.dot.accumulates)
    plan.adding = plan.dot.intrinsic;
  const bool multiplies = plan.dot.group > 1;
  plan.lanes = multiplies ? plan.dot.lanes : hasVectors(target) ? isa.vectorBits / 32 : 1;
  plan.group = multiplies ? plan.dot.group : 1;
  if (channels < plan.lanes) {
    plan.lanes = int64_t(1) << llvm::Log2_64(channels);
    plan.group = 1;
  }
  // Those of a tile; of numbers one by one a few.
  const int64_t registers =
      hasVectors(target) ? int64_t{isa.tileRows} * isa.tileVectors + isa.tileVectors + 1 : kScalarRegisters;
  constexpr int64_t kMostRows = 4, kMostPlaces = 8;
  double least = 0;
  std::optional<DepthwisePlan> best;
  for (int64_t vectors : {std::max<int64_t>(1, 16 / plan.lanes), int64_t{1}}) // results of 16 bytes, if there is room
    for (int64_t rows = 1; rows <= std::min(kMostRows, result[1]); ++rows)
      for (int64_t places = 1; places <= std::min(kMostPlaces, result[2]); ++places)
        for (bool carries : {false, true}) {
          if (vectors * plan.lanes > channels)
            continue;
          plan.vectors = vectors;
          plan.places = places;
          plan.carries = carries;
          plan.setRows(rows);
          const std::optional<double> cost = plan.cost(bits, registers);
          if (!cost || (best && *cost >= least))
            continue;
          least = *cost;
          best = plan;
        }
  assert(best && "one sum always finds a register");
  return *best;
}
