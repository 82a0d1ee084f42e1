//===- Depthwise.h - Kernels of depthwise convolutions ------- -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_DEPTHWISE_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_DEPTHWISE_H

#include "Contraction.h"

namespace vitq::kernels {

/// Whether `op` is computed on the sums while they are in registers.
bool fitsDepthwise(const RowOp &op, const TargetDesc &target);

/// Lowers a depthwise convolution; returns the buffer of its accumulators, null if an epilogue consumes them. Failure,
/// with an error, where its weight is no constant.
mlir::FailureOr<Value> lowerDepthwise(integer::DepthwiseConv2dOp op, KernelModule &module, MemrefOf memrefOf,
                                      Epilogue &epilogue);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_DEPTHWISE_H
