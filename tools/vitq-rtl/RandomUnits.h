//===- RandomUnits.h - Stages that try the units in RTL -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TOOLS_VITQRTL_RANDOMUNITS_H
#define VITQ_TOOLS_VITQRTL_RANDOMUNITS_H

#include "RandomStages.h"

#include "vitq/Simulator/Program.h"

namespace vitq::rtl {

/// Where unit programs read and write: operand 0 has bytes, operand 1 sums of rows, `results` is written.
inline constexpr uint8_t kUnitResults = 3;

/// A unit program of random stages that `config` has units for, with operands of `operandBytes` bytes. `ofSums`: its
/// input are sums of the accumulator memory.
simulator::UnitProgram randomUnitProgram(const simulator::Config &config, Draw &draw, bool ofSums,
                                         llvm::ArrayRef<uint64_t> operandBytes);

/// An instruction that runs part of a unit program, without its number and local rows.
simulator::Instruction randomRows(const simulator::Config &config, Draw &draw, const simulator::UnitProgram &unit,
                                  bool ofSums, int64_t mostRows);

} // namespace vitq::rtl

#endif // VITQ_TOOLS_VITQRTL_RANDOMUNITS_H
