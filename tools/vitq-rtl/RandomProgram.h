//===- RandomProgram.h - Programs that try the RTL -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TOOLS_VITQRTL_RANDOMPROGRAM_H
#define VITQ_TOOLS_VITQRTL_RANDOMPROGRAM_H

#include "vitq/Simulator/Program.h"

#include <random>

namespace vitq::rtl {

/// Operand 0 is bytes, operand 1 sums, both to be read; operands 2 and 3 (of units) are written. A launch that obeys
/// all rules, of random moves, products and rows of units on few local rows, so that they wait for each other and meet
/// in banks; in the end all sums that were touched are stored. With `apart` nothing meets in a bank, repeats a row or
/// has bytes of several rows in a word: then the simulator's cycles are those of the RTL. That takes two banks of the
/// scratchpad.
simulator::Program randomProgram(const simulator::Config &config, std::mt19937_64 &random, bool apart);

} // namespace vitq::rtl

#endif // VITQ_TOOLS_VITQRTL_RANDOMPROGRAM_H
