//===- RecoverTest.cpp - Mistakes that raising finds -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile program is changed in one place; the pass must say so, or the change must have
// been none. So the oracle of the random products is itself tested.
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Conversion/SystolicToVitq/Recover.h"

#include "vitq/Conversion/Passes.h"
#include "vitq/InitAll.h"
#include "vitq/Pipelines/Pipelines.h"
#include "vitq/Target/Systolic/Systolic.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace vitq;

namespace {

class Recover : public ::testing::Test {
protected:
  Recover() : context(makeRegistry(), MLIRContext::Threading::DISABLED) {
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) { errors += diagnostic.str(); });
    use(R"(
      func.func @main(%x: tensor<1x20x24xi8>) -> tensor<1x20x12xi32> {
        %w = arith.constant dense<100> : tensor<24x12xi8>
        %b = arith.constant dense<7> : tensor<12xi32>
        %y = vitq.matmul %x, %w, %b : (tensor<1x20x24xi8>, tensor<24x12xi8>, tensor<12xi32>) -> tensor<1x20x12xi32>
        return %y : tensor<1x20x12xi32>
      })");
  }
  void use(StringRef text) { module = parseSourceString<ModuleOp>(text, &context); }
  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registerAllDialects(registry);
    return registry;
  }

  /// Changes each field of each instruction that uses it, and counts how often that is `found`.
  void changeFields() {
    for (size_t i = 0; i < code.size(); ++i)
      for (int field = 0; field < 5; ++field) {
        std::vector<simulator::Instruction> changed(code);
        simulator::Instruction &one = changed[i];
        using simulator::Opcode;
        switch (field) {
        case 0:
          one.dram.offset += 1;
          break;
        case 1:
          one.dram.pitch += one.opcode == Opcode::MvinAcc ? 0 : 1;
          break;
        case 2:
          one.local ^= one.local == simulator::kNone ? 0 : 1;
          break;
        case 3:
          one.shift ^= 4;
          break;
        case 4:
          one.flags ^= simulator::FlagAccumulate;
          break;
        }
        const bool reads = one.opcode == Opcode::Preload || one.opcode == Opcode::Compute;
        // Fields that the instruction does not use, or that are as they were.
        if (one == code[i] || (reads && field < 2) || (!reads && (field == 3 || field == 4)) ||
            (one.opcode == Opcode::Compute && field > 2) || (one.rows == 1 && field == 1))
          continue;
        ++tried;
        found += !recovers(changed);
      }
  }

  void lower(StringRef config, StringRef place = "") {
    PassManager manager(&context);
    SystolicOptions options;
    options.config = config.str();
    options.place = place.str();
    addSystolicPasses(manager, options);
    manager.addPass(createSystolicAllocatePass());
    ASSERT_TRUE(succeeded(manager.run(*module))) << errors;
    for (auto function : module->getOps<func::FuncOp>())
      if (function->hasAttr(systolic::kRoutineAttr))
        routine = function;
    FailureOr<std::vector<simulator::Instruction>> encoded = systolic::encodeRoutine(routine);
    ASSERT_TRUE(succeeded(encoded)) << errors;
    code = *encoded;
    machine = simulator::Config::parse(config).get();
  }

  bool recovers(ArrayRef<simulator::Instruction> instructions) {
    return succeeded(systolic::recoverProduct(routine, instructions, machine, {}, bits));
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp routine;
  std::vector<simulator::Instruction> code;
  simulator::Config machine;
  std::string errors;
  /// Of the codes of each operand.
  SmallVector<int64_t> bits;
  unsigned found = 0, tried = 0;
};

TEST_F(Recover, FindsTheProduct) {
  lower("rows=8,cols=8,bits=4");
  FailureOr<systolic::Recovered> product = systolic::recoverProduct(routine, code, machine, {});
  ASSERT_TRUE(succeeded(product)) << errors;
  EXPECT_EQ(product->m, 20);
  EXPECT_EQ(product->k, 24);
  EXPECT_EQ(product->n, 12);
  EXPECT_FALSE(product->lhsUnsigned);
  EXPECT_TRUE(product->bias.has_value());
}

TEST_F(Recover, EveryDroppedInstructionIsFound) {
  lower("rows=8,cols=8");
  ASSERT_TRUE(recovers(code)) << errors;
  for (size_t i = 0; i < code.size(); ++i) {
    std::vector<simulator::Instruction> changed(code);
    changed.erase(changed.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_FALSE(recovers(changed)) << i << ": " << print(code[i]);
  }
}

TEST_F(Recover, WrongFieldsAreFound) {
  lower("rows=8,cols=8,bits=4");
  ASSERT_TRUE(recovers(code)) << errors;
  changeFields();
  EXPECT_GT(tried, 100u);
  EXPECT_EQ(found, tried);
}

TEST_F(Recover, WrongFieldsOfPackedCodesAreFound) {
  use(R"(
    func.func @main(%x: tensor<1x20x24xi8>) -> tensor<1x20x12xi32> {
      %w = arith.constant dense<3> : tensor<24x12xi8>
      %y = vitq.matmul %x, %w : (tensor<1x20x24xi8>, tensor<24x12xi8>) -> tensor<1x20x12xi32>
      return %y : tensor<1x20x12xi32>
    })");
  lower("rows=8,cols=8,bits=4");
  EXPECT_FALSE(recovers(code));
  EXPECT_NE(errors.find("reads a plane with the wrong sign"), std::string::npos) << errors;
  bits = {8, 3};
  ASSERT_TRUE(recovers(code)) << errors;
  changeFields();
  EXPECT_GT(tried, 100u);
  EXPECT_EQ(found, tried);
}

TEST_F(Recover, WrongFieldsOfPatchesAreFound) {
  use(R"(
    func.func @main(%x: tensor<1x6x5x20xi8>) -> tensor<1x3x3x12xi32> {
      %w = arith.constant dense<3> : tensor<180x12xi8>
      %p = vitq.extract_patches %x patch [3, 3] strides [2, 2] pads [1, 1, 1, 1] as_map : tensor<1x6x5x20xi8> -> tensor<1x3x3x180xi8>
      %y = vitq.matmul %p, %w : (tensor<1x3x3x180xi8>, tensor<180x12xi8>) -> tensor<1x3x3x12xi32>
      return %y : tensor<1x3x3x12xi32>
    })");
  lower("rows=8,cols=8", "extract_patches=array");
  FailureOr<systolic::Recovered> product = systolic::recoverProduct(routine, code, machine, {});
  ASSERT_TRUE(succeeded(product)) << errors;
  EXPECT_TRUE(product->patches);
  EXPECT_EQ(product->m, 9);
  EXPECT_EQ(product->k, 180);
  changeFields();
  EXPECT_GT(tried, 100u);
  EXPECT_EQ(found, tried);
  EXPECT_NE(errors.find("that are not of patch"), std::string::npos);
  EXPECT_NE(errors.find("goes on beyond a part of a patch"), std::string::npos);
}

} // namespace
