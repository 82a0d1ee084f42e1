//===- Case.cpp - Models of single operators, and what they compute -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include "lib/Frontend/Importer.h"
#include "vitq/Frontend/OnnxImport.h"

#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace vitq::operators;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// What a case is about
//===----------------------------------------------------------------------===//

/// As the importer's table of operators has it.
static std::string qualifiedName(const onnx::NodeProto &node) {
  const bool isOnnx = node.domain().empty() || node.domain() == "ai.onnx";
  return isOnnx ? node.op_type() : node.domain() + "::" + node.op_type();
}

std::string Case::operatorName() const {
  std::string name;
  for (const auto &node : model.graph().node()) {
    if (node.op_type() == "Constant" || qualifiedName(node) == name)
      continue;
    if (!name.empty())
      return "";
    name = qualifiedName(node);
  }
  return name.empty() ? "Constant" : name;
}

int64_t Case::opset() const {
  for (const auto &opset : model.opset_import())
    if (opset.domain().empty() || opset.domain() == "ai.onnx")
      return opset.version();
  return 0;
}

/// Cases of operators that vitq has, for what it does not do by design.
static StringRef refusedByDesign(StringRef name) {
  if (name.contains("training_dropout") || name.contains("_training_mode") || name == "test_dropout_random_old")
    return "training";
  if (name.contains("with_argmax"))
    return "indices of a maximum in an image";
  if (name.starts_with("test_dropout_default_mask"))
    return "masks of Dropout";
  // As ONNX Runtime: the size that the operator's text asks for is that of the result.
  if (name.starts_with("test_resize_downsample_scales_") && name.ends_with("_align_corners"))
    return "corners aligned to a size that is no integer";
  // Frontend/quantized-models.test has models of them.
  if (name.starts_with("test_basic_convinteger") || name.starts_with("test_convinteger") ||
      name.starts_with("test_matmulinteger") || name.starts_with("test_qlinear") ||
      (name.starts_with("test_dynamicquantizelinear") && !name.ends_with("_expanded")))
    return "codes by themselves: the image is floats, and a program's results have one scale";
  return "";
}

static std::string whyUnsupported(const onnx::GraphProto &graph) {
  for (const auto &node : graph.node()) {
    if (!vitq::frontend::operatorHandlers().contains(qualifiedName(node)))
      return "operator " + qualifiedName(node);
    for (const auto &attribute : node.attribute())
      if (attribute.has_g())
        if (std::string why = whyUnsupported(attribute.g()); !why.empty())
          return why;
  }
  return "";
}

std::string Case::whyOutOfScope() const {
  if (inputs.empty() && outputs.empty())
    return "no data";
  if (std::string why = whyUnsupported(model.graph()); !why.empty())
    return why;
  if (opset() < vitq::frontend::kMinOpset || opset() > vitq::frontend::kMaxOpset)
    return "opset " + std::to_string(opset());
  auto typeOf = [](const onnx::ValueInfoProto &value) -> std::string {
    if (!value.type().has_tensor_type())
      return "sequences, optional values";
    const int type = value.type().tensor_type().elem_type();
    if (vitq::frontend::fromOnnxType(type))
      return "";
    return "type " + StringRef(onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(type))).lower();
  };
  for (const auto *values : {&model.graph().input(), &model.graph().output()})
    for (const auto &value : *values)
      if (std::string why = typeOf(value); !why.empty())
        return why;
  return refusedByDesign(name).str();
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static std::string join(StringRef folder, const llvm::Twine &name) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, name);
  return path.str().str();
}

static bool readMessage(google::protobuf::Message &message, const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer && message.ParseFromArray((*buffer)->getBufferStart(), static_cast<int>((*buffer)->getBufferSize()));
}

template <typename Values>
static std::vector<onnx::TensorProto> readTensors(StringRef folder, StringRef kind, const Values &declared) {
  std::vector<onnx::TensorProto> tensors;
  for (onnx::TensorProto tensor; readMessage(tensor, join(folder, kind + "_" + llvm::Twine(tensors.size()) + ".pb"));) {
    const auto index = static_cast<int>(tensors.size());
    // NumPy has no bfloat16: its bits are in the files.
    if (tensor.data_type() == onnx::TensorProto::UINT16 && index < declared.size() &&
        declared.Get(index).type().tensor_type().elem_type() == onnx::TensorProto::BFLOAT16)
      tensor.set_data_type(onnx::TensorProto::BFLOAT16);
    tensors.push_back(tensor);
  }
  return tensors;
}

llvm::Error vitq::operators::readFolder(StringRef folder, llvm::function_ref<void(Case &)> visit) {
  std::vector<std::string> models;
  std::error_code ec;
  for (llvm::sys::fs::recursive_directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
    if (llvm::sys::path::filename(it->path()) == "model.onnx")
      models.push_back(it->path());
  if (ec || models.empty())
    return llvm::createStringError(folder + ": no cases there");
  llvm::sort(models);
  for (const std::string &path : models) {
    Case one;
    const StringRef parent = llvm::sys::path::parent_path(path);
    one.name = llvm::sys::path::filename(parent).str();
    if (!readMessage(one.model, path))
      return llvm::createStringError(path + ": is no ONNX model");
    const std::string data = join(parent, "test_data_set_0");
    one.inputs = readTensors(data, "input", one.model.graph().input());
    one.outputs = readTensors(data, "output", one.model.graph().output());
    visit(one);
  }
  return llvm::Error::success();
}

namespace {
/// Takes records from the front of a file.
class RecordReader {
public:
  explicit RecordReader(StringRef bytes) : bytes(bytes) {}
  bool atEnd() const { return bytes.empty(); }
  uint32_t number() {
    if (bytes.size() < 4)
      return failed = true, 0;
    const uint32_t value = llvm::support::endian::read32le(bytes.data());
    bytes = bytes.drop_front(4);
    return value;
  }
  StringRef text() {
    const uint32_t length = number();
    failed |= length > bytes.size();
    StringRef result = bytes.take_front(length);
    bytes = bytes.drop_front(result.size());
    return result;
  }
  void message(google::protobuf::Message &message) {
    StringRef text = this->text();
    failed |= !message.ParseFromArray(text.data(), static_cast<int>(text.size()));
  }
  bool failed = false;

private:
  StringRef bytes;
};
} // namespace

llvm::Error vitq::operators::readRecords(StringRef path, llvm::function_ref<void(Case &)> visit) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return llvm::createFileError(path, buffer.getError());
  RecordReader reader((*buffer)->getBuffer());
  while (!reader.atEnd()) {
    Case one;
    one.name = reader.text().str();
    reader.message(one.model);
    const uint32_t inputs = reader.number(), outputs = reader.number();
    for (uint32_t i = 0; i < inputs && !reader.failed; ++i)
      reader.message(one.inputs.emplace_back());
    for (uint32_t i = 0; i < outputs && !reader.failed; ++i)
      reader.message(one.outputs.emplace_back());
    if (reader.failed)
      return llvm::createStringError(path + ": is damaged");
    visit(one);
  }
  return llvm::Error::success();
}
