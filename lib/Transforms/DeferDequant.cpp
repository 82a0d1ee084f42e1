//===- DeferDequant.cpp - Move dequantizations behind the ops that commute with them -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

#include "llvm/ADT/TypeSwitch.h"

namespace vitq {
#define GEN_PASS_DEF_VITDEFERDEQUANTPASS
#include "vitq/Transforms/Passes.h.inc"
} // namespace vitq

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::vit;

namespace {

/// The quantized value behind a dequantization, null when there is none.
Value quantizedSource(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  return dequantize ? dequantize.getInput() : Value();
}

/// Why dequantization cannot cross an op that has no CommutesWithDequant.
StringRef barrierReason(Operation *op) {
  return TypeSwitch<Operation *, StringRef>(op)
      .Case<SoftmaxNumeratorOp>([](auto) {
        return "R10: the exponential is not scale-covariant; only the division by the "
               "row sum moves on";
      })
      .Case<SoftmaxOp>([](auto) { return "R10: softmax is not scale-covariant"; })
      .Case<NormalizePixelsOp>([](auto) { return "pixels become codes of the normalized image by a table"; })
      .Case<DivideRowsOp>([](auto) { return "R10: the reciprocal of the row sum is taken here, once per row"; })
      .Case<LayerNormOp>(
          [](auto) { return "R8: a common scale cancels in layer_norm, so the dequantization ends here"; })
      .Case<AddOp>(
          [](auto) { return "R12: the operands of an add have scales of their own and are requantized to the sum's"; })
      .Case<MulOp>([](auto) { return "the product of two quantized tensors is requantized at once"; })
      .Case<ReluOp>([](auto) { return "R11: a rectifier bounds the range; the clamp of the requantization does it"; })
      .Case<UnaryFunction>([](auto) { return "R11: the function is not scale-covariant; it is computed on codes"; })
      .Default([](Operation *) { return StringRef(); });
}

class DeferDequant : public vitq::impl::VitDeferDequantPassBase<DeferDequant> {
  using VitDeferDequantPassBase::VitDeferDequantPassBase;

  void runOnOperation() override {
    bool failedAny = false;
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isExternal())
        continue;
      // Program order: an op sees its operands after they were deferred.
      // Casts are left out: visiting an op may erase those around it.
      SmallVector<Operation *> ops;
      for (Block &block : function.getBody())
        for (Operation &op : block)
          if (!isa<QuantizeOp, DequantizeOp>(op) && op.getNumResults() > 0)
            ops.push_back(&op);
      for (Operation *op : ops)
        failedAny |= failed(visit(op));
      for (Block &block : function.getBody())
        for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
          if (isa<DequantizeOp, quant::StorageCastOp, arith::ConstantOp>(op) && op.use_empty())
            op.erase();
    }
    if (failedAny)
      signalPassFailure();
  }

  LogicalResult visit(Operation *op) {
    bool anyDequantized = llvm::any_of(op->getOperands(), [](Value v) { return quantizedSource(v) != nullptr; });
    if (!anyDequantized && !isa<NormalizePixelsOp>(op))
      return success();
    if (auto commutes = dyn_cast<CommutesWithDequant>(op))
      return defer(commutes);
    if (barrierReason(op).empty())
      return success();
    return absorb(op);
  }

  /// f(dequantize(x)) -> dequantize(f(x)).
  LogicalResult defer(CommutesWithDequant op) {
    SmallVector<Type> types(op->getNumOperands());
    for (auto [i, operand] : llvm::enumerate(op->getOperands()))
      if (Value source = quantizedSource(operand))
        types[i] = getQuantizedType(source);
    bool contraction = isa<LinearOp, MatmulOp, PatchEmbedOp>(op);
    std::string reason;
    FailureOr<Type> element = failure();
    bool complete = llvm::all_of(op.getDeferrableOperands(), [&](unsigned i) { return types[i] != nullptr; });
    if (complete)
      element = op.getDeferredElementType(types, reason);
    else
      reason = "an operand is not quantized; calibrate and quantize it";
    if (failed(element)) {
      if (contraction)
        return op->emitError("dequantization cannot be deferred: ") << reason;
      return barrier(op, reason);
    }
    IRRewriter rewriter(op);
    SmallVector<Value> operands(op->getOperands());
    for (unsigned i : op.getDeferrableOperands())
      operands[i] = quantizedSource(operands[i]);
    if (int bias = op.getBiasOperandIndex(); bias >= 0) {
      FailureOr<Value> quantized = quantizeBias(rewriter, op, operands[bias], *element);
      if (failed(quantized))
        return failure();
      operands[bias] = *quantized;
    }
    Value result = op->getResult(0);
    Operation *deferred = rewriter.create(op->getLoc(), op->getName().getIdentifier(), operands,
                                          withElementType(result.getType(), *element), op->getAttrs());
    auto real = DequantizeOp::create(rewriter, op->getLoc(), result.getType(), deferred->getResult(0));
    rewriter.replaceOp(op, real.getResult());
    ++numDeferred;
    return success();
  }

  /// A bias on the accumulator's grid: rne(b / (s_x * s_w)), 32 bits (R1).
  FailureOr<Value> quantizeBias(IRRewriter &rewriter, Operation *op, Value bias, Type element) {
    if (Value source = quantizedSource(bias))
      if (getQuantizedType(source).getStorageTypeIntegralWidth() == 32)
        return source;
    std::optional<std::vector<double>> values = getFloatConstant(bias);
    if (!values)
      return op->emitError("dequantization cannot be deferred: R1: the bias is no constant, so it cannot be brought to "
                           "the accumulator's scale at compile time");
    UniformParameters type = *getUniformParameters(element);
    SmallVector<int64_t> codes;
    for (auto [i, value] : llvm::enumerate(*values)) {
      if (!(std::abs(value / type.scale(i)) <= static_cast<double>(type.max)))
        return op->emitError("dequantization cannot be deferred: R1: the bias ")
               << value << " of channel " << i << " leaves 32 bits in units of input scale times weight scale, "
               << type.scale(i) << "; give that row of the weight a larger scale";
      codes.push_back(
          numerics::quantizeReal(value, type.scale(i), 0, type.min, type.max, numerics::Rounding::HalfEven));
    }
    Type biasElement = element;
    if (type.axis >= 0)
      biasElement = quant::UniformQuantizedPerAxisType::get(
          quant::QuantizationFlags::Signed, cast<quant::QuantizedType>(element).getStorageType(), rewriter.getF32Type(),
          type.scales, type.zeroPoints, 0, type.min, type.max);
    auto integers = createIntConstant(rewriter, op->getLoc(), withElementType(bias.getType(), rewriter.getI32Type()),
                                      codes, getBlobName(bias));
    return quant::StorageCastOp::create(rewriter, op->getLoc(), withElementType(bias.getType(), biasElement), integers)
        .getResult();
  }

  LogicalResult barrier(Operation *op, StringRef reason) {
    ++numBarriers;
    if (remarks)
      op->emitRemark("dequantization stops at '") << nodeName(op->getLoc()) << "': " << reason;
    return success();
  }

  /// quantize(f(dequantize(x))) -> f on the quantized types, where every result is
  /// only quantized, and to one type.
  LogicalResult absorb(Operation *op) {
    if (failed(barrier(op, barrierReason(op))))
      return failure();
    IRRewriter rewriter(op);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      Value source = quantizedSource(operand);
      bool parameter = isa<LayerNormOp>(op) && operand != op->getOperand(0);
      if (!source && !parameter && !getQuantizedType(operand))
        return success(); // a float operand: nothing to absorb
      operands.push_back(source ? source : operand);
    }
    SmallVector<Type> types;
    Rounding rounding = Rounding::HalfUp;
    for (Value result : op->getResults()) {
      Type element = onlyQuantizedTo(result, rounding);
      if (!element)
        return success();
      types.push_back(withElementType(result.getType(), element));
    }
    // Shiftmax takes the floor, whatever the quantization says.
    if (rounding != Rounding::HalfUp && !isa<AddOp, GeluOp, LayerNormOp, SoftmaxOp>(op))
      return success();
    Operation *absorbed = rewriter.create(op->getLoc(), op->getName().getIdentifier(), operands, types, op->getAttrs());
    TypeSwitch<Operation *>(absorbed).Case<AddOp, GeluOp, LayerNormOp>(
        [&](auto rounded) { rounded.setRounding(rounding); });
    for (auto [from, to] : llvm::zip_equal(op->getResults(), absorbed->getResults())) {
      if (getQuantizedType(from)) {
        rewriter.replaceAllUsesWith(from, to);
        continue;
      }
      for (Operation *user : llvm::make_early_inc_range(from.getUsers()))
        rewriter.replaceOp(user, to);
    }
    rewriter.eraseOp(op);
    return success();
  }

  /// The type that all users of `result` quantize it to, with one rounding; null
  /// otherwise.
  static Type onlyQuantizedTo(Value result, Rounding &rounding) {
    if (quant::QuantizedType already = getQuantizedType(result))
      return already;
    Type element;
    for (Operation *user : result.getUsers()) {
      auto quantize = dyn_cast<QuantizeOp>(user);
      if (!quantize)
        return {};
      Type to = getQuantizedType(quantize.getResult());
      if (element && (element != to || rounding != quantize.getRounding()))
        return {};
      element = to;
      rounding = quantize.getRounding();
    }
    return element;
  }
};

} // namespace
