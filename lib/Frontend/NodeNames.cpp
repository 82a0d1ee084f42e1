//===- NodeNames.cpp - What nodes are called -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// PyTorch's exporter numbers nodes (node_linear_7) and writes the module that a node
// belongs to beside it. A user knows modules: nodes are called after them.

#include "OnnxModel.h"

#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace vitq::frontend;

/// The strings of a Python list as repr() writes it; nothing when it is none.
static SmallVector<std::string> parseList(StringRef text) {
  SmallVector<std::string> entries;
  text = text.trim();
  if (!text.consume_front("[") || !text.consume_back("]"))
    return {};
  while (!(text = text.ltrim(", ")).empty()) {
    const char quote = text.front();
    if (quote != '\'' && quote != '"')
      return {};
    const size_t end = text.find(quote, 1);
    if (end == StringRef::npos)
      return {};
    entries.push_back(text.slice(1, end).str());
    text = text.drop_front(end + 1);
  }
  return entries;
}

std::string vitq::frontend::moduleOf(StringRef nameScopes) {
  constexpr size_t longest = 200;
  SmallVector<std::string> scopes = parseList(nameScopes);
  if (scopes.size() < 2)
    return {};
  // The last one is the node's own.
  const std::string &path = scopes[scopes.size() - 2];
  const bool isPath = llvm::all_of(path, [](char c) { return isAlnum(c) || c == '.' || c == '_' || c == '-'; });
  return isPath && path.size() <= longest ? path : std::string();
}

void vitq::frontend::nameAfterModules(std::vector<Node> &nodes) {
  StringSet<> taken, parents;
  StringMap<const Node *> last;
  for (const Node &node : nodes) {
    if (node.module.empty())
      taken.insert(node.name);
    else
      last[node.module] = &node;
    for (StringRef path = node.module; path.contains('.');) {
      path = path.rsplit('.').first;
      parents.insert(path);
    }
  }
  for (Node &node : nodes) {
    if (node.module.empty())
      continue;
    // A module without modules in it is its last node, which makes its result.
    const bool isWhole = last.lookup(node.module) == &node && !parents.contains(node.module);
    const std::string base = isWhole ? node.module : node.module + "/" + node.opType;
    std::string name = base;
    for (int i = 1; !taken.insert(name).second; ++i)
      name = base + "_" + std::to_string(i);
    node.name = std::move(name);
  }
}
