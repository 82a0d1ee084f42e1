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
#include "llvm/ADT/TypeSwitch.h"
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

static RankedTensorType withLeading(RankedTensorType type, int64_t size) {
  SmallVector<int64_t> shape(type.getShape());
  shape.front() = size;
  return RankedTensorType::get(shape, type.getElementType());
}

namespace {

/// Lets the leading axis of every value that depends on the input grow from 1 to the
/// batch. An image must stay a slice along it: an op that computes along the leading
/// axis, or moves it, is refused.
class BatchRewriter {
public:
  BatchRewriter(func::FuncOp func, int64_t batch) : func(func), batch(batch), builder(func.getContext()) {}

  LogicalResult run();

private:
  LogicalResult rewrite(Operation *op);
  LogicalResult rewriteOperands(Operation *op);
  LogicalResult rewriteMatmul(integer::MatmulOp op);
  LogicalResult rewriteElementwise(Operation *op);
  LogicalResult rewriteReshaping(Operation *op);
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

/// Makes an operand that does not depend on the input as long as those that do.
LogicalResult BatchRewriter::spread(OpOperand &operand) {
  if (dependsOnInput(operand.get()))
    return success();
  RankedTensorType type = typeOf(operand.get());
  if (type.getRank() == 0 || type.getDimSize(0) != 1)
    return refuse(operand.getOwner(), "operand " + Twine(operand.getOperandNumber()) + " has no leading axis of 1");
  builder.setInsertionPoint(operand.getOwner());
  operand.set(integer::BroadcastOp::create(builder, operand.getOwner()->getLoc(), withLeading(type, batch),
                                           operand.get(), withLeading(type, batch).getShape()));
  return success();
}

LogicalResult BatchRewriter::spreadAll(Operation *op) {
  for (OpOperand &operand : op->getOpOperands())
    if (failed(spread(operand)))
      return failure();
  return success();
}

LogicalResult BatchRewriter::rewriteMatmul(integer::MatmulOp op) {
  if (op.getBias() && dependsOnInput(op.getBias()))
    return refuse(op, "the bias depends on the input");
  const bool sharedRhs = typeOf(op.getRhs()).getRank() == 2;
  if (sharedRhs && dependsOnInput(op.getRhs()))
    return refuse(op, "a right operand of rank 2 is shared by all images, and depends on the input");
  if (failed(spread(op.getLhsMutable())))
    return failure();
  return sharedRhs ? success() : spread(op.getRhsMutable());
}

/// Sums and products, whose right operand broadcasts to the left one.
LogicalResult BatchRewriter::rewriteElementwise(Operation *op) {
  OpOperand &lhs = op->getOpOperand(0), &rhs = op->getOpOperand(1);
  if (dependsOnInput(rhs.get()) && typeOf(rhs.get()).getRank() != typeOf(lhs.get()).getRank())
    return refuse(op, "an operand of lower rank depends on the input");
  // The other direction is what the op does by itself: a right operand that is the
  // same for all images has 1 there, or no such axis.
  return spread(lhs);
}

/// Ops with a shape, or positions, among their attributes.
LogicalResult BatchRewriter::rewriteReshaping(Operation *op) {
  auto grown = [&](ArrayRef<int64_t> sizes) {
    SmallVector<int64_t> result(sizes);
    result.front() = batch;
    return result;
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<integer::ReshapeOp>([&](auto reshape) {
        reshape.setShape(grown(reshape.getShape()));
        return success();
      })
      .Case<integer::BroadcastOp>([&](auto broadcast) -> LogicalResult {
        if (typeOf(broadcast.getInput()).getRank() != typeOf(broadcast.getResult()).getRank())
          return refuse(op, "it adds axes in front of it");
        broadcast.setShape(grown(broadcast.getShape()));
        return success();
      })
      .Case<integer::SliceOp>([&](auto slice) {
        // It takes all of an axis of 1.
        slice.setSizes(grown(slice.getSizes()));
        SmallVector<int64_t> strides(slice.getStrides());
        strides.front() = 1;
        slice.setStrides(strides);
        return success();
      })
      .Case<integer::TransposeOp>([&](auto transpose) {
        return transpose.getPermutation().front() == 0 ? success() : refuse(op, "it moves the axis");
      })
      .Case<integer::GatherOp>(
          [&](auto gather) { return gather.getAxis() != 0 ? success() : refuse(op, "it gathers along it"); })
      .Case<integer::ConcatOp>(
          [&](auto concat) { return concat.getAxis() != 0 ? spreadAll(op) : refuse(op, "it joins along it"); })
      .Default([](Operation *) { return success(); });
}

LogicalResult BatchRewriter::rewriteOperands(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<integer::MatmulOp>([&](auto matmul) { return rewriteMatmul(matmul); })
      .Case<integer::AddOp, integer::MulOp>([&](auto) { return rewriteElementwise(op); })
      .Case<integer::DivideRowsOp>([&](auto) { return spreadAll(op); })
      .Case<integer::SumOp>([&](auto sum) -> LogicalResult {
        if (llvm::is_contained(sum.getAxes(), 0))
          return refuse(op, "it sums over it");
        return success();
      })
      .Case<integer::TableOp, integer::InterpolateOp, integer::SoftmaxOp, integer::NormQuantOp, integer::ThresholdOp>(
          [&](auto) -> LogicalResult {
            for (Value table : llvm::drop_begin(op->getOperands()))
              if (dependsOnInput(table))
                return refuse(op, "its table depends on the input");
            return success();
          })
      .Default([&](Operation *) { return rewriteReshaping(op); });
}

LogicalResult BatchRewriter::rewrite(Operation *op) {
  if (llvm::none_of(op->getOperands(), [&](Value operand) { return dependsOnInput(operand); }))
    return success();
  if (op->getName().getDialectNamespace() != "vitq")
    return refuse(op, "'" + op->getName().getStringRef() + "' is no op of the integer phase");
  // These compute along the last axis, which must be another one.
  const bool alongLast =
      isa<integer::SoftmaxOp, integer::ShiftmaxOp, integer::GeluOp, integer::LayerNormOp, integer::NormQuantOp>(op) ||
      (isa<integer::TableOp>(op) && op->getNumOperands() == 3) ||
      (isa<integer::ThresholdOp>(op) && typeOf(op->getOperand(1)).getRank() == 2);
  if (alongLast && typeOf(op->getOperand(0)).getRank() < 2)
    return refuse(op, "it is the last one, along which the op computes");
  for (Value result : op->getResults())
    if (typeOf(result).getRank() == 0 || typeOf(result).getDimSize(0) != 1)
      return refuse(op, "the result has no leading axis of 1");
  if (failed(rewriteOperands(op)))
    return failure();
  for (Value result : op->getResults()) {
    result.setType(withLeading(typeOf(result), batch));
    batched.insert(result);
  }
  return success();
}

LogicalResult BatchRewriter::rewriteReturn(func::ReturnOp op) { return spreadAll(op); }

LogicalResult BatchRewriter::run() {
  Block &body = func.getBody().front();
  for (BlockArgument argument : body.getArguments()) {
    argument.setType(withLeading(typeOf(argument), batch));
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
