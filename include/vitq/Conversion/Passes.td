//===- Passes.td - Passes between phases -------------------*- tablegen -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_CONVERSION_PASSES
#define VITQ_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"


#endif // VITQ_CONVERSION_PASSES
