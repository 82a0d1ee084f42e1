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

#include "StageFields.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/ReciprocalLines.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace vitq;
using namespace vitq::simulator;
using llvm::formatv;
using numerics::Interval;

static constexpr Interval kInt32{INT32_MIN, INT32_MAX};

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

  llvm::Error check(const Stage &next) {
    stage = &next;
    const StageFields &fields = fieldsOf(next.kind);
    if (next.numbers.size() < fields.fewestNumbers || next.numbers.size() > fields.mostNumbers)
      return refuse("it has {0} numbers instead of {1}", next.numbers.size(), fields.mostNumbers);
    if (next.arrays.size() > fields.arrays)
      return refuse("it has {0} arrays instead of {1}", next.arrays.size(), fields.arrays);
    return checkKind();
  }

private:
  llvm::Error checkKind() {
    switch (stage->kind) {
    case StageKind::Requant:
      return checkRequant();
    case StageKind::Add:
      return checkAdd();
    case StageKind::Threshold:
      return checkThreshold();
    case StageKind::Table:
      return checkTable();
    case StageKind::Pwl:
      return checkPwl();
    case StageKind::SoftmaxTable:
      return checkSoftmaxTable();
    case StageKind::SoftmaxShift:
      return checkSoftmaxShift();
    case StageKind::Shiftmax:
      return checkShiftmax();
    case StageKind::DivideRows:
      return checkDivideRows();
    case StageKind::LayerNorm:
      return checkLayerNorm();
    case StageKind::NormQuant:
      return checkNormQuant();
    }
    return refuse("there is no such stage");
  }

  int64_t number(size_t i) const { return numberOf(*stage, i); }
  llvm::Error numberWithin(llvm::StringRef what, size_t i, Interval range) const {
    return within(what, number(i), range);
  }
  llvm::Error allWithin(llvm::StringRef what, size_t i, Interval range) const {
    for (int64_t value : arrayOf(*stage, i))
      if (llvm::Error error = within(what, value, range))
        return error;
    return llvm::Error::success();
  }

  enum class Each { Channel, Batch };
  /// Arrays `first` and `first + 1`: multipliers and shifts.
  llvm::Error multipliers(size_t first, Each each, bool positive = false, bool oneForAll = true) const {
    const size_t count = arrayOf(*stage, first).size();
    if (count != arrayOf(*stage, first + 1).size())
      return refuse("{0} multipliers have {1} shifts", count, arrayOf(*stage, first + 1).size());
    const int64_t most = each == Each::Batch ? program.batches : program.channels;
    const bool fits = count >= 1 && (each == Each::Batch ? most % static_cast<int64_t>(count) == 0
                                                         : static_cast<int64_t>(count) == most);
    if (!fits && !(oneForAll && count == 1))
      return refuse("{0} multipliers for {1} {2}", count, most, each == Each::Batch ? "batches" : "channels");
    if (llvm::Error error = allWithin("multiplier", first, {positive ? 0 : -kInt32.max, kInt32.max}))
      return error;
    return allWithin("shift", first + 1, {1, 62});
  }

  /// Numbers `first` to `first + 2`: zero point and limits of the result.
  llvm::Error output(size_t first) {
    for (size_t i = first; i < first + 3; ++i)
      if (llvm::Error error = numberWithin(i == first ? "zero point" : "limit", i, kInt32))
        return error;
    if (number(first + 1) > number(first + 2))
      return refuse("limits {0} and {1} leave no value", number(first + 1), number(first + 2));
    values = {number(first + 1), number(first + 2)};
    return llvm::Error::success();
  }
  llvm::Error rounding(size_t i) const { return numberWithin("rounding", i, {0, 3}); }
  llvm::Error levels(size_t min, size_t count, int64_t most) {
    if (llvm::Error error = numberWithin("levels", count, {1, most}))
      return error;
    if (llvm::Error error = numberWithin("lowest level", min, {kInt32.min, kInt32.max - most}))
      return error;
    values = {number(min), number(min) + number(count)};
    return llvm::Error::success();
  }

  llvm::Error checkRequant() {
    if (llvm::Error error = rounding(0))
      return error;
    if (llvm::Error error = numberWithin("input zero point", 1, kInt32))
      return error;
    if (llvm::Error error = multipliers(0, number(5) ? Each::Batch : Each::Channel))
      return error;
    return output(2);
  }

  llvm::Error checkAdd() {
    if (llvm::Error error = rounding(0))
      return error;
    for (size_t i : {1, 2})
      if (llvm::Error error = numberWithin("input zero point", i, kInt32))
        return error;
    for (size_t i : {0, 2})
      if (llvm::Error error = multipliers(i, Each::Channel))
        return error;
    return output(3);
  }

  llvm::Error checkThreshold() {
    if (llvm::Error error = levels(0, 1, 255))
      return error;
    const auto size = static_cast<int64_t>(arrayOf(*stage, 0).size());
    if (size != number(1) && size != number(1) * program.channels)
      return refuse("{0} thresholds for {1} levels of {2} channels", size, number(1), program.channels);
    return allWithin("threshold", 0, kInt32);
  }

  llvm::Error checkTable() {
    const size_t entries = arrayOf(*stage, 0).size(), tables = entries / 256;
    if (entries % 256 != 0 || tables < 1 || tables > 128)
      return refuse("{0} entries are not 1 to 128 tables of 256", entries);
    if (llvm::Error error = allWithin("entry", 0, {-128, 255}))
      return error;
    const size_t channels = arrayOf(*stage, 1).size();
    if (channels ? static_cast<int64_t>(channels) != program.channels : tables != 1)
      return refuse("{0} channels name one of {1} tables, of {2} channels", channels, tables, program.channels);
    if (llvm::Error error = allWithin("table", 1, {0, static_cast<int64_t>(tables) - 1}))
      return error;
    values = {*llvm::min_element(arrayOf(*stage, 0)), *llvm::max_element(arrayOf(*stage, 0))};
    return llvm::Error::success();
  }

  /// Arrays `first` to `first + 2`: a function made of lines.
  llvm::Error lines(size_t first) const {
    const size_t entries = arrayOf(*stage, first + 1).size();
    if (entries == 0 || arrayOf(*stage, first + 2).size() != entries || arrayOf(*stage, first).size() + 1 != entries)
      return refuse("{0} breakpoints, {1} slopes and {2} intercepts are no lines", arrayOf(*stage, first).size(),
                    entries, arrayOf(*stage, first + 2).size());
    for (size_t i = first; i < first + 3; ++i)
      if (llvm::Error error = allWithin("line's number", i, kInt32))
        return error;
    if (!llvm::is_sorted(arrayOf(*stage, first)))
      return refuse("breakpoints must not fall");
    return llvm::Error::success();
  }

  llvm::Error checkPwl() {
    if (llvm::Error error = rounding(0))
      return error;
    if (llvm::Error error = numberWithin("input zero point", 1, kInt32))
      return error;
    if (llvm::Error error = lines(0))
      return error;
    if (!linesOf(*stage, 0).fits(values.min - number(1), values.max - number(1)))
      return refuse("a line leaves 32 bits for an input of {0} to {1}", values.min, values.max);
    if (llvm::Error error = multipliers(3, Each::Channel))
      return error;
    return output(2);
  }

  llvm::Error softmax(size_t by) {
    if (llvm::Error error = multipliers(by, Each::Batch, /*positive=*/true))
      return error;
    if (llvm::Error error = within("channels", program.channels, {1, int64_t(1) << 23}))
      return error;
    values = {0, 255};
    return llvm::Error::success();
  }

  llvm::Error checkSoftmaxTable() {
    if (arrayOf(*stage, 0).size() != 256)
      return refuse("its table has {0} entries instead of 256", arrayOf(*stage, 0).size());
    if (llvm::Error error = allWithin("entry", 0, {0, 255}))
      return error;
    return softmax(1);
  }

  llvm::Error checkSoftmaxShift() {
    if (llvm::Error error = numberWithin("exponent step", 0, {-(int64_t(1) << 16), -1}))
      return error;
    if (llvm::Error error = numberWithin("fraction bits", 1, {1, 30}))
      return error;
    if (llvm::Error error = numberWithin("code shift", 2, {1, 46}))
      return error;
    return softmax(0);
  }

  llvm::Error checkShiftmax() {
    if (llvm::Error error = numberWithin("exponent step", 0, {-(int64_t(1) << 30), -1}))
      return error;
    if (llvm::Error error = numberWithin("fraction bits", 1, {1, 30}))
      return error;
    if (number(2) != 31 && number(2) != 62)
      return refuse("reciprocal bits {0}: must be 31 or 62", number(2));
    if (llvm::Error error = numberWithin("result bits", 3, {2, 16}))
      return error;
    values = {0, (int64_t(1) << (number(3) - 1)) - 1};
    return llvm::Error::success();
  }

  llvm::Error checkDivideRows() {
    if (llvm::Error error = rounding(0))
      return error;
    if (llvm::Error error = multipliers(0, number(5) ? Each::Batch : Each::Channel))
      return error;
    if (number(4)) {
      if (llvm::Error error = lines(2))
        return error;
      if (!numerics::reciprocalLinesFit(linesOf(*stage, 2)))
        return refuse("its lines are not near a reciprocal");
    }
    return output(1);
  }

  /// The statistics of a row fit 64 bits.
  llvm::Error statistics(int64_t eps) const {
    int bits = 2;
    auto holds = [&](bool isSigned) {
      const Interval range = numerics::codeRange(bits, isSigned);
      return values.min >= range.min && values.max <= range.max;
    };
    while (bits < 33 && !holds(true) && !holds(false))
      ++bits;
    if (bits > 26 || !numerics::layerNormFits(program.channels, bits, eps))
      return refuse("the variance of {0} channels of {1} bits and epsilon {2} does not fit 52 bits", program.channels,
                    bits, eps);
    return llvm::Error::success();
  }

  llvm::Error checkLayerNorm() {
    if (llvm::Error error = rounding(1))
      return error;
    if (llvm::Error error = multipliers(0, Each::Channel, /*positive=*/false, /*oneForAll=*/false))
      return error;
    const auto channels = static_cast<size_t>(program.channels);
    if (arrayOf(*stage, 2).size() != channels || (!arrayOf(*stage, 3).empty() && arrayOf(*stage, 3).size() != channels))
      return refuse("{0} offsets and {1} post offsets for {2} channels", arrayOf(*stage, 2).size(),
                    arrayOf(*stage, 3).size(), channels);
    const bool shift = number(0);
    if (llvm::Error error = shift ? checkShiftNorm() : checkExactNorm())
      return error;
    return output(3);
  }

  llvm::Error checkShiftNorm() const {
    const Interval range{-(int64_t(1) << 31), int64_t(1) << 31};
    for (size_t i : {2, 3})
      if (llvm::Error error = allWithin("offset", i, range))
        return error;
    if (values.max - values.min >= int64_t(1) << 16)
      return refuse("its input has {0} to {1}, more than 16 bits", values.min, values.max);
    return within("channels", program.channels, {1, int64_t(1) << 16});
  }

  llvm::Error checkExactNorm() const {
    if (number(1) != 0)
      return refuse("it rounds half up only");
    if (llvm::Error error = statistics(number(2)))
      return error;
    const int64_t bound = numerics::layerNormNormalizedBound(program.channels), most = int64_t(1) << 62;
    for (auto [multiplier, offset] : llvm::zip_equal(arrayOf(*stage, 0), arrayOf(*stage, 2))) {
      const int64_t room = most - 1 - bound * std::abs(multiplier);
      if (offset > room || offset < -room)
        return refuse("multiplier {0} and offset {1} of a channel leave 62 bits", multiplier, offset);
    }
    if (!number(6))
      return llvm::Error::success();
    if (llvm::Error error = lines(4))
      return error;
    if (!numerics::inverseRootLinesFit(linesOf(*stage, 4)))
      return refuse("its lines are not near a reciprocal root");
    return llvm::Error::success();
  }

  llvm::Error checkNormQuant() {
    if (llvm::Error error = within("channels", program.channels, {1, numerics::kNormQuantChannels}))
      return error;
    if (llvm::Error error = statistics(number(1)))
      return error;
    if (llvm::Error error = levels(2, 0, numerics::kNormQuantLevels))
      return error;
    if (static_cast<int64_t>(arrayOf(*stage, 0).size()) != number(0) * program.channels ||
        static_cast<int64_t>(arrayOf(*stage, 1).size()) != program.channels)
      return refuse("{0} squares and {1} signs for {2} levels of {3} channels", arrayOf(*stage, 0).size(),
                    arrayOf(*stage, 1).size(), number(0), program.channels);
    if (llvm::Error error = allWithin("square", 0, {-kInt32.max, kInt32.max}))
      return error;
    return allWithin("sign", 1, {0, 1});
  }

  const UnitProgram &program;
  /// What the values can be where the next stage starts.
  Interval values;
  const Stage *stage = nullptr;
};

} // namespace

/// The end of what an operand of a program touches, saturated at 2^64 - 1.
static uint64_t endOf(const UnitOperand &operand, const UnitProgram &program) {
  auto at = [](int64_t index, uint64_t pitch, uint64_t start) {
    return llvm::SaturatingMultiplyAdd(static_cast<uint64_t>(index), pitch, start);
  };
  uint64_t last = at(program.batches - 1, operand.batchPitch, operand.offset);
  last = at(program.rowsPerBatch - 1, operand.rowPitch, last);
  if (!operand.onePerRow) {
    const int64_t channel = program.channels - 1, size = static_cast<int64_t>(operand.groupSize);
    last = at(channel / size, operand.groupPitch, last);
    // The last element of a full group, which an earlier group may have.
    last = at(std::min(channel, size - 1), operand.bytes, last);
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
    outputs += stage.kind == StageKind::SoftmaxTable || stage.kind == StageKind::SoftmaxShift;
    if (stage.kind != StageKind::Add && stage.kind != StageKind::DivideRows)
      continue;
    if (inputs < program.extraInputs.size() &&
        program.extraInputs[inputs].onePerRow != (stage.kind == StageKind::DivideRows))
      return refuse("extra input {0} of {1}: must have {2}", inputs, nameOf(stage.kind),
                    stage.kind == StageKind::DivideRows ? "one value a row" : "a value for each channel");
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
    if (static_cast<unsigned>(stage.kind) >= kNumStageKinds)
      return refuse("stage {0}: there is no kind {1}", i, static_cast<unsigned>(stage.kind));
    const Unit unit = unitOf(stage.kind);
    if (!config.has(unit))
      return refuse("stage {0} ({1}) needs the unit '{2}', which this array lacks", i, nameOf(stage.kind),
                    nameOf(unit));
    if (llvm::Error error = checker.check(stage))
      return refuse("stage {0} ({1}): {2}", i, nameOf(stage.kind), llvm::toString(std::move(error)));
  }
  return llvm::Error::success();
}
