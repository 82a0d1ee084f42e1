//===- SystolicOps.cpp - Verifiers and effects of systolic ops -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/systolic/Systolic.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/Support/MathExtras.h"

#define GET_OP_CLASSES
#include "dialects/systolic/SystolicOps.cpp.inc"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using simulator::Config;
using simulator::Dataflow;

//===----------------------------------------------------------------------===//
// What verifiers share
//===----------------------------------------------------------------------===//

/// One index for each dimension of the grid, but `implied` ones.
static LogicalResult verifyTile(Operation *op, TilesType type, ValueRange indices, Memory memory, size_t implied = 0) {
  if (type.getMemory() != memory)
    return op->emitOpError() << "needs tiles of the " << stringifyMemory(memory) << ", not of the "
                             << stringifyMemory(type.getMemory());
  if (indices.size() + implied != type.getGrid().size())
    return op->emitOpError() << "needs " << type.getGrid().size() - implied << " indices of a tile, got "
                             << indices.size();
  return success();
}

/// The DRAM side of a move: indices, the dimension of rows, contiguous columns.
static LogicalResult verifyDram(Operation *op, Value memref, ValueRange indices, int64_t along) {
  auto type = cast<MemRefType>(memref.getType());
  if (static_cast<int64_t>(indices.size()) != type.getRank()) // C1
    return op->emitOpError() << "needs " << type.getRank() << " indices into DRAM, got " << indices.size();
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(type.getStridesAndOffset(strides, offset)) || llvm::is_contained(strides, ShapedType::kDynamic) ||
      ShapedType::isDynamic(offset) || strides.empty() || strides.back() != 1)
    return op->emitOpError("needs a DRAM operand whose last dimension is contiguous and whose strides are known");
  if (along < 0 || along >= type.getRank() - 1)
    return op->emitOpError() << "has rows along dimension " << along << ", which must be 0 to " << type.getRank() - 2;
  return success();
}

/// The rules that depend on constants, as far as these are known.
static LogicalResult verifyConstants(Operation *op, const std::optional<Config> &config) {
  return verifyExtents(op, config ? &*config : nullptr, [](Value value) { return getConstantIntValue(value); });
}

static void addEffect(SmallVectorImpl<MemoryEffects::EffectInstance> &effects, OpOperand &operand,
                      MemoryEffects::Effect *effect, SideEffects::Resource *resource) {
  effects.emplace_back(effect, &operand, resource);
}

static SideEffects::Resource *resourceOf(TilesType type) {
  return type.isScratchpad() ? static_cast<SideEffects::Resource *>(ScratchpadResource::get())
                             : static_cast<SideEffects::Resource *>(AccumulatorResource::get());
}

/// Reads and writes the state of the array's elements.
static void addArrayEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), ArrayResource::get());
  effects.emplace_back(MemoryEffects::Write::get(), ArrayResource::get());
}

//===----------------------------------------------------------------------===//
// alloc
//===----------------------------------------------------------------------===//

LogicalResult AllocOp::verify() {
  const int64_t address = getAddress().value_or(0);
  if (address < 0) // C1
    return emitOpError() << "address " << address << " is negative";
  std::optional<Config> config = configOf(*this);
  if (!config)
    return success();
  TilesType type = getTiles().getType();
  const int64_t size = type.isScratchpad() ? config->scratchpadSize() : config->accumulatorSize();
  if (type.rowCount() > size - address) // C2
    return emitOpError() << "takes " << type.rowCount() << " rows from row " << address << " on, but the "
                         << stringifyMemory(type.getMemory()) << " has " << size;
  const int64_t width = type.isScratchpad() ? config->width() : config->cols;
  if (type.getCols() > width) // C3
    return emitOpError() << "has tiles of " << type.getCols() << " columns, but a row of the "
                         << stringifyMemory(type.getMemory()) << " holds " << width;
  if (type.isScratchpad() && !type.getElement().isInteger(config->bits)) // C4
    return emitOpError() << "has elements of " << type.getElement() << " on an array of " << config->bits << " bits";
  return success();
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

LogicalResult MvinOp::verify() {
  TilesType tiles = getTiles().getType();
  Type element = cast<MemRefType>(getSource().getType()).getElementType();
  if (failed(verifyDram(*this, getSource(), getIndices(), getAlong())) ||
      failed(verifyTile(*this, tiles, getTile(), tiles.getMemory(), getSplit() ? 1 : 0))) // C1, C3, C4
    return failure();
  const bool packed = tiles.isScratchpad() && element == tiles.getElement();
  if (!packed && !element.isInteger(tiles.isScratchpad() ? 8 : 32)) // C2
    return emitOpError() << "moves " << element << " to the " << stringifyMemory(tiles.getMemory()) << ", which takes "
                         << (tiles.isScratchpad() ? "i8" : "i32");
  const int64_t bits = tiles.getElement().getIntOrFloatBitWidth();
  if (tiles.isScratchpad() ? getBroadcast() || getAccumulate() : getSplit()) // C5
    return emitOpError("has an option that its memory lacks: split goes to the scratchpad, broadcast and accumulate "
                       "to the accumulator");
  if (tiles.isScratchpad() && getSplit() == packed) // C5
    return emitOpError() << "moves " << (packed && bits < 8 ? "packed codes" : "bytes") << " into elements of " << bits
                         << " bits, which " << (packed ? "has no use for" : "needs") << " split";
  if (getSplit()) {
    const int64_t planes = tiles.getGrid().front();
    if (planes > llvm::divideCeilSigned(8, bits)) // C5
      return emitOpError() << "splits bytes into " << llvm::divideCeilSigned(8, bits)
                           << " planes, but the grid begins with " << planes;
    if (planes > 1 && tiles.rowCount() / planes > std::numeric_limits<uint16_t>::max()) // C9
      return emitOpError() << "has planes " << tiles.rowCount() / planes << " rows apart, which must be 1 to 65535";
  }
  return verifyConstants(*this, configOf(*this)); // C1, C6, C7, C8
}

void MvinOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addEffect(effects, getSourceMutable(), MemoryEffects::Read::get(), DramResource::get());
  addEffect(effects, getTilesMutable(), MemoryEffects::Write::get(), resourceOf(getTiles().getType()));
  if (getAccumulate())
    addEffect(effects, getTilesMutable(), MemoryEffects::Read::get(), resourceOf(getTiles().getType()));
}

LogicalResult MvoutOp::verify() {
  auto target = cast<MemRefType>(getTarget().getType());
  if (failed(verifyTile(*this, getTiles().getType(), getTile(), Memory::Accumulator)) ||
      failed(verifyDram(*this, getTarget(), getIndices(), getAlong()))) // C1, C3
    return failure();
  if (!target.getElementType().isInteger(getShift() ? 8 : 32)) // C2
    return emitOpError() << "writes " << target.getElementType() << ", but sums are i32 without shift and i8 with it";
  if (getShift() && *getShift() > 31) // C2
    return emitOpError() << "shift " << static_cast<int64_t>(*getShift()) << " is outside 0 to 31";
  if (getRelu() && !getShift()) // C2
    return emitOpError("applies relu to sums that it does not scale");
  std::optional<Config> config = configOf(*this);
  if (config && getShift() && !config->has(simulator::UnitShift)) // C2
    return emitOpError("scales sums, but the array has no shift requantizer");
  const int64_t stride = target.getStridesAndOffset().first[getAlong()];
  if (target.getDimSize(getAlong()) > 1 && stride < target.getShape().back()) // C6
    return emitOpError() << "writes rows of " << target.getShape().back() << " elements that are only " << stride
                         << " apart";
  return verifyConstants(*this, config); // C1, C4, C5
}

void MvoutOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addEffect(effects, getTilesMutable(), MemoryEffects::Read::get(), AccumulatorResource::get());
  addEffect(effects, getTargetMutable(), MemoryEffects::Write::get(), DramResource::get());
}

//===----------------------------------------------------------------------===//
// The array
//===----------------------------------------------------------------------===//

LogicalResult PreloadOp::verify() {
  if (failed(verifyTile(*this, getSums().getType(), getSumTile(), Memory::Accumulator))) // C1
    return failure();
  if (Value weights = getWeights()) {
    if (failed(verifyTile(*this, cast<TilesType>(weights.getType()), getWeightTile(), Memory::Scratchpad))) // C1
      return failure();
  } else if (getTranspose()) { // C2
    return emitOpError("transposes weights that it does not name");
  }
  if (getShift() > 31) // C3
    return emitOpError() << "shift " << static_cast<int64_t>(getShift()) << " is outside 0 to 31";
  std::optional<Config> config = configOf(*this);
  if (config && getWeights() && config->dataflow == Dataflow::OutputStationary) // C2
    return emitOpError("names weights, but the array is output stationary");
  return verifyConstants(*this, config); // C1, C4
}

void PreloadOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  for (OpOperand &weights : getWeightsMutable())
    addEffect(effects, weights, MemoryEffects::Read::get(), ScratchpadResource::get());
  // The next compute writes the sums.
  addEffect(effects, getSumsMutable(), MemoryEffects::Write::get(), AccumulatorResource::get());
  addArrayEffects(effects);
}

/// The preload that `op` computes with: the last one before it in its block, if no other
/// compute can have come between them.
static PreloadOp preloadOf(ComputeOp op) {
  for (Operation *before = op->getPrevNode(); before; before = before->getPrevNode()) {
    if (auto preload = dyn_cast<PreloadOp>(before))
      return preload;
    if (before->walk([](ComputeOp) { return WalkResult::interrupt(); }).wasInterrupted())
      return {};
  }
  return {};
}

/// What a weight-stationary array demands of a compute and its preload.
static LogicalResult verifyPreload(ComputeOp op) {
  PreloadOp preload = preloadOf(op);
  if (!preload) // C4
    return op.emitOpError("needs a systolic.preload of its own before it in its block");
  if (op.getFresh() != static_cast<bool>(preload.getWeights())) // C4
    return op.emitOpError(op.getFresh() ? "is fresh, but its preload names no weights"
                                        : "is not fresh, but its preload names weights");
  std::optional<int64_t> depth = getConstantIntValue(preload.getRows()), k = getConstantIntValue(op.getCols());
  if (depth && k && *k > *depth) // C4
    return op.emitOpError() << "has " << *k << " columns, but its preload has " << *depth << " rows of weights";
  std::optional<int64_t> rows = getConstantIntValue(op.getRows());
  const int64_t sums = preload.getSums().getType().getRows();
  if (rows && *rows > sums) // C4
    return op.emitOpError() << "has " << *rows << " rows, but a tile of its sums has " << sums;
  return success();
}

LogicalResult ComputeOp::verify() {
  if (failed(verifyTile(*this, getLhs().getType(), getLhsTile(), Memory::Scratchpad))) // C1
    return failure();
  if (Value rhs = getRhs();
      rhs && failed(verifyTile(*this, cast<TilesType>(rhs.getType()), getRhsTile(), Memory::Scratchpad))) // C1
    return failure();
  std::optional<Config> config = configOf(*this);
  if (!config)
    return verifyConstants(*this, config);
  const bool outputs = config->dataflow == Dataflow::OutputStationary;
  if (static_cast<bool>(getRhs()) != outputs) // C2
    return emitOpError() << (outputs ? "needs a right operand, the array is output stationary"
                                     : "names a right operand, but the array is weight stationary");
  if (getLast() && !outputs) // C2
    return emitOpError("is last, but the array is weight stationary: every compute writes its sums");
  if (!outputs && failed(verifyPreload(*this))) // C4
    return failure();
  return verifyConstants(*this, config); // C1, C3
}

void ComputeOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  addEffect(effects, getLhsMutable(), MemoryEffects::Read::get(), ScratchpadResource::get());
  for (OpOperand &rhs : getRhsMutable())
    addEffect(effects, rhs, MemoryEffects::Read::get(), ScratchpadResource::get());
  // It may add to them.
  effects.emplace_back(MemoryEffects::Read::get(), AccumulatorResource::get());
  effects.emplace_back(MemoryEffects::Write::get(), AccumulatorResource::get());
  addArrayEffects(effects);
}

//===----------------------------------------------------------------------===//
// Units, fences, launches
//===----------------------------------------------------------------------===//

LogicalResult UnitsOp::verify() {
  if (Value tiles = getTiles();
      tiles && failed(verifyTile(*this, cast<TilesType>(tiles.getType()), getTile(), Memory::Accumulator))) // C1
    return failure();
  return verifyConstants(*this, configOf(*this)); // C1, C2
}

void UnitsOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  for (OpOperand &tiles : getTilesMutable())
    addEffect(effects, tiles, MemoryEffects::Read::get(), AccumulatorResource::get());
  effects.emplace_back(MemoryEffects::Read::get(), DramResource::get());
  effects.emplace_back(MemoryEffects::Write::get(), DramResource::get());
}

void FenceOp::getEffects(SmallVectorImpl<MemoryEffects::EffectInstance> &effects) {
  for (SideEffects::Resource *resource : {static_cast<SideEffects::Resource *>(DramResource::get()),
                                          static_cast<SideEffects::Resource *>(ScratchpadResource::get()),
                                          static_cast<SideEffects::Resource *>(AccumulatorResource::get()),
                                          static_cast<SideEffects::Resource *>(ArrayResource::get())}) {
    effects.emplace_back(MemoryEffects::Read::get(), resource);
    effects.emplace_back(MemoryEffects::Write::get(), resource);
  }
}

/// Bytes of integers of 8, 16 or 32 bits, as far as an instruction reaches; none for others.
static std::optional<int64_t> bytesOf(ShapedType type) {
  if (!type.getElementType().isInteger())
    return std::nullopt;
  const unsigned bits = integer::storageOf(type.getElementType()).getIntOrFloatBitWidth();
  if (!llvm::is_contained(ArrayRef<unsigned>{8, 16, 32}, bits))
    return std::nullopt;
  int64_t bytes = bits / 8;
  for (int64_t extent : type.getShape())
    if (llvm::MulOverflow(bytes, extent, bytes) || bytes > std::numeric_limits<uint32_t>::max())
      return std::nullopt;
  return bytes;
}

/// Whether an operand of `bytes` holds every element that an argument of this type sees by its strides.
static bool reaches(MemRefType argument, int64_t bytes) {
  SmallVector<int64_t> strides;
  int64_t last;
  // Nor are there more elements than can be counted, whatever places they share.
  if (argument.getLayout().isIdentity() || !bytesOf(argument) || failed(argument.getStridesAndOffset(strides, last)) ||
      last < 0)
    return false;
  for (auto [extent, stride] : llvm::zip_equal(argument.getShape(), strides)) {
    int64_t distance;
    if (extent < 1 || stride < 0 || llvm::MulOverflow(extent - 1, stride, distance) ||
        llvm::AddOverflow(last, distance, last))
      return false;
  }
  return last < bytes / static_cast<int64_t>(argument.getElementTypeBitWidth() / 8);
}

/// Whether a tensor of `bytes` may be an argument of this type.
static bool passes(ShapedType tensor, int64_t bytes, MemRefType argument, bool isOperand) {
  const unsigned bits = argument.getElementTypeBitWidth();
  if (bits < 8)
    return isOperand && tensor.getElementTypeBitWidth() <= bits &&
           argument.getNumElements() == tensor.getNumElements() && argument.getRank() > 0 &&
           argument.getShape().back() * bits % 8 == 0;
  return argument.getElementType() == integer::storageOf(tensor.getElementType()) &&
         (bytesOf(argument) == bytes || (isOperand && reaches(argument, bytes)));
}

/// What the routine does against what the launch passes.
static LogicalResult verifyUse(LaunchOp launch, func::FuncOp routine) {
  const bool hasUnits = !launch.getUnits().empty();
  const bool onSums = hasUnits && static_cast<int64_t>(launch.getUnits().getNumArguments()) >
                                      static_cast<int64_t>(launch.getOperandsForUnits());
  bool runsUnits = false;
  WalkResult walked = routine.walk([&](Operation *op) {
    if (auto mvout = dyn_cast<MvoutOp>(op)) {
      auto target = dyn_cast<BlockArgument>(mvout.getTarget());
      if (target && target.getArgNumber() < launch.getInputs().size()) { // C4
        launch.emitOpError() << "runs '" << launch.getRoutine() << "', which writes argument " << target.getArgNumber()
                             << ", an operand";
        return WalkResult::interrupt();
      }
    }
    if (auto units = dyn_cast<UnitsOp>(op)) {
      runsUnits = true;
      if (hasUnits && static_cast<bool>(units.getTiles()) != onSums) { // C5
        launch.emitOpError() << "runs '" << launch.getRoutine() << "', whose units work on "
                             << (onSums ? "rows in DRAM, but its own on sums" : "sums, but its own on rows in DRAM");
        return WalkResult::interrupt();
      }
    }
    return WalkResult::advance();
  });
  if (walked.wasInterrupted())
    return failure();
  if (runsUnits != hasUnits) // C5
    return launch.emitOpError() << (hasUnits ? "has units that '" : "has no units, which '") << launch.getRoutine()
                                << (hasUnits ? "' does not run" : "' runs");
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto routine = symbols.lookupNearestSymbolFrom<func::FuncOp>(*this, getRoutineAttr());
  if (!routine || !routine->hasAttr(kRoutineAttr)) // C1
    return emitOpError() << "'" << getRoutine() << "' is no function with '" << kRoutineAttr << "'";
  const size_t count = getInputs().size() + getOutputs().size();
  if (routine.getNumArguments() != count || routine.getNumResults() != 0) // C1
    return emitOpError() << "has " << count << " operands and results, but the routine '" << getRoutine() << "' has "
                         << routine.getNumArguments() << " arguments";
  for (auto [i, value] :
       llvm::enumerate(llvm::concat<Value>(SmallVector<Value>(getInputs()), SmallVector<Value>(getOutputs())))) {
    auto argument = dyn_cast<MemRefType>(routine.getArgumentTypes()[i]);
    auto tensor = cast<ShapedType>(value.getType());
    if (!bytesOf(tensor)) // C2
      return emitOpError() << "passes " << tensor << ", but operands and results are i2 to i8, i16 or i32, below 4 GiB";
    if (!argument || !argument.hasStaticShape() ||
        !passes(tensor, *bytesOf(tensor), argument, i < getInputs().size())) // C2
      return emitOpError() << "passes " << tensor << " as argument " << i << " of type "
                           << routine.getArgumentTypes()[i];
  }
  return verifyUse(*this, routine); // C4, C5
}

integer::CodeAttr LaunchOp::getOperandCode(unsigned index) {
  return index == 0 ? getLhsCodeAttr() : integer::CodeAttr();
}

LogicalResult LaunchOp::verify() {
  if (static_cast<int64_t>(getMacs()) < 0) // C6
    return emitOpError() << "has " << static_cast<int64_t>(getMacs()) << " multiply-accumulates";
  auto isNarrow = [](Value value) {
    const Type element = getElementTypeOrSelf(value);
    return element.isInteger() && element.getIntOrFloatBitWidth() < 8;
  };
  if (getLhsCode() && (getInputs().empty() || !isNarrow(getInputs().front()))) // C7
    return emitOpError("has a code for its first operand, which has none of less than 8 bits");
  const auto own = static_cast<int64_t>(getOperandsForUnits());
  if (own < 0 || own > static_cast<int64_t>(getInputs().size()))
    // C3
    return emitOpError() << "has " << own << " operands for units of " << getInputs().size();
  if (getUnits().empty()) {
    if (own != 0) // C3
      return emitOpError("has operands for units, but no units");
    return success();
  }
  Block &body = getUnits().front();
  auto yield = dyn_cast<YieldOp>(body.empty() ? nullptr : &body.back());
  if (!yield || yield.getValues().getTypes() != getOutputs().getTypes()) // C3
    return emitOpError("must end its units with a systolic.yield of its results");
  for (Operation &op : body.without_terminator())
    if (!isa_and_nonnull<integer::VitqDialect>(op.getDialect()) && !op.hasTrait<OpTrait::ConstantLike>()) // C3
      return emitOpError() << "has units with a " << op.getName() << ", which is no vitq op";
  const auto extra = static_cast<int64_t>(body.getNumArguments()) - own;
  if (extra != 0 && extra != 1) // C3
    return emitOpError() << "has units with " << body.getNumArguments() << " arguments, but " << own
                         << " operands for them (and the sums)";
  if (extra == 1 && !getElementTypeOrSelf(body.getArgument(0).getType()).isInteger(32)) // C3
    return emitOpError("has units whose first argument are no 32-bit sums");
  for (auto [argument, input] : llvm::zip(body.getArguments().drop_front(extra), getInputs().take_back(own)))
    if (argument.getType() != input.getType()) // C3
      return emitOpError() << "passes " << input.getType() << " to units as " << argument.getType();
  return success();
}
