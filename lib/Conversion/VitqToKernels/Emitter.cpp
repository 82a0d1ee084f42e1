//===- Emitter.cpp - Short spellings for building kernels -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

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
/// Bytes of a vector that packs make, and lanes of one that they read.
static constexpr int64_t kPackedBytes = 64, kPackedLanes = 16;

bool Emitter::packsTo(unsigned width, Value x) const {
  auto type = dyn_cast<VectorType>(x.getType());
  return packs && type && widthOf(x) == 32 && type.getNumElements() == kPackedBytes * 8 / width;
}

/// `lanes` of 128 bits each hold a part of `parts` vectors, one after the other: as they were before.
static Value inOrder(Emitter &e, Value packed, int64_t parts) {
  constexpr int64_t lanes = 4;
  const int64_t count = lanes * parts;
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < count; ++i)
    order.push_back(i % lanes * parts + i / lanes);
  auto pieces = VectorType::get({count}, e.intType(static_cast<unsigned>(kPackedBytes * 8 / count)));
  Value piece = e.op<vector::BitCastOp>(pieces, packed);
  return e.op<vector::BitCastOp>(packed.getType(), e.op<vector::ShuffleOp>(piece, piece, order));
}

static Value pack(Emitter &e, const char *intrinsic, unsigned width, Value low, Value high) {
  auto type = VectorType::get({kPackedBytes * 8 / width}, e.intType(width));
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, type, e.b.getStringAttr(intrinsic), ValueRange{low, high})
      ->getResult(0);
}

/// The words of vectors `i` and `i + 1` of `x`.
static Value packTwo(Emitter &e, Value x, int64_t i) {
  auto part = [&](int64_t i) {
    return e.op<vector::ExtractStridedSliceOp>(x, ArrayRef<int64_t>{i * kPackedLanes}, ArrayRef<int64_t>{kPackedLanes},
                                               ArrayRef<int64_t>{1});
  };
  return pack(e, e.packs->words, 16, part(i), part(i + 1));
}

Value Emitter::packBytes(Value x, bool isUnsigned) {
  const char *intrinsic = isUnsigned ? packs->unsignedBytes : packs->signedBytes;
  return inOrder(*this, pack(*this, intrinsic, 8, packTwo(*this, x, 0), packTwo(*this, x, 2)), 4);
}

Value Emitter::packWords(Value x) { return inOrder(*this, packTwo(*this, x, 0), 2); }

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
