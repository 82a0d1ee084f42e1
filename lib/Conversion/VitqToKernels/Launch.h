//===- Launch.h - Calls of the systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_LAUNCH_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_LAUNCH_H

#include "KernelModule.h"
#include "RowOps.h"

#include "dialects/systolic/Systolic.h"

namespace vitq::kernels {

/// Lowers a launch, number `number` of the program, to a step that calls
/// `vitq_array_launch(number, pointers)`. The pointers are those of the inputs that are
/// no constants (these are in the array's image) and then of the results, in order. Returns the
/// buffers of the results.
Values lowerLaunch(systolic::LaunchOp op, int64_t number, KernelModule &module, MemrefOf memrefOf);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_LAUNCH_H
