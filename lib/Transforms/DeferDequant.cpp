//===- DeferDequant.cpp - Move dequantizations behind the ops that commute with them -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/vit/VitRules.h"
#include "vitq/Analysis/QuantizedTypes.h"
#include "vitq/Numerics/Quantize.h"
#include "vitq/Support/Constants.h"
#include "vitq/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

#include "llvm/Support/DebugLog.h"

#define DEBUG_TYPE "vit-defer-dequant"

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
    if (auto commutes = dyn_cast<CommutesWithDequant>(op))
      return anyDequantized ? defer(commutes) : success();
    auto quantizable = dyn_cast<QuantizableOp>(op);
    // Pixels arrive as codes.
    bool anyQuantized = llvm::any_of(op->getOperands(), [](Value v) { return getQuantizedType(v) != nullptr; });
    if (!quantizable || quantizable.getBarrierReason().empty() || (!anyDequantized && !anyQuantized))
      return success();
    return absorb(quantizable);
  }

  /// f(dequantize(x)) -> dequantize(f(x)).
  LogicalResult defer(CommutesWithDequant op) {
    SmallVector<Type> types(op->getNumOperands());
    for (auto [i, operand] : llvm::enumerate(op->getOperands()))
      if (Value source = quantizedSource(operand))
        types[i] = getQuantizedType(source);
    auto quantizable = dyn_cast<QuantizableOp>(op.getOperation());
    bool contraction = quantizable && quantizable.getResultCode(0).kind == CodeKind::Accumulator;
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
    LDBG() << nodeName(op->getLoc()) << ": moved on, the result is " << *element;
    ++numDeferred;
    return success();
  }

  /// A bias on the accumulator's grid: rne(b / (s_x * s_w)), 32 bits (R1).
  FailureOr<Value> quantizeBias(IRRewriter &rewriter, Operation *op, Value bias, Type element) {
    if (Value source = quantizedSource(bias))
      if (getQuantizedType(source).getStorageTypeIntegralWidth() == 32)
        return source;
    FailureOr<std::vector<double>> values = getFloatConstant(bias);
    if (failed(values)) {
      InFlightDiagnostic error =
          op->emitError("dequantization cannot be deferred: ")
          << rules::kLinear
          << ": the bias is no constant, so it cannot be brought to the accumulator's scale at compile time";
      error.attachNote(bias.getLoc()) << "the bias is this value";
      return error;
    }
    UniformParameters type = *getUniformParameters(element);
    SmallVector<int64_t> codes;
    for (auto [i, value] : llvm::enumerate(*values)) {
      if (!(std::abs(value / type.scale(i)) <= static_cast<double>(type.max)))
        return op->emitError("dequantization cannot be deferred: ")
               << rules::kLinear << ": the bias " << value << " of channel " << i
               << " leaves 32 bits in units of input scale times weight scale, " << type.scale(i)
               << "; give that row of the weight a larger scale";
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
    LDBG() << nodeName(op->getLoc()) << ": stopped; " << reason;
    ++numBarriers;
    if (remarks)
      op->emitRemark("dequantization stops at '") << nodeName(op->getLoc()) << "': " << reason;
    return success();
  }

  /// quantize(f(dequantize(x))) -> f on the quantized types, where every result is
  /// only quantized, and to one type.
  LogicalResult absorb(QuantizableOp op) {
    if (failed(barrier(op, op.getBarrierReason())))
      return failure();
    IRRewriter rewriter(op);
    SmallVector<Value> operands;
    for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
      Value source = quantizedSource(operand);
      bool parameter = op.getOperandCode(i).kind == CodeKind::None;
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
    if (rounding != Rounding::HalfUp && op.getResultRounding() == ResultRounding::HalfUp)
      return success();
    Operation *absorbed = rewriter.create(op->getLoc(), op->getName().getIdentifier(), operands, types, op->getAttrs());
    if (op.getResultRounding() == ResultRounding::Chosen)
      cast<QuantizableOp>(absorbed).takeRounding(rounding);
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
