//===- ConstantModel.h - Models whose results are constants -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_FRONTEND_CONSTANTMODEL_H
#define VITQ_TEST_UNIT_FRONTEND_CONSTANTMODEL_H

#include "OnnxBuilder.h"
#include "TestUtils.h"

namespace vitq::test {

/// Imports and runs a model whose result `r` is a constant: as floats, in a row, added to a zero of the image.
class ConstantModel : public OnnxBuilder {
public:
  explicit ConstantModel(int64_t opset = 20) : OnnxBuilder(opset) {}

  std::vector<double> compute() {
    finish();
    Session session;
    std::string path = write();
    mlir::OwningOpRef<mlir::ModuleOp> module = session.import(path);
    llvm::sys::fs::remove(path);
    EXPECT_TRUE(module) << session.messages;
    return module ? run(*module, {1, 1, 2, 4}, std::vector<float>(8, 0)) : std::vector<double>();
  }

  std::string refusal() {
    finish();
    Session session;
    std::string path = write();
    EXPECT_FALSE(session.import(path)) << "was accepted";
    llvm::sys::fs::remove(path);
    return session.messages;
  }

  void cast(const std::string &from, const std::string &to, int type) {
    OnnxBuilder::integer(node("Cast", {from}, {to}), "to", type);
  }

private:
  void finish() {
    cast("r", "y.float", onnx::TensorProto::FLOAT);
    intTensor("y.row", {-1});
    node("Reshape", {"y.float", "y.row"}, {"y.flat"});
    intTensor("y.first", {0});
    node("Reshape", {"x", "y.row"}, {"y.pixels"});
    node("Gather", {"y.pixels", "y.first"}, {"y.zero"});
    node("Add", {"y.zero", "y.flat"}, {"y"});
  }
};

} // namespace vitq::test

#define EXPECT_SAYS(model, text)                                                                                       \
  do {                                                                                                                 \
    std::string messages = (model).refusal();                                                                          \
    EXPECT_NE(messages.find(text), std::string::npos) << messages;                                                     \
  } while (false)

#endif // VITQ_TEST_UNIT_FRONTEND_CONSTANTMODEL_H
