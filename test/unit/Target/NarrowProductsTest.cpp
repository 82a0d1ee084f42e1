//===- NarrowProductsTest.cpp - Products at the bounds of short sums -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Codes of every width times weights of every width, with rows and columns that drive
// sums of 16 bits as far as operands can: every sign of a column meets a row that has
// the largest code there where the weight is positive and the smallest elsewhere.
//
//===----------------------------------------------------------------------===//

#include "../Random.h"
#include "Harness.h"

#include "mlir/Parser/Parser.h"
#include "vitq/Numerics/Code.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

/// Columns whose signs are those of rows, and columns of any weights beside them: one more than whole vectors.
static constexpr int64_t kPatterns = 5, kColumns = 17;

/// Whether weight k of pattern `column` is positive.
static bool isPositive(int64_t column, int64_t k) {
  switch (column) {
  case 0:
    return true;
  case 1:
    return false;
  case 2:
    return k % 2 == 0;
  case 3:
    return k / 2 % 2 == 0;
  default:
    return k * 2654435761u >> 7 & 1;
  }
}

/// Weights [kColumns, depth] at the ends of their codes, all of them or every `sparse`-th one.
static std::string weightsOf(unsigned bits, int64_t depth, int64_t sparse) {
  const numerics::Code code{bits, false, 0};
  Random random(bits);
  std::string text;
  for (int64_t n = 0; n < kColumns; ++n) {
    text += n ? ", [" : "[";
    for (int64_t k = 0; k < depth; ++k) {
      int64_t weight = random.between(code.min(), code.max());
      if (n < kPatterns)
        weight = k % sparse ? 0 : isPositive(n, k) ? code.max() : code.min();
      else if (sparse > 1)
        weight /= 4;
      text += (k ? ", " : "") + std::to_string(weight);
    }
    text += "]";
  }
  return "dense<[" + text + "]>";
}

/// Codes of `bits` bits, below 8 made of bytes of the same sign, times weights of 2 to 8 bits.
static std::string programOf(unsigned bits, bool isUnsigned, int64_t rows, int64_t depth) {
  const char *sign = isUnsigned ? "unsigned" : "signed";
  const std::string bytes = llvm::formatv("tensor<{0}x{1}xi{2}>", rows, depth, std::max(bits, 8u)),
                    codes = llvm::formatv("tensor<{0}x{1}xi{2}>", rows, depth, bits),
                    sums = llvm::formatv("tensor<{0}x{1}xi32>", rows, kColumns);
  std::string body, results, types;
  if (bits < 8)
    body =
        llvm::formatv("%c = vitq.requant %x by <1073741824, 30> round half_up input <{0}> result <{0}> : {1} -> {2}\n",
                      sign, bytes, codes);
  for (unsigned width = 2; width <= 8; ++width) {
    const std::string weights = llvm::formatv("tensor<{0}x{1}xi{2}>", kColumns, depth, width);
    // Of few weights that are not 0, longer runs fit.
    body += llvm::formatv("%w{0} = arith.constant {1} : {2}\n", width,
                          weightsOf(width, depth, (bits + width) % 2 ? 3 : 1), weights);
    body += llvm::formatv("%y{0} = vitq.matmul {1}, %w{0} transpose_rhs lhs <{2}, zero = 1> : ({3}, {4}) -> {5}\n",
                          width, bits < 8 ? "%c" : "%x", sign, codes, weights, sums);
    results += (results.empty() ? "%y" : ", %y") + std::to_string(width);
    types += (types.empty() ? "" : ", ") + sums;
  }
  return llvm::formatv("func.func @main(%x: {0}) -> ({1}) {{\n{2}return {3} : {1}\n}", bytes, types, body, results);
}

/// The largest or smallest code, or bytes of which the requantization makes it, as columns' signs say.
static Tensor rowsOf(unsigned bits, bool isUnsigned, int64_t rows, int64_t depth) {
  const numerics::Code code{std::max(bits, 8u), isUnsigned, 0};
  Tensor x = Tensor::allocate(bits > 8 ? ElementKind::I16 : ElementKind::I8, {rows, depth});
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < depth; ++k) {
      const bool high = isPositive(row / 2 % kPatterns, k) == (row % 2 == 0);
      x.setInt(row * depth + k, high ? code.max() : code.min());
    }
  return x;
}

static void expectSame(unsigned bits, bool isUnsigned, int64_t rows, int64_t depth) {
  SCOPED_TRACE(llvm::formatv("{0} bits, {1}, {2} x {3}", bits, isUnsigned ? "unsigned" : "signed", rows, depth).str());
  std::unique_ptr<MLIRContext> context = makeContext();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(programOf(bits, isUnsigned, rows, depth), context.get());
  ASSERT_TRUE(module);
  const std::vector<Tensor> inputs{rowsOf(bits, isUnsigned, rows, depth)};
  auto expected = interpret(*module, inputs);
  ASSERT_TRUE(expected);
  for (const TargetDesc &target : runnableTargets()) {
    NativeOptions options;
    options.target = target;
    options.name = "narrow";
    const std::vector<char> object = compile(*module, options);
    ASSERT_FALSE(object.empty()) << target.text;
    EXPECT_EQ(runObject(object, options.name, inputs, expected->size()), expected) << target.text;
  }
}

class NarrowProducts : public testing::TestWithParam<unsigned> {};

/// A whole tile and a cut one; several short runs, of which the last is shorter.
TEST_P(NarrowProducts, Tiles) {
  expectSame(GetParam(), /*isUnsigned=*/true, 10, 100);
  if (GetParam() % 4 == 0)
    expectSame(GetParam(), /*isUnsigned=*/false, 10, 100);
}

/// Rows so few that weights are unpacked where they are used, and a depth that fills no group.
TEST_P(NarrowProducts, OneRow) { expectSame(GetParam(), GetParam() % 2 == 0, 1, 71); }

/// Weights are unpacked for codes of 16 bits too, on processors whose groups of weights end within a byte.
TEST(WideProducts, OneRow) {
  expectSame(16, /*isUnsigned=*/true, 1, 71);
  expectSame(16, /*isUnsigned=*/false, 1, 16);
}

INSTANTIATE_TEST_SUITE_P(Bits, NarrowProducts, testing::Range(2u, 9u));
