//===- ArrayCost.h - What a product costs on a systolic array ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_CONVERSION_ARRAYCOST_H
#define VITQ_CONVERSION_ARRAYCOST_H

#include "vitq/Analysis/ProductWork.h"
#include "vitq/Simulator/Config.h"

#include "mlir/IR/MLIRContext.h"

#include <map>
#include <mutex>
#include <optional>
#include <tuple>

namespace vitq::systolic {

/// Simulates products by themselves: each with the tiling that `--convert-vitq-to-systolic` would choose, its sums
/// stored as bytes where the array has units for that, and as they are otherwise. May be asked by several threads.
class ArrayCosts {
public:
  struct Cost {
    double cycles = 0, picojoules = 0;
  };

  explicit ArrayCosts(simulator::Config config) : config(std::move(config)) {}

  /// None for what does not fit the array, or takes too many instructions: the host would compute it.
  std::optional<Cost> of(const ProductWork &work, mlir::MLIRContext *context);

private:
  /// What tells products apart: batch, m, n, k, whether weights, planes of both operands, whether weights are packed.
  using Key = std::tuple<int64_t, int64_t, int64_t, int64_t, bool, int64_t, int64_t, bool>;

  std::optional<Cost> simulate(const ProductWork &work, mlir::MLIRContext *context) const;

  simulator::Config config;
  std::mutex mutex;
  std::map<Key, std::optional<Cost>> known;
};

} // namespace vitq::systolic

#endif // VITQ_CONVERSION_ARRAYCOST_H
