//===- OnnxWriter.cpp - Building an ONNX graph -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxWriter.h"

#include "vitq/Target/Onnx.h"

#include "llvm/Support/MathExtras.h"

#include <onnx/onnx_pb.h>

using namespace llvm;
using namespace vitq;
using namespace vitq::onnxwriter;

/// Of models with opset 21.
static constexpr int64_t kIrVersion = 10;
/// onnx.TensorProto.DataType, which older headers do not have.
static constexpr int32_t kUint4 = 21, kInt4 = 22;

struct Writer::Proto {
  onnx::ModelProto model;
  onnx::GraphProto &graph() { return *model.mutable_graph(); }
};

Writer::Writer() : proto(std::make_unique<Proto>()) {}
Writer::~Writer() = default;

std::string Writer::fresh(StringRef hint) {
  std::string name = hint.empty() ? "value" : hint.str();
  for (unsigned i = 1; !names.insert(name).second; ++i)
    name = (hint.empty() ? "value" : hint.str()) + "_" + std::to_string(i);
  return name;
}

std::string Writer::node(StringRef opType, ArrayRef<std::string> inputs, StringRef name,
                         ArrayRef<Attribute> attributes) {
  onnx::NodeProto &node = *proto->graph().add_node();
  node.set_op_type(opType.str());
  const std::string output = fresh(name);
  node.set_name(output);
  node.add_output(output);
  for (const std::string &input : inputs)
    node.add_input(input);
  for (const Attribute &attribute : attributes) {
    onnx::AttributeProto &entry = *node.add_attribute();
    entry.set_name(attribute.name);
    if (const auto *i = std::get_if<int64_t>(&attribute.value)) {
      entry.set_type(onnx::AttributeProto::INT);
      entry.set_i(*i);
    } else if (const auto *f = std::get_if<float>(&attribute.value)) {
      entry.set_type(onnx::AttributeProto::FLOAT);
      entry.set_f(*f);
    } else if (const auto *s = std::get_if<std::string>(&attribute.value)) {
      entry.set_type(onnx::AttributeProto::STRING);
      entry.set_s(*s);
    } else {
      entry.set_type(onnx::AttributeProto::INTS);
      for (int64_t value : std::get<std::vector<int64_t>>(attribute.value))
        entry.add_ints(value);
    }
  }
  return output;
}

static void setShape(onnx::TensorProto &tensor, ArrayRef<int64_t> shape) {
  for (int64_t size : shape)
    tensor.add_dims(size);
}

std::string Writer::constant(StringRef name, const Tensor &tensor) {
  onnx::TensorProto &entry = *proto->graph().add_initializer();
  entry.set_name(fresh(name));
  entry.set_data_type(isFloat(tensor.kind()) ? onnx::TensorProto::FLOAT : onnx::TensorProto::INT64);
  setShape(entry, tensor.shape());
  entry.set_raw_data(tensor.bytes(), tensor.numBytes());
  bytes += tensor.numBytes();
  return entry.name();
}

/// Two codes of 4 bits in a byte, the first in its low half.
static std::string packNibbles(const Tensor &codes) {
  std::string packed((codes.numElements() + 1) / 2, '\0');
  for (int64_t i = 0, e = codes.numElements(); i < e; ++i)
    packed[i / 2] = static_cast<char>(packed[i / 2] | (codes.intAt(i) & 15) << (i % 2 * 4));
  return packed;
}

std::string Writer::codes(StringRef name, const Tensor &tensor, unsigned bits, bool isSigned) {
  onnx::TensorProto &entry = *proto->graph().add_initializer();
  entry.set_name(fresh(name));
  setShape(entry, tensor.shape());
  if (bits <= 4) {
    entry.set_data_type(isSigned ? kInt4 : kUint4);
    entry.set_raw_data(packNibbles(tensor));
  } else {
    const bool isWord = bits > 8 && bits <= 16;
    entry.set_data_type(bits > 16  ? onnx::TensorProto::INT32
                        : isWord   ? (isSigned ? onnx::TensorProto::INT16 : onnx::TensorProto::UINT16)
                        : isSigned ? onnx::TensorProto::INT8
                                   : onnx::TensorProto::UINT8);
    Tensor stored = tensor.converted(bits > 16 ? ElementKind::I32 : isWord ? ElementKind::I16 : ElementKind::I8);
    entry.set_raw_data(stored.bytes(), stored.numBytes());
  }
  bytes += entry.raw_data().size();
  return entry.name();
}

static void setTensorType(onnx::ValueInfoProto &info, StringRef name, ArrayRef<int64_t> shape) {
  info.set_name(name.str());
  auto &type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  auto &dims = *type.mutable_shape();
  for (int64_t size : shape)
    dims.add_dim()->set_dim_value(size);
}

static void addMetadata(onnx::ModelProto &model, StringRef key, StringRef value) {
  auto &entry = *model.add_metadata_props();
  entry.set_key(key.str());
  entry.set_value(value.str());
}

static void addOpset(onnx::ModelProto &model, StringRef domain, int64_t version) {
  auto &import = *model.add_opset_import();
  import.set_domain(domain.str());
  import.set_version(version);
}

void Writer::addInput(StringRef name, ArrayRef<int64_t> shape) {
  names.insert(name);
  setTensorType(*proto->graph().add_input(), name, shape);
}

void Writer::addOutput(StringRef name, StringRef value, ArrayRef<int64_t> shape) {
  onnx::NodeProto &node = *proto->graph().add_node();
  node.set_op_type("Identity");
  node.set_name(fresh((name + "_out").str()));
  node.add_input(value.str());
  node.add_output(name.str());
  setTensorType(*proto->graph().add_output(), name, shape);
}

void Writer::addMetadata(StringRef key, StringRef value) { ::addMetadata(proto->model, key, value); }

bool Writer::fitsOneFile() const {
  constexpr uint64_t kLimit = (uint64_t(1) << 31) - (uint64_t(1) << 24); // 16 MiB for the nodes
  return bytes <= kLimit;
}

void Writer::writeWeights(raw_ostream &os, StringRef location) {
  constexpr uint64_t kPage = 4096;
  constexpr size_t kSmall = 1024;
  uint64_t offset = 0;
  for (onnx::TensorProto &tensor : *proto->graph().mutable_initializer()) {
    if (tensor.raw_data().size() < kSmall)
      continue;
    os.write_zeros(static_cast<unsigned>(alignTo(offset, kPage) - offset));
    offset = alignTo(offset, kPage);
    const uint64_t size = tensor.raw_data().size();
    os << tensor.raw_data();
    auto add = [&](const char *key, std::string value) {
      auto &entry = *tensor.add_external_data();
      entry.set_key(key);
      entry.set_value(std::move(value));
    };
    add("location", location.str());
    add("offset", std::to_string(offset));
    add("length", std::to_string(size));
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    tensor.clear_raw_data();
    offset += size;
    bytes -= size;
  }
}

Error Writer::write(raw_ostream &os, int64_t opset) {
  if (!fitsOneFile())
    return createStringError("the model holds " + Twine(bytes >> 20) +
                             " MiB of weights, which go to a file beside it: give -o FILE.onnx");
  onnx::ModelProto &model = proto->model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("vitq");
  model.mutable_graph()->set_name("main");
  addOpset(model, "", opset);
  std::string text;
  if (!model.SerializeToString(&text))
    return createStringError("the model cannot be serialized");
  os << text;
  return Error::success();
}

std::string OperatorModel::write() const {
  onnx::ModelProto model;
  model.set_ir_version(kIrVersion);
  model.set_producer_name("vitq");
  addOpset(model, "", kOnnxOpset);
  addOpset(model, domain, 1);
  onnx::GraphProto &graph = *model.mutable_graph();
  graph.set_name(name);
  auto setType = [](onnx::ValueInfoProto &info, const Value &value, int32_t type) {
    setTensorType(info, value.name, value.sizes);
    auto &tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    // The batch in front.
    auto &dims = *tensor.mutable_shape()->mutable_dim();
    dims.Add()->set_dim_param("N");
    for (int i = dims.size() - 1; i > 0; --i)
      dims.SwapElements(i, i - 1);
  };
  onnx::NodeProto &node = *graph.add_node();
  node.set_name(name);
  node.set_domain(domain);
  node.set_op_type(opType);
  node.add_input(input.name);
  setType(*graph.add_input(), input, onnx::TensorProto::UINT8);
  for (const Value &output : outputs) {
    node.add_output(output.name);
    setType(*graph.add_output(), output, onnx::TensorProto::INT32);
  }
  for (const auto &[key, value] : metadata)
    ::addMetadata(model, key, value);
  return model.SerializeAsString();
}
