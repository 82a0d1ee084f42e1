//===- PortableC.h - Integer programs as C -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_PORTABLEC_H
#define VITQ_TARGET_PORTABLEC_H

#include "vitq/Target/NativeCompiler.h"

namespace vitq {

/// From the integer phase to kernels of single numbers (`portable`) whose buffers have places.
void buildVitqToPortableCPipeline(mlir::OpPassManager &manager, bool fuse = true);

/// Writes the program as one C99 file for any freestanding implementation (docs/PortableC.md). An
/// operation that has no C is an error that names its node.
mlir::LogicalResult emitPortableC(mlir::ModuleOp module, const NativeOptions &options, llvm::raw_ostream &os);

} // namespace vitq

#endif // VITQ_TARGET_PORTABLEC_H
