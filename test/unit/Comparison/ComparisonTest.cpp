//===- ComparisonTest.cpp - Known errors in tiny models -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Comparison/Comparison.h"

#include "dialects/vitq/Vitq.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

#include <cmath>

using namespace vitq;
using namespace vitq::comparison;

namespace {

class ComparisonTest : public ::testing::Test {
protected:
  ComparisonTest() {
    mlir::DialectRegistry registry;
    registry.insert<mlir::func::FuncDialect, mlir::arith::ArithDialect, mlir::quant::QuantDialect, vit::VitDialect,
                    integer::VitqDialect>();
    context.appendDialectRegistry(registry);
    context.getDiagEngine().registerHandler(
        [this](mlir::Diagnostic &diagnostic) { errors += diagnostic.str() + "\n"; });
  }

  const Interpreter *open(const std::string &text) {
    modules.push_back(mlir::parseSourceString<mlir::ModuleOp>(text, &context));
    EXPECT_TRUE(modules.back()) << errors;
    if (!modules.back())
      return nullptr;
    auto interpreter = Interpreter::create(*modules.back());
    EXPECT_TRUE(succeeded(interpreter)) << errors;
    interpreters.push_back(succeeded(interpreter) ? std::move(*interpreter) : nullptr);
    return interpreters.back().get();
  }

  /// Both take the same floats.
  mlir::FailureOr<Comparison> run(const std::string &reference, const std::string &program,
                                  const std::vector<std::vector<float>> &images, unsigned threads = 1) {
    const Interpreter *a = open(reference), *b = open(program);
    if (!a || !b)
      return mlir::failure();
    ComparisonOptions options;
    options.images = static_cast<int64_t>(images.size());
    options.threads = threads;
    auto read = [&](int64_t first) -> llvm::Expected<Inputs> {
      const std::vector<float> &image = images[static_cast<size_t>(first)];
      Tensor input = Tensor::of<float>({1, static_cast<int64_t>(image.size())}, image);
      return Inputs{input, input};
    };
    return compare(*a, *b, read, options);
  }

  mlir::MLIRContext context;
  std::string errors;
  std::vector<mlir::OwningOpRef<mlir::ModuleOp>> modules;
  std::vector<std::unique_ptr<Interpreter>> interpreters;
};

/// x + x, then twice that.
const char *const kFloat = R"(
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %c = arith.constant dense<2.0> : tensor<4xf32>
  %a = vit.add %x, %x : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32> loc("A")
  %b = vit.mul %a, %c : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32> loc("B")
  return %b : tensor<1x4xf32>
})";

/// The same; A has a storage type.
std::string quantized(const std::string &type) {
  return R"(
!q = )" + type +
         R"(
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %c = arith.constant dense<2.0> : tensor<4xf32>
  %a = vit.add %x, %x : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32> loc("A")
  %q = vit.quantize %a round half_up : tensor<1x4xf32> -> tensor<1x4x!q> loc("A")
  %d = vit.dequantize %q : tensor<1x4x!q> -> tensor<1x4xf32> loc("A")
  %b = vit.mul %d, %c : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32> loc("B")
  return %b : tensor<1x4xf32>
})";
}

// A is 1, 0.6, -0.7, 2.1 and in steps of 0.5: 1, 0.5, -0.5, 2. Noise 0.01 + 0.04 + 0.01,
// signal 1 + 0.36 + 0.49 + 4.41.
TEST_F(ComparisonTest, AKnownError) {
  auto result = run(kFloat, quantized("!quant.uniform<i8:f32, 0.5>"), {{0.5f, 0.3f, -0.35f, 1.05f}});
  ASSERT_TRUE(succeeded(result)) << errors;
  ASSERT_EQ(result->values.size(), 2u);
  const ValueFigures &a = result->values[0], &b = result->values[1];
  double expected = 10 * std::log10(6.26 / 0.06);
  EXPECT_EQ(a.node, "A");
  EXPECT_EQ(a.referenceOp, "vit.add");
  EXPECT_EQ(a.op, "vit.quantize");
  EXPECT_EQ(a.bits, 8u);
  EXPECT_EQ(a.scale, 0.5);
  EXPECT_NEAR(a.sqnrDb.value_or(0), expected, 1e-4);
  EXPECT_NEAR(a.addedSqnrDb.value_or(0), expected, 1e-4);
  EXPECT_NEAR(a.addedAtLogitsDb.value_or(0), expected, 1e-4);
  EXPECT_NEAR(a.addedShare, 1, 1e-9);
  EXPECT_NEAR(a.maxError, 0.2, 1e-6);
  EXPECT_EQ(a.worstChannel, 2);
  EXPECT_NEAR(a.worstChannelShare, 2.0 / 3, 1e-5);
  EXPECT_EQ(a.saturation, 0);
  EXPECT_NEAR(a.max, 2, 1e-6);
  EXPECT_NEAR(a.referenceMax, 2.1, 1e-6);
  // B has the error of A and adds none.
  EXPECT_EQ(b.node, "B");
  EXPECT_EQ(b.bits, 0u);
  EXPECT_NEAR(b.sqnrDb.value_or(0), expected, 1e-4);
  EXPECT_FALSE(b.addedSqnrDb);
  EXPECT_EQ(b.addedShare, 0);
  ASSERT_NE(result->logits(), nullptr);
  EXPECT_NEAR(result->logits()->sqnrDb.value_or(0), expected, 1e-4);
  EXPECT_EQ(result->logits()->agreement, 1);
  EXPECT_EQ(result->ranking(), std::vector<size_t>{0});
}

// A is held with 1 more, which B takes off again. The program is exact: neither is to blame.
TEST_F(ComparisonTest, WhatAnotherOpMakesGoodForHasNoShare) {
  const char *const moved = R"(
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %c = arith.constant dense<2.0> : tensor<4xf32>
  %one = arith.constant dense<1.0> : tensor<4xf32>
  %two = arith.constant dense<-2.0> : tensor<4xf32>
  %s = vit.add %x, %x : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
  %a = vit.add %s, %one : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32> loc("A")
  %m = vit.mul %a, %c : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  %b = vit.add %m, %two : (tensor<1x4xf32>, tensor<4xf32>) -> tensor<1x4xf32> loc("B")
  return %b : tensor<1x4xf32>
})";
  auto result = run(kFloat, moved, {{1, 2, 3, 4}});
  ASSERT_TRUE(succeeded(result)) << errors;
  ASSERT_EQ(result->values.size(), 2u);
  // 2, 4, 6, 8 and 1 more each: noise 4 of 120.
  EXPECT_NEAR(result->values[0].addedSqnrDb.value_or(0), 10 * std::log10(30.0), 1e-4);
  EXPECT_NEAR(result->values[0].addedAtLogitsDb.value_or(0), 10 * std::log10(30.0), 1e-4);
  EXPECT_EQ(result->values[0].addedShare, 0);
  EXPECT_EQ(result->values[1].addedShare, 0);
  EXPECT_TRUE(result->ranking().empty());
}

TEST_F(ComparisonTest, EqualFunctionsHaveNoRatio) {
  auto result = run(kFloat, kFloat, {{1, 2, 3, 4}});
  ASSERT_TRUE(succeeded(result)) << errors;
  ASSERT_EQ(result->values.size(), 2u);
  EXPECT_FALSE(result->values[0].sqnrDb);
  ASSERT_NE(result->logits(), nullptr);
  EXPECT_FALSE(result->logits()->sqnrDb);
  EXPECT_TRUE(result->ranking().empty());
  EXPECT_EQ(result->values[0].worstChannel, -1);
}

// Codes -3 to 3 hold -1.5 to 1.5: of 1, 0.6, -3, 2.1 the last two lie more than a step
// outside of nothing but -3; 2.1 is 0.6 beyond, more than a step of 0.5.
TEST_F(ComparisonTest, SaturationCountsWhatIsClippedByMoreThanAStep) {
  auto result = run(kFloat, quantized("!quant.uniform<i8<-3:3>:f32, 0.5>"), {{0.5f, 0.3f, -1.5f, 0.95f}});
  ASSERT_TRUE(succeeded(result)) << errors;
  // 1.9 is within a step of 1.5, -3 is not.
  EXPECT_EQ(result->values[0].saturation, 0.25);
}

// Per channel, unsigned, with a zero point; the record says axis and sign.
TEST_F(ComparisonTest, IntegersAreReadByTheirRecord) {
  std::string integers = R"(
module attributes {vitq.output_scale = 0.5 : f64, vitq.scales = {
    "7" = {axis = 1 : i64, node = "A", scale = array<f64: 0.5, 0.25>, unsigned, zero_point = array<i64: 128, 128>},
    "8" = {node = "B", scale = array<f64: 0.5>, zero_point = array<i64: 0>}}} {
  func.func @main(%x: tensor<1x2xi8>) -> tensor<1x2xi32> {
    %w = arith.constant dense<[[1, 0], [0, 1]]> : tensor<2x2xi8>
    %m = vitq.matmul %x, %w transpose_rhs : (tensor<1x2xi8>, tensor<2x2xi8>) -> tensor<1x2xi32> loc("A")
    %a = vitq.requant %m by <1073741824, 30> round half_up result <unsigned, zero = 128> {vitq.id = 7 : i64} : tensor<1x2xi32> -> tensor<1x2xi8> loc("A")
    %b = vitq.matmul %x, %w transpose_rhs {vitq.id = 8 : i64} : (tensor<1x2xi8>, tensor<2x2xi8>) -> tensor<1x2xi32> loc("B")
    return %b : tensor<1x2xi32>
  }
})";
  const Interpreter *reference = open(R"(
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %a = vit.add %x, %x : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32> loc("A")
  %b = vit.add %a, %x : (tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<1x2xf32> loc("B")
  return %b : tensor<1x2xf32>
})");
  const Interpreter *program = open(integers);
  ASSERT_TRUE(reference && program);
  auto read = [](int64_t) -> llvm::Expected<Inputs> {
    return Inputs{Tensor::of<float>({1, 2}, {1.0f, 2.0f}), Tensor::of<int8_t>({1, 2}, {6, 8})};
  };
  auto result = compare(*reference, *program, read, {});
  ASSERT_TRUE(succeeded(result)) << errors;
  ASSERT_EQ(result->values.size(), 2u);
  // Codes 134 and 136: 3.0 and 2.0 for 2 and 4.
  EXPECT_EQ(result->values[0].id, 7);
  EXPECT_NEAR(result->values[0].sqnrDb.value_or(0), 10 * std::log10(20.0 / 5), 1e-6);
  // 3.0 and 4.0 for 3 and 6.
  ASSERT_NE(result->logits(), nullptr);
  EXPECT_NEAR(result->logits()->sqnrDb.value_or(0), 10 * std::log10(45.0 / 4), 1e-6);
}

// Two results: each by its own scale. An error counts at the output that suffers most, and
// in shares by the signal of each.
TEST_F(ComparisonTest, EveryOutputHasItsFigures) {
  const char *floats = R"(
func.func @main(%x: tensor<1x4xf32>) -> (tensor<1x4xf32>, tensor<1x2x2xf32>) {
  %a = vit.add %x, %x : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32> loc("A")
  %b = vit.add %a, %x : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32> loc("B")
  %r = vit.reshape %a to [1, 2, 2] : tensor<1x4xf32> -> tensor<1x2x2xf32> loc("R")
  return %b, %r : tensor<1x4xf32>, tensor<1x2x2xf32> loc(fused["classes", "features"])
})";
  const char *codes = R"(
func.func @main(%x: tensor<1x4xf32>) -> (tensor<1x4xf32>, tensor<1x2x2x!quant.uniform<i32:f32, 0.5>>) {
  %a = vit.add %x, %x : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32> loc("A")
  %q = vit.quantize %a round half_up : tensor<1x4xf32> -> tensor<1x4x!quant.uniform<i32:f32, 0.5>> loc("A")
  %d = vit.dequantize %q : tensor<1x4x!quant.uniform<i32:f32, 0.5>> -> tensor<1x4xf32> loc("A")
  %b = vit.add %d, %x : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32> loc("B")
  %r = vit.reshape %q to [1, 2, 2] : tensor<1x4x!quant.uniform<i32:f32, 0.5>> -> tensor<1x2x2x!quant.uniform<i32:f32, 0.5>> loc("R")
  return %b, %r : tensor<1x4xf32>, tensor<1x2x2x!quant.uniform<i32:f32, 0.5>> loc(fused["classes", "features"])
})";
  auto result = run(floats, codes, {{0.5f, 0.3f, -0.35f, 1.05f}});
  ASSERT_TRUE(succeeded(result)) << errors;
  ASSERT_EQ(result->outputs.size(), 2u);
  const OutputFigures &classes = result->outputs[0], &features = result->outputs[1];
  // A is 1, 0.6, -0.7, 2.1 for 1, 0.5, -0.5, 2; B is 1.5 times that.
  const double noise = 0.06;
  EXPECT_EQ(classes.name, "classes");
  EXPECT_EQ(classes.agreement, 1);
  EXPECT_NEAR(classes.sqnrDb.value_or(0), 10 * std::log10(2.25 * 6.26 / noise), 1e-4);
  EXPECT_EQ(features.name, "features");
  EXPECT_FALSE(features.agreement);
  EXPECT_NEAR(features.sqnrDb.value_or(0), 10 * std::log10(6.26 / noise), 1e-4);
  EXPECT_EQ(result->logits(), &classes);
  EXPECT_EQ(result->outputsName(), "outputs");
  ASSERT_EQ(result->values.size(), 2u);
  EXPECT_NEAR(result->values[0].addedAtLogitsDb.value_or(0), 10 * std::log10(6.26 / noise), 1e-4);
  EXPECT_NEAR(result->values[0].addedShare, 1, 1e-9);
}

TEST_F(ComparisonTest, RefusesOutputsOfOtherShapes) {
  auto result = run(kFloat, R"(
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2x2xf32> {
  %r = vit.reshape %x to [1, 2, 2] : tensor<1x4xf32> -> tensor<1x2x2xf32> loc("R")
  return %r : tensor<1x2x2xf32> loc("features")
})",
                    {{1, 2, 3, 4}});
  EXPECT_TRUE(failed(result));
  EXPECT_NE(errors.find("the output 'features' is of 'tensor<1x4xf32>', that of the program is of 'tensor<1x2x2xf32>'"),
            std::string::npos)
      << errors;
}

// The numerators of a softmax are no probabilities, but with the row sums they are.
TEST_F(ComparisonTest, SoftmaxIsComparedAsProbabilities) {
  auto result = run(R"(
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %s = vit.softmax %x : tensor<1x4xf32> -> tensor<1x4xf32> loc("S")
  return %s : tensor<1x4xf32>
})",
                    R"(
!u8 = !quant.uniform<u8:f32, 0.0039215686274509803>
!i32 = !quant.uniform<i32:f32, 0.0039215686274509803>
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %n, %s = vit.softmax_numerator %x : tensor<1x4xf32> -> tensor<1x4x!u8>, tensor<1x!i32> loc("S")
  %dn = vit.dequantize %n : tensor<1x4x!u8> -> tensor<1x4xf32> loc("S")
  %ds = vit.dequantize %s : tensor<1x!i32> -> tensor<1xf32> loc("S")
  %r = vit.divide_rows %dn, %ds : (tensor<1x4xf32>, tensor<1xf32>) -> tensor<1x4xf32> loc("other")
  return %r : tensor<1x4xf32>
})",
                    {{0, 1, 2, 3}});
  ASSERT_TRUE(succeeded(result)) << errors;
  ASSERT_EQ(result->values.size(), 1u);
  EXPECT_GT(result->values[0].sqnrDb.value_or(0), 45);
  EXPECT_LT(result->values[0].maxError, 0.002);
}

// A layer that becomes a product, a requantization and moves, all of one node.
TEST_F(ComparisonTest, NodesOfSeveralOpsKeepTheirOrder) {
  const char *text = R"(
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %a = vit.relu %x : tensor<1x4xf32> -> tensor<1x4xf32> loc("N")
  %b = vit.tanh %a : tensor<1x4xf32> -> tensor<1x4xf32> loc("N")
  %r = vit.reshape %b to [1, 2, 2] : tensor<1x4xf32> -> tensor<1x2x2xf32> loc("N")
  %s = vit.reshape %r to [1, 4] : tensor<1x2x2xf32> -> tensor<1x4xf32> loc("N")
  %c = vit.relu %s : tensor<1x4xf32> -> tensor<1x4xf32> loc("only here")
  return %c : tensor<1x4xf32>
})";
  std::string program = text;
  program.replace(program.find("only here"), 9, "only there");
  const Interpreter *a = open(text), *b = open(program);
  ASSERT_TRUE(a && b);
  std::vector<Counterpart> pairs = findCounterparts(a->getFunction(), b->getFunction());
  ASSERT_EQ(pairs.size(), 2u);
  EXPECT_TRUE(mlir::isa<vit::ReluOp>(pairs[0].reference.getOwner()));
  EXPECT_TRUE(mlir::isa<vit::ReluOp>(pairs[0].program.getOwner()));
  EXPECT_TRUE(mlir::isa<vit::TanhOp>(pairs[1].reference.getOwner()));
  EXPECT_TRUE(mlir::isa<vit::TanhOp>(pairs[1].program.getOwner()));
}

TEST_F(ComparisonTest, ThreadsDoNotMatter) {
  std::vector<std::vector<float>> images;
  for (int i = 0; i < 21; ++i)
    images.push_back({0.1f * static_cast<float>(i), 1.0f / static_cast<float>(i + 1), -0.7f, 3.3f});
  std::string texts[2];
  for (unsigned threads : {1u, 3u}) {
    auto result = run(kFloat, quantized("!quant.uniform<i8:f32, 0.3>"), images, threads);
    ASSERT_TRUE(succeeded(result)) << errors;
    texts[threads > 1] = llvm::formatv("{0}", result->toJSON()).str();
  }
  EXPECT_EQ(texts[0], texts[1]);
}

TEST_F(ComparisonTest, AnImageThatCannotBeReadIsOneError) {
  const Interpreter *reference = open(kFloat);
  ASSERT_TRUE(reference);
  ComparisonOptions options;
  options.images = 9;
  options.threads = 3;
  auto read = [](int64_t) -> llvm::Expected<Inputs> { return llvm::createStringError("no such picture"); };
  EXPECT_TRUE(failed(compare(*reference, *reference, read, options)));
  EXPECT_EQ(errors, "no such picture\n");
}

TEST(BlockOfTest, ReadsNumbersAfterTheUsualWords) {
  EXPECT_EQ(blockOf("/blocks.7/mlp/fc2/Add"), 7);
  EXPECT_EQ(blockOf("/vit/encoder/layer.11/output/dense/MatMul"), 11);
  EXPECT_EQ(blockOf("/encoder/layers/encoder_layer_3/mlp"), 3);
  EXPECT_EQ(blockOf("Block_2/add"), 2);
  EXPECT_EQ(blockOf("/blocks/blocks.0/norm1"), 0);
  EXPECT_EQ(blockOf("node_layer_norm_5"), std::nullopt);
  EXPECT_EQ(blockOf("/player7/x"), std::nullopt);
  EXPECT_EQ(blockOf("blocks"), std::nullopt);
  EXPECT_EQ(blockOf(""), std::nullopt);
  EXPECT_EQ(blockOf("block99999999999999999999"), std::nullopt);
}

// Scores with a mask: -1e9 of the reference and the lowest code of the program are the
// same to softmax, and a row that is masked altogether is no error at all.
TEST_F(ComparisonTest, WhatAMaskRemovesIsNoError) {
  auto masked = [](const std::string &values, const std::string &cast) {
    return R"(
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2x2xf32> {
  %m = arith.constant dense<)" +
           values + R"(> : tensor<2x2xf32>
  %r = vit.reshape %x to [1, 2, 2] : tensor<1x4xf32> -> tensor<1x2x2xf32>
  %a = vit.add %r, %m : (tensor<1x2x2xf32>, tensor<2x2xf32>) -> tensor<1x2x2xf32> loc("A")
)" + cast + R"(
  %p = vit.softmax %s : tensor<1x2x2xf32> -> tensor<1x2x2xf32> loc("P")
  return %p : tensor<1x2x2xf32>
})";
  };
  std::string type = "!quant.uniform<i8:f32, 0.5>";
  auto result = run(masked("[[0.0, -1.0e9], [-1.0e9, -1.0e9]]",
                           "%s = vit.reshape %a to [1, 2, 2] : tensor<1x2x2xf32> -> tensor<1x2x2xf32>"),
                    masked("[[0.0, -100.0], [-100.0, -100.0]]",
                           "%q = vit.quantize %a round half_up : tensor<1x2x2xf32> -> tensor<1x2x2x" + type +
                               "> loc(\"A\")\n  %s = vit.dequantize %q : tensor<1x2x2x" + type +
                               "> -> tensor<1x2x2xf32> loc(\"A\")"),
                    {{3.0f, 0.5f, 0.5f, 0.5f}, {-1.0f, 0.5f, 1.5f, 0.5f}});
  ASSERT_TRUE(succeeded(result)) << errors;
  ASSERT_FALSE(result->values.empty());
  EXPECT_EQ(result->values[0].node, "A");
  EXPECT_EQ(result->values[0].maxError, 0.0);
  EXPECT_EQ(result->values[0].referenceMin, -25.0);
}

} // namespace
