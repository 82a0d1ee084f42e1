//===- RandomPiecesTest.cpp - Recoveries change no value and no type -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomPieces.h"
#include "TestUtils.h"

#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

static std::vector<double> runOn(ModuleOp module, unsigned seed) {
  auto main = *module.getOps<func::FuncOp>().begin();
  auto type = cast<RankedTensorType>(main.getArgumentTypes()[0]);
  std::mt19937 random(seed);
  std::vector<float> values(type.getNumElements());
  for (float &value : values)
    value = std::normal_distribution<float>(0.2f, 1.5f)(random);
  return run(module, type.getShape(), values);
}

static std::string textOf(ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.print(os);
  return text;
}

/// The largest difference relative to the largest value; infinite where one is a number
/// and the other is not.
static double relativeDifference(const std::vector<double> &a, const std::vector<double> &b) {
  if (a.size() != b.size() || a.empty())
    return INFINITY;
  double largest = 0, scale = 1e-3;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isfinite(a[i]) != std::isfinite(b[i]))
      return INFINITY;
    if (!std::isfinite(a[i]))
      continue;
    largest = std::max(largest, std::fabs(a[i] - b[i]));
    scale = std::max(scale, std::fabs(a[i]));
  }
  return largest / scale;
}

TEST(RandomPieces, RecoveryKeepsTypesAndValues) {
  std::map<std::string, unsigned> recovered;
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    Session session;
    session.context.loadDialect<vit::VitDialect, arith::ArithDialect, func::FuncDialect>();
    OwningOpRef<ModuleOp> module = RandomPieces(&session.context, seed).make();
    ASSERT_TRUE(succeeded(verify(*module))) << "seed " << seed << "\n" << session.messages;
    std::vector<double> before = runOn(*module, seed);
    std::string text = textOf(*module);
    ASSERT_TRUE(session.recover(*module, /*verifyFloat=*/false)) << "seed " << seed << "\n" << session.messages << text;
    ASSERT_TRUE(succeeded(verify(*module))) << "seed " << seed << "\n" << session.messages << text;
    EXPECT_LT(relativeDifference(before, runOn(*module, seed)), 1e-5) << "seed " << seed << "\n"
                                                                      << text << textOf(*module);
    for (const char *name : {"vit.layer_norm", "vit.gelu", "vit.silu", "vit.is_nan"})
      recovered[name] += countOps(*module, name);
  }
  // The generator makes enough of what is to be recognized.
  EXPECT_GT(recovered["vit.layer_norm"], 300u);
  EXPECT_GT(recovered["vit.gelu"], 150u);
  EXPECT_GT(recovered["vit.silu"], 30u);
  EXPECT_GT(recovered["vit.is_nan"], 30u); // of rows that are masked altogether
}
