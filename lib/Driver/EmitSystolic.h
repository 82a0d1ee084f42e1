//===- EmitSystolic.h - From the integer phase to a systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LIB_DRIVER_EMITSYSTOLIC_H
#define LIB_DRIVER_EMITSYSTOLIC_H

#include "vitq/Driver/Driver.h"
#include "vitq/Report/Report.h"

namespace vitq {

struct SystolicRequest {
  /// `target` is `systolic:CONFIG`.
  std::string name, target, hostTarget, place, output;
  OutputKind emit;
  /// Whether the facts include the simulated timing.
  bool timing = false;
};

/// What a report says of a program for an array, and of the host code beside it.
struct SystolicFacts {
  NativeFacts host;
  ArrayFacts array;
};

/// Errors: `target` names no configuration that makes sense.
llvm::Error checkSystolicTarget(llvm::StringRef target);

/// Lowers an integer module for an array and the CPU beside it, and writes what was
/// asked for. A module that has launches of that array already is only allocated.
mlir::FailureOr<SystolicFacts> emitSystolic(mlir::ModuleOp module, const SystolicRequest &request);

} // namespace vitq

#endif // LIB_DRIVER_EMITSYSTOLIC_H
