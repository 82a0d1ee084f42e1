//===- DeferRulesTest.cpp - Rules R1-R13 keep the real function -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each rule of docs/Rules.md as a function on dequantized values: run in double
// before and after vit-defer-dequant, on random codes. Where the rule is an exact
// rewrite the results agree to 1e-12; a barrier must leave the values alone, which
// the same comparison checks. A bias is on its grid already, so that rounding it
// changes nothing.
//
//===----------------------------------------------------------------------===//

#include "vitq/InitAll.h"
#include "vitq/Interpreter/Interpreter.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace mlir;
using vitq::Interpreter;
using vitq::Tensor;

namespace {

class DeferRules : public ::testing::Test {
protected:
  DeferRules() {
    DialectRegistry registry;
    vitq::registerAllDialects(registry);
    context.appendDialectRegistry(registry);
  }

  /// Random codes for every argument, then the results in double.
  std::vector<std::vector<double>> evaluate(ModuleOp module, unsigned seed) {
    auto interpreter = Interpreter::create(module, {/*useDouble=*/true});
    EXPECT_TRUE(succeeded(interpreter));
    std::mt19937 random(seed);
    SmallVector<Tensor> inputs, results;
    func::FuncOp function = (*interpreter)->getFunction();
    for (Type type : function.getArgumentTypes()) {
      auto shaped = cast<RankedTensorType>(type);
      auto quantized = cast<quant::QuantizedType>(shaped.getElementType());
      std::uniform_int_distribution<int64_t> codes(std::max<int64_t>(quantized.getStorageTypeMin(), -30000),
                                                   std::min<int64_t>(quantized.getStorageTypeMax(), 30000));
      std::vector<int32_t> values(shaped.getNumElements());
      for (int32_t &value : values)
        value = static_cast<int32_t>(codes(random));
      inputs.push_back(Tensor::of<int32_t>(shaped.getShape(), llvm::ArrayRef<int32_t>(values)));
    }
    EXPECT_TRUE(succeeded((*interpreter)->run(inputs, results)));
    std::vector<std::vector<double>> values;
    for (const Tensor &result : results) {
      llvm::ArrayRef<double> data = result.values<double>();
      values.emplace_back(data.begin(), data.end());
    }
    return values;
  }

  /// Compares before and after; `deferred` says whether no dequantization may be
  /// left before the op named `op`.
  void check(StringRef source, StringRef op, bool deferred) {
    OwningOpRef<ModuleOp> before = parseSourceString<ModuleOp>(source, &context);
    ASSERT_TRUE(before);
    OwningOpRef<ModuleOp> after = before->clone();
    PassManager pm(&context);
    vitq::VitDeferDequantPassOptions options;
    options.remarks = false;
    pm.addPass(vitq::createVitDeferDequantPass(options));
    ASSERT_TRUE(succeeded(pm.run(*after)));
    bool reads = false;
    after->walk([&](Operation *inner) {
      if (inner->getName().getStringRef() == op)
        reads |= isa<quant::QuantizedType>(cast<ShapedType>(inner->getOperand(0).getType()).getElementType());
    });
    EXPECT_EQ(reads, deferred) << op.str() << (deferred ? " was not deferred" : " crossed a barrier");
    for (unsigned seed = 1; seed <= 8; ++seed) {
      auto expected = evaluate(*before, seed), actual = evaluate(*after, seed);
      ASSERT_EQ(expected.size(), actual.size());
      for (size_t r = 0; r < expected.size(); ++r) {
        ASSERT_EQ(expected[r].size(), actual[r].size());
        double largest = 0;
        for (double value : expected[r])
          largest = std::max(largest, std::abs(value));
        for (size_t i = 0; i < expected[r].size(); ++i)
          ASSERT_NEAR(expected[r][i], actual[r][i], 1e-12 * largest) << "seed " << seed << ", element " << i;
      }
    }
  }

  MLIRContext context;
};

// Scales are sums of few powers of two, so that the bias lies on its grid exactly.
constexpr const char *kTypes = R"(
!x = !quant.uniform<u8:f32, 0.125:7>
!xt = !quant.uniform<u8:f32:1, {0.125:7, 0.25:7, 0.375:7}>
!w = !quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25, 0.75, 1.5}>
!ws = !quant.uniform<i8:f32, 0.5>
!q = !quant.uniform<u8:f32, 0.0312:128>
!qh = !quant.uniform<u8:f32:1, {0.0312:128, 0.057:128}>
!kh = !quant.uniform<i8:f32:1, {0.0171, 0.0293}>
!kt = !quant.uniform<i8:f32:2, {0.0171, 0.0293, 0.031}>
!vc = !quant.uniform<i8:f32:3, {0.0171, 0.0293, 0.031, 0.07}>
!p = !quant.uniform<u8:f32, 0.0039215686274509803>
!s = !quant.uniform<i32:f32, 0.0039215686274509803>
!a16 = !quant.uniform<i16:f32, 0.000171>
!b16 = !quant.uniform<i16:f32, 0.00193>
!c16 = !quant.uniform<i16:f32:2, {0.000171, 0.00193, 0.0021, 0.01}>
)";

TEST_F(DeferRules, R1R2LinearWithBiasAndZeroPoint) {
  check(std::string(kTypes) + R"(
    func.func @main(%x: tensor<2x3x5x!x>, %w: tensor<4x5x!w>) -> tensor<2x3x4xf32> {
      %xd = vit.dequantize %x : tensor<2x3x5x!x> -> tensor<2x3x5xf32>
      %wd = vit.dequantize %w : tensor<4x5x!w> -> tensor<4x5xf32>
      %b = arith.constant dense<[0.0625, -0.03125, 0.9375, 1.875]> : tensor<4xf32>
      %y = vit.linear %xd, %wd, %b : (tensor<2x3x5xf32>, tensor<4x5xf32>, tensor<4xf32>) -> tensor<2x3x4xf32>
      return %y : tensor<2x3x4xf32>
    })",
        "vit.linear", true);
}

TEST_F(DeferRules, R1PerTokenInputWithoutBias) {
  check(std::string(kTypes) + R"(
    func.func @main(%x: tensor<2x3x5x!xt>, %w: tensor<4x5x!ws>) -> tensor<2x3x4xf32> {
      %xd = vit.dequantize %x : tensor<2x3x5x!xt> -> tensor<2x3x5xf32>
      %wd = vit.dequantize %w : tensor<4x5x!ws> -> tensor<4x5xf32>
      %y = vit.linear %xd, %wd : (tensor<2x3x5xf32>, tensor<4x5xf32>) -> tensor<2x3x4xf32>
      return %y : tensor<2x3x4xf32>
    })",
        "vit.linear", true);
}

TEST_F(DeferRules, R1PatchEmbedding) {
  check(R"(
    !i = !quant.uniform<u8:f32, 0.25>
    !w = !quant.uniform<i8:f32:0, {0.5, 0.25}>
    func.func @main(%x: tensor<1x4x6x3x!i>, %w: tensor<2x3x2x2x!w>) -> tensor<1x6x2xf32> {
      %xd = vit.dequantize %x : tensor<1x4x6x3x!i> -> tensor<1x4x6x3xf32>
      %wd = vit.dequantize %w : tensor<2x3x2x2x!w> -> tensor<2x3x2x2xf32>
      %b = arith.constant dense<[0.125, -0.0625]> : tensor<2xf32>
      %y = vit.patch_embed channels_last %xd, %wd, %b : (tensor<1x4x6x3xf32>, tensor<2x3x2x2xf32>, tensor<2xf32>) -> tensor<1x6x2xf32>
      return %y : tensor<1x6x2xf32>
    })",
        "vit.patch_embed", true);
}

/// A convolution of x with the weight w, of so many groups, `attributes` behind its pads.
static std::string convolution(StringRef types, StringRef x, StringRef w, int groups, StringRef attributes) {
  std::string inputs = ("tensor<1x4x5x4x" + x + ">").str(), depth = std::to_string(4 / groups);
  std::string weights = ("tensor<4x" + depth + "x3x2x" + w + ">").str(), real = "tensor<4x" + depth + "x3x2xf32>";
  return (types + "func.func @main(%x: " + inputs + ", %w: " + weights + ") -> tensor<1x2x5x4xf32> {\n" +
          "%xd = vit.dequantize %x : " + inputs + " -> tensor<1x4x5x4xf32>\n%wd = vit.dequantize %w : " + weights +
          " -> " + real + "\n%b = arith.constant dense<[0.0625, -0.03125, 0.9375, 1.875]> : tensor<4xf32>\n" +
          "%y = vit.conv2d %xd, %wd, %b {strides = array<i64: 2, 1>, pads = array<i64: 1, 2, 1, 0>, dilations = " +
          "array<i64: 1, 2>, groups = " + std::to_string(groups) + " : i64" + attributes +
          "} : (tensor<1x4x5x4xf32>, " + real +
          ", tensor<4xf32>) -> tensor<1x2x5x4xf32>\nreturn %y : tensor<1x2x5x4xf32>\n}")
      .str();
}

TEST_F(DeferRules, R1R2Convolution) { check(convolution(kTypes, "!x", "!w", 1, ""), "vit.conv2d", true); }
TEST_F(DeferRules, R1R2GroupedConvolution) { check(convolution(kTypes, "!x", "!w", 2, ""), "vit.conv2d", true); }
TEST_F(DeferRules, R1R2DepthwiseConvolution) { check(convolution(kTypes, "!x", "!w", 4, ""), "vit.conv2d", true); }
TEST_F(DeferRules, R2ConvolutionWithItsOwnPadding) {
  // On the grid of the input's codes.
  check(convolution(kTypes, "!x", "!w", 1, ", padding = array<f64: 0.25, -0.5, 0.0, 3.0>"), "vit.conv2d", true);
}
TEST_F(DeferRules, R1DepthwiseConvolutionOfChannelScales) {
  const std::string types =
      std::string(kTypes) + "!xc = !quant.uniform<u8:f32:3, {0.125:7, 0.0625:7, 0.375:7, 0.75:7}>\n";
  check(convolution(types, "!xc", "!ws", 4, ""), "vit.conv2d", true);
}

/// Q K^T and P V with the legal layouts of R4 and R5.
static std::string product(StringRef lhs, StringRef rhs, bool transposed) {
  std::string a = ("tensor<1x2x3x4x" + lhs + ">").str();
  std::string b = ((transposed ? "tensor<1x2x3x4x" : "tensor<1x2x4x4x") + rhs + ">").str();
  std::string af = "tensor<1x2x3x4xf32>", bf = transposed ? "tensor<1x2x3x4xf32>" : "tensor<1x2x4x4xf32>";
  std::string out = transposed ? "tensor<1x2x3x3xf32>" : "tensor<1x2x3x4xf32>";
  return std::string(kTypes) + "func.func @main(%a: " + a + ", %b: " + b + ") -> " + out +
         " {\n%ad = vit.dequantize %a : " + a + " -> " + af + "\n%bd = vit.dequantize %b : " + b + " -> " + bf +
         "\n%y = vit.matmul %ad, %bd " + (transposed ? "transpose_rhs scale 0.5" : "") + " : (" + af + ", " + bf +
         ") -> " + out + "\nreturn %y : " + out + "\n}";
}

TEST_F(DeferRules, R4PerTensor) { check(product("!q", "!ws", true), "vit.matmul", true); }
TEST_F(DeferRules, R4PerHead) { check(product("!qh", "!kh", true), "vit.matmul", true); }
TEST_F(DeferRules, R4PerHeadOfK) { check(product("!q", "!kh", true), "vit.matmul", true); }
TEST_F(DeferRules, R4PerTokenOfK) { check(product("!q", "!kt", true), "vit.matmul", true); }
TEST_F(DeferRules, R5PerChannelOfV) { check(product("!p", "!vc", false), "vit.matmul", true); }

TEST_F(DeferRules, R13MovesPerTensor) {
  check(std::string(kTypes) + R"(
    func.func @main(%x: tensor<1x3x4x!a16>) -> tensor<1x1x5x2x2xf32> {
      %d = vit.dequantize %x : tensor<1x3x4x!a16> -> tensor<1x3x4xf32>
      %s = vit.slice %d offsets [0, 1, 0] sizes [1, 2, 4] strides [1, 1, 1] : tensor<1x3x4xf32> -> tensor<1x2x4xf32>
      %c = vit.concat %s, %d axis 1 : (tensor<1x2x4xf32>, tensor<1x3x4xf32>) -> tensor<1x5x4xf32>
      %g = vit.gather %c indices [4, 0, 1, 2, 3] axis 1 : tensor<1x5x4xf32> -> tensor<1x5x4xf32>
      %t = vit.transpose %g by [0, 2, 1] : tensor<1x5x4xf32> -> tensor<1x4x5xf32>
      %u = vit.transpose %t by [0, 2, 1] : tensor<1x4x5xf32> -> tensor<1x5x4xf32>
      %r = vit.reshape %u to [1, 1, 5, 2, 2] : tensor<1x5x4xf32> -> tensor<1x1x5x2x2xf32>
      return %r : tensor<1x1x5x2x2xf32>
    })",
        "vit.reshape", true);
}

TEST_F(DeferRules, R13PadIsRealZero) {
  check(R"(
    !u = !quant.uniform<u8:f32, 0.3:77>
    func.func @main(%x: tensor<1x3x!u>) -> tensor<2x6xf32> {
      %d = vit.dequantize %x : tensor<1x3x!u> -> tensor<1x3xf32>
      %p = vit.pad %d low [0, 1] high [1, 2] : tensor<1x3xf32> -> tensor<2x6xf32>
      return %p : tensor<2x6xf32>
    })",
        "vit.pad", true);
}

TEST_F(DeferRules, R13PerChannelThroughTranspose) {
  check(std::string(kTypes) + R"(
    func.func @main(%x: tensor<1x3x4x!c16>) -> tensor<4x1x3xf32> {
      %d = vit.dequantize %x : tensor<1x3x4x!c16> -> tensor<1x3x4xf32>
      %t = vit.transpose %d by [2, 0, 1] : tensor<1x3x4xf32> -> tensor<4x1x3xf32>
      return %t : tensor<4x1x3xf32>
    })",
        "vit.transpose", true);
}

TEST_F(DeferRules, R13PerChannelSplitIsABarrier) {
  check(std::string(kTypes) + R"(
    func.func @main(%x: tensor<1x3x4x!c16>) -> tensor<1x3x2x2xf32> {
      %d = vit.dequantize %x : tensor<1x3x4x!c16> -> tensor<1x3x4xf32>
      %t = vit.reshape %d to [1, 3, 2, 2] : tensor<1x3x4xf32> -> tensor<1x3x2x2xf32>
      return %t : tensor<1x3x2x2xf32>
    })",
        "vit.reshape", false);
}

TEST_F(DeferRules, R13LargestOfAWindow) {
  check(R"(
    !c = !quant.uniform<i16:f32:3, {0.5, 0.25, 2.0}>
    func.func @main(%x: tensor<1x4x4x3x!c>) -> tensor<1x2x2x3xf32> {
      %d = vit.dequantize %x : tensor<1x4x4x3x!c> -> tensor<1x4x4x3xf32>
      %m = vit.max_pool %d kernel [3, 3] strides [2, 2] pads [1, 1, 0, 0] dilations [1, 1] : tensor<1x4x4x3xf32> -> tensor<1x2x2x3xf32>
      return %m : tensor<1x2x2x3xf32>
    })",
        "vit.max_pool", true);
}

TEST_F(DeferRules, R13MeanFoldsItsCount) {
  check(std::string(kTypes) + R"(
    func.func @main(%x: tensor<2x3x4x!a16>) -> tensor<2x4xf32> {
      %d = vit.dequantize %x : tensor<2x3x4x!a16> -> tensor<2x3x4xf32>
      %m = vit.mean %d axes [1] : tensor<2x3x4xf32> -> tensor<2x4xf32>
      return %m : tensor<2x4xf32>
    })",
        "vit.mean", true);
}

// Barriers that keep a float result are left exactly as they are.
TEST_F(DeferRules, R8LayerNormIsABarrier) {
  check(std::string(kTypes) + R"(
    func.func @main(%x: tensor<1x3x4x!a16>) -> tensor<1x3x4xf32> {
      %g = arith.constant dense<[1.0, -0.5, 2.0, 0.25]> : tensor<4xf32>
      %d = vit.dequantize %x : tensor<1x3x4x!a16> -> tensor<1x3x4xf32>
      %y = vit.layer_norm %d, %g, %g eps 1.0e-6 : (tensor<1x3x4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x3x4xf32>
      return %y : tensor<1x3x4xf32>
    })",
        "vit.layer_norm", false);
}

TEST_F(DeferRules, R11GeluIsABarrier) {
  check(std::string(kTypes) + R"(
    func.func @main(%x: tensor<1x3x!q>) -> tensor<1x3xf32> {
      %d = vit.dequantize %x : tensor<1x3x!q> -> tensor<1x3xf32>
      %y = vit.gelu erf %d : tensor<1x3xf32> -> tensor<1x3xf32>
      return %y : tensor<1x3xf32>
    })",
        "vit.gelu", false);
}

TEST_F(DeferRules, R12AddIsABarrier) {
  check(std::string(kTypes) + R"(
    func.func @main(%a: tensor<1x3x!a16>, %b: tensor<1x3x!b16>) -> tensor<1x3xf32> {
      %ad = vit.dequantize %a : tensor<1x3x!a16> -> tensor<1x3xf32>
      %bd = vit.dequantize %b : tensor<1x3x!b16> -> tensor<1x3xf32>
      %y = vit.add %ad, %bd : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<1x3xf32>
      return %y : tensor<1x3xf32>
    })",
        "vit.add", false);
}

// R10: the division commutes with the product by V.
TEST_F(DeferRules, R10DivisionBehindTheProduct) {
  const char *source = R"(
    !q = !quant.uniform<i16:f32, 0.0003>
    func.func @main(%s: tensor<1x2x3x5x!q>, %v: tensor<1x2x5x4x!q>) -> tensor<1x2x3x4xf32> {
      %sd = vit.dequantize %s : tensor<1x2x3x5x!q> -> tensor<1x2x3x5xf32>
      %vd = vit.dequantize %v : tensor<1x2x5x4x!q> -> tensor<1x2x5x4xf32>
      %p = vit.softmax %sd : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
      %o = vit.matmul %p, %vd : (tensor<1x2x3x5xf32>, tensor<1x2x5x4xf32>) -> tensor<1x2x3x4xf32>
      return %o : tensor<1x2x3x4xf32>
    })";
  OwningOpRef<ModuleOp> before = parseSourceString<ModuleOp>(source, &context);
  ASSERT_TRUE(before);
  OwningOpRef<ModuleOp> after = before->clone();
  PassManager pm(&context);
  pm.addPass(vitq::createVitDeferSoftmaxDivisionPass());
  ASSERT_TRUE(succeeded(pm.run(*after)));
  for (unsigned seed = 1; seed <= 8; ++seed) {
    auto expected = evaluate(*before, seed), actual = evaluate(*after, seed);
    for (size_t i = 0; i < expected[0].size(); ++i)
      ASSERT_NEAR(expected[0][i], actual[0][i], 1e-12);
  }
}

} // namespace
