//===- ArrayKernels.cpp - Which ops the array computes in one launch -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ArrayKernels.h"

#include "dialects/vitq/VitqKernel.h"
#include "vitq/Analysis/AccumulatorBounds.h"
#include "vitq/Conversion/KernelTargets.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::systolic;
using integer::KernelFit;
using Place = PlacementWishes::Place;

static bool refuse(std::string &reason, const Twine &why) {
  reason = why.str();
  return false;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

SmallVector<Operation *> ArrayKernel::ops() const {
  SmallVector<Operation *> all;
  if (integer::MatmulOp op = product)
    all.push_back(op);
  llvm::append_range(all, stages);
  if (integer::RequantOp op = scale)
    all.push_back(op);
  return all;
}

SmallVector<Value> ArrayKernel::extras() const {
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

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Bits of the narrowest accumulator that holds every sum of `op`.
static int64_t bitsOf(integer::MatmulOp op) {
  const numerics::Interval bound = op.getAccumulatorBound(getOperandTypeRange(op));
  int64_t bits = 1;
  while (bits < 63 && (bound.max >= (int64_t(1) << (bits - 1)) || bound.min < -(int64_t(1) << (bits - 1))))
    ++bits;
  return bits;
}

/// Whether an operand or result has no elements: no instruction works on nothing.
static bool isEmpty(Operation *op) {
  auto hasNone = [](Type type) { return cast<ShapedType>(type).getNumElements() == 0; };
  return llvm::any_of(op->getOperandTypes(), hasNone) || llvm::any_of(op->getResultTypes(), hasNone);
}

bool ArrayKernelRules::takesProduct(integer::MatmulOp op, std::string &reason) const {
  if (isEmpty(op))
    return refuse(reason, "it has nothing to multiply");
  const numerics::Code lhs = integer::codeOf(op.getLhs(), op.getLhsCode());
  if (lhs.bits > 8) {
    const bool isSoftmax = isa_and_nonnull<integer::SoftmaxOp>(op.getLhs().getDefiningOp());
    return refuse(reason, Twine("its left operand has 16 bits and the array takes 8") +
                              (isSoftmax ? "; --nonlinear=softmax=table gives probabilities so many" : ""));
  }
  return true;
}

std::string ArrayKernelRules::overflowOf(integer::MatmulOp op) const {
  std::string reason;
  if (wishFor(op) == Place::Host || !takesProduct(op, reason))
    return {};
  const int64_t bits = bitsOf(op);
  if (bits <= config.accumulatorBits)
    return {};
  return ("its sums over K = " + Twine(cast<RankedTensorType>(op.getLhs().getType()).getShape().back()) +
          " need accumulators of " + Twine(bits) + " bits, but the array has " + Twine(config.accumulatorBits) +
          " (accumulator-bits=" + Twine(bits) + ")")
      .str();
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
bool ArrayKernelRules::addScale(ArrayKernel &kernel, Operation *op) const {
  auto requant = dyn_cast<integer::RequantOp>(op);
  if (!requant || !config.has(simulator::UnitShift))
    return false;
  std::optional<unsigned> shift = shiftOf(requant);
  // Gemmini scales in 32-bit floats, which hold sums of 24 bits exactly.
  if (!shift || bitsOf(kernel.product) > 24)
    return false;
  kernel.scale = requant;
  kernel.shift = *shift;
  return true;
}

//===----------------------------------------------------------------------===//
// Units
//===----------------------------------------------------------------------===//

/// What a unit of the array computes for `op` on `rows` (null: its first operand).
std::optional<StageOfOp> ArrayKernelRules::stageFor(Operation *op, Value rows, std::string &reason) const {
  std::optional<simulator::Unit> unit = unitFor(op);
  if (!unit) {
    reason = "it is no work of the array or of a unit";
    return std::nullopt;
  }
  if (!config.has(*unit)) {
    reason = ("the array has no " + simulator::nameOf(*unit) + " unit").str();
    return std::nullopt;
  }
  return stageOf(op, rows, reason);
}

/// Whether rows shrink that the host has just computed: it writes fewer bytes than it would hand over.
static bool shrinksRowsOfHost(Operation *op, const StageOfOp &stage) {
  Operation *source = stage.rows.getDefiningOp();
  auto bitsOf = [](Value value) { return cast<ShapedType>(value.getType()).getElementTypeBitWidth(); };
  return source && !isa<integer::KernelOp>(source) && !source->hasTrait<vit::MoveOp>() &&
         !simulator::needsWholeRow(stage.stage) && !stage.extraInput && bitsOf(op->getResult(0)) < bitsOf(stage.rows);
}

bool ArrayKernelRules::takesRows(Operation *op, std::string &reason) const {
  std::optional<StageOfOp> stage = stageFor(op, Value(), reason);
  if (!stage)
    return false;
  if (isConstant(op->getOperand(0)) || isEmpty(op))
    return refuse(reason, "it works on constants, or on nothing");
  if (wishFor(op) != Place::Array && shrinksRowsOfHost(op, *stage))
    return refuse(reason, "the host computes its rows and writes fewer bytes so");
  return true;
}

std::string ArrayKernelRules::rowsTooLong(Operation *op) const {
  std::string reason;
  std::optional<StageOfOp> stage = stageFor(op, Value(), reason);
  if (!stage || !simulator::needsWholeRow(stage->stage))
    return {};
  const int64_t cols = cast<RankedTensorType>(stage->rows.getType()).getShape().back();
  if (2 * llvm::divideCeilSigned(cols, config.cols) <= config.accumulatorSize())
    return {};
  return "the accumulator does not hold two rows of " + std::to_string(cols) + " sums";
}

/// What a unit does to rows of sums before these are stored.
bool ArrayKernelRules::addStage(ArrayKernel &kernel, Operation *op, std::string &reason) const {
  Value rows = kernel.last()->getResult(0);
  std::optional<StageOfOp> stage = stageFor(op, rows, reason);
  if (!stage)
    return false;
  if (kernel.last()->getNumResults() > 1)
    return refuse(reason, "units stop at an op with two results");
  const bool wholeRow = simulator::needsWholeRow(stage->stage);
  if (!kernel.stages.empty()) {
    // Rows of sums are as long as memory allows; a row that is shorter than the sums' would
    // be another matrix.
    if (wholeRow || stage->extraInput)
      return refuse(reason, "only the first unit takes whole rows, or another operand");
    std::optional<StageOfOp> before = stageOf(kernel.stages.back(), Value(), reason);
    if (!before || before->resultUnsigned != stage->inputUnsigned)
      return refuse(reason, "it reads the codes with another sign than the unit before it gives");
  }
  if (wholeRow)
    if (reason = rowsTooLong(op); !reason.empty())
      return false;
  // What a stage reads besides must be there before the product runs.
  if (Value extra = stage->extraInput) {
    Operation *source = extra.getDefiningOp();
    if (source && !isConstant(extra) && !source->isBeforeInBlock(kernel.product))
      return refuse(reason, "its other operand is not there before the product");
  }
  kernel.stages.push_back(op);
  kernel.wholeRows |= wholeRow;
  return true;
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

bool ArrayKernelRules::add(ArrayKernel &kernel, Operation *op, std::string &reason) const {
  if (wishFor(op) == Place::Host)
    return refuse(reason, "as asked for");
  if (kernel.ops().empty()) {
    if (auto product = dyn_cast<integer::MatmulOp>(op)) {
      if (!takesProduct(product, reason))
        return false;
      reason = overflowOf(product);
      kernel.product = product;
      return reason.empty();
    }
    kernel.stages.push_back(op);
    return takesRows(op, reason);
  }
  if (!kernel.product)
    return refuse(reason, "rows from DRAM go through one unit");
  if (kernel.scale)
    return refuse(reason, "the sums are stored as codes");
  return (kernel.stages.empty() && addScale(kernel, op)) || addStage(kernel, op, reason);
}

KernelFit ArrayKernelRules::read(ArrayRef<Operation *> ops, ArrayKernel &kernel, std::string &reason) const {
  kernel = {};
  for (Operation *op : ops)
    if (!add(kernel, op, reason))
      return KernelFit::No;
  return KernelFit::Kernel;
}

KernelFit ArrayKernelRules::fit(ArrayRef<Operation *> ops, std::string &reason) const {
  ArrayKernel kernel;
  return read(ops, kernel, reason);
}

namespace {

struct ArrayKernelTarget : integer::KernelTargetAttrInterface::ExternalModel<ArrayKernelTarget, ConfigAttr> {
  std::unique_ptr<integer::KernelRules> getKernelRules(Attribute attribute, Operation *module,
                                                       function_ref<InFlightDiagnostic()> emitError) const {
    llvm::Expected<PlacementWishes> wishes = PlacementWishes::of(cast<ModuleOp>(module));
    if (wishes)
      return std::make_unique<ArrayKernelRules>(cast<ConfigAttr>(attribute).get(), std::move(*wishes));
    emitError() << llvm::toString(wishes.takeError());
    return nullptr;
  }
};

} // namespace

void vitq::registerSystolicKernelTarget(DialectRegistry &registry) {
  registry.addExtension(
      +[](MLIRContext *context, SystolicDialect *) { ConfigAttr::attachInterface<ArrayKernelTarget>(*context); });
}
