//===- VitqKernel.h - Ops that are computed together -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DIALECTS_VITQ_VITQKERNEL_H
#define DIALECTS_VITQ_VITQKERNEL_H

#include "dialects/vitq/Vitq.h"

#include "mlir/Interfaces/ControlFlowInterfaces.h"

#define GET_OP_CLASSES
#include "dialects/vitq/VitqKernelOps.h.inc"

#endif // DIALECTS_VITQ_VITQKERNEL_H
