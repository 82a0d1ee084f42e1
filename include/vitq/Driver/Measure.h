//===- Measure.h - What a report measures on images -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_DRIVER_MEASURE_H
#define VITQ_DRIVER_MEASURE_H

#include "vitq/Driver/Driver.h"
#include "vitq/Report/Report.h"

namespace vitq {

/// Runs the float module `reference` and the integer module `program` on the
/// report's images: op by op on the first, accuracy on all. Without images nothing
/// is measured. Every failure is a diagnostic.
mlir::LogicalResult measure(mlir::ModuleOp reference, mlir::ModuleOp program, const DriverOptions &options,
                            Report &report);

/// The options that a report shows, as the user would write them.
std::vector<std::pair<std::string, std::string>> describeOptions(const CompileOptions &options);

} // namespace vitq

#endif // VITQ_DRIVER_MEASURE_H
