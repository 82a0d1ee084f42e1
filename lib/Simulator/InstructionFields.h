//===- InstructionFields.h - What each opcode names -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_SIMULATOR_INSTRUCTIONFIELDS_H
#define VITQ_LIB_SIMULATOR_INSTRUCTIONFIELDS_H

#include "vitq/Simulator/Instruction.h"

namespace vitq::simulator {

/// Errors: a flag or a field that is not 0 and that the opcode does not have.
llvm::Error checkFields(const Instruction &instruction);

} // namespace vitq::simulator

#endif // VITQ_LIB_SIMULATOR_INSTRUCTIONFIELDS_H
