//===- ShortSums.cpp - Products that are added up in 16 bits ---*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where operands are known to be small enough, a tile's products of bytes are added up
// in 16 bits for a few groups, twice as many at once, then in 32.
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "vitq/Numerics/Bounds.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using integer::MatmulOp;

/// How many groups may be added up in 16 bits, of columns of constants one by one.
static int64_t shortStepsOf(MatmulOp op, const Geometry &geometry) {
  const numerics::Interval left = LeftFormat::of(op).range(geometry);
  const int64_t group = geometry.dot.group;
  FailureOr<Tensor> weights = failure();
  if (cast<ShapedType>(op.getRhs().getType()).getRank() == 2)
    weights = getIntTensor(op.getRhs());
  if (failed(weights))
    return numerics::shortSumSteps(integer::codeOf(op.getRhs()).range(), geometry.k, left.min, left.max, group);
  const bool transposed = op.getTransposeRhs();
  const auto *codes = reinterpret_cast<const int8_t *>(weights->raw().data());
  int64_t steps = geometry.groups();
  for (int64_t n = 0; n < geometry.n && steps; ++n)
    steps = std::min(steps, numerics::shortSumSteps(codes + n * (transposed ? geometry.k : 1), geometry.k, left.min,
                                                    left.max, group, transposed ? 1 : geometry.n));
  return steps;
}

Geometry Geometry::of(MatmulOp op, const TargetDesc &target) {
  ArrayRef<int64_t> lhs = cast<ShapedType>(op.getLhs().getType()).getShape();
  // A matrix shared by all batches makes one tall product.
  const bool shared = cast<ShapedType>(op.getRhs().getType()).getRank() == 2;
  const int64_t m = shared ? ShapedType::getNumElements(lhs.drop_back()) : lhs[lhs.size() - 2];
  const int64_t n = cast<ShapedType>(op.getType()).getShape().back();
  Geometry geometry = of(target, m, n, lhs.back(), widthOf(op.getLhs()), LeftFormat::of(op).isUnsigned);
  const ShortDot &shortDot = target.isa->shortDot;
  if (!shortDot.dot.group || widthOf(op.getLhs()) != 8)
    return geometry;
  Geometry sums = geometry;
  sums.dot = shortDot.dot;
  sums.shortDot = &shortDot;
  sums.shortSteps = shortStepsOf(op, sums);
  if (sums.shortSteps == 1)
    sums.tileRows = shortDot.tileRows;
  return sums.shortSteps && sums.tileRows ? sums : geometry;
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

static VectorType shortType(Emitter &e, const DotInstruction &dot) {
  return VectorType::get({2 * dot.lanes}, e.intType(16));
}

/// The products of one group without the instruction: those of every half's element s at a time.
static Value spellShortDot(Emitter &e, const DotInstruction &dot, Value left, Value right) {
  const int64_t half = dot.group / 2;
  Value sums;
  for (int64_t s = 0; s < half; ++s) {
    SmallVector<int64_t> picked;
    for (int64_t lane = 0; lane < 2 * dot.lanes; ++lane)
      picked.push_back(lane * half + s);
    auto pick = [&](Value v) -> Value {
      if (half == 1)
        return v;
      return e.op<vector::ShuffleOp>(v, v, picked);
    };
    Value product = e.mul(e.extend(pick(left), 16, dot.unsignedLhs), e.sext(pick(right), 16));
    sums = sums ? e.add(sums, product) : product;
  }
  return sums;
}

Value vitq::kernels::emitShortDot(Emitter &e, const Geometry &geometry, Value acc, Value a, Value b) {
  const DotInstruction &dot = geometry.dot;
  Value left = e.op<vector::BroadcastOp>(VectorType::get({dot.lanes}, e.intType(geometry.wordBits())), a);
  left = e.op<vector::BitCastOp>(cast<VectorType>(b.getType()), left);
  Value products;
  if (geometry.spelt || !*dot.intrinsic)
    products = spellShortDot(e, dot, left, b);
  else
    products = LLVM::CallIntrinsicOp::create(e.b, e.loc, shortType(e, dot), e.b.getStringAttr(dot.intrinsic),
                                             ValueRange{left, b})
                   ->getResult(0);
  return acc ? e.add(acc, products) : products;
}

Value vitq::kernels::addShortSums(Emitter &e, const Geometry &geometry, Value acc, Value sums) {
  const ShortDot &shortDot = *geometry.shortDot;
  if (geometry.spelt) {
    for (int64_t h : {0, 1}) {
      SmallVector<int64_t> picked;
      for (int64_t lane = 0; lane < geometry.dot.lanes; ++lane)
        picked.push_back(2 * lane + h);
      acc = e.add(acc, e.sext(e.op<vector::ShuffleOp>(sums, sums, picked), 32));
    }
    return acc;
  }
  Values args{sums};
  if (shortDot.timesOnes)
    args.push_back(e.like(sums, 1));
  return e.add(acc, LLVM::CallIntrinsicOp::create(e.b, e.loc, acc.getType(), e.b.getStringAttr(shortDot.addPairs), args)
                        ->getResult(0));
}
