//===- HadamardOps.cpp - Kernels of hadamard ---------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowOpsDetail.h"
#include "vitq/Numerics/Hadamard.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::integer;
using namespace vitq::kernels;

namespace {

/// Whole blocks in vectors: log2(n) times each element and the one that differs in a bit. In 16 bits where
/// the sums fit, which is half the work.
struct Hadamard : RowOp {
  int64_t block;
  unsigned width;
  bool isUnsigned;
  Slot zeroPoint;

  /// Of the lanes that `isSet` says: -x; of the others x.
  Value negated(Emitter &e, Value x, llvm::function_ref<bool(int64_t)> isSet) const {
    SmallVector<bool> lanes;
    for (int64_t i = 0; i < block; ++i)
      lanes.push_back(isSet(i));
    auto type = VectorType::get({block}, e.intType(1));
    Value mask = e.op<arith::ConstantOp>(DenseElementsAttr::get(type, lanes));
    return e.select(mask, e.sub(e.like(x, 0), x), x);
  }

  void emitRow(Emitter &e, const TargetDesc &, const RowContext &context) const override {
    e.loop(e.index(0), e.index(cols), block, [&](Value col) {
      Value x = e.extend(e.load(context.primary, {context.primaryRow, col}, block), width, isUnsigned);
      x = e.sub(x, e.splatLike(e.trunc(Blob::load(e, context.blob, zeroPoint, 32), width), x));
      x = negated(e, x, numerics::isNegatedFirst);
      for (int64_t half = 1; half < block; half *= 2) {
        SmallVector<int64_t> partner;
        for (int64_t i = 0; i < block; ++i)
          partner.push_back(i ^ half);
        x = e.add(e.op<vector::ShuffleOp>(x, x, partner), negated(e, x, [=](int64_t i) { return i & half; }));
      }
      e.store(e.extend(x, 32, /*isUnsigned=*/false), context.results[0], {context.resultRow, col});
    });
  }
};

} // namespace

std::unique_ptr<RowOp> vitq::kernels::makeHadamard(HadamardOp op, const RowBuilder &build) {
  auto row = std::make_unique<Hadamard>();
  build.shape(*row, "hadamard", op.getInput(), /*flatten=*/false);
  const numerics::Code input = codeOf(op.getInput(), op.getInputCode());
  row->block = static_cast<int64_t>(op.getBlock());
  // Distances to the zero point are 17 bits of codes of 16.
  row->width = row->block * input.magnitude() <= INT16_MAX ? 16 : 32;
  row->isUnsigned = input.isUnsigned;
  row->zeroPoint = row->blob.scalar(input.zero);
  build.result(*row, op.getResult());
  return row;
}
