//===- RandomProductsTest.cpp - Simulator, raised module and interpreter -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RandomProduct.h"

#include "vitq/Conversion/Passes.h"
#include "vitq/InitAll.h"
#include "vitq/Interpreter/Interpreter.h"
#include "vitq/Pipelines/Pipelines.h"
#include "vitq/Target/Systolic/Launches.h"
#include "vitq/Target/Systolic/Systolic.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

#include <cstdlib>

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

namespace {

/// The parameter is a share of the products, so that shares can be tested at a time.
class RandomProducts : public ::testing::TestWithParam<int> {
protected:
  RandomProducts() : context(makeRegistry(), MLIRContext::Threading::DISABLED) {
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) { errors += diagnostic.str() + "\n"; });
  }
  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registerAllDialects(registry);
    return registry;
  }

  std::optional<Tensor> interpret(ModuleOp module, ArrayRef<Tensor> inputs, const InterpreterOptions &options = {}) {
    FailureOr<std::unique_ptr<Interpreter>> interpreter = Interpreter::create(module, options);
    SmallVector<Tensor> results;
    if (failed(interpreter) || failed((*interpreter)->run(inputs, results)))
      return std::nullopt;
    return results.front();
  }

  /// False where the array holds no tile of the product.
  bool check(uint32_t seed) {
    errors.clear();
    RandomProduct product = randomProduct(seed);
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(product.module, &context);
    EXPECT_TRUE(module) << seed << ": " << errors << product.module.substr(0, 2000);
    if (!module)
      return false;
    std::optional<Tensor> expected = interpret(*module, product.inputs);
    EXPECT_TRUE(expected) << seed << ": " << errors;
    if (!expected)
      return false;
    PassManager lower(&context);
    SystolicOptions options;
    options.config = product.config;
    addSystolicPasses(lower, options);
    lower.addPass(createSystolicAllocatePass());
    if (failed(lower.run(*module))) {
      const bool tooSmall = StringRef(errors).contains("does not fit the array") ||
                            StringRef(errors).contains("scratchpad-rows") ||
                            StringRef(errors).contains("accumulator-rows");
      EXPECT_TRUE(tooSmall) << seed << " on " << product.config << ": " << errors;
      return false;
    }
    FailureOr<simulator::Program> program = systolic::encodeProgram(*module);
    EXPECT_TRUE(succeeded(program)) << seed << " on " << product.config << ": " << errors;
    if (failed(program))
      return false;
    // As it comes out of a file.
    llvm::Expected<simulator::Program> stored = simulator::deserialize(simulator::serialize(*program), "program");
    EXPECT_TRUE(static_cast<bool>(stored)) << seed << ": " << llvm::toString(stored.takeError());
    if (!stored)
      return false;
    compare(seed, "simulator", product, *expected,
            interpret(*module, product.inputs, systolic::interpretLaunches(*module, *stored)));
    PassManager raise(&context);
    raise.addPass(createSystolicRaiseToVitqPass());
    EXPECT_TRUE(succeeded(raise.run(*module))) << seed << " on " << product.config << ": " << errors;
    compare(seed, "raised module", product, *expected, interpret(*module, product.inputs));
    return true;
  }

  void compare(uint32_t seed, StringRef what, const RandomProduct &product, const Tensor &expected,
               const std::optional<Tensor> &actual) {
    ASSERT_TRUE(actual) << seed << " on " << product.config << ": " << errors;
    ASSERT_EQ(expected.numBytes(), actual->numBytes());
    EXPECT_EQ(StringRef(expected.bytes(), expected.numBytes()) == StringRef(actual->bytes(), actual->numBytes()), true)
        << what.str() << " differs, seed " << seed << " on " << product.config << "\n"
        << product.module.substr(0, 1000);
  }

  MLIRContext context;
  std::string errors;
};

constexpr int kShares = 10;

TEST_P(RandomProducts, SimulatorRaisedModuleAndInterpreterAgree) {
  const char *text = std::getenv("VITQ_RANDOM_PRODUCTS");
  const int wanted = ((text ? std::atoi(text) : 500) + kShares - 1) / kShares;
  int done = 0;
  for (int i = 0; done < wanted; ++i) {
    ASSERT_LT(i, 4 * wanted + 20) << "too few of the arrays hold their products";
    done += check(static_cast<uint32_t>(1 + i * kShares + GetParam()));
    if (HasFailure())
      return;
  }
}

INSTANTIATE_TEST_SUITE_P(Shares, RandomProducts, ::testing::Range(0, kShares));

} // namespace
