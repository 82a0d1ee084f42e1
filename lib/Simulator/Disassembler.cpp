//===- Disassembler.cpp - Programs as text -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StageLists.h"
#include "vitq/Simulator/Program.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Base64.h"
#include "llvm/Support/raw_ostream.h"

using namespace vitq;
using namespace vitq::simulator;

namespace {

/// Bytes of a line of base64.
constexpr size_t kLineBytes = 57;

class Disassembler {
public:
  explicit Disassembler(llvm::raw_ostream &os) : os(os) {}

  void write(const Program &program) {
    os << "; A program for a systolic array.\n.config ";
    quoted(program.config.str());
    os << '\n';
    writeManifest(program.manifest);
    for (auto [i, routine] : llvm::enumerate(program.routines))
      write(routine, i);
    for (auto [i, unit] : llvm::enumerate(program.unitPrograms))
      write(unit, i);
    for (auto [i, launch] : llvm::enumerate(program.launches))
      write(launch, i);
    for (const Placement &placement : program.placements)
      write(placement);
    for (const PackedRange &range : program.packed)
      write(range);
    writeBytes(".image", "", program.image);
    writeBytes(".host_object", program.hostTarget, program.hostObject);
  }

private:
  void quoted(llvm::StringRef text) {
    os << '"';
    llvm::printEscapedString(text, os);
    os << '"';
  }

  void writeManifest(llvm::StringRef text) {
    if (text.empty())
      return;
    os << "\n.manifest\n";
    llvm::SmallVector<llvm::StringRef> lines;
    text.split(lines, '\n');
    for (llvm::StringRef line : lines)
      os << "| " << line << '\n';
  }

  void write(const Routine &routine, size_t number) {
    os << "\n.routine ";
    quoted(routine.name);
    os << " ; " << number << '\n';
    for (const Instruction &instruction : routine.code)
      os << "  " << print(instruction) << '\n';
  }

  void write(llvm::StringRef name, const UnitOperand &operand) {
    os << "  " << name << " operand " << unsigned(operand.operand) << " bytes " << unsigned(operand.bytes) << " offset "
       << operand.offset << " batch_pitch " << operand.batchPitch << " row_pitch " << operand.rowPitch << " group_size "
       << operand.groupSize << " group_pitch " << operand.groupPitch << (operand.isUnsigned ? " unsigned" : "")
       << (operand.onePerRow ? " one_per_row" : "") << '\n';
  }

  void write(const UnitProgram &unit, size_t number) {
    os << "\n.unit rows_per_batch " << unit.rowsPerBatch << " batches " << unit.batches << " channels " << unit.channels
       << " ; " << number << '\n';
    write("input", unit.input);
    for (const UnitOperand &operand : unit.extraInputs)
      write("extra_input", operand);
    for (const UnitOperand &operand : unit.extraOutputs)
      write("extra_output", operand);
    write("output", unit.output);
    for (const Stage &stage : unit.stages) {
      const StageLists lists = listsOf(stage);
      os << "  stage " << infoOf(stage).name;
      integers(lists.numbers);
      for (const std::vector<int64_t> &array : lists.arrays) {
        os << "    array";
        integers(array);
      }
    }
  }

  void integers(llvm::ArrayRef<int64_t> values) {
    for (int64_t value : values)
      os << ' ' << value;
    os << '\n';
  }

  void write(const Launch &launch, size_t number) {
    constexpr llvm::StringLiteral kinds[] = {"linear", "attention", "units_only"};
    os << "\n.launch ";
    quoted(launch.node);
    os << ' ';
    quoted(launch.op);
    os << " kind " << kinds[static_cast<unsigned>(launch.kind)] << " routine " << launch.routine << " macs "
       << launch.macs << " passes " << launch.passes << " ; " << number << '\n';
    for (const Operand &operand : launch.operands) {
      if (operand.host < 0)
        os << "  operand image";
      else
        os << "  operand host " << operand.host;
      os << " offset " << operand.offset << " bytes " << operand.bytes << (operand.isOutput ? " output" : "") << '\n';
    }
    if (launch.units.empty())
      return;
    os << "  units";
    for (uint32_t unit : launch.units)
      os << ' ' << unit;
    os << '\n';
  }

  void write(const Placement &placement) {
    os << "\n.placement";
    for (llvm::StringRef text : {placement.node, placement.op, placement.place, placement.reason}) {
      os << ' ';
      quoted(text);
    }
    os << '\n';
  }

  void write(const PackedRange &range) {
    os << "\n.packed offset " << range.offset << " count " << range.count << " bits " << unsigned(range.bits)
       << (range.isUnsigned ? " unsigned" : "") << '\n';
  }

  void writeBytes(llvm::StringRef name, llvm::StringRef label, llvm::StringRef bytes) {
    os << '\n' << name << ' ';
    if (name != ".image") {
      quoted(label);
      os << ' ';
    }
    os << bytes.size() << '\n';
    for (; !bytes.empty(); bytes = bytes.drop_front(std::min(kLineBytes, bytes.size())))
      os << llvm::encodeBase64(bytes.take_front(kLineBytes)) << '\n';
  }
  void writeBytes(llvm::StringRef name, llvm::StringRef label, const std::vector<char> &bytes) {
    writeBytes(name, label, llvm::StringRef(bytes.data(), bytes.size()));
  }

  llvm::raw_ostream &os;
};

} // namespace

std::string simulator::disassemble(const Program &program) {
  std::string text;
  llvm::raw_string_ostream os(text);
  Disassembler(os).write(program);
  return text;
}
