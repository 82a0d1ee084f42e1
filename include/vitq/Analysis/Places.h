//===- Places.h - Where a diagnostic is, in words -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_ANALYSIS_PLACES_H
#define VITQ_ANALYSIS_PLACES_H

#include "mlir/IR/Location.h"

#include <string>

namespace vitq {

/// What a tool prints in front of a diagnostic: "file:line:column: " or "FILE: ", then
/// "node 'NAME': ". `file` is what the location is in; nothing that `text` begins with
/// is said twice.
std::string describePlace(mlir::Location loc, llvm::StringRef file, llvm::StringRef text);

} // namespace vitq

#endif // VITQ_ANALYSIS_PLACES_H
