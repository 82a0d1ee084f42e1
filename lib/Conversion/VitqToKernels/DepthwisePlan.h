//===- DepthwisePlan.h - Which taps a step multiplies ------ -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_DEPTHWISEPLAN_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_DEPTHWISEPLAN_H

#include "dialects/vitq/Vitq.h"
#include "vitq/Target/Isa/TargetDesc.h"

namespace vitq::kernels {

/// How the channels, places and taps of a depthwise convolution are spread over registers. A step computes `rows` rows
/// of `places` neighbouring places. The rows of the map that its windows reach (`taps`) are taken `group` at a time:
/// of each column they are one vector, the taps of a channel side by side, which every sum of the step reads that is
/// under it, with weights of 0 for rows that are none of its window's.
struct DepthwisePlan {
  /// The windows of `op` on the target's registers: the spread of least work for one result.
  static DepthwisePlan of(integer::DepthwiseConv2dOp op, const TargetDesc &target);

  vit::Windows windows;
  /// Of which `group` taps are one operand; not used where `group` is 1, as no instruction has so few lanes.
  DotInstruction dot = {};
  /// The instruction that also adds to sums; null if there is none.
  const char *adding = nullptr;
  /// Channels of a vector of sums; vectors of a step.
  int64_t lanes = 1, vectors = 1, group = 1;
  /// Rows and places of the result that a step computes.
  int64_t rows = 1, places = 1;
  /// Whether what is read of a column stays for the next step of the row.
  bool carries = false;

  /// Rows of the map that a step reads, in order, counted from the first one of its first window.
  llvm::SmallVector<int64_t> taps;
  /// A group of taps that a row of the step has weights for.
  struct Use {
    int64_t row, group;
  };
  llvm::SmallVector<Use> uses;

  int64_t channels() const { return lanes * vectors; }
  int64_t groups() const { return llvm::divideCeil(taps.size(), group); }
  /// The rows of group `g`, as indices into `taps`: fewer than `group` in the last one.
  int64_t tapsOf(int64_t g) const { return std::min<int64_t>(group, static_cast<int64_t>(taps.size()) - g * group); }
  /// The row of the kernel that tap `tap` is under for row `row` of a step; none: its weight is 0.
  std::optional<int64_t> kernelRow(int64_t row, int64_t tap) const;
  /// The column of the kernel that column `column` of the map is under for place `place` of a step. Columns are counted
  /// from the first one of the step's first window.
  std::optional<int64_t> kernelColumn(int64_t place, int64_t column) const;
  /// Columns of the map that `count` places read, in order.
  llvm::SmallVector<int64_t> columns(int64_t count) const;
  /// Those of a step that the step before it has read.
  llvm::SmallVector<int64_t> carried() const;

private:
  void setRows(int64_t count);
  std::optional<double> cost(int64_t elementBits, int64_t registers) const;
};

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_DEPTHWISEPLAN_H
