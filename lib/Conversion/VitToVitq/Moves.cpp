//===- Moves.cpp - Ops that only move codes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recording.h"

using namespace mlir;
using namespace ::vitq;
using namespace ::vitq::lowering;

namespace {

/// Moves have the same operands and attributes in both dialects.
template <typename From, typename To>
struct LowerMove : Lowering<From> {
  using Lowering<From>::Lowering;
  LogicalResult matchAndRewrite(From op, typename From::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto moved =
        To::create(rewriter, op.getLoc(), TypeRange{this->convert(op.getType())}, adaptor.getOperands(),
                   op->getPropertiesAsAttribute() ? cast<DictionaryAttr>(op->getPropertiesAsAttribute()).getValue()
                                                  : ArrayRef<NamedAttribute>());
    rewriter.replaceOp(op, moved);
    recordScale(moved, op);
    return success();
  }
};

/// Real zeros are the zero point.
struct LowerPad : Lowering<vit::PadOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::PadOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = parametersOf(op, op.getInput());
    if (failed(input))
      return failure();
    if (!llvm::all_equal(input->zeroPoints))
      return op.emitError("padding needs one zero point");
    auto pad =
        rewriter.replaceOpWithNewOp<integer::PadOp>(op, convert(op.getType()), adaptor.getInput(), op.getLowAttr(),
                                                    op.getHighAttr(), rewriter.getI64IntegerAttr(input->zeroPoint()));
    recordScale(pad, op);
    return success();
  }
};

struct LowerMaxPool : Lowering<vit::MaxPoolOp> {
  using Lowering::Lowering;
  LogicalResult matchAndRewrite(vit::MaxPoolOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    FailureOr<UniformParameters> input = parametersOf(op, op.getInput());
    if (failed(input))
      return failure();
    auto pool = rewriter.replaceOpWithNewOp<integer::MaxPoolOp>(
        op, convert(op.getType()), adaptor.getInput(), op.getKernelAttr(), op.getStridesAttr(), op.getPadsAttr(),
        op.getDilationsAttr(), signAttr(op, *input));
    recordScale(pool, op);
    return success();
  }
};

} // namespace

void lowering::populateMovePatterns(RewritePatternSet &patterns, const TypeConverter &converter,
                                    const Context &context) {
  patterns.add<LowerMove<vit::ReshapeOp, integer::ReshapeOp>, LowerMove<vit::TransposeOp, integer::TransposeOp>,
               LowerMove<vit::ConcatOp, integer::ConcatOp>, LowerMove<vit::SliceOp, integer::SliceOp>,
               LowerMove<vit::GatherOp, integer::GatherOp>, LowerMove<vit::BroadcastOp, integer::BroadcastOp>, LowerPad,
               LowerMaxPool>(converter, patterns.getContext(), context);
}
