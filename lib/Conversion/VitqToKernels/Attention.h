//===- Attention.h - Attention in one kernel -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_CONVERSION_VITQTOKERNELS_ATTENTION_H
#define VITQ_LIB_CONVERSION_VITQTOKERNELS_ATTENTION_H

#include "Contraction.h"
#include "CpuKernels.h"

namespace vitq::kernels {

/// Lowers an attention and returns the buffer of its result, null if one of its ops has no
/// code. Operands that are results of `moves` (transposes) are read where these read them.
Value lowerAttention(const KernelParts &parts, llvm::ArrayRef<mlir::Operation *> moves, KernelModule &module,
                     MemrefOf memrefOf);

} // namespace vitq::kernels

#endif // VITQ_LIB_CONVERSION_VITQTOKERNELS_ATTENTION_H
