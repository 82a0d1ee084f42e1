//===- ProductCost.h - What a product costs on a CPU ------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_ISA_PRODUCTCOST_H
#define VITQ_TARGET_ISA_PRODUCTCOST_H

#include "vitq/Analysis/ProductWork.h"
#include "vitq/Target/Isa/TargetDesc.h"

namespace vitq {

/// Estimated vector operations of a product with its requantization, in the unit of `nonlinearCost`; no time. Counted
/// from the inner loops that lib/Conversion/VitqToKernels generates: multiplications and additions for the bits of the
/// operands, loads beside them for nothing. Weights that one row reads come from memory, a byte in the time of an
/// operation, where that takes longer.
double productCost(const ProductWork &work, const TargetDesc &target);

} // namespace vitq

#endif // VITQ_TARGET_ISA_PRODUCTCOST_H
