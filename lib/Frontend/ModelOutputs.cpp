//===- ModelOutputs.cpp - Which values of a graph are wanted -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelOutputs.h"

#include "OnnxModel.h"

#include "vitq/Support/NearestNames.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <google/protobuf/unknown_field_set.h>
#include <onnx/onnx_pb.h>

using namespace llvm;
using namespace vitq;
using namespace vitq::frontend;

/// The metadata of nodes is newer than these classes: a field that they do not know, whose
/// entries have a key and a value.
static std::string nameScopesOf(const onnx::NodeProto &proto) {
  constexpr int kMetadata = 9;
  const google::protobuf::UnknownFieldSet &fields = proto.unknown_fields();
  for (int i = 0; i < fields.field_count(); ++i) {
    const google::protobuf::UnknownField &field = fields.field(i);
    onnx::StringStringEntryProto entry;
    if (field.number() == kMetadata && field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED &&
        entry.ParseFromString(field.length_delimited()) && entry.key() == "pkg.torch.onnx.name_scopes")
      return entry.value();
  }
  return {};
}

std::string vitq::frontend::moduleOf(const onnx::NodeProto &node) { return moduleOf(nameScopesOf(node)); }

namespace {

/// The names by which a graph's values can be asked for.
class ValueNames {
public:
  explicit ValueNames(const onnx::GraphProto &graph);

  /// The value that `name` means: its own name comes before that of a node, and that
  /// before the module that it is the result of.
  std::optional<StringRef> find(StringRef name) const {
    if (values.contains(name))
      return name;
    if (auto node = firstOf.find(name); node != firstOf.end())
      return node->second;
    auto module = lastOf.find(name);
    return module == lastOf.end() ? std::nullopt : std::optional(module->second);
  }
  Error unknown(StringRef name) const {
    return createStringError("the model has no output, value or node '" + name + "'; the nearest are '" +
                             join(nearestNames(name, all, 3), "', '") + "'");
  }

private:
  StringSet<> values;
  /// The first value of each node, and of the last node of each module.
  StringMap<StringRef> firstOf, lastOf;
  /// Declared outputs first: of equally near names they are meant.
  SmallVector<StringRef> all;
};

} // namespace

ValueNames::ValueNames(const onnx::GraphProto &graph) {
  auto addValue = [&](StringRef name) {
    if (!name.empty() && values.insert(name).second)
      all.push_back(name);
  };
  for (const auto &output : graph.output())
    addValue(output.name());
  for (const auto &node : graph.node())
    for (const std::string &output : node.output())
      addValue(output);
  for (const auto &node : graph.node()) {
    auto first = find_if(node.output(), [](const std::string &output) { return !output.empty(); });
    // A module ends where the last module in it does.
    const std::string module = moduleOf(node);
    for (StringRef path = module; !path.empty() && first != node.output().end();
         path = path.contains('.') ? path.rsplit('.').first : StringRef())
      lastOf[path] = *first;
    if (!node.name().empty() && first != node.output().end() && firstOf.try_emplace(node.name(), *first).second &&
        !values.contains(node.name()))
      all.push_back(node.name());
  }
  for (const auto &entry : lastOf)
    all.push_back(entry.getKey());
}

Expected<std::vector<std::string>> vitq::frontend::chooseOutputs(const onnx::GraphProto &graph,
                                                                 const ImportOptions &options) {
  std::vector<std::string> chosen;
  const ValueNames names(graph);
  ArrayRef<std::string> wanted = options.outputs;
  const bool noneIsKnown = none_of(wanted, [&](StringRef name) { return names.find(name).has_value(); });
  if (wanted.empty() || (options.orOwnOutputs && noneIsKnown)) {
    const size_t count = std::max<size_t>(wanted.size(), 1);
    for (const auto &output : graph.output())
      if (chosen.size() < count)
        chosen.push_back(output.name());
    return chosen;
  }
  for (const std::string &name : wanted) {
    std::optional<StringRef> value = names.find(name);
    if (!value)
      return names.unknown(name);
    if (is_contained(chosen, *value))
      return createStringError("the output '" + *value + "' is asked for twice");
    chosen.push_back(value->str());
  }
  return chosen;
}
