//===- Placement.cpp - What runs on the array -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Placement.h"

#include "vitq/Analysis/AccumulatorBounds.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/Constants.h"
#include "vitq/Target/Systolic/Units.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;

//===----------------------------------------------------------------------===//
// Wishes
//===----------------------------------------------------------------------===//

llvm::Expected<PlacementWishes> PlacementWishes::parse(StringRef text) {
  PlacementWishes wishes;
  SmallVector<StringRef> items;
  text.split(items, ',', -1, /*KeepEmpty=*/false);
  for (StringRef item : items) {
    // Names of nodes may hold '='.
    auto [name, where] = item.rsplit('=');
    const Place place =
        llvm::StringSwitch<Place>(where).Case("array", Place::Array).Case("host", Place::Host).Default(Place::Any);
    if (name.empty() || place == Place::Any)
      return llvm::createStringError("place: '" + item +
                                     "' is not OP=array or OP=host, where OP is the name of an op "
                                     "(softmax, matmul, ...) or of a node");
    wishes.places[name] = place;
  }
  return wishes;
}

static StringRef shortName(Operation *op) { return op->getName().stripDialect(); }

/// A node that is wanted on the array means its products: not all of its ops may have a unit.
PlacementWishes::Place PlacementWishes::of(Operation *op) const {
  if (places.empty())
    return Place::Any;
  if (auto found = places.find(nodeName(op->getLoc())); found != places.end())
    return found->second == Place::Array && !isa<integer::MatmulOp>(op) ? Place::Any : found->second;
  auto found = places.find(shortName(op));
  return found == places.end() ? Place::Any : found->second;
}

std::string PlacementWishes::unusedName(ModuleOp module) const {
  llvm::StringMap<bool> used;
  for (const auto &entry : places)
    used[entry.first()] = false;
  module.walk([&](Operation *op) {
    const std::string node = nodeName(op->getLoc());
    for (StringRef name : {shortName(op), StringRef(node)})
      if (auto found = used.find(name); found != used.end())
        found->second = true;
  });
  std::string result;
  for (const auto &entry : used)
    if (!entry.second && (result.empty() || entry.first() < StringRef(result)))
      result = entry.first().str();
  return result;
}

//===----------------------------------------------------------------------===//
// Placement
//===----------------------------------------------------------------------===//

SmallVector<Value> Fragment::extras() const {
  SmallVector<Value> result;
  integer::MatmulOp start = product;
  Value rows = start ? start.getResult() : Value();
  for (Operation *op : stages) {
    std::string reason;
    if (std::optional<StageOfOp> stage = stageOf(op, rows, reason); stage && stage->extraInput)
      result.push_back(stage->extraInput);
    rows = op->getResult(0);
  }
  return result;
}

void Placement::note(Operation *op, StringRef where, const Twine &reason) {
  places[op] = {nodeName(op->getLoc()), op->getName().getStringRef().str(), where.str(), reason.str()};
}

void Placement::noteAdded(Location loc, StringRef op, StringRef reason) {
  addedPlaces.push_back({nodeName(loc), op.str(), "host", reason.str()});
}

LogicalResult Placement::refuseWish(Operation *op, StringRef reason) {
  return op->emitError() << "'" << nodeName(op->getLoc()) << "': " << op->getName().getStringRef()
                         << " is to run on the array, but " << reason
                         << "; choose another configuration (units=...), or let it run on the host";
}

/// Bits of the narrowest accumulator that holds every sum of `op`.
static int64_t bitsOf(integer::MatmulOp op) {
  const numerics::Interval bound = getAccumulatorBound(op, getLhsTypeRange(op));
  int64_t bits = 1;
  while (bits < 63 && (bound.max >= (int64_t(1) << (bits - 1)) || bound.min < -(int64_t(1) << (bits - 1))))
    ++bits;
  return bits;
}

/// Whether a unit of the array computes `op` on `rows`; `extra` is what it reads besides.
bool Placement::mayHaveUnit(Operation *op, Value rows, std::string &reason, Value &extra) {
  std::optional<simulator::Unit> unit = unitFor(op);
  if (!unit) {
    reason = "it is no work of the array or of a unit";
    return false;
  }
  if (!config.has(*unit)) {
    reason = ("the array has no " + simulator::nameOf(*unit) + " unit").str();
    return false;
  }
  std::optional<StageOfOp> stage = stageOf(op, rows, reason);
  if (!stage)
    return false;
  extra = stage->extraInput;
  return true;
}

static bool isWholeRow(Operation *op) {
  return isa<integer::SoftmaxOp, integer::ShiftmaxOp, integer::LayerNormOp, integer::NormQuantOp>(op);
}

/// How a stage writes and the next one reads the codes between them.
static bool sameSign(Operation *before, Operation *after, Value rows) {
  std::string reason;
  std::optional<StageOfOp> first = stageOf(before, Value(), reason), second = stageOf(after, rows, reason);
  return first && second && first->resultUnsigned == second->inputUnsigned;
}

/// What follows `rows`, as long as nobody else reads them and units go on.
LogicalResult Placement::addStages(Fragment &fragment, Value rows) {
  while (rows.hasOneUse()) {
    Operation *op = *rows.user_begin();
    if (wishes.of(op) == PlacementWishes::Place::Host || places.contains(op))
      return success();
    std::string reason;
    Value extra;
    if (!mayHaveUnit(op, rows, reason, extra))
      return success();
    // Rows of sums are as long as memory allows; a row that is shorter than the sums' would
    // be another matrix.
    if (!fragment.stages.empty() && (isWholeRow(op) || extra || !sameSign(fragment.stages.back(), op, rows)))
      return success();
    if (isWholeRow(op)) {
      const int64_t cols = cast<RankedTensorType>(rows.getType()).getShape().back();
      if (2 * llvm::divideCeilSigned(cols, config.cols) > config.accumulatorSize()) {
        hints[op] = ": the accumulator does not hold two rows of " + std::to_string(cols) + " sums";
        return success();
      }
      fragment.wholeRows = true;
    }
    // What a stage reads besides must be there before the product runs.
    if (extra) {
      Operation *source = extra.getDefiningOp();
      Operation *start = fragment.product ? fragment.product.getOperation() : op;
      if (source && !isConstant(extra) && !source->isBeforeInBlock(start))
        return success();
    }
    fragment.stages.push_back(op);
    note(op, simulator::nameOf(*unitFor(op)),
         "on the sums of '" + nodeName(fragment.product ? fragment.product.getLoc() : op->getLoc()) + "'");
    if (isa<integer::SoftmaxOp>(op))
      return success();
    rows = op->getResult(0);
  }
  return success();
}

/// Whether `op` is saturate8(roundHalfEven(x * 2^-shift)), maybe after ReLU.
static std::optional<unsigned> shiftOf(integer::RequantOp op) {
  integer::DyadicAttr by = op.getBy();
  const numerics::Code code = integer::codeOf(op.getResult(), op.getResultCode());
  const int64_t multiplier = by.size() == 1 ? by.multiplier(0) : 0;
  if (multiplier <= 0 || !llvm::isPowerOf2_64(static_cast<uint64_t>(multiplier)) ||
      op.getRounding() != integer::Rounding::HalfEven || code != numerics::Code() || op.getInputCode().getZero() != 0 ||
      static_cast<int64_t>(op.getMax().value_or(code.max())) != code.max() ||
      (op.getMin() && static_cast<int64_t>(*op.getMin()) != code.min() && *op.getMin() != 0))
    return std::nullopt;
  const int64_t shift = by.shift(0) - static_cast<int64_t>(llvm::Log2_64(static_cast<uint64_t>(multiplier)));
  return shift >= 0 && shift <= 31 ? std::optional(static_cast<unsigned>(shift)) : std::nullopt;
}

/// The shift requantizer takes powers of two, where sums are stored.
bool Placement::addScale(Fragment &fragment) {
  Value sums = fragment.product.getResult();
  auto op = sums.hasOneUse() ? dyn_cast<integer::RequantOp>(*sums.user_begin()) : integer::RequantOp();
  if (!op || !config.has(simulator::UnitShift) || wishes.of(op) == PlacementWishes::Place::Host)
    return false;
  std::optional<unsigned> shift = shiftOf(op);
  // Gemmini scales in 32-bit floats, which hold sums of 24 bits exactly.
  if (!shift || bitsOf(fragment.product) > 24)
    return false;
  fragment.scale = op;
  fragment.shift = *shift;
  note(op, simulator::nameOf(simulator::UnitShift), "times 2^-" + Twine(*shift) + " where the sums are stored");
  return true;
}

/// Whether an operand or result has no elements: no instruction works on nothing.
static bool isEmpty(Operation *op) {
  return llvm::any_of(
      llvm::concat<const Type>(SmallVector<Type>(op->getOperandTypes()), SmallVector<Type>(op->getResultTypes())),
      [](Type type) { return cast<ShapedType>(type).getNumElements() == 0; });
}

LogicalResult Placement::place(integer::MatmulOp op) {
  const PlacementWishes::Place wish = wishes.of(op);
  if (wish == PlacementWishes::Place::Host) {
    note(op, "host", "as asked for");
    return success();
  }
  if (isEmpty(op)) {
    note(op, "host", "it has nothing to multiply");
    return success();
  }
  if (!cast<RankedTensorType>(op.getLhs().getType()).getElementType().isInteger(8)) {
    std::string reason = "its left operand has 16 bits and the array takes 8";
    if (wish == PlacementWishes::Place::Array)
      return refuseWish(op, reason);
    note(op, "host", reason);
    return success();
  }
  const int64_t bits = bitsOf(op);
  if (bits > config.accumulatorBits)
    return op->emitError() << "'" << nodeName(op.getLoc())
                           << "': its sums over K = " << cast<RankedTensorType>(op.getLhs().getType()).getShape().back()
                           << " need accumulators of " << bits << " bits, but the array has " << config.accumulatorBits
                           << " (accumulator-bits=" << bits << ")";
  Fragment fragment;
  fragment.product = op;
  note(op, "array",
       Twine(config.planesOf(8) * config.planesOf(8)) + " pass" + (config.bits < 8 ? "es" : "") +
           " of 8-bit operands on elements of " + Twine(config.bits) + " bits");
  if (!addScale(fragment) && failed(addStages(fragment, op.getResult())))
    return failure();
  fragments.push_back(std::move(fragment));
  return success();
}

/// An op whose rows a unit reads from DRAM.
LogicalResult Placement::placeAlone(Operation *op) {
  const PlacementWishes::Place wish = wishes.of(op);
  std::string reason;
  Value extra;
  if (wish == PlacementWishes::Place::Host) {
    note(op, "host", "as asked for");
    return success();
  }
  const bool can = mayHaveUnit(op, Value(), reason, extra) && !isConstant(op->getOperand(0)) && !isEmpty(op);
  if (!can) {
    if (wish == PlacementWishes::Place::Array)
      return refuseWish(op, reason.empty() ? "it works on constants, or on nothing" : reason);
    note(op, "host", reason.empty() ? "it works on constants, or on nothing" : reason);
    return success();
  }
  Fragment fragment;
  fragment.stages.push_back(op);
  note(op, simulator::nameOf(*unitFor(op)), "rows from DRAM" + hints.lookup(op));
  fragments.push_back(std::move(fragment));
  return success();
}

LogicalResult Placement::run(func::FuncOp function) {
  for (Operation &op : function.getBody().front()) {
    if (isa<arith::ConstantOp, func::ReturnOp>(op) || places.contains(&op))
      continue;
    auto product = dyn_cast<integer::MatmulOp>(op);
    if (failed(product ? place(product) : placeAlone(&op)))
      return failure();
  }
  return success();
}

ArrayAttr Placement::record(MLIRContext *context) const {
  Builder b(context);
  SmallVector<Attribute> entries;
  auto add = [&](const Where &where) {
    NamedAttrList entry;
    entry.append("node", b.getStringAttr(where.node));
    entry.append("op", b.getStringAttr(where.op));
    entry.append("place", b.getStringAttr(where.place));
    entry.append("reason", b.getStringAttr(where.reason));
    entries.push_back(entry.getDictionary(context));
  };
  for (const auto &entry : places)
    add(entry.second);
  llvm::for_each(addedPlaces, add);
  return b.getArrayAttr(entries);
}
