//===- ArrayCost.cpp - What a product costs on a systolic array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Conversion/ArrayCost.h"

#include "Operands.h"
#include "Plan.h"

#include "dialects/systolic/Systolic.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

/// Products need no more instructions than this to be worth a simulation.
static constexpr double kMostInstructions = 1 << 24;

/// The operands as bytes, rows one after the other; weights as `OperandBuilder` lays them.
static Product productOf(const ProductWork &work, const simulator::Config &config, MLIRContext *context) {
  Product product;
  product.n = work.n;
  product.k = work.k;
  product.lhsBits = work.lhsBits;
  product.rhsBits = work.rhsBits;
  product.lhsUnsigned = false;
  const Type byte = IntegerType::get(context, 8);
  if (work.hasWeights) {
    // The rows of all batches are those of one product.
    product.m = work.batch * work.m;
    const bool packed = packsWeights(config, work.rhsBits);
    product.rhs = MemRefType::get({work.k, storedColumns(config, work.n, packed)},
                                  packed ? IntegerType::get(context, config.bits) : byte);
    product.lhs = MemRefType::get({product.m, work.k}, byte);
  } else {
    product.m = work.m;
    product.batch.push_back(work.batch);
    product.lhs = MemRefType::get({work.batch, work.m, work.k}, byte);
    product.rhs = MemRefType::get({work.batch, work.k, work.n}, byte);
  }
  SmallVector<int64_t> shape(product.batch.begin(), product.batch.end());
  shape.append({product.m, product.n});
  // What units make of the sums has bytes, too.
  const bool storesBytes = config.has(simulator::UnitShift);
  if (storesBytes)
    product.shift = 0;
  product.results = {MemRefType::get(shape, storesBytes ? byte : IntegerType::get(context, 32))};
  return product;
}

std::optional<ArrayCosts::Cost> ArrayCosts::simulate(const ProductWork &work, MLIRContext *context) const {
  context->loadDialect<SystolicDialect, func::FuncDialect, affine::AffineDialect, memref::MemRefDialect,
                       scf::SCFDialect>();
  // What does not fit is no error here.
  ScopedDiagnosticHandler quiet(context, [](Diagnostic &) { return success(); });
  const Product product = productOf(work, config, context);
  if (leastInstructions(product, config) > kMostInstructions)
    return std::nullopt;
  FailureOr<Plan> plan = choosePlan(UnknownLoc::get(context), product, config, /*units=*/nullptr);
  if (failed(plan))
    return std::nullopt;
  return Cost{static_cast<double>(plan->cycles), plan->picojoules};
}

std::optional<ArrayCosts::Cost> ArrayCosts::of(const ProductWork &work, MLIRContext *context) {
  const bool packed = work.hasWeights && packsWeights(config, work.rhsBits);
  const Key key{
      work.batch, work.m, work.n, work.k, work.hasWeights, config.planesOf(work.lhsBits), config.planesOf(work.rhsBits),
      packed};
  std::lock_guard<std::mutex> lock(mutex);
  auto [entry, isNew] = known.try_emplace(key);
  if (isNew)
    entry->second = simulate(work, context);
  return entry->second;
}
