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

#include "ExternalData.h"
#include "ModelOutputs.h"
#include "OnnxFunctions.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <onnx/onnx_pb.h>

#include <set>

using namespace llvm;
using namespace vitq;
using namespace vitq::frontend;

namespace {

Error makeError(const Twine &message) { return createStringError(inconvertibleErrorCode(), message); }

/// Data of a tensor, and what keeps it in memory.
struct Bytes {
  StringRef data;
  std::shared_ptr<const void> owner;
};

/// Turns protobuf structures into ours.
class Loader {
public:
  explicit Loader(const ImportOptions &options) : options(options), what("the data") {}
  /// The folder of `path` is where external data is looked for.
  Loader(StringRef path, const ImportOptions &options) : options(options), what("the file"), externalFiles(path) {}
  /// Reads a model of `size` bytes.
  Expected<Model> load(google::protobuf::io::ZeroCopyInputStream &stream, uint64_t size);

private:
  Error readOpsets(const onnx::ModelProto &proto);
  Error readGraph(onnx::GraphProto &graph);
  void readInputs(const onnx::GraphProto &graph);
  Expected<Node> readNode(onnx::NodeProto &proto, size_t index);
  Error readInitializers(onnx::GraphProto &graph, const StringSet<> &needed,
                         std::map<std::string, ConstantPtr> &initializers);
  Expected<std::shared_ptr<const Graph>> readSubgraph(onnx::GraphProto &proto);
  Error readAttribute(onnx::AttributeProto &proto, Node &node);
  ValueInfo readValueInfo(const onnx::ValueInfoProto &proto);
  /// Null when the element type is unsupported, which is noted as a problem.
  Expected<ConstantPtr> readTensor(onnx::TensorProto &proto, const std::string &name);
  Expected<Bytes> externalData(const onnx::TensorProto &proto, const std::string &name, uint64_t wanted);

  const ImportOptions &options;
  /// What diagnostics call the model.
  std::string what;
  ExternalFiles externalFiles;
  Model model;
};

std::string typeName(int32_t type) {
  if (!onnx::TensorProto_DataType_IsValid(type))
    return "type " + std::to_string(type);
  return StringRef(onnx::TensorProto_DataType_Name(static_cast<onnx::TensorProto_DataType>(type))).lower();
}

/// Names that nodes and outputs of `graph`, or graphs inside it, read and it does not define.
std::vector<std::string> captured(const onnx::GraphProto &graph) {
  StringSet<> defined;
  for (const auto &input : graph.input())
    defined.insert(input.name());
  for (const auto &tensor : graph.initializer())
    defined.insert(tensor.name());
  for (const auto &node : graph.node())
    defined.insert_range(node.output());
  std::vector<std::string> names;
  auto read = [&](const std::string &name) {
    if (!name.empty() && defined.insert(name).second)
      names.push_back(name);
  };
  for (const auto &node : graph.node()) {
    llvm::for_each(node.input(), read);
    for (const auto &attribute : node.attribute())
      if (attribute.has_g())
        llvm::for_each(captured(attribute.g()), read);
  }
  for (const auto &output : graph.output())
    read(output.name());
  return names;
}

/// Adds the names of values that `outputs` need to `needed`; the nodes that make them.
std::vector<bool> findNeeded(const onnx::GraphProto &graph, ArrayRef<std::string> outputs, StringSet<> &needed) {
  StringMap<SmallVector<int, 1>> producers;
  for (int i = 0; i < graph.node_size(); ++i)
    for (const std::string &output : graph.node(i).output())
      producers[output].push_back(i);
  std::vector<bool> nodes(graph.node_size());
  SmallVector<StringRef> worklist;
  auto need = [&](const std::string &name) {
    if (name.empty())
      return;
    // The set's own copy of the name stays.
    if (auto [it, isNew] = needed.insert(name); isNew)
      worklist.push_back(it->getKey());
  };
  llvm::for_each(outputs, need);
  while (!worklist.empty()) {
    auto found = producers.find(worklist.pop_back_val());
    if (found == producers.end())
      continue; // an initializer, an input, of a graph around this one, or an error found later
    for (int producer : found->second) {
      if (nodes[producer])
        continue;
      nodes[producer] = true;
      llvm::for_each(graph.node(producer).input(), need);
      for (const auto &attribute : graph.node(producer).attribute())
        if (attribute.has_g())
          llvm::for_each(captured(attribute.g()), need);
    }
  }
  return nodes;
}

/// Elements of 4 bits, two in a byte, the first in its low half.
ConstantPtr fromNibbles(DType dtype, StringRef bytes, ArrayRef<int64_t> shape, const std::string &name) {
  auto constant = std::make_shared<OnnxConstant>(dtype, shape, name);
  for (int64_t i = 0, e = constant->size(); i < e; ++i)
    constant->setInt(i, static_cast<uint8_t>(bytes[i / 2]) >> (i % 2 * 4));
  return constant;
}

/// How many bytes `count` elements are in a file.
uint64_t bytesInFile(DType dtype, int64_t count) {
  const auto elements = static_cast<uint64_t>(count);
  return isNibble(dtype) ? elements / 2 + elements % 2 : elements * sizeOf(frontend::kindOf(dtype));
}

/// The bytes of a tensor's data, whose number fits, little endian like this machine's. They
/// stay where they are when they are kept there.
ConstantPtr fromBytes(DType dtype, const Bytes &bytes, ArrayRef<int64_t> shape, const std::string &name) {
  if (isNibble(dtype))
    return fromNibbles(dtype, bytes.data, shape, name);
  const ElementKind kind = frontend::kindOf(dtype);
  const bool isAligned = reinterpret_cast<uintptr_t>(bytes.data.data()) % sizeOf(kind) == 0;
  if (bytes.owner && isAligned && dtype != DType::Bool)
    return std::make_shared<OnnxConstant>(dtype, Tensor::view(kind, shape, bytes.data.data(), bytes.owner), name);
  Tensor elements = Tensor::allocate(kind, shape);
  llvm::copy(bytes.data, elements.mutableBytes());
  // A bool may be any byte but 0.
  if (dtype == DType::Bool)
    for (char &byte : MutableArrayRef(elements.mutableBytes(), bytes.data.size()))
      byte = byte != 0;
  return std::make_shared<OnnxConstant>(dtype, std::move(elements), name);
}

/// The same of data in a field of its type. Halves are there as their bits, two elements of 4 bits as one byte.
Expected<ConstantPtr> readTyped(const onnx::TensorProto &proto, DType dtype, ArrayRef<int64_t> shape,
                                const std::string &name) {
  const bool isWide = dtype == DType::U32 || dtype == DType::U64;
  int64_t have = dtype == DType::F32   ? proto.float_data_size()
                 : dtype == DType::F64 ? proto.double_data_size()
                 : dtype == DType::I64 ? proto.int64_data_size()
                 : isWide              ? proto.uint64_data_size()
                                       : proto.int32_data_size();
  // The shape is not trusted: nothing was allocated from it yet.
  std::optional<int64_t> wanted = countElements(shape);
  if (wanted && isNibble(dtype))
    wanted = *wanted / 2 + *wanted % 2;
  if (!wanted || have != *wanted)
    return makeError("tensor '" + name + "' has " + Twine(have) + " elements of data, its shape needs " +
                     Twine(wanted.value_or(-1)));
  if (isNibble(dtype)) {
    std::string bytes(proto.int32_data().begin(), proto.int32_data().end());
    return fromNibbles(dtype, bytes, shape, name);
  }
  auto constant = std::make_shared<OnnxConstant>(dtype, shape, name);
  for (int64_t i = 0; i < have; ++i) {
    if (dtype == DType::F32)
      constant->setDouble(i, proto.float_data(i));
    else if (dtype == DType::F64)
      constant->setDouble(i, proto.double_data(i));
    else if (isHalf(dtype))
      constant->elements.mutableData<uint16_t>()[i] = static_cast<uint16_t>(proto.int32_data(i));
    else
      constant->setInt(i, dtype == DType::I64 ? proto.int64_data(i)
                          : isWide            ? static_cast<int64_t>(proto.uint64_data(i))
                                              : proto.int32_data(i));
  }
  return constant;
}

Expected<Bytes> Loader::externalData(const onnx::TensorProto &proto, const std::string &name, uint64_t wanted) {
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
  Expected<std::shared_ptr<MemoryBuffer>> file = externalFiles.open(location);
  if (!file)
    return makeError("external data '" + location + "' of tensor '" + name + "' " + toString(file.takeError()));
  StringRef bytes = (*file)->getBuffer();
  if (length != wanted)
    return makeError("external data of tensor '" + name + "' has " + Twine(length) + " bytes, its shape needs " +
                     Twine(wanted));
  if (offset > bytes.size() || wanted > bytes.size() - offset)
    return makeError("external data of tensor '" + name + "' ends at byte " + Twine(bytes.size()) + " of '" + location +
                     "', but its " + Twine(wanted) + " bytes start at " + Twine(offset));
  const StringRef part = bytes.substr(offset, wanted);
  return Bytes{part, ExternalFiles::keep(*file, part)};
}

Expected<ConstantPtr> Loader::readTensor(onnx::TensorProto &proto, const std::string &name) {
  Shape shape(proto.dims().begin(), proto.dims().end());
  std::optional<DType> dtype = fromOnnxType(proto.data_type());
  if (!dtype) {
    model.problems.push_back({"unsupported element type " + typeName(proto.data_type()), name});
    return ConstantPtr();
  }
  std::optional<int64_t> count = countElements(shape);
  if (!count)
    return makeError("tensor '" + name + "' has a negative or absurd size");
  if (proto.has_segment())
    return makeError("tensor '" + name + "' is stored in segments, which is not supported");
  const uint64_t wanted = bytesInFile(*dtype, *count);
  bool isExternal = proto.data_location() == onnx::TensorProto::EXTERNAL;
  if (!isExternal && !proto.has_raw_data())
    return readTyped(proto, *dtype, shape, name);
  if (isExternal) {
    Expected<Bytes> external = externalData(proto, name, wanted);
    if (!external)
      return external.takeError();
    return fromBytes(*dtype, *external, shape, name);
  }
  if (proto.raw_data().size() != wanted)
    return makeError("tensor '" + name + "' has " + Twine(proto.raw_data().size()) +
                     " bytes of data, its shape needs " + Twine(wanted));
  // Taken from the model, which nobody reads again.
  std::shared_ptr<std::string> raw(wanted ? proto.release_raw_data() : new std::string);
  return fromBytes(*dtype, Bytes{*raw, raw}, shape, name);
}

Error Loader::readAttribute(onnx::AttributeProto &proto, Node &node) {
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
    Expected<ConstantPtr> tensor = readTensor(*proto.mutable_t(), name);
    if (!tensor)
      return tensor.takeError();
    attribute.tensor = *tensor;
    break;
  }
  case onnx::AttributeProto::GRAPH: {
    attribute.kind = OnnxAttribute::Kind::Graph;
    Expected<std::shared_ptr<const Graph>> graph = readSubgraph(*proto.mutable_g());
    if (!graph)
      return graph.takeError();
    attribute.graph = *graph;
    llvm::append_range(node.captured, captured(proto.g()));
    break;
  }
  default:
    break;
  }
  node.attributes[proto.name()] = std::move(attribute);
  return Error::success();
}

Expected<Node> Loader::readNode(onnx::NodeProto &proto, size_t index) {
  Node node;
  node.opType = proto.op_type();
  node.name = proto.name().empty() ? node.opType + "#" + std::to_string(index) : proto.name();
  node.domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
  node.module = moduleOf(proto);
  node.inputs.assign(proto.input().begin(), proto.input().end());
  node.outputs.assign(proto.output().begin(), proto.output().end());
  for (auto &attribute : *proto.mutable_attribute())
    if (Error error = readAttribute(attribute, node))
      return std::move(error);
  return node;
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

Error Loader::readInitializers(onnx::GraphProto &graph, const StringSet<> &needed,
                               std::map<std::string, ConstantPtr> &initializers) {
  for (auto &proto : *graph.mutable_initializer()) {
    if (!needed.contains(proto.name()))
      continue;
    Expected<ConstantPtr> tensor = readTensor(proto, proto.name());
    if (!tensor)
      return tensor.takeError();
    if (*tensor && !initializers.emplace(proto.name(), *tensor).second)
      return makeError("initializer '" + proto.name() + "' is defined twice");
  }
  for (const auto &proto : graph.sparse_initializer())
    if (needed.contains(proto.values().name()))
      model.problems.push_back({"unsupported sparse initializer", proto.values().name()});
  return Error::success();
}

Expected<std::shared_ptr<const Graph>> Loader::readSubgraph(onnx::GraphProto &proto) {
  auto graph = std::make_shared<Graph>();
  for (const auto &input : proto.input())
    graph->inputs.push_back(input.name());
  for (const auto &output : proto.output())
    graph->outputs.push_back(output.name());
  const std::vector<bool> needed = findNeeded(proto, graph->outputs, graph->needed);
  if (Error error = readInitializers(proto, graph->needed, graph->initializers))
    return std::move(error);
  for (int i = 0; i < proto.node_size(); ++i) {
    if (!needed[i])
      continue;
    Expected<Node> node = readNode(*proto.mutable_node(i), i);
    if (!node)
      return node.takeError();
    graph->nodes.push_back(std::move(*node));
  }
  return graph;
}

Error Loader::readGraph(onnx::GraphProto &graph) {
  if (Error error = chooseOutputs(graph, options).moveInto(model.results))
    return error;
  const std::vector<bool> needed = findNeeded(graph, model.results, model.needed);
  if (Error error = readInitializers(graph, model.needed, model.initializers))
    return error;
  for (int i = 0; i < graph.node_size(); ++i) {
    if (!needed[i])
      continue;
    Expected<Node> node = readNode(*graph.mutable_node(i), i);
    if (!node)
      return node.takeError();
    model.nodes.push_back(std::move(*node));
  }
  nameAfterModules(model.nodes);
  readInputs(graph);
  for (const auto &output : graph.output())
    model.outputs.push_back(readValueInfo(output));
  return Error::success();
}

Error Loader::readOpsets(const onnx::ModelProto &proto) {
  if (proto.ir_version() > kMaxIrVersion)
    model.problems.push_back(
        {formatv("unsupported IR version {0} (supported: up to {1})", proto.ir_version(), kMaxIrVersion), ""});
  for (const auto &opset : proto.opset_import()) {
    if (!opset.domain().empty() && opset.domain() != "ai.onnx")
      continue;
    model.opset = opset.version();
    if (model.opset < kMinOpset || model.opset > kLastOpset)
      model.problems.push_back({formatv("unsupported opset {0} (supported: {1} to {2}; export the model again with "
                                        "one of these)",
                                        model.opset, kMinOpset, kMaxOpset),
                                ""});
    return Error::success();
  }
  return makeError("the model does not say which ai.onnx opset it uses");
}

Expected<Model> Loader::load(google::protobuf::io::ZeroCopyInputStream &stream, uint64_t size) {
  if (size == 0)
    return makeError(what + " is empty; export the model again");
  if (size > static_cast<uint64_t>(std::numeric_limits<int>::max()))
    return makeError(what + " is larger than 2 GiB: keep the weights in an external data file");
  google::protobuf::LogSilencer silencer;
  onnx::ModelProto proto;
  if (!proto.ParseFromZeroCopyStream(&stream))
    return makeError(what + " is no ONNX model, or is damaged; export it again");
  if (!proto.has_graph())
    return makeError(what + " holds no ONNX graph; export the model again");
  if (Error error = readOpsets(proto))
    return std::move(error);
  if (Error error = inlineFunctions(proto, model.opset, model.problems))
    return std::move(error);
  if (Error error = readGraph(*proto.mutable_graph()))
    return std::move(error);
  return std::move(model);
}

} // namespace

/// Read in pieces: the file and what is made of it are never in memory both.
Expected<Model> vitq::frontend::loadOnnxModel(StringRef path, const ImportOptions &options) {
  Expected<sys::fs::file_t> file = sys::fs::openNativeFileForRead(path);
  if (!file)
    return makeError("cannot be read: " + toString(file.takeError()));
  // It was only read: closing it cannot lose anything.
  const scope_exit close([&] { std::ignore = sys::fs::closeFile(*file); });
  sys::fs::file_status status;
  if (std::error_code error = sys::fs::status(*file, status))
    return makeError("cannot be read: " + error.message());
  if (status.type() == sys::fs::file_type::directory_file)
    return makeError("cannot be read: it is a folder");
  google::protobuf::io::FileInputStream stream(*file, /*block_size=*/1 << 20);
  return Loader(path, options).load(stream, status.getSize());
}

Expected<Model> vitq::frontend::parseOnnxModel(StringRef bytes, const ImportOptions &options) {
  // No stream holds more.
  google::protobuf::io::ArrayInputStream stream(
      bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), std::numeric_limits<int>::max())));
  return Loader(options).load(stream, bytes.size());
}
