//===- Program.cpp - Program files -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Simulator/Program.h"
#include "PackedImage.h"
#include "StageLists.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"

#include <limits>
#include <utility>

using namespace vitq;
using namespace vitq::simulator;
using llvm::formatv;

// A file is a header and sections, each exactly once and in this order.
//   header   magic (8), version (4), length of the file (8)
//   section  name (4), bytes of its contents (8), their CRC-32 (4), contents
static constexpr llvm::StringLiteral kSections[] = {"CONF", "MANI", "ROUT", "UNIT", "LNCH", "PLAC", "DATA", "HOST"};
static constexpr size_t kHeaderBytes = 20, kSectionBytes = 16;

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

namespace {

/// Appends little-endian numbers, and strings and lists after their 32-bit length.
class Writer {
public:
  explicit Writer(std::vector<char> &bytes) : bytes(bytes) {}

  template <typename T>
  void number(T value) {
    char raw[sizeof(T)];
    llvm::support::endian::write<T>(raw, value, llvm::endianness::little);
    bytes.insert(bytes.end(), raw, raw + sizeof(T));
  }
  void text(llvm::StringRef value) {
    number(static_cast<uint32_t>(value.size()));
    bytes.insert(bytes.end(), value.begin(), value.end());
  }
  template <typename T, typename F>
  void list(const std::vector<T> &values, F write) {
    number(static_cast<uint32_t>(values.size()));
    for (const T &value : values)
      write(value);
  }

  void unitOperand(const UnitOperand &operand) {
    number(operand.operand);
    number(operand.bytes);
    number(static_cast<uint8_t>(operand.isUnsigned));
    number(static_cast<uint8_t>(operand.onePerRow));
    for (uint64_t value : {operand.offset, operand.batchPitch, operand.rowPitch, operand.groupSize, operand.groupPitch})
      number(value);
  }
  void unitProgram(const UnitProgram &program) {
    auto integer = [&](int64_t value) { number(value); };
    list(program.stages, [&](const Stage &stage) {
      const StageLists lists = listsOf(stage);
      number(static_cast<uint8_t>(lists.kind));
      list(lists.numbers, integer);
      list(lists.arrays, [&](const std::vector<int64_t> &array) { list(array, integer); });
    });
    number(program.rowsPerBatch);
    number(program.batches);
    number(program.channels);
    unitOperand(program.input);
    list(program.extraInputs, [&](const UnitOperand &operand) { unitOperand(operand); });
    list(program.extraOutputs, [&](const UnitOperand &operand) { unitOperand(operand); });
    unitOperand(program.output);
  }
  void launch(const Launch &launch) {
    text(launch.node);
    text(launch.op);
    number(static_cast<uint8_t>(launch.kind));
    number(launch.routine);
    number(launch.macs);
    number(launch.passes);
    list(launch.operands, [&](const Operand &operand) {
      number(operand.host);
      number(operand.offset);
      number(operand.bytes);
      number(static_cast<uint8_t>(operand.isOutput));
    });
    list(launch.units, [&](uint32_t unit) { number(unit); });
  }

private:
  std::vector<char> &bytes;
};

} // namespace

/// Preset and every key: a file does not change its meaning with a preset.
static void writeConfig(std::vector<char> &bytes, const Config &config) {
  const std::string text = config.str(/*all=*/true);
  bytes.assign(text.begin(), text.end());
}

static uint32_t versionOf(const Program &program) {
  const bool narrow = !program.packed.empty() || llvm::any_of(program.unitPrograms, [](const UnitProgram &unit) {
    return llvm::any_of(unit.stages, [](const Stage &stage) {
      const auto *table = std::get_if<TableStage>(&stage);
      return table && table->inputBits != TableStage::kByteBits;
    });
  });
  return narrow ? kNarrowVersion : kBytesVersion;
}

static void writeImage(std::vector<char> &bytes, const Program &program) {
  if (versionOf(program) == kBytesVersion)
    return bytes.assign(program.image.begin(), program.image.end());
  Writer writer(bytes);
  writer.list(program.packed, [&](const PackedRange &range) {
    writer.number(range.offset);
    writer.number(range.count);
    writer.number(range.bits);
    writer.number(static_cast<uint8_t>(range.isUnsigned));
  });
  writer.number(static_cast<uint64_t>(program.image.size()));
  llvm::append_range(bytes, packImage(program.image, program.packed));
}

static void writeSection(std::vector<char> &bytes, unsigned section, const Program &program) {
  Writer writer(bytes);
  switch (section) {
  case 0:
    return writeConfig(bytes, program.config);
  case 1:
    return bytes.assign(program.manifest.begin(), program.manifest.end());
  case 2:
    return writer.list(program.routines, [&](const Routine &routine) {
      writer.text(routine.name);
      writer.list(routine.code, [&](const Instruction &instruction) {
        const EncodedInstruction encoded = encode(instruction);
        bytes.insert(bytes.end(), encoded.begin(), encoded.end());
      });
    });
  case 3:
    return writer.list(program.unitPrograms, [&](const UnitProgram &unit) { writer.unitProgram(unit); });
  case 4:
    return writer.list(program.launches, [&](const Launch &launch) { writer.launch(launch); });
  case 5:
    return writer.list(program.placements, [&](const Placement &placement) {
      for (llvm::StringRef text : {placement.node, placement.op, placement.place, placement.reason})
        writer.text(text);
    });
  case 6:
    return writeImage(bytes, program);
  default:
    writer.text(program.hostTarget);
    bytes.insert(bytes.end(), program.hostObject.begin(), program.hostObject.end());
  }
}

static uint32_t checksum(llvm::ArrayRef<char> bytes) {
  return llvm::crc32(llvm::ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
}

std::vector<char> simulator::serialize(const Program &program) {
  std::vector<char> bytes(kProgramMagic.begin(), kProgramMagic.end());
  Writer writer(bytes);
  writer.number(versionOf(program));
  writer.number(uint64_t(0));
  std::vector<char> contents;
  for (unsigned i = 0; i < std::size(kSections); ++i) {
    contents.clear();
    writeSection(contents, i, program);
    bytes.insert(bytes.end(), kSections[i].begin(), kSections[i].end());
    writer.number(static_cast<uint64_t>(contents.size()));
    writer.number(checksum(contents));
    bytes.insert(bytes.end(), contents.begin(), contents.end());
  }
  llvm::support::endian::write64le(&bytes[kProgramMagic.size() + 4], bytes.size());
  return bytes;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {

/// Takes numbers, strings and lists out of the contents of a section. After the first
/// failure everything reads as 0, and `error` says what it was.
class Reader {
public:
  Reader(llvm::ArrayRef<char> bytes, llvm::StringRef section) : bytes(bytes), section(section) {}

  template <typename T>
  void number(T &value) {
    value = 0;
    if (bytes.size() < sizeof(T))
      return fail("it ends within a number");
    value = llvm::support::endian::read<T>(bytes.data(), llvm::endianness::little);
    bytes = bytes.drop_front(sizeof(T));
  }
  void flag(bool &value) {
    uint8_t byte;
    number(byte);
    if (byte > 1)
      fail("a flag is " + llvm::Twine(unsigned(byte)) + ", not 0 or 1");
    value = byte;
  }
  template <typename E>
  void kind(E &value, unsigned count, llvm::StringRef what) {
    uint8_t byte;
    number(byte);
    if (byte >= count)
      return fail("there is no " + what + " " + llvm::Twine(unsigned(byte)));
    value = static_cast<E>(byte);
  }
  void text(std::string &value) {
    uint32_t size;
    number(size);
    if (size > bytes.size())
      return fail("it ends within a string");
    value.assign(bytes.data(), size);
    bytes = bytes.drop_front(size);
  }
  /// `least`: bytes of the smallest element. A count that the rest cannot hold is refused
  /// before memory is taken for it.
  template <typename T, typename F>
  void list(std::vector<T> &values, size_t least, F read) {
    uint32_t count;
    number(count);
    if (count > bytes.size() / least)
      return fail("it ends within a list of " + llvm::Twine(count));
    values.resize(count);
    for (T &value : values)
      if (read(value); failed())
        return;
  }
  void integers(std::vector<int64_t> &values) {
    list(values, 8, [&](int64_t &value) { number(value); });
  }
  llvm::ArrayRef<char> take(size_t size) {
    if (size > bytes.size()) {
      fail("it ends within an instruction");
      return {};
    }
    llvm::ArrayRef<char> taken = bytes.take_front(size);
    bytes = bytes.drop_front(size);
    return taken;
  }

  void unitOperand(UnitOperand &operand) {
    number(operand.operand);
    number(operand.bytes);
    flag(operand.isUnsigned);
    flag(operand.onePerRow);
    for (uint64_t *value :
         {&operand.offset, &operand.batchPitch, &operand.rowPitch, &operand.groupSize, &operand.groupPitch})
      number(*value);
  }
  void stage(Stage &stage) {
    StageLists lists;
    kind(lists.kind, kNumStageKinds, "stage of units");
    integers(lists.numbers);
    list(lists.arrays, 4, [&](std::vector<int64_t> &array) { integers(array); });
    if (failed())
      return;
    if (llvm::Expected<Stage> read = stageFromLists(lists))
      stage = std::move(*read);
    else
      fail(llvm::toString(read.takeError()));
  }
  void unitProgram(UnitProgram &program) {
    list(program.stages, 9, [&](Stage &stage) { this->stage(stage); });
    number(program.rowsPerBatch);
    number(program.batches);
    number(program.channels);
    unitOperand(program.input);
    list(program.extraInputs, 44, [&](UnitOperand &operand) { unitOperand(operand); });
    list(program.extraOutputs, 44, [&](UnitOperand &operand) { unitOperand(operand); });
    unitOperand(program.output);
  }
  void routine(Routine &routine) {
    text(routine.name);
    size_t index = 0;
    list(routine.code, kInstructionBytes, [&](Instruction &instruction) {
      llvm::ArrayRef<char> raw = take(kInstructionBytes);
      llvm::Expected<Instruction> decoded =
          decode(llvm::ArrayRef(reinterpret_cast<const uint8_t *>(raw.data()), raw.size()));
      if (decoded)
        instruction = *decoded;
      else
        fail(formatv("routine '{0}', instruction {1}: {2}", routine.name, index, llvm::toString(decoded.takeError()))
                 .str());
      ++index;
    });
  }
  void launch(Launch &launch) {
    text(launch.node);
    text(launch.op);
    kind(launch.kind, 3, "kind of launch");
    number(launch.routine);
    number(launch.macs);
    number(launch.passes);
    list(launch.operands, 21, [&](Operand &operand) {
      number(operand.host);
      number(operand.offset);
      number(operand.bytes);
      flag(operand.isOutput);
    });
    list(launch.units, 4, [&](uint32_t &unit) { number(unit); });
  }

  /// What packImage wrote, which is all of the rest.
  void packedImage(std::vector<PackedRange> &ranges, std::vector<char> &image) {
    list(ranges, 18, [&](PackedRange &range) {
      number(range.offset);
      number(range.count);
      number(range.bits);
      flag(range.isUnsigned);
    });
    uint64_t size;
    number(size);
    if (failed())
      return;
    if (llvm::Expected<std::vector<char>> unpacked = unpackImage(rest(), ranges, size))
      image = std::move(*unpacked);
    else
      fail(llvm::toString(unpacked.takeError()));
  }

  /// All of the rest.
  llvm::ArrayRef<char> rest() { return std::exchange(bytes, {}); }
  bool failed() const { return !message.empty(); }
  llvm::Error finish() {
    if (!failed() && !bytes.empty())
      fail(llvm::Twine(bytes.size()) + " bytes are left over");
    if (!failed())
      return llvm::Error::success();
    return llvm::createStringError("section " + section + ": " + message);
  }

private:
  void fail(const llvm::Twine &text) {
    if (!failed())
      message = text.str();
    bytes = {};
  }

  llvm::ArrayRef<char> bytes;
  llvm::StringRef section;
  std::string message;
};

} // namespace

static llvm::Error readSection(llvm::ArrayRef<char> contents, unsigned section, uint32_t version, Program &program) {
  Reader reader(contents, kSections[section]);
  switch (section) {
  case 0: {
    llvm::Expected<Config> config = Config::parse(llvm::StringRef(contents.data(), contents.size()));
    if (!config)
      return config.takeError();
    program.config = std::move(*config);
    return llvm::Error::success();
  }
  case 1:
    program.manifest.assign(contents.begin(), contents.end());
    return llvm::Error::success();
  case 2:
    reader.list(program.routines, 8, [&](Routine &routine) { reader.routine(routine); });
    break;
  case 3:
    reader.list(program.unitPrograms, 124, [&](UnitProgram &unit) { reader.unitProgram(unit); });
    break;
  case 4:
    reader.list(program.launches, 37, [&](Launch &launch) { reader.launch(launch); });
    break;
  case 5:
    reader.list(program.placements, 16, [&](Placement &placement) {
      for (std::string *text : {&placement.node, &placement.op, &placement.place, &placement.reason})
        reader.text(*text);
    });
    break;
  case 6:
    if (version != kBytesVersion) {
      reader.packedImage(program.packed, program.image);
      break;
    }
    program.image.assign(contents.begin(), contents.end());
    return llvm::Error::success();
  default: {
    reader.text(program.hostTarget);
    llvm::ArrayRef<char> object = reader.rest();
    program.hostObject.assign(object.begin(), object.end());
    break;
  }
  }
  return reader.finish();
}

/// Checks the header and gives what follows it.
static llvm::Expected<llvm::ArrayRef<char>> readHeader(llvm::ArrayRef<char> bytes, uint32_t &version) {
  using namespace llvm::support;
  if (!llvm::StringRef(bytes.data(), bytes.size()).starts_with(kProgramMagic))
    return llvm::createStringError("no program for a systolic array: such a file begins with 'vitqsys'");
  if (bytes.size() < kHeaderBytes)
    return llvm::createStringError("the file is truncated: it ends within the header");
  const char *field = bytes.data() + kProgramMagic.size();
  version = endian::read32le(field);
  if (version != kBytesVersion && version != kNarrowVersion)
    return llvm::createStringError(
        formatv("the program has format version {0}, this reads versions {1} and {2}: compile it anew", version,
                kBytesVersion, kNarrowVersion)
            .str());
  const uint64_t length = endian::read64le(field + 4);
  if (length > bytes.size())
    return llvm::createStringError(
        formatv("the file is truncated: {0} of its {1} bytes are there", bytes.size(), length).str());
  if (length < bytes.size())
    return llvm::createStringError(
        formatv("{0} bytes follow the {1} bytes of the program", bytes.size() - length, length).str());
  return bytes.drop_front(kHeaderBytes);
}

static llvm::Expected<Program> readProgram(llvm::ArrayRef<char> bytes) {
  using namespace llvm::support;
  uint32_t version = 0;
  llvm::Expected<llvm::ArrayRef<char>> rest = readHeader(bytes, version);
  if (!rest)
    return rest.takeError();
  Program program;
  for (unsigned i = 0; i < std::size(kSections); ++i) {
    if (rest->size() < kSectionBytes)
      return llvm::createStringError(formatv("section {0} is missing", kSections[i]).str());
    const char *header = rest->data();
    if (llvm::StringRef(header, 4) != kSections[i])
      return llvm::createStringError(formatv("expected section {0}", kSections[i]).str());
    const uint64_t size = endian::read64le(header + 4);
    const uint32_t sum = endian::read32le(header + 12);
    *rest = rest->drop_front(kSectionBytes);
    if (size > rest->size())
      return llvm::createStringError(formatv("section {0} reaches beyond the end of the file", kSections[i]).str());
    llvm::ArrayRef<char> contents = rest->take_front(size);
    if (checksum(contents) != sum)
      return llvm::createStringError(
          formatv("section {0} is damaged: its checksum is not the stored one", kSections[i]).str());
    if (llvm::Error error = readSection(contents, i, version, program))
      return error;
    *rest = rest->drop_front(size);
  }
  if (!rest->empty())
    return llvm::createStringError(formatv("{0} bytes follow the last section", rest->size()).str());
  if (llvm::Error error = checkProgram(program))
    return error;
  return program;
}

llvm::Expected<Program> simulator::deserialize(llvm::ArrayRef<char> bytes, llvm::StringRef name) {
  llvm::Expected<Program> program = readProgram(bytes);
  if (!program)
    return llvm::createStringError(name + ": " + llvm::toString(program.takeError()));
  return program;
}
