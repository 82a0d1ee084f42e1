//===- LayerNormOps.cpp - Layer normalization row by row -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sums are exact; the root of a row takes no division (RootSteps.h), its reciprocal
// one, unless lines give it. norm_quant takes neither.
//
//===----------------------------------------------------------------------===//

#include "LayerNormRow.h"

#include "vitq/Numerics/RootSteps.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

/// Sums of products of pairs: of lanes i and i + half, or of neighbours.
static Value pairSums(Emitter &e, const TargetDesc &target, Value x, Value y) {
  const int64_t lanes = cast<VectorType>(x.getType()).getNumElements();
  if (Value sums = pairDot(e, target, x, y))
    return sums;
  auto half = [&](Value v, int64_t i) {
    Value part = e.op<vector::ExtractStridedSliceOp>(v, ArrayRef<int64_t>{i * lanes / 2}, ArrayRef<int64_t>{lanes / 2},
                                                     ArrayRef<int64_t>{1});
    return e.sext(part, 32);
  };
  return e.add(e.mul(half(x, 0), half(y, 0)), e.mul(half(x, 1), half(y, 1)));
}

std::pair<Value, Value> LayerNorm::sums(Emitter &e, const TargetDesc &target, const RowContext &context) const {
  const Columns columns = Columns::of(target, cols, 16);
  Type i64 = e.intType(64);
  if (!columns.vectors()) {
    Value zero = e.constant(i64, 0);
    Values total = e.loop(cols, {zero, zero}, [&](Value col, ValueRange acc) {
      Value x = e.sext(input16(e, context, col, 1), 32);
      return Values{e.add(acc[0], e.sext(x, 64)), e.add(acc[1], e.sext(e.mul(x, x), 64))};
    });
    return {total[0], total[1]};
  }
  // A sum of two squares is at most 2^31, an unsigned number of 32 bits; so are two
  // of them in a lane of 64 bits, and exact at any length: all of the lane is added up
  // modulo 2^64, and its upper half once more. The sums themselves fit their lanes of
  // 32 bits where there are fewer than 2^16 of them.
  auto narrow = VectorType::get({columns.lanes / 2}, e.intType(32));
  auto wide = VectorType::get({columns.lanes / 4}, i64);
  Values acc =
      reduceColumns(e, columns, {e.constant(narrow, 0), e.constant(wide, 0), e.constant(wide, 0)},
                    [&](Value col, Value isNew, ValueRange acc) {
                      Value x = input16(e, context, col, columns.lanes);
                      if (isNew)
                        x = e.select(isNew, x, e.like(x, 0));
                      Value squares = e.op<vector::BitCastOp>(wide, pairSums(e, target, x, x));
                      return Values{e.add(acc[0], pairSums(e, target, x, e.like(x, 1))), e.add(acc[1], squares),
                                    e.add(acc[2], e.srl(squares, e.like(squares, 32)))};
                    });
  auto total = [&](Value vector) { return e.op<vector::ReductionOp>(vector::CombiningKind::ADD, vector); };
  Value squares = e.add(e.sub(acc[1], e.shl(acc[2], 32)), acc[2]);
  return {e.sext(total(acc[0]), 64), total(squares)};
}

void vitq::kernels::addLayerNormConstants(LayerNorm &row, LayerNormOp op, bool narrow) {
  row.multipliers = row.blob.array(op.getBy().getMultipliers());
  row.shifts = row.blob.array(op.getBy().getShifts());
  auto array = [&](ArrayRef<int64_t> values) {
    return narrow ? row.blob.array(std::vector<int32_t>(values.begin(), values.end())) : row.blob.array(values);
  };
  row.offsets = array(op.getOffsets());
  if (auto shift = dyn_cast<NormShiftAttr>(op.getAlgorithm()); shift && shift.getPostOffsets())
    row.postOffsets = array(shift.getPostOffsets().asArrayRef());
}

std::unique_ptr<RowOp> vitq::kernels::makeLayerNormRowOp(Operation *op, const RowBuilder &build) {
  if (auto quant = dyn_cast<NormQuantOp>(op))
    return makeNormQuant(quant, build);
  auto norm = dyn_cast<LayerNormOp>(op);
  if (!norm)
    return nullptr;
  auto shift = dyn_cast<NormShiftAttr>(norm.getAlgorithm());
  std::unique_ptr<LayerNorm> row = shift ? makeShiftLayerNorm(norm, shift, build) : makeExactLayerNorm(norm, build);
  build.shape(*row, "layer_norm", norm.getInput(), false);
  row->inputUnsigned = norm.getInputCode().isUnsigned();
  row->centered = norm.getAlgorithm().isCentered();
  row->eps = row->blob.scalar(norm.getAlgorithm().getEps());
  row->zeroPoint = row->blob.scalar(norm.getResultCode().getZero());
  row->clamp = Clamp::of(norm.getResult(), norm.getResultCode());
  // Not used by `pwl`.
  const numerics::ReciprocalRootTable entries = numerics::reciprocalRootTable();
  auto type = MemRefType::get({static_cast<int64_t>(entries.size())}, IntegerType::get(op->getContext(), 16));
  ArrayRef<char> bytes(reinterpret_cast<const char *>(entries.data()), sizeof(entries));
  row->addOperand(Value(), build.module.constant(op->getLoc(), bytes, type));
  build.result(*row, norm.getResult());
  return row;
}
