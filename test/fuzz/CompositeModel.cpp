//===- CompositeModel.cpp - A model of functions and fused operators -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"

#include "onnx/onnx_pb.h"

#include <algorithm>

using namespace vitq::fuzz;

namespace {
using Names = std::vector<std::string>;
using Nodes = std::vector<onnx::NodeProto>;

constexpr const char *kMicrosoft = "com.microsoft", *kOwn = "vitq.fuzz";
constexpr int64_t kHeads = 4;

/// Puts one node in place of several of the digits model: an operator of ONNX Runtime's in two of
/// its four blocks, others in the next, a function of the model's own in the last.
class Composer {
public:
  explicit Composer(onnx::ModelProto &model) : model(model), graph(*model.mutable_graph()) {}

  void run() {
    for (int block = 0; block < 4; ++block) {
      const std::string prefix = "/blocks." + std::to_string(block);
      attention(prefix + "/attn/", block);
      activation(prefix + "/mlp/act/", block);
      if (block == 1 || block == 2)
        skipNorm(prefix);
    }
    for (const char *domain : {kMicrosoft, kOwn}) {
      onnx::OperatorSetIdProto &opset = *model.add_opset_import();
      opset.set_domain(domain);
      opset.set_version(1);
    }
  }

private:
  static onnx::NodeProto make(const std::string &type, const char *domain, const Names &inputs, const Names &outputs) {
    onnx::NodeProto node;
    node.set_op_type(type);
    node.set_domain(domain);
    node.set_name(outputs.front() + "/" + type);
    for (const std::string &input : inputs)
      node.add_input(input);
    for (const std::string &output : outputs)
      node.add_output(output);
    return node;
  }
  static onnx::NodeProto &with(onnx::NodeProto &node, const std::string &name, int64_t value) {
    onnx::AttributeProto &attribute = *node.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
    return node;
  }

  const onnx::NodeProto *find(const std::string &output) const {
    for (const onnx::NodeProto &node : graph.node())
      if (node.output_size() && node.output(0) == output)
        return &node;
    return nullptr;
  }

  /// Takes nodes out by their first outputs and puts others where the first of them was.
  void replace(const Nodes &old, const Nodes &made) {
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    bool placed = false;
    for (const onnx::NodeProto &node : graph.node()) {
      const bool gone = std::any_of(old.begin(), old.end(), [&](const onnx::NodeProto &other) {
        return node.output_size() && node.output(0) == other.output(0);
      });
      if (!gone)
        *nodes.Add() = node;
      for (size_t i = 0; gone && !placed && i < made.size(); ++i)
        *nodes.Add() = made[i];
      placed |= gone;
    }
    graph.mutable_node()->Swap(&nodes);
  }

  /// A function of `body`, and a node that calls it.
  onnx::NodeProto call(const std::string &name, const Names &inputs, const Nodes &body, const std::string &output) {
    onnx::FunctionProto &function = *model.add_functions();
    function.set_name(name);
    function.set_domain(kOwn);
    for (const std::string &input : inputs)
      function.add_input(input);
    function.add_output(output);
    for (const onnx::NodeProto &node : body)
      *function.add_node() = node;
    *function.mutable_opset_import() = model.opset_import();
    return make(name, kOwn, inputs, {output});
  }

  /// The nodes whose results are called so.
  Nodes under(const std::string &prefix) const {
    Nodes nodes;
    for (const onnx::NodeProto &node : graph.node())
      if (node.output_size() && node.output(0).starts_with(prefix) && !node.output(0).starts_with(prefix + "proj/"))
        nodes.push_back(node);
    return nodes;
  }

  void attention(const std::string &prefix, int block) {
    const onnx::NodeProto *packed = find(prefix + "qkv/MatMul_output_0"), *sum = find(prefix + "qkv/Add_output_0");
    if (!packed || !sum)
      return;
    const std::string x = packed->input(0), weight = packed->input(1), bias = sum->input(0);
    const std::string output = prefix + "Reshape_1_output_0";
    const Nodes old = under(prefix);
    if (block == 0) {
      onnx::NodeProto node = make("Attention", kMicrosoft, {x, weight, bias}, {output});
      return replace(old, {with(node, "num_heads", kHeads)});
    }
    if (block == 1) {
      onnx::NodeProto parts = make("Split", "", {sum->output(0)}, {prefix + "q", prefix + "k", prefix + "v"});
      onnx::NodeProto node =
          make("MultiHeadAttention", kMicrosoft, {prefix + "q", prefix + "k", prefix + "v"}, {output});
      return replace(old, {*packed, *sum, with(parts, "axis", 2), with(node, "num_heads", kHeads)});
    }
    if (block == 2)
      return replace(old, {call("Attend", {x, weight, bias}, old, output)});
    // Queries and keys in one operator, the key transposed by it.
    const onnx::NodeProto *scores = find(prefix + "MatMul_output_0"), *keys = find(prefix + "Transpose_1_output_0");
    if (!scores || !keys)
      return;
    onnx::NodeProto fused = make("FusedMatMul", kMicrosoft, {scores->input(0), keys->input(0)}, {scores->output(0)});
    const Nodes replaced = {*scores, *keys};
    replace(replaced, {with(fused, "transB", 1)});
  }

  void activation(const std::string &prefix, int block) {
    const Nodes old = under(prefix);
    const onnx::NodeProto *last = find(prefix + "Mul_1_output_0"), *first = find(prefix + "Div_output_0");
    if (!last || !first)
      return;
    const std::string x = first->input(0), output = last->output(0);
    if (block == 0)
      return replace(old, {make("Gelu", kMicrosoft, {x}, {output})});
    if (block == 1) {
      const onnx::NodeProto *sum = find(x);
      Nodes all = old;
      all.push_back(*sum);
      const onnx::NodeProto node = make("BiasGelu", kMicrosoft, {sum->input(1), sum->input(0)}, {output});
      return replace(all, {node});
    }
    if (block == 2)
      return replace(old, {make("FastGelu", kMicrosoft, {x}, {output})});
    // A function that calls another one.
    const onnx::NodeProto inner = call("Activate", {x}, old, output);
    replace(old, {call("Activated", {x}, {inner}, output)});
  }

  /// The sum and the norm behind an attention.
  void skipNorm(const std::string &prefix) {
    const onnx::NodeProto *sum = find(prefix + "/Add_output_0");
    const onnx::NodeProto *norm = find(prefix + "/norm2/LayerNormalization_output_0");
    if (!sum || !norm)
      return;
    replace({*sum, *norm},
            {make("SkipLayerNormalization", kMicrosoft, {sum->input(0), sum->input(1), norm->input(1), norm->input(2)},
                  {norm->output(0), "", "", sum->output(0)})});
  }

  onnx::ModelProto &model;
  onnx::GraphProto &graph;
};
} // namespace

std::string vitq::fuzz::composeModel(const std::string &model) {
  onnx::ModelProto proto;
  if (!proto.ParseFromString(model))
    return model;
  Composer(proto).run();
  return proto.SerializeAsString();
}
