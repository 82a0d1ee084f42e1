//===- Units.cpp - What unit programs are made of -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Units.h"

#include "StageLists.h"

#include "llvm/Support/ErrorHandling.h"

using namespace vitq;
using namespace vitq::simulator;

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

int64_t UnitProgram::parameterBytes() const {
  int64_t bytes = 0;
  for (const Stage &stage : stages)
    bytes += simulator::parameterBytes(stage);
  return bytes;
}

UnitTiming simulator::timingOf(const UnitProgram &program) {
  UnitTiming timing{program, program.parameterBytes(), passesOf(program.stages)};
  UnitProgram &accesses = timing.accesses;
  accesses.stages.clear();
  accesses.input.isUnsigned = accesses.output.isUnsigned = false;
  for (std::vector<UnitOperand> *extras : {&accesses.extraInputs, &accesses.extraOutputs})
    for (UnitOperand &extra : *extras)
      extra.isUnsigned = false;
  return timing;
}
