//===- HadamardOps.cpp - Kernels of hadamard ---------------------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowOpsDetail.h"
#include "vitq/Numerics/Hadamard.h"
#include "vitq/Target/Isa/Portable.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/SmallVectorExtras.h"

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
  /// Of each channel, if they have any of their own. Factors are powers of two: SSE2 has no shift by lanes, and LLVM's
  /// replacement for one computes with floats.
  std::optional<Slot> zeros, factors;
  /// Of each element of a block, where there are no vectors: -1 where it is negated first, otherwise 1.
  std::optional<Slot> signs;

  /// Of the lanes that `isSet` says: -x; of the others x.
  Value negated(Emitter &e, Value x, llvm::function_ref<bool(int64_t)> isSet) const {
    SmallVector<bool> lanes;
    for (int64_t i = 0; i < block; ++i)
      lanes.push_back(isSet(i));
    auto type = VectorType::get({block}, e.intType(1));
    Value mask = e.op<arith::ConstantOp>(DenseElementsAttr::get(type, lanes));
    return e.select(mask, e.sub(e.like(x, 0), x), x);
  }

  /// One number after the other, in the result's row.
  void emitScalars(Emitter &e, const RowContext &context) const {
    Value result = context.results[0], zero = Blob::load(e, context.blob, zeroPoint, 32);
    e.loop(cols, [&](Value col) {
      Value x = e.extend(e.load(context.primary, {context.primaryRow, col}), 32, isUnsigned);
      auto load = [&](Slot slot) { return e.sext(e.load(Blob::view(e, context.blob, slot), {col}), 32); };
      x = e.sub(x, zeros ? load(*zeros) : zero);
      Value sign = e.sext(e.load(Blob::view(e, context.blob, *signs), e.remu(col, e.index(block))), 32);
      x = e.mul(x, factors ? e.mul(load(*factors), sign) : sign);
      e.store(x, result, {context.resultRow, col});
    });
    for (int64_t half = 1; half < block; half *= 2)
      e.loop(e.index(0), e.index(cols), 2 * half, [&](Value first) {
        e.loop(half, [&](Value i) {
          Value low = e.add(first, i), high = e.indexAdd(low, half);
          Value a = e.load(result, {context.resultRow, low}), b = e.load(result, {context.resultRow, high});
          e.store(e.add(a, b), result, {context.resultRow, low});
          e.store(e.sub(a, b), result, {context.resultRow, high});
        });
      });
  }

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    if (!hasVectors(target))
      return emitScalars(e, context);
    e.loop(e.index(0), e.index(cols), block, [&](Value col) {
      Value x = e.extend(e.load(context.primary, {context.primaryRow, col}, block), width, isUnsigned);
      auto load = [&](Slot slot) { return e.load(Blob::view(e, context.blob, slot), {col}, block); };
      x = e.sub(x, zeros ? load(*zeros) : e.splatLike(e.trunc(Blob::load(e, context.blob, zeroPoint, 32), width), x));
      if (factors)
        x = e.mul(x, load(*factors));
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
  const ArrayRef<int32_t> zeros = op.getZeros().value_or(ArrayRef<int32_t>());
  const ArrayRef<int8_t> shifts = op.getShifts().value_or(ArrayRef<int8_t>());
  // Distances to the zero point are 17 bits of codes of 16.
  row->width = numerics::hadamardReach(input.range(), input.zero, zeros, shifts, row->block) <= INT16_MAX ? 16 : 32;
  row->isUnsigned = input.isUnsigned;
  row->zeroPoint = row->blob.scalar(input.zero);
  auto place = [&](const auto &values) -> std::optional<Slot> {
    if (values.empty())
      return std::nullopt;
    if (row->width == 16)
      return row->blob.array(std::vector<int16_t>(values.begin(), values.end()));
    return row->blob.array(std::vector<int32_t>(values.begin(), values.end()));
  };
  row->zeros = place(zeros);
  row->factors = place(llvm::map_to_vector(shifts, [](int8_t shift) { return 1 << shift; }));
  if (!hasVectors(build.module.target)) {
    std::vector<int8_t> signs;
    for (int64_t i = 0; i < row->block; ++i)
      signs.push_back(numerics::isNegatedFirst(i) ? -1 : 1);
    row->signs = row->blob.array(signs);
  }
  build.result(*row, op.getResult());
  return row;
}
