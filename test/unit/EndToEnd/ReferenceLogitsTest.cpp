//===- ReferenceLogitsTest.cpp - Float logits of real models -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a model computes in single precision, as imported and after pattern
// recovery, against logits that an independent float64 program computed.
//
//===----------------------------------------------------------------------===//

#include "vitq/Data/Npy.h"
#include "vitq/Frontend/OnnxImport.h"
#include "vitq/Interpreter/Interpreter.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "gtest/gtest.h"

#include <cmath>
#include <cstdlib>
#include <string>

using namespace mlir;
using namespace vitq;

namespace {

struct Model {
  /// In VITQ_SHARED/models.
  const char *folder, *file;
};

void PrintTo(const Model &model, std::ostream *os) { *os << model.file; }

class ReferenceLogits : public ::testing::TestWithParam<Model> {
protected:
  ReferenceLogits()
      : handler(&context, [this](Diagnostic &diagnostic) {
          messages += diagnostic.str() + "\n";
          return success();
        }) {}

  void SetUp() override {
    const char *shared = std::getenv("VITQ_SHARED");
    if (!shared || !llvm::sys::fs::is_directory(shared))
      GTEST_SKIP() << "VITQ_SHARED is no folder";
    std::string folder = std::string(shared) + "/models/" + GetParam().folder + "/";
    auto imported = frontend::importOnnx(folder + GetParam().file + ".onnx", &context);
    ASSERT_TRUE(succeeded(imported)) << messages;
    module = std::move(*imported);
    inputs = read(folder + "reference_inputs.npy");
    logits = read(folder + "reference_logits.npy");
    ASSERT_EQ(inputs.dtype, data::DType::Float32);
    ASSERT_TRUE(logits.dtype == data::DType::Float64 || logits.dtype == data::DType::Float32);
    ASSERT_EQ(inputs.shape[0], logits.shape[0]);
  }

  /// Runs every image and compares: max|difference| <= 1e-4 max|logit|.
  void expectReference() {
    auto interpreter = Interpreter::create(*module);
    ASSERT_TRUE(succeeded(interpreter)) << messages;
    const int64_t images = inputs.shape[0], pixels = inputs.numElements() / images, classes = logits.shape[1];
    std::vector<int64_t> one = inputs.shape;
    one[0] = 1;
    double largest = 0, difference = 0;
    for (int64_t i = 0; i < images; ++i) {
      llvm::SmallVector<vitq::Tensor> results;
      auto pixelsOfImage = inputs.values<float>().slice(i * pixels, pixels);
      ASSERT_TRUE(succeeded((*interpreter)->run(vitq::Tensor::of<float>(one, pixelsOfImage), results))) << messages;
      ASSERT_EQ(results.front().numElements(), classes);
      for (int64_t c = 0; c < classes; ++c) {
        const double expected = logit(i * classes + c);
        largest = std::max(largest, std::fabs(expected));
        difference = std::max(difference, std::fabs(results.front().data<float>()[c] - expected));
      }
    }
    EXPECT_GT(largest, 1.0) << "the reference is empty";
    EXPECT_LE(difference, 1e-4 * largest);
    RecordProperty("relative_difference", std::to_string(difference / largest));
  }

  double logit(int64_t at) const {
    return logits.dtype == data::DType::Float64 ? logits.values<double>()[at] : logits.values<float>()[at];
  }

  static data::NpyArray read(const std::string &path) {
    llvm::Expected<data::NpyArray> array = data::readNpy(path);
    if (array)
      return std::move(*array);
    ADD_FAILURE() << llvm::toString(array.takeError());
    return {};
  }

  MLIRContext context;
  std::string messages;
  ScopedDiagnosticHandler handler;
  OwningOpRef<ModuleOp> module;
  data::NpyArray inputs, logits;
};

TEST_P(ReferenceLogits, AsImported) { expectReference(); }

TEST_P(ReferenceLogits, AfterRecoveringPatterns) {
  PassManager manager(&context);
  manager.addPass(createVitRecoverPatternsPass());
  manager.addPass(createVitVerifyFloatPass());
  ASSERT_TRUE(succeeded(manager.run(*module))) << messages;
  expectReference();
}

INSTANTIATE_TEST_SUITE_P(Models, ReferenceLogits,
                         ::testing::Values(Model{"mnist_vit", "mnist_vit_op14"},
                                           Model{"cifar10_vit", "cifar10_vit_op14"},
                                           Model{"vit_tiny_in1k", "vit_tiny_dynamo_op17"},
                                           Model{"vit_tiny_in1k", "vit_tiny_script_op13"}),
                         [](const auto &test) { return std::string(test.param.file); });

} // namespace
