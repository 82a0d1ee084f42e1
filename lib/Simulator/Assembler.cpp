//===- Assembler.cpp - Programs from text -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lexer.h"
#include "StageLists.h"
#include "vitq/Simulator/Program.h"
#include "vitq/Support/NearestNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Base64.h"
#include "llvm/Support/FormatVariadic.h"

#include <optional>
#include <utility>

using namespace vitq;
using namespace vitq::simulator;
using llvm::formatv;

namespace {

/// One of several words. `what` names them in errors.
llvm::Error choice(Lexer &lexer, llvm::ArrayRef<llvm::StringRef> names, llvm::StringRef what, unsigned &value) {
  const llvm::StringRef word = lexer.word();
  const auto *found = llvm::find(names, word);
  if (found == names.end())
    return llvm::createStringError(
        formatv("expected {0} ({1}), found {2}{3}", what, llvm::join(names, ", "), Lexer::quote(word),
                word.empty() ? std::string()
                             : formatv("; did you mean '{0}'?", nearestNames(word, names, 1).front()).str())
            .str());
  value = static_cast<unsigned>(found - names.begin());
  return llvm::Error::success();
}

/// `word NUMBER`.
template <typename T>
llvm::Error named(Lexer &lexer, llvm::StringRef word, T &value) {
  if (!lexer.consume(word))
    return llvm::createStringError(formatv("expected '{0}', found {1}", word, Lexer::quote(lexer.peek())).str());
  return lexer.number(value, word);
}

class Assembler {
public:
  llvm::Expected<Program> read(llvm::StringRef text) {
    while (!text.empty()) {
      llvm::StringRef line;
      std::tie(line, text) = text.split('\n');
      ++number;
      if (llvm::Error error = readLine(line))
        return llvm::createStringError(llvm::Twine(number) + ": " + llvm::toString(std::move(error)));
    }
    if (llvm::Error error = endSection())
      return llvm::createStringError(llvm::Twine(number) + ": " + llvm::toString(std::move(error)));
    if (!(seen & 1))
      return llvm::createStringError("1: there is no .config");
    if (llvm::Error error = checkProgram(program))
      return llvm::createStringError(" " + llvm::toString(std::move(error)));
    return std::move(program);
  }

private:
  enum Section { None, Config, Manifest, Routine, Unit, Launch, Placement, Packed, Image, HostObject };
  static constexpr unsigned kSections = 9;

  llvm::Error readLine(llvm::StringRef line) {
    // A line of the manifest is taken as it is. An editor may have cut an empty one short.
    if (section == Manifest && (line == "|" || line.starts_with("| "))) {
      line = line.drop_front(line.size() == 1 ? 1 : 2);
      if (manifestLines++)
        program.manifest += '\n';
      program.manifest += line;
      return llvm::Error::success();
    }
    Lexer lexer(line);
    if (lexer.atEnd())
      return llvm::Error::success();
    if (lexer.peek().starts_with(".")) {
      if (llvm::Error error = endSection())
        return error;
      if (llvm::Error error = directive(lexer))
        return error;
      return lexer.end();
    }
    switch (section) {
    case Routine:
      return readInstruction(line);
    case Unit:
      return readUnitLine(lexer);
    case Launch:
      return readLaunchLine(lexer);
    case Image:
    case HostObject:
      base64 += lexer.word();
      return lexer.end();
    case Manifest:
      return llvm::createStringError("a line of the manifest begins with '| '");
    default:
      return llvm::createStringError("expected a section (.config, .routine ...), found " + Lexer::quote(lexer.peek()));
    }
  }

  /// The line that opens a section.
  llvm::Error directive(Lexer &lexer) {
    static constexpr llvm::StringRef names[kSections] = {
        ".config", ".manifest", ".routine", ".unit", ".launch", ".placement", ".packed", ".image", ".host_object"};
    unsigned index;
    const llvm::StringRef name = lexer.peek();
    if (llvm::Error error = choice(lexer, names, "a section", index))
      return error;
    section = static_cast<Section>(index + 1);
    const bool repeats =
        section == Routine || section == Unit || section == Launch || section == Placement || section == Packed;
    if (!repeats && (seen & (1u << index)))
      return llvm::createStringError("there is a second " + name);
    seen |= 1u << index;
    switch (section) {
    case None:
    case Manifest:
      return llvm::Error::success();
    case Config:
      return readConfig(lexer);
    case Routine:
      return lexer.string(program.routines.emplace_back().name, "the routine's name");
    case Unit:
      return openUnit(lexer, program.unitPrograms.emplace_back());
    case Launch:
      return openLaunch(lexer, program.launches.emplace_back());
    case Placement:
      return readPlacement(lexer, program.placements.emplace_back());
    case Packed:
      return readPacked(lexer, program.packed.emplace_back());
    case HostObject:
      if (llvm::Error error = lexer.string(program.hostTarget, "the target"))
        return error;
      [[fallthrough]];
    case Image:
      return lexer.number(size, "the number of bytes");
    }
    llvm_unreachable("all sections are above");
  }

  /// Stages and bytes are complete only here.
  llvm::Error endSection() {
    if (llvm::Error error = endStage())
      return error;
    if (section != Image && section != HostObject)
      return llvm::Error::success();
    std::vector<char> &bytes = section == Image ? program.image : program.hostObject;
    llvm::StringRef name = section == Image ? ".image" : ".host_object";
    section = None;
    if (llvm::Error error = llvm::decodeBase64(base64, bytes))
      return llvm::createStringError(name + ": " + llvm::toString(std::move(error)));
    base64.clear();
    if (bytes.size() != size)
      return llvm::createStringError(formatv("{0} has {1} bytes, not {2}", name, bytes.size(), size).str());
    return llvm::Error::success();
  }

  llvm::Error readConfig(Lexer &lexer) {
    std::string text;
    if (llvm::Error error = lexer.string(text, "the configuration"))
      return error;
    llvm::Expected<simulator::Config> config = simulator::Config::parse(text);
    if (!config)
      return config.takeError();
    program.config = std::move(*config);
    return llvm::Error::success();
  }

  llvm::Error readInstruction(llvm::StringRef line) {
    llvm::Expected<Instruction> instruction = parseInstruction(line);
    if (!instruction)
      return instruction.takeError();
    program.routines.back().code.push_back(*instruction);
    return llvm::Error::success();
  }

  static llvm::Error openUnit(Lexer &lexer, UnitProgram &unit) {
    if (llvm::Error error = named(lexer, "rows_per_batch", unit.rowsPerBatch))
      return error;
    if (llvm::Error error = named(lexer, "batches", unit.batches))
      return error;
    return named(lexer, "channels", unit.channels);
  }

  llvm::Error readUnitLine(Lexer &lexer) {
    UnitProgram &unit = program.unitPrograms.back();
    static constexpr llvm::StringRef names[] = {"input", "extra_input", "extra_output", "output", "stage", "array"};
    unsigned index;
    if (llvm::Error error = choice(lexer, names, "a line of a unit program", index))
      return error;
    switch (index) {
    case 0:
      return readUnitOperand(lexer, unit.input);
    case 1:
      return readUnitOperand(lexer, unit.extraInputs.emplace_back());
    case 2:
      return readUnitOperand(lexer, unit.extraOutputs.emplace_back());
    case 3:
      return readUnitOperand(lexer, unit.output);
    case 4:
      if (llvm::Error error = endStage())
        return error;
      stageLine = number;
      return readStage(lexer, stage.emplace());
    default:
      if (!stage)
        return llvm::createStringError("an array needs a stage before it");
      return integers(lexer, stage->arrays.emplace_back());
    }
  }

  /// A stage is complete where something else follows its arrays.
  llvm::Error endStage() {
    if (!stage)
      return llvm::Error::success();
    llvm::Expected<Stage> read = stageFromLists(*std::exchange(stage, std::nullopt));
    if (!read) {
      number = stageLine;
      return read.takeError();
    }
    program.unitPrograms.back().stages.push_back(std::move(*read));
    return llvm::Error::success();
  }

  static llvm::Error readUnitOperand(Lexer &lexer, UnitOperand &operand) {
    if (llvm::Error error = named(lexer, "operand", operand.operand))
      return error;
    if (llvm::Error error = named(lexer, "bytes", operand.bytes))
      return error;
    for (auto [word, value] : {std::pair("offset", &operand.offset), std::pair("batch_pitch", &operand.batchPitch),
                               std::pair("row_pitch", &operand.rowPitch), std::pair("group_size", &operand.groupSize),
                               std::pair("group_pitch", &operand.groupPitch)})
      if (llvm::Error error = named(lexer, word, *value))
        return error;
    operand.isUnsigned = lexer.consume("unsigned");
    operand.onePerRow = lexer.consume("one_per_row");
    return lexer.end();
  }

  static llvm::Error readStage(Lexer &lexer, StageLists &stage) {
    llvm::SmallVector<llvm::StringRef> names;
    for (unsigned kind = 0; kind < kNumStageKinds; ++kind)
      names.push_back(nameOfStage(kind));
    if (llvm::Error error = choice(lexer, names, "a kind of stage", stage.kind))
      return error;
    return integers(lexer, stage.numbers);
  }

  static llvm::Error integers(Lexer &lexer, std::vector<int64_t> &values) {
    while (!lexer.atEnd())
      if (llvm::Error error = lexer.number(values.emplace_back(), "an entry"))
        return error;
    return llvm::Error::success();
  }

  static llvm::Error openLaunch(Lexer &lexer, simulator::Launch &launch) {
    if (llvm::Error error = lexer.string(launch.node, "the node"))
      return error;
    if (llvm::Error error = lexer.string(launch.op, "the op"))
      return error;
    if (!lexer.consume("kind"))
      return llvm::createStringError("expected 'kind', found " + Lexer::quote(lexer.peek()));
    unsigned kind;
    if (llvm::Error error = choice(lexer, {"linear", "attention", "units_only"}, "a kind of launch", kind))
      return error;
    launch.kind = static_cast<LaunchKind>(kind);
    if (llvm::Error error = named(lexer, "routine", launch.routine))
      return error;
    if (llvm::Error error = named(lexer, "macs", launch.macs))
      return error;
    return named(lexer, "passes", launch.passes);
  }

  llvm::Error readLaunchLine(Lexer &lexer) {
    simulator::Launch &launch = program.launches.back();
    unsigned index;
    if (llvm::Error error = choice(lexer, {"operand", "units"}, "a line of a launch", index))
      return error;
    if (index == 1) {
      while (!lexer.atEnd())
        if (llvm::Error error = lexer.number(launch.units.emplace_back(), "a unit program"))
          return error;
      return llvm::Error::success();
    }
    Operand &operand = launch.operands.emplace_back();
    if (!lexer.consume("image")) {
      if (llvm::Error error = named(lexer, "host", operand.host))
        return error;
      if (operand.host < 0)
        return llvm::createStringError("a host pointer is 0 or more; write 'image' for the data image");
    }
    if (llvm::Error error = named(lexer, "offset", operand.offset))
      return error;
    if (llvm::Error error = named(lexer, "bytes", operand.bytes))
      return error;
    operand.isOutput = lexer.consume("output");
    return lexer.end();
  }

  static llvm::Error readPlacement(Lexer &lexer, simulator::Placement &placement) {
    for (auto [text, what] : {std::pair(&placement.node, "the node"), std::pair(&placement.op, "the op"),
                              std::pair(&placement.place, "the place"), std::pair(&placement.reason, "the reason")})
      if (llvm::Error error = lexer.string(*text, what))
        return error;
    return llvm::Error::success();
  }

  static llvm::Error readPacked(Lexer &lexer, PackedRange &range) {
    if (llvm::Error error = named(lexer, "offset", range.offset))
      return error;
    if (llvm::Error error = named(lexer, "count", range.count))
      return error;
    if (llvm::Error error = named(lexer, "bits", range.bits))
      return error;
    range.isUnsigned = lexer.consume("unsigned");
    return llvm::Error::success();
  }

  Program program;
  Section section = None;
  /// Sections that there were, a bit each.
  unsigned seen = 0;
  size_t number = 0, manifestLines = 0;
  /// Whose arrays are being read.
  std::optional<StageLists> stage;
  size_t stageLine = 0;
  /// Of the bytes that are being read.
  std::string base64;
  uint64_t size = 0;
};

} // namespace

llvm::Expected<Program> simulator::assemble(llvm::StringRef text, llvm::StringRef name) {
  llvm::Expected<Program> program = Assembler().read(text);
  if (!program)
    return llvm::createStringError(name + ":" + llvm::toString(program.takeError()));
  return program;
}
