//===- FunctionsTest.cpp - Every function by every algorithm, all codes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Quantized functions of the vit dialect, lowered as in a compilation: the programs
// compute what the interpreter does for every code of 8- and 16-bit inputs, and that
// is near the real function.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include "dialects/vit/Vit.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "vitq/Conversion/Passes.h"
#include "vitq/Numerics/RealFunctions.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

namespace {

/// A signed or unsigned quantized type of a tensor's elements; one scale a channel
/// where there are several.
struct Codes {
  bool isSigned;
  unsigned width;
  std::vector<double> scales;
  int64_t zeroPoint;

  std::string str() const {
    std::string text = llvm::formatv("!quant.uniform<{0}{1}:f32", isSigned ? "i" : "u", width);
    if (scales.size() == 1)
      return text + llvm::formatv(", {0:f12}:{1}>", scales[0], zeroPoint).str();
    text += ":1, {";
    for (size_t i = 0; i < scales.size(); ++i)
      text += llvm::formatv("{0}{1:f12}:{2}", i ? ", " : "", scales[i], zeroPoint).str();
    return text + "}>";
  }
  double scale(size_t channel) const { return scales[scales.size() == 1 ? 0 : channel]; }
  /// What an element of a program's input or result stands for.
  int64_t code(const char *bytes) const {
    uint16_t code = 0;
    std::memcpy(&code, bytes, width / 8);
    return width == 8 ? isSigned ? static_cast<int8_t>(code) : static_cast<uint8_t>(code)
           : isSigned ? static_cast<int16_t>(code)
                      : code;
  }
  std::pair<int64_t, int64_t> range() const {
    const int64_t half = int64_t(1) << (width - 1);
    return isSigned ? std::pair(-half, half - 1) : std::pair(int64_t(0), 2 * half - 1);
  }
};

/// A function by an algorithm, and how far it may be from the real one.
struct Function {
  std::string op, algorithm;
  double (*real)(double);
  double error;
  Codes result;
};

} // namespace

static std::string programOf(const Codes &input, ArrayRef<Function> functions, int64_t rows, int64_t cols) {
  const std::string shape = llvm::formatv("tensor<{0}x{1}x", rows, cols);
  std::string body;
  std::vector<std::string> names, types;
  for (const auto &[i, function] : llvm::enumerate(functions)) {
    names.push_back("%" + std::to_string(i));
    types.push_back(shape + function.result.str() + ">");
    body += llvm::formatv("{0} = vit.{1} using {2} %x : {3}{4}> -> {5}\n", names.back(), function.op,
                          function.algorithm, shape, input.str(), types.back());
  }
  return llvm::formatv("func.func @main(%x: {0}{1}>) -> ({2}) {{\n{3}return {4} : {2}\n}\n", shape, input.str(),
                       llvm::join(types, ", "), body, llvm::join(names, ", "));
}

/// Every code in order, and again from the first where there are more elements.
static Tensor allCodes(const Codes &codes, int64_t rows, int64_t cols) {
  Tensor tensor = Tensor::allocate(codes.width == 8 ? ElementKind::I8 : ElementKind::I16, {rows, cols});
  const auto [lo, hi] = codes.range();
  for (int64_t i = 0; i < rows * cols; ++i) {
    const int64_t code = lo + i % (hi - lo + 1);
    if (codes.width == 8)
      tensor.mutableData<int8_t>()[i] = static_cast<int8_t>(code);
    else
      tensor.mutableData<int16_t>()[i] = static_cast<int16_t>(code);
  }
  return tensor;
}

/// Results are within the algorithm's error and half a step, but where they are clamped.
static void expectNear(const Codes &input, ArrayRef<Function> functions, const Tensor &codes,
                       const std::vector<char> &results) {
  const int64_t cols = codes.shape()[1];
  size_t at = 0;
  for (const Function &function : functions) {
    const Codes &to = function.result;
    const auto [lo, hi] = to.range();
    at = (at + 63) / 64 * 64;
    double worst = 0;
    for (int64_t i = 0; i < codes.numElements(); ++i, at += to.width / 8) {
      const double scale = to.scale(static_cast<size_t>(i % cols));
      const double x =
          input.scales[0] * static_cast<double>(input.code(codes.bytes() + i * (input.width / 8)) - input.zeroPoint);
      const double exact = std::clamp(function.real(x), scale * static_cast<double>(lo - to.zeroPoint),
                                      scale * static_cast<double>(hi - to.zeroPoint));
      const double value = scale * static_cast<double>(to.code(&results[at]) - to.zeroPoint);
      worst = std::max(worst, std::abs(value - exact) - 0.51 * scale);
    }
    EXPECT_LE(worst, function.error) << function.op << " using " << function.algorithm;
  }
}

static void expectSame(const Codes &input, ArrayRef<Function> functions, int64_t rows, int64_t cols) {
  const std::string text = programOf(input, functions, rows, cols);
  SCOPED_TRACE(text);
  std::unique_ptr<MLIRContext> context = makeContext();
  context->loadDialect<vit::VitDialect, quant::QuantDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, context.get());
  ASSERT_TRUE(module);
  PassManager manager(context.get(), ModuleOp::getOperationName());
  manager.addPass(createConvertVitToVitqPass());
  ASSERT_TRUE(succeeded(manager.run(*module)));
  const std::vector<Tensor> inputs{allCodes(input, rows, cols)};
  auto expected = interpret(*module, inputs);
  ASSERT_TRUE(expected);
  expectNear(input, functions, inputs[0], *expected);
  for (const TargetDesc &target : runnableTargets()) {
    NativeOptions options;
    options.target = target;
    options.name = "functions";
    const std::vector<char> object = compile(*module, options);
    ASSERT_FALSE(object.empty()) << target.text;
    EXPECT_EQ(runObject(object, options.name, inputs, expected->size()), expected) << target.text;
  }
}

static constexpr std::pair<const char *, double (*)(double)> kFunctions[] = {
    {"gelu erf", numerics::geluErfReal},     {"silu", numerics::siluReal},
    {"sigmoid", numerics::sigmoidReal},      {"tanh", numerics::tanhReal},
    {"hard_swish", numerics::hardSwishReal},
};

/// All functions by tables and lines; each algorithm has each of `results` in turn.
static std::vector<Function> tablesAndLines(ArrayRef<std::pair<const char *, double>> algorithms,
                                            ArrayRef<Codes> results) {
  std::vector<Function> functions;
  for (auto [f, function] : llvm::enumerate(kFunctions))
    for (auto [a, algorithm] : llvm::enumerate(algorithms))
      functions.push_back(
          {function.first, algorithm.first, function.second, algorithm.second, results[(f + a) % results.size()]});
  return functions;
}

/// Lines of two entries say little; others are as near as the steps of their slopes,
/// 2^-6 at best, allow within +-6.
static constexpr std::pair<const char *, double> kLines[] = {
    {"lut:2", 2.0}, {"lut:8", 0.08}, {"lut:16", 0.06}, {"lut:256", 0.04}};

/// Scales of the channels of a row of 97.
static std::vector<double> channelScales() {
  std::vector<double> scales;
  for (int i = 0; i < 97; ++i)
    scales.push_back(0.01 * (1 + i % 7));
  return scales;
}

TEST(Functions, AllCodesOf8Bits) {
  const Codes results[] = {{false, 8, {0.03}, 9},
                           {true, 8, {0.05}, -3},
                           {true, 16, {0.0004}, 100},
                           {false, 16, {0.0002}, 5000},
                           {false, 8, channelScales(), 30}};
  SmallVector<std::pair<const char *, double>> algorithms{{"table", 0.0}};
  llvm::append_range(algorithms, kLines);
  for (const Codes &input : {Codes{true, 8, {0.039}, 21}, Codes{false, 8, {0.043}, 121}}) {
    std::vector<Function> functions = tablesAndLines(algorithms, results);
    // The exponentials of ShiftGELU, and I-BERT's polynomial, off by 0.018.
    for (const Codes &result : results) {
      functions.push_back({"gelu erf", "shift", numerics::geluErfReal, 0.12, result});
      functions.push_back({"gelu erf", "ivit", numerics::geluErfReal, 0.5, result});
      functions.push_back({"gelu erf", "poly", numerics::geluErfReal, 0.02, result});
    }
    expectSame(input, functions, 3, 97);
  }
}

TEST(Functions, AllCodesOf16Bits) {
  const Codes results[] = {
      {false, 8, {0.03}, 9}, {true, 16, {0.0004}, 100}, {false, 16, {0.0002}, 5000}, {true, 8, {0.05}, -3}};
  for (const Codes &input : {Codes{true, 16, {0.0002}, 0}, Codes{false, 16, {0.00021}, 30000}})
    expectSame(input, tablesAndLines(kLines, results), 64, 1024);
  // Wide steps leave room for the polynomial.
  for (const Codes &input : {Codes{true, 16, {0.043}, 0}, Codes{false, 16, {0.05}, 32768}})
    expectSame(input,
               {{"gelu erf", "poly", numerics::geluErfReal, 0.02, results[1]},
                {"gelu erf", "poly", numerics::geluErfReal, 0.02, results[0]}},
               64, 1024);
}

/// Tables with interpolation: GELU and SiLU on signed codes around zero.
TEST(Functions, InterpolationOf16Bits) {
  const Codes result{true, 16, {0.001}, 0};
  for (double scale : {0.00005, 0.0003, 0.01})
    expectSame({true, 16, {scale}, 0},
               {{"gelu erf", "table", numerics::geluErfReal, 0.002, result},
                {"gelu tanh", "table", numerics::geluTanhReal, 0.002, result},
                {"silu", "table", numerics::siluReal, 0.002, result}},
               64, 1024);
}
