//===- ImportModelsTest.cpp - Whole models -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Models that test/models/make_models.py wrote (VITQ_TEST_MODELS) and the
// larger ones in VITQ_SHARED; tests skip where these are absent.

#include "TestUtils.h"

#include "vitq/Data/Npy.h"
#include "vitq/Support/Constants.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

static std::string folder(const char *variable) {
  const char *value = std::getenv(variable);
  return value && llvm::sys::fs::is_directory(value) ? value : "";
}

static std::vector<std::string> listModels(bool bad) {
  std::vector<std::string> names;
  std::error_code error;
  std::string path = folder("VITQ_TEST_MODELS");
  if (path.empty())
    return names;
  for (llvm::sys::fs::directory_iterator it(path, error), end; it != end && !error; it.increment(error)) {
    StringRef file = llvm::sys::path::filename(it->path());
    if (file.ends_with(".onnx") && file.starts_with("bad_") == bad)
      names.push_back(llvm::sys::path::stem(file).str());
  }
  llvm::sort(names);
  return names;
}

/// The largest difference to the reference over the first images of a file.
static double compare(ModuleOp module, const std::string &inputs, const std::string &outputs, int64_t limit) {
  auto input = data::readNpy(inputs), output = data::readNpy(outputs);
  if (!input || !output) {
    ADD_FAILURE() << llvm::toString(llvm::joinErrors(input ? llvm::Error::success() : input.takeError(),
                                                     output ? llvm::Error::success() : output.takeError()));
    return INFINITY;
  }
  int64_t images = std::min(input->shape[0], limit);
  size_t size = input->numElements() / input->shape[0], classes = output->numElements() / output->shape[0];
  SmallVector<int64_t> shape(input->shape.begin(), input->shape.end());
  shape[0] = 1;
  double largest = 0;
  for (int64_t i = 0; i < images; ++i) {
    std::vector<double> logits = run(module, shape, input->values<float>().slice(i * size, size));
    std::vector<double> expected;
    for (size_t j = i * classes; j < (i + 1) * classes; ++j)
      expected.push_back(output->dtype == data::DType::Float64 ? output->values<double>()[j]
                                                               : output->values<float>()[j]);
    largest = std::max(largest, maxDifference(logits, expected));
  }
  return largest;
}

TEST(ImportModels, SmallModelsComputeWhatTorchDoes) {
  std::string path = folder("VITQ_TEST_MODELS");
  if (path.empty())
    GTEST_SKIP() << "VITQ_TEST_MODELS is no folder";
  for (const std::string &name : listModels(false)) {
    SCOPED_TRACE(name);
    Session session;
    std::string base = path + "/" + name;
    OwningOpRef<ModuleOp> module = session.import(base + ".onnx");
    ASSERT_TRUE(module) << session.messages;
    EXPECT_LT(compare(*module, base + ".npz:input", base + ".npz:output", 4), 1e-4) << "as imported";
    EXPECT_TRUE(session.recover(*module)) << session.messages;
    EXPECT_LT(compare(*module, base + ".npz:input", base + ".npz:output", 4), 1e-4) << "as recovered";
    EXPECT_EQ(session.messages, "");
    // A convolution of 1 x 1 elements is a linear layer; the image comes with its channels in front.
    const bool isStem = StringRef(name).contains("_stem"), isMobile = StringRef(name).starts_with("mobile_stem");
    EXPECT_EQ(countOps(*module, "vit.conv2d"), isMobile ? 4u : isStem ? 2u : 0u);
    EXPECT_EQ(countOps(*module, "vit.linear"), isMobile ? 16u : isStem ? 14u : 13u);
    EXPECT_EQ(countOps(*module, "vit.matmul"), 4u);
    EXPECT_EQ(countOps(*module, "vit.patch_embed"), isStem ? 0u : 1u);
    EXPECT_EQ(countOps(*module, "vit.mul"), 0u);
    EXPECT_EQ(countOps(*module, "vit.transpose"), isStem ? 9u : 8u);
    EXPECT_EQ(countOps(*module, "vit.is_nan"), 0u);
  }
}

TEST(ImportModels, LargerBatch) {
  std::string path = folder("VITQ_TEST_MODELS");
  if (path.empty())
    GTEST_SKIP() << "VITQ_TEST_MODELS is no folder";
  for (const char *name : {"timm_like_op17", "hf_like_op14", "hf_optimum_op14"}) {
    SCOPED_TRACE(name);
    Session session;
    std::string base = path + "/" + name;
    OwningOpRef<ModuleOp> module = session.import(base + ".onnx", 4);
    ASSERT_TRUE(module && session.recover(*module)) << session.messages;
    auto input = data::readNpy(base + ".npz:input"), output = data::readNpy(base + ".npz:output");
    ASSERT_TRUE(static_cast<bool>(input) && static_cast<bool>(output));
    EXPECT_LT(maxDifference(run(*module, input->shape, input->values<float>()), output->values<float>()), 1e-4);
  }
}

TEST(ImportModels, RefusesBadModels) {
  std::string path = folder("VITQ_TEST_MODELS");
  if (path.empty())
    GTEST_SKIP() << "VITQ_TEST_MODELS is no folder";
  std::map<std::string, std::string> expected = {
      {"bad_lstm", "unsupported operator LSTM, 1 time: /blocks/lstm/LSTM"},
      {"bad_domain", "unsupported operator com.microsoft::LongformerAttention, 1 time: /blocks/act"},
      {"bad_opset7", "unsupported opset 7"},
      {"bad_float16", "unsupported output type float16, 1 time: logits"},
      {"bad_string", "unsupported element type string, 1 time: names"},
      {"bad_truncated", "no ONNX model, or is damaged"},
      {"bad_undefined_value", "node '/blocks/add': Add: reads the value 'nowhere', which nothing defines"},
      {"bad_external_missing", "cannot be read: No such file"},
      {"bad_external_short", "ends at byte 100"},
      {"bad_external_escape", "lies outside the model's folder"}};
  for (const std::string &name : listModels(true)) {
    SCOPED_TRACE(name);
    Session session;
    EXPECT_FALSE(session.import(path + "/" + name + ".onnx"));
    EXPECT_NE(session.messages.find(expected[name]), std::string::npos) << session.messages;
    EXPECT_NE(session.messages.find(name + ".onnx: "), std::string::npos) << session.messages;
  }
}

TEST(ImportModels, SharedModelsComputeTheirReference) {
  std::string path = folder("VITQ_SHARED");
  if (path.empty())
    GTEST_SKIP() << "VITQ_SHARED is no folder";
  struct Case {
    const char *model, *folder;
    int64_t images;
  };
  for (Case test :
       {Case{"mnist_vit/mnist_vit_op14", "mnist_vit", 4}, Case{"cifar10_vit/cifar10_vit_op14", "cifar10_vit", 4},
        Case{"vit_tiny_in1k/vit_tiny_dynamo_op17", "vit_tiny_in1k", 1}}) {
    std::string base = path + "/models/" + test.model, data = path + "/models/" + test.folder;
    if (!llvm::sys::fs::exists(base + ".onnx"))
      continue;
    SCOPED_TRACE(test.model);
    Session session;
    OwningOpRef<ModuleOp> module = session.import(base + ".onnx");
    ASSERT_TRUE(module && session.recover(*module)) << session.messages;
    EXPECT_LT(compare(*module, data + "/reference_inputs.npy", data + "/reference_logits.npy", test.images), 5e-5);
  }
}

//===----------------------------------------------------------------------===//
// Two exports of the same weights
//===----------------------------------------------------------------------===//

static bool sameConstant(arith::ConstantOp a, arith::ConstantOp b) {
  auto x = getFloatConstant(a.getResult()), y = getFloatConstant(b.getResult());
  if (failed(x) || failed(y) || a.getType() != b.getType() || x->size() != y->size())
    return false;
  for (size_t i = 0; i < x->size(); ++i)
    if (std::fabs((*x)[i] - (*y)[i]) > 1e-6 * std::max(std::fabs((*x)[i]), 1e-30))
      return false;
  return true;
}

/// Where two functions differ, empty when they do not.
static std::string findDifference(func::FuncOp a, func::FuncOp b) {
  DenseMap<Value, Value> map;
  if (a.getFunctionType() != b.getFunctionType())
    return "function types";
  for (auto [x, y] : llvm::zip(a.getArguments(), b.getArguments()))
    map[x] = y;
  auto x = a.front().begin(), y = b.front().begin();
  for (; x != a.front().end() && y != b.front().end(); ++x, ++y) {
    std::string text;
    llvm::raw_string_ostream os(text);
    os << x->getLoc() << ' ' << x->getName() << " and " << y->getLoc() << ' ' << y->getName();
    if (x->getName() != y->getName() || x->getNumOperands() != y->getNumOperands() ||
        x->getResultTypes() != y->getResultTypes())
      return text;
    for (unsigned i = 0; i < x->getNumOperands(); ++i)
      if (map.lookup(x->getOperand(i)) != y->getOperand(i))
        return text + ": operand " + std::to_string(i);
    if (auto constant = dyn_cast<arith::ConstantOp>(*x)) {
      if (!sameConstant(constant, cast<arith::ConstantOp>(*y)))
        return text + ": values";
    } else if (x->getAttrDictionary() != y->getAttrDictionary() ||
               x->getPropertiesAsAttribute() != y->getPropertiesAsAttribute()) {
      return text + ": attributes";
    }
    for (auto [r, s] : llvm::zip(x->getResults(), y->getResults()))
      map[r] = s;
  }
  return x == a.front().end() && y == b.front().end() ? "" : "number of ops";
}

TEST(ImportModels, TwoExportsOfOneModelBecomeOneFunction) {
  std::string path = folder("VITQ_SHARED");
  std::string base = path + "/models/vit_tiny_in1k/vit_tiny_";
  if (path.empty() || !llvm::sys::fs::exists(base + "dynamo_op17.onnx"))
    GTEST_SKIP() << "the ViT-Tiny exports are not in VITQ_SHARED";
  Session session;
  OwningOpRef<ModuleOp> dynamo = session.import(base + "dynamo_op17.onnx");
  OwningOpRef<ModuleOp> script = session.import(base + "script_op13.onnx");
  ASSERT_TRUE(dynamo && script) << session.messages;
  ASSERT_TRUE(session.recover(*dynamo) && session.recover(*script)) << session.messages;
  EXPECT_EQ(findDifference(*dynamo->getOps<func::FuncOp>().begin(), *script->getOps<func::FuncOp>().begin()), "");
}

TEST(ImportModels, OpsetsOfOneModelBecomeOneFunction) {
  std::string path = folder("VITQ_TEST_MODELS");
  if (path.empty())
    GTEST_SKIP() << "VITQ_TEST_MODELS is no folder";
  for (const char *variant : {"timm_like", "hf_like", "mean_pool", "layer_scale", "quick_gelu", "tanh_gelu",
                              "tanh_gelu_pow", "post_norm", "mha", "hard_swish", "registers", "torch_var"}) {
    Session session;
    OwningOpRef<ModuleOp> first;
    for (const char *opset : {"_op11", "_op13", "_op14", "_op17"}) {
      SCOPED_TRACE(std::string(variant) + opset);
      OwningOpRef<ModuleOp> module = session.import(path + "/" + variant + opset + ".onnx");
      ASSERT_TRUE(module && session.recover(*module)) << session.messages;
      if (first)
        EXPECT_EQ(findDifference(*first->getOps<func::FuncOp>().begin(), *module->getOps<func::FuncOp>().begin()), "");
      else
        first = std::move(module);
    }
  }
}
