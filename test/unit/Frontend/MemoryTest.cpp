//===- MemoryTest.cpp - Models in memory -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxBuilder.h"
#include "TestUtils.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::test;

static OwningOpRef<ModuleOp> importBytes(Session &session, const std::string &bytes) {
  auto module = frontend::importOnnx(llvm::MemoryBufferRef(bytes, "some.onnx"), &session.context);
  return failed(module) ? OwningOpRef<ModuleOp>() : std::move(*module);
}

TEST(MemoryModel, IsTheModelOfTheFile) {
  OnnxBuilder b;
  b.node("Relu", {"x"}, {"y"});
  Session session;
  OwningOpRef<ModuleOp> module = importBytes(session, b.model.SerializeAsString());
  ASSERT_TRUE(module) << session.messages;
  EXPECT_EQ(countOps(*module, "vit.relu"), 1u);
}

TEST(MemoryModel, ErrorsNameTheBuffer) {
  for (auto [bytes, text] :
       {std::pair<const char *, const char *>{"", "some.onnx: the data is empty; export the model again"},
        {"not a model", "some.onnx: the data is no ONNX model, or is damaged; export it again"}}) {
    Session session;
    EXPECT_FALSE(importBytes(session, bytes));
    EXPECT_EQ(session.messages, std::string(text) + "\n");
  }
}

TEST(MemoryModel, ExternalDataIsNotLookedFor) {
  OnnxBuilder b;
  auto &tensor = b.tensor("w", {4}, {});
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  auto *entry = tensor.add_external_data();
  entry->set_key("location");
  entry->set_value("weights.bin");
  b.node("Add", {"x", "w"}, {"y"});
  Session session;
  EXPECT_FALSE(importBytes(session, b.model.SerializeAsString()));
  EXPECT_EQ(session.messages, "some.onnx: external data 'weights.bin' of tensor 'w' cannot be found for a model in "
                              "memory: load the model from its file, or save it with its weights inside\n");
}
