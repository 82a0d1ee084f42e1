//===- NonlinearCost.h - What a nonlinear function costs on a CPU -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_ISA_NONLINEARCOST_H
#define VITQ_TARGET_ISA_NONLINEARCOST_H

#include "vitq/Analysis/NonlinearChoice.h"
#include "vitq/Target/Isa/TargetDesc.h"

namespace vitq {

/// Estimated vector operations per element, for comparing algorithms of one function
/// with each other; no time. Counted from the code that lib/Conversion/VitqToKernels
/// generates for the target: lanes per vector, lookups by its `byteLookup`.
/// `function` as nonlinearFunctionOf; `inputBits` is 8, 16 or 32.
double nonlinearCost(llvm::StringRef function, const AlgorithmSpec &spec, unsigned inputBits, const TargetDesc &target);

} // namespace vitq

#endif // VITQ_TARGET_ISA_NONLINEARCOST_H
