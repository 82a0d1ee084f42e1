//===- Reproduce.h - Published tables beside ours -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TOOLS_VITQ_LUT_REPRODUCE_H
#define VITQ_TOOLS_VITQ_LUT_REPRODUCE_H

#include "vitq/Approximation/Genetic.h"

namespace vitq::lut {

/// Prints, for GELU, HSWISH, EXP, DIV and RSQRT (or `only` one of them) with 8 and 16
/// entries, the mean squared errors of GQA-LUT's published tables and of our genetic
/// and optimal ones, over the input steps 1, 1/2 ... 1/64. `search` says how long or
/// how often the genetic search runs for each table; functions keep their own mutation.
llvm::Error reproduce(llvm::raw_ostream &os, llvm::StringRef only, const approximation::GeneticOptions &search);

} // namespace vitq::lut

#endif // VITQ_TOOLS_VITQ_LUT_REPRODUCE_H
