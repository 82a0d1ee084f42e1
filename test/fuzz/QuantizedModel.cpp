//===- QuantizedModel.cpp - A model with codes in many forms -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"

#include "onnx/onnx_pb.h"

#include "llvm/ADT/StringMap.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace vitq::fuzz;

namespace {
using Names = std::vector<std::string>;

/// Puts nodes on codes in place of those of a graph, each product in another form. Scales of
/// activations are the same everywhere: what the model computes does not matter.
class Quantizer {
public:
  explicit Quantizer(onnx::GraphProto &graph) : graph(graph) {
    for (const onnx::TensorProto &tensor : graph.initializer())
      weights[tensor.name()] = tensor;
    scalar("fuzz_scale", onnx::TensorProto::FLOAT).add_float_data(0.05F);
    scalar("fuzz_zero", onnx::TensorProto::UINT8).add_int32_data(120);
    scalar("fuzz_weight_zero", onnx::TensorProto::INT8).add_int32_data(0);
  }

  void run() {
    const std::vector<onnx::NodeProto> old(graph.node().begin(), graph.node().end());
    graph.clear_node();
    for (const onnx::NodeProto &node : old) {
      if (node.op_type() == "MatMul" && isWeight(node.input(1)))
        product(node);
      else if (node.op_type() == "Add" && !weights.contains(node.input(0)) && !weights.contains(node.input(1)))
        sum(node);
      else
        *graph.add_node() = node;
    }
  }

private:
  onnx::TensorProto &scalar(const std::string &name, int type) {
    onnx::TensorProto &tensor = *graph.add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(type);
    return tensor;
  }
  bool isWeight(const std::string &name) const {
    auto it = weights.find(name);
    return it != weights.end() && it->second.data_type() == onnx::TensorProto::FLOAT && it->second.dims_size() == 2 &&
           it->second.has_raw_data();
  }

  const std::string &add(const std::string &type, const Names &inputs, const Names &outputs,
                         const std::string &domain = "") {
    onnx::NodeProto &node = *graph.add_node();
    node.set_op_type(type);
    node.set_name(outputs.front());
    node.set_domain(domain);
    for (const std::string &input : inputs)
      node.add_input(input);
    for (const std::string &output : outputs)
      node.add_output(output);
    return node.output(0);
  }
  std::string codesOf(const std::string &name) {
    if (std::string codes = name + "_q"; made.insert({codes, true}).second)
      add("QuantizeLinear", {name, "fuzz_scale", "fuzz_zero"}, {codes});
    return name + "_q";
  }

  /// The weight as int8, and the name of its scale.
  std::pair<std::string, std::string> weightOf(const std::string &name) {
    std::pair<std::string, std::string> result{name + "_q", name + "_scale"};
    if (!made.insert({result.first, true}).second)
      return result;
    const onnx::TensorProto &weight = weights[name];
    std::vector<float> values(weight.raw_data().size() / sizeof(float));
    std::memcpy(values.data(), weight.raw_data().data(), values.size() * sizeof(float));
    float largest = 1e-6F;
    for (float value : values)
      largest = std::max(largest, std::fabs(value));
    const float scale = largest / 127;
    onnx::TensorProto &codes = scalar(result.first, onnx::TensorProto::INT8);
    *codes.mutable_dims() = weight.dims();
    for (float value : values)
      codes.mutable_raw_data()->push_back(static_cast<char>(std::lround(value / scale)));
    scalar(result.second, onnx::TensorProto::FLOAT).add_float_data(scale);
    return result;
  }

  void product(const onnx::NodeProto &node) {
    const std::string &x = node.input(0), &y = node.output(0);
    auto [weight, scale] = weightOf(node.input(1));
    switch (products++ % 3) {
    case 0: {
      const std::string real = add("DequantizeLinear", {codesOf(x), "fuzz_scale", "fuzz_zero"}, {y + "_x"});
      const std::string matrix = add("DequantizeLinear", {weight, scale, "fuzz_weight_zero"}, {y + "_w"});
      add("MatMul", {real, matrix}, {y});
      return;
    }
    case 1: {
      const Names inputs = {codesOf(x), "fuzz_scale",       "fuzz_zero",  weight,
                            scale,      "fuzz_weight_zero", "fuzz_scale", "fuzz_zero"};
      add("DequantizeLinear", {add("QLinearMatMul", inputs, {y + "_codes"}), "fuzz_scale", "fuzz_zero"}, {y});
      return;
    }
    default: {
      add("DynamicQuantizeLinear", {x}, {y + "_codes", y + "_s", y + "_z"});
      const std::string integers = add("MatMulInteger", {y + "_codes", weight, y + "_z"}, {y + "_i"});
      const std::string real = add("Cast", {integers}, {y + "_f"});
      onnx::AttributeProto &to = *graph.mutable_node(graph.node_size() - 1)->add_attribute();
      to.set_name("to");
      to.set_type(onnx::AttributeProto::INT);
      to.set_i(onnx::TensorProto::FLOAT);
      add("Mul", {real, add("Mul", {y + "_s", scale}, {y + "_m"})}, {y});
    }
    }
  }

  void sum(const onnx::NodeProto &node) {
    if (sums++ % 2) {
      *graph.add_node() = node;
      return;
    }
    const std::string &y = node.output(0);
    const Names inputs = {codesOf(node.input(0)), "fuzz_scale", "fuzz_zero",  codesOf(node.input(1)),
                          "fuzz_scale",           "fuzz_zero",  "fuzz_scale", "fuzz_zero"};
    add("DequantizeLinear", {add("QLinearAdd", inputs, {y + "_codes"}, "com.microsoft"), "fuzz_scale", "fuzz_zero"},
        {y});
  }

  onnx::GraphProto &graph;
  llvm::StringMap<onnx::TensorProto> weights;
  llvm::StringMap<bool> made;
  unsigned products = 0, sums = 0;
};
} // namespace

std::string vitq::fuzz::quantizeModel(const std::string &model) {
  onnx::ModelProto proto;
  if (!proto.ParseFromString(model))
    return model;
  Quantizer(*proto.mutable_graph()).run();
  onnx::OperatorSetIdProto &opset = *proto.add_opset_import();
  opset.set_domain("com.microsoft");
  opset.set_version(1);
  return proto.SerializeAsString();
}
