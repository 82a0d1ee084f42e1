//===- ProductCostTest.cpp - What products cost on targets ------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/InitAll.h"
#include "vitq/Target/Backend/TargetBackend.h"

#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace vitq;

namespace {

class ProductCost : public ::testing::Test {
protected:
  static void SetUpTestSuite() { registerAllTargets(); }

  /// Over that with operands of 8 bits.
  double ratio(llvm::StringRef name, unsigned lhsBits, unsigned rhsBits, Effort effort = Effort::Latency,
               int64_t m = 64) {
    llvm::Expected<std::unique_ptr<Target>> target = parseTarget(name);
    EXPECT_TRUE(static_cast<bool>(target));
    ProductWork work;
    work.m = m, work.n = 64, work.k = 64;
    work.hasWeights = true;
    const std::optional<double> eight = (*target)->productCost(work, effort, &context);
    work.lhsBits = lhsBits, work.rhsBits = rhsBits;
    const std::optional<double> fewer = (*target)->productCost(work, effort, &context);
    return eight && fewer && *eight > 0 ? *fewer / *eight : -1;
  }

  mlir::MLIRContext context;
};

/// Four products are added in 16 bits at a time with weights of 5 bits, eight with 4: 9/16 and 17/32 of the operations,
/// and requantization, which 64 columns of K make an eighth or less.
TEST_F(ProductCost, ShortSumsOfAvx2) {
  EXPECT_NEAR(ratio("x86-64-v3", 8, 5), 0.56, 0.1);
  EXPECT_NEAR(ratio("x86-64-v3", 8, 4), 0.53, 0.1);
  EXPECT_LT(ratio("x86-64-v3", 8, 4), ratio("x86-64-v3", 8, 5));
  EXPECT_LT(ratio("x86-64-v3", 8, 5), ratio("x86-64-v3", 8, 6));
  // Codes of few bits on the left leave as much room.
  EXPECT_LT(ratio("x86-64-v3", 4, 8), 0.75);
}

TEST_F(ProductCost, BytesAreMultipliedAnyway) {
  EXPECT_EQ(ratio("x86-64-v4+avx512vnni", 8, 4), 1);
  EXPECT_EQ(ratio("aarch64+dotprod", 4, 4), 1);
  EXPECT_EQ(ratio("systolic:gemmini-16x16", 4, 4), 1);
}

/// Registers of tiles take what is more than a tile in vectors: most of the time goes to requantization then.
TEST_F(ProductCost, TilesOfAmx) {
  auto cost = [&](llvm::StringRef name, int64_t m) {
    llvm::Expected<std::unique_ptr<Target>> target = parseTarget(name);
    EXPECT_TRUE(static_cast<bool>(target));
    ProductWork work;
    work.m = m, work.n = 64, work.k = 768;
    work.hasWeights = true;
    return *(*target)->productCost(work, Effort::Latency, &context);
  };
  EXPECT_LT(cost("sapphirerapids", 64), cost("znver4", 64) / 4);
  EXPECT_EQ(cost("sapphirerapids", 6), cost("znver4", 6));
  EXPECT_EQ(ratio("sapphirerapids", 8, 4), 1);
}

/// One row reads its weights from memory.
TEST_F(ProductCost, OneRow) { EXPECT_LT(ratio("x86-64-v4+avx512vnni", 8, 4, Effort::Latency, 1), 0.75); }

/// Passes of an array of 4-bit elements: 4, 2 and 1.
TEST_F(ProductCost, PassesOfAnArray) {
  // Moves that nothing hides are a few hundredths of 512 rows.
  EXPECT_NEAR(ratio("systolic:edge-8x8-int4", 8, 4, Effort::Latency, 512), 0.5, 0.05);
  EXPECT_NEAR(ratio("systolic:edge-8x8-int4", 4, 4, Effort::Latency, 512), 0.25, 0.05);
  EXPECT_EQ(ratio("systolic:edge-8x8-int4", 8, 6), 1);
  EXPECT_EQ(ratio("systolic:edge-8x8-int4", 8, 2), ratio("systolic:edge-8x8-int4", 8, 4));
}

TEST_F(ProductCost, EnergyIsOfArraysOnly) {
  EXPECT_LT(ratio("systolic:edge-8x8-int4", 4, 4, Effort::Energy), 0.75);
  EXPECT_EQ(ratio("x86-64-v3", 4, 4, Effort::Energy), -1);
}

} // namespace
