//===- Units.cpp - vitq ops as stages of units -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Systolic/Units.h"

#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/Softmax.h"
#include "vitq/Support/Constants.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using simulator::Stage;
using simulator::StageKind;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }
static unsigned widthOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementTypeBitWidth(); }
static int64_t roundingNumber(integer::Rounding rounding) {
  return static_cast<int64_t>(integer::toNumerics(rounding));
}

namespace {

/// Builds the stage of one op; `reason` is set when there is none.
class StageBuilder {
public:
  StageBuilder(Value rows, std::string &reason) : rows(rows), reason(reason) {}
  std::optional<StageOfOp> build(Operation *op);

private:
  bool refuse(StringRef why) {
    reason = why.str();
    return false;
  }
  /// Which multiplier an element has: one for all, per channel, or per batch.
  bool addMultipliers(integer::DyadicAttr by, int64_t axis, bool *perBatch);
  void addLines(integer::PiecewiseLinearAttr lines);
  void addRange(Value result, integer::CodeAttr attr);
  bool addConstant(Value value, StringRef what);
  template <typename T>
  void addArray(ArrayRef<T> values) {
    result.stage.arrays.emplace_back(values.begin(), values.end());
  }

  bool make(integer::RequantOp op);
  bool make(integer::AddOp op);
  bool make(integer::ThresholdOp op);
  bool make(integer::TableOp op);
  bool make(integer::PwlOp op);
  bool make(integer::SoftmaxOp op);
  bool make(integer::ShiftmaxOp op);
  bool make(integer::DivideRowsOp op);
  bool make(integer::LayerNormOp op);
  bool make(integer::NormQuantOp op);

  Value rows;
  std::string &reason;
  StageOfOp result;
};

} // namespace

bool StageBuilder::addMultipliers(integer::DyadicAttr by, int64_t axis, bool *perBatch) {
  ArrayRef<int64_t> shape = shapeOf(result.rows);
  const auto rank = static_cast<int64_t>(shape.size());
  if (axis < 0)
    axis += rank;
  if (perBatch)
    *perBatch = false;
  if (by.size() > 1 && axis != rank - 1) {
    int64_t batches = 1;
    for (int64_t extent : shape.drop_back(std::min<int64_t>(rank, 2)))
      batches *= extent;
    if (!perBatch || axis >= rank - 2 || batches != static_cast<int64_t>(by.size()))
      return refuse("its multipliers are neither one for each channel nor for each matrix");
    *perBatch = true;
  }
  addArray(by.getMultipliers());
  addArray(by.getShifts());
  return true;
}

void StageBuilder::addLines(integer::PiecewiseLinearAttr lines) {
  addArray(lines.getBreakpoints());
  addArray(lines.getSlopes());
  addArray(lines.getIntercepts());
}

/// Zero point, least and greatest code.
void StageBuilder::addRange(Value value, integer::CodeAttr attr) {
  const numerics::Code code = integer::codeOf(value, attr);
  llvm::append_values(result.stage.numbers, code.zero, code.min(), code.max());
  result.resultUnsigned = code.isUnsigned;
}

bool StageBuilder::addConstant(Value value, StringRef what) {
  FailureOr<std::vector<int64_t>> constant = getIntConstant(value);
  if (failed(constant))
    return refuse((what + " are no constants").str());
  result.stage.arrays.push_back(std::move(*constant));
  return true;
}

bool StageBuilder::make(integer::RequantOp op) {
  bool perBatch = false;
  result.stage.numbers = {roundingNumber(op.getRounding()), static_cast<int64_t>(op.getInputCode().getZero())};
  addRange(op.getResult(), op.getResultCode());
  if (op.getMin())
    result.stage.numbers[3] = *op.getMin();
  if (op.getMax())
    result.stage.numbers[4] = *op.getMax();
  if (!addMultipliers(op.getBy(), op.getAxis(), &perBatch))
    return false;
  result.stage.numbers.push_back(perBatch);
  result.inputUnsigned = op.getInputCode().isUnsigned();
  return true;
}

bool StageBuilder::make(integer::AddOp op) {
  const bool swapped = result.rows != op.getLhs();
  Value other = swapped ? op.getLhs() : op.getRhs();
  if (shapeOf(other) != shapeOf(op.getResult()) || other == result.rows)
    return refuse("its operands have not the same shape, or are one tensor");
  result.stage.numbers = {roundingNumber(op.getRounding()), static_cast<int64_t>(op.getLhsCode().getZero()),
                          static_cast<int64_t>(op.getRhsCode().getZero())};
  addRange(op.getResult(), op.getResultCode());
  result.stage.numbers.push_back(swapped);
  result.extraInput = other;
  result.inputUnsigned = swapped ? op.getRhsCode().isUnsigned() : op.getLhsCode().isUnsigned();
  result.extraUnsigned = swapped ? op.getLhsCode().isUnsigned() : op.getRhsCode().isUnsigned();
  return addMultipliers(op.getLhsBy(), -1, nullptr) && addMultipliers(op.getRhsBy(), -1, nullptr);
}

bool StageBuilder::make(integer::ThresholdOp op) {
  result.stage.numbers = {static_cast<int64_t>(op.getMin()), shapeOf(op.getThresholds())[0]};
  result.inputUnsigned = op.getInputCode().isUnsigned();
  result.resultUnsigned = op.getResultCode().isUnsigned();
  return addConstant(op.getThresholds(), "its thresholds");
}

bool StageBuilder::make(integer::TableOp op) {
  if (widthOf(op.getTable()) != 8)
    return refuse("its entries have more than 8 bits");
  result.stage.numbers = {!op.getInputCode().isUnsigned()};
  result.inputUnsigned = op.getInputCode().isUnsigned();
  if (!addConstant(op.getTable(), "its tables"))
    return false;
  result.stage.arrays.emplace_back();
  if (!op.getIndex())
    return true;
  result.stage.arrays.pop_back();
  if (!addConstant(op.getIndex(), "its indices of tables"))
    return false;
  for (int64_t &index : result.stage.arrays.back())
    index &= 255;
  return true;
}

bool StageBuilder::make(integer::PwlOp op) {
  result.stage.numbers = {roundingNumber(op.getRounding()), static_cast<int64_t>(op.getInputCode().getZero())};
  addRange(op.getResult(), op.getResultCode());
  result.inputUnsigned = op.getInputCode().isUnsigned();
  addLines(op.getLines());
  return addMultipliers(op.getBy(), -1, nullptr);
}

bool StageBuilder::make(integer::SoftmaxOp op) {
  result.extraOutput = op.getSums();
  result.resultUnsigned = true;
  std::optional<numerics::DistanceTable> table = op.getAlgorithm().getDistanceCodes(widthOf(op.getCodes()));
  if (!table)
    return refuse("softmax in powers of two is in no unit");
  if (auto shift = dyn_cast<integer::ExpShiftAttr>(op.getAlgorithm()); shift && widthOf(op.getCodes()) == 8) {
    result.stage.kind = StageKind::SoftmaxShift;
    result.stage.numbers = {shift.getStep(), shift.getFractionBits(), shift.getCodeShift()};
  } else {
    result.stage.arrays.emplace_back(table->begin(), table->end());
  }
  bool perBatch = false;
  return addMultipliers(op.getBy(), 1, &perBatch);
}

bool StageBuilder::make(integer::ShiftmaxOp op) {
  result.stage.numbers = {static_cast<int64_t>(op.getExponentStep()), static_cast<int64_t>(op.getFractionBits()),
                          static_cast<int64_t>(op.getReciprocalBits()), static_cast<int64_t>(op.getResultBits())};
  return true;
}

bool StageBuilder::make(integer::DivideRowsOp op) {
  bool perBatch = false;
  result.stage.numbers = {roundingNumber(op.getRounding())};
  addRange(op.getResult(), op.getResultCode());
  result.stage.numbers.push_back(static_cast<bool>(op.getLines()));
  result.extraInput = op.getSums();
  if (!addMultipliers(op.getBy(), op.getAxis(), &perBatch))
    return false;
  result.stage.numbers.push_back(perBatch);
  if (op.getLines())
    addLines(*op.getLines());
  return true;
}

bool StageBuilder::make(integer::LayerNormOp op) {
  auto shift = dyn_cast<integer::NormShiftAttr>(op.getAlgorithm());
  auto pwl = dyn_cast<integer::NormPwlAttr>(op.getAlgorithm());
  const integer::Rounding rounding = shift ? shift.getRounding() : integer::Rounding::HalfUp;
  result.stage.numbers = {static_cast<bool>(shift), roundingNumber(rounding), op.getAlgorithm().getEps()};
  addRange(op.getResult(), op.getResultCode());
  result.stage.numbers.push_back(static_cast<bool>(pwl));
  result.inputUnsigned = op.getInputCode().isUnsigned();
  if (!addMultipliers(op.getBy(), -1, nullptr))
    return false;
  addArray(op.getOffsets());
  std::vector<int64_t> post(op.getOffsets().size(), 0);
  if (shift && shift.getPostOffsets())
    llvm::copy(shift.getPostOffsets().asArrayRef(), post.begin());
  addArray(ArrayRef<int64_t>(post));
  if (pwl)
    addLines(pwl.getLines());
  return true;
}

bool StageBuilder::make(integer::NormQuantOp op) {
  result.stage.numbers = {shapeOf(op.getSquares())[0], static_cast<int64_t>(op.getEps()),
                          static_cast<int64_t>(op.getMin())};
  result.inputUnsigned = op.getInputCode().isUnsigned();
  result.resultUnsigned = op.getResultCode().isUnsigned();
  if (!addConstant(op.getSquares(), "its squares"))
    return false;
  addArray(op.getNegative());
  return true;
}

std::optional<StageOfOp> StageBuilder::build(Operation *op) {
  result.rows = rows ? rows : op->getOperand(0);
  const bool made =
      TypeSwitch<Operation *, bool>(op)
          .Case([&](integer::RequantOp op) { return result.stage.kind = StageKind::Requant, make(op); })
          .Case([&](integer::AddOp op) { return result.stage.kind = StageKind::Add, make(op); })
          .Case([&](integer::ThresholdOp op) { return result.stage.kind = StageKind::Threshold, make(op); })
          .Case([&](integer::TableOp op) { return result.stage.kind = StageKind::Table, make(op); })
          .Case([&](integer::PwlOp op) { return result.stage.kind = StageKind::Pwl, make(op); })
          .Case([&](integer::SoftmaxOp op) { return result.stage.kind = StageKind::SoftmaxTable, make(op); })
          .Case([&](integer::ShiftmaxOp op) { return result.stage.kind = StageKind::Shiftmax, make(op); })
          .Case([&](integer::DivideRowsOp op) { return result.stage.kind = StageKind::DivideRows, make(op); })
          .Case([&](integer::LayerNormOp op) { return result.stage.kind = StageKind::LayerNorm, make(op); })
          .Case([&](integer::NormQuantOp op) { return result.stage.kind = StageKind::NormQuant, make(op); })
          .Default([&](Operation *) { return refuse("no unit computes it"); });
  return made ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<StageOfOp> systolic::stageOf(Operation *op, Value rows, std::string &reason) {
  return StageBuilder(rows, reason).build(op);
}

std::optional<simulator::Unit> systolic::unitFor(Operation *op) {
  return TypeSwitch<Operation *, std::optional<simulator::Unit>>(op)
      .Case<integer::RequantOp, integer::AddOp>([](auto) { return simulator::UnitDyadic; })
      .Case<integer::ThresholdOp>([](auto) { return simulator::UnitComparator; })
      .Case<integer::TableOp, integer::PwlOp>([](auto) { return simulator::UnitLut; })
      .Case<integer::SoftmaxOp, integer::ShiftmaxOp, integer::DivideRowsOp>(
          [](auto) { return simulator::UnitExponent; })
      .Case<integer::LayerNormOp, integer::NormQuantOp>([](auto) { return simulator::UnitNorm; })
      .Default([](Operation *) { return std::nullopt; });
}

//===----------------------------------------------------------------------===//
// Unit programs
//===----------------------------------------------------------------------===//

/// A dense tensor, matrix after matrix.
static simulator::UnitOperand operandOf(Value value, unsigned number, bool isUnsigned, int64_t rows, bool onePerRow) {
  simulator::UnitOperand operand;
  operand.operand = static_cast<uint8_t>(number);
  operand.bytes = static_cast<uint8_t>(widthOf(value) / 8);
  operand.isUnsigned = isUnsigned;
  operand.onePerRow = onePerRow;
  const auto channels = static_cast<uint64_t>(onePerRow ? 1 : shapeOf(value).back());
  operand.rowPitch = channels * operand.bytes;
  operand.batchPitch = operand.rowPitch * static_cast<uint64_t>(rows);
  operand.groupSize = channels;
  operand.groupPitch = operand.rowPitch;
  return operand;
}

FailureOr<simulator::UnitProgram> systolic::encodeUnits(LaunchOp launch) {
  Block &body = launch.getUnits().front();
  const unsigned inputs = launch.getInputs().size();
  const auto own = static_cast<unsigned>(launch.getOperandsForUnits());
  const bool fromSums = body.getNumArguments() == own + 1;
  /// Number of the launch's operand for an argument of the region or a yielded value.
  auto numberOf = [&](BlockArgument argument) { return inputs - own + argument.getArgNumber() - fromSums; };
  auto yield = cast<YieldOp>(body.getTerminator());
  auto resultNumber = [&](Value value) -> std::optional<unsigned> {
    auto found = llvm::find(yield.getValues(), value);
    if (found == yield.getValues().end())
      return std::nullopt;
    return inputs + static_cast<unsigned>(found - yield.getValues().begin());
  };

  simulator::UnitProgram program;
  Value current = body.getNumArguments() ? Value(body.getArgument(0)) : Value();
  if (!current)
    return launch.emitOpError("has units without an argument");
  ArrayRef<int64_t> shape = shapeOf(current);
  program.channels = shape.back();
  program.rowsPerBatch = shape.size() > 1 ? shape[shape.size() - 2] : 1;
  for (int64_t extent : shape.drop_back(std::min<size_t>(shape.size(), 2)))
    program.batches *= extent;
  const int64_t rows = program.rowsPerBatch;
  bool resultUnsigned = false, first = true;
  for (Operation &op : body.without_terminator()) {
    if (isa<arith::ConstantOp>(op))
      continue;
    std::string reason;
    std::optional<StageOfOp> stage =
        stageOf(&op, llvm::is_contained(op.getOperands(), current) ? current : Value(), reason);
    if (!stage)
      return op.emitOpError() << "is no stage of a unit: " << reason;
    if (stage->rows != current)
      return op.emitOpError("does not read the rows that the stage before gives");
    if (first && !fromSums)
      program.input = operandOf(current, numberOf(cast<BlockArgument>(current)), stage->inputUnsigned, rows, false);
    if (stage->extraInput) {
      auto argument = dyn_cast<BlockArgument>(stage->extraInput);
      if (!argument || (fromSums && argument.getArgNumber() == 0))
        return op.emitOpError("reads an operand that is not in DRAM");
      program.extraInputs.push_back(operandOf(argument, numberOf(argument), stage->extraUnsigned, rows,
                                              stage->stage.kind == StageKind::DivideRows));
    }
    if (stage->extraOutput)
      if (std::optional<unsigned> number = resultNumber(stage->extraOutput))
        program.extraOutputs.push_back(operandOf(stage->extraOutput, *number, false, rows, true));
    program.stages.push_back(std::move(stage->stage));
    current = op.getResult(0);
    resultUnsigned = stage->resultUnsigned;
    first = false;
  }
  std::optional<unsigned> number = resultNumber(current);
  if (!number || program.stages.empty())
    return launch.emitOpError("has units that do not give their last rows");
  program.output = operandOf(current, *number, resultUnsigned, rows, false);
  return program;
}
