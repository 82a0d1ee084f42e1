//===- TileRegistersTest.cpp - Products in registers of tiles -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rows, columns and depths beside those that fill AMX's registers. Objects for AMX run where the rest of their
// instructions does, AMX's own ones by TileEmulator; elsewhere, what surrounds these.
//
//===----------------------------------------------------------------------===//

#include "../Random.h"
#include "Harness.h"
#include "TileEmulator.h"

#include "mlir/Parser/Parser.h"
#include "vitq/Numerics/Code.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

static bool runsEmulated(const TargetDesc &target) { return target.isa->tileRegisters && !target.emulateDot; }

/// Expects what the interpreter gives, and that tiles are multiplied, and free in the end.
static void expectSame(const std::string &text, bool usesTiles = true) {
  SCOPED_TRACE(text);
  std::unique_ptr<MLIRContext> context = makeContext();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, context.get());
  ASSERT_TRUE(module);
  const std::vector<Tensor> inputs = randomInputs(*module, 5);
  auto expected = interpret(*module, inputs);
  ASSERT_TRUE(expected);
  for (const TargetDesc &target : tileTargets()) {
    NativeOptions options;
    options.target = target;
    options.name = "tiles";
    const std::vector<char> object = compile(*module, options);
    ASSERT_FALSE(object.empty()) << target.text;
    takeTileCounts();
    EXPECT_EQ(runObject(object, options.name, inputs, expected->size()), expected) << target.text;
    const TileCounts counts = takeTileCounts();
    if (!runsEmulated(target))
      continue;
    EXPECT_EQ(counts.requests, 1);
    EXPECT_EQ(counts.products > 0, usesTiles);
    EXPECT_EQ(counts.configurations > 0, usesTiles);
    EXPECT_FALSE(counts.inUse);
  }
}

/// `[rows, depth] x [columns, depth]^T` by weights of `bits` bits, of random ones; sums, and codes of them.
static std::string productOf(int64_t rows, int64_t depth, int64_t columns, const char *sign, unsigned bits = 8) {
  const numerics::Code code{bits, false, 0};
  Random random(bits + rows);
  std::string weights;
  for (int64_t n = 0; n < columns; ++n) {
    weights += n ? ", [" : "[";
    for (int64_t k = 0; k < depth; ++k)
      weights += (k ? ", " : "") + std::to_string(random.between(code.min(), code.max()));
    weights += "]";
  }
  return llvm::formatv(R"(
    func.func @main(%x: tensor<{0}x{1}xi8>) -> (tensor<{0}x{2}xi32>, tensor<{0}x{2}xi8>) {{
      %w = arith.constant dense<[{3}]> : tensor<{2}x{1}xi{4}>
      %b = arith.constant dense<-7000> : tensor<{2}xi32>
      %y = vitq.matmul %x, %w transpose_rhs lhs <{5}, zero = 3>
        : (tensor<{0}x{1}xi8>, tensor<{2}x{1}xi{4}>) -> tensor<{0}x{2}xi32>
      %z = vitq.matmul %x, %w, %b transpose_rhs lhs <{5}, zero = 3>
        : (tensor<{0}x{1}xi8>, tensor<{2}x{1}xi{4}>, tensor<{2}xi32>) -> tensor<{0}x{2}xi32>
      %r = vitq.requant %z by <1518500250, 44> round half_up : tensor<{0}x{2}xi32> -> tensor<{0}x{2}xi8>
      return %y, %r : tensor<{0}x{2}xi32>, tensor<{0}x{2}xi8>
    })",
                       rows, depth, columns, weights, bits, sign);
}

TEST(TileRegisters, RowsAreAnyNumber) {
  for (int64_t rows : {7, 15, 16, 17, 33, 48, 65})
    expectSame(productOf(rows, 64, 32, rows % 2 ? "unsigned" : "signed"));
  // Of one tile in vectors nothing is gained.
  expectSame(productOf(6, 64, 32, "unsigned"), /*usesTiles=*/false);
}

/// However a tile's height is chosen, less rows than a register has are left.
TEST(TileRegisters, RowsThatNoHeightDivides) { expectSame(productOf(3727, 4, 1, "unsigned")); }

TEST(TileRegisters, DepthIsAnyNumber) {
  for (int64_t depth : {3, 30, 65, 100, 128, 200})
    expectSame(productOf(20, depth, 16, depth % 3 ? "unsigned" : "signed"));
}

TEST(TileRegisters, ColumnsAreAnyNumber) {
  for (int64_t columns : {1, 17, 40, 97})
    expectSame(productOf(35, 72, columns, "unsigned"));
}

TEST(TileRegisters, WeightsOfFewBits) {
  for (unsigned bits : {2, 5, 7})
    expectSame(productOf(40, 100, 50, bits % 2 ? "unsigned" : "signed", bits));
}

/// Right operands of run time, either way round; of their columns sums are formed.
TEST(TileRegisters, RightOperandsArePacked) {
  for (bool transposed : {false, true})
    for (int64_t depth : {48, 70})
      expectSame(llvm::formatv(R"(
    func.func @main(%x: tensor<2x19x{0}xi8>, %y: tensor<2x{1}xi8>, %b: tensor<37xi32>) -> tensor<2x19x37xi32> {{
      %z = vitq.matmul %x, %y{2} lhs <unsigned, zero = 100> : (tensor<2x19x{0}xi8>, tensor<2x{1}xi8>) -> tensor<2x19x37xi32>
      return %z : tensor<2x19x37xi32>
    })",
                               depth, transposed ? llvm::formatv("37x{0}", depth) : llvm::formatv("{0}x37", depth),
                               transposed ? " transpose_rhs" : ""));
}

static std::string attentionOf(int64_t tokens, unsigned codeBits, const std::string &exponential) {
  return llvm::formatv(R"(
    func.func @main(%q: tensor<2x{0}x24xi8>, %k: tensor<2x{0}x24xi8>, %v: tensor<2x{0}x40xi8>) -> tensor<2x{0}x40xi8> {{
      %s = vitq.matmul %q, %k transpose_rhs lhs <unsigned, zero = 7>
        : (tensor<2x{0}x24xi8>, tensor<2x{0}x24xi8>) -> tensor<2x{0}x{0}xi32>
      %c, %n = vitq.softmax %s with {2} by <1518500250, 40>
        : (tensor<2x{0}x{0}xi32>) -> (tensor<2x{0}x{0}xi{1}>, tensor<2x{0}xi32>)
      %p = vitq.matmul %c, %v lhs <unsigned> : (tensor<2x{0}x{0}xi{1}>, tensor<2x{0}x40xi8>) -> tensor<2x{0}x40xi32>
      %d = vitq.divide_rows %p, %n by <1184406517, 54> round half_up
        : (tensor<2x{0}x40xi32>, tensor<2x{0}xi32>) -> tensor<2x{0}x40xi8>
      return %d : tensor<2x{0}x40xi8>
    })",
                       tokens, codeBits, exponential);
}

/// Both products of an attention, of tokens in one tile, in several and in ones that differ by a row.
TEST(TileRegisters, Attention) {
  std::string table;
  for (int i = 0; i < 256; ++i)
    table += (i ? ", " : "") + std::to_string(i < 128 ? -1 - i / 2 : 127 - i / 3);
  for (int64_t tokens : {9, 33, 100})
    expectSame(attentionOf(tokens, 8, "#vitq.exp_table<dense<[" + table + "]> : tensor<256xi8>>"));
  // Codes of 16 bits are multiplied in vectors, and then so are their scores.
  expectSame(attentionOf(20, 16, "#vitq.exp_log2<top_exponent = 7>"), /*usesTiles=*/false);
}
