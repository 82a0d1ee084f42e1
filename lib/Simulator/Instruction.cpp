//===- Instruction.cpp - Instructions as bytes and as text -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Instruction.h"

#include "InstructionFields.h"
#include "Lexer.h"
#include "vitq/Support/NearestNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace vitq;
using namespace vitq::simulator;
using llvm::formatv;

namespace {

enum Field : uint8_t {
  Local,
  Local2,
  Rows,
  Cols,
  TileStride,
  PlaneStride,
  Shift,
  UnitNumber,
  Row,
  Channel,
  Dram,
  Pitch
};
constexpr unsigned kNumFields = 12;

/// How a field of an opcode is written.
struct FieldSpec {
  Field field;
  llvm::StringLiteral word;
  /// Written even if 0.
  bool always;
};

struct OpcodeSpec {
  llvm::StringLiteral name;
  uint16_t flags;
  llvm::ArrayRef<FieldSpec> fields;
};

} // namespace

static constexpr FieldSpec kMvin[] = {{Local, "local", true},
                                      {Rows, "rows", true},
                                      {Cols, "cols", true},
                                      {Dram, "from", true},
                                      {Pitch, "pitch", true},
                                      {TileStride, "tile_stride", false},
                                      {PlaneStride, "plane_stride", false},
                                      {Shift, "planes", false}};
static constexpr FieldSpec kMvinAcc[] = {
    {Local, "local", true}, {Rows, "rows", true}, {Cols, "cols", true}, {Dram, "from", true}, {Pitch, "pitch", true}};
static constexpr FieldSpec kPreload[] = {{Local, "weights", true},
                                         {Rows, "rows", true},
                                         {Cols, "cols", true},
                                         {Local2, "sums", true},
                                         {Shift, "shift", false}};
static constexpr FieldSpec kCompute[] = {
    {Local, "left", true}, {Rows, "rows", true}, {Cols, "cols", true}, {Local2, "right", false}};
static constexpr FieldSpec kMvout[] = {{Local, "local", true}, {Rows, "rows", true},
                                       {Cols, "cols", true},   {Dram, "to", true},
                                       {Pitch, "pitch", true}, {TileStride, "tile_stride", false},
                                       {Shift, "shift", false}};
static constexpr FieldSpec kUnits[] = {{UnitNumber, "unit", true},        {Row, "row", true},   {Rows, "rows", true},
                                       {Channel, "channel", true},        {Cols, "cols", true}, {Local, "local", false},
                                       {TileStride, "tile_stride", false}};

/// By Opcode.
static const std::array<OpcodeSpec, kNumOpcodes> kOpcodes = {{
    {"fence", 0, {}},
    {"mvin", FlagSplit, kMvin},
    {"mvin_acc", FlagAccumulate, kMvinAcc},
    {"preload", FlagAccumulate | FlagTranspose, kPreload},
    {"compute", FlagLhsUnsigned | FlagRhsUnsigned | FlagFresh | FlagLast, kCompute},
    {"mvout", FlagScale | FlagRelu, kMvout},
    {"units", FlagFromAccumulator, kUnits},
}};

/// By bit.
static constexpr llvm::StringLiteral kFlagNames[] = {"split",        "accumulate",      "transpose", "lhs_unsigned",
                                                     "rhs_unsigned", "fresh",           "last",      "scale",
                                                     "relu",         "from_accumulator"};

static const OpcodeSpec &specOf(Opcode opcode) { return kOpcodes[static_cast<unsigned>(opcode)]; }

/// Calls `visit` with the member that holds a field.
template <typename I, typename V>
static auto visitField(I &instruction, Field field, V visit) {
  switch (field) {
  case Local:
    return visit(instruction.local);
  case Local2:
    return visit(instruction.local2);
  case Rows:
    return visit(instruction.rows);
  case Cols:
    return visit(instruction.cols);
  case TileStride:
    return visit(instruction.tileStride);
  case PlaneStride:
    return visit(instruction.planeStride);
  case Shift:
    return visit(instruction.shift);
  case UnitNumber:
    return visit(instruction.unit);
  case Row:
    return visit(instruction.row);
  case Channel:
    return visit(instruction.channel);
  case Dram:
    return visit(instruction.dram.offset);
  case Pitch:
    return visit(instruction.dram.pitch);
  }
  llvm_unreachable("all fields are above");
}

static constexpr llvm::StringLiteral kFieldNames[kNumFields] = {
    "local", "local2", "rows", "cols",    "tile stride",        "plane stride",
    "shift", "unit",   "row",  "channel", "operand and offset", "pitch"};

llvm::Error simulator::checkFields(const Instruction &instruction) {
  const OpcodeSpec &spec = specOf(instruction.opcode);
  for (unsigned bit = 0; bit < 16; ++bit)
    if (const unsigned flag = 1u << bit; instruction.flags & flag & ~spec.flags)
      return llvm::createStringError(bit < std::size(kFlagNames)
                                         ? formatv("{0} has no flag '{1}'", spec.name, kFlagNames[bit]).str()
                                         : formatv("flag bit {0} is reserved and must be 0", bit).str());
  for (unsigned i = 0; i < kNumFields; ++i) {
    const auto field = static_cast<Field>(i);
    if (llvm::any_of(spec.fields, [&](const FieldSpec &entry) { return entry.field == field; }))
      continue;
    bool isZero = visitField(instruction, field, [](const auto &value) { return value == 0; });
    if (field == Dram)
      isZero &= instruction.dram.operand == 0;
    if (!isZero)
      return llvm::createStringError(formatv("{0} has no {1}; the field must be 0", spec.name, kFieldNames[i]).str());
  }
  return llvm::Error::success();
}

EncodedInstruction simulator::encode(const Instruction &instruction) {
  using namespace llvm::support;
  EncodedInstruction bytes = {};
  const bool isUnits = instruction.opcode == Opcode::Units;
  bytes[0] = static_cast<uint8_t>(instruction.opcode);
  bytes[1] = instruction.shift;
  endian::write16le(&bytes[2], instruction.flags);
  endian::write32le(&bytes[4], instruction.local);
  endian::write32le(&bytes[8], instruction.local2);
  endian::write16le(&bytes[12], instruction.rows);
  endian::write16le(&bytes[14], instruction.cols);
  endian::write16le(&bytes[16], instruction.tileStride);
  endian::write16le(&bytes[18], instruction.planeStride);
  bytes[20] = instruction.dram.operand;
  bytes[21] = instruction.unit;
  endian::write32le(&bytes[24], isUnits ? instruction.row : instruction.dram.offset);
  endian::write32le(&bytes[28], isUnits ? instruction.channel : instruction.dram.pitch);
  return bytes;
}

llvm::Expected<Instruction> simulator::decode(llvm::ArrayRef<uint8_t> bytes) {
  using namespace llvm::support;
  if (bytes.size() != kInstructionBytes)
    return llvm::createStringError(
        formatv("an instruction has {0} bytes, not {1}", kInstructionBytes, bytes.size()).str());
  if (bytes[0] >= kNumOpcodes)
    return llvm::createStringError(formatv("there is no opcode {0}", bytes[0]).str());
  if (bytes[22] || bytes[23])
    return llvm::createStringError("bytes 22 and 23 of an instruction are reserved and must be 0");
  Instruction instruction;
  instruction.opcode = static_cast<Opcode>(bytes[0]);
  instruction.shift = bytes[1];
  instruction.flags = endian::read16le(&bytes[2]);
  instruction.local = endian::read32le(&bytes[4]);
  instruction.local2 = endian::read32le(&bytes[8]);
  instruction.rows = endian::read16le(&bytes[12]);
  instruction.cols = endian::read16le(&bytes[14]);
  instruction.tileStride = endian::read16le(&bytes[16]);
  instruction.planeStride = endian::read16le(&bytes[18]);
  instruction.dram.operand = bytes[20];
  instruction.unit = bytes[21];
  const bool isUnits = instruction.opcode == Opcode::Units;
  (isUnits ? instruction.row : instruction.dram.offset) = endian::read32le(&bytes[24]);
  (isUnits ? instruction.channel : instruction.dram.pitch) = endian::read32le(&bytes[28]);
  if (llvm::Error error = checkFields(instruction))
    return error;
  return instruction;
}

std::string simulator::print(const Instruction &instruction) {
  const OpcodeSpec &spec = specOf(instruction.opcode);
  std::string text = spec.name.str();
  llvm::raw_string_ostream os(text);
  for (const FieldSpec &entry : spec.fields)
    visitField(instruction, entry.field, [&](const auto &value) {
      if (value == 0 && !entry.always)
        return;
      os << ' ' << entry.word << ' ';
      if (entry.field == Dram)
        os << unsigned(instruction.dram.operand) << " + " << value;
      else if (entry.field != Local && entry.field != Local2)
        os << unsigned(value);
      else if (value == kNone)
        os << "none";
      else
        os << formatv("{0:x}", value);
    });
  for (auto [bit, name] : llvm::enumerate(kFlagNames))
    if (instruction.flags & spec.flags & (1u << bit))
      os << ' ' << name;
  return text;
}

/// Reads the value of one field.
static llvm::Error parseField(Lexer &lexer, const FieldSpec &entry, Instruction &instruction) {
  if (entry.field == Dram) {
    if (llvm::Error error = lexer.number(instruction.dram.operand, "the operand"))
      return error;
    if (!lexer.consume("+"))
      return llvm::createStringError("expected '+' and an offset after the operand, found " +
                                     Lexer::quote(lexer.peek()));
  }
  return visitField(instruction, entry.field, [&](auto &value) -> llvm::Error {
    if ((entry.field == Local || entry.field == Local2) && lexer.consume("none")) {
      value = static_cast<std::remove_reference_t<decltype(value)>>(kNone);
      return llvm::Error::success();
    }
    return lexer.number(value, entry.word);
  });
}

/// Reads fields and flags in any order.
static llvm::Error parseOperands(Lexer &lexer, const OpcodeSpec &spec, Instruction &instruction) {
  unsigned seen = 0;
  while (!lexer.atEnd()) {
    const llvm::StringRef word = lexer.word();
    if (const FieldSpec *entry = llvm::find_if(spec.fields, [&](const FieldSpec &e) { return e.word == word; });
        entry != spec.fields.end()) {
      if (seen & (1u << entry->field))
        return llvm::createStringError(formatv("'{0}' is given twice", word).str());
      seen |= 1u << entry->field;
      if (llvm::Error error = parseField(lexer, *entry, instruction))
        return error;
      continue;
    }
    const auto *flag = llvm::find(kFlagNames, word);
    const auto bit = static_cast<uint16_t>(flag == std::end(kFlagNames) ? 0 : 1u << (flag - kFlagNames));
    if (!(bit & spec.flags)) {
      llvm::SmallVector<llvm::StringRef> words;
      for (const FieldSpec &entry : spec.fields)
        words.push_back(entry.word);
      for (auto [i, name] : llvm::enumerate(kFlagNames))
        if (spec.flags & (1u << i))
          words.push_back(name);
      return llvm::createStringError(
          words.empty() ? formatv("{0} stands alone, found '{1}'", spec.name, word).str()
                        : formatv("{0} has no '{1}', but {2}", spec.name, word, llvm::join(words, ", ")).str());
    }
    if (instruction.flags & bit)
      return llvm::createStringError(formatv("'{0}' is given twice", word).str());
    instruction.flags |= bit;
  }
  for (const FieldSpec &entry : spec.fields)
    if (entry.always && !(seen & (1u << entry.field)))
      return llvm::createStringError(formatv("{0} needs '{1}'", spec.name, entry.word).str());
  return llvm::Error::success();
}

llvm::Expected<Instruction> simulator::parseInstruction(llvm::StringRef line) {
  Lexer lexer(line);
  const llvm::StringRef name = lexer.word();
  const auto *spec = llvm::find_if(kOpcodes, [&](const OpcodeSpec &entry) { return entry.name == name; });
  if (spec == kOpcodes.end()) {
    llvm::SmallVector<llvm::StringRef> names;
    for (const OpcodeSpec &entry : kOpcodes)
      names.push_back(entry.name);
    return llvm::createStringError(
        formatv("expected an instruction ({0}), found {1}{2}", llvm::join(names, ", "), Lexer::quote(name),
                name.empty() ? "" : "; did you mean '" + nearestNames(name, names, 1).front().str() + "'?")
            .str());
  }
  Instruction instruction;
  instruction.opcode = static_cast<Opcode>(spec - kOpcodes.begin());
  if (llvm::Error error = parseOperands(lexer, *spec, instruction))
    return error;
  return instruction;
}
