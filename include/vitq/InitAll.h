//===- InitAll.h - Registration of everything -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_INITALL_H
#define VITQ_INITALL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace vitq {

/// The dialects vit and vitq, and the upstream ones their passes create, with the
/// interface implementations and translations those need.
void registerAllDialects(mlir::DialectRegistry &registry);
/// All passes of vitq, and its targets, which some of them ask.
void registerAllPasses();
/// The targets of vitq, `cpu` and `systolic` (vitq/Target/Backend/TargetBackend.h). Only
/// the first call has an effect.
void registerAllTargets();
/// All pipelines of vitq.
void registerAllPipelines();

} // namespace vitq

#endif // VITQ_INITALL_H
