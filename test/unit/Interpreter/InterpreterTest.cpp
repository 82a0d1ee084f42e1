//===- InterpreterTest.cpp - Preparation, errors, threads, observers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include <thread>

using namespace vitq;
using namespace vitq::test;

namespace {

class RunTest : public InterpreterTest {};

TEST_F(RunTest, UnsupportedOpsAreErrorsAtPreparation) {
  context.allowUnregisteredDialects();
  auto interpreter = create("func.func @main(%a: tensor<1xf32>) -> tensor<1xf32> {\n"
                            "%r = \"other.op\"(%a) : (tensor<1xf32>) -> tensor<1xf32>\n"
                            "return %r : tensor<1xf32>\n}");
  EXPECT_FALSE(interpreter);
  EXPECT_NE(errors.find("'other.op' op cannot be run"), std::string::npos) << errors;
}

TEST_F(RunTest, InputsAreChecked) {
  std::string text = "func.func @main(%a: tensor<2xf32>) -> tensor<2xf32> { return %a : tensor<2xf32> }";
  EXPECT_TRUE(run(text, {Tensor::of<float>({3}, {1, 2, 3})}).empty());
  EXPECT_NE(errors.find("input 0 is tensor<3xf32>, argument 0 takes tensor<2xf32>"), std::string::npos) << errors;
  errors.clear();
  EXPECT_TRUE(run(text, {Tensor::of<int8_t>({2}, {1, 2})}).empty());
  EXPECT_NE(errors.find("input 0 is tensor<2xi8>"), std::string::npos) << errors;
  errors.clear();
  EXPECT_TRUE(run(text, {}).empty());
  EXPECT_NE(errors.find("function takes 1 inputs, 0 given"), std::string::npos) << errors;
}

TEST_F(RunTest, WhatCannotBeRunIsAnError) {
  for (auto [text, error] :
       {std::pair("func.func private @main(%a: tensor<1xf32>) -> tensor<1xf32>",
                  "function 'main' has no body of one block, so it cannot be run"),
        {"func.func @a() { return }\nfunc.func @b() { return }", "module has no function 'main' to run"},
        {"func.func @main(%a: tensor<1xf16>) -> tensor<1xf16> { return %a : tensor<1xf16> }",
         "argument 0 has an element type that cannot be run: 'f16'"},
        {"func.func @main() -> tensor<1xf16> {\n%c = arith.constant dense<1.0> : tensor<1xf16>\n"
         "return %c : tensor<1xf16>\n}",
         "has a value that cannot be run: the interpreter takes tensors of f32, f64, i1 to i8, i16, i32 and i64"}}) {
    errors.clear();
    EXPECT_FALSE(create(text));
    EXPECT_NE(errors.find(error), std::string::npos) << errors;
  }
}

TEST_F(RunTest, ConstantsInEveryForm) {
  auto r = run("module {\nfunc.func @main(%a: tensor<4xf32>) -> tensor<4xf32> {\n"
               "%s = arith.constant dense<2.0> : tensor<4xf32>\n"
               "%l = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>\n"
               "%r = arith.constant dense_resource<blob> : tensor<4xf32>\n"
               "%0 = vit.mul %a, %s : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>\n"
               "%1 = vit.add %0, %l : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>\n"
               "%2 = vit.add %1, %r : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>\n"
               "return %2 : tensor<4xf32>\n}\n}\n"
               "{-# dialect_resources: { builtin: { blob: "
               "\"0x0400000000002041000020410000204100002041\" } } #-}",
               {Tensor::of<float>({4}, {0, 1, 2, 3})});
  ASSERT_EQ(r.size(), 1u) << errors;
  expectNear(r[0], {11, 14, 17, 20});
}

TEST_F(RunTest, AMissingBlobIsAnError) {
  EXPECT_FALSE(create("func.func @main() -> tensor<4xf32> {\n"
                      "%r = arith.constant dense_resource<__elided__> : tensor<4xf32>\n"
                      "return %r : tensor<4xf32>\n}"));
  EXPECT_NE(errors.find("elided"), std::string::npos) << errors;
}

TEST_F(RunTest, ObserverSeesEveryOpInOrder) {
  auto interpreter = create("func.func @main(%a: tensor<1xf32>) -> tensor<1xf32> {\n"
                            "%c = arith.constant dense<2.0> : tensor<1xf32>\n"
                            "%0 = vit.mul %a, %c : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>\n"
                            "%unused = vit.exp %0 : tensor<1xf32> -> tensor<1xf32>\n"
                            "%1 = vit.relu %0 : tensor<1xf32> -> tensor<1xf32>\n"
                            "return %1 : tensor<1xf32>\n}");
  ASSERT_TRUE(interpreter);
  std::vector<std::string> seen;
  llvm::SmallVector<Tensor> results;
  auto observe = [&](mlir::Operation *op, llvm::ArrayRef<Tensor> values) {
    seen.push_back(op->getName().getStringRef().str() + " " + std::to_string(int(values[0].data<float>()[0])));
  };
  ASSERT_TRUE(succeeded(interpreter->run({Tensor::of<float>({1}, {-3})}, results, observe)));
  EXPECT_EQ(seen, (std::vector<std::string>{"vit.mul -6", "vit.exp 0", "vit.relu 0"}));
  expectNear(results[0], {0});
}

TEST_F(RunTest, AnObserverMayReplaceResults) {
  auto interpreter = create("func.func @main(%a: tensor<1xf32>) -> tensor<1xf32> {\n"
                            "%0 = vit.relu %a : tensor<1xf32> -> tensor<1xf32>\n"
                            "%1 = vit.add %0, %a : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>\n"
                            "return %1 : tensor<1xf32>\n}");
  ASSERT_TRUE(interpreter);
  llvm::SmallVector<Tensor> results;
  auto replace = [&](mlir::Operation *op, llvm::MutableArrayRef<Tensor> values) {
    if (op->getName().getStringRef() == "vit.relu")
      values[0] = Tensor::of<float>({1}, {10});
  };
  ASSERT_TRUE(succeeded(interpreter->run({Tensor::of<float>({1}, {2})}, results, replace)));
  expectNear(results[0], {12});
}

// What does not depend on the change is as it was recorded: %1 doubles the input, not
// the changed value.
TEST_F(RunTest, ARecordedRunStartsAgainFromAnyValue) {
  auto interpreter = create("func.func @main(%a: tensor<1xf32>) -> (tensor<1xf32>, tensor<1xf32>) {\n"
                            "%0 = vit.relu %a : tensor<1xf32> -> tensor<1xf32>\n"
                            "%1 = vit.add %a, %a : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>\n"
                            "%2 = vit.mul %0, %1 : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>\n"
                            "return %2, %1 : tensor<1xf32>, tensor<1xf32>\n}");
  ASSERT_TRUE(interpreter);
  Interpreter::Record record;
  ASSERT_TRUE(succeeded(interpreter->record({Tensor::of<float>({1}, {3})}, record)));
  auto relu = *interpreter->getFunction().getOps<vit::ReluOp>().begin();
  auto add = *interpreter->getFunction().getOps<vit::AddOp>().begin();
  expectNear(interpreter->valueOf(record, relu.getResult()), {3});
  llvm::SmallVector<Tensor> results;
  ASSERT_TRUE(succeeded(interpreter->rerun(record, relu.getResult(), Tensor::of<float>({1}, {5}), results)));
  expectNear(results[0], {30});
  expectNear(results[1], {6});
  ASSERT_TRUE(succeeded(interpreter->rerun(record, add.getResult(), Tensor::of<float>({1}, {1}), results)));
  expectNear(results[0], {3});
  expectNear(results[1], {1});
  ASSERT_TRUE(succeeded(
      interpreter->rerun(record, interpreter->getFunction().getArgument(0), Tensor::of<float>({1}, {-1}), results)));
  expectNear(results[0], {0});
  expectNear(results[1], {-2});
}

/// A run stops where it is told, tries other operands, an optional one too, and goes on with results that are given.
TEST_F(RunTest, ARunStopsAndGoesOn) {
  auto interpreter = create("func.func @main(%a: tensor<1x1xf32>) -> tensor<1x1xf32> {\n"
                            "%w = arith.constant dense<2.0> : tensor<1x1xf32>\n"
                            "%0 = vit.linear %a, %w : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>\n"
                            "%1 = vit.add %0, %a : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>\n"
                            "%2 = vit.relu %1 : tensor<1x1xf32> -> tensor<1x1xf32>\n"
                            "return %2 : tensor<1x1xf32>\n}");
  ASSERT_TRUE(interpreter);
  auto linear = *interpreter->getFunction().getOps<vit::LinearOp>().begin();
  auto relu = *interpreter->getFunction().getOps<vit::ReluOp>().begin();
  auto run = interpreter->begin({Tensor::of<float>({1, 1}, {3})});
  ASSERT_TRUE(succeeded(run));
  ASSERT_TRUE(succeeded(run->runUntil(linear)));
  expectNear(run->operand(0), {3});
  expectNear(run->operand(1), {2});
  llvm::SmallVector<Tensor> results;
  ASSERT_TRUE(succeeded(run->compute({}, results)));
  expectNear(results[0], {6});
  ASSERT_TRUE(
      succeeded(run->compute({{1, Tensor::of<float>({1, 1}, {5})}, {2, Tensor::of<float>({1}, {0.5f})}}, results)));
  expectNear(results[0], {15.5});
  expectNear(run->operand(1), {2});
  run->skip(results);
  ASSERT_TRUE(succeeded(run->runUntil(relu)));
  expectNear(run->operand(0), {18.5});
  EXPECT_TRUE(succeeded(run->runUntil(nullptr)));
  EXPECT_TRUE(failed(interpreter->begin({})));
  EXPECT_NE(errors.find("function takes 1 inputs, 0 given"), std::string::npos) << errors;
}

/// Without casts: nothing is rounded or clamped, codes of constants and of inputs are what they stand for, and scales
/// of channels that are read as one are gone.
TEST_F(RunTest, CastsAreIgnored) {
  const std::string text = "!u = !quant.uniform<u8:f32, 0.5:10>\n"
                           "!c = !quant.uniform<i8:f32:1, {0.25,4.0}>\n"
                           "!s = !quant.uniform<i8:f32, 0.25>\n"
                           "func.func @main(%a: tensor<1x2x!u>) -> tensor<1x2xf32> {\n"
                           "%k = arith.constant dense<[[3, -8]]> : tensor<1x2xi8>\n"
                           "%kq = quant.scast %k : tensor<1x2xi8> to tensor<1x2x!s>\n"
                           "%kd = vit.dequantize %kq : tensor<1x2x!s> -> tensor<1x2xf32>\n"
                           "%d = vit.dequantize %a : tensor<1x2x!u> -> tensor<1x2xf32>\n"
                           "%0 = vit.add %d, %kd : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>\n"
                           "%1 = vit.mul %0, %0 : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32>\n"
                           "%q = vit.quantize %1 round half_up : tensor<1x2xf32> -> tensor<1x2x!c>\n"
                           "%i = quant.scast %q : tensor<1x2x!c> to tensor<1x2xi8>\n"
                           "%c = quant.scast %i : tensor<1x2xi8> to tensor<1x2x!s>\n"
                           "%e = vit.dequantize %c : tensor<1x2x!s> -> tensor<1x2xf32>\n"
                           "return %e : tensor<1x2xf32>\n}";
  InterpreterOptions options;
  options.ignoreCasts = true;
  // Codes 210 and 11: 100 and 0.5; with the constant 100.75 and -1.5.
  const Tensor input = Tensor::of<uint8_t>({1, 2}, {210, 11});
  expectNear(run(text, {input}, options)[0], {100.75 * 100.75, 2.25}, 1e-2);
  // Of codes with their casts the first is clamped, and the second one step of 4 read as one of 0.25.
  expectNear(run(text, {input})[0], {31.75, 0.25});
}

TEST_F(RunTest, RunsInSeveralThreads) {
  auto interpreter = create("func.func @main(%a: tensor<1x64xf32>) -> tensor<1x64xf32> {\n"
                            "%w = arith.constant dense<1.0> : tensor<64x64xf32>\n"
                            "%0 = vit.linear %a, %w : (tensor<1x64xf32>, tensor<64x64xf32>) -> tensor<1x64xf32>\n"
                            "return %0 : tensor<1x64xf32>\n}");
  ASSERT_TRUE(interpreter);
  EXPECT_EQ(interpreter->macs(), 64 * 64);
  std::vector<float> sums(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < sums.size(); ++i)
    threads.emplace_back([&, i] {
      llvm::SmallVector<Tensor> results;
      if (succeeded(interpreter->run({Tensor::of<float>({1, 64}, std::vector<float>(64, float(i)))}, results)))
        sums[i] = results[0].data<float>()[63];
    });
  for (std::thread &thread : threads)
    thread.join();
  for (size_t i = 0; i < sums.size(); ++i)
    EXPECT_EQ(sums[i], 64.0f * static_cast<float>(i));
}

TEST_F(RunTest, PhasesMayMix) {
  std::string q = "tensor<1x2x!quant.uniform<u8:f32, 0.5:10>>";
  auto r = run("func.func @main(%a: tensor<1x2xf32>) -> tensor<1x2xi32> {\n"
               "%q = vit.quantize %a round half_up : tensor<1x2xf32> -> " +
                   q +
                   "\n"
                   "%s = quant.scast %q : " +
                   q +
                   " to tensor<1x2xi8>\n"
                   "%w = arith.constant dense<[[1, 2], [3, -4]]> : tensor<2x2xi8>\n"
                   "%y = vitq.matmul %s, %w transpose_rhs lhs <unsigned, zero = 10> : (tensor<1x2xi8>, "
                   "tensor<2x2xi8>) -> tensor<1x2xi32>\n"
                   "return %y : tensor<1x2xi32>\n}",
               {Tensor::of<float>({1, 2}, {1.0f, 100.0f})});
  ASSERT_EQ(r.size(), 1u) << errors;
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{2 + 400, 6 - 800}));
}

} // namespace
