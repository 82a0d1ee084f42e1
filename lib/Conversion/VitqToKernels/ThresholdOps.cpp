//===- ThresholdOps.cpp - Quantizers made of comparisons -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowOpsDetail.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

namespace {

/// y = min + #{k : x >= thresholds[k(, col)]}
struct Threshold : Elementwise {
  int64_t levels, channels;
  unsigned width;
  bool inputUnsigned;
  Slot lowest;

  bool isNarrow() const override { return true; }
  Value emitElements(Emitter &e, const RowContext &context, ValueRange, Value x, Value col) const override {
    x = e.extend(x, 32, inputUnsigned);
    Value code = e.splatLike(Blob::load(e, context.blob, lowest, 32), x);
    for (int64_t k = 0; k < levels; ++k) {
      Value threshold = channels == 1 ? e.splatLike(e.load(context.operands[0], {e.index(k), e.index(0)}), x)
                                      : loadColumns(e, context, context.operands[0], {e.index(k), col}, x);
      Value reached = e.cmp(arith::CmpIPredicate::sge, x, threshold);
      code = e.add(code, e.select(reached, e.like(code, 1), e.like(code, 0)));
    }
    return e.trunc(code, width);
  }
};

} // namespace

std::unique_ptr<RowOp> vitq::kernels::makeThreshold(ThresholdOp op, const RowBuilder &build) {
  auto row = std::make_unique<Threshold>();
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getThresholds().getType()).getShape();
  row->levels = shape[0];
  row->channels = shape.size() == 1 ? 1 : shape[1];
  build.shape(*row, "threshold", op.getInput(), row->channels == 1);
  row->width = widthOf(op.getResult());
  row->inputUnsigned = op.getInputCode().isUnsigned();
  row->lowest = row->blob.scalar(op.getMin());
  row->addOperand(op.getThresholds(),
                  build.module.reshape(op.getLoc(), build.memrefOf(op.getThresholds()), {row->levels, row->channels}));
  build.result(*row, op.getResult());
  return row;
}
