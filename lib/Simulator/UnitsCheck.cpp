//===- UnitsCheck.cpp - Unit programs that a unit can run -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// After these checks no value of a row can take the arithmetic of Numerics outside what
// it is defined for, and no access leaves an operand.
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Code.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/ReciprocalLines.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Numerics/Table.h"
#include "vitq/Simulator/Units.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace vitq;
using namespace vitq::simulator;
using llvm::formatv;
using numerics::Interval;
using numerics::PiecewiseLinear;

static constexpr Interval kInt32{INT32_MIN, INT32_MAX};

// Units write codes into bytes, which are read as signed or unsigned ones.
static constexpr numerics::Code kSignedByte, kByte{.isUnsigned = true};
static Interval anyByte() { return {kSignedByte.min(), kByte.max()}; }

template <typename... Ts>
static llvm::Error refuse(const char *format, Ts &&...values) {
  return llvm::createStringError(formatv(format, std::forward<Ts>(values)...).str());
}

static llvm::Error within(llvm::StringRef what, int64_t value, Interval range) {
  if (value >= range.min && value <= range.max)
    return llvm::Error::success();
  return refuse("{0} {1}: must be {2} to {3}", what, value, range.min, range.max);
}

namespace {

/// Checks the stages of a program, one after the other.
class StageChecker {
public:
  StageChecker(const UnitProgram &program, Interval input) : program(program), values(input) {}

  llvm::Error check(const Stage &stage) {
    return std::visit([&](const auto &kind) { return checkKind(kind); }, stage);
  }

private:
  enum class Each { Channel, Batch };
  static Each eachOf(bool perBatch) { return perBatch ? Each::Batch : Each::Channel; }

  llvm::Error checkMultipliers(const Multipliers &multipliers, Each each, bool positive = false,
                               bool oneForAll = true) const {
    const auto count = static_cast<int64_t>(multipliers.size());
    const int64_t most = each == Each::Batch ? program.batches : program.channels;
    const bool fits = count >= 1 && (each == Each::Batch ? most % count == 0 : count == most);
    if (!fits && !(oneForAll && count == 1))
      return refuse("{0} multipliers for {1} {2}", count, most, each == Each::Batch ? "batches" : "channels");
    for (const numerics::Dyadic dyadic : multipliers) {
      if (llvm::Error error = within("multiplier", dyadic.multiplier, {positive ? 0 : -kInt32.max, kInt32.max}))
        return error;
      if (llvm::Error error = within("shift", dyadic.shift, {1, 62}))
        return error;
    }
    return llvm::Error::success();
  }

  llvm::Error checkOutput(const OutputRange &output) {
    if (llvm::Error error = within("zero point", output.zeroPoint, kInt32))
      return error;
    for (int64_t limit : {output.min, output.max})
      if (llvm::Error error = within("limit", limit, kInt32))
        return error;
    if (output.min > output.max)
      return refuse("limits {0} and {1} leave no value", output.min, output.max);
    values = {output.min, output.max};
    return llvm::Error::success();
  }

  llvm::Error checkLevels(int64_t min, int64_t levels, int64_t most) {
    if (llvm::Error error = within("levels", levels, {1, most}))
      return error;
    if (llvm::Error error = within("lowest level", min, {kInt32.min, kInt32.max - most}))
      return error;
    values = {min, min + levels};
    return llvm::Error::success();
  }

  llvm::Error checkKind(const RequantStage &stage) {
    if (llvm::Error error = within("input zero point", stage.inputZeroPoint, kInt32))
      return error;
    if (llvm::Error error = checkMultipliers(stage.multipliers, eachOf(stage.perBatch)))
      return error;
    return checkOutput(stage.output);
  }

  llvm::Error checkKind(const AddStage &stage) {
    for (int64_t zeroPoint : {stage.lhsZeroPoint, stage.rhsZeroPoint})
      if (llvm::Error error = within("input zero point", zeroPoint, kInt32))
        return error;
    for (const Multipliers *multipliers : {&stage.lhsMultipliers, &stage.rhsMultipliers})
      if (llvm::Error error = checkMultipliers(*multipliers, Each::Channel))
        return error;
    return checkOutput(stage.output);
  }

  llvm::Error checkKind(const ThresholdStage &stage) {
    if (llvm::Error error = checkLevels(stage.min, stage.levels, kByte.max()))
      return error;
    const auto size = static_cast<int64_t>(stage.thresholds.size());
    if (size != stage.levels && size != stage.levels * program.channels)
      return refuse("{0} thresholds for {1} levels of {2} channels", size, stage.levels, program.channels);
    return llvm::Error::success();
  }

  llvm::Error checkKind(const TableStage &stage) {
    if (llvm::Error error = within("input bits", stage.inputBits, {2, kByte.bits}))
      return error;
    const size_t entries = stage.entries.size(), size = size_t(1) << stage.inputBits, tables = entries / size;
    if (entries % size != 0 || tables < 1 || tables > numerics::kMaxTables)
      return refuse("{0} entries are not 1 to {1} tables of {2}", entries, numerics::kMaxTables, size);
    for (int64_t entry : stage.entries)
      if (llvm::Error error = within("entry", entry, anyByte()))
        return error;
    const size_t channels = stage.tableOfChannel.size();
    if (channels ? static_cast<int64_t>(channels) != program.channels : tables != 1)
      return refuse("{0} channels name one of {1} tables, of {2} channels", channels, tables, program.channels);
    for (int64_t table : stage.tableOfChannel)
      if (llvm::Error error = within("table", table, {0, static_cast<int64_t>(tables) - 1}))
        return error;
    values = {*llvm::min_element(stage.entries), *llvm::max_element(stage.entries)};
    return llvm::Error::success();
  }

  static llvm::Error checkLines(const PiecewiseLinear &lines) {
    const size_t entries = lines.entries();
    if (entries == 0 || lines.intercepts.size() != entries || lines.breakpoints.size() + 1 != entries)
      return refuse("{0} breakpoints, {1} slopes and {2} intercepts are no lines", lines.breakpoints.size(), entries,
                    lines.intercepts.size());
    if (!llvm::is_sorted(lines.breakpoints))
      return refuse("breakpoints must not fall");
    return llvm::Error::success();
  }

  llvm::Error checkKind(const PwlStage &stage) {
    if (llvm::Error error = within("input zero point", stage.inputZeroPoint, kInt32))
      return error;
    if (llvm::Error error = checkLines(stage.lines))
      return error;
    if (!stage.lines.fits(values.min - stage.inputZeroPoint, values.max - stage.inputZeroPoint))
      return refuse("a line leaves 32 bits for an input of {0} to {1}", values.min, values.max);
    if (llvm::Error error = checkMultipliers(stage.multipliers, Each::Channel))
      return error;
    return checkOutput(stage.output);
  }

  llvm::Error checkSoftmax(const Multipliers &multipliers) {
    if (llvm::Error error = checkMultipliers(multipliers, Each::Batch, /*positive=*/true))
      return error;
    values = kByte.range();
    return llvm::Error::success();
  }

  llvm::Error checkKind(const SoftmaxTableStage &stage) {
    if (stage.exponentials.size() != numerics::kDistances)
      return refuse("its table has {0} entries instead of {1}", stage.exponentials.size(), numerics::kDistances);
    return checkSoftmax(stage.multipliers);
  }

  llvm::Error checkKind(const SoftmaxShiftStage &stage) {
    if (llvm::Error error = within("exponent step", stage.exponentStep, {-(int64_t(1) << 16), -1}))
      return error;
    if (llvm::Error error = within("fraction bits", stage.fractionBits, {1, 30}))
      return error;
    if (llvm::Error error = within("code shift", stage.codeShift, {1, 46}))
      return error;
    return checkSoftmax(stage.multipliers);
  }

  llvm::Error checkKind(const ShiftmaxStage &stage) {
    if (llvm::Error error = within("exponent step", stage.exponentStep, {-(int64_t(1) << 30), -1}))
      return error;
    if (llvm::Error error = within("fraction bits", stage.fractionBits, {1, 30}))
      return error;
    if (stage.reciprocalBits != 31 && stage.reciprocalBits != 62)
      return refuse("reciprocal bits {0}: must be 31 or 62", stage.reciprocalBits);
    if (llvm::Error error = within("result bits", stage.resultBits, {2, 16}))
      return error;
    values = {0, (int64_t(1) << (stage.resultBits - 1)) - 1};
    return llvm::Error::success();
  }

  llvm::Error checkKind(const DivideRowsStage &stage) {
    if (llvm::Error error = checkMultipliers(stage.multipliers, eachOf(stage.perBatch)))
      return error;
    if (stage.lines) {
      if (llvm::Error error = checkLines(*stage.lines))
        return error;
      if (!numerics::reciprocalLinesFit(*stage.lines))
        return refuse("its lines are not near a reciprocal");
    }
    return checkOutput(stage.output);
  }

  /// The statistics of a row fit 64 bits.
  llvm::Error checkStatistics(int64_t eps, bool centered = true) const {
    int bits = 2;
    auto holds = [&](bool isSigned) {
      const Interval range = numerics::codeRange(bits, isSigned);
      return values.min >= range.min && values.max <= range.max;
    };
    // Less their mean unsigned values are as far from 0 as signed ones.
    while (bits < 33 && !holds(true) && !(centered && holds(false)))
      ++bits;
    if (bits > 26 || !numerics::layerNormFits(program.channels, bits, eps, centered))
      return refuse("the variance of {0} channels of {1} bits and epsilon {2} does not fit 52 bits", program.channels,
                    bits, eps);
    return llvm::Error::success();
  }

  llvm::Error checkKind(const LayerNormStage &stage) {
    if (llvm::Error error = checkMultipliers(stage.multipliers, Each::Channel, /*positive=*/false, /*oneForAll=*/false))
      return error;
    const auto channels = static_cast<size_t>(program.channels);
    if (stage.offsets.size() != channels || (!stage.postOffsets.empty() && stage.postOffsets.size() != channels))
      return refuse("{0} offsets and {1} post offsets for {2} channels", stage.offsets.size(), stage.postOffsets.size(),
                    channels);
    if (llvm::Error error = within("keeps mean", stage.keepsMean, {0, 1}))
      return error;
    if (llvm::Error error = stage.byShifts ? checkShiftNorm(stage) : checkExactNorm(stage))
      return error;
    return checkOutput(stage.output);
  }

  llvm::Error checkShiftNorm(const LayerNormStage &stage) const {
    if (stage.keepsMean != 0)
      return refuse("by shifts it centers rows");
    for (const std::vector<int64_t> *offsets : {&stage.offsets, &stage.postOffsets})
      for (int64_t offset : *offsets)
        if (llvm::Error error = within("offset", offset, {-(int64_t(1) << 31), int64_t(1) << 31}))
          return error;
    if (values.max - values.min >= int64_t(1) << 16)
      return refuse("its input has {0} to {1}, more than 16 bits", values.min, values.max);
    return llvm::Error::success();
  }

  llvm::Error checkExactNorm(const LayerNormStage &stage) const {
    if (stage.rounding != numerics::Rounding::HalfUp)
      return refuse("it rounds half up only");
    if (llvm::Error error = checkStatistics(stage.eps, stage.keepsMean == 0))
      return error;
    const int64_t bound = numerics::layerNormNormalizedBound(program.channels), most = int64_t(1) << 62;
    for (auto [dyadic, offset] : llvm::zip_equal(stage.multipliers, stage.offsets)) {
      const int64_t room = most - 1 - bound * std::abs(int64_t{dyadic.multiplier});
      if (offset > room || offset < -room)
        return refuse("multiplier {0} and offset {1} of a channel leave 62 bits", dyadic.multiplier, offset);
    }
    if (!stage.lines)
      return llvm::Error::success();
    if (llvm::Error error = checkLines(*stage.lines))
      return error;
    if (!numerics::inverseRootLinesFit(*stage.lines))
      return refuse("its lines are not near a reciprocal root");
    return llvm::Error::success();
  }

  llvm::Error checkKind(const NormQuantStage &stage) {
    if (llvm::Error error = within("channels", program.channels, {1, numerics::kNormQuantChannels}))
      return error;
    if (llvm::Error error = checkStatistics(stage.eps))
      return error;
    if (llvm::Error error = checkLevels(stage.min, stage.levels, numerics::kNormQuantLevels))
      return error;
    if (static_cast<int64_t>(stage.squares.size()) != stage.levels * program.channels ||
        static_cast<int64_t>(stage.negative.size()) != program.channels)
      return refuse("{0} squares and {1} signs for {2} levels of {3} channels", stage.squares.size(),
                    stage.negative.size(), stage.levels, program.channels);
    for (int64_t square : stage.squares)
      if (llvm::Error error = within("square", square, {-kInt32.max, kInt32.max}))
        return error;
    for (int64_t negative : stage.negative)
      if (llvm::Error error = within("sign", negative, {0, 1}))
        return error;
    return llvm::Error::success();
  }

  const UnitProgram &program;
  /// What the values can be where the next stage starts.
  Interval values;
};

} // namespace

/// The end of what an operand of a program touches, saturated at 2^64 - 1.
static uint64_t endOf(const UnitOperand &operand, const UnitProgram &program) {
  auto addressOf = [](int64_t index, uint64_t pitch, uint64_t start) {
    return llvm::SaturatingMultiplyAdd(static_cast<uint64_t>(index), pitch, start);
  };
  uint64_t last = addressOf(program.batches - 1, operand.batchPitch, operand.offset);
  last = addressOf(program.rowsPerBatch - 1, operand.rowPitch, last);
  if (!operand.onePerRow) {
    const int64_t channel = program.channels - 1, size = static_cast<int64_t>(operand.groupSize);
    last = addressOf(channel / size, operand.groupPitch, last);
    // The last element of a full group, which an earlier group may have.
    last = addressOf(std::min(channel, size - 1), operand.bytes, last);
  }
  return llvm::SaturatingAdd<uint64_t>(last, operand.bytes);
}

static llvm::Error checkOperand(llvm::StringRef what, const UnitOperand &operand, const UnitProgram &program,
                                llvm::ArrayRef<uint64_t> operandBytes) {
  if (operand.bytes != 1 && operand.bytes != 2 && operand.bytes != 4)
    return refuse("{0}: elements of {1} bytes, must be 1, 2 or 4", what, operand.bytes);
  if (operand.groupSize < 1 || operand.groupSize > static_cast<uint64_t>(INT64_MAX))
    return refuse("{0}: groups of {1} channels", what, operand.groupSize);
  if (operand.operand >= operandBytes.size())
    return refuse("{0}: there is no operand {1}, only {2}", what, operand.operand, operandBytes.size());
  const uint64_t end = endOf(operand, program), bytes = operandBytes[operand.operand];
  if (end > bytes)
    return refuse("{0}: reaches byte {1} of operand {2}, which has {3}", what, end, operand.operand, bytes);
  return llvm::Error::success();
}

static llvm::Error checkOperands(const UnitProgram &program, llvm::ArrayRef<uint64_t> operandBytes) {
  // A program that reads accumulators only names no input.
  if (program.input != UnitOperand())
    if (llvm::Error error = checkOperand("input", program.input, program, operandBytes))
      return error;
  size_t inputs = 0, outputs = 0;
  for (const Stage &stage : program.stages) {
    const StageInfo &info = infoOf(stage);
    outputs += info.givesSums;
    if (info.extraInput == ExtraInput::None)
      continue;
    const bool onePerRow = info.extraInput == ExtraInput::PerRow;
    if (inputs < program.extraInputs.size() && program.extraInputs[inputs].onePerRow != onePerRow)
      return refuse("extra input {0} of {1}: must have {2}", inputs, info.name,
                    onePerRow ? "one value a row" : "a value for each channel");
    ++inputs;
  }
  if (program.extraInputs.size() != inputs)
    return refuse("it has {0} extra inputs instead of {1}", program.extraInputs.size(), inputs);
  if (!program.extraOutputs.empty() && program.extraOutputs.size() != outputs)
    return refuse("it has {0} extra outputs instead of {1}", program.extraOutputs.size(), outputs);
  for (const UnitOperand &extra : program.extraInputs)
    if (llvm::Error error = checkOperand("extra input", extra, program, operandBytes))
      return error;
  for (const UnitOperand &extra : program.extraOutputs) {
    if (!extra.onePerRow)
      return refuse("extra output: must have one value a row");
    if (llvm::Error error = checkOperand("extra output", extra, program, operandBytes))
      return error;
  }
  if (program.output.onePerRow)
    return refuse("output: must have a value for each channel");
  return checkOperand("output", program.output, program, operandBytes);
}

llvm::Error simulator::checkUnitProgram(const UnitProgram &program, const Config &config,
                                        llvm::ArrayRef<uint64_t> operandBytes) {
  if (program.stages.empty())
    return refuse("it has no stages");
  const Interval sizes{1, int64_t(1) << 31};
  if (llvm::Error error = within("rows of a batch", program.rowsPerBatch, sizes))
    return error;
  if (llvm::Error error = within("batches", program.batches, sizes))
    return error;
  // What an instruction can say.
  if (llvm::Error error = within("channels", program.channels, {1, 65535}))
    return error;
  if (llvm::Error error = checkOperands(program, operandBytes))
    return error;
  // Accumulators, unless an input says otherwise.
  Interval input = kInt32;
  if (program.input != UnitOperand())
    input = numerics::codeRange(program.input.bytes * 8, program.input.bytes == 4 || !program.input.isUnsigned);
  StageChecker checker(program, input);
  for (auto [i, stage] : llvm::enumerate(program.stages)) {
    const StageInfo &info = infoOf(stage);
    if (!config.has(info.unit))
      return refuse("stage {0} ({1}) needs the unit '{2}', which this array lacks", i, info.name, nameOf(info.unit));
    if (llvm::Error error = checker.check(stage))
      return refuse("stage {0} ({1}): {2}", i, info.name, llvm::toString(std::move(error)));
  }
  return llvm::Error::success();
}
