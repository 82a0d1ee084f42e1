//===- Code.h - Programs of the array from text, for tests -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_UNITTEST_SIMULATOR_CODE_H
#define VITQ_UNITTEST_SIMULATOR_CODE_H

#include "vitq/Simulator/Simulator.h"

#include "gtest/gtest.h"

namespace vitq::simulator {

/// Instructions, one a line.
inline std::vector<Instruction> codeOf(llvm::StringRef text) {
  std::vector<Instruction> code;
  llvm::SmallVector<llvm::StringRef> lines;
  text.split(lines, '\n', -1, false);
  for (llvm::StringRef line : lines) {
    llvm::Expected<Instruction> instruction = parseInstruction(line.trim());
    if (!instruction) {
      ADD_FAILURE() << line.str() << ": " << llvm::toString(instruction.takeError());
      break;
    }
    code.push_back(*instruction);
  }
  return code;
}

/// A program of one routine and one launch.
inline Program programOf(const Config &config, std::vector<Instruction> code, std::initializer_list<Operand> operands) {
  Program program;
  program.config = config;
  program.routines.push_back({"code", std::move(code)});
  Launch launch;
  launch.node = "node";
  launch.op = "linear";
  launch.operands = operands;
  program.launches.push_back(launch);
  return program;
}

} // namespace vitq::simulator

#endif // VITQ_UNITTEST_SIMULATOR_CODE_H
