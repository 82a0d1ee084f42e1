//===- Backends.h - vitq's own targets -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_BACKENDS_BACKENDS_H
#define VITQ_BACKENDS_BACKENDS_H

#include "vitq/Target/Backend/TargetBackend.h"

namespace vitq {

/// CPUs: `native`, a CPU name or level with features, as TargetDesc::parse reads them.
std::unique_ptr<TargetBackend> createCpuBackend();

/// Whether the images of a batch are best computed one after the other by a program of one image
/// (NativeOptions::turns): that reads less memory. A module that has its batch already (setBatch) computes them
/// together.
bool computesInTurn(mlir::ModuleOp module, BatchSchedule schedule = BatchSchedule::Auto);

/// Any processor that has a compiler of C99.
std::unique_ptr<TargetBackend> createPortableCBackend();

/// Systolic arrays with a CPU beside them: a configuration as simulator::Config::parse
/// reads it.
std::unique_ptr<TargetBackend> createSystolicBackend();

} // namespace vitq

#endif // VITQ_BACKENDS_BACKENDS_H
