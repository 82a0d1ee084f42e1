//===- Products.cpp - What products share on their way to integers -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Products.h"
#include "Recording.h"

#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::lowering;

/// The bias `bias[n] - zeroPoint * sum_i w[n, i]` (docs/Rules.md, R2), `bias` where the zero point is 0.
static FailureOr<Value> foldZeroPoint(Operation *op, ConversionPatternRewriter &rewriter, Value weight, Value bias,
                                      int64_t channels, int64_t zeroPoint) {
  if (zeroPoint == 0)
    return bias;
  FailureOr<Tensor> weights = getIntTensor(weight);
  FailureOr<std::vector<int64_t>> folded = bias ? getIntConstant(bias) : std::vector<int64_t>(channels, 0);
  if (failed(weights) || failed(folded))
    return op->emitError("weight and bias must be constants, so that the zero point can be folded into the bias");
  int64_t k = weights->numElements() / channels;
  for (int64_t n = 0; n < channels; ++n) {
    int64_t sum = 0;
    for (int64_t i = 0; i < k; ++i)
      sum += weights->intAt(n * k + i);
    (*folded)[n] -= zeroPoint * sum;
    if ((*folded)[n] != static_cast<int32_t>((*folded)[n]))
      return op->emitError("the bias of '")
             << nodeName(op->getLoc()) << "' with its zero point leaves 32 bits in channel " << n;
  }
  return createIntConstant(rewriter, op->getLoc(), RankedTensorType::get({channels}, rewriter.getI32Type()), *folded,
                           bias && !getBlobName(bias).empty() ? getBlobName(bias) : "bias")
      .getResult();
}

FailureOr<Value> lowering::createProduct(Operation *op, ConversionPatternRewriter &rewriter, Value lhs, Value weight,
                                         Value bias, const UniformParameters &input) {
  SmallVector<int64_t> shape(vit::shapeOf(lhs));
  shape.back() = vit::shapeOf(weight).front();
  FailureOr<Value> folded = foldZeroPoint(op, rewriter, weight, bias, shape.back(), input.zeroPoint());
  if (failed(folded))
    return failure();
  return integer::MatmulOp::create(rewriter, op->getLoc(), RankedTensorType::get(shape, rewriter.getI32Type()), lhs,
                                   weight, *folded, signAttr(op, input), rewriter.getUnitAttr())
      .getResult();
}

LogicalResult lowering::replaceWithSums(Operation *op, ConversionPatternRewriter &rewriter, FailureOr<Value> sums) {
  if (failed(sums))
    return failure();
  recordScale(sums->getDefiningOp(), op);
  rewriter.replaceOp(op, *sums);
  return success();
}

/// Codes of contraction operands: weights are symmetric.
LogicalResult lowering::checkRhs(Operation *op, Value rhs) {
  FailureOr<UniformParameters> parameters = parametersOf(op, rhs);
  if (failed(parameters))
    return failure();
  if (!parameters->isSigned || parameters->width > 8 ||
      llvm::any_of(parameters->zeroPoints, [](int64_t z) { return z != 0; }))
    return op->emitError("the right operand of '")
           << nodeName(op->getLoc()) << "' must be signed, of at most 8 bits, with zero point 0";
  return success();
}
