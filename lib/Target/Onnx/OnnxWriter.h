//===- OnnxWriter.h - Building an ONNX graph ---------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plain calls, so that only OnnxWriter.cpp sees protobuf.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TARGET_ONNX_ONNXWRITER_H
#define VITQ_LIB_TARGET_ONNX_ONNXWRITER_H

#include "vitq/Tensor/Tensor.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace vitq::onnxwriter {

struct Attribute {
  std::string name;
  std::variant<int64_t, float, std::string, std::vector<int64_t>> value;
};

/// A model with one graph. Every value is a name; nodes are added in the order in which they run.
class Writer {
public:
  Writer();
  ~Writer();

  /// A name that no value has yet, made of `hint`.
  std::string fresh(llvm::StringRef hint);

  /// A node with one result, which it gives the name of.
  std::string node(llvm::StringRef opType, llvm::ArrayRef<std::string> inputs, llvm::StringRef name,
                   llvm::ArrayRef<Attribute> attributes = {});
  /// A tensor of f32 or i64.
  std::string constant(llvm::StringRef name, const Tensor &tensor);
  /// Codes of 2 to 4, 8, 16 or 32 bits. Those of 4 or less are stored as int4.
  std::string codes(llvm::StringRef name, const Tensor &tensor, unsigned bits, bool isSigned);

  void addInput(llvm::StringRef name, llvm::ArrayRef<int64_t> shape);
  /// `value` under the name of an output.
  void addOutput(llvm::StringRef name, llvm::StringRef value, llvm::ArrayRef<int64_t> shape);
  void addMetadata(llvm::StringRef key, llvm::StringRef value);

  /// Whether the tensors fit protobuf's 2 GiB, beside the nodes.
  bool fitsOneFile() const;
  /// Moves tensors of 1 KiB and more to `os`, each at a multiple of a page. The model says that they are in the file
  /// `location` beside it.
  void writeWeights(llvm::raw_ostream &os, llvm::StringRef location);
  /// The model; an error where it does not fit one file, and `writeWeights` was not called.
  llvm::Error write(llvm::raw_ostream &os, int64_t opset);

private:
  struct Proto;
  std::unique_ptr<Proto> proto;
  llvm::StringSet<> names;
  uint64_t bytes = 0;
};

/// A model whose only node is an operator that a library brings along.
struct OperatorModel {
  struct Value {
    std::string name;
    /// Without the batch, which is open.
    std::vector<int64_t> sizes;
  };
  std::string name, domain, opType;
  /// Of uint8, and of int32.
  Value input;
  std::vector<Value> outputs;
  std::vector<std::pair<std::string, std::string>> metadata;

  /// Serialized.
  std::string write() const;
};

} // namespace vitq::onnxwriter

#endif // VITQ_LIB_TARGET_ONNX_ONNXWRITER_H
