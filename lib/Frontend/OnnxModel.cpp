//===- OnnxModel.cpp - What an ONNX file says -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The file is not trusted: every size is checked against the data that is
// really there before anything is allocated for it.

#include "OnnxModel.h"

#include "vitq/Frontend/OnnxImport.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <onnx/onnx_pb.h>

#include <set>

using namespace llvm;
using namespace vitq;
using namespace vitq::frontend;

namespace {

Error makeError(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

/// Turns protobuf structures into ours.
class Loader {
public:
  Loader() = default;
  /// The folder of `path` is where external data is looked for.
  explicit Loader(StringRef path) : path(path.str()) {}
  Expected<Model> load(StringRef bytes);

private:
  Error readOpsets(const onnx::ModelProto &proto);
  /// Finds the values that the first output needs; the nodes that make them.
  std::vector<bool> findNeeded(const onnx::GraphProto &graph);
  Error readGraph(const onnx::GraphProto &graph);
  void readInputs(const onnx::GraphProto &graph);
  Error readNode(const onnx::NodeProto &proto, size_t index);
  Error readAttribute(const onnx::AttributeProto &proto, Node &node);
  ValueInfo readValueInfo(const onnx::ValueInfoProto &proto);
  /// Null when the element type is unsupported, which is noted as a problem.
  Expected<ConstantPtr> readTensor(const onnx::TensorProto &proto, const std::string &name);
  Expected<StringRef> externalData(const onnx::TensorProto &proto, const std::string &name, uint64_t wanted);
  Expected<StringRef> openExternal(StringRef location, const std::string &name);

  /// Nothing for a model in memory.
  std::optional<std::string> path;
  Model model;
  StringMap<std::unique_ptr<MemoryBuffer>> externalFiles;
};

std::string typeName(int32_t type) {
  if (!onnx::TensorProto_DataType_IsValid(type))
    return "type " + std::to_string(type);
  return StringRef(onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(type))).lower();
}

std::optional<DType> toDType(int32_t type) {
  switch (type) {
  case onnx::TensorProto::FLOAT:
    return DType::F32;
  case onnx::TensorProto::DOUBLE:
    return DType::F64;
  case onnx::TensorProto::INT64:
    return DType::I64;
  case onnx::TensorProto::INT32:
    return DType::I32;
  case onnx::TensorProto::INT16:
    return DType::I16;
  case onnx::TensorProto::INT8:
    return DType::I8;
  case onnx::TensorProto::UINT8:
    return DType::U8;
  case onnx::TensorProto::BOOL:
    return DType::Bool;
  default:
    return std::nullopt;
  }
}

/// The bytes of a tensor's data, whose number fits, little endian like this machine's.
ConstantPtr fromBytes(DType dtype, StringRef bytes, ArrayRef<int64_t> shape, const std::string &name) {
  Tensor elements = Tensor::allocate(frontend::kindOf(dtype), shape);
  llvm::copy(bytes, elements.mutableBytes());
  // A bool may be any byte but 0.
  if (dtype == DType::Bool)
    for (char &byte : MutableArrayRef(elements.mutableBytes(), bytes.size()))
      byte = byte != 0;
  return std::make_shared<OnnxConstant>(dtype, std::move(elements), name);
}

/// The same of data in a field of its type.
Expected<ConstantPtr> readTyped(const onnx::TensorProto &proto, DType dtype, ArrayRef<int64_t> shape,
                                const std::string &name) {
  int64_t have = dtype == DType::F32   ? proto.float_data_size()
                 : dtype == DType::F64 ? proto.double_data_size()
                 : dtype == DType::I64 ? proto.int64_data_size()
                                       : proto.int32_data_size();
  // The shape is not trusted: nothing was allocated from it yet.
  std::optional<int64_t> wanted = countElements(shape);
  if (!wanted || have != *wanted)
    return makeError("tensor '" + name + "' has " + Twine(have) + " elements of data, its shape needs " +
                     Twine(wanted.value_or(-1)));
  auto constant = std::make_shared<OnnxConstant>(dtype, shape, name);
  for (int64_t i = 0; i < have; ++i) {
    if (dtype == DType::F32)
      constant->setDouble(i, proto.float_data(i));
    else if (dtype == DType::F64)
      constant->setDouble(i, proto.double_data(i));
    else
      constant->setInt(i, dtype == DType::I64 ? proto.int64_data(i) : proto.int32_data(i));
  }
  return constant;
}

Expected<StringRef> Loader::openExternal(StringRef location, const std::string &name) {
  auto fail = [&](const Twine &why) {
    return makeError("external data '" + location + "' of tensor '" + name + "' " + why);
  };
  if (location.empty())
    return fail("has no location");
  auto cached = externalFiles.find(location);
  if (cached != externalFiles.end())
    return cached->second->getBuffer();
  bool leaves = sys::path::is_absolute(location) || location.contains('\0');
  for (auto it = sys::path::begin(location), end = sys::path::end(location); it != end; ++it)
    leaves |= *it == "..";
  if (leaves)
    return fail("lies outside the model's folder; save the model with its data beside it");
  if (!path)
    return fail("cannot be found for a model in memory: load the model from its file, or save it with its weights "
                "inside");
  SmallString<256> folder(*path), file, realFolder, realFile;
  sys::path::remove_filename(folder);
  if (folder.empty())
    folder = ".";
  file = folder;
  sys::path::append(file, location);
  if (std::error_code error = sys::fs::real_path(file, realFile))
    return fail("cannot be read: " + error.message());
  if (std::error_code error = sys::fs::real_path(folder, realFolder))
    return fail("cannot be read: " + error.message());
  // A symbolic link could lead out of the folder.
  if (realFolder.back() != '/')
    realFolder += '/';
  if (!StringRef(realFile).starts_with(realFolder))
    return fail("lies outside the model's folder; save the model with its data beside it");
  if (!sys::fs::is_regular_file(realFile))
    return fail("is no regular file");
  auto buffer = MemoryBuffer::getFile(realFile, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return fail("cannot be read: " + buffer.getError().message());
  StringRef bytes = (*buffer)->getBuffer();
  externalFiles[location] = std::move(*buffer);
  return bytes;
}

Expected<StringRef> Loader::externalData(const onnx::TensorProto &proto, const std::string &name, uint64_t wanted) {
  StringRef location;
  uint64_t offset = 0, length = wanted;
  for (const auto &entry : proto.external_data()) {
    StringRef value = entry.value();
    if (entry.key() == "location")
      location = value;
    else if (entry.key() == "offset" ? value.getAsInteger(10, offset)
                                     : entry.key() == "length" && value.getAsInteger(10, length))
      return makeError("external data of tensor '" + name + "' has the " + entry.key() + " '" + value.str() +
                       "', which is no number");
  }
  Expected<StringRef> bytes = openExternal(location, name);
  if (!bytes)
    return bytes;
  if (length != wanted)
    return makeError("external data of tensor '" + name + "' has " + Twine(length) + " bytes, its shape needs " +
                     Twine(wanted));
  if (offset > bytes->size() || wanted > bytes->size() - offset)
    return makeError("external data of tensor '" + name + "' ends at byte " + Twine(bytes->size()) + " of '" +
                     location + "', but its " + Twine(wanted) + " bytes start at " + Twine(offset));
  return bytes->substr(offset, wanted);
}

Expected<ConstantPtr> Loader::readTensor(const onnx::TensorProto &proto, const std::string &name) {
  Shape shape(proto.dims().begin(), proto.dims().end());
  std::optional<DType> dtype = toDType(proto.data_type());
  if (!dtype) {
    model.problems.push_back({"unsupported element type " + typeName(proto.data_type()), name});
    return ConstantPtr();
  }
  std::optional<int64_t> count = countElements(shape);
  if (!count)
    return makeError("tensor '" + name + "' has a negative or absurd size");
  if (proto.has_segment())
    return makeError("tensor '" + name + "' is stored in segments, which is not supported");
  uint64_t wanted = static_cast<uint64_t>(*count) * sizeOf(frontend::kindOf(*dtype));
  bool isExternal = proto.data_location() == onnx::TensorProto::EXTERNAL;
  if (!isExternal && !proto.has_raw_data())
    return readTyped(proto, *dtype, shape, name);
  StringRef bytes = proto.raw_data();
  if (isExternal) {
    Expected<StringRef> external = externalData(proto, name, wanted);
    if (!external)
      return external.takeError();
    bytes = *external;
  }
  if (bytes.size() != wanted)
    return makeError("tensor '" + name + "' has " + Twine(bytes.size()) + " bytes of data, its shape needs " +
                     Twine(wanted));
  return fromBytes(*dtype, bytes, shape, name);
}

Error Loader::readAttribute(const onnx::AttributeProto &proto, Node &node) {
  OnnxAttribute attribute;
  switch (proto.type()) {
  case onnx::AttributeProto::FLOAT:
    attribute.kind = OnnxAttribute::Kind::Float;
    attribute.f = proto.f();
    break;
  case onnx::AttributeProto::INT:
    attribute.kind = OnnxAttribute::Kind::Int;
    attribute.i = proto.i();
    break;
  case onnx::AttributeProto::STRING:
    attribute.kind = OnnxAttribute::Kind::String;
    attribute.s = proto.s();
    break;
  case onnx::AttributeProto::FLOATS:
    attribute.kind = OnnxAttribute::Kind::Floats;
    attribute.floats.assign(proto.floats().begin(), proto.floats().end());
    break;
  case onnx::AttributeProto::INTS:
    attribute.kind = OnnxAttribute::Kind::Ints;
    attribute.ints.assign(proto.ints().begin(), proto.ints().end());
    break;
  case onnx::AttributeProto::STRINGS:
    attribute.kind = OnnxAttribute::Kind::Strings;
    break;
  case onnx::AttributeProto::TENSOR: {
    attribute.kind = OnnxAttribute::Kind::Tensor;
    std::string name = node.opType == "Constant" && !node.outputs.empty() ? node.outputs.front() : node.name;
    Expected<ConstantPtr> tensor = readTensor(proto.t(), name);
    if (!tensor)
      return tensor.takeError();
    attribute.tensor = *tensor;
    break;
  }
  default:
    break;
  }
  node.attributes[proto.name()] = std::move(attribute);
  return Error::success();
}

Error Loader::readNode(const onnx::NodeProto &proto, size_t index) {
  Node node;
  node.opType = proto.op_type();
  node.name = proto.name().empty() ? node.opType + "#" + std::to_string(index) : proto.name();
  node.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  for (const auto &attribute : proto.attribute())
    if (Error error = readAttribute(attribute, node))
      return error;
  model.nodes.push_back(std::move(node));
  return Error::success();
}

ValueInfo Loader::readValueInfo(const onnx::ValueInfoProto &proto) {
  ValueInfo info;
  info.name = proto.name();
  if (!proto.has_type() || !proto.type().has_tensor_type())
    return info;
  const auto &type = proto.type().tensor_type();
  info.type = typeName(type.elem_type());
  info.hasShape = type.has_shape();
  for (const auto &dim : type.shape().dim()) {
    bool known = dim.has_dim_value() && dim.dim_value() > 0;
    info.dims.push_back(known ? std::optional<int64_t>(dim.dim_value()) : std::nullopt);
    info.dimNames.push_back(dim.dim_param());
  }
  return info;
}

std::vector<bool> Loader::findNeeded(const onnx::GraphProto &graph) {
  StringMap<SmallVector<int, 1>> producers;
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string &output : graph.node(i).output())
      producers[output].push_back(i);
  std::vector<bool> nodes(graph.node_size());
  SmallVector<StringRef> worklist;
  auto need = [&](StringRef name) {
    if (!name.empty() && model.needed.insert(name).second)
      worklist.push_back(name);
  };
  if (graph.output_size() > 0)
    need(graph.output(0).name());
  while (!worklist.empty()) {
    auto found = producers.find(worklist.pop_back_val());
    if (found == producers.end())
      continue; // an initializer, an input, or an error found later
    for (int producer : found->second) {
      if (nodes[producer])
        continue;
      nodes[producer] = true;
      for (const std::string &input : graph.node(producer).input())
        need(input);
    }
  }
  return nodes;
}

void Loader::readInputs(const onnx::GraphProto &graph) {
  std::set<std::string> initialized;
  for (const auto &proto : graph.initializer())
    initialized.insert(proto.name());
  std::vector<ValueInfo> unneeded;
  for (const auto &input : graph.input())
    if (!initialized.count(input.name()))
      (model.needed.contains(input.name()) ? model.inputs : unneeded).push_back(readValueInfo(input));
  if (model.inputs.empty())
    model.inputs = std::move(unneeded);
}

Error Loader::readGraph(const onnx::GraphProto &graph) {
  const std::vector<bool> needed = findNeeded(graph);
  for (const auto &proto : graph.initializer()) {
    if (!model.needed.contains(proto.name()))
      continue;
    Expected<ConstantPtr> tensor = readTensor(proto, proto.name());
    if (!tensor)
      return tensor.takeError();
    if (*tensor && !model.initializers.emplace(proto.name(), *tensor).second)
      return makeError("initializer '" + proto.name() + "' is defined twice");
  }
  for (const auto &proto : graph.sparse_initializer())
    if (model.needed.contains(proto.values().name()))
      model.problems.push_back({"unsupported sparse initializer", proto.values().name()});
  for (int i = 0; i < graph.node_size(); ++i)
    if (needed[i])
      if (Error error = readNode(graph.node(i), i))
        return error;
  readInputs(graph);
  for (const auto &output : graph.output())
    model.outputs.push_back(readValueInfo(output));
  return Error::success();
}

Error Loader::readOpsets(const onnx::ModelProto &proto) {
  for (const auto &opset : proto.opset_import()) {
    if (!opset.domain().empty() && opset.domain() != "ai.onnx")
      continue;
    model.opset = opset.version();
    if (model.opset < kMinOpset || model.opset > kMaxOpset)
      model.problems.push_back({formatv("unsupported opset {0} (supported: {1} to {2}; export the model again with "
                                        "one of these)",
                                        model.opset, kMinOpset, kMaxOpset),
                                ""});
    return Error::success();
  }
  return makeError("the model does not say which ai.onnx opset it uses");
}

Expected<Model> Loader::load(StringRef bytes) {
  const std::string what = path ? "the file" : "the data";
  if (bytes.empty())
    return makeError(what + " is empty; export the model again");
  if (bytes.size() > static_cast<size_t>(std::numeric_limits<int>::max()))
    return makeError(what + " is larger than 2 GiB: keep the weights in an external data file");
  google::protobuf::LogSilencer silencer;
  onnx::ModelProto proto;
  if (!proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return makeError(what + " is no ONNX model, or is damaged; export it again");
  if (!proto.has_graph())
    return makeError(what + " holds no ONNX graph; export the model again");
  if (Error error = readOpsets(proto))
    return std::move(error);
  if (Error error = readGraph(proto.graph()))
    return std::move(error);
  return std::move(model);
}

} // namespace

Expected<Model> vitq::frontend::loadOnnxModel(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeError("cannot be read: " + buffer.getError().message());
  return Loader(path).load((*buffer)->getBuffer());
}

Expected<Model> vitq::frontend::parseOnnxModel(StringRef bytes) { return Loader().load(bytes); }
