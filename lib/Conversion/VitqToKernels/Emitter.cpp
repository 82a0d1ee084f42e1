//===- Emitter.cpp - Short spellings for building kernels -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include <numeric>

using namespace mlir;
using namespace vitq::kernels;

Type Emitter::lanesOf(Type element, int64_t lanes) {
  return lanes == 1 ? element : Type(VectorType::get({lanes}, element));
}

Type Emitter::withWidth(Type like, unsigned width) {
  if (auto vector = dyn_cast<VectorType>(like))
    return VectorType::get(vector.getShape(), intType(width));
  return intType(width);
}

Value Emitter::constant(Type type, int64_t value) {
  if (auto vector = dyn_cast<VectorType>(type)) {
    Attribute element = IntegerAttr::get(vector.getElementType(), value);
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(vector, element));
  }
  return arith::ConstantOp::create(b, loc, cast<TypedAttr>(Attribute(IntegerAttr::get(type, value))));
}

Value Emitter::splatLike(Value scalar, Value like) {
  auto vector = dyn_cast<VectorType>(like.getType());
  if (!vector || isa<VectorType>(scalar.getType()))
    return scalar;
  return op<vector::BroadcastOp>(VectorType::get(vector.getShape(), scalar.getType()), scalar);
}

Value Emitter::sext(Value x, unsigned width) {
  return widthOf(x) == width ? x : op<arith::ExtSIOp>(withWidth(x.getType(), width), x);
}
Value Emitter::zext(Value x, unsigned width) {
  return widthOf(x) == width ? x : op<arith::ExtUIOp>(withWidth(x.getType(), width), x);
}
Value Emitter::trunc(Value x, unsigned width) {
  return widthOf(x) == width ? x : op<arith::TruncIOp>(withWidth(x.getType(), width), x);
}
Value Emitter::resize(Value x, unsigned width) { return widthOf(x) < width ? sext(x, width) : trunc(x, width); }

Value Emitter::join(ValueRange vectors) {
  if (vectors.size() == 1)
    return vectors.front();
  Value low = join(vectors.take_front(vectors.size() / 2)), high = join(vectors.drop_front(vectors.size() / 2));
  SmallVector<int64_t> lanes(2 * cast<VectorType>(low.getType()).getNumElements());
  std::iota(lanes.begin(), lanes.end(), 0);
  return op<vector::ShuffleOp>(low, high, lanes);
}

Value Emitter::load(Value memref, ValueRange at, int64_t lanes, unsigned align) {
  if (lanes == 1)
    return memref::LoadOp::create(b, loc, memref, at);
  auto type = VectorType::get({lanes}, elementOf(memref));
  return vector::LoadOp::create(b, loc, type, memref, at, /*nontemporal=*/false, llvm::MaybeAlign(align));
}

Value Emitter::lanesBetween(int64_t lanes, int64_t first, int64_t last) {
  SmallVector<bool> bits(lanes);
  std::fill(bits.begin() + first, bits.begin() + last, true);
  auto type = VectorType::get({lanes}, intType(1));
  return op<arith::ConstantOp>(DenseElementsAttr::get(type, ArrayRef<bool>(bits)));
}

void Emitter::store(Value value, Value memref, ValueRange at) {
  if (isa<VectorType>(value.getType()))
    vector::StoreOp::create(b, loc, value, memref, at);
  else
    memref::StoreOp::create(b, loc, value, memref, at);
}

void Emitter::loop(Value lo, Value hi, int64_t step, function_ref<void(Value)> body) {
  auto forOp = scf::ForOp::create(b, loc, lo, hi, index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forOp.getBody());
  body(forOp.getInductionVar());
}

Values Emitter::loop(Value lo, Value hi, int64_t step, ValueRange inits, function_ref<Values(Value, ValueRange)> body) {
  // Without values the loop has its terminator already.
  if (inits.empty()) {
    loop(lo, hi, step, [&](Value i) { body(i, {}); });
    return {};
  }
  auto forOp = scf::ForOp::create(b, loc, lo, hi, index(step), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(forOp.getBody());
  scf::YieldOp::create(b, loc, body(forOp.getInductionVar(), forOp.getRegionIterArgs()));
  return Values(forOp.getResults());
}

void Emitter::ifThen(Value condition, function_ref<void()> body) {
  auto ifOp = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(ifOp.thenBlock());
  body();
}

void Emitter::ifThenElse(Value condition, function_ref<void()> body, function_ref<void()> other) {
  auto ifOp = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(ifOp.thenBlock());
  body();
  b.setInsertionPointToStart(ifOp.elseBlock());
  other();
}

int64_t vitq::kernels::elementCount(Type type) { return cast<ShapedType>(type).getNumElements(); }
