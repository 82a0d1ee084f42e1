//===- Passes.h - vitq's Conversion passes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_CONVERSION_PASSES_H
#define VITQ_CONVERSION_PASSES_H

#include "dialects/systolic/Systolic.h"
#include "dialects/vitq/Vitq.h"
#include "mlir/Pass/Pass.h"
#include "vitq/Approximation/Method.h"

#include <memory>
#include <string>

namespace vitq {

#define GEN_PASS_DECL
#include "vitq/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "vitq/Conversion/Passes.h.inc"

} // namespace vitq

#endif // VITQ_CONVERSION_PASSES_H
