//===- ProgramCheck.cpp - The rules that instructions obey -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InstructionFields.h"
#include "PackedImage.h"
#include "vitq/Simulator/Program.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <map>
#include <optional>

using namespace vitq;
using namespace vitq::simulator;
using llvm::formatv;

namespace {

template <typename... Ts>
llvm::Error refuse(const char *format, Ts &&...values) {
  return llvm::createStringError(formatv(format, std::forward<Ts>(values)...).str());
}

/// How far a routine reads and writes each operand, and by which instruction.
struct Reach {
  uint64_t end = 0;
  size_t instruction = 0;
};

struct RoutineFacts {
  /// By operand.
  std::map<uint8_t, Reach> reads, writes;
  /// Instructions that run unit programs.
  std::vector<size_t> units;
};

/// Checks the instructions of a routine, all that does not depend on a launch.
class RoutineChecker {
public:
  RoutineChecker(const Config &config, RoutineFacts &facts) : config(config), facts(facts) {}

  llvm::Error check(size_t number, const Instruction &instruction) {
    index = number;
    if (llvm::Error error = checkFields(instruction))
      return error;
    switch (instruction.opcode) {
    case Opcode::Fence:
      return llvm::Error::success();
    case Opcode::Mvin:
      return checkMvin(instruction);
    case Opcode::MvinAcc:
      return checkMvinAcc(instruction);
    case Opcode::Preload:
      return checkPreload(instruction);
    case Opcode::Compute:
      return isStationaryWeights() ? checkCompute(instruction) : checkOutputStationaryCompute(instruction);
    case Opcode::Mvout:
      return checkMvout(instruction);
    case Opcode::Units:
      return checkUnits(instruction);
    }
    llvm_unreachable("all opcodes are above");
  }

  /// At the routine's end.
  llvm::Error finish() const {
    if (pending)
      return refuse("the routine ends after a preload without a compute");
    return llvm::Error::success();
  }

private:
  bool isStationaryWeights() const { return config.dataflow == Dataflow::WeightStationary; }
  /// Rows that one move may have: those of any tile.
  int64_t moveRows() const { return std::max(config.tileRows(), config.width()); }

  static llvm::Error within(llvm::StringRef what, int64_t value, int64_t most) {
    if (value >= 1 && value <= most)
      return llvm::Error::success();
    return refuse("{0} {1}: must be 1 to {2} for this array", what, value, most);
  }
  llvm::Error shape(const Instruction &instruction, int64_t rows, int64_t cols) const {
    if (llvm::Error error = within("rows", instruction.rows, rows))
      return error;
    return within("cols", instruction.cols, cols);
  }
  static llvm::Error fits(llvm::StringRef memory, uint64_t first, uint64_t rows, int64_t size) {
    if (first + rows <= static_cast<uint64_t>(size))
      return llvm::Error::success();
    return refuse("rows {0:x} to {1:x} reach beyond the {2:x} rows of the {3}", first, first + rows, size, memory);
  }
  llvm::Error inScratchpad(uint64_t first, uint64_t rows) const {
    return fits("scratchpad", first, rows, config.scratchpadSize());
  }
  llvm::Error inAccumulator(uint64_t first, uint64_t rows) const {
    return fits("accumulator memory", first, rows, config.accumulatorSize());
  }
  void touch(std::map<uint8_t, Reach> &reaches, const Instruction &instruction, uint64_t rowBytes) const {
    const uint64_t end = instruction.dram.offset + uint64_t(instruction.rows - 1) * instruction.dram.pitch + rowBytes;
    if (Reach &reach = reaches[instruction.dram.operand]; end > reach.end)
      reach = {end, index};
  }

  llvm::Error checkMvin(const Instruction &instruction) {
    if (llvm::Error error = shape(instruction, moveRows(), config.blockTiles * config.width()))
      return error;
    const bool split = instruction.has(FlagSplit);
    if (!split && (instruction.planeStride || instruction.shift))
      return refuse("plane_stride and planes need split");
    if (instruction.shift > config.planesOf(8))
      return refuse("planes {0}: a byte has {1} on this array", instruction.shift, config.planesOf(8));
    const uint64_t tiles = llvm::divideCeil(instruction.cols, config.width());
    const uint64_t planes = static_cast<uint64_t>(instruction.movedPlanes(config.bits));
    llvm::SmallVector<uint64_t> starts;
    for (uint64_t plane = 0; plane < planes; ++plane)
      for (uint64_t tile = 0; tile < tiles; ++tile)
        starts.push_back(plane * instruction.planeStride + tile * instruction.tileStride);
    llvm::sort(starts);
    for (size_t i = 1; i < starts.size(); ++i)
      if (starts[i] - starts[i - 1] < instruction.rows)
        return refuse("tile_stride {0} and plane_stride {1} lay tiles of {2} rows over each other",
                      instruction.tileStride, instruction.planeStride, instruction.rows);
    if (llvm::Error error = inScratchpad(instruction.local, starts.back() + instruction.rows))
      return error;
    touch(facts.reads, instruction,
          split ? instruction.cols : llvm::divideCeil(uint64_t(instruction.cols) * config.bits, 8));
    return llvm::Error::success();
  }

  llvm::Error checkMvinAcc(const Instruction &instruction) {
    if (llvm::Error error = shape(instruction, moveRows(), config.cols))
      return error;
    if (llvm::Error error = inAccumulator(instruction.local, instruction.rows))
      return error;
    touch(facts.reads, instruction, uint64_t(instruction.cols) * 4);
    return llvm::Error::success();
  }

  llvm::Error checkPreload(const Instruction &instruction) {
    if (pending && isStationaryWeights())
      return refuse("a compute must follow the preload before this one");
    if (llvm::Error error = shape(instruction, config.rows, config.cols))
      return error;
    if (instruction.shift > 31)
      return refuse("shift {0}: must be 0 to 31", instruction.shift);
    if (llvm::Error error = inAccumulator(instruction.local2, 1))
      return error;
    const bool names = instruction.local != kNone, transpose = instruction.has(FlagTranspose);
    if (!isStationaryWeights() && (names || transpose))
      return refuse("an output-stationary array preloads no weights: write 'weights none', without transpose");
    if (transpose && !names)
      return refuse("transpose needs weights");
    if (names)
      if (llvm::Error error = inScratchpad(instruction.local, transpose ? instruction.cols : instruction.rows))
        return error;
    if (isStationaryWeights() && !names) {
      if (!weights)
        return refuse("there are no weights to keep: the routine has not preloaded any before");
      if (instruction.rows > weights->rows || instruction.cols > weights->cols)
        return refuse("{0} x {1} weights cannot be kept, the array has {2} x {3}", instruction.rows, instruction.cols,
                      weights->rows, weights->cols);
    }
    if (running && (instruction.rows != running->rows || instruction.cols != running->cols))
      return refuse("the {0} x {1} sums that are being computed have not been written (last)", running->rows,
                    running->cols);
    pending = instruction;
    return llvm::Error::success();
  }

  llvm::Error checkCompute(const Instruction &instruction) {
    if (!pending)
      return refuse("a compute needs a preload of its own before it");
    if (instruction.has(FlagLast))
      return refuse("'last' is for output-stationary arrays");
    if (instruction.local2)
      return refuse("'right' is for output-stationary arrays");
    if (llvm::Error error = shape(instruction, config.tileRows(), config.rows))
      return error;
    const bool names = pending->local != kNone;
    if (instruction.has(FlagFresh) != names)
      return names ? refuse("the preload names weights, which only a fresh compute takes")
                   : refuse("a fresh compute needs a preload that names weights");
    if (instruction.cols > pending->rows)
      return refuse("cols {0}: the preload is for {1} rows of weights", instruction.cols, pending->rows);
    if (llvm::Error error = inScratchpad(instruction.local, instruction.rows))
      return error;
    if (llvm::Error error = inAccumulator(pending->local2, instruction.rows))
      return error;
    if (names)
      weights = *pending;
    pending.reset();
    return llvm::Error::success();
  }

  llvm::Error checkOutputStationaryCompute(const Instruction &instruction) {
    const bool fresh = instruction.has(FlagFresh);
    const std::optional<Instruction> &sums = pending ? pending : running;
    if (!sums || (!fresh && !running))
      return fresh ? refuse("a compute needs a preload before it")
                   : refuse("a compute that is not fresh needs one before it whose sums it goes on with");
    if (llvm::Error error = shape(instruction, config.rows, config.width()))
      return error;
    if (instruction.rows != sums->rows)
      return refuse("rows {0}: the preload is for {1} rows of sums", instruction.rows, sums->rows);
    if (llvm::Error error = inScratchpad(instruction.local, instruction.rows))
      return error;
    if (llvm::Error error = inScratchpad(instruction.local2, instruction.cols))
      return error;
    if (llvm::Error error = inAccumulator(sums->local2, sums->rows))
      return error;
    running = *sums;
    pending.reset();
    if (instruction.has(FlagLast))
      running.reset();
    return llvm::Error::success();
  }

  llvm::Error checkMvout(const Instruction &instruction) {
    const bool scale = instruction.has(FlagScale);
    if (llvm::Error error = shape(instruction, moveRows(), scale ? config.blockTiles * config.cols : config.cols))
      return error;
    if (scale && !config.has(UnitShift))
      return refuse("'scale' needs the unit '{0}', which this array lacks", nameOf(UnitShift));
    if (!scale && (instruction.has(FlagRelu) || instruction.shift))
      return refuse("'relu' and 'shift' need 'scale'");
    if (instruction.shift > 31)
      return refuse("shift {0}: must be 0 to 31", instruction.shift);
    if (llvm::Error error = accumulatorTiles(instruction))
      return error;
    const uint64_t rowBytes = uint64_t(instruction.cols) * (scale ? 1 : 4);
    if (instruction.rows > 1 && instruction.dram.pitch < rowBytes)
      return refuse("pitch {0}: rows of {1} bytes would overwrite each other", instruction.dram.pitch, rowBytes);
    touch(facts.writes, instruction, rowBytes);
    return llvm::Error::success();
  }

  llvm::Error accumulatorTiles(const Instruction &instruction) const {
    const uint64_t tiles = llvm::divideCeil(instruction.cols, config.cols);
    return inAccumulator(instruction.local, (tiles - 1) * instruction.tileStride + instruction.rows);
  }

  llvm::Error checkUnits(const Instruction &instruction) {
    if (llvm::Error error = shape(instruction, 65535, 65535))
      return error;
    if (!instruction.has(FlagFromAccumulator) && (instruction.local || instruction.tileStride))
      return refuse("'local' and 'tile_stride' need from_accumulator");
    if (instruction.has(FlagFromAccumulator))
      if (llvm::Error error = accumulatorTiles(instruction))
        return error;
    facts.units.push_back(index);
    return llvm::Error::success();
  }

  const Config &config;
  RoutineFacts &facts;
  size_t index = 0;
  /// The preload that no compute has followed, the one whose weights the array holds, and
  /// (output stationary) the one whose sums are in the array.
  std::optional<Instruction> pending, weights, running;
};

} // namespace

static llvm::Error atInstruction(const Routine &routine, size_t index, llvm::Error error) {
  return refuse("routine '{0}', instruction {1} ({2}): {3}", routine.name, index, print(routine.code[index]),
                llvm::toString(std::move(error)));
}

static llvm::Error checkRoutine(const Routine &routine, const Config &config, RoutineFacts &facts) {
  RoutineChecker checker(config, facts);
  for (auto [i, instruction] : llvm::enumerate(routine.code))
    if (llvm::Error error = checker.check(i, instruction))
      return atInstruction(routine, i, std::move(error));
  if (llvm::Error error = checker.finish())
    return atInstruction(routine, routine.code.size() - 1, std::move(error));
  return llvm::Error::success();
}

namespace {

/// Checks one launch against its routine.
class LaunchChecker {
  static constexpr uint64_t kMostBytes = uint64_t(1) << 32;

public:
  LaunchChecker(const Program &program, const Launch &launch) : program(program), launch(launch) {}

  llvm::Error check(llvm::ArrayRef<RoutineFacts> facts) {
    if (launch.routine >= program.routines.size())
      return refuse("there is no routine {0}, only {1}", launch.routine, program.routines.size());
    if (llvm::Error error = checkOperands())
      return error;
    const RoutineFacts &own = facts[launch.routine];
    for (const auto &[operand, reach] : own.reads)
      if (llvm::Error error = checkReach(operand, reach, false))
        return error;
    for (const auto &[operand, reach] : own.writes)
      if (llvm::Error error = checkReach(operand, reach, true))
        return error;
    for (auto [i, number] : llvm::enumerate(launch.units))
      if (llvm::Error error = checkUnitProgramNumber(i, number))
        return error;
    for (size_t index : own.units)
      if (llvm::Error error = checkUnits(routine().code[index]))
        return atInstruction(routine(), index, std::move(error));
    return llvm::Error::success();
  }

private:
  const Routine &routine() const { return program.routines[launch.routine]; }

  llvm::Error checkOperands() {
    if (launch.operands.size() > 256 || launch.units.size() > 256)
      return refuse("{0} operands and {1} unit programs, of each at most 256 can be named", launch.operands.size(),
                    launch.units.size());
    int32_t pointers = 0;
    for (auto [i, operand] : llvm::enumerate(launch.operands)) {
      const uint64_t size = program.image.size();
      if (operand.host < -1)
        return refuse("operand {0}: there is no host pointer {1}", i, operand.host);
      // The host hands over as many pointers as there are such operands.
      if (operand.host >= 0 && operand.host != pointers++)
        return refuse("operand {0}: is host pointer {1} where {2} is next: they are numbered in order", i, operand.host,
                      pointers - 1);
      if (operand.host >= 0 && operand.offset != 0)
        return refuse("operand {0}: begins {1} bytes into the host's memory; only the image has offsets", i,
                      operand.offset);
      if (operand.bytes > kMostBytes)
        return refuse("operand {0}: has {1} bytes, more than an instruction reaches", i, operand.bytes);
      if (operand.host < 0 && operand.isOutput)
        return refuse("operand {0}: the image is constant, an output must be memory of the host", i);
      if (operand.host < 0 && (operand.offset > size || operand.bytes > size - operand.offset))
        return refuse("operand {0}: {1} bytes from {2} on reach beyond the image's {3}", i, operand.bytes,
                      operand.offset, size);
      bytes.push_back(operand.bytes);
    }
    return llvm::Error::success();
  }

  llvm::Error checkReach(unsigned number, const Reach &reach, bool isWrite) const {
    if (number >= launch.operands.size())
      return atInstruction(routine(), reach.instruction,
                           refuse("there is no operand {0}, only {1}", number, launch.operands.size()));
    const Operand &operand = launch.operands[number];
    if (isWrite && !operand.isOutput)
      return atInstruction(routine(), reach.instruction, refuse("operand {0} is no output", number));
    if (reach.end > operand.bytes)
      return atInstruction(routine(), reach.instruction,
                           refuse("reaches byte {0} of operand {1}, which has {2}", reach.end, number, operand.bytes));
    return llvm::Error::success();
  }

  llvm::Error checkUnitProgramNumber(size_t index, uint32_t number) const {
    if (number >= program.unitPrograms.size())
      return refuse("there is no unit program {0}, only {1}", number, program.unitPrograms.size());
    const UnitProgram &unit = program.unitPrograms[number];
    if (llvm::Error error = checkUnitProgram(unit, program.config, bytes))
      return refuse("unit program {0}: {1}", number, llvm::toString(std::move(error)));
    llvm::SmallVector<const UnitOperand *> outputs = {&unit.output};
    for (const UnitOperand &extra : unit.extraOutputs)
      outputs.push_back(&extra);
    for (const UnitOperand *output : outputs)
      if (output->operand >= launch.operands.size() || !launch.operands[output->operand].isOutput)
        return refuse("unit program {0} writes operand {1}, which is no output", number, output->operand);
    return llvm::Error::success();
  }

  llvm::Error checkUnits(const Instruction &instruction) const {
    if (instruction.unit >= launch.units.size())
      return refuse("there is no unit program {0} of the launch, only {1}", instruction.unit, launch.units.size());
    const UnitProgram &unit = program.unitPrograms[launch.units[instruction.unit]];
    // What the stages may meet was checked for one of the two.
    const bool named = unit.input != UnitOperand();
    if (named == instruction.has(FlagFromAccumulator))
      return refuse(named ? "the unit program has an input in DRAM, which from_accumulator does not read"
                          : "the unit program names no input: it needs from_accumulator");
    const uint64_t rows = static_cast<uint64_t>(unit.rowsPerBatch) * static_cast<uint64_t>(unit.batches);
    if (uint64_t(instruction.row) + instruction.rows > rows)
      return refuse("rows {0} to {1} reach beyond the unit program's {2}", instruction.row,
                    uint64_t(instruction.row) + instruction.rows, rows);
    const auto channels = static_cast<uint64_t>(unit.channels);
    if (uint64_t(instruction.channel) + instruction.cols > channels)
      return refuse("channels {0} to {1} reach beyond the unit program's {2}", instruction.channel,
                    uint64_t(instruction.channel) + instruction.cols, channels);
    if (instruction.cols == channels)
      return llvm::Error::success();
    for (const Stage &stage : unit.stages)
      if (needsWholeRow(stage))
        return refuse("{0} needs all {1} channels of a row at once", infoOf(stage).name, channels);
    return llvm::Error::success();
  }

  const Program &program;
  const Launch &launch;
  llvm::SmallVector<uint64_t> bytes;
};

} // namespace

llvm::Error simulator::checkProgram(const Program &program) {
  if (llvm::Error error = program.config.validate())
    return error;
  if (llvm::Error error = checkPackedRanges(program.image, program.packed))
    return error;
  std::vector<RoutineFacts> facts(program.routines.size());
  for (auto [routine, own] : llvm::zip_equal(program.routines, facts))
    if (llvm::Error error = checkRoutine(routine, program.config, own))
      return error;
  for (auto [i, launch] : llvm::enumerate(program.launches))
    if (llvm::Error error = LaunchChecker(program, launch).check(facts))
      return refuse("launch {0} (node '{1}'): {2}", i, launch.node, llvm::toString(std::move(error)));
  return llvm::Error::success();
}
