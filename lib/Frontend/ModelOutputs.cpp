//===- ModelOutputs.cpp - Which values of a graph are wanted -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModelOutputs.h"

#include "vitq/Support/NearestNames.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

#include <onnx/onnx_pb.h>

using namespace llvm;
using namespace vitq;
using namespace vitq::frontend;

namespace {

/// The names by which a graph's values can be asked for.
class ValueNames {
public:
  explicit ValueNames(const onnx::GraphProto &graph);

  /// The value that `name` means: its own name comes before that of a node.
  std::optional<StringRef> find(StringRef name) const {
    if (values.contains(name))
      return name;
    auto node = firstOf.find(name);
    return node == firstOf.end() ? std::nullopt : std::optional(node->second);
  }
  Error unknown(StringRef name) const {
    return createStringError("the model has no output, value or node '" + name + "'; the nearest are '" +
                             join(nearestNames(name, all, 3), "', '") + "'");
  }

private:
  StringSet<> values;
  /// The first value of each node.
  StringMap<StringRef> firstOf;
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
    if (!node.name().empty() && first != node.output().end() && firstOf.try_emplace(node.name(), *first).second &&
        !values.contains(node.name()))
      all.push_back(node.name());
  }
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
