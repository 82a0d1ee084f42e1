//===- IndexBuilder.cpp - Indices and loops of routines -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace vitq::systolic;

Value IndexBuilder::valueOf(OpFoldResult index) {
  if (auto value = dyn_cast<Value>(index))
    return value;
  const int64_t number = *getConstantIntValue(index);
  Value &known = constants[number];
  if (!known) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(entry);
    known = arith::ConstantIndexOp::create(b, loc, number);
  }
  return known;
}

SmallVector<Value> IndexBuilder::valuesOf(ArrayRef<OpFoldResult> indices) {
  return llvm::map_to_vector(indices, [&](OpFoldResult index) { return valueOf(index); });
}

OpFoldResult IndexBuilder::apply(AffineExpr expr, ArrayRef<OpFoldResult> operands) {
  return affine::makeComposedFoldedAffineApply(b, loc, expr, operands);
}

OpFoldResult IndexBuilder::rest(int64_t most, int64_t total, int64_t first, OpFoldResult index, int64_t unit) {
  if (total % unit == 0 && most == unit)
    return constant(most);
  return least(most, total - (dim(0) + first) * unit, index);
}

OpFoldResult IndexBuilder::least(int64_t most, AffineExpr expr, OpFoldResult index) {
  auto map = AffineMap::get(1, 0, {b.getAffineConstantExpr(most), expr}, b.getContext());
  return affine::makeComposedFoldedAffineMin(b, loc, map, index);
}

void IndexBuilder::loop(int64_t low, int64_t high, Body body) {
  if (high - low == 1)
    return body(constant(low));
  if (high <= low)
    return;
  auto loop = affine::AffineForOp::create(b, loc, low, high);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void IndexBuilder::loopBetween(OpFoldResult place, ArrayRef<AffineExpr> low, ArrayRef<AffineExpr> high, Body body) {
  auto value = cast<Value>(place);
  auto loop = affine::AffineForOp::create(b, loc, ValueRange{value}, AffineMap::get(1, 0, low, b.getContext()),
                                          ValueRange{value}, AffineMap::get(1, 0, high, b.getContext()));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void IndexBuilder::spread(OpFoldResult place, int64_t offset, int64_t positions, int64_t total, Body body) {
  if (std::optional<int64_t> known = getConstantIntValue(place)) {
    auto bound = [&](int64_t number) { return std::max<int64_t>(0, number) * total / positions; };
    return loop(bound(*known + offset), bound(*known + offset + 1), body);
  }
  AffineExpr shifted = dim(0) + offset;
  SmallVector<AffineExpr, 2> low = {(shifted * total).floorDiv(positions)};
  if (offset < 0)
    low.push_back(b.getAffineConstantExpr(0));
  loopBetween(place, low, ((shifted + 1) * total).floorDiv(positions), body);
}

void IndexBuilder::spreadEarly(OpFoldResult place, int64_t positions, int64_t total, Body body) {
  if (std::optional<int64_t> known = getConstantIntValue(place))
    return loop(llvm::divideCeilSigned(*known * total, positions),
                llvm::divideCeilSigned((*known + 1) * total, positions), body);
  loopBetween(place, (dim(0) * total).ceilDiv(positions), ((dim(0) + 1) * total).ceilDiv(positions), body);
}

void IndexBuilder::onlyAt(OpFoldResult place, int64_t value, llvm::function_ref<void()> body) {
  if (std::optional<int64_t> known = getConstantIntValue(place)) {
    if (*known == value)
      body();
    return;
  }
  // From max(at, value) to min(at, value) + 1: nothing unless they are equal.
  loopBetween(place, {dim(0), b.getAffineConstantExpr(value)}, {dim(0) + 1, b.getAffineConstantExpr(value + 1)},
              [&](OpFoldResult) { body(); });
}
