//===- RandomModule.h - Seeded modules of integer ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_TARGET_RANDOMMODULE_H
#define VITQ_TEST_UNIT_TARGET_RANDOMMODULE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "vitq/Interpreter/Tensor.h"

#include <random>

namespace vitq::test {

/// Random choices that are the same on every platform.
class Random {
public:
  explicit Random(uint64_t seed) : engine(seed) {}

  /// Uniform in [lo, hi].
  int64_t between(int64_t lo, int64_t hi) {
    const uint64_t span = static_cast<uint64_t>(hi) - static_cast<uint64_t>(lo) + 1;
    return static_cast<int64_t>(static_cast<uint64_t>(lo) + (span ? engine() % span : engine()));
  }
  bool oneIn(int64_t n) { return between(1, n) == 1; }
  template <typename T>
  T pick(llvm::ArrayRef<T> choices) {
    return choices[between(0, static_cast<int64_t>(choices.size()) - 1)];
  }
  template <typename T>
  T pick(std::initializer_list<T> choices) {
    return pick(llvm::ArrayRef<T>(choices.begin(), choices.size()));
  }

private:
  std::mt19937_64 engine;
};

/// A module whose @main has 1 to 8 vitq ops of random kinds, shapes and
/// attributes; everything that no op uses is returned. Accumulators cannot
/// overflow.
mlir::OwningOpRef<mlir::ModuleOp> randomModule(mlir::MLIRContext &context, uint64_t seed);

/// Bytes for an integer tensor; in a quarter of all cases only extreme values.
std::vector<char> randomBytes(Random &random, int64_t count, unsigned width);

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_TARGET_RANDOMMODULE_H
