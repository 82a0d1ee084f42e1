//===- Assertions.h - Assertions with libraries of LLVM that have none -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Included before everything else in builds with VITQ_ENABLE_ASSERTIONS: assert() in
// vitq's code although the LLVM libraries were built without.
//
// The layout of llvm::Statistic, and with it of every pass that has one, depends on
// NDEBUG: it must be the one that the libraries have.
#ifdef __cplusplus
#include "llvm/ADT/Statistic.h"
#undef NDEBUG
#include <cassert>
#endif
