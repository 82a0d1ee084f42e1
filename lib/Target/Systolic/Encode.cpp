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
  explicit Unroller(func::FuncOp routine) : routine(routine), config(*configOf(routine)) {}
  LogicalResult run();
  std::vector<Instruction> code;

private:
  LogicalResult run(Block &block);
  LogicalResult run(Operation &op);
  LogicalResult runLoop(affine::AffineForOp loop);
  /// Every index of a routine is a constant, a loop's variable or computed from these.
  int64_t valueOf(Value index) const { return values.at(index); }
  SmallVector<int64_t> valuesOf(ValueRange indices) const {
    return llvm::map_to_vector(indices, [&](Value index) { return valueOf(index); });
  }
  LogicalResult evaluateMap(Operation *op, AffineMap map, ValueRange operands, SmallVectorImpl<int64_t> &results);

  FailureOr<uint32_t> tileAddress(Operation *op, Value tiles, ValueRange indices, size_t implied = 0);
  LogicalResult setDram(Operation *op, Value memref, ValueRange indices, int64_t along, Instruction &instruction);
  void setExtents(Value rows, Value cols, Instruction &instruction) const;

  LogicalResult encode(MvinOp op);
  LogicalResult encode(PreloadOp op);
  LogicalResult encode(ComputeOp op);
  LogicalResult encode(MvoutOp op);
  LogicalResult encode(UnitsOp op);
  LogicalResult add(Operation *op, const Instruction &instruction);

  func::FuncOp routine;
  const simulator::Config config;
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

LogicalResult Unroller::evaluateMap(Operation *op, AffineMap map, ValueRange operands,
                                    SmallVectorImpl<int64_t> &results) {
  const SmallVector<int64_t> numbers = valuesOf(operands);
  ArrayRef<int64_t> all(numbers);
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
  int64_t tile = 0;
  for (auto [index, extent] : llvm::zip(valuesOf(indices), type.getGrid().drop_front(implied)))
    tile = tile * extent + index;
  return static_cast<uint32_t>(static_cast<int64_t>(*alloc.getAddress()) + tile * type.getRows());
}

LogicalResult Unroller::setDram(Operation *op, Value memref, ValueRange indices, int64_t along,
                                Instruction &instruction) {
  // Nothing else in a routine is a memref.
  auto argument = cast<BlockArgument>(memref);
  auto type = cast<MemRefType>(memref.getType());
  auto [layout, isNew] = layouts.try_emplace(memref);
  auto &[strides, start] = layout->second;
  if (isNew)
    // The verifier knows that there are some.
    (void)type.getStridesAndOffset(strides, start);
  int64_t offset = start;
  const int64_t bits = type.getElementTypeBitWidth(), bytes = llvm::divideCeil(bits, 8);
  for (auto [index, stride] : llvm::zip_equal(valuesOf(indices), strides)) {
    int64_t distance;
    if (llvm::MulOverflow(index, stride, distance) || llvm::AddOverflow(offset, distance, offset))
      return op->emitOpError("reaches elements beyond 64 bits");
  }
  const int64_t most = UINT32_MAX / bytes;
  if (offset < 0 || offset > most || strides[along] < 0 || strides[along] > most || argument.getArgNumber() > UINT8_MAX)
    return op->emitOpError("addresses DRAM beyond what an instruction can hold (4 GiB, 256 operands)");
  if (offset * bits % 8 != 0 || strides[along] * bits % 8 != 0)
    return op->emitOpError() << "begins within a byte: at code " << offset << " of " << bits << " bits, with rows "
                             << strides[along] << " apart";
  instruction.dram = {static_cast<uint8_t>(argument.getArgNumber()), static_cast<uint32_t>(offset * bits / 8),
                      static_cast<uint32_t>(strides[along] * bits / 8)};
  return success();
}

void Unroller::setExtents(Value rows, Value cols, Instruction &instruction) const {
  instruction.rows = static_cast<uint16_t>(valueOf(rows));
  instruction.cols = static_cast<uint16_t>(valueOf(cols));
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
  if (failed(local) || failed(setDram(op, op.getSource(), op.getIndices(), op.getAlong(), i)))
    return failure();
  setExtents(op.getRows(), op.getCols(), i);
  i.local = *local;
  if (Value row = op.getTileRow())
    i.local += static_cast<uint32_t>(valueOf(row));
  if (op.getBroadcast())
    i.dram.pitch = 0;
  if (op.getAccumulate())
    i.flags |= simulator::FlagAccumulate;
  if (tiles.isScratchpad())
    i.tileStride = static_cast<uint16_t>(tiles.getRows());
  if (op.getSplit()) {
    i.flags |= simulator::FlagSplit;
    const int64_t planes = tiles.getGrid().front();
    if (planes < config.planesOf(8))
      i.shift = static_cast<uint8_t>(planes);
    FailureOr<uint16_t> stride = smallStride(op, planes > 1 ? tiles.rowCount() / planes : 0);
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
  if (failed(sums))
    return failure();
  setExtents(op.getRows(), op.getCols(), i);
  i.local2 = *sums;
  i.shift = static_cast<uint8_t>(op.getShift());
  if (op.getTranspose())
    i.flags |= simulator::FlagTranspose;
  if (Value adding = op.getAdding(); adding && valueOf(adding) != 0)
    i.flags |= simulator::FlagAccumulate;
  return add(op, i);
}

LogicalResult Unroller::encode(ComputeOp op) {
  Instruction i;
  i.opcode = Opcode::Compute;
  FailureOr<uint32_t> local = tileAddress(op, op.getLhs(), op.getLhsTile());
  if (failed(local))
    return failure();
  setExtents(op.getRows(), op.getCols(), i);
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
  if (failed(local) || failed(setDram(op, op.getTarget(), op.getIndices(), op.getAlong(), i)))
    return failure();
  setExtents(op.getRows(), op.getCols(), i);
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
  const int64_t row = valueOf(op.getRow()), channel = valueOf(op.getChannel());
  if (row > UINT32_MAX || channel > UINT32_MAX)
    return op.emitOpError("begins at a row or channel that no instruction holds");
  setExtents(op.getRows(), op.getCols(), i);
  i.row = static_cast<uint32_t>(row);
  i.channel = static_cast<uint32_t>(channel);
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
        // What verifiers cannot know: all indices.
        if (failed(verifyExtents(op, &config, [&](Value index) { return std::optional(valueOf(index)); })))
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
