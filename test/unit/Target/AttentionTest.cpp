//===- AttentionTest.cpp - Attentions of all kinds in one kernel -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include "dialects/vitq/VitqKernel.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "vitq/Conversion/Passes.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

/// Compiling takes the time: each module is tried on three targets, in turn.
static std::vector<TargetDesc> nextTargets() {
  static size_t turn = 0;
  const std::vector<TargetDesc> all = runnableTargets();
  std::vector<TargetDesc> next;
  for (size_t i = 0; i < std::min<size_t>(3, all.size()); ++i)
    next.push_back(all[turn++ % all.size()]);
  return next;
}

/// Expects that the module's two products are in one kernel, and that it computes the same in
/// the interpreter, before and after, and on the targets.
static void expectOneKernel(const std::string &text, const std::vector<TargetDesc> &targets = nextTargets()) {
  SCOPED_TRACE(text);
  std::unique_ptr<MLIRContext> context = makeContext();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, context.get());
  ASSERT_TRUE(module);
  const std::vector<Tensor> inputs = randomInputs(*module, 5);
  auto expected = interpret(*module, inputs);
  ASSERT_TRUE(expected);

  OwningOpRef<ModuleOp> formed = module->clone();
  PassManager manager(context.get());
  VitqFormKernelsPassOptions form;
  form.target = "x86-64-v3";
  manager.addPass(createVitqFormKernelsPass(form));
  ASSERT_TRUE(succeeded(manager.run(*formed)));
  unsigned kernels = 0;
  formed->walk([&](integer::KernelOp kernel) {
    ++kernels;
    EXPECT_EQ(llvm::count_if(kernel.getOps(), [](Operation *op) { return isa<integer::MatmulOp>(op); }), 2);
  });
  EXPECT_EQ(kernels, 1u);
  EXPECT_EQ(interpret(*formed, inputs), expected);

  for (const TargetDesc &target : targets) {
    NativeOptions options;
    options.target = target;
    options.name = "attention";
    const std::vector<char> object = compile(*module, options);
    ASSERT_FALSE(object.empty()) << target.text;
    EXPECT_EQ(runObject(object, options.name, inputs, expected->size()), expected) << target.text;
  }
}

namespace {

/// An attention of tokens with rows of 24 and 16 elements; `heads` are its leading axes ("1x3x").
struct AttentionText {
  std::string heads = "1x3x";
  int tokens = 14, values = 16;
  /// From %s to the codes %c and, with `normal`, the sums %n.
  std::string between = "%c, %n = vitq.softmax %s with #vitq.exp_table<dense<[{table}]> : tensor<256xi8>> by "
                        "<1518469120, 40> : ({scores}) -> "
                        "({codes}, {sums})";
  std::string codes = "lhs <unsigned>";
  /// From %p to %d.
  std::string behind = "%d = vitq.divide_rows %p, %n by <1184406517, 54> round half_up : ({context}, {sums}) -> "
                       "{result}";
  /// Further arguments of @main.
  std::string arguments;

  std::string text() const;
};

} // namespace

std::string AttentionText::text() const {
  const std::string rows = heads + std::to_string(tokens);
  std::string text = R"(
    func.func @main(%q: tensor<{rows}x24xi8>, %k: tensor<{rows}x24xi8>, %v: tensor<{rows}x{values}xi8>{arguments}) -> {result} {
      %t = arith.constant dense<[{table}]> : tensor<256xi8>
      %s = vitq.matmul %q, %k transpose_rhs lhs <unsigned, zero = 7>
        : (tensor<{rows}x24xi8>, tensor<{rows}x24xi8>) -> {scores}
      {between}
      %p = vitq.matmul %c, %v {reads} : ({codes}, tensor<{rows}x{values}xi8>) -> {context}
      {behind}
      return %d : {result}
    })";
  auto replace = [&](const std::string &name, const std::string &by) {
    for (size_t at; (at = text.find("{" + name + "}")) != std::string::npos;)
      text.replace(at, name.size() + 2, by);
  };
  std::string table;
  for (int i = 0; i < 256; ++i)
    table += (i ? ", " : "") + std::to_string(i < 128 ? -1 - i / 2 : 127 - i / 3);
  const std::string count = std::to_string(tokens);
  replace("between", between);
  replace("behind", behind);
  replace("arguments", arguments);
  replace("table", table);
  replace("reads", codes);
  replace("scores", "tensor<{rows}x" + count + "xi32>");
  replace("codes", "tensor<{rows}x" + count + "xi8>");
  replace("wide", "tensor<{rows}x" + count + "xi16>");
  replace("sums", "tensor<{rows}xi32>");
  replace("context", "tensor<{rows}x{values}xi32>");
  replace("result16", "tensor<{rows}x{values}xi16>");
  replace("result", "tensor<{rows}x{values}xi8>");
  replace("values", std::to_string(values));
  replace("rows", rows);
  return text;
}

TEST(Attention, HeadsAreAnyLeadingAxes) {
  for (const char *heads : {"", "3x", "2x3x", "1x3x", "2x2x3x", "2x1x2x2x"}) {
    AttentionText attention;
    attention.heads = heads;
    expectOneKernel(attention.text());
  }
}

TEST(Attention, TokensAreAnyNumber) {
  for (int tokens : {1, 6, 16, 33, 49, 100, 197}) {
    AttentionText attention;
    attention.tokens = tokens;
    expectOneKernel(attention.text());
  }
}

/// Where a unit's codes are computed beside the products before: whole pieces of them, parts, and none that is whole;
/// values of several widths, of which not all leave registers for that.
TEST(Attention, UnitsOverlap) {
  std::vector<TargetDesc> targets = runnableTargets();
  llvm::erase_if(targets, [](const TargetDesc &target) {
    return target.byteLookup != ByteLookup::Permute128 || target.emulateDot;
  });
  if (targets.empty())
    GTEST_SKIP() << "needs AVX-512 VBMI and VNNI";
  AttentionText attention;
  attention.heads = "2x";
  for (auto [tokens, values] : {std::pair{49, 32}, {64, 64}, {131, 48}, {197, 64}, {256, 16}, {70, 80}}) {
    attention.tokens = tokens;
    attention.values = values;
    expectOneKernel(attention.text(), targets);
  }
}

TEST(Attention, MasksAndBiasesAreAddedToScores) {
  for (const char *mask : {"14x14", "3x14x14", "2x1x1x14", "2x3x14x14", "14x1"}) {
    AttentionText attention;
    attention.heads = "2x3x";
    attention.arguments = ", %mask: tensor<" + std::string(mask) + "xi32>";
    attention.between = llvm::formatv(R"(
      %m = vitq.add %s by <1073741824, 30>, %mask by <1518500250, 48> round half_up
        : ({{scores}, tensor<{0}xi32>) -> {{scores}
      %c, %n = vitq.softmax %m with #vitq.exp_table<dense<[{{table}]> : tensor<256xi8>> by <1518500250, 40>
        : ({{scores}) -> ({{codes}, {{sums}))",
                                      mask);
    expectOneKernel(attention.text());
  }
  // Constants, of which one leaves sums within 32 bits.
  for (const char *value : {"-1234567", "2147483647"}) {
    AttentionText attention;
    attention.between = llvm::formatv(R"(
      %mask = arith.constant dense<{0}> : tensor<14x14xi32>
      %m = vitq.add %s by <1073741824, 30>, %mask by <1073741824, 30> round half_up
        : ({{scores}, tensor<14x14xi32>) -> {{scores}
      %c, %n = vitq.softmax %m with #vitq.exp_table<dense<[{{table}]> : tensor<256xi8>> by <1518500250, 50>
        : ({{scores}) -> ({{codes}, {{sums}))",
                                      value);
    expectOneKernel(attention.text());
  }
  // Of windows: tiles of six rows and of five, and vectors that are not full.
  AttentionText windows;
  windows.heads = "2x3x";
  windows.tokens = 49;
  windows.arguments = ", %mask: tensor<1x3x49x49xi32>";
  windows.between = R"(
      %m = vitq.add %s by <1073741824, 30>, %mask by <1073741824, 30> round half_up
        : ({scores}, tensor<1x3x49x49xi32>) -> {scores}
      %c, %n = vitq.softmax %m with #vitq.exp_table<dense<[{table}]> : tensor<256xi8>>
        by <[1518500250, 1218500250, 1118500250], [52, 51, 52]> : ({scores}) -> ({codes}, {sums}))";
  expectOneKernel(windows.text());
  // As the second operand.
  AttentionText attention;
  attention.arguments = ", %mask: {wide}";
  attention.between = R"(
      %m = vitq.add %mask by <1518500250, 30>, %s by <1518500250, 31> round half_even : ({wide}, {scores}) -> {scores}
      %c, %n = vitq.softmax %m with #vitq.exp_table<dense<[{table}]> : tensor<256xi8>> by <[1518500250, 1218500250, 1118500250], [40, 40, 41]>
        : ({scores}) -> ({codes}, {sums}))";
  expectOneKernel(attention.text());
}

TEST(Attention, ScoresAreRequantized) {
  AttentionText attention;
  attention.between = R"(
      %r = vitq.requant %s by <[1518500250, 1218500250, 1118500250], [38, 39, 40]> round half_up {axis = 1 : i64} : {scores} -> {codes}
      %c = vitq.shiftmax %r exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 8 : {codes} -> {codes})";
  attention.codes = "";
  attention.behind = "%d = vitq.requant %p by <1518500250, 40> round half_up : {context} -> {result}";
  expectOneKernel(attention.text());
  // Codes are codes, however they come about.
  attention.between = R"(
      %r = vitq.requant %s by <1518500250, 38> round half_up result <signed, zero = 3> : {scores} -> {wide}
      %a = vitq.requant %r by <1518500250, 34> round half_up input <signed, zero = 3> : {wide} -> {scores}
      %c = vitq.requant %a by <1518500250, 31> round half_up result <signed, zero = 5> : {scores} -> {wide})";
  std::string wide = attention.text();
  wide.replace(wide.find("%p = vitq.matmul %c, %v  : (tensor<1x3x14x14xi8>"), 48,
               "%p = vitq.matmul %c, %v lhs <signed, zero = 5> : (tensor<1x3x14x14xi16>");
  expectOneKernel(wide);
}

TEST(Attention, SeveralOpsBehind) {
  AttentionText attention;
  attention.behind = R"(
      %e = vitq.divide_rows %p, %n by <1184406517, 48> round half_up : ({context}, {sums}) -> {result16}
      %f = vitq.requant %e by <1518500250, 38> round half_up : {result16} -> {result}
      %d = vitq.table %f, %t : ({result}, tensor<256xi8>) -> {result})";
  expectOneKernel(attention.text());
  // A sum with another tensor: rows of scratch memory and of a tensor in one kernel.
  attention.arguments = ", %r: {result16}";
  attention.behind = R"(
      %e = vitq.divide_rows %p, %n by <1184406517, 48> round half_up : ({context}, {sums}) -> {result16}
      %d = vitq.add %r by <1518500250, 40>, %e by <1518500250, 38> round half_up : ({result16}, {result16}) -> {result})";
  expectOneKernel(attention.text());
  attention.behind = R"(
      %d = vitq.add %p by <1518500250, 44>, %r by <1518500250, 38> round half_up : ({context}, {result16}) -> {result})";
  expectOneKernel(attention.text());
}

TEST(Attention, HeadsAndTokensLieInAnyOrder) {
  struct Layout {
    const char *memory, *seen, *order, *inverse;
  };
  // Memory [a, b, c, columns]; the order that makes heads and tokens of it.
  for (const Layout &layout : {Layout{"2x14x3x", "2x3x14x", "0, 2, 1, 3", "0, 2, 1, 3"},
                               Layout{"2x14x3x", "3x2x14x", "2, 0, 1, 3", "1, 2, 0, 3"},
                               Layout{"14x2x3x", "2x3x14x", "1, 2, 0, 3", "2, 0, 1, 3"},
                               Layout{"3x2x14x", "2x3x14x", "1, 0, 2, 3", "1, 0, 2, 3"}}) {
    const std::string memory = layout.memory, seen = layout.seen;
    auto move = [&](const char *to, const char *from, const std::string &columns) {
      return llvm::formatv("{0} = vitq.transpose {1} by [{2}] : tensor<{3}{5}xi8> -> tensor<{4}{5}xi8>\n", to, from,
                           layout.order, memory, seen, columns)
          .str();
    };
    expectOneKernel(llvm::formatv(R"(
    func.func @main(%q: tensor<{0}24xi8>, %k: tensor<{0}24xi8>, %v: tensor<{0}16xi8>) -> tensor<{0}16xi8> {{
      {1}{2}{3}
      %s = vitq.matmul %qh, %kh transpose_rhs : (tensor<{4}24xi8>, tensor<{4}24xi8>) -> tensor<{4}14xi32>
      %c, %n = vitq.softmax %s with #vitq.exp_log2<top_exponent = 14> by <1518500250, 40>
        : (tensor<{4}14xi32>) -> (tensor<{4}14xi16>, tensor<{5}xi32>)
      %p = vitq.matmul %c, %vh : (tensor<{4}14xi16>, tensor<{4}16xi8>) -> tensor<{4}16xi32>
      %d = vitq.divide_rows %p, %n by <1184406517, 54> round half_up
        : (tensor<{4}16xi32>, tensor<{5}xi32>) -> tensor<{4}16xi8>
      %y = vitq.transpose %d by [{6}] : tensor<{4}16xi8> -> tensor<{0}16xi8>
      return %y : tensor<{0}16xi8>
    })",
                                  memory, move("%qh", "%q", "24"), move("%kh", "%k", "24"), move("%vh", "%v", "16"),
                                  seen, llvm::StringRef(seen).drop_back(), layout.inverse));
  }
}

TEST(Attention, KeysMayBeTransposed) {
  expectOneKernel(R"(
    func.func @main(%q: tensor<2x14x24xi8>, %k: tensor<2x24x14xi8>, %v: tensor<2x16x14xi8>) -> tensor<2x14x16xi8> {
      %s = vitq.matmul %q, %k lhs <signed, zero = -9> : (tensor<2x14x24xi8>, tensor<2x24x14xi8>) -> tensor<2x14x14xi32>
      %c = vitq.shiftmax %s exponent_step -2000 fraction_bits 15 reciprocal_bits 31 result_bits 16
        : tensor<2x14x14xi32> -> tensor<2x14x14xi16>
      %p = vitq.matmul %c, %v transpose_rhs : (tensor<2x14x14xi16>, tensor<2x16x14xi8>) -> tensor<2x14x16xi32>
      %d = vitq.requant %p by <1518500250, 45> round half_up : tensor<2x14x16xi32> -> tensor<2x14x16xi8>
      return %d : tensor<2x14x16xi8>
    })");
}
