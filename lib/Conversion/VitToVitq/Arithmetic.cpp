//===- Arithmetic.cpp - Contractions, requantization and sums -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Products.h"
#include "Recording.h"

#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::lowering;

namespace {

struct LowerLinear : Lowering<vit::LinearOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::LinearOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput());
    if (failed(input) || failed(checkRhs(op, op.getWeight())))
      return failure();
    return replaceWithSums(
        op, rewriter, createProduct(op, rewriter, adaptor.getInput(), adaptor.getWeight(), adaptor.getBias(), *input));
  }
};

struct LowerMatmul : Lowering<vit::MatmulOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::MatmulOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> lhs = parametersOf(op, op.getLhs());
    if (failed(lhs) || failed(checkRhs(op, op.getRhs())))
      return failure();
    if (!llvm::all_equal(lhs->zeroPoints))
      return op.emitError("the left operand of '") << nodeName(op.getLoc()) << "' must have one zero point";
    auto matmul =
        rewriter.replaceOpWithNewOp<integer::MatmulOp>(op, convert(op.getType()), adaptor.getLhs(), adaptor.getRhs(),
                                                       Value(), codeAttr(op, *lhs), op.getTransposeRhsAttr());
    recordScale(matmul, op);
    return success();
  }
};

/// Ratios from[i]/to[i], one when neither varies.
FailureOr<SmallVector<double>> ratios(Operation *op, const UniformParameters &from, const UniformParameters &to) {
  if (from.axis >= 0 && to.axis >= 0 && from.axis != to.axis)
    return op->emitError("requantization between scales along axes ") << from.axis << " and " << to.axis;
  SmallVector<double> result;
  for (size_t i = 0, e = std::max(from.scales.size(), to.scales.size()); i < e; ++i)
    result.push_back(from.scale(i) / to.scale(i));
  return result;
}

/// The multiple of 2^-15 that the ratio was chosen as, if it was: floats are off by the last digits.
double ratioOfSums(double ratio) {
  const double multiple = std::round(std::ldexp(ratio, 15));
  return std::abs(std::ldexp(ratio, 15) - multiple) < 1e-9 * multiple ? std::ldexp(multiple, -15) : ratio;
}

/// quantize(dequantize(x)) is a requantization.
struct LowerQuantize : Lowering<vit::QuantizeOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::QuantizeOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    auto dequantize = op.getInput().getDefiningOp<vit::DequantizeOp>();
    if (!dequantize)
      return op.emitError("'") << nodeName(op.getLoc()) << "' quantizes a float value that no integer op computes";
    FailureOr<UniformParameters> from = parametersOf(op, dequantize.getInput()), to = parametersOf(op, op.getResult());
    if (failed(from) || failed(to))
      return failure();
    if (!llvm::all_equal(from->zeroPoints) || !llvm::all_equal(to->zeroPoints))
      return op.emitError("requantization needs one zero point on each side");
    FailureOr<SmallVector<double>> factors = ratios(op, *from, *to);
    if (failed(factors))
      return failure();
    if (dequantize.getInput().getDefiningOp<vit::HadamardOp>())
      for (double &factor : *factors)
        factor = ratioOfSums(factor);
    FailureOr<integer::DyadicAttr> by = makeDyadic(op, *factors, context);
    if (failed(by))
      return failure();
    Value input = rewriter.getRemappedValue(dequantize.getInput());
    if (!input)
      return rewriter.notifyMatchFailure(op, "input is not converted yet");
    auto [lo, hi] = std::pair(to->min, to->max);
    int64_t full = to->code().min();
    auto requant = rewriter.replaceOpWithNewOp<integer::RequantOp>(
        op, convert(op.getType()), input, *by, convertRounding(op.getRounding()),
        std::max<int64_t>(from->axis, to->axis), codeAttr(op, *from), codeAttr(op, *to),
        lo != full ? rewriter.getI64IntegerAttr(lo) : IntegerAttr(),
        lo != full ? rewriter.getI64IntegerAttr(hi) : IntegerAttr());
    recordScale(requant, op);
    return success();
  }
};

/// A dequantization is read through by the quantizations that use it.
struct DropDequantize : Lowering<vit::DequantizeOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::DequantizeOp op, OpAdaptor, ConversionPatternRewriter &rewriter) const override {
    for (Operation *user : op->getUsers())
      if (!isa<vit::QuantizeOp>(user))
        return user->emitError("'") << nodeName(user->getLoc())
                                    << "' still computes on floats: vit-quantize gave its operands no codes";
    rewriter.eraseOp(op);
    return success();
  }
};

/// quant.scast between a quantized type and its storage.
struct DropStorageCast : Lowering<quant::StorageCastOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(quant::StorageCastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOp(op, adaptor.getInput());
    return success();
  }
};

/// Operand scales over the result's, along the last axis when either varies.
FailureOr<integer::DyadicAttr> operandDyadic(Operation *op, Value operand, const UniformParameters &result,
                                             const Context &context) {
  FailureOr<UniformParameters> parameters = parametersOf(op, operand);
  if (failed(parameters))
    return failure();
  auto lastAxis = [](Value value) { return static_cast<int64_t>(vit::shapeOf(value).size()) - 1; };
  // What is in the result's unit stays as it is, along whatever axis that varies.
  Value whole = op->getResult(0);
  if (parameters->scales == result.scales &&
      (parameters->axis < 0 ? result.axis < 0 : lastAxis(operand) - parameters->axis == lastAxis(whole) - result.axis))
    return makeDyadic(op, 1.0, context);
  if ((parameters->axis >= 0 && parameters->axis != lastAxis(operand)) ||
      (result.axis >= 0 && result.axis != lastAxis(op->getResult(0))))
    return op->emitError("operands of '") << nodeName(op->getLoc()) << "' may vary in scale along the last axis only";
  SmallVector<double> factors;
  for (size_t i = 0, e = std::max(parameters->scales.size(), result.scales.size()); i < e; ++i)
    factors.push_back(parameters->scale(i) / result.scale(i));
  return makeDyadic(op, factors, context);
}

/// The left operand of a sum or product, which broadcasts its right one only: with the result's
/// shape.
Value whole(ConversionPatternRewriter &rewriter, Operation *op, Value operand) {
  ArrayRef<int64_t> shape = vit::shapeOf(op->getResult(0));
  auto type = cast<RankedTensorType>(operand.getType());
  if (type.getShape() == shape)
    return operand;
  return integer::BroadcastOp::create(rewriter, op->getLoc(), RankedTensorType::get(shape, type.getElementType()),
                                      operand, rewriter.getDenseI64ArrayAttr(shape));
}

struct LowerAdd : Lowering<vit::AddOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::AddOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> result = parametersOf(op, op.getResult());
    if (failed(result))
      return failure();
    if (!llvm::all_equal(result->zeroPoints))
      return op.emitError("the result of an add must have one zero point");
    bool swap = vit::shapeOf(op.getLhs()) != vit::shapeOf(op.getResult());
    Value first = swap ? op.getRhs() : op.getLhs(), second = swap ? op.getLhs() : op.getRhs();
    FailureOr<UniformParameters> a = parametersOf(op, first), b = parametersOf(op, second);
    FailureOr<integer::DyadicAttr> byA = operandDyadic(op, first, *result, context);
    FailureOr<integer::DyadicAttr> byB = operandDyadic(op, second, *result, context);
    if (failed(a) || failed(b) || failed(byA) || failed(byB))
      return failure();
    auto add = rewriter.replaceOpWithNewOp<integer::AddOp>(
        op, convert(op.getType()), whole(rewriter, op, swap ? adaptor.getRhs() : adaptor.getLhs()),
        swap ? adaptor.getLhs() : adaptor.getRhs(), *byA, *byB, convertRounding(op.getRounding()), codeAttr(op, *a),
        codeAttr(op, *b), codeAttr(op, *result));
    recordScale(add, op);
    return success();
  }
};

struct LowerMul : Lowering<vit::MulOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::MulOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    bool swap = vit::shapeOf(op.getLhs()) != vit::shapeOf(op.getResult());
    Value first = swap ? op.getRhs() : op.getLhs(), second = swap ? op.getLhs() : op.getRhs();
    FailureOr<UniformParameters> a = perTensorParametersOf(op, first), b = perTensorParametersOf(op, second),
                                 result = channelParametersOf(op, op.getResult());
    if (failed(a) || failed(b) || failed(result))
      return failure();
    if (a->width > 16 || b->width > 16)
      return op.emitError("a product needs operands of at most 16 bits");
    FailureOr<integer::DyadicAttr> by = makeDyadic(
        op, llvm::map_to_vector(result->scales, [&](double scale) { return a->scale() * b->scale() / scale; }),
        context);
    if (failed(by))
      return failure();
    auto mul = rewriter.replaceOpWithNewOp<integer::MulOp>(
        op, convert(op.getType()), whole(rewriter, op, swap ? adaptor.getRhs() : adaptor.getLhs()),
        swap ? adaptor.getLhs() : adaptor.getRhs(), *by, integer::Rounding::HalfUp, codeAttr(op, *a), codeAttr(op, *b),
        codeAttr(op, *result));
    recordScale(mul, op);
    return success();
  }
};

/// The mean of codes is their sum; 1/N is in the result's scale.
struct LowerMean : Lowering<vit::MeanOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::MeanOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = parametersOf(op, op.getInput());
    if (failed(input))
      return failure();
    if (input->width > 16 || !llvm::all_equal(input->zeroPoints))
      return op.emitError("a mean needs operands of at most 16 bits with one zero point");
    auto sum = rewriter.replaceOpWithNewOp<integer::SumOp>(
        op, convert(op.getType()), adaptor.getInput(), op.getAxesAttr(), op.getKeepDimsAttr(), codeAttr(op, *input));
    recordScale(sum, op);
    return success();
  }
};

/// The sums of codes; 1/sqrt(n) is in the result's scale.
struct LowerHadamard : Lowering<vit::HadamardOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::HadamardOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput());
    if (failed(input))
      return failure();
    if (input->width > 16)
      return op.emitError("a Hadamard transform needs operands of at most 16 bits");
    auto sums = rewriter.replaceOpWithNewOp<integer::HadamardOp>(op, convert(op.getType()), adaptor.getInput(),
                                                                 op.getBlockAttr(), zerosOf(op, *input),
                                                                 op.getShiftsAttr(), codeAttr(op, *input));
    recordScale(sums, op);
    return success();
  }

  /// The codes nearest to the centers of channels.
  static DenseI32ArrayAttr zerosOf(vit::HadamardOp op, const UniformParameters &input) {
    const std::optional<ArrayRef<float>> centers = op.getCenters();
    if (!centers)
      return nullptr;
    const numerics::Interval codes = numerics::codeRange(static_cast<int>(input.width), input.isSigned);
    SmallVector<int32_t> zeros;
    for (float center : *centers)
      zeros.push_back(static_cast<int32_t>(numerics::quantizeReal(center, input.scale(), input.zeroPoint(), codes.min,
                                                                  codes.max, numerics::Rounding::HalfEven)));
    return DenseI32ArrayAttr::get(op.getContext(), zeros);
  }
};

/// The divisor is in the multiplier.
struct LowerResample : Lowering<vit::ResampleOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::ResampleOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = perTensorParametersOf(op, op.getInput()),
                                 result = perTensorParametersOf(op, op.getResult());
    if (failed(input) || failed(result))
      return failure();
    if (input->width > 8)
      return op.emitError("weighted sums over windows need operands of at most 8 bits");
    FailureOr<integer::DyadicAttr> by =
        makeDyadic(op, {input->scale() / result->scale() / static_cast<double>(op.getDivisor())}, context);
    if (failed(by))
      return failure();
    auto sums = rewriter.replaceOpWithNewOp<integer::ResampleOp>(
        op, convert(op.getType()), adaptor.getInput(), op.getRowsAttr(), op.getRowWeightsAttr(), op.getColumnsAttr(),
        op.getColumnWeightsAttr(), *by, integer::Rounding::HalfUp, codeAttr(op, *input), codeAttr(op, *result));
    recordScale(sums, op);
    return success();
  }
};

} // namespace

void lowering::populateArithmeticPatterns(RewritePatternSet &patterns, const TypeConverter &converter,
                                          const Context &context) {
  patterns.add<LowerLinear, LowerMatmul, LowerQuantize, DropDequantize, DropStorageCast, LowerAdd, LowerMul, LowerMean,
               LowerHadamard, LowerResample>(converter, patterns.getContext(), context);
}
