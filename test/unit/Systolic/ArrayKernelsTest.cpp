//===- ArrayKernelsTest.cpp - What an array computes in one launch -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Conversion/VitqToSystolic/ArrayKernels.h"

#include "vitq/InitAll.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace vitq;
using integer::KernelFit;

namespace {

class ArrayKernels : public ::testing::Test {
protected:
  ArrayKernels() : context(makeRegistry(), MLIRContext::Threading::DISABLED) {}
  static DialectRegistry makeRegistry() {
    DialectRegistry registry;
    registerAllDialects(registry);
    return registry;
  }

  /// Why the ops of @main's body are no kernel of an array of 8 x 8 elements with all units; empty if they are.
  std::string refusal(StringRef body, StringRef config = "edge-8x8-int4", StringRef wishes = "") {
    const std::string text = ("func.func @main(%x: tensor<1x4x8xi8>, %y: tensor<1x4x8xi8>, %w: tensor<8x8xi8>, "
                              "%s: tensor<1x4xi32>) {\n" +
                              body + "\nreturn\n}")
                                 .str();
    OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << text;
    if (!module)
      return "";
    SmallVector<Operation *> ops;
    for (Operation &op : (*module->getOps<func::FuncOp>().begin()).getBody().front().without_terminator())
      if (op.getDialect()->getNamespace() == "vitq" && !op.hasAttr("apart"))
        ops.push_back(&op);
    const systolic::ArrayKernelRules rules(llvm::cantFail(simulator::Config::parse(config)),
                                           llvm::cantFail(systolic::PlacementWishes::parse(wishes)));
    std::string reason;
    const KernelFit fit = rules.fit(ops, reason);
    EXPECT_EQ(fit == KernelFit::Kernel, reason.empty());
    return reason;
  }

  MLIRContext context;
};

constexpr StringLiteral kProduct =
    "%a = vitq.matmul %x, %w : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32>\n";
constexpr StringLiteral kRequant =
    "%q = vitq.requant %a by <1, 8> round half_even : tensor<1x4x8xi32> -> tensor<1x4x8xi8>\n";

} // namespace

TEST_F(ArrayKernels, ProductsWithUnits) {
  const std::string requant = (kProduct + kRequant).str();
  EXPECT_EQ(refusal(kProduct), "");
  EXPECT_EQ(refusal(requant), "");
  EXPECT_EQ(refusal(requant, "gemmini-16x16"), "");
  EXPECT_EQ(refusal(requant, "units=none"), "the array has no dyadic unit");
  EXPECT_EQ(refusal(requant, "edge-8x8-int4", "requant=host"), "as asked for");
  EXPECT_EQ(refusal(kProduct, "edge-8x8-int4,accumulator-bits=16"),
            "its sums over K = 8 need accumulators of 19 bits, but the array has 16 (accumulator-bits=19)");
  const std::string again = "%r = vitq.requant %q by <1, 1> round half_up : tensor<1x4x8xi8> -> tensor<1x4x8xi8>\n";
  EXPECT_EQ(refusal(requant + again, "edge-8x8-int4"), "the sums are stored as codes");
  EXPECT_EQ(refusal(requant + again, "edge-8x8-int4,units=dyadic"), "");
  const std::string asUnsigned = "%r = vitq.requant %q by <1, 1> round half_up input <unsigned> : tensor<1x4x8xi8> -> "
                                 "tensor<1x4x8xi8>\n";
  EXPECT_EQ(refusal(requant + asUnsigned, "edge-8x8-int4,units=dyadic"),
            "it reads the codes with another sign than the unit before it gives");
}

TEST_F(ArrayKernels, WholeRowsAndOtherOperands) {
  const std::string add = "%r = vitq.add %a by <1, 8>, %y by <1, 1> round half_up : (tensor<1x4x8xi32>, "
                          "tensor<1x4x8xi8>) -> tensor<1x4x8xi8>\n";
  EXPECT_EQ(refusal(kProduct.str() + add), "");
  const std::string later = "%z = vitq.requant %y by <1, 1> round half_up {apart} : tensor<1x4x8xi8> -> "
                            "tensor<1x4x8xi8>\n";
  const std::string addLater = "%r = vitq.add %a by <1, 8>, %z by <1, 1> round half_up : (tensor<1x4x8xi32>, "
                               "tensor<1x4x8xi8>) -> tensor<1x4x8xi8>\n";
  EXPECT_EQ(refusal(later + kProduct.str() + addLater), "");
  EXPECT_EQ(refusal(kProduct.str() + later + addLater), "its other operand is not there before the product");
  const std::string addCodes = "%r = vitq.add %q by <1, 1>, %y by <1, 1> round half_up : (tensor<1x4x8xi8>, "
                               "tensor<1x4x8xi8>) -> tensor<1x4x8xi8>\n";
  EXPECT_EQ(refusal((kProduct + kRequant).str() + addCodes, "edge-8x8-int4,units=dyadic"),
            "only the first unit takes whole rows, or another operand");
  const std::string softmax = "%p, %sums = vitq.softmax %a with #vitq.exp_table<dense<2> : tensor<256xi8>> by <7, 9> "
                              ": (tensor<1x4x8xi32>) -> (tensor<1x4x8xi8>, tensor<1x4xi32>)\n";
  const std::string codes = "%r = vitq.requant %p by <1, 1> round half_up input <unsigned> : tensor<1x4x8xi8> -> "
                            "tensor<1x4x8xi8>\n";
  EXPECT_EQ(refusal(kProduct.str() + softmax), "");
  EXPECT_EQ(refusal(kProduct.str() + softmax + codes), "units stop at an op with two results");
  EXPECT_EQ(refusal(kProduct.str() + softmax, "edge-8x8-int4,rows=2,cols=2,stream-rows=1,accumulator-banks=1,"
                                              "accumulator-rows=4"),
            "the accumulator does not hold two rows of 8 sums");
}

TEST_F(ArrayKernels, RowsFromDram) {
  const std::string requant = "%q = vitq.requant %y by <1, 1> round half_up : tensor<1x4x8xi8> -> tensor<1x4x8xi8>\n";
  EXPECT_EQ(refusal(requant), "");
  EXPECT_EQ(refusal(requant, "gemmini-16x16"), "the array has no dyadic unit");
  EXPECT_EQ(refusal(requant + "%r = vitq.requant %q by <1, 1> round half_up : tensor<1x4x8xi8> -> tensor<1x4x8xi8>"),
            "rows from DRAM go through one unit");
  EXPECT_EQ(refusal("%q = vitq.reshape %y to [4, 8] : tensor<1x4x8xi8> -> tensor<4x8xi8>"),
            "it is no work of the array or of a unit");
  EXPECT_EQ(refusal("%c = arith.constant dense<1> : tensor<4x8xi8>\n%q = vitq.requant %c by <1, 1> round half_up : "
                    "tensor<4x8xi8> -> tensor<4x8xi8>"),
            "it works on constants, or on nothing");
  EXPECT_EQ(refusal("%a = vitq.matmul %x, %w : (tensor<1x4x8xi8>, tensor<8x8xi8>) -> tensor<1x4x8xi32>",
                    "edge-8x8-int4", "matmul=host"),
            "as asked for");
}
