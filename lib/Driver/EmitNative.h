//===- EmitNative.h - From the integer phase to files -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_EMITNATIVE_H
#define LIB_DRIVER_EMITNATIVE_H

#include "vitq/Driver/Driver.h"
#include "vitq/Report/Report.h"

namespace vitq {

struct NativeRequest {
  std::string name, target, output;
  OutputKind emit;
  bool openmp = false;
  int64_t batch = 1;
  BatchSchedule schedule = BatchSchedule::Auto;
};

/// Lowers an integer module for a target and writes what was asked for. With a batch,
/// the module is one of one image, or already one of the batch.
mlir::FailureOr<NativeFacts> emitNative(mlir::ModuleOp module, const NativeRequest &request);

} // namespace vitq

#endif // LIB_DRIVER_EMITNATIVE_H
