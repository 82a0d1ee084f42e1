//===- SetBatch.cpp - Programs of one image to programs of several -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vitq/Vitq.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Support/MainFunction.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vitq-set-batch"

namespace vitq {
#define GEN_PASS_DEF_VITQSETBATCHPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;

/// More images than memory holds in any use; the sizes of buffers stay far from
/// 64 bits.
static constexpr int64_t kMaxBatch = 4096;

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

/// A tensor of one image, whose leading axis may be its windows, for `batch` images.
static RankedTensorType grow(RankedTensorType type, int64_t batch) {
  SmallVector<int64_t> shape(type.getShape());
  shape.front() *= batch;
  return type.clone(shape);
}

namespace {

/// Lets the leading axis of every value that depends on the input grow by the batch. An
/// image must stay a slice along it, of one element or of several (windows): an op that
/// computes along the leading axis, or moves it, is refused.
class BatchRewriter {
public:
  BatchRewriter(func::FuncOp func, int64_t batch) : func(func), batch(batch), builder(func.getContext()) {}

  LogicalResult run();

private:
  LogicalResult rewrite(Operation *op);
  LogicalResult rewriteOperand(integer::BatchableOp op, OpOperand &operand);
  LogicalResult rewriteReturn(func::ReturnOp op);
  LogicalResult spreadAll(Operation *op);
  LogicalResult spread(OpOperand &operand);
  LogicalResult refuse(Operation *op, const Twine &why);

  bool dependsOnInput(Value value) const { return batched.contains(value); }

  func::FuncOp func;
  int64_t batch;
  OpBuilder builder;
  /// Values that have grown.
  DenseSet<Value> batched;
};

} // namespace

LogicalResult BatchRewriter::refuse(Operation *op, const Twine &why) {
  return op->emitError("node '") << nodeName(op->getLoc()) << "': the leading axis is not the batch: " << why
                                 << "; compile this model with a batch of 1";
}

/// Repeats an operand that does not depend on the input for each image.
LogicalResult BatchRewriter::spread(OpOperand &operand) {
  if (dependsOnInput(operand.get()))
    return success();
  RankedTensorType type = typeOf(operand.get());
  if (type.getRank() == 0)
    return refuse(operand.getOwner(), "operand " + Twine(operand.getOperandNumber()) + " has no axes");
  Location loc = operand.getOwner()->getLoc();
  builder.setInsertionPoint(operand.getOwner());
  // Slices of an image stay together: they are repeated as a whole.
  Value value = operand.get();
  const bool hasSlices = type.getDimSize(0) != 1;
  if (hasSlices) {
    SmallVector<int64_t> whole(type.getShape());
    whole.insert(whole.begin(), 1);
    value = integer::ReshapeOp::create(builder, loc, type.clone(whole), value, whole);
  }
  RankedTensorType repeated = grow(typeOf(value), batch);
  value = integer::BroadcastOp::create(builder, loc, repeated, value, repeated.getShape());
  if (hasSlices)
    value = integer::ReshapeOp::create(builder, loc, grow(type, batch), value, grow(type, batch).getShape());
  operand.set(value);
  return success();
}

LogicalResult BatchRewriter::spreadAll(Operation *op) {
  for (OpOperand &operand : op->getOpOperands())
    if (failed(spread(operand)))
      return failure();
  return success();
}

LogicalResult BatchRewriter::rewriteOperand(integer::BatchableOp op, OpOperand &operand) {
  switch (op.getBatchOperand(operand.getOperandNumber())) {
  case integer::BatchOperand::Image:
    return spread(operand);
  case integer::BatchOperand::Broadcast: {
    // What is the same for all images has 1 there, or no such axis.
    RankedTensorType type = typeOf(operand.get()), result = typeOf(op->getResult(0));
    if (!dependsOnInput(operand.get()))
      return type.getRank() < result.getRank() || type.getDimSize(0) == 1 ? success() : spread(operand);
    if (type.getRank() != result.getRank())
      return refuse(op, "an operand of lower rank depends on the input");
    if (type.getDimSize(0) != typeOf(op->getOperand(0)).getDimSize(0))
      return refuse(op, "an operand that depends on the input is repeated along it");
    return success();
  }
  case integer::BatchOperand::Shared:
    if (dependsOnInput(operand.get()))
      return refuse(op, "operand " + Twine(operand.getOperandNumber()) +
                            " is shared by all images, and depends on the input");
    return success();
  }
  llvm_unreachable("unknown operand");
}

LogicalResult BatchRewriter::rewrite(Operation *op) {
  if (llvm::none_of(op->getOperands(), [&](Value operand) { return dependsOnInput(operand); }))
    return success();
  auto batchable = dyn_cast<integer::BatchableOp>(op);
  if (!batchable)
    return refuse(op, "'" + op->getName().getStringRef() + "' is no op of the integer phase");
  if (batchable.computesAlongLastAxis() && typeOf(op->getOperand(0)).getRank() < 2)
    return refuse(op, "it is the last one, along which the op computes");
  for (Value result : op->getResults())
    if (typeOf(result).getRank() == 0)
      return refuse(op, "the result has no axes");
  for (OpOperand &operand : op->getOpOperands())
    if (failed(rewriteOperand(batchable, operand)))
      return failure();
  std::string reason;
  if (failed(batchable.growLeadingAxis(batch, reason)))
    return refuse(op, reason);
  for (Value result : op->getResults()) {
    result.setType(grow(typeOf(result), batch));
    batched.insert(result);
  }
  return success();
}

LogicalResult BatchRewriter::rewriteReturn(func::ReturnOp op) { return spreadAll(op); }

LogicalResult BatchRewriter::run() {
  Block &body = func.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    argument.setType(grow(typeOf(argument), batch));
    batched.insert(argument);
  }
  // New ops stand before the one that needs them.
  for (Operation &op : llvm::make_early_inc_range(body)) {
    auto ret = dyn_cast<func::ReturnOp>(op);
    if (failed(ret ? rewriteReturn(ret) : rewrite(&op)))
      return failure();
  }
  LDBG() << batched.size() << " values grow to a batch of " << batch;
  func.setType(FunctionType::get(func.getContext(), body.getArgumentTypes(), body.getTerminator()->getOperandTypes()));
  return success();
}

namespace {

struct SetBatch : ::vitq::impl::VitqSetBatchPassBase<SetBatch> {
  using VitqSetBatchPassBase::VitqSetBatchPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (batch < 1 || batch > kMaxBatch) {
      module.emitError("a batch of ") << batch.getValue() << " is not supported; it must be 1 to " << kMaxBatch;
      return signalPassFailure();
    }
    FailureOr<func::FuncOp> found = findMain(module);
    if (failed(found))
      return signalPassFailure();
    func::FuncOp main = *found;
    if (failed(check(main)))
      return signalPassFailure();
    const bool already = llvm::all_of(main.getArgumentTypes(),
                                      [&](Type type) { return cast<RankedTensorType>(type).getDimSize(0) == batch; });
    if (!already && failed(BatchRewriter(main, batch).run()))
      return signalPassFailure();
    module->setAttr("vitq.batch", Builder(module.getContext()).getI64IntegerAttr(batch));
  }

  /// The inputs are those of one image, or of the batch that is asked for.
  LogicalResult check(func::FuncOp main) {
    std::optional<int64_t> now;
    for (Type type : main.getArgumentTypes()) {
      auto tensor = dyn_cast<RankedTensorType>(type);
      if (!tensor || tensor.getRank() == 0 || !tensor.hasStaticShape())
        return main.emitError("the inputs of @main must be statically shaped tensors with a leading batch axis");
      if (tensor.getDimSize(0) != 1 && tensor.getDimSize(0) != batch)
        return main.emitError("the model takes ")
               << tensor.getDimSize(0) << " images at a time; only a model of one image can be given a batch of "
               << batch.getValue();
      if (now && *now != tensor.getDimSize(0))
        return main.emitError("the inputs of @main have unequal leading axes");
      now = tensor.getDimSize(0);
    }
    return success();
  }
};

} // namespace
