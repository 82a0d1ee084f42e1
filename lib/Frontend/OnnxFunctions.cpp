//===- OnnxFunctions.cpp - Functions of a model -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The protobuf classes are those of ONNX 1.12: what is newer is among the fields they do
// not know.

#include "OnnxFunctions.h"

#include "Opsets.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

#include <google/protobuf/unknown_field_set.h>
#include <onnx/onnx_pb.h>

using namespace llvm;
using namespace vitq::frontend;

namespace {

/// Fields by number, of messages that have been given them since.
constexpr int kNodeOverload = 8, kFunctionOverload = 13, kFunctionDefaults = 11;

/// What functions may become together, and how deep they may call each other.
constexpr int kMaxNodes = 1 << 20, kMaxDepth = 64;

template <typename Proto>
std::vector<std::string> newerField(const Proto &proto, int number) {
  std::vector<std::string> values;
  const google::protobuf::UnknownFieldSet &fields = proto.unknown_fields();
  for (int i = 0; i < fields.field_count(); ++i)
    if (const auto &field = fields.field(i);
        field.number() == number && field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      values.push_back(field.length_delimited());
  return values;
}

template <typename Proto>
std::string keyOf(const Proto &proto, const std::string &name, int overload) {
  std::vector<std::string> variant = newerField(proto, overload);
  const std::string domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  return domain + "::" + name + "::" + (variant.empty() ? "" : variant.front());
}

std::string keyOf(const onnx::NodeProto &node) { return keyOf(node, node.op_type(), kNodeOverload); }
std::string keyOf(const onnx::FunctionProto &function) { return keyOf(function, function.name(), kFunctionOverload); }

Error makeError(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

/// One call: what the names in the function's body stand for.
struct Call {
  std::string prefix;
  StringMap<std::string> values;
  StringMap<onnx::AttributeProto> attributes;

  std::string rename(const std::string &name) const {
    auto found = values.find(name);
    return name.empty() ? name : found == values.end() ? prefix + name : found->second;
  }
  void substitute(onnx::NodeProto &node) const;
  void substitute(onnx::GraphProto &graph) const;
};

void Call::substitute(onnx::NodeProto &node) const {
  for (std::string &name : *node.mutable_input())
    name = rename(name);
  for (std::string &name : *node.mutable_output())
    name = rename(name);
  auto &own = *node.mutable_attribute();
  for (int i = own.size(); i-- > 0;) {
    onnx::AttributeProto &attribute = own[i];
    if (attribute.ref_attr_name().empty()) {
      if (attribute.has_g())
        substitute(*attribute.mutable_g());
      continue;
    }
    auto given = attributes.find(attribute.ref_attr_name());
    if (given == attributes.end()) { // Optional, and left out.
      own.DeleteSubrange(i, 1);
      continue;
    }
    const std::string name = attribute.name();
    attribute = given->second;
    attribute.set_name(name);
  }
}

void Call::substitute(onnx::GraphProto &graph) const {
  for (auto &value : *graph.mutable_input())
    value.set_name(rename(value.name()));
  for (auto &value : *graph.mutable_output())
    value.set_name(rename(value.name()));
  for (auto &tensor : *graph.mutable_initializer())
    tensor.set_name(rename(tensor.name()));
  for (auto &node : *graph.mutable_node())
    substitute(node);
}

class Inliner {
public:
  Inliner(const onnx::ModelProto &model, int64_t opset, std::vector<Problem> &problems)
      : opset(opset), problems(problems) {
    for (const auto &function : model.functions())
      functions[keyOf(function)] = &function;
  }
  Error run(onnx::GraphProto &graph, int depth = 0);

private:
  using Nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;
  Error add(onnx::NodeProto &node, size_t index, Nodes &to, int depth);
  Error addCall(const onnx::NodeProto &node, size_t index, const onnx::FunctionProto &function, Nodes &to, int depth);
  void checkOpsets(const onnx::FunctionProto &function);

  int64_t opset;
  std::vector<Problem> &problems;
  StringMap<const onnx::FunctionProto *> functions;
  /// Functions whose opsets were looked at; prefixes of calls.
  StringSet<> checked, prefixes;
  int numNodes = 0;
};

Error Inliner::run(onnx::GraphProto &graph, int depth) {
  Nodes nodes;
  nodes.Swap(graph.mutable_node());
  for (int i = 0; i < nodes.size(); ++i)
    if (Error error = add(nodes[i], i, *graph.mutable_node(), depth))
      return error;
  return Error::success();
}

Error Inliner::add(onnx::NodeProto &node, size_t index, Nodes &to, int depth) {
  if (++numNodes > kMaxNodes)
    return makeError("the functions of the model become more than " + Twine(kMaxNodes) + " nodes");
  if (depth > kMaxDepth)
    return makeError("the functions of the model call each other more than " + Twine(kMaxDepth) + " deep");
  if (auto function = functions.find(keyOf(node)); function != functions.end())
    return addCall(node, index, *function->second, to, depth);
  for (auto &attribute : *node.mutable_attribute())
    if (attribute.has_g())
      if (Error error = run(*attribute.mutable_g(), depth + 1))
        return error;
  to.Add()->Swap(&node);
  return Error::success();
}

Error Inliner::addCall(const onnx::NodeProto &node, size_t index, const onnx::FunctionProto &function, Nodes &to,
                       int depth) {
  checkOpsets(function);
  const std::string name = node.name().empty() ? node.op_type() + "#" + std::to_string(index) : node.name();
  Call call;
  for (call.prefix = name + "/"; !prefixes.insert(call.prefix).second;)
    call.prefix = name + "#" + std::to_string(prefixes.size()) + "/";
  if (node.input_size() > function.input_size() || node.output_size() > function.output_size())
    return makeError("node '" + name + "' has more inputs or outputs than the function " + function.name());
  for (int i = 0; i < function.input_size(); ++i)
    call.values[function.input(i)] = i < node.input_size() ? node.input(i) : "";
  for (const std::string &text : newerField(function, kFunctionDefaults)) {
    onnx::AttributeProto attribute;
    if (!attribute.ParseFromString(text))
      return makeError("function " + function.name() + " has an attribute that is damaged");
    call.attributes[attribute.name()] = attribute;
  }
  for (const auto &attribute : node.attribute())
    call.attributes[attribute.name()] = attribute;
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty())
      continue;
    auto [known, isNew] = call.values.try_emplace(function.output(i), node.output(i));
    if (isNew)
      continue;
    // An input, or an output given twice, passes through.
    onnx::NodeProto *identity = to.Add();
    identity->set_op_type("Identity");
    identity->set_name(call.prefix + "Identity#" + std::to_string(i));
    identity->add_input(known->second);
    identity->add_output(node.output(i));
  }
  for (int i = 0; i < function.node_size(); ++i) {
    onnx::NodeProto body = function.node(i);
    body.set_name(call.prefix + (body.name().empty() ? body.op_type() + "#" + std::to_string(i) : body.name()));
    call.substitute(body);
    if (Error error = add(body, i, to, depth + 1))
      return error;
  }
  return Error::success();
}

/// The graph's opset is taken for the function's nodes too: where both give an operator the
/// same meaning, that makes no difference.
void Inliner::checkOpsets(const onnx::FunctionProto &function) {
  if (!checked.insert(keyOf(function)).second)
    return;
  for (const auto &import : function.opset_import()) {
    if (!import.domain().empty() && import.domain() != "ai.onnx")
      continue;
    for (const auto &node : function.node())
      if ((node.domain().empty() || node.domain() == "ai.onnx") && !functions.contains(keyOf(node)) &&
          versionOf(node.op_type(), import.version()) != versionOf(node.op_type(), opset))
        problems.push_back({formatv("function of opset {0} in a model of opset {1}, for which the operator {2} is "
                                    "another one",
                                    import.version(), opset, node.op_type()),
                            function.name()});
  }
}

} // namespace

Error vitq::frontend::inlineFunctions(onnx::ModelProto &model, int64_t opset, std::vector<Problem> &problems) {
  if (model.functions_size() == 0)
    return Error::success();
  return Inliner(model, opset, problems).run(*model.mutable_graph());
}
