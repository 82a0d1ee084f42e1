//===- Host.h - The CPU of this process -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TARGET_ISA_HOST_H
#define VITQ_TARGET_ISA_HOST_H

#include "llvm/ADT/StringMap.h"

namespace vitq {

/// LLVM's features of this CPU that this process may use. Registers of tiles are saved by Linux for processes that have
/// asked for them, which this does where the CPU has any.
const llvm::StringMap<bool> &hostFeatures();

} // namespace vitq

#endif // VITQ_TARGET_ISA_HOST_H
