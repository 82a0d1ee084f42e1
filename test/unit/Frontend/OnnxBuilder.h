//===- OnnxBuilder.h - Small ONNX files for tests ----------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_FRONTEND_ONNXBUILDER_H
#define VITQ_TEST_UNIT_FRONTEND_ONNXBUILDER_H

#include <onnx/onnx_pb.h>

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"

#include <fstream>
#include <string>
#include <vector>

namespace vitq::test {

/// Writes a model node by node. The image is `x`, the result `y`.
struct OnnxBuilder {
  onnx::ModelProto model;

  explicit OnnxBuilder(int64_t opset = 17, std::vector<int64_t> shape = {1, 1, 2, 4}) {
    model.set_ir_version(8);
    model.add_opset_import()->set_version(opset);
    addValue(model.mutable_graph()->add_input(), "x", shape);
    addValue(model.mutable_graph()->add_output(), "y", {});
  }

  onnx::GraphProto &graph() { return *model.mutable_graph(); }

  static void addValue(onnx::ValueInfoProto *info, const std::string &name, const std::vector<int64_t> &shape) {
    info->set_name(name);
    auto *type = info->mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::TensorProto::FLOAT);
    for (int64_t size : shape) {
      auto *dim = type->mutable_shape()->add_dim();
      if (size > 0)
        dim->set_dim_value(size);
      else
        dim->set_dim_param("open");
    }
  }

  onnx::NodeProto &node(const std::string &op, std::vector<std::string> inputs, std::vector<std::string> outputs) {
    onnx::NodeProto *node = graph().add_node();
    node->set_op_type(op);
    node->set_name("/" + outputs.front());
    for (const std::string &input : inputs)
      node->add_input(input);
    for (const std::string &output : outputs)
      node->add_output(output);
    return *node;
  }

  static void ints(onnx::NodeProto &node, const std::string &name, std::vector<int64_t> values) {
    auto *attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INTS);
    for (int64_t value : values)
      attribute->add_ints(value);
  }
  static void integer(onnx::NodeProto &node, const std::string &name, int64_t value) {
    auto *attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::INT);
    attribute->set_i(value);
  }
  static void real(onnx::NodeProto &node, const std::string &name, float value) {
    auto *attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::FLOAT);
    attribute->set_f(value);
  }

  static void text(onnx::NodeProto &node, const std::string &name, const std::string &value) {
    auto *attribute = node.add_attribute();
    attribute->set_name(name);
    attribute->set_type(onnx::AttributeProto::STRING);
    attribute->set_s(value);
  }

  onnx::TensorProto &tensor(const std::string &name, std::vector<int64_t> shape, std::vector<float> values) {
    onnx::TensorProto *tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::FLOAT);
    for (int64_t size : shape)
      tensor->add_dims(size);
    for (float value : values)
      tensor->add_float_data(value);
    return *tensor;
  }
  onnx::TensorProto &intTensor(const std::string &name, std::vector<int64_t> values, bool scalar = false) {
    onnx::TensorProto *tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::INT64);
    if (!scalar)
      tensor->add_dims(values.size());
    for (int64_t value : values)
      tensor->add_int64_data(value);
    return *tensor;
  }

  onnx::TensorProto &boolTensor(const std::string &name, std::vector<int64_t> shape, const std::vector<bool> &values) {
    onnx::TensorProto *tensor = graph().add_initializer();
    tensor->set_name(name);
    tensor->set_data_type(onnx::TensorProto::BOOL);
    for (int64_t size : shape)
      tensor->add_dims(size);
    for (bool value : values)
      tensor->add_int32_data(value);
    return *tensor;
  }

  /// Of integers, or of what `type` has in as many bits.
  onnx::TensorProto &typed(const std::string &name, int type, std::vector<int64_t> shape, std::vector<int64_t> values) {
    onnx::TensorProto &tensor = this->tensor(name, shape, {});
    tensor.set_data_type(type);
    for (int64_t value : values) {
      if (type == onnx::TensorProto::INT64)
        tensor.add_int64_data(value);
      else if (type == onnx::TensorProto::UINT64 || type == onnx::TensorProto::UINT32)
        tensor.add_uint64_data(static_cast<uint64_t>(value));
      else
        tensor.add_int32_data(static_cast<int32_t>(value));
    }
    return tensor;
  }

  /// A file that is removed at the end.
  std::string write() { return writeBytes(model.SerializeAsString()); }
  static std::string writeBytes(const std::string &bytes) {
    llvm::SmallString<128> path;
    int fd = -1;
    if (llvm::sys::fs::createTemporaryFile("vitq-test", "onnx", fd, path))
      return "";
    llvm::sys::fs::file_t file = llvm::sys::fs::convertFDToNativeFile(fd);
    llvm::sys::fs::closeFile(file);
    std::ofstream(path.str().str(), std::ios::binary) << bytes;
    return path.str().str();
  }
};

} // namespace vitq::test

#endif // VITQ_TEST_UNIT_FRONTEND_ONNXBUILDER_H
