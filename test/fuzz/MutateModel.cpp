//===- MutateModel.cpp - Damaged ONNX models ----------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"

#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "onnx/onnx_pb.h"

#include <algorithm>
#include <cstring>

using namespace vitq::fuzz;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

namespace {

/// A length-delimited field as it lies in the file: key, length, payload.
struct WireField {
  Span all, length, payload;
};

/// Finds the length-delimited fields of a good file.
class WireReader {
public:
  explicit WireReader(llvm::StringRef bytes) : bytes(bytes) {}

  void read(Span span, const Descriptor *type);

  std::vector<WireField> fields;
  /// Everything but long strings, which are weights.
  std::vector<Span> structure;

private:
  uint64_t varint(size_t &at) const {
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      auto byte = static_cast<uint8_t>(bytes[at++]);
      value |= uint64_t(byte & 0x7f) << shift;
      if (byte < 0x80)
        return value;
    }
  }

  llvm::StringRef bytes;
};

} // namespace

void WireReader::read(Span span, const Descriptor *type) {
  for (size_t at = span.begin; at < span.end;) {
    size_t begin = at;
    uint64_t key = varint(at);
    size_t afterKey = at;
    if ((key & 7) == 0) {
      varint(at);
    } else if ((key & 7) != 2) {
      at += (key & 7) == 1 ? 8 : 4;
    } else {
      size_t length = varint(at), payload = at;
      at += length;
      fields.push_back({{begin, at}, {afterKey, payload}, {payload, at}});
      const FieldDescriptor *field = type->FindFieldByNumber(static_cast<int>(key >> 3));
      if (field && field->message_type()) {
        structure.push_back({begin, payload});
        read({payload, at}, field->message_type());
        continue;
      }
      structure.push_back({begin, length < 256 ? at : payload});
      continue;
    }
    structure.push_back({begin, at});
  }
}

struct ModelMutator::Parsed {
  onnx::ModelProto proto;
  WireReader wire;
  /// What names in the model can be exchanged for.
  std::vector<std::string> values, operators;

  explicit Parsed(const std::string &bytes) : wire(bytes) {}
};

ModelMutator::ModelMutator(std::string bytes) : good(std::move(bytes)), parsed(std::make_unique<Parsed>(good)) {
  if (!parsed->proto.ParseFromString(good))
    return;
  parsed->wire.read({0, good.size()}, onnx::ModelProto::descriptor());
  parsed->operators = {"LSTM", "Conv",   "Softmax", "Relu",      "Flatten", "Pad",  "Tile",     "Where",
                       "Gelu", "Expand", "Split",   "ScatterND", "Resize",  "TopK", "GatherND", "MaxPool"};
  for (const auto &node : parsed->proto.graph().node()) {
    parsed->operators.push_back(node.op_type());
    parsed->values.insert(parsed->values.end(), node.output().begin(), node.output().end());
  }
  for (const auto &tensor : parsed->proto.graph().initializer())
    parsed->values.push_back(tensor.name());
}

ModelMutator::~ModelMutator() = default;

//===----------------------------------------------------------------------===//
// The wire format
//===----------------------------------------------------------------------===//

static std::string encodeVarint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7)
    bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

static std::string cutOut(const std::string &bytes, Span span) {
  return bytes.substr(span.begin, span.end - span.begin);
}

/// Changes a length, or removes, repeats or exchanges fields without telling those
/// that enclose them.
static std::string mutateWire(std::string bytes, llvm::ArrayRef<WireField> fields, Random &random) {
  const WireField *first = &random.pick(fields), *second = &random.pick(fields);
  size_t length = first->payload.end - first->payload.begin;
  auto replace = [&](Span span, const std::string &text) { bytes.replace(span.begin, span.end - span.begin, text); };
  switch (random.below(5)) {
  case 0:
    replace(first->length, encodeVarint(static_cast<uint64_t>(oddInteger(random))));
    break;
  case 1:
    replace(first->length, encodeVarint(length + random.below(3) - 1));
    break;
  case 2:
    replace(first->all, "");
    break;
  case 3:
    replace(first->all, cutOut(bytes, second->all));
    break;
  default:
    if (first->all.begin > second->all.begin)
      std::swap(first, second);
    if (first->all.end > second->all.begin)
      break; // one is inside the other
    std::string later = cutOut(bytes, second->all), earlier = cutOut(bytes, first->all);
    replace(second->all, earlier);
    replace(first->all, later);
    break;
  }
  return bytes;
}

//===----------------------------------------------------------------------===//
// Inside a well-formed file
//===----------------------------------------------------------------------===//

namespace {
/// Damages a message in place; what is written is a protobuf message again.
class MessageMutator {
public:
  MessageMutator(Random &random, llvm::ArrayRef<std::string> values, llvm::ArrayRef<std::string> operators)
      : random(random), values(values), operators(operators) {}

  /// Damages one field somewhere in `message`.
  void damage(Message &message);

private:
  void damageField(Message &message, const FieldDescriptor *field);
  void damageRepeated(Message &message, const FieldDescriptor *field);
  /// `index` is that of a repeated field, else -1.
  void replaceScalar(Message &message, const FieldDescriptor *field, int index);
  std::string otherString(const FieldDescriptor *field, std::string now);
  std::string otherWeights(std::string now);

  Random &random;
  llvm::ArrayRef<std::string> values, operators;
};
} // namespace

void MessageMutator::damage(Message &message) {
  const Reflection &reflection = *message.GetReflection();
  std::vector<const FieldDescriptor *> fields;
  reflection.ListFields(message, &fields);
  if (fields.empty())
    return;
  const FieldDescriptor *field = random.pick<const FieldDescriptor *>(fields);
  // Most of what can go wrong is in nodes and tensors, which are few fields of many.
  if (const FieldDescriptor *functions = message.GetDescriptor()->FindFieldByName("functions");
      functions && reflection.FieldSize(message, functions) && random.oneIn(3))
    return damage(*reflection.MutableRepeatedMessage(
        &message, functions, static_cast<int>(random.below(reflection.FieldSize(message, functions)))));
  for (auto [name, chance] : {std::pair("graph", 20), {"initializer", 3}, {"node", 3}})
    if (const FieldDescriptor *better = message.GetDescriptor()->FindFieldByName(name); better && !random.oneIn(chance))
      field = better;
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || random.oneIn(field->is_repeated() ? 8 : 20))
    return damageField(message, field);
  if (!field->is_repeated() && !reflection.HasField(message, field))
    return;
  if (!field->is_repeated())
    return damage(*reflection.MutableMessage(&message, field));
  int size = reflection.FieldSize(message, field);
  if (size == 0)
    return;
  int at = static_cast<int>(random.below(size));
  return damage(*reflection.MutableRepeatedMessage(&message, field, at));
}

void MessageMutator::damageRepeated(Message &message, const FieldDescriptor *field) {
  const Reflection &reflection = *message.GetReflection();
  bool isMessage = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  int size = reflection.FieldSize(message, field);
  if (size == 0)
    return;
  int at = static_cast<int>(random.below(size)), other = static_cast<int>(random.below(size));
  switch (random.below(isMessage ? 4 : 3)) {
  case 0:
    reflection.SwapElements(&message, field, at, size - 1);
    reflection.RemoveLast(&message, field);
    return;
  case 1:
    return reflection.SwapElements(&message, field, at, other);
  case 2:
    if (!isMessage)
      return replaceScalar(message, field, at);
    reflection.MutableRepeatedMessage(&message, field, at)
        ->CopyFrom(reflection.GetRepeatedMessage(message, field, other));
    return;
  default: {
    Message *added = reflection.AddMessage(&message, field);
    return added->CopyFrom(reflection.GetRepeatedMessage(message, field, at));
  }
  }
}

void MessageMutator::damageField(Message &message, const FieldDescriptor *field) {
  if (field->is_repeated())
    return damageRepeated(message, field);
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE || random.oneIn(4))
    return message.GetReflection()->ClearField(&message, field);
  replaceScalar(message, field, -1);
}

std::string MessageMutator::otherWeights(std::string now) {
  if (random.oneIn(2) && now.size() >= sizeof(float)) {
    auto value = static_cast<float>(oddNumber(random));
    std::memcpy(now.data() + random.below(now.size() / sizeof value) * sizeof value, &value, sizeof value);
    return now;
  }
  now.resize(random.oneIn(2) ? random.below(now.size() + 1) : now.size() + 1 + random.below(64));
  return now;
}

std::string MessageMutator::otherString(const FieldDescriptor *field, std::string now) {
  if (field->name() == "raw_data")
    return otherWeights(std::move(now));
  switch (random.below(6)) {
  case 0:
    return "";
  case 1:
    return now + std::string(1, static_cast<char>(random.below(256)));
  case 2:
    return std::string(random.oneIn(2) ? 3 : 70000, static_cast<char>(random.below(256)));
  default:
    return random.pick(field->name() == "op_type" ? operators : values);
  }
}

void MessageMutator::replaceScalar(Message &message, const FieldDescriptor *field, int index) {
  const Reflection &reflection = *message.GetReflection();
  auto set = [&](auto setOne, auto setRepeated, auto value) {
    if (index < 0)
      (reflection.*setOne)(&message, field, value);
    else
      (reflection.*setRepeated)(&message, field, index, value);
  };
  switch (field->cpp_type()) {
  case FieldDescriptor::CPPTYPE_INT32:
    return set(&Reflection::SetInt32, &Reflection::SetRepeatedInt32, static_cast<int32_t>(oddInteger(random)));
  case FieldDescriptor::CPPTYPE_INT64:
    return set(&Reflection::SetInt64, &Reflection::SetRepeatedInt64, oddInteger(random));
  case FieldDescriptor::CPPTYPE_UINT64:
    return set(&Reflection::SetUInt64, &Reflection::SetRepeatedUInt64, static_cast<uint64_t>(oddInteger(random)));
  case FieldDescriptor::CPPTYPE_FLOAT:
    return set(&Reflection::SetFloat, &Reflection::SetRepeatedFloat, static_cast<float>(oddNumber(random)));
  case FieldDescriptor::CPPTYPE_DOUBLE:
    return set(&Reflection::SetDouble, &Reflection::SetRepeatedDouble, oddNumber(random));
  case FieldDescriptor::CPPTYPE_ENUM: {
    const auto *type = field->enum_type();
    int value = type->value(static_cast<int>(random.below(type->value_count())))->number();
    return set(&Reflection::SetEnumValue, &Reflection::SetRepeatedEnumValue, value);
  }
  case FieldDescriptor::CPPTYPE_STRING: {
    std::string now =
        index < 0 ? reflection.GetString(message, field) : reflection.GetRepeatedString(message, field, index);
    return set(&Reflection::SetString, &Reflection::SetRepeatedString, otherString(field, std::move(now)));
  }
  default:
    return;
  }
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

std::string ModelMutator::mutate(uint64_t seed) const {
  Random random(seed);
  size_t kind = random.below(20);
  if (kind == 0)
    return mutateBytes(good, Span{0, good.size()}, random);
  if (kind < 3)
    return mutateBytes(good, parsed->wire.structure, random);
  if (kind == 3)
    return mutateWire(good, parsed->wire.fields, random);
  onnx::ModelProto copy = parsed->proto;
  MessageMutator mutator(random, parsed->values, parsed->operators);
  for (size_t times = size_t(1) << random.below(3); times; --times)
    mutator.damage(copy);
  return copy.SerializeAsString();
}
