//===- NormQuantOps.cpp - Normalization to a few levels row by row -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerNormRow.h"

#include "vitq/Numerics/NormQuant.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

namespace {

/// numerics::normQuantRow.
struct NormQuant : LayerNorm {
  int64_t levels = 0;
  Slot lowest, signs;

  Values statistics(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    auto [sum, variance] = moments(e, target, context);
    Value zeros = e.op<LLVM::CountLeadingZerosOp>(variance.getType(), variance, e.b.getBoolAttr(false));
    // 64 - zeros bits, of which 31 stay.
    Value excess = e.smax(e.sub(e.like(zeros, 33), zeros), e.like(zeros, 0));
    return {sum, excess, e.srl(variance, excess)};
  }
  void normalize(Emitter &e, const TargetDesc &target, const RowContext &context, ValueRange row) const override {
    Value sum = e.trunc(row[0], 32), variance = e.trunc(row[2], 32);
    forColumns(e, target, cols, true, 32, [&](Value col, int64_t lanes) {
      Value x = e.sext(input16(e, context, col, lanes), 32);
      Value centred = e.sub(e.mul(x, cols), e.splatLike(sum, x)), wide = e.sext(centred, 64);
      Value square = e.shl(e.srl(e.mul(wide, wide), e.splatLike(row[1], wide)), numerics::kNormQuantFractionBits);
      // All ones where the centred value is negative, the other way round where gamma is.
      Value negative = e.op<arith::XOrIOp>(e.sra(centred, 31), e.load(Blob::view(e, context.blob, signs), col, lanes));
      negative = e.sext(negative, 64);
      Value g = e.sub(e.op<arith::XOrIOp>(square, negative), negative);
      // Both factors as 32-bit numbers, for the instruction that multiplies these.
      Value v = e.sext(e.splatLike(variance, x), 64), count = e.like(g, 0);
      for (int64_t k = 0; k < levels; ++k) {
        Value threshold = e.mul(e.sext(e.load(context.operands[0], {e.index(k), col}, lanes), 64), v);
        Value reached = e.cmp(arith::CmpIPredicate::sge, g, threshold);
        count = e.add(count, e.select(reached, e.like(count, 1), e.like(count, 0)));
      }
      Value code = e.add(count, e.splatLike(Blob::load(e, context.blob, lowest, 64), count));
      e.store(e.trunc(code, widthOf(context.results[0])), context.results[0], {context.resultRow, col});
    });
  }
};

} // namespace

std::unique_ptr<RowOp> vitq::kernels::makeNormQuant(NormQuantOp op, const RowBuilder &build) {
  auto row = std::make_unique<NormQuant>();
  build.shape(*row, "norm_quant", op.getInput(), false);
  row->inputUnsigned = op.getInputCode().isUnsigned();
  row->eps = row->blob.scalar(op.getEps());
  row->lowest = row->blob.scalar(op.getMin());
  row->signs =
      row->blob.array(ArrayRef<int32_t>(llvm::map_to_vector(op.getNegative(), [](bool n) { return n ? -1 : 0; })));
  row->levels = cast<ShapedType>(op.getSquares().getType()).getDimSize(0);
  row->addOperand(op.getSquares(), build.memrefOf(op.getSquares()));
  build.result(*row, op.getResult());
  return row;
}
