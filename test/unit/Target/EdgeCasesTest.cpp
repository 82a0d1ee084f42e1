//===- EdgeCasesTest.cpp - Chosen values on every target -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the random modules reach only now and then: products of one column with
// one row, sums at the ends of the 32-bit range, ties, borders of tables.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

/// Runs a module on every target, fused and not; `patch` may change the inputs.
static void expectSame(
    const std::string &text, llvm::function_ref<void(std::vector<Tensor> &)> patch = [](std::vector<Tensor> &) {}) {
  SCOPED_TRACE(text);
  std::unique_ptr<MLIRContext> context = makeContext();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, context.get());
  ASSERT_TRUE(module);
  std::vector<Tensor> inputs = randomInputs(*module, 5);
  patch(inputs);
  auto expected = interpret(*module, inputs);
  ASSERT_TRUE(expected);
  for (const TargetDesc &target : runnableTargets())
    for (bool fuse : {true, false}) {
      NativeOptions options;
      options.target = target;
      options.name = "edge";
      options.fuse = fuse;
      const std::vector<char> object = compile(*module, options);
      ASSERT_FALSE(object.empty()) << target.text;
      EXPECT_EQ(runObject(object, options.name, inputs, expected->size()), expected) << target.text << " " << fuse;
    }
}

/// `[rows, 1] x [columns, 1]^T` in 16 bits, its sum with the accumulators of an
/// 8-bit product, and that sum in 8 bits.
static std::string rankOneProgram(int64_t rows, int64_t columns, llvm::StringRef attributes, bool first) {
  const std::string tensor = llvm::formatv("tensor<{0}x{1}xi32>", rows, columns);
  // Ratios of one and of 0.7 to 3.
  const std::string one = "<1073741824, 30>", other = "<1518500250, 29>";
  return llvm::formatv(R"(
    func.func @main(%x: tensor<{0}x5xi8>, %o: tensor<{0}x1xi16>, %w: tensor<{1}x5xi8>, %v: tensor<{1}x1xi8>)
        -> ({2}, {2}, tensor<{0}x{1}xi8>) {{
      %b = arith.constant dense<-70000> : tensor<{1}xi32>
      %r = arith.constant dense<-100> : tensor<{1}x1xi8>
      %a = vitq.matmul %x, %w, %b transpose_rhs lhs <unsigned, zero = 7>
        : (tensor<{0}x5xi8>, tensor<{1}x5xi8>, tensor<{1}xi32>) -> {2}
      %p = vitq.matmul %o, %v transpose_rhs {3} : (tensor<{0}x1xi16>, tensor<{1}x1xi8>) -> {2}
      %q = vitq.matmul %o, %r transpose_rhs {3} : (tensor<{0}x1xi16>, tensor<{1}x1xi8>) -> {2}
      %s = vitq.add {4}, {5} round half_up : ({2}, {2}) -> {2}
      %t = vitq.add %q by {6}, %s by <1073741824, 30> round half_even : ({2}, {2}) -> {2}
      %c = vitq.requant %t by <1518500250, 42> round half_even : {2} -> tensor<{0}x{1}xi8>
      return %s, %t, %c : {2}, {2}, tensor<{0}x{1}xi8>
    })",
                       rows, columns, tensor, attributes, first ? "%a by " + one : "%p by " + other,
                       first ? "%p by " + other : "%a by " + one, other);
}

TEST(EdgeCases, RankOneProducts) {
  expectSame(rankOneProgram(1, 1, "lhs <signed, zero = -32768>", true));
  expectSame(rankOneProgram(7, 3, "", false));
  expectSame(rankOneProgram(13, 67, "lhs <unsigned, zero = 40000>", true));
}

TEST(EdgeCases, SumsSaturate) {
  // Per channel: exactly 1, ratios that need 64 bits, and a negative one.
  const std::string text = R"(
    func.func @main(%x: tensor<16x5xi32>, %y: tensor<16x5xi32>, %z: tensor<5xi32>)
        -> (tensor<16x5xi32>, tensor<16x5xi32>, tensor<16x5xi32>, tensor<16x5xi16>) {
      %a = vitq.add %x by <1073741824, 30>, %y by <1073741824, 30> round half_up
        : (tensor<16x5xi32>, tensor<16x5xi32>) -> tensor<16x5xi32>
      %b = vitq.add %x by <1073741824, 30>, %y by <[1073741824, 2147483647, -2147483647, 1, 1518500250], [30, 1, 29, 62, 40]>
        round half_up : (tensor<16x5xi32>, tensor<16x5xi32>) -> tensor<16x5xi32>
      %c = vitq.add %x by <1518500250, 40>, %z by <1, 1> round half_up
        : (tensor<16x5xi32>, tensor<5xi32>) -> tensor<16x5xi32>
      %d = vitq.add %x by <1073741824, 30>, %y by <1518500250, 40> round half_up result <signed, zero = -20000>
        : (tensor<16x5xi32>, tensor<16x5xi32>) -> tensor<16x5xi16>
      return %a, %b, %c, %d : tensor<16x5xi32>, tensor<16x5xi32>, tensor<16x5xi32>, tensor<16x5xi16>
    })";
  expectSame(text, [](std::vector<Tensor> &inputs) {
    const int32_t ends[] = {INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX, 1 << 30};
    for (int i = 0; i < 80; ++i) {
      inputs[0].mutableData<int32_t>()[i] = ends[i % 8];
      inputs[1].mutableData<int32_t>()[i] = ends[i / 8 % 8];
    }
  });
}

TEST(EdgeCases, TiesAreEven) {
  // Half, a quarter, ... of small numbers: every other result is a tie.
  for (const char *rounding : {"half_up", "half_even", "half_away", "floor"}) {
    const std::string text = llvm::formatv(R"(
    func.func @main(%x: tensor<8x64xi32>, %s: tensor<8xi32>, %n: tensor<8x64xi16>)
        -> (tensor<8x64xi8>, tensor<8x64xi16>, tensor<8x64xi16>, tensor<8x64xi16>) {{
      %a = vitq.requant %x by <1073741824, 33> round {0} : tensor<8x64xi32> -> tensor<8x64xi8>
      %b = vitq.requant %n by <-1073741824, 31> round {0} : tensor<8x64xi16> -> tensor<8x64xi16>
      %c = vitq.add %x by <1073741824, 34>, %n by <3, 2> round {0}
        : (tensor<8x64xi32>, tensor<8x64xi16>) -> tensor<8x64xi16>
      %d = vitq.divide_rows %x, %s by <1073741824, 55> round {0} : (tensor<8x64xi32>, tensor<8xi32>) -> tensor<8x64xi16>
      return %a, %b, %c, %d : tensor<8x64xi8>, tensor<8x64xi16>, tensor<8x64xi16>, tensor<8x64xi16>
    })",
                                           rounding);
    expectSame(text, [](std::vector<Tensor> &inputs) {
      for (int i = 0; i < 512; ++i) {
        inputs[0].mutableData<int32_t>()[i] = i - 256;
        inputs[2].mutableData<int16_t>()[i] = static_cast<int16_t>(i - 256);
      }
      for (int i = 0; i < 8; ++i)
        inputs[1].mutableData<int32_t>()[i] = 1 << i;
    });
  }
}

TEST(EdgeCases, LayerNormRounds) {
  // Multipliers of 1 and offsets of half a unit: floors, ties and neighbours.
  for (const char *rounding : {"half_up", "half_even", "half_away", "floor"}) {
    const std::string text = llvm::formatv(R"(
    func.func @main(%x: tensor<16x6xi16>, %y: tensor<16x6xi8>) -> (tensor<16x6xi8>, tensor<16x6xi16>) {{
      %a = vitq.layer_norm %x with #vitq.norm_shift<rounding = {0}> by <[1, -1, 1, 1, -1, 1], [24, 24, 1, 20, 1, 25]>
        offsets [8388608, -8388607, 1, 0, 3, 16777215] : tensor<16x6xi16> -> tensor<16x6xi8>
      %b = vitq.layer_norm %y with #vitq.norm_shift<rounding = {0}, post_offsets = [0, 1, 2, 3, 4, -5]>
        by <[1, -1, 1, 1, -1, 1], [18, 18, 18, 18, 18, 18]>
        offsets [131072, 0, 131071, 131073, -1, 1] input <unsigned>
        : tensor<16x6xi8> -> tensor<16x6xi16>
      return %a, %b : tensor<16x6xi8>, tensor<16x6xi16>
    })",
                                           rounding);
    expectSame(text, [](std::vector<Tensor> &inputs) {
      // Rows of one value are normalized to 0: only the offsets are left.
      for (int i = 0; i < 96; ++i)
        if (i / 6 % 2)
          inputs[0].mutableData<int16_t>()[i] = inputs[1].mutableData<int8_t>()[i] = static_cast<int8_t>(i / 6);
    });
  }
}

TEST(EdgeCases, SumsOfOneSmallCode) {
  // One column: the sum is the largest code, of which a softmax has 128 at least.
  for (const char *top : {"7", "8", "14"})
    expectSame(llvm::formatv(R"(
    func.func @main(%x: tensor<7x1xi32>, %v: tensor<1x64xi8>) -> tensor<7x64xi8> {{
      %c, %n = vitq.softmax %x with #vitq.exp_log2<top_exponent = {0}> by <1, 62> : (tensor<7x1xi32>) -> (tensor<7x1xi16>, tensor<7xi32>)
      %p = vitq.matmul %c, %v : (tensor<7x1xi16>, tensor<1x64xi8>) -> tensor<7x64xi32>
      %d = vitq.divide_rows %p, %n by <1184406517, 55> round half_up : (tensor<7x64xi32>, tensor<7xi32>) -> tensor<7x64xi8>
      return %d : tensor<7x64xi8>
    })",
                             top));
}

/// The last vector of a row has one column: what lies behind the result is left alone.
TEST(EdgeCases, OneColumnOfAVector) {
  for (int columns : {1, 17})
    for (int width : {8, 16})
      expectSame(llvm::formatv(R"(
        func.func @main(%x: tensor<7x4xi8>, %y: tensor<64xi8>) -> (tensor<7x{0}xi{1}>, tensor<64xi8>) {{
          %behind = vitq.requant %y by <1518500250, 31> round half_up : tensor<64xi8> -> tensor<64xi8>
          %w = arith.constant dense<3> : tensor<4x{0}xi8>
          %a = vitq.matmul %x, %w lhs <unsigned> : (tensor<7x4xi8>, tensor<4x{0}xi8>) -> tensor<7x{0}xi32>
          %b = vitq.requant %a by <1518500250, 36> round half_up : tensor<7x{0}xi32> -> tensor<7x{0}xi{1}>
          return %b, %behind : tensor<7x{0}xi{1}>, tensor<64xi8>
        })",
                               columns, width)
                     .str());
}

/// `[rows, depth] x [depth, columns]` and what follows in a tile, beside which the next tile is computed.
static void expectSums(int64_t rows, int64_t depth, int64_t columns, llvm::StringRef residual, llvm::StringRef by,
                       llvm::StringRef rounding, llvm::StringRef result) {
  expectSame(llvm::formatv(R"(
    func.func @main(%x: tensor<{0}x{1}xi8>, %w: tensor<{1}x{2}xi8>, %y: tensor<{0}x{2}x{3}>) -> tensor<{0}x{2}x{6}> {{
      %b = arith.constant dense<-7000> : tensor<{2}xi32>
      %a = vitq.matmul %x, %w, %b lhs <unsigned, zero = 7>
        : (tensor<{0}x{1}xi8>, tensor<{1}x{2}xi8>, tensor<{2}xi32>) -> tensor<{0}x{2}xi32>
      %r = vitq.add %a by <1518500250, 40>, %y by {4} round {5}
        : (tensor<{0}x{2}xi32>, tensor<{0}x{2}x{3}>) -> tensor<{0}x{2}x{6}>
      return %r : tensor<{0}x{2}x{6}>
    })",
                           rows, depth, columns, residual, by, rounding, result));
}

TEST(EdgeCases, SumsWaitForTheNextTile) {
  // Two tiles and more, panels of four and three vectors, the last one part of a vector; groups that pieces do not
  // divide.
  expectSums(27, 124, 112, "i16", "<1342115791, 30>", "half_up", "i16");
  expectSums(12, 97, 70, "i16", "<-1868348737, 45>", "floor", "i16");
  expectSums(13, 192, 33, "i8", "<1342115791, 33>", "half_even", "i8");
  // A multiplier of which the upper half has no 16 bits, and shifts that are too small and too large.
  expectSums(12, 96, 64, "i16", "<2147483647, 31>", "half_up", "i16");
  expectSums(12, 96, 64, "i16", "<1073741825, 16>", "half_up", "i32");
  expectSums(12, 96, 64, "i16", "<1073741825, 46>", "half_up", "i16");
}

TEST(EdgeCases, SumsOfWordsKeepTheZeroPoint) {
  // No sums are among the operands: either of the two may take the result's zero point along.
  const std::string text = R"(
    func.func @main(%x: tensor<3x1024xi16>, %y: tensor<3x1024xi16>) -> (tensor<3x1024xi8>, tensor<3x1024xi16>) {
      %a = vitq.add %x by <1342115791, 38>, %y by <1868348737, 38> round half_up result <unsigned, zero = 131>
         : (tensor<3x1024xi16>, tensor<3x1024xi16>) -> tensor<3x1024xi8>
      %b = vitq.add %x by <1342115791, 31>, %y by <-1868348737, 33> round floor result <signed, zero = -777>
         : (tensor<3x1024xi16>, tensor<3x1024xi16>) -> tensor<3x1024xi16>
      return %a, %b : tensor<3x1024xi8>, tensor<3x1024xi16>
    })";
  expectSame(text, [](std::vector<Tensor> &inputs) {
    for (int i = 0; i < 3 * 1024; ++i) {
      inputs[0].mutableData<int16_t>()[i] = static_cast<int16_t>(i * 21 - 32768);
      inputs[1].mutableData<int16_t>()[i] = static_cast<int16_t>(i * 40503);
    }
  });
}

TEST(EdgeCases, InterpolationOfEveryCode) {
  const std::string text = R"(
    func.func @main(%x: tensor<65536xi16>, %t: tensor<1025xi16>)
        -> (tensor<65536xi16>, tensor<65536xi16>, tensor<65536xi16>, tensor<65536xi16>) {
      %a = vitq.interpolate %x, %t start -32768 shift 6 tail_by <1, 1> : (tensor<65536xi16>, tensor<1025xi16>) -> tensor<65536xi16>
      %b = vitq.interpolate %x, %t start -512 shift 0 tail_by <1073741824, 30> : (tensor<65536xi16>, tensor<1025xi16>) -> tensor<65536xi16>
      %c = vitq.interpolate %x, %t start -2048 shift 2 tail_by <1518500250, 9> : (tensor<65536xi16>, tensor<1025xi16>) -> tensor<65536xi16>
      %d = vitq.interpolate %x, %t start 32767 shift 4 tail_by <1, 62> : (tensor<65536xi16>, tensor<1025xi16>) -> tensor<65536xi16>
      return %a, %b, %c, %d : tensor<65536xi16>, tensor<65536xi16>, tensor<65536xi16>, tensor<65536xi16>
    })";
  expectSame(text, [](std::vector<Tensor> &inputs) {
    for (int i = 0; i < 65536; ++i)
      inputs[0].mutableData<int16_t>()[i] = static_cast<int16_t>(i - 32768);
  });
}

TEST(EdgeCases, IndicesOutsideTheTablesAreRejected) {
  std::unique_ptr<MLIRContext> context = makeContext();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(R"(
    func.func @main(%x: tensor<2x2xi8>, %t: tensor<3x256xi8>) -> tensor<2x2xi8> {
      %i = arith.constant dense<[2, 3]> : tensor<2xi8>
      %y = vitq.table %x, %t, %i : (tensor<2x2xi8>, tensor<3x256xi8>, tensor<2xi8>) -> tensor<2x2xi8>
      return %y : tensor<2x2xi8>
    })",
                                                             context.get());
  ASSERT_TRUE(module);
  std::string text;
  ScopedDiagnosticHandler keep(context.get(), [&](Diagnostic &diagnostic) {
    text += diagnostic.str() + "\n";
    return success();
  });
  NativeOptions options;
  options.target = runnableTargets().front();
  options.name = "edge";
  EXPECT_TRUE(compile(*module, options).empty());
  EXPECT_NE(text.find("the index must be a constant below 3, the number of tables"), std::string::npos) << text;
}
