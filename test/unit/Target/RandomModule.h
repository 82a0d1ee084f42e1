//===- RandomModule.h - Seeded modules of integer ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_TARGET_RANDOMMODULE_H
#define VITQ_TEST_UNIT_TARGET_RANDOMMODULE_H

#include "test/unit/Random.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "vitq/Tensor/Tensor.h"

namespace vitq::test {

/// A module whose @main has 1 to 8 vitq ops of random kinds, shapes and
/// attributes; everything that no op uses is returned. Accumulators cannot
/// overflow.
mlir::OwningOpRef<mlir::ModuleOp> randomModule(mlir::MLIRContext &context, uint64_t seed);

/// A module of ten convolutions, pools or resizings of maps, each of its own, of which most have a requantization or
/// sum behind them.
mlir::OwningOpRef<mlir::ModuleOp> randomConvolutions(mlir::MLIRContext &context, uint64_t seed);

/// Bytes for an integer tensor; in a quarter of all cases only extreme values.
std::vector<char> randomBytes(Random &random, int64_t count, unsigned width);

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_TARGET_RANDOMMODULE_H
