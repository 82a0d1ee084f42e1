//===- Units.cpp - vitq ops as stages of units -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Systolic/Units.h"

#include "vitq/Numerics/Softmax.h"
#include "vitq/Support/Constants.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using namespace vitq::simulator;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<RankedTensorType>(value.getType()).getShape(); }
static unsigned widthOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementTypeBitWidth(); }

/// Every code of a value's width.
static OutputRange rangeOf(Value value, integer::CodeAttr attr) {
  const numerics::Code code = integer::codeOf(value, attr);
  return {code.zero, code.min(), code.max()};
}

static Multipliers multipliersOf(integer::DyadicAttr by) {
  Multipliers multipliers;
  for (auto [multiplier, shift] : llvm::zip_equal(by.getMultipliers(), by.getShifts()))
    multipliers.push_back({multiplier, static_cast<int32_t>(shift)});
  return multipliers;
}

namespace {

/// Builds the stage of one op; `reason` is set when there is none.
class StageBuilder {
public:
  StageBuilder(Value rows, std::string &reason, const CodeSigns &signs) : rows(rows), reason(reason), signs(signs) {}
  std::optional<StageOfOp> build(Operation *op);

private:
  bool refuse(StringRef why) {
    reason = why.str();
    return false;
  }
  /// Which multiplier an element has: one for all, per channel, or, where the stage can, per batch.
  bool setMultipliers(Multipliers &multipliers, integer::DyadicAttr by, int64_t axis, bool *perBatch = nullptr);
  template <typename T>
  bool setConstant(std::vector<T> &entries, Value value, StringRef what);

  // One for each op that a unit computes.
  bool make(RequantStage &stage, integer::RequantOp op);
  bool make(AddStage &stage, integer::AddOp op);
  bool make(ThresholdStage &stage, integer::ThresholdOp op);
  bool make(TableStage &stage, integer::TableOp op);
  bool make(PwlStage &stage, integer::PwlOp op);
  bool make(SoftmaxTableStage &stage, integer::SoftmaxOp op);
  bool make(SoftmaxShiftStage &stage, integer::SoftmaxOp op);
  bool make(ShiftmaxStage &stage, integer::ShiftmaxOp op);
  bool make(DivideRowsStage &stage, integer::DivideRowsOp op);
  bool make(LayerNormStage &stage, integer::LayerNormOp op);
  bool make(NormQuantStage &stage, integer::NormQuantOp op);
  template <typename StageKind, typename Op>
  bool makeStage(Op op) {
    return make(result.stage.emplace<StageKind>(), op);
  }

  Value rows;
  std::string &reason;
  const CodeSigns &signs;
  StageOfOp result;
};

} // namespace

bool StageBuilder::setMultipliers(Multipliers &multipliers, integer::DyadicAttr by, int64_t axis, bool *perBatch) {
  ArrayRef<int64_t> shape = shapeOf(result.rows);
  const auto rank = static_cast<int64_t>(shape.size());
  if (axis < 0)
    axis += rank;
  if (by.size() > 1 && axis != rank - 1) {
    const int64_t batches = computeProduct(shape.drop_back(std::min<int64_t>(rank, 2)));
    if (!perBatch || axis >= rank - 2 || batches != static_cast<int64_t>(by.size()))
      return refuse("its multipliers are neither one for each channel nor for each matrix");
    *perBatch = true;
  }
  multipliers = multipliersOf(by);
  return true;
}

template <typename T>
bool StageBuilder::setConstant(std::vector<T> &entries, Value value, StringRef what) {
  FailureOr<std::vector<int64_t>> constant = getIntConstant(value);
  if (failed(constant))
    return refuse((what + " are no constants").str());
  entries.assign(constant->begin(), constant->end());
  return true;
}

bool StageBuilder::make(RequantStage &stage, integer::RequantOp op) {
  stage.rounding = integer::toNumerics(op.getRounding());
  stage.inputZeroPoint = static_cast<int64_t>(op.getInputCode().getZero());
  stage.output = rangeOf(op.getResult(), op.getResultCode());
  stage.output.min = op.getMin().value_or(stage.output.min);
  stage.output.max = op.getMax().value_or(stage.output.max);
  result.inputUnsigned = op.getInputCode().isUnsigned();
  result.resultUnsigned = op.getResultCode().isUnsigned();
  return setMultipliers(stage.multipliers, op.getBy(), op.getAxis(), &stage.perBatch);
}

bool StageBuilder::make(AddStage &stage, integer::AddOp op) {
  stage.swapped = result.rows != op.getLhs();
  result.extraInput = stage.swapped ? op.getLhs() : op.getRhs();
  if (shapeOf(result.extraInput) != shapeOf(op.getResult()) || result.extraInput == result.rows)
    return refuse("its operands have not the same shape, or are one tensor");
  stage.rounding = integer::toNumerics(op.getRounding());
  stage.lhsZeroPoint = static_cast<int64_t>(op.getLhsCode().getZero());
  stage.rhsZeroPoint = static_cast<int64_t>(op.getRhsCode().getZero());
  stage.output = rangeOf(op.getResult(), op.getResultCode());
  result.inputUnsigned = stage.swapped ? op.getRhsCode().isUnsigned() : op.getLhsCode().isUnsigned();
  result.extraUnsigned = stage.swapped ? op.getLhsCode().isUnsigned() : op.getRhsCode().isUnsigned();
  result.resultUnsigned = op.getResultCode().isUnsigned();
  return setMultipliers(stage.lhsMultipliers, op.getLhsBy(), -1) &&
         setMultipliers(stage.rhsMultipliers, op.getRhsBy(), -1);
}

bool StageBuilder::make(ThresholdStage &stage, integer::ThresholdOp op) {
  stage.min = static_cast<int64_t>(op.getMin());
  stage.levels = shapeOf(op.getThresholds())[0];
  result.inputUnsigned = op.getInputCode().isUnsigned();
  result.resultUnsigned = op.getResultCode().isUnsigned();
  return setConstant(stage.thresholds, op.getThresholds(), "its thresholds");
}

bool StageBuilder::make(TableStage &stage, integer::TableOp op) {
  if (widthOf(op.getTable()) > 8)
    return refuse("its entries have more than 8 bits");
  const numerics::Code input = integer::codeOf(op.getInput(), op.getInputCode());
  stage.inputSigned = !input.isUnsigned;
  stage.inputBits = input.bits;
  result.inputUnsigned = input.isUnsigned;
  FailureOr<Tensor> tables = getIntTensor(op.getTable());
  if (failed(tables))
    return refuse("its tables are no constants");
  const Tensor entries = signs.inMemory(*tables, op.getResult()).converted(ElementKind::I32);
  stage.entries = entries.values<int32_t>().vec();
  if (!op.getIndex())
    return true;
  if (!setConstant(stage.tableOfChannel, op.getIndex(), "its indices of tables"))
    return false;
  for (int32_t &index : stage.tableOfChannel)
    index = static_cast<int32_t>(numerics::readCode(index, 8, /*isUnsigned=*/true));
  return true;
}

bool StageBuilder::make(PwlStage &stage, integer::PwlOp op) {
  stage.rounding = integer::toNumerics(op.getRounding());
  stage.inputZeroPoint = static_cast<int64_t>(op.getInputCode().getZero());
  stage.output = rangeOf(op.getResult(), op.getResultCode());
  stage.lines = op.getLines().lines();
  result.inputUnsigned = op.getInputCode().isUnsigned();
  result.resultUnsigned = op.getResultCode().isUnsigned();
  return setMultipliers(stage.multipliers, op.getBy(), -1);
}

/// Algorithms whose codes are a function of the distance alone.
bool StageBuilder::make(SoftmaxTableStage &stage, integer::SoftmaxOp op) {
  result.extraOutput = op.getSums();
  result.resultUnsigned = true;
  // The unit's shifts give bytes.
  if (isa<integer::ExpShiftAttr>(op.getAlgorithm()) && widthOf(op.getCodes()) == 8)
    return makeStage<SoftmaxShiftStage>(op);
  std::optional<numerics::DistanceTable> table = op.getAlgorithm().getDistanceCodes(widthOf(op.getCodes()));
  if (!table)
    return refuse(isa<integer::ExpLog2Attr>(op.getAlgorithm()) ? "softmax in powers of two is in no unit"
                                                               : "softmax with codes of 16 bits is in no unit");
  stage.exponentials.assign(table->begin(), table->end());
  bool perBatch = false;
  return setMultipliers(stage.multipliers, op.getBy(), 1, &perBatch);
}

bool StageBuilder::make(SoftmaxShiftStage &stage, integer::SoftmaxOp op) {
  auto shift = cast<integer::ExpShiftAttr>(op.getAlgorithm());
  stage.exponentStep = shift.getStep();
  stage.fractionBits = shift.getFractionBits();
  stage.codeShift = shift.getCodeShift();
  bool perBatch = false;
  return setMultipliers(stage.multipliers, op.getBy(), 1, &perBatch);
}

bool StageBuilder::make(ShiftmaxStage &stage, integer::ShiftmaxOp op) {
  stage.exponentStep = static_cast<int64_t>(op.getExponentStep());
  stage.fractionBits = static_cast<int64_t>(op.getFractionBits());
  stage.reciprocalBits = static_cast<int64_t>(op.getReciprocalBits());
  stage.resultBits = static_cast<int64_t>(op.getResultBits());
  return true;
}

bool StageBuilder::make(DivideRowsStage &stage, integer::DivideRowsOp op) {
  stage.rounding = integer::toNumerics(op.getRounding());
  stage.output = rangeOf(op.getResult(), op.getResultCode());
  if (op.getLines())
    stage.lines = op.getLines()->lines();
  result.extraInput = op.getSums();
  result.resultUnsigned = op.getResultCode().isUnsigned();
  return setMultipliers(stage.multipliers, op.getBy(), op.getAxis(), &stage.perBatch);
}

bool StageBuilder::make(LayerNormStage &stage, integer::LayerNormOp op) {
  stage.keepsMean = op.getAlgorithm().isCentered() ? 0 : 1;
  stage.eps = op.getAlgorithm().getEps();
  stage.output = rangeOf(op.getResult(), op.getResultCode());
  stage.offsets = op.getOffsets();
  stage.postOffsets.assign(op.getOffsets().size(), 0);
  if (auto shift = dyn_cast<integer::NormShiftAttr>(op.getAlgorithm())) {
    stage.byShifts = true;
    stage.rounding = integer::toNumerics(shift.getRounding());
    if (shift.getPostOffsets())
      stage.postOffsets = shift.getPostOffsets().asArrayRef();
  }
  if (auto pwl = dyn_cast<integer::NormPwlAttr>(op.getAlgorithm()))
    stage.lines = pwl.getLines().lines();
  result.inputUnsigned = op.getInputCode().isUnsigned();
  result.resultUnsigned = op.getResultCode().isUnsigned();
  return setMultipliers(stage.multipliers, op.getBy(), -1);
}

bool StageBuilder::make(NormQuantStage &stage, integer::NormQuantOp op) {
  stage.levels = shapeOf(op.getSquares())[0];
  stage.eps = static_cast<int64_t>(op.getEps());
  stage.min = static_cast<int64_t>(op.getMin());
  stage.negative.assign(op.getNegative().begin(), op.getNegative().end());
  result.inputUnsigned = op.getInputCode().isUnsigned();
  result.resultUnsigned = op.getResultCode().isUnsigned();
  return setConstant(stage.squares, op.getSquares(), "its squares");
}

std::optional<StageOfOp> StageBuilder::build(Operation *op) {
  result.rows = rows ? rows : op->getOperand(0);
  const bool made = TypeSwitch<Operation *, bool>(op)
                        .Case([&](integer::RequantOp op) { return makeStage<RequantStage>(op); })
                        .Case([&](integer::AddOp op) { return makeStage<AddStage>(op); })
                        .Case([&](integer::ThresholdOp op) { return makeStage<ThresholdStage>(op); })
                        .Case([&](integer::TableOp op) { return makeStage<TableStage>(op); })
                        .Case([&](integer::PwlOp op) { return makeStage<PwlStage>(op); })
                        .Case([&](integer::SoftmaxOp op) { return makeStage<SoftmaxTableStage>(op); })
                        .Case([&](integer::ShiftmaxOp op) { return makeStage<ShiftmaxStage>(op); })
                        .Case([&](integer::DivideRowsOp op) { return makeStage<DivideRowsStage>(op); })
                        .Case([&](integer::LayerNormOp op) { return makeStage<LayerNormStage>(op); })
                        .Case([&](integer::NormQuantOp op) { return makeStage<NormQuantStage>(op); })
                        .Default([&](Operation *) { return refuse("no unit computes it"); });
  return made ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<StageOfOp> systolic::stageOf(Operation *op, Value rows, std::string &reason, const CodeSigns &signs) {
  return StageBuilder(rows, reason, signs).build(op);
}

std::optional<Unit> systolic::unitFor(Operation *op) {
  return TypeSwitch<Operation *, std::optional<Unit>>(op)
      .Case([](integer::RequantOp) { return RequantStage::kInfo.unit; })
      .Case([](integer::AddOp) { return AddStage::kInfo.unit; })
      .Case([](integer::ThresholdOp) { return ThresholdStage::kInfo.unit; })
      .Case([](integer::TableOp) { return TableStage::kInfo.unit; })
      .Case([](integer::PwlOp) { return PwlStage::kInfo.unit; })
      .Case([](integer::SoftmaxOp) { return SoftmaxTableStage::kInfo.unit; })
      .Case([](integer::ShiftmaxOp) { return ShiftmaxStage::kInfo.unit; })
      .Case([](integer::DivideRowsOp) { return DivideRowsStage::kInfo.unit; })
      .Case([](integer::LayerNormOp) { return LayerNormStage::kInfo.unit; })
      .Case([](integer::NormQuantOp) { return NormQuantStage::kInfo.unit; })
      .Default([](Operation *) { return std::nullopt; });
}

//===----------------------------------------------------------------------===//
// Unit programs
//===----------------------------------------------------------------------===//

/// A dense tensor, matrix after matrix.
static UnitOperand operandOf(Value value, unsigned number, bool isUnsigned, int64_t rows, bool onePerRow) {
  UnitOperand operand;
  operand.operand = static_cast<uint8_t>(number);
  operand.bytes = static_cast<uint8_t>(std::max(8u, widthOf(value)) / 8); // narrow codes take a byte
  operand.isUnsigned = isUnsigned;
  operand.onePerRow = onePerRow;
  const auto channels = static_cast<uint64_t>(onePerRow ? 1 : shapeOf(value).back());
  operand.rowPitch = channels * operand.bytes;
  operand.batchPitch = operand.rowPitch * static_cast<uint64_t>(rows);
  operand.groupSize = channels;
  operand.groupPitch = operand.rowPitch;
  return operand;
}

namespace {

/// Encodes the region of a launch, op after op.
class UnitEncoder {
public:
  UnitEncoder(LaunchOp launch, const CodeSigns &signs)
      : launch(launch), signs(signs), body(launch.getUnits().front()), yield(cast<YieldOp>(body.getTerminator())),
        firstOwn(launch.getInputs().size() - launch.getOperandsForUnits()),
        fromSums(body.getNumArguments() > launch.getOperandsForUnits()) {}
  FailureOr<UnitProgram> run();

private:
  LogicalResult add(Operation &op);
  /// Of the launch's operands.
  unsigned operandNumber(BlockArgument argument) const {
    return static_cast<unsigned>(firstOwn) + argument.getArgNumber() - fromSums;
  }
  bool isInDram(BlockArgument argument) const { return argument && !(fromSums && argument.getArgNumber() == 0); }
  std::optional<unsigned> resultNumber(Value value) {
    auto found = llvm::find(yield.getValues(), value);
    if (found == yield.getValues().end())
      return std::nullopt;
    return launch.getInputs().size() + static_cast<unsigned>(found - yield.getValues().begin());
  }

  LaunchOp launch;
  const CodeSigns &signs;
  Block &body;
  YieldOp yield;
  const size_t firstOwn;
  const bool fromSums;
  UnitProgram program;
  /// The rows as the last op gives them.
  Value current;
  bool currentUnsigned = false;
};

} // namespace

LogicalResult UnitEncoder::add(Operation &op) {
  std::string reason;
  std::optional<StageOfOp> stage =
      stageOf(&op, llvm::is_contained(op.getOperands(), current) ? current : Value(), reason, signs);
  if (!stage)
    return op.emitOpError() << "is no stage of a unit: " << reason;
  if (stage->rows != current)
    return op.emitOpError("does not read the rows that the stage before gives");
  const int64_t rows = program.rowsPerBatch;
  if (program.stages.empty() && !fromSums)
    program.input = operandOf(current, operandNumber(cast<BlockArgument>(current)), stage->inputUnsigned, rows, false);
  if (stage->extraInput) {
    auto argument = dyn_cast<BlockArgument>(stage->extraInput);
    if (!isInDram(argument))
      return op.emitOpError("reads an operand that is not in DRAM");
    program.extraInputs.push_back(operandOf(argument, operandNumber(argument), stage->extraUnsigned, rows,
                                            infoOf(stage->stage).extraInput == ExtraInput::PerRow));
  }
  if (stage->extraOutput)
    if (std::optional<unsigned> number = resultNumber(stage->extraOutput))
      program.extraOutputs.push_back(operandOf(stage->extraOutput, *number, false, rows, true));
  program.stages.push_back(std::move(stage->stage));
  current = op.getResult(0);
  currentUnsigned = stage->resultUnsigned;
  return success();
}

FailureOr<UnitProgram> UnitEncoder::run() {
  auto type = body.getNumArguments() ? dyn_cast<RankedTensorType>(body.getArgument(0).getType()) : RankedTensorType();
  if (!type || type.getRank() == 0)
    return launch.emitOpError("has units without an argument that has rows");
  current = body.getArgument(0);
  ArrayRef<int64_t> shape = type.getShape();
  program.channels = shape.back();
  program.rowsPerBatch = shape.size() > 1 ? shape[shape.size() - 2] : 1;
  program.batches = computeProduct(shape.drop_back(std::min<size_t>(shape.size(), 2)));
  for (Operation &op : body.without_terminator())
    if (!isa<arith::ConstantOp>(op) && failed(add(op)))
      return failure();
  std::optional<unsigned> number = resultNumber(current);
  if (!number || program.stages.empty())
    return launch.emitOpError("has units that do not give their last rows");
  program.output = operandOf(current, *number, currentUnsigned, program.rowsPerBatch, false);
  return std::move(program);
}

FailureOr<UnitProgram> systolic::encodeUnits(LaunchOp launch, const CodeSigns &signs) {
  return UnitEncoder(launch, signs).run();
}
