//===- SystolicAllocation.h - Places of tiles -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_SYSTOLIC_ALLOCATION_H
#define VITQ_TARGET_SYSTOLIC_ALLOCATION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace vitq::systolic {

/// Gives the tiles of a routine their addresses, as the pass systolic-allocate. Errors
/// are diagnostics with the rows that are needed and there.
mlir::LogicalResult allocateTiles(mlir::func::FuncOp routine);

} // namespace vitq::systolic

#endif // VITQ_TARGET_SYSTOLIC_ALLOCATION_H
