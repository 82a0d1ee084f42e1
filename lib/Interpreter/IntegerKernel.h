//===- IntegerKernel.h - Ops that are computed together ----*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_INTERPRETER_INTEGERKERNEL_H
#define VITQ_LIB_INTERPRETER_INTEGERKERNEL_H

#include "Engine.h"

#include "dialects/vitq/VitqKernel.h"

namespace vitq::interp {

/// Computes the ops of a body, which `engine` knows, one after the other; null where it does not
/// know one.
Kernel compileKernel(integer::KernelOp op, const Engine &engine);

} // namespace vitq::interp

#endif // VITQ_LIB_INTERPRETER_INTEGERKERNEL_H
