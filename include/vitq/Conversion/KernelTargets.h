//===- KernelTargets.h - Targets that kernels are formed for -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_CONVERSION_KERNELTARGETS_H
#define VITQ_CONVERSION_KERNELTARGETS_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace vitq {

/// Lets `#vitq.cpu` answer what `vitq-form-kernels` asks (KernelTargetAttrInterface).
void registerCpuKernelTarget(mlir::DialectRegistry &registry);
/// The same for `#systolic.config`.
void registerSystolicKernelTarget(mlir::DialectRegistry &registry);

} // namespace vitq

#endif // VITQ_CONVERSION_KERNELTARGETS_H
