//===- QuantizedTest.cpp - vit ops on quantized tensors against values worked out by hand -*- C++ -*-===//
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

class QuantizedTest : public InterpreterTest {
protected:
  static Tensor codes(std::initializer_list<int64_t> shape, std::initializer_list<int32_t> values) {
    return Tensor::of<int32_t>(llvm::ArrayRef<int64_t>(shape), values);
  }
  static std::string quantized(const std::string &shape, const std::string &numbers) {
    return "tensor<" + shape + "x!quant.uniform<" + numbers + ">>";
  }
};

TEST_F(QuantizedTest, QuantizeRoundsHalfUpAndClampsBeforeNarrowing) {
  std::string type = quantized("8", "i8<-100:100>:f32, 10.0");
  auto r = runOp("vit.quantize %a round half_up : tensor<8xf32> -> " + type, {"tensor<8xf32>"}, type,
                 {Tensor::of<float>({8}, {5000.f, 19.9f, 25.f, -25.f, -5000.f, NAN, INFINITY, -INFINITY})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{100, 2, 3, -2, -100, 0, 100, -100}));
}

TEST_F(QuantizedTest, QuantizeHalfEvenAndZeroPoint) {
  std::string type = quantized("4", "u8:f32, 1.0:128");
  auto r = runOp("vit.quantize %a round half_even : tensor<4xf32> -> " + type, {"tensor<4xf32>"}, type,
                 {Tensor::of<float>({4}, {2.5f, 3.5f, -2.5f, 200.f})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{130, 132, 126, 255}));
}

TEST_F(QuantizedTest, QuantizeAndDequantizePerAxis) {
  std::string type = quantized("2x2", "i8:f32:0, {0.5, 2.0:1}");
  auto q = runOp("vit.quantize %a round half_up : tensor<2x2xf32> -> " + type, {"tensor<2x2xf32>"}, type,
                 {Tensor::of<float>({2, 2}, {1, 2, 4, 6})});
  EXPECT_EQ(valuesOf<int32_t>(q[0]), (std::vector<int32_t>{2, 4, 3, 4}));
  auto d = runOp("vit.dequantize %a : " + type + " -> tensor<2x2xf32>", {type}, "tensor<2x2xf32>", {q[0]});
  expectNear(d[0], {1, 2, 4, 6});
}

TEST_F(QuantizedTest, StorageBytesAreReadAsTheTypeSays) {
  std::string u8 = quantized("2", "u8:f32, 1.0"), i8 = quantized("2", "i8:f32, 1.0");
  Tensor bytes = Tensor::of<uint8_t>({2}, {255, 1});
  auto u = runOp("vit.dequantize %a : " + u8 + " -> tensor<2xf32>", {u8}, "tensor<2xf32>", {bytes});
  expectNear(u[0], {255, 1});
  auto i = runOp("vit.dequantize %a : " + i8 + " -> tensor<2xf32>", {i8}, "tensor<2xf32>", {bytes});
  expectNear(i[0], {-1, 1});
  auto cast = runOp("quant.scast %a : tensor<2xi8> to " + u8, {"tensor<2xi8>"}, u8, {bytes});
  EXPECT_EQ(valuesOf<int32_t>(cast[0]), (std::vector<int32_t>{255, 1}));
  auto back = runOp("quant.scast %a : " + u8 + " to tensor<2xi8>", {u8}, "tensor<2xi8>", {cast[0]});
  EXPECT_EQ(valuesOf<uint8_t>(back[0]), (std::vector<uint8_t>{255, 1}));
}

TEST_F(QuantizedTest, LinearIsTheExactAccumulator) {
  std::string x = quantized("1x2", "u8:f32, 0.1:100"), w = quantized("2x2", "i8:f32:0, {0.5, 0.25}");
  std::string y = quantized("1x2", "i32:f32:1, {0.05, 0.025}"), b = quantized("2", "i32:f32:0, {0.05, 0.025}");
  auto r = runOp("vit.linear %a, %b, %c : (" + x + ", " + w + ", " + b + ") -> " + y, {x, w, b}, y,
                 {codes({1, 2}, {250, 90}), codes({2, 2}, {-127, 3, 5, 7}), codes({2}, {1000, -1})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{150 * -127 - 30 + 1000, 750 - 70 - 1}));
}

TEST_F(QuantizedTest, LinearWithSixteenBitOperandsIsExact) {
  // 8 * 32767 * 127 * 64 rows would wrap 32 bits when summed carelessly.
  std::string x = quantized("1x4", "i16:f32, 1.0"), w = quantized("1x4", "i16:f32, 1.0");
  std::string y = quantized("1x1", "i32:f32, 1.0");
  auto r = runOp("vit.linear %a, %b : (" + x + ", " + w + ") -> " + y, {x, w}, y,
                 {codes({1, 4}, {32767, -32767, 32767, -32768}), codes({1, 4}, {32767, 32767, 32767, 32767})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{-32767}));
}

TEST_F(QuantizedTest, AnAccumulatorOutsideThirtyTwoBitsIsAnError) {
  std::string x = quantized("1x4", "i16:f32, 1.0"), w = quantized("1x4", "i16:f32, 1.0");
  std::string y = quantized("1x1", "i32:f32, 1.0");
  auto r = run("func.func @main(%a: " + x + ", %b: " + w + ") -> " + y + " {\n%r = vit.linear %a, %b : (" + x + ", " +
                   w + ") -> " + y + "\nreturn %r : " + y + "\n}",
               {codes({1, 4}, {32767, 32767, 32767, 32767}), codes({1, 4}, {32767, 32767, 32767, 32767})});
  EXPECT_TRUE(r.empty());
  EXPECT_NE(errors.find("does not fit 32 bits"), std::string::npos) << errors;
}

TEST_F(QuantizedTest, MatmulKeepsItsScaleInTheType) {
  std::string x = quantized("1x1x2", "i8:f32, 0.5:1"), w = quantized("1x2x2", "i8:f32, 0.5:-1");
  std::string y = quantized("1x1x2", "i32:f32, 0.03125");
  auto r = runOp("vit.matmul %a, %b scale 1.250000e-01 : (" + x + ", " + w + ") -> " + y, {x, w}, y,
                 {codes({1, 1, 2}, {11, 21}), codes({1, 2, 2}, {0, 1, 2, 3})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{10 * 1 + 20 * 3, 10 * 2 + 20 * 4}));
  auto t = runOp("vit.matmul %a, %b transpose_rhs : (" + x + ", " + w + ") -> " + y, {x, w}, y,
                 {codes({1, 1, 2}, {11, 21}), codes({1, 2, 2}, {0, 1, 2, 3})});
  EXPECT_EQ(valuesOf<int32_t>(t[0]), (std::vector<int32_t>{10 * 1 + 20 * 2, 10 * 3 + 20 * 4}));
}

TEST_F(QuantizedTest, PatchEmbedReadsPixels) {
  std::string x = quantized("1x2x2x1", "u8:f32, 0.00392156862745098"), w = quantized("1x1x2x2", "i8:f32, 0.01");
  std::string y = quantized("1x1x1", "i32:f32, 0.00003");
  auto r = runOp("vit.patch_embed channels_last %a, %b : (" + x + ", " + w + ") -> " + y, {x, w}, y,
                 {Tensor::of<uint8_t>({1, 2, 2, 1}, {255, 2, 3, 4}), codes({1, 1, 2, 2}, {1, 2, 3, -4})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{255 + 4 + 9 - 16}));
}

TEST_F(QuantizedTest, SoftmaxNumeratorSumsItsCodes) {
  std::string x = quantized("1x3", "i32:f32, 0.1"), e = quantized("1x3", "u8:f32, 0.00392156862745098");
  std::string s = quantized("1", "i32:f32, 0.00392156862745098");
  auto r = run("func.func @main(%a: " + x + ") -> (" + e + ", " + s + ") {\n%e, %s = vit.softmax_numerator %a : " + x +
                   " -> " + e + ", " + s + "\nreturn %e, %s : " + e + ", " + s + "\n}",
               {codes({1, 3}, {0, 10, -100})});
  ASSERT_EQ(r.size(), 2u) << errors;
  // 255 / e = 93.81, 255 * exp(-11) < 1/2.
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{94, 255, 0}));
  EXPECT_EQ(valuesOf<int32_t>(r[1]), (std::vector<int32_t>{349}));
}

TEST_F(QuantizedTest, DivideRowsIsReal) {
  std::string x = quantized("1x2", "i32:f32, 0.5"), s = quantized("1", "i32:f32, 0.25");
  std::string y = quantized("1x2", "i8:f32, 0.1");
  auto r = runOp("vit.divide_rows %a, %b : (" + x + ", " + s + ") -> " + y, {x, s}, y,
                 {codes({1, 2}, {3, -7}), codes({1}, {8})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{8, -17})); // 1.5/2 = 0.75 -> 7.5, -17.5
}

TEST_F(QuantizedTest, AddRoundsEachOperand) {
  std::string a = quantized("4", "i8:f32, 0.5"), b = quantized("4", "i8:f32, 0.25:1"),
              y = quantized("4", "i8:f32, 1.0:2");
  auto r = runOp("vit.add %a, %b : (" + a + ", " + b + ") -> " + y, {a, b}, y,
                 {codes({4}, {1, -1, 127, 3}), codes({4}, {2, 3, 127, -127})});
  // 0.5 + 0.25 -> 1 + 0; -0.5 + 0.5 -> 0 + 1; 63.5 + 31.5 -> 64 + 32; 1.5 - 32 -> 2 - 32.
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{3, 3, 98, -28}));
}

TEST_F(QuantizedTest, LayerNormAndGeluDequantizeComputeAndQuantize) {
  std::string x = quantized("1x4", "i16:f32, 0.125:5"), y = quantized("1x4", "u8:f32, 0.5:100");
  auto n = run("func.func @main(%a: " + x + ") -> " + y + " {\n%g = arith.constant dense<[1.0, -2.0, 1.0, 0.0]> : " +
                   "tensor<4xf32>\n%b = arith.constant dense<[0.0, 0.0, 5.0, 7.0]> : tensor<4xf32>\n" +
                   "%r = vit.layer_norm %a, %g, %b eps 0.000000e+00 : (" + x + ", tensor<4xf32>, tensor<4xf32>) -> " +
                   y + "\nreturn %r : " + y + "\n}",
               {codes({1, 4}, {10, 10, 30, 30})});
  ASSERT_EQ(n.size(), 1u) << errors;
  EXPECT_EQ(valuesOf<int32_t>(n[0]), (std::vector<int32_t>{98, 104, 112, 114}));
  auto g = runOp("vit.gelu erf %a : " + x + " -> " + y, {x}, y, {codes({1, 4}, {13, 5, -800, 805})});
  EXPECT_EQ(valuesOf<int32_t>(g[0]), (std::vector<int32_t>{102, 100, 100, 255})); // gelu(1) = 0.841
}

TEST_F(QuantizedTest, MeanIsTheIntegerSum) {
  std::string x = quantized("1x4x1", "u8:f32, 0.5:10"), y = quantized("1x1", "i32:f32, 0.125");
  auto r = runOp("vit.mean %a axes [1] : " + x + " -> " + y, {x}, y, {codes({1, 4, 1}, {250, 11, 10, 0})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{231}));
}

TEST_F(QuantizedTest, MovesKeepCodes) {
  std::string x = quantized("2x2", "u8:f32, 0.1:7"), y = quantized("3x2", "u8:f32, 0.1:7");
  Tensor input = codes({2, 2}, {1, 2, 3, 255});
  auto t = runOp("vit.transpose %a by [1, 0] : " + x + " -> " + x, {x}, x, {input});
  EXPECT_EQ(valuesOf<int32_t>(t[0]), (std::vector<int32_t>{1, 3, 2, 255}));
  auto p = runOp("vit.pad %a low [1, 0] high [0, 0] : " + x + " -> " + y, {x}, y, {input});
  EXPECT_EQ(valuesOf<int32_t>(p[0]), (std::vector<int32_t>{7, 7, 1, 2, 3, 255}));
}

TEST_F(QuantizedTest, ConcatRequantizes) {
  std::string a = quantized("1", "i8:f32, 0.5"), b = quantized("1", "i8:f32, 2.0:3"), y = quantized("2", "i8:f32, 1.0");
  auto r = runOp("vit.concat %a, %b axis 0 : (" + a + ", " + b + ") -> " + y, {a, b}, y,
                 {codes({1}, {5}), codes({1}, {13})});
  EXPECT_EQ(valuesOf<int32_t>(r[0]), (std::vector<int32_t>{3, 20}));
}

TEST_F(QuantizedTest, NormalizePixels) {
  std::string p = quantized("1x1x2x2", "u8:f32, 0.00392156862745098");
  auto r = runOp("vit.normalize_pixels %a mean [0.5, 0.0] std [0.5, 2.0] : " + p + " -> tensor<1x2x1x2xf32>", {p},
                 "tensor<1x2x1x2xf32>", {Tensor::of<uint8_t>({1, 1, 2, 2}, {255, 255, 0, 51})});
  expectNear(r[0], {1, -1, 0.5, 0.1});
}

} // namespace
