//===- RowKernelsTest.cpp - Rows of every kind of length -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels cover a row with vectors of which the last one overlaps its neighbour:
// lengths below, at and beside multiples of vectors, and the ends of all ranges.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include "mlir/Parser/Parser.h"
#include "vitq/Numerics/LayerNorm.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

using Patch = llvm::function_ref<void(std::vector<Tensor> &)>;

static void expectSame(const std::string &text, Patch patch = [](std::vector<Tensor> &) {}) {
  SCOPED_TRACE(text.substr(0, 400));
  std::unique_ptr<MLIRContext> context = makeContext();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, context.get());
  ASSERT_TRUE(module);
  std::vector<Tensor> inputs = randomInputs(*module, 7);
  patch(inputs);
  auto expected = interpret(*module, inputs);
  ASSERT_TRUE(expected);
  for (const TargetDesc &target : runnableTargets()) {
    NativeOptions options;
    options.target = target;
    options.name = "rows";
    const std::vector<char> object = compile(*module, options);
    ASSERT_FALSE(object.empty()) << target.text;
    EXPECT_EQ(runObject(object, options.name, inputs, expected->size()), expected) << target.text;
  }
}

/// "[f(0), f(1), ...]"
template <typename F>
static std::string list(int64_t count, F f) {
  std::string text = "[";
  for (int64_t i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::to_string(f(i));
  return text + "]";
}

/// Rows of one value, of two neighbours, of both ends of the range, then random ones.
template <typename T>
static void setRows(Tensor &tensor, int64_t cols) {
  T *data = tensor.mutableData<T>();
  const auto least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
  for (int64_t i = 0; i < cols; ++i) {
    data[i] = least;
    data[cols + i] = static_cast<T>(i == cols / 2);
    data[2 * cols + i] = i % 2 ? least : most;
    data[3 * cols + i] = i + 1 == cols ? most : least;
    data[4 * cols + i] = static_cast<T>(most - i % 3);
    data[5 * cols + i] = i == 0 ? most : least;
  }
}

// Lines below 1/x and 1/sqrt(x), and about 256 exp(-d/32) * 32.
static constexpr const char *kReciprocal =
    "<breakpoints = [664, 860, 1115, 1446, 1876, 2435, 3159], slopes = [-12422, -7393, -4401, -2617, -1555, "
    "-923, "
    "-548, -326], intercepts = [14595637, 11259655, 8687595, 6699279, 5164101, 3978636, 3065623, 2364465]>";
static constexpr const char *kInverseRoot =
    "<breakpoints = [362, 512, 724, 1025, 1450, 2051, 2901], slopes = [-12457, -7401, -4399, -2612, -1551, -922, "
    "-548, -326], intercepts = [11471587, 9643827, 8108403, 6815250, 5728259, 4816464, 4049591, 3405744]>";
static constexpr const char *kExponential = "<breakpoints = [-136, -96, -70, -50, -34, -21, -9], slopes = [1, 7, "
                                            "19, 39, 68, 107, 158, 223], intercepts = "
                                            "[226, 1045, 2206, 3616, 5083, 6434, 7525, 8150]>";

static std::string layerNormProgram(int64_t cols, unsigned bits) {
  const std::string multipliers =
      list(cols, [](int64_t c) { return (c % 5 == 4 ? -1 : 1) * (400000000 + 1234567 * (c % 97)); });
  const std::string same = list(cols, [](int64_t) { return 41; }),
                    own = list(cols, [](int64_t c) { return 38 + c % 6; });
  const std::string offsets =
      list(cols, [](int64_t c) { return (c % 3 - 1) * (int64_t(1) << 44) + 987654321 * (c % 11); });
  const std::string biases = list(cols, [](int64_t c) { return (c % 3 - 1) * 1000000000 + 54321 * (c % 13); });
  return llvm::formatv(R"(
    func.func @main(%x: tensor<19x{0}xi{1}>) -> (tensor<19x{0}xi8>, tensor<19x{0}xi16>, tensor<19x{0}xi8>, tensor<19x{0}xi8>,
        tensor<19x{0}xi8>, tensor<19x{0}xi16>) {{
      %a = vitq.layer_norm %x with #vitq.norm_exact<eps = 1> by <{2}, {3}> offsets {5} result <unsigned, zero = 131>
        : tensor<19x{0}xi{1}> -> tensor<19x{0}xi8>
      %b = vitq.layer_norm %x with #vitq.norm_exact<eps = 77777> by <{2}, {4}> offsets {5} input <unsigned> result <signed, zero = -300>
        : tensor<19x{0}xi{1}> -> tensor<19x{0}xi16>
      %c = vitq.layer_norm %x with #vitq.norm_shift by <{2}, {4}> offsets {6} : tensor<19x{0}xi{1}> -> tensor<19x{0}xi8>
      %d = vitq.layer_norm %x with #vitq.norm_shift<rounding = half_even, post_offsets = {8}> by <{2}, {3}> offsets {6} input <unsigned>
        : tensor<19x{0}xi{1}> -> tensor<19x{0}xi8>
      %e = vitq.layer_norm %x with #vitq.norm_pwl<eps = 1, lines = {7}> by <{2}, {3}> offsets {5} result <unsigned, zero = 131>
        : tensor<19x{0}xi{1}> -> tensor<19x{0}xi8>
      %f = vitq.layer_norm %x with #vitq.norm_pwl<eps = 77777, lines = {7}> by <{2}, {4}> offsets {5} input <unsigned> result <signed, zero = -300>
        : tensor<19x{0}xi{1}> -> tensor<19x{0}xi16>
      return %a, %b, %c, %d, %e, %f : tensor<19x{0}xi8>, tensor<19x{0}xi16>, tensor<19x{0}xi8>, tensor<19x{0}xi8>,
        tensor<19x{0}xi8>, tensor<19x{0}xi16>
    })",
                       cols, bits, multipliers, same, own, offsets, biases, kInverseRoot, own);
}

TEST(RowKernels, LayerNorm) {
  for (int64_t cols : {1, 3, 7, 17, 64, 197})
    expectSame(layerNormProgram(cols, 16), [&](std::vector<Tensor> &in) { setRows<int16_t>(in[0], cols); });
  for (int64_t cols : {5, 192, 4096})
    expectSame(layerNormProgram(cols, 8), [&](std::vector<Tensor> &in) { setRows<int8_t>(in[0], cols); });
}

/// Levels in every part of the range, and constants at the ends of theirs.
TEST(RowKernels, Comparisons) {
  for (auto [cols, bits] : {std::pair(1, 16), {3, 16}, {7, 8}, {17, 16}, {64, 8}, {197, 16}, {2048, 16}}) {
    const std::string squares = list(15 * cols, [cols = cols](int64_t i) {
      const int64_t k = i / cols, c = i % cols;
      return c % 7 == 3 ? (k < 8 ? -INT32_MAX : INT32_MAX) : (k - 7) * std::abs(k - 7) * 40000 + 1000 * (c % 5);
    });
    std::string negative;
    for (int64_t c = 0; c < cols; ++c)
      negative += std::string(c ? ", " : "") + (c % 3 == 1 ? "true" : "false");
    const std::string columns = list(5 * cols, [cols = cols](int64_t i) { return (i / cols - 2) * 5000 + i % cols; });
    expectSame(llvm::formatv(R"(
    func.func @main(%x: tensor<19x{0}xi{1}>, %y: tensor<19x{0}xi32>, %u: tensor<3xi32>) -> (tensor<19x{0}xi8>,
        tensor<19x{0}xi16>, tensor<19x{0}xi8>, tensor<19x{0}xi16>, tensor<19x{0}xi8>) {{
      %sf = arith.constant dense<{2}> : tensor<{5}xi32>
      %s = vitq.reshape %sf to [15, {0}] : tensor<{5}xi32> -> tensor<15x{0}xi32>
      %tf = arith.constant dense<{4}> : tensor<{6}xi32>
      %t = vitq.reshape %tf to [5, {0}] : tensor<{6}xi32> -> tensor<5x{0}xi32>
      %a = vitq.norm_quant %x, %s negative [{3}] eps 1 from -8 : (tensor<19x{0}xi{1}>, tensor<15x{0}xi32>) -> tensor<19x{0}xi8>
      %b = vitq.norm_quant %x, %s negative [{3}] eps 99999 from 240 input <unsigned> result <unsigned>
        : (tensor<19x{0}xi{1}>, tensor<15x{0}xi32>) -> tensor<19x{0}xi16>
      %c = vitq.threshold %x, %t from 250 result <unsigned> : (tensor<19x{0}xi{1}>, tensor<5x{0}xi32>) -> tensor<19x{0}xi8>
      %d = vitq.threshold %x, %u from -3 input <unsigned> : (tensor<19x{0}xi{1}>, tensor<3xi32>) -> tensor<19x{0}xi16>
      %e = vitq.threshold %y, %t from 0 : (tensor<19x{0}xi32>, tensor<5x{0}xi32>) -> tensor<19x{0}xi8>
      return %a, %b, %c, %d, %e : tensor<19x{0}xi8>, tensor<19x{0}xi16>, tensor<19x{0}xi8>, tensor<19x{0}xi16>,
        tensor<19x{0}xi8>
    })",
                             cols, bits, squares, negative, columns, 15 * cols, 5 * cols),
               [cols = cols, bits = bits](std::vector<Tensor> &in) {
                 bits == 8 ? setRows<int8_t>(in[0], cols) : setRows<int16_t>(in[0], cols);
                 setRows<int32_t>(in[1], cols);
                 in[2].mutableData<int32_t>()[1] = INT32_MAX;
               });
  }
}

/// Shifts below 32, of results of 16 bits; the last offset leaves no room to make up for that.
TEST(RowKernels, LayerNormOfFineResults) {
  for (int64_t cols : {17, 96}) {
    auto offsets = [&](int exponent) {
      return list(cols,
                  [&](int64_t c) { return c + 1 == cols ? (int64_t(1) << exponent) - 1 : (c % 3 - 1) * 798765432109; });
    };
    expectSame(llvm::formatv(R"(
    func.func @main(%x: tensor<11x{0}xi16>) -> (tensor<11x{0}xi16>, tensor<11x{0}xi8>, tensor<11x{0}xi8>) {{
      %a = vitq.layer_norm %x with #vitq.norm_exact<eps = 9> by <{1}, {2}> offsets {4} : tensor<11x{0}xi16> -> tensor<11x{0}xi16>
      %b = vitq.layer_norm %x with #vitq.norm_exact<eps = 9> by <{1}, {3}> offsets {4} result <unsigned, zero = 128>
        : tensor<11x{0}xi16> -> tensor<11x{0}xi8>
      %c = vitq.layer_norm %x with #vitq.norm_exact<eps = 9> by <{1}, {3}> offsets {5} : tensor<11x{0}xi16> -> tensor<11x{0}xi8>
      return %a, %b, %c : tensor<11x{0}xi16>, tensor<11x{0}xi8>, tensor<11x{0}xi8>
    })",
                             cols, list(cols, [](int64_t c) { return (c % 5 == 4 ? -1 : 1) * (2147483647 - c); }),
                             list(cols, [](int64_t) { return 31; }),
                             list(cols, [](int64_t c) { return 23 + 5 * (c % 4); }), offsets(30), offsets(61)),
               [&](std::vector<Tensor> &in) { setRows<int16_t>(in[0], cols); });
  }
}

/// Multipliers and offsets of which 32 bits hold all that comes of them, some of them just so.
TEST(RowKernels, NarrowLayerNorm) {
  for (int64_t cols : {3, 100, 192}) {
    const int64_t bound = numerics::layerNormNormalizedBound(cols);
    auto most = [=](int64_t c) { return (INT32_MAX - (int64_t(1) << 27) - 40000000 * (c % 7)) / bound; };
    const std::string multipliers =
        list(cols, [=](int64_t c) { return (c % 5 == 4 ? -1 : 1) * most(c) / (1 + c % 2); });
    const std::string offsets = list(cols, [](int64_t c) { return (c % 3 - 1) * 40000000 * (c % 7); });
    const std::string same = list(cols, [](int64_t) { return 18; }),
                      own = list(cols, [](int64_t c) { return 1 + c % 19; });
    expectSame(llvm::formatv(R"(
    func.func @main(%x: tensor<9x{0}xi16>) -> (tensor<9x{0}xi8>, tensor<9x{0}xi8>, tensor<9x{0}xi16>) {{
      %a = vitq.layer_norm %x with #vitq.norm_exact<eps = 1> by <{1}, {2}> offsets {4} result <unsigned, zero = 131>
        : tensor<9x{0}xi16> -> tensor<9x{0}xi8>
      %b = vitq.layer_norm %x with #vitq.norm_exact<eps = 77777> by <{1}, {3}> offsets {4} input <unsigned>
        : tensor<9x{0}xi16> -> tensor<9x{0}xi8>
      %c = vitq.layer_norm %x with #vitq.norm_exact<eps = 1> by <{1}, {3}> offsets {4} result <signed, zero = -200>
        : tensor<9x{0}xi16> -> tensor<9x{0}xi16>
      return %a, %b, %c : tensor<9x{0}xi8>, tensor<9x{0}xi8>, tensor<9x{0}xi16>
    })",
                             cols, multipliers, same, own, offsets),
               [&](std::vector<Tensor> &in) { setRows<int16_t>(in[0], cols); });
  }
}

/// More channels than the 32 bits of a normalized value are proved for.
TEST(RowKernels, WideLayerNorm) {
  const int64_t cols = 16384;
  expectSame(llvm::formatv(R"(
    func.func @main(%x: tensor<6x{0}xi8>) -> tensor<6x{0}xi16> {{
      %a = vitq.layer_norm %x with #vitq.norm_exact<eps = 1> by <{1}, {2}> offsets {3} : tensor<6x{0}xi8> -> tensor<6x{0}xi16>
      return %a : tensor<6x{0}xi16>
    })",
                           cols, list(cols, [](int64_t) { return 1 << 20; }), list(cols, [](int64_t) { return 32; }),
                           list(cols, [](int64_t) { return 5; })),
             [&](std::vector<Tensor> &in) { setRows<int8_t>(in[0], cols); });
}

TEST(RowKernels, SoftmaxAndShiftmax) {
  std::string entries;
  for (int i = 0; i < 256; ++i)
    entries += (i ? ", " : "") + std::to_string(255 - i - (i > 127 ? 0 : 256) * (255 - i > 127));
  for (int64_t cols : {1, 3, 7, 17, 64, 197, 4096})
    expectSame(llvm::formatv(R"(
    func.func @main(%x: tensor<1x2x6x{0}xi32>, %y: tensor<12x{0}xi8>) -> (tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>,
        tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>, tensor<12x{0}xi8>, tensor<1x2x6x{0}xi16>, tensor<12x{0}xi8>,
        tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>) {{
      %h, %i = vitq.softmax %x with #vitq.exp_table<dense<[{1}]> : tensor<256xi8>> by <[3, 23170], [24, 24]>
        : (tensor<1x2x6x{0}xi32>) -> (tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>)
      %a, %b = vitq.softmax %x with #vitq.exp_table<dense<[{1}]> : tensor<256xi8>> by <[1518500250, 1218500250], [52, 33]>
        : (tensor<1x2x6x{0}xi32>) -> (tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>)
      %c, %d = vitq.softmax %x with #vitq.exp_table<dense<[{1}]> : tensor<256xi8>> by <1518500250, 12>
        : (tensor<1x2x6x{0}xi32>) -> (tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>)
      %e = vitq.shiftmax %y exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 8
        : tensor<12x{0}xi8> -> tensor<12x{0}xi8>
      %f = vitq.shiftmax %x exponent_step -2000 fraction_bits 15 reciprocal_bits 62 result_bits 16
        : tensor<1x2x6x{0}xi32> -> tensor<1x2x6x{0}xi16>
      %n = vitq.shiftmax %y exponent_step -20 fraction_bits 15 reciprocal_bits 31 result_bits 5
        : tensor<12x{0}xi8> -> tensor<12x{0}xi5>
      %g = vitq.requant %n by <1073741824, 30> round half_up : tensor<12x{0}xi5> -> tensor<12x{0}xi8>
      return %a, %b, %c, %d, %e, %f, %g, %h, %i : tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>, tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>,
        tensor<12x{0}xi8>, tensor<1x2x6x{0}xi16>, tensor<12x{0}xi8>, tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>
    })",
                             cols, entries),
               [&](std::vector<Tensor> &in) {
                 setRows<int32_t>(in[0], cols);
                 setRows<int8_t>(in[1], cols);
               });
}

/// Codes of 16 bits; not the exponential's, but as steep.
static const std::string kOctave =
    "exp_octave<dense<" + list(256, [](int64_t i) { return 16384 - 32 * i; }) + "> : tensor<256xi16>>";

/// Exponentials that are no table, divisions by lines, and whole attentions of both.
TEST(RowKernels, SoftmaxVariants) {
  for (int64_t cols : {1, 3, 7, 17, 64, 197, 4096}) {
    const int64_t top = cols > 1000 ? 11 : 14;
    expectSame(llvm::formatv(R"(
    func.func @main(%x: tensor<1x2x6x{0}xi32>) -> (tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>, tensor<1x2x6x{0}xi8>,
        tensor<1x2x6xi32>, tensor<1x2x6x{0}xi16>, tensor<1x2x6xi32>, tensor<1x2x6x{0}xi16>, tensor<1x2x6xi32>,
        tensor<1x2x6x{0}xi8>, tensor<1x2x6x{0}xi16>, tensor<1x2x6x{0}xi16>, tensor<1x2x6xi32>) {{
      %a, %b = vitq.softmax %x with #vitq.exp_pwl<lines = {1}, code_shift = 5> by <[1518500250, 1218500250], [52, 33]>
        : (tensor<1x2x6x{0}xi32>) -> (tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>)
      %c, %d = vitq.softmax %x
        with #vitq.exp_poly<step = -16, fraction_bits = 15, linear = 62, offset = 1487, code_shift = 18> by <1518500250, 52>
        : (tensor<1x2x6x{0}xi32>) -> (tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>)
      %e, %f = vitq.softmax %x with #vitq.exp_log2<top_exponent = {3}> by <[1518500250, 1218500250], [57, 33]>
        : (tensor<1x2x6x{0}xi32>) -> (tensor<1x2x6x{0}xi16>, tensor<1x2x6xi32>)
      %g, %h = vitq.softmax %x with #vitq.exp_log2<top_exponent = 9> by <1518500250, 12>
        : (tensor<1x2x6x{0}xi32>) -> (tensor<1x2x6x{0}xi16>, tensor<1x2x6xi32>)
      %i = vitq.divide_rows %x, %b by <1518500250, 52> round half_up lines {2}
        : (tensor<1x2x6x{0}xi32>, tensor<1x2x6xi32>) -> tensor<1x2x6x{0}xi8>
      %j = vitq.divide_rows %x, %f by <1518500250, 50> round half_even result <unsigned> lines {2}
        : (tensor<1x2x6x{0}xi32>, tensor<1x2x6xi32>) -> tensor<1x2x6x{0}xi16>
      %l, %m = vitq.softmax %x with #vitq.{4} by <[1518500250, 1218500250], [50, 28]>
        : (tensor<1x2x6x{0}xi32>) -> (tensor<1x2x6x{0}xi16>, tensor<1x2x6xi32>)
      return %a, %b, %c, %d, %e, %f, %g, %h, %i, %j, %l, %m : tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>,
        tensor<1x2x6x{0}xi8>, tensor<1x2x6xi32>, tensor<1x2x6x{0}xi16>, tensor<1x2x6xi32>, tensor<1x2x6x{0}xi16>,
        tensor<1x2x6xi32>, tensor<1x2x6x{0}xi8>, tensor<1x2x6x{0}xi16>, tensor<1x2x6x{0}xi16>, tensor<1x2x6xi32>
    })",
                             cols, kExponential, kReciprocal, top, kOctave),
               [&](std::vector<Tensor> &in) { setRows<int32_t>(in[0], cols); });
  }
}

/// Whole attentions. In the second head every row's products are at their largest: equal
/// scores, values of -128.
TEST(RowKernels, Attention) {
  const std::tuple<const char *, std::string, int, std::string> variants[] = {
      {"pwl", "exp_pwl<lines = " + std::string(kExponential) + ", code_shift = 5>", 8,
       "lines " + std::string(kReciprocal)},
      {"shift", "exp_shift<step = -24, fraction_bits = 15, code_shift = 12>", 8, ""},
      {"log2", "exp_log2<top_exponent = 14>", 16, ""},
      {"octave", kOctave, 16, ""}};
  for (int64_t tokens : {5, 197}) {
    std::string ops;
    // Each has scores of its own, so that all of it is one kernel.
    for (auto [name, algorithm, bits, lines] : variants)
      ops += llvm::formatv(R"(
      %s{1} = vitq.matmul %q, %k transpose_rhs : (tensor<1x2x{0}x16xi8>, tensor<1x2x{0}x16xi8>) -> tensor<1x2x{0}x{0}xi32>
      %e{1}, %sum{1} = vitq.softmax %s{1} with #vitq.{2} by <1518500250, 38>
        : (tensor<1x2x{0}x{0}xi32>) -> (tensor<1x2x{0}x{0}xi{3}>, tensor<1x2x{0}xi32>)
      %o{1} = vitq.matmul %e{1}, %v {5} : (tensor<1x2x{0}x{0}xi{3}>, tensor<1x2x{0}x16xi8>) -> tensor<1x2x{0}x16xi32>
      %{1} = vitq.divide_rows %o{1}, %sum{1} by <1073741824, 54> round half_up {4}
        : (tensor<1x2x{0}x16xi32>, tensor<1x2x{0}xi32>) -> tensor<1x2x{0}x16xi8>)",
                           tokens, name, algorithm, bits, lines, bits == 8 ? "lhs <unsigned>" : "")
                 .str();
    expectSame(llvm::formatv(R"(
    func.func @main(%q: tensor<1x2x{0}x16xi8>, %k: tensor<1x2x{0}x16xi8>, %v: tensor<1x2x{0}x16xi8>)
        -> (tensor<1x2x{0}x16xi8>, tensor<1x2x{0}x16xi8>, tensor<1x2x{0}x16xi8>, tensor<1x2x{0}x16xi8>) {{
      {1}
      return %pwl, %shift, %log2, %octave : tensor<1x2x{0}x16xi8>, tensor<1x2x{0}x16xi8>, tensor<1x2x{0}x16xi8>,
        tensor<1x2x{0}x16xi8>
    })",
                             tokens, ops),
               [&](std::vector<Tensor> &in) {
                 const int64_t half = in[0].numElements() / 2;
                 std::fill_n(in[0].mutableData<int8_t>() + half, half, 0);
                 std::fill_n(in[2].mutableData<int8_t>() + half, half, -128);
               });
  }
}

TEST(RowKernels, Transposes) {
  struct Case {
    const char *from, *order, *to;
  };
  const Case cases[] = {
      {"3x17x20xi8", "0, 2, 1", "3x20x17xi8"},
      {"2x4x33xi16", "2, 1, 0", "33x4x2xi16"},
      {"5x7xi32", "1, 0", "7x5xi32"},
      {"1x64x25x4xi8", "0, 3, 2, 1", "1x4x25x64xi8"},
      {"1x6x70x2xi8", "0, 3, 1, 2", "1x2x6x70xi8"},
      {"1x6x5x24xi16", "0, 3, 1, 2", "1x24x6x5xi16"},
      {"2x3x5xi8", "2, 0, 1", "5x2x3xi8"},
      {"4x3x16xi8", "1, 0, 2", "3x4x16xi8"},
  };
  std::string arguments, results, ops, values;
  for (auto [i, each] : llvm::enumerate(cases)) {
    const std::string separator = i ? ", " : "";
    arguments += llvm::formatv("{0}%x{1}: tensor<{2}>", separator, i, each.from).str();
    results += llvm::formatv("{0}tensor<{1}>", separator, each.to).str();
    values += llvm::formatv("{0}%y{1}", separator, i).str();
    ops += llvm::formatv("%y{0} = vitq.transpose %x{0} by [{1}] : tensor<{2}> -> tensor<{3}>\n", i, each.order,
                         each.from, each.to)
               .str();
  }
  expectSame("func.func @main(" + arguments + ") -> (" + results + ") {\n" + ops + "return " + values + " : " +
                 results + "\n}",
             [](std::vector<Tensor> &) {});
}

TEST(RowKernels, Tables) {
  for (int64_t cols : {1, 3, 7, 17, 64, 197, 4096}) {
    // One table nearly everywhere; as many tables as columns.
    const std::string few = list(cols, [](int64_t c) { return c % 29 == 3 ? c % 5 : 2; });
    const std::string many = list(cols, [](int64_t c) { return c % 5; });
    expectSame(llvm::formatv(R"(
    func.func @main(%x: tensor<6x{0}xi8>, %t: tensor<256xi8>, %u: tensor<5x256xi8>, %w: tensor<5x256xi16>)
        -> (tensor<6x{0}xi8>, tensor<6x{0}xi8>, tensor<6x{0}xi8>, tensor<6x{0}xi8>, tensor<6x{0}xi16>, tensor<6x{0}xi8>,
            tensor<6x{0}xi16>) {{
      %i = arith.constant dense<{1}> : tensor<{0}xi8>
      %j = arith.constant dense<{2}> : tensor<{0}xi8>
      %a = vitq.table %x, %t : (tensor<6x{0}xi8>, tensor<256xi8>) -> tensor<6x{0}xi8>
      %b = vitq.table %x, %t input <unsigned> : (tensor<6x{0}xi8>, tensor<256xi8>) -> tensor<6x{0}xi8>
      %c = vitq.table %x, %u, %i : (tensor<6x{0}xi8>, tensor<5x256xi8>, tensor<{0}xi8>) -> tensor<6x{0}xi8>
      %d = vitq.table %x, %u, %j input <unsigned> : (tensor<6x{0}xi8>, tensor<5x256xi8>, tensor<{0}xi8>) -> tensor<6x{0}xi8>
      %e = vitq.table %x, %w, %i : (tensor<6x{0}xi8>, tensor<5x256xi16>, tensor<{0}xi8>) -> tensor<6x{0}xi16>
      %f = vitq.gelu shift %x exponent_step -20 fraction_bits 12 by <1518500250, 40> round half_up : tensor<6x{0}xi8> -> tensor<6x{0}xi8>
      %g = vitq.gelu shift %x exponent_step -9 fraction_bits 12 by <1518500250, 35> round half_even
        input <unsigned, zero = 120> : tensor<6x{0}xi8> -> tensor<6x{0}xi16>
      return %a, %b, %c, %d, %e, %f, %g : tensor<6x{0}xi8>, tensor<6x{0}xi8>, tensor<6x{0}xi8>, tensor<6x{0}xi8>,
        tensor<6x{0}xi16>, tensor<6x{0}xi8>, tensor<6x{0}xi16>
    })",
                             cols, few, many),
               [&](std::vector<Tensor> &in) {
                 setRows<int8_t>(in[0], cols);
                 for (int64_t i = 0; i < 6 * cols && cols >= 64; ++i)
                   in[0].mutableData<int8_t>()[i] = static_cast<int8_t>(i); // every code
               });
  }
}

/// Products of which rows are codes of every kind, spread over blocks: behind a table of bytes, behind nothing, behind
/// a table of words. With `channels` each has a zero point and a shift, which fit 16 bits of the bytes only.
static std::string spreadProgram(int64_t cols, int64_t block, bool channels) {
  const std::string weights = list(3 * cols, [](int64_t i) { return (i * 37 + i / 3 * 11) % 255 - 127; });
  const std::string bytes = list(256, [&](int64_t i) { return i * 73 % (channels ? 32 : 256) - (channels ? 0 : 128); });
  const std::string words = list(256, [](int64_t i) { return i % 11 == 0 ? 430 : i * 29 % 451 - 20; });
  std::string first, second;
  if (channels) {
    first = "zeros " + list(cols, [](int64_t c) { return c * 7 % 32; }) + " shifts " +
            list(cols, [](int64_t c) { return c % 5; });
    second = "zeros " + list(cols, [](int64_t c) { return c * 5 % 256 - 128; });
  }
  return llvm::formatv(R"(
    func.func @main(%x: tensor<7x3xi8>) -> (tensor<7x{0}xi8>, tensor<7x{0}xi8>, tensor<7x{0}xi8>) {{
      %w = arith.constant dense<{2}> : tensor<{3}xi8>
      %v = vitq.reshape %w to [{0}, 3] : tensor<{3}xi8> -> tensor<{0}x3xi8>
      %bytes = arith.constant dense<{4}> : tensor<256xi8>
      %words = arith.constant dense<{5}> : tensor<256xi16>
      %s0 = vitq.matmul %x, %v transpose_rhs : (tensor<7x3xi8>, tensor<{0}x3xi8>) -> tensor<7x{0}xi32>
      %c0 = vitq.requant %s0 by <1600000000, 36> round half_up result <unsigned, zero = 120> : tensor<7x{0}xi32> -> tensor<7x{0}xi8>
      %t0 = vitq.table %c0, %bytes input <unsigned> : (tensor<7x{0}xi8>, tensor<256xi8>) -> tensor<7x{0}xi8>
      %h0 = vitq.hadamard %t0 block {1} {6} input <unsigned, zero = 9> : tensor<7x{0}xi8> -> tensor<7x{0}xi32>
      %r0 = vitq.requant %h0 by <{8}, 15> round half_up result <unsigned, zero = 131> : tensor<7x{0}xi32> -> tensor<7x{0}xi8>
      %s1 = vitq.matmul %x, %v transpose_rhs : (tensor<7x3xi8>, tensor<{0}x3xi8>) -> tensor<7x{0}xi32>
      %c1 = vitq.requant %s1 by <1600000000, 36> round half_up result <signed, zero = 3> : tensor<7x{0}xi32> -> tensor<7x{0}xi8>
      %h1 = vitq.hadamard %c1 block {1} {7} input <signed, zero = 3> : tensor<7x{0}xi8> -> tensor<7x{0}xi32>
      %r1 = vitq.requant %h1 by <{8}, 15> round half_up result <signed, zero = -2> {{min = -100 : i64, max = 90 : i64}
        : tensor<7x{0}xi32> -> tensor<7x{0}xi8>
      %s2 = vitq.matmul %x, %v transpose_rhs : (tensor<7x3xi8>, tensor<{0}x3xi8>) -> tensor<7x{0}xi32>
      %c2 = vitq.requant %s2 by <1600000000, 36> round half_up : tensor<7x{0}xi32> -> tensor<7x{0}xi8>
      %t2 = vitq.table %c2, %words : (tensor<7x{0}xi8>, tensor<256xi16>) -> tensor<7x{0}xi16>
      %h2 = vitq.hadamard %t2 block {1} : tensor<7x{0}xi16> -> tensor<7x{0}xi32>
      %r2 = vitq.requant %h2 by <{9}, 22> round half_up result <unsigned, zero = 29> : tensor<7x{0}xi32> -> tensor<7x{0}xi6>
      %o2 = vitq.requant %r2 by <1, 1> round half_up input <unsigned> : tensor<7x{0}xi6> -> tensor<7x{0}xi8>
      return %r0, %r1, %o2 : tensor<7x{0}xi8>, tensor<7x{0}xi8>, tensor<7x{0}xi8>
    })",
                       cols, block, weights, 3 * cols, bytes, words, first, second, 40000 / block, 128 * (8000 / block))
      .str();
}

/// Blocks as programs have them, and a row that the widest vectors do not divide.
TEST(RowKernels, Spread) {
  for (bool channels : {false, true})
    expectSame(spreadProgram(channels ? 320 : 48, channels ? 64 : 16, channels),
               [](std::vector<Tensor> &in) { setRows<int8_t>(in[0], 3); });
}
