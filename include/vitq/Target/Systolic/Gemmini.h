//===- Gemmini.h - Programs of the array as C for Gemmini -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_SYSTOLIC_GEMMINI_H
#define VITQ_TARGET_SYSTOLIC_GEMMINI_H

#include "vitq/Simulator/Program.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace vitq::gemmini {

/// Writes a C99 file that defines `vitq_array_launch` with the macros of Gemmini's
/// include/gemmini.h: the data image, a table of steps for each routine, and their
/// dispatch. Linked with the program's host object it is the program `name`. Errors: the
/// array is none of Gemmini's (weight stationary, square, 8 bits, 32-bit accumulators, no
/// unit but the shift requantizer), or an instruction has no counterpart there.
llvm::Error emitC(const simulator::Program &program, llvm::StringRef name, llvm::raw_ostream &os);

} // namespace vitq::gemmini

#endif // VITQ_TARGET_SYSTOLIC_GEMMINI_H
