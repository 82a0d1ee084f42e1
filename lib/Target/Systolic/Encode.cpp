//===- Encode.cpp - Routines to instructions -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Target/Systolic/Systolic.h"

#include "dialects/systolic/Systolic.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using simulator::Instruction;
using simulator::Opcode;

/// Ops that one routine may run: loops need not have instructions.
static constexpr size_t kMaxSteps = size_t(1) << 27;

namespace {

/// Walks a routine as the host of the array would, with numbers for all indices.
class Unroller {
public:
  explicit Unroller(func::FuncOp routine) : routine(routine), config(configOf(routine)) {}
  LogicalResult run();
  std::vector<Instruction> code;

private:
  LogicalResult run(Block &block);
  LogicalResult run(Operation &op);
  LogicalResult runLoop(affine::AffineForOp loop);
  FailureOr<int64_t> valueOf(Operation *op, Value value);
  FailureOr<SmallVector<int64_t>> valuesOf(Operation *op, ValueRange range);
  LogicalResult evaluateMap(Operation *op, AffineMap map, ValueRange operands, SmallVectorImpl<int64_t> &results);

  FailureOr<uint32_t> tileAddress(Operation *op, Value tiles, ValueRange indices, size_t implied = 0);
  LogicalResult setDram(Operation *op, Value memref, ValueRange indices, int64_t along, Instruction &instruction);
  LogicalResult setExtents(Operation *op, Value rows, Value cols, Instruction &instruction);

  LogicalResult encode(MvinOp op);
  LogicalResult encode(PreloadOp op);
  LogicalResult encode(ComputeOp op);
  LogicalResult encode(MvoutOp op);
  LogicalResult encode(UnitsOp op);
  LogicalResult add(Operation *op, const Instruction &instruction);

  func::FuncOp routine;
  std::optional<simulator::Config> config;
  DenseMap<Value, int64_t> values;
  size_t steps = 0;
  /// Strides and offset of each operand in DRAM.
  DenseMap<Value, std::pair<SmallVector<int64_t>, int64_t>> layouts;
};

} // namespace

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

/// None for a number that is too large, and for a division by one that is not positive.
static std::optional<int64_t> evaluate(AffineExpr expr, ArrayRef<int64_t> dims, ArrayRef<int64_t> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<int64_t> lhs = evaluate(binary.getLHS(), dims, symbols), rhs = evaluate(binary.getRHS(), dims, symbols);
  if (!lhs || !rhs)
    return std::nullopt;
  int64_t result;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return llvm::AddOverflow(*lhs, *rhs, result) ? std::nullopt : std::optional(result);
  case AffineExprKind::Mul:
    return llvm::MulOverflow(*lhs, *rhs, result) ? std::nullopt : std::optional(result);
  case AffineExprKind::FloorDiv:
    return *rhs <= 0 ? std::nullopt : std::optional(llvm::divideFloorSigned(*lhs, *rhs));
  case AffineExprKind::CeilDiv:
    return *rhs <= 0 ? std::nullopt : std::optional(llvm::divideCeilSigned(*lhs, *rhs));
  case AffineExprKind::Mod:
    return *rhs <= 0 ? std::nullopt : std::optional(llvm::mod(*lhs, *rhs));
  default:
    return std::nullopt;
  }
}

FailureOr<int64_t> Unroller::valueOf(Operation *op, Value value) {
  auto found = values.find(value);
  if (found != values.end())
    return found->second;
  return op->emitOpError("has an index that is no function of constants and loops");
}

FailureOr<SmallVector<int64_t>> Unroller::valuesOf(Operation *op, ValueRange range) {
  SmallVector<int64_t> result;
  for (Value value : range) {
    FailureOr<int64_t> number = valueOf(op, value);
    if (failed(number))
      return failure();
    result.push_back(*number);
  }
  return result;
}

LogicalResult Unroller::evaluateMap(Operation *op, AffineMap map, ValueRange operands,
                                    SmallVectorImpl<int64_t> &results) {
  FailureOr<SmallVector<int64_t>> numbers = valuesOf(op, operands);
  if (failed(numbers))
    return failure();
  ArrayRef<int64_t> all(*numbers);
  for (AffineExpr expr : map.getResults()) {
    std::optional<int64_t> value = evaluate(expr, all.take_front(map.getNumDims()), all.drop_front(map.getNumDims()));
    if (!value)
      return op->emitOpError("computes an index beyond 64 bits, or divides by a number that is not positive");
    results.push_back(*value);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

/// First row of a tile: tiles of a grid follow each other.
FailureOr<uint32_t> Unroller::tileAddress(Operation *op, Value tiles, ValueRange indices, size_t implied) {
  auto type = cast<TilesType>(tiles.getType());
  auto alloc = tiles.getDefiningOp<AllocOp>();
  if (!alloc || !alloc.getAddress())
    return op->emitOpError("needs tiles with an address: run systolic-allocate first");
  FailureOr<SmallVector<int64_t>> numbers = valuesOf(op, indices);
  if (failed(numbers))
    return failure();
  int64_t tile = 0;
  for (auto [index, extent] : llvm::zip(*numbers, type.getGrid().drop_front(implied))) {
    if (index < 0 || index >= extent)
      return op->emitOpError() << "reaches tile index " << index << ", outside 0 to " << extent - 1;
    tile = tile * extent + index;
  }
  return static_cast<uint32_t>(static_cast<int64_t>(*alloc.getAddress()) + tile * type.getRows());
}

LogicalResult Unroller::setDram(Operation *op, Value memref, ValueRange indices, int64_t along,
                                Instruction &instruction) {
  auto argument = dyn_cast<BlockArgument>(memref);
  if (!argument || argument.getOwner() != &routine.getBody().front())
    return op->emitOpError("needs an argument of the routine as DRAM operand");
  auto type = cast<MemRefType>(memref.getType());
  auto [layout, isNew] = layouts.try_emplace(memref);
  auto &[strides, start] = layout->second;
  if (isNew && failed(type.getStridesAndOffset(strides, start)))
    return op->emitOpError("needs strides that are known");
  int64_t offset = start;
  FailureOr<SmallVector<int64_t>> numbers = valuesOf(op, indices);
  if (failed(numbers))
    return failure();
  const int64_t bytes = (type.getElementTypeBitWidth() + 7) / 8;
  for (auto [index, stride, extent] : llvm::zip(*numbers, strides, type.getShape())) {
    if (index < 0 || index >= extent)
      return op->emitOpError() << "reaches element " << index << " of a dimension of " << extent << " in DRAM";
    int64_t distance;
    if (llvm::MulOverflow(index, stride, distance) || llvm::AddOverflow(offset, distance, offset))
      return op->emitOpError("reaches elements beyond 64 bits");
  }
  const int64_t most = UINT32_MAX / bytes;
  if (offset < 0 || offset > most || strides[along] < 0 || strides[along] > most || argument.getArgNumber() > UINT8_MAX)
    return op->emitOpError("addresses DRAM beyond what an instruction can hold (4 GiB, 256 operands)");
  instruction.dram = {static_cast<uint8_t>(argument.getArgNumber()), static_cast<uint32_t>(offset * bytes),
                      static_cast<uint32_t>(strides[along] * bytes)};
  return success();
}

LogicalResult Unroller::setExtents(Operation *op, Value rows, Value cols, Instruction &instruction) {
  FailureOr<int64_t> height = valueOf(op, rows), width = valueOf(op, cols);
  if (failed(height) || failed(width))
    return failure();
  if (*height < 1 || *width < 1 || *height > UINT16_MAX || *width > UINT16_MAX)
    return op->emitOpError() << "works on " << *height << " rows and " << *width << " columns, outside 1 to 65535";
  instruction.rows = static_cast<uint16_t>(*height);
  instruction.cols = static_cast<uint16_t>(*width);
  return success();
}

static FailureOr<uint16_t> smallStride(Operation *op, int64_t rows) {
  if (rows > UINT16_MAX)
    return op->emitOpError() << "has planes " << rows << " rows apart, more than an instruction can hold";
  return static_cast<uint16_t>(rows);
}

LogicalResult Unroller::add(Operation *op, const Instruction &instruction) {
  if (code.size() >= static_cast<size_t>(kMaxInstructions))
    return op->emitOpError() << "is instruction number " << code.size() << " of its routine, which is too many";
  code.push_back(instruction);
  return success();
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

LogicalResult Unroller::encode(MvinOp op) {
  TilesType tiles = op.getTiles().getType();
  Instruction i;
  i.opcode = tiles.isScratchpad() ? Opcode::Mvin : Opcode::MvinAcc;
  FailureOr<uint32_t> local = tileAddress(op, op.getTiles(), op.getTile(), op.getSplit() ? 1 : 0);
  if (failed(local) || failed(setDram(op, op.getSource(), op.getIndices(), op.getAlong(), i)) ||
      failed(setExtents(op, op.getRows(), op.getCols(), i)))
    return failure();
  i.local = *local;
  if (op.getBroadcast())
    i.dram.pitch = 0;
  if (op.getAccumulate())
    i.flags |= simulator::FlagAccumulate;
  if (tiles.isScratchpad())
    i.tileStride = static_cast<uint16_t>(tiles.getRows());
  if (op.getSplit()) {
    i.flags |= simulator::FlagSplit;
    FailureOr<uint16_t> stride = smallStride(op, tiles.rowCount() / tiles.getGrid().front());
    if (failed(stride))
      return failure();
    i.planeStride = *stride;
  }
  return add(op, i);
}

LogicalResult Unroller::encode(PreloadOp op) {
  Instruction i;
  i.opcode = Opcode::Preload;
  i.local = simulator::kNone;
  if (Value weights = op.getWeights()) {
    FailureOr<uint32_t> local = tileAddress(op, weights, op.getWeightTile());
    if (failed(local))
      return failure();
    i.local = *local;
  }
  FailureOr<uint32_t> sums = tileAddress(op, op.getSums(), op.getSumTile());
  if (failed(sums) || failed(setExtents(op, op.getRows(), op.getCols(), i)))
    return failure();
  i.local2 = *sums;
  i.shift = static_cast<uint8_t>(op.getShift());
  if (op.getTranspose())
    i.flags |= simulator::FlagTranspose;
  if (Value adding = op.getAdding()) {
    FailureOr<int64_t> value = valueOf(op, adding);
    if (failed(value))
      return failure();
    if (*value != 0)
      i.flags |= simulator::FlagAccumulate;
  }
  return add(op, i);
}

LogicalResult Unroller::encode(ComputeOp op) {
  Instruction i;
  i.opcode = Opcode::Compute;
  FailureOr<uint32_t> local = tileAddress(op, op.getLhs(), op.getLhsTile());
  if (failed(local) || failed(setExtents(op, op.getRows(), op.getCols(), i)))
    return failure();
  i.local = *local;
  if (Value rhs = op.getRhs()) {
    FailureOr<uint32_t> local2 = tileAddress(op, rhs, op.getRhsTile());
    if (failed(local2))
      return failure();
    i.local2 = *local2;
  }
  auto set = [&](bool condition, simulator::Flag flag) {
    if (condition)
      i.flags |= flag;
  };
  set(op.getFresh(), simulator::FlagFresh);
  set(op.getLast(), simulator::FlagLast);
  set(op.getLhsUnsigned(), simulator::FlagLhsUnsigned);
  set(op.getRhsUnsigned(), simulator::FlagRhsUnsigned);
  return add(op, i);
}

LogicalResult Unroller::encode(MvoutOp op) {
  Instruction i;
  i.opcode = Opcode::Mvout;
  FailureOr<uint32_t> local = tileAddress(op, op.getTiles(), op.getTile());
  if (failed(local) || failed(setDram(op, op.getTarget(), op.getIndices(), op.getAlong(), i)) ||
      failed(setExtents(op, op.getRows(), op.getCols(), i)))
    return failure();
  i.local = *local;
  if (op.getShift()) {
    i.tileStride = static_cast<uint16_t>(op.getTiles().getType().getRows());
    i.flags |= simulator::FlagScale;
    i.shift = static_cast<uint8_t>(*op.getShift());
  }
  if (op.getRelu())
    i.flags |= simulator::FlagRelu;
  return add(op, i);
}

LogicalResult Unroller::encode(UnitsOp op) {
  Instruction i;
  i.opcode = Opcode::Units;
  if (Value tiles = op.getTiles()) {
    FailureOr<uint32_t> local = tileAddress(op, tiles, op.getTile());
    if (failed(local))
      return failure();
    i.local = *local;
    i.tileStride = static_cast<uint16_t>(cast<TilesType>(tiles.getType()).getRows());
    i.flags |= simulator::FlagFromAccumulator;
  }
  FailureOr<int64_t> row = valueOf(op, op.getRow()), channel = valueOf(op, op.getChannel());
  if (failed(row) || failed(channel) || failed(setExtents(op, op.getRows(), op.getCols(), i)))
    return failure();
  if (*row < 0 || *channel < 0 || *row > UINT32_MAX || *channel > UINT32_MAX)
    return op.emitOpError("begins at a row or channel that no instruction holds");
  i.row = static_cast<uint32_t>(*row);
  i.channel = static_cast<uint32_t>(*channel);
  return add(op, i);
}

//===----------------------------------------------------------------------===//
// Control
//===----------------------------------------------------------------------===//

LogicalResult Unroller::runLoop(affine::AffineForOp loop) {
  SmallVector<int64_t> lower, upper;
  if (failed(evaluateMap(loop, loop.getLowerBoundMap(), loop.getLowerBoundOperands(), lower)) ||
      failed(evaluateMap(loop, loop.getUpperBoundMap(), loop.getUpperBoundOperands(), upper)))
    return failure();
  if (loop.getNumRegionIterArgs() != 0)
    return loop.emitOpError("carries values, which a routine of the array cannot");
  const int64_t end = *llvm::min_element(upper), step = loop.getStepAsInt();
  for (int64_t i = *llvm::max_element(lower); i < end;) {
    values[loop.getInductionVar()] = i;
    if (failed(run(*loop.getBody())))
      return failure();
    if (llvm::AddOverflow(i, step, i))
      break;
  }
  return success();
}

LogicalResult Unroller::run(Operation &op) {
  if (++steps > kMaxSteps)
    return op.emitOpError() << "is step number " << steps << " of its routine, which is too many";
  auto set = [&](Operation *op, int64_t value) {
    values[op->getResult(0)] = value;
    return success();
  };
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case<MvinOp, PreloadOp, ComputeOp, MvoutOp, UnitsOp>([&](auto op) -> LogicalResult {
        // What verifiers cannot know: all numbers.
        auto numberOf = [&](Value value) {
          auto found = values.find(value);
          return found == values.end() ? std::nullopt : std::optional(found->second);
        };
        if (failed(verifyNumbers(op, config ? &*config : nullptr, numberOf)))
          return failure();
        return encode(op);
      })
      .Case([&](FenceOp op) { return add(op, Instruction()); })
      .Case([&](affine::AffineForOp loop) { return runLoop(loop); })
      .Case([&](arith::ConstantIndexOp op) { return set(op, op.value()); })
      .Case([&](affine::AffineApplyOp op) {
        SmallVector<int64_t> results;
        if (failed(evaluateMap(op, op.getAffineMap(), op.getOperands(), results)))
          return failure();
        return set(op, results.front());
      })
      .Case([&](affine::AffineMinOp op) {
        SmallVector<int64_t> results;
        if (failed(evaluateMap(op, op.getAffineMap(), op.getOperands(), results)))
          return failure();
        return set(op, *llvm::min_element(results));
      })
      .Case([&](affine::AffineMaxOp op) {
        SmallVector<int64_t> results;
        if (failed(evaluateMap(op, op.getAffineMap(), op.getOperands(), results)))
          return failure();
        return set(op, *llvm::max_element(results));
      })
      .Case<AllocOp, affine::AffineYieldOp, func::ReturnOp>([](auto) { return success(); })
      .Default([](Operation *op) -> LogicalResult { return op->emitOpError("is no op of a routine of the array"); });
}

LogicalResult Unroller::run(Block &block) {
  for (Operation &op : block)
    if (failed(run(op)))
      return failure();
  return success();
}

LogicalResult Unroller::run() {
  if (!routine.getBody().hasOneBlock())
    return routine.emitError("a routine of the array is one block");
  return run(routine.getBody().front());
}

FailureOr<std::vector<Instruction>> systolic::encodeRoutine(func::FuncOp routine) {
  Unroller unroller(routine);
  if (failed(unroller.run()))
    return failure();
  return std::move(unroller.code);
}
