//===- Units.cpp - What unit programs are made of -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Units.h"

#include "StageFields.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace vitq;
using namespace vitq::simulator;

Unit simulator::unitOf(StageKind kind) {
  switch (kind) {
  case StageKind::Requant:
  case StageKind::Add:
    return UnitDyadic;
  case StageKind::Threshold:
    return UnitComparator;
  case StageKind::Table:
  case StageKind::Pwl:
    return UnitLut;
  case StageKind::SoftmaxTable:
  case StageKind::SoftmaxShift:
  case StageKind::Shiftmax:
  case StageKind::DivideRows:
    return UnitExponent;
  case StageKind::LayerNorm:
  case StageKind::NormQuant:
    return UnitNorm;
  }
  llvm_unreachable("all kinds are above");
}

llvm::StringRef simulator::nameOf(Unit unit) {
  switch (unit) {
  case UnitShift:
    return "shift";
  case UnitDyadic:
    return "dyadic";
  case UnitComparator:
    return "comparator";
  case UnitExponent:
    return "exponent";
  case UnitLut:
    return "lut";
  case UnitNorm:
    return "norm";
  }
  llvm_unreachable("all units are above");
}

llvm::StringRef simulator::nameOf(StageKind kind) { return fieldsOf(kind).name; }

bool simulator::needsWholeRow(StageKind kind) {
  switch (kind) {
  case StageKind::SoftmaxTable:
  case StageKind::SoftmaxShift:
  case StageKind::Shiftmax:
  case StageKind::LayerNorm:
  case StageKind::NormQuant:
    return true;
  default:
    return false;
  }
}

const StageFields &simulator::fieldsOf(StageKind kind) {
  // In the order of StageKind. Bytes: of multipliers 4, of shifts and table entries 1.
  static const StageFields fields[kNumStageKinds] = {
      {"requant", 5, 6, 2, {4, 1}, 1},
      {"add", 7, 7, 4, {4, 1, 4, 1}, 1},
      {"threshold", 2, 2, 1, {4}, 1},
      {"table", 1, 1, 2, {1, 4}, 1},
      {"pwl", 5, 5, 5, {4, 4, 4, 4, 1}, 1},
      {"softmax_table", 0, 0, 3, {1, 4, 1}, 2},
      {"softmax_shift", 3, 3, 2, {4, 1}, 2},
      {"shiftmax", 4, 4, 0, {}, 3},
      {"divide_rows", 6, 6, 5, {4, 1, 4, 4, 4}, 1},
      {"layer_norm", 7, 7, 7, {4, 1, 4, 4, 4, 4, 4}, 3},
      {"norm_quant", 3, 3, 2, {4, 4}, 3},
  };
  return fields[static_cast<unsigned>(kind)];
}

int64_t simulator::passesOf(llvm::ArrayRef<Stage> stages) {
  // Stages that work element by element are a pipeline: together they are one pass.
  int64_t passes = 0;
  for (const Stage &stage : stages)
    if (needsWholeRow(stage.kind))
      passes += fieldsOf(stage.kind).passes;
  return std::max<int64_t>(passes, 1);
}

int64_t UnitProgram::parameterBytes() const {
  int64_t bytes = 0;
  for (const Stage &stage : stages)
    for (auto [i, array] : llvm::enumerate(stage.arrays))
      bytes += static_cast<int64_t>(array.size()) * (i < kMaxStageArrays ? fieldsOf(stage.kind).arrayBytes[i] : 4);
  return bytes;
}
