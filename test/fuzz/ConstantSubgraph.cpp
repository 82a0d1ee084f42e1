//===- ConstantSubgraph.cpp - A weight computed of constants -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"

#include "onnx/onnx_pb.h"

using namespace vitq::fuzz;

namespace {
using Names = std::vector<std::string>;
using Ints = std::vector<int64_t>;

/// Writes nodes in front of those of a graph. Their results are summed up.
class SubgraphWriter {
public:
  explicit SubgraphWriter(onnx::GraphProto &graph) : graph(graph) {}

  std::string reals(const Ints &shape) {
    onnx::TensorProto &tensor = addTensor(onnx::TensorProto::FLOAT, shape);
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    for (int64_t i = 0; i < count; ++i)
      tensor.add_float_data(0.25F * static_cast<float>(i % 7 + 1));
    return tensor.name();
  }
  std::string ints(const Ints &shape, const Ints &values) {
    onnx::TensorProto &tensor = addTensor(onnx::TensorProto::INT64, shape);
    tensor.mutable_int64_data()->Add(values.begin(), values.end());
    return tensor.name();
  }
  std::string booleans(const Ints &shape, const Ints &values) {
    onnx::TensorProto &tensor = addTensor(onnx::TensorProto::BOOL, shape);
    tensor.mutable_int32_data()->Add(values.begin(), values.end());
    return tensor.name();
  }

  /// A node with one result, which is added to the sum; its name.
  onnx::NodeProto &node(const std::string &op, const Names &inputs) {
    onnx::NodeProto &made = plain(nodes, op, inputs);
    results.push_back(made.output(0));
    return made;
  }
  static onnx::AttributeProto &attribute(onnx::NodeProto &node, const std::string &name,
                                         onnx::AttributeProto::AttributeType type) {
    onnx::AttributeProto &made = *node.add_attribute();
    made.set_name(name);
    made.set_type(type);
    return made;
  }
  static void set(onnx::NodeProto &node, const std::string &name, int64_t value) {
    attribute(node, name, onnx::AttributeProto::INT).set_i(value);
  }
  static void set(onnx::NodeProto &node, const std::string &name, const char *value) {
    attribute(node, name, onnx::AttributeProto::STRING).set_s(value);
  }
  static void set(onnx::NodeProto &node, const std::string &name, const Ints &values) {
    attribute(node, name, onnx::AttributeProto::INTS).mutable_ints()->Add(values.begin(), values.end());
  }

  onnx::NodeProto &plain(google::protobuf::RepeatedPtrField<onnx::NodeProto> &list, const std::string &op,
                         const Names &inputs) {
    onnx::NodeProto &made = *list.Add();
    made.set_op_type(op);
    for (const std::string &input : inputs)
      made.add_input(input);
    made.add_output(fresh());
    made.set_name("/constants/" + op + "/" + made.output(0));
    return made;
  }

  /// `weight` is what it was plus nothing, after all nodes.
  void finish(const std::string &weight);

  std::string fresh() { return "constants." + std::to_string(count++); }

private:
  onnx::TensorProto &addTensor(int type, const Ints &shape) {
    onnx::TensorProto &tensor = *graph.add_initializer();
    tensor.set_name(fresh());
    tensor.set_data_type(type);
    tensor.mutable_dims()->Add(shape.begin(), shape.end());
    return tensor;
  }

  onnx::GraphProto &graph;
  google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
  Names results;
  int count = 0;
};
} // namespace

void SubgraphWriter::finish(const std::string &weight) {
  Names sums;
  for (const std::string &result : results) {
    onnx::NodeProto &cast = plain(nodes, "Cast", {result});
    set(cast, "to", onnx::TensorProto::FLOAT);
    const std::string reals = cast.output(0);
    onnx::NodeProto &sum = plain(nodes, "ReduceSum", {reals});
    set(sum, "keepdims", int64_t(0));
    sums.push_back(sum.output(0));
  }
  const std::string total = plain(nodes, "Sum", sums).output(0);
  const std::string zero = ints({}, {0});
  onnx::NodeProto &cast = plain(nodes, "CastLike", {zero, total});
  const std::string nothing = plain(nodes, "Mul", {total, cast.output(0)}).output(0);
  for (onnx::TensorProto &tensor : *graph.mutable_initializer())
    if (tensor.name() == weight)
      tensor.set_name(weight + ".given");
  onnx::NodeProto &add = plain(nodes, "Add", {weight + ".given", nothing});
  add.set_output(0, weight);
  // In front of the others, which read the weight.
  for (onnx::NodeProto &node : *graph.mutable_node())
    *nodes.Add() = node;
  graph.mutable_node()->Swap(&nodes);
}

static void addMoves(SubgraphWriter &w, const std::string &image, const std::string &matrix) {
  w.set(w.node("Resize", {image, "", "", w.ints({4}, {1, 4, 5, 3})}), "mode", "cubic");
  w.set(w.node("Resize", {image, "", "", w.ints({4}, {1, 4, 2, 9})}), "mode", "linear");
  w.set(w.node("DepthToSpace", {image}), "blocksize", int64_t(2));
  w.set(w.node("Pad", {matrix, w.ints({4}, {1, 2, 0, 1})}), "mode", "reflect");
  w.node("Tile", {matrix, w.ints({2}, {2, 3})});
  w.set(w.node("Trilu", {matrix, w.ints({}, {1})}), "upper", int64_t(0));
  w.node("Range", {w.ints({}, {3}), w.ints({}, {-9}), w.ints({}, {-2})});
  w.node("GatherND", {matrix, w.ints({2, 2}, {0, 1, -1, 2})});
  w.set(w.node("GatherElements", {matrix, w.ints({2, 3}, {0, 1, 1, 2, 0, -1})}), "axis", int64_t(1));
  w.node("ScatterND", {matrix, w.ints({1, 1}, {2}), w.reals({1, 4})});
  w.set(w.node("ScatterElements", {matrix, w.ints({1, 2}, {3, 0}), w.reals({1, 2})}), "axis", int64_t(1));
  w.set(w.node("OneHot", {w.ints({3}, {0, 2, -1}), w.ints({}, {4}), w.reals({2})}), "axis", int64_t(0));
  w.node("NonZero", {matrix});
  w.set(w.node("Compress", {matrix, w.booleans({3}, {1, 0, 1})}), "axis", int64_t(0));
  w.node("Slice", {matrix, w.ints({1}, {-1}), w.ints({1}, {-9}), w.ints({1}, {1}), w.ints({1}, {-2})});
}

static void addFunctions(SubgraphWriter &w, const std::string &image, const std::string &matrix) {
  for (const char *op :
       {"Sin", "Exp", "Round", "Softplus", "ReduceLogSumExp", "ReduceL2", "Softmax", "ArgMax", "Hardmax"})
    w.node(op, {matrix});
  w.node("CumSum", {matrix, w.ints({}, {1})});
  w.set(w.node("TopK", {matrix, w.ints({1}, {2})}), "largest", int64_t(0));
  w.set(w.node("Einsum", {matrix, matrix}), "equation", "ij,kj->ik");
  w.set(w.node("Gemm", {matrix, matrix, w.reals({1})}), "transB", int64_t(1));
  w.node("MatMul", {matrix, w.reals({2, 4, 3})});
  w.set(w.node("Conv", {image, w.reals({2, 2, 2, 2})}), "group", int64_t(2));
  w.set(w.node("MaxPool", {image}), "kernel_shape", Ints{2, 2});
  w.node("LayerNormalization", {matrix, w.reals({4})});
  w.node("Where", {w.booleans({4}, {1, 0, 0, 1}), matrix, w.reals({})});
  w.node("Clip", {matrix, w.reals({})});
  w.node("Mod", {w.ints({2}, {7, -7}), w.ints({2}, {-3, 4})});
  w.node("Pow", {matrix, w.ints({}, {3})});
}

static void addGraphs(SubgraphWriter &w, const std::string &matrix) {
  auto graphOf = [&](onnx::NodeProto &node, const char *name) -> onnx::GraphProto & {
    return *SubgraphWriter::attribute(node, name, onnx::AttributeProto::GRAPH).mutable_g();
  };
  onnx::NodeProto &choice = w.node("If", {w.booleans({}, {1})});
  for (const char *name : {"then_branch", "else_branch"}) {
    onnx::GraphProto &branch = graphOf(choice, name);
    const std::string result = w.plain(*branch.mutable_node(), "Neg", {matrix}).output(0);
    branch.add_output()->set_name(result);
  }
  onnx::NodeProto &loop = w.node("Loop", {w.ints({}, {3}), "", matrix});
  onnx::GraphProto &body = graphOf(loop, "body");
  const Names inputs = {w.fresh(), w.fresh(), w.fresh()};
  for (const std::string &input : inputs)
    body.add_input()->set_name(input);
  const std::string next = w.plain(*body.mutable_node(), "Add", {inputs[2], matrix}).output(0);
  body.add_output()->set_name(inputs[1]);
  body.add_output()->set_name(next);
}

std::string vitq::fuzz::addConstantSubgraph(const std::string &model) {
  onnx::ModelProto proto;
  if (!proto.ParseFromString(model))
    return model;
  onnx::GraphProto &graph = *proto.mutable_graph();
  std::string weight;
  for (const onnx::TensorProto &tensor : graph.initializer())
    if (weight.empty() && tensor.data_type() == onnx::TensorProto::FLOAT && tensor.dims_size() > 1)
      weight = tensor.name();
  SubgraphWriter writer(graph);
  const std::string image = writer.reals({1, 4, 3, 3}), matrix = writer.reals({3, 4});
  addMoves(writer, image, matrix);
  addFunctions(writer, image, matrix);
  addGraphs(writer, matrix);
  writer.finish(weight);
  return proto.SerializeAsString();
}
