//===- OnnxModel.h - What an ONNX file says ----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plain structures, so that only OnnxModel.cpp sees protobuf.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_FRONTEND_ONNXMODEL_H
#define VITQ_LIB_FRONTEND_ONNXMODEL_H

#include "OnnxConstant.h"

#include "vitq/Frontend/OnnxImport.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"

#include <map>

namespace vitq::frontend {

struct Graph;

struct OnnxAttribute {
  enum class Kind { Float, Int, String, Tensor, Graph, Floats, Ints, Strings, Other };
  Kind kind = Kind::Other;
  float f = 0;
  int64_t i = 0;
  std::string s;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  ConstantPtr tensor;
  std::shared_ptr<const Graph> graph;
};

struct Node {
  /// The module it belongs to and what it does there, if the exporter wrote the former; else
  /// the ONNX name, or `<op_type>#<index>`.
  std::string name;
  /// The path of the module: `blocks.3.mlp.fc1`.
  std::string module;
  std::string opType, domain;
  /// Empty strings are inputs or outputs that were left out.
  std::vector<std::string> inputs, outputs;
  std::map<std::string, OnnxAttribute> attributes;
  /// What graphs in attributes read of those around them.
  std::vector<std::string> captured;

  /// As in `com.microsoft::Gelu`; without a domain for those of ONNX.
  std::string qualifiedType() const { return domain.empty() ? opType : domain + "::" + opType; }
  const OnnxAttribute *find(const std::string &attribute) const {
    auto it = attributes.find(attribute);
    return it == attributes.end() ? nullptr : &it->second;
  }
};

/// A graph in an attribute: the branch of an If, the body of a Loop. Only what its outputs need is in it.
struct Graph {
  /// In the file's order.
  std::vector<Node> nodes;
  std::vector<std::string> inputs, outputs;
  std::map<std::string, ConstantPtr> initializers;
  /// Names of values that the outputs are computed from, and their own.
  llvm::StringSet<> needed;
};

/// A declared input or output.
struct ValueInfo {
  std::string name;
  /// The element type as ONNX spells it; empty when it is no tensor.
  std::string type;
  bool hasShape = false;
  /// Sizes; nothing for an open one.
  llvm::SmallVector<std::optional<int64_t>> dims;
  /// Names of open sizes, or empty strings.
  llvm::SmallVector<std::string> dimNames;
};

/// Something the importer cannot read; grouped by `what` when reported.
struct Problem {
  std::string what;
  std::string where;
};

/// What the wanted outputs need: nothing else of the graph is read, so that nothing else
/// can be wrong with it. Inputs are the needed ones, or all where none is needed.
struct Model {
  int64_t opset = 0;
  /// Names of the values that are wanted, in order; none where the graph has no output.
  std::vector<std::string> results;
  /// Names of values that they are computed from, and their own.
  llvm::StringSet<> needed;
  std::vector<Node> nodes;
  std::vector<ValueInfo> inputs;
  /// All that the graph declares.
  std::vector<ValueInfo> outputs;
  std::map<std::string, ConstantPtr> initializers;
  /// Unsupported opsets and element types.
  std::vector<Problem> problems;
};

/// Reads and checks the file; what it says of shapes and sizes holds after.
llvm::Expected<Model> loadOnnxModel(llvm::StringRef path, const ImportOptions &options);

/// The same for a model in memory; external data is an error.
llvm::Expected<Model> parseOnnxModel(llvm::StringRef bytes, const ImportOptions &options);

/// The module that PyTorch's `pkg.torch.onnx.name_scopes` names: a list from the root to the
/// call. Empty when there is none.
std::string moduleOf(llvm::StringRef nameScopes);
/// Calls each node that has a module after it, by names that no two nodes share.
void nameAfterModules(std::vector<Node> &nodes);

} // namespace vitq::frontend

#endif // VITQ_LIB_FRONTEND_ONNXMODEL_H
