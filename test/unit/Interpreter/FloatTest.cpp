//===- FloatTest.cpp - vit ops on floats against values worked out by hand -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include <cmath>

using namespace vitq;
using namespace vitq::test;

namespace {

class FloatTest : public InterpreterTest {
protected:
  static Tensor floats(std::initializer_list<int64_t> shape, std::initializer_list<float> values) {
    return Tensor::of<float>(llvm::ArrayRef<int64_t>(shape), values);
  }
};

TEST_F(FloatTest, Linear) {
  auto r = runOp("vit.linear %a, %b, %c : (tensor<1x2x3xf32>, tensor<2x3xf32>, tensor<2xf32>) -> tensor<1x2x2xf32>",
                 {"tensor<1x2x3xf32>", "tensor<2x3xf32>", "tensor<2xf32>"}, "tensor<1x2x2xf32>",
                 {floats({1, 2, 3}, {1, 2, 3, 4, 5, 6}), floats({2, 3}, {1, 0, -1, 2, 1, 0}), floats({2}, {10, 20})});
  expectNear(r[0], {8, 24, 8, 33});
}

TEST_F(FloatTest, MatmulScalesAndTransposes) {
  Tensor lhs = floats({1, 2, 2}, {1, 2, 3, 4}), rhs = floats({1, 2, 2}, {1, 0, 2, 1});
  auto plain = runOp("vit.matmul %a, %b : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> tensor<1x2x2xf32>",
                     {"tensor<1x2x2xf32>", "tensor<1x2x2xf32>"}, "tensor<1x2x2xf32>", {lhs, rhs});
  expectNear(plain[0], {5, 2, 11, 4});
  auto turned = runOp("vit.matmul %a, %b transpose_rhs scale 5.000000e-01 : (tensor<1x2x2xf32>, tensor<1x2x2xf32>) -> "
                      "tensor<1x2x2xf32>",
                      {"tensor<1x2x2xf32>", "tensor<1x2x2xf32>"}, "tensor<1x2x2xf32>", {lhs, rhs});
  expectNear(turned[0], {0.5, 2, 1.5, 5});
}

TEST_F(FloatTest, PatchEmbed) {
  // Two channels, a 2x4 image, patches of 2x2, one filter.
  auto r = runOp("vit.patch_embed %a, %b, %c : (tensor<1x2x2x4xf32>, tensor<1x2x2x2xf32>, tensor<1xf32>) -> "
                 "tensor<1x2x1xf32>",
                 {"tensor<1x2x2x4xf32>", "tensor<1x2x2x2xf32>", "tensor<1xf32>"}, "tensor<1x2x1xf32>",
                 {floats({1, 2, 2, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 1, 0, 0, 0, 0, 0}),
                  floats({1, 2, 2, 2}, {1, 10, 100, 1000, -1, 0, 0, 0}), floats({1}, {0.5})});
  expectNear(r[0], {6521.5, 8742.5});
}

TEST_F(FloatTest, PatchEmbedChannelsLast) {
  auto r = runOp(
      "vit.patch_embed channels_last %a, %b : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> "
      "tensor<1x1x1xf32>",
      {"tensor<1x2x2x2xf32>", "tensor<1x2x2x2xf32>"}, "tensor<1x1x1xf32>",
      {floats({1, 2, 2, 2}, {1, 5, 2, 6, 3, 7, 4, 8}), floats({1, 2, 2, 2}, {1, 10, 100, 1000, 2, 20, 200, 2000})});
  expectNear(r[0], {1 + 20 + 300 + 4000 + 10 + 120 + 1400 + 16000});
}

TEST_F(FloatTest, ConvolutionPadsStridesAndGroups) {
  auto r = runOp("vit.conv2d %a, %b, %c {strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 0, 0>, "
                 "dilations = array<i64: 1, 1>, groups = 2 : i64} : (tensor<1x3x3x2xf32>, tensor<2x1x2x2xf32>, "
                 "tensor<2xf32>) -> tensor<1x2x2x2xf32>",
                 {"tensor<1x3x3x2xf32>", "tensor<2x1x2x2xf32>", "tensor<2xf32>"}, "tensor<1x2x2x2xf32>",
                 {floats({1, 3, 3, 2}, {1, 1, 2, 1, 3, 1, 4, 1, 5, 1, 6, 1, 7, 1, 8, 1, 9, 1}),
                  floats({2, 1, 2, 2}, {1, 2, 3, 4, 1, 1, 1, 1}), floats({2}, {0, 100})});
  // Windows at (-1,-1), (-1,1), (1,-1), (1,1).
  expectNear(r[0], {4, 101, 3 * 2 + 4 * 3, 102, 2 * 4 + 4 * 7, 102, 5 + 12 + 24 + 36, 104});
}

TEST_F(FloatTest, ConvolutionGroupsDilationsAndPadding) {
  // Two groups of two channels each, a row of two taps two apart; outside of the map stands 10 in channel 3.
  auto r = runOp("vit.conv2d %a, %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 1, 0, 1>, "
                 "dilations = array<i64: 1, 2>, groups = 2 : i64, padding = array<f64: 0.0, 0.0, 0.0, 10.0>} : "
                 "(tensor<1x1x3x4xf32>, tensor<2x2x1x2xf32>) -> tensor<1x1x3x2xf32>",
                 {"tensor<1x1x3x4xf32>", "tensor<2x2x1x2xf32>"}, "tensor<1x1x3x2xf32>",
                 {floats({1, 1, 3, 4}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}),
                  floats({2, 2, 1, 2}, {1, 10, 100, 1000, 1, 10, 100, 1000})});
  expectNear(r[0], {10 * 5 + 1000 * 6, 10 * 7 + 100 * 10 + 1000 * 8, 1 + 90 + 200 + 10000, 3 + 110 + 400 + 12000,
                    5 + 600, 7 + 800 + 10000});
}

TEST_F(FloatTest, Softmax) {
  auto r = runOp("vit.softmax %a : tensor<1x3xf32> -> tensor<1x3xf32>", {"tensor<1x3xf32>"}, "tensor<1x3xf32>",
                 {floats({1, 3}, {1000, 1000, 1000.6931f})});
  expectNear(r[0], {0.25, 0.25, 0.5}, 1e-4);
}

TEST_F(FloatTest, SoftmaxNumeratorAndDivision) {
  auto r = run("func.func @main(%a: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1xf32>, tensor<1x2xf32>) {\n"
               "%e, %s = vit.softmax_numerator %a : tensor<1x2xf32> -> tensor<1x2xf32>, tensor<1xf32>\n"
               "%q = vit.divide_rows %e, %s : (tensor<1x2xf32>, tensor<1xf32>) -> tensor<1x2xf32>\n"
               "return %e, %s, %q : tensor<1x2xf32>, tensor<1xf32>, tensor<1x2xf32>\n}",
               {floats({1, 2}, {0, 1.0986123f})});
  ASSERT_EQ(r.size(), 3u) << errors;
  expectNear(r[0], {1.0 / 3, 1});
  expectNear(r[1], {4.0 / 3});
  expectNear(r[2], {0.25, 0.75});
}

TEST_F(FloatTest, LayerNorm) {
  auto r = runOp("vit.layer_norm %a, %b, %c eps 0.000000e+00 : (tensor<1x4xf32>, tensor<4xf32>, tensor<4xf32>) -> "
                 "tensor<1x4xf32>",
                 {"tensor<1x4xf32>", "tensor<4xf32>", "tensor<4xf32>"}, "tensor<1x4xf32>",
                 {floats({1, 4}, {1, 1, 3, 3}), floats({4}, {1, -2, 1, 0}), floats({4}, {0, 0, 5, 7})});
  expectNear(r[0], {-1, 2, 6, 7});
  // Without a mean: sqrt((1 + 1 + 9 + 25)/4) = 3.
  r = runOp("vit.layer_norm rms %a, %b, %c eps 0.000000e+00 : (tensor<1x4xf32>, tensor<4xf32>, tensor<4xf32>) -> "
            "tensor<1x4xf32>",
            {"tensor<1x4xf32>", "tensor<4xf32>", "tensor<4xf32>"}, "tensor<1x4xf32>",
            {floats({1, 4}, {1, -1, 3, 5}), floats({4}, {3, -3, 1, 0}), floats({4}, {0, 0, 5, 7})});
  expectNear(r[0], {1, 1, 6, 7});
}

TEST_F(FloatTest, UnaryFunctions) {
  const float x = 0.7f;
  const double sigmoid = 1 / (1 + std::exp(-0.7));
  std::pair<std::string, double> cases[] = {
      {"vit.relu", 0.7},
      {"vit.sigmoid", sigmoid},
      {"vit.tanh", std::tanh(0.7)},
      {"vit.hard_swish", 0.7 * (0.7 / 6 + 0.5)},
      {"vit.silu", 0.7 * sigmoid},
      {"vit.sqrt", std::sqrt(0.7)},
      {"vit.erf", std::erf(0.7)},
      {"vit.exp", std::exp(0.7)},
      {"vit.gelu erf", 0.35 * (1 + std::erf(0.7 / std::sqrt(2.0)))},
      {"vit.gelu tanh", 0.35 * (1 + std::tanh(std::sqrt(2 / M_PI) * (0.7 + 0.044715 * 0.343)))},
      {"vit.gelu quick", 0.7 / (1 + std::exp(-1.702 * 0.7))}};
  for (const auto &[op, expected] : cases) {
    SCOPED_TRACE(op);
    auto r = runOp(op + " %a : tensor<1xf32> -> tensor<1xf32>", {"tensor<1xf32>"}, "tensor<1xf32>", {floats({1}, {x})});
    expectNear(r[0], {expected});
  }
}

TEST_F(FloatTest, BinaryOpsBroadcast) {
  std::pair<std::string, std::vector<double>> cases[] = {{"add", {5, 4, 7, 6}},
                                                         {"sub", {-1, -2, 1, 0}},
                                                         {"mul", {6, 3, 12, 9}},
                                                         {"div", {2.0 / 3, 1.0 / 3, 4.0 / 3, 1}},
                                                         {"pow", {8, 1, 64, 27}}};
  for (const auto &[op, expected] : cases) {
    SCOPED_TRACE(op);
    auto r =
        runOp("vit." + op + " %a, %b : (tensor<2x2xf32>, tensor<f32>) -> tensor<2x2xf32>",
              {"tensor<2x2xf32>", "tensor<f32>"}, "tensor<2x2xf32>", {floats({2, 2}, {2, 1, 4, 3}), floats({}, {3})});
    expectNear(r[0], expected, 1e-5);
  }
  auto rows =
      runOp("vit.add %a, %b : (tensor<2x1xf32>, tensor<2xf32>) -> tensor<2x2xf32>",
            {"tensor<2x1xf32>", "tensor<2xf32>"}, "tensor<2x2xf32>", {floats({2, 1}, {1, 2}), floats({2}, {10, 20})});
  expectNear(rows[0], {11, 21, 12, 22});
}

TEST_F(FloatTest, Where) {
  auto r = run("func.func @main(%a: tensor<4xf32>) -> tensor<4xf32> {\n"
               "%c = arith.constant dense<[true, false, true, false]> : tensor<4xi1>\n"
               "%z = arith.constant dense<9.0> : tensor<f32>\n"
               "%r = vit.where %c, %a, %z : (tensor<4xi1>, tensor<4xf32>, tensor<f32>) -> tensor<4xf32>\n"
               "return %r : tensor<4xf32>\n}",
               {floats({4}, {1, 2, 3, 4})});
  ASSERT_EQ(r.size(), 1u) << errors;
  expectNear(r[0], {1, 9, 3, 9});
}

TEST_F(FloatTest, IsNaN) {
  auto r = run("func.func @main(%a: tensor<4xf32>) -> tensor<4xf32> {\n"
               "%n = vit.is_nan %a : tensor<4xf32> -> tensor<4xi1>\n"
               "%z = arith.constant dense<9.0> : tensor<f32>\n"
               "%r = vit.where %n, %z, %a : (tensor<4xi1>, tensor<f32>, tensor<4xf32>) -> tensor<4xf32>\n"
               "return %r : tensor<4xf32>\n}",
               {floats({4}, {1, NAN, -NAN, 4})});
  ASSERT_EQ(r.size(), 1u) << errors;
  expectNear(r[0], {1, 9, 9, 4});
}

TEST_F(FloatTest, Mean) {
  Tensor x = floats({1, 3, 2}, {1, 2, 3, 4, 5, 9});
  auto middle = runOp("vit.mean %a axes [1] : tensor<1x3x2xf32> -> tensor<1x2xf32>", {"tensor<1x3x2xf32>"},
                      "tensor<1x2xf32>", {x});
  expectNear(middle[0], {3, 5});
  auto last = runOp("vit.mean %a axes [2] keep_dims : tensor<1x3x2xf32> -> tensor<1x3x1xf32>", {"tensor<1x3x2xf32>"},
                    "tensor<1x3x1xf32>", {x});
  expectNear(last[0], {1.5, 3.5, 7});
}

TEST_F(FloatTest, Windows) {
  Tensor x = floats({1, 2, 3, 1}, {1, 2, 3, 4, 5, -9});
  auto largest = runOp("vit.max_pool %a kernel [2, 2] strides [1, 1] pads [0, 0, 0, 1] dilations [1, 1] "
                       ": tensor<1x2x3x1xf32> -> tensor<1x1x3x1xf32>",
                       {"tensor<1x2x3x1xf32>"}, "tensor<1x1x3x1xf32>", {x});
  expectNear(largest[0], {5, 5, 3});
  auto sums = runOp("vit.resample %a rows [0] weights [1, 1] columns [0, 1] weights [1, 0, 1, 2] over 4 "
                    ": tensor<1x2x3x1xf32> -> tensor<1x1x2x1xf32>",
                    {"tensor<1x2x3x1xf32>"}, "tensor<1x1x2x1xf32>", {x});
  expectNear(sums[0], {1.25, -1.25});
}

TEST_F(FloatTest, FunctionsWithParameters) {
  Tensor x = floats({4}, {-2, -0.5, 1, 8});
  struct {
    const char *op;
    std::vector<double> expected;
  } tests[] = {{"vit.clamp %a min -1.0 max 6.0", {-1, -0.5, 1, 6}},
               {"vit.hard_sigmoid %a alpha 0.25 beta 0.5", {0, 0.375, 0.75, 1}},
               {"vit.leaky_relu %a alpha 0.125", {-0.25, -0.0625, 1, 8}},
               {"vit.elu %a alpha 2.0 gain 3.0 width 0.5", {-5.8901062, -3.7927234, 3, 24}},
               {"vit.mish %a", {-0.2525015, -0.2207438, 0.8650984, 7.9999982}},
               {"vit.softplus %a", {0.1269280, 0.4740770, 1.3132617, 8.0003354}},
               {"vit.abs %a", {2, 0.5, 1, 8}}};
  for (const auto &test : tests) {
    auto y = runOp(std::string(test.op) + " : tensor<4xf32> -> tensor<4xf32>", {"tensor<4xf32>"}, "tensor<4xf32>", {x});
    expectNear(y[0], test.expected);
  }
}

TEST_F(FloatTest, ShapeOps) {
  Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  struct {
    std::string op, result;
    std::vector<double> expected;
  } cases[] = {
      {"vit.reshape %a to [3, 2]", "tensor<3x2xf32>", {1, 2, 3, 4, 5, 6}},
      {"vit.transpose %a by [1, 0]", "tensor<3x2xf32>", {1, 4, 2, 5, 3, 6}},
      {"vit.slice %a offsets [0, 0] sizes [2, 2] strides [1, 2]", "tensor<2x2xf32>", {1, 3, 4, 6}},
      {"vit.gather %a indices [2, 0, 2] axis 1", "tensor<2x3xf32>", {3, 1, 3, 6, 4, 6}},
      {"vit.gather %a indices [1] axis 0", "tensor<1x3xf32>", {4, 5, 6}},
      {"vit.broadcast %a to [2, 2, 3]", "tensor<2x2x3xf32>", {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}},
      {"vit.pad %a low [1, 0] high [0, 1]", "tensor<3x4xf32>", {0, 0, 0, 0, 1, 2, 3, 0, 4, 5, 6, 0}},
  };
  for (const auto &c : cases) {
    SCOPED_TRACE(c.op);
    auto r = runOp(c.op + " : tensor<2x3xf32> -> " + c.result, {"tensor<2x3xf32>"}, c.result, {x});
    expectNear(r[0], c.expected);
  }
  auto joined = runOp("vit.concat %a, %b axis 1 : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x4xf32>",
                      {"tensor<2x3xf32>", "tensor<2x1xf32>"}, "tensor<2x4xf32>", {x, floats({2, 1}, {7, 8})});
  expectNear(joined[0], {1, 2, 3, 7, 4, 5, 6, 8});
}

TEST_F(FloatTest, DoubleKeepsMoreDigits) {
  InterpreterOptions options;
  options.useDouble = true;
  auto r = runOp("vit.add %a, %b : (tensor<1xf32>, tensor<1xf32>) -> tensor<1xf32>", {"tensor<1xf32>", "tensor<1xf32>"},
                 "tensor<1xf32>", {floats({1}, {1}), Tensor::of<double>({1}, {1e-12})}, options);
  EXPECT_EQ(valuesOf<double>(r[0])[0], 1 + 1e-12);
}

} // namespace
