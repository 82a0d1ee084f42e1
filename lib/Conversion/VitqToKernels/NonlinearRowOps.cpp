//===- NonlinearRowOps.cpp - What nonlinear row ops share -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowOpsDetail.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

RowContext vitq::kernels::advanced(Emitter &e, const RowContext &context, Value by) {
  RowContext next = context;
  for (Value *row : {&next.primaryRow, &next.row, &next.resultRow, &next.operandRow})
    *row = e.add(*row, by);
  return next;
}

Value vitq::kernels::loadColumns(Emitter &e, const RowContext &context, Value memref, ValueRange at, Value x) {
  auto vector = dyn_cast<VectorType>(x.getType());
  const int64_t lanes = vector ? vector.getNumElements() : 1;
  if (!context.valid || context.valid >= lanes)
    return e.load(memref, at, lanes);
  auto type = VectorType::get({lanes}, elementOf(memref));
  return e.op<vector::MaskedLoadOp>(type, memref, at, e.lanesBetween(lanes, 0, context.valid), e.constant(type, 0));
}

Value vitq::kernels::pairDot(Emitter &e, const TargetDesc &target, Value x, Value y) {
  const DotInstruction &dot = target.isa->dot16;
  const int64_t lanes = cast<VectorType>(x.getType()).getNumElements();
  if (target.emulateDot || dot.group != 2 || dot.accumulates || lanes != 2 * static_cast<int64_t>(dot.lanes))
    return {};
  auto type = VectorType::get({lanes / 2}, e.intType(32));
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, type, e.b.getStringAttr(dot.intrinsic), ValueRange{x, y})
      ->getResult(0);
}

ScaledLines::ScaledLines(Blob &blob, const numerics::PiecewiseLinear &lines)
    : breakpoints(blob.array(lines.breakpoints)), slopes(blob.array(lines.slopes)),
      intercepts(blob.array(lines.intercepts)) {}

Value ScaledLines::apply(Emitter &e, Value blob, Value v, const numerics::RangeScaling &by, int64_t exponent,
                         int64_t power) const {
  const int64_t width = by.octaves, bits = by.bits;
  Value zeros = e.op<LLVM::CountLeadingZerosOp>(v.getType(), v, e.b.getBoolAttr(false));
  // The group is floor((64 - zeros - bits + width - 1) / width); `ahead` groups more
  // are not negative, and give the shifts of v * 2^11, of which none is either.
  const int64_t ahead = (bits + width - 1) / width;
  Value group = e.divu(e.sub(e.like(v, 63 - bits + width + ahead * width), zeros), e.like(v, width));
  Value shift = e.sub(e.mul(group, width), e.like(v, ahead * width - 11)), one = e.like(v, 1);
  Value code = e.add(e.shl(v, 11), e.shl(one, e.sub(shift, one)));
  code = e.trunc(e.umin(e.srl(code, shift), e.like(v, (int64_t(1) << bits) - 1)), 32);

  // Slope and intercept of the last breakpoint that the code has reached stay.
  auto all = [&](Slot slot) { return Blob::view(e, blob, slot); };
  Value points = all(breakpoints), rise = all(slopes), offset = all(intercepts), zero = e.index(0);
  Values line = e.loop(breakpoints.count, {e.load(rise, zero), e.load(offset, zero)}, [&](Value i, ValueRange line) {
    Value reached = e.cmp(arith::CmpIPredicate::sge, code, e.load(points, i)), next = e.indexAdd(i, 1);
    return Values{e.select(reached, e.load(rise, next), line[0]), e.select(reached, e.load(offset, next), line[1])};
  });
  // At most 2^24, and the exponent at most 17.
  Value y = e.zext(e.add(e.mul(line[0], code), line[1]), 64);
  Value down = e.add(e.mul(group, power), 17 - exponent - power * ahead);
  return e.srl(e.shl(y, 17), down);
}

std::unique_ptr<RowOp> vitq::kernels::makeNonlinearRowOp(Operation *op, const RowBuilder &build) {
  for (auto make : {makePiecewiseRowOp, makeTableRowOp, makeSoftmaxRowOp, makeLayerNormRowOp})
    if (std::unique_ptr<RowOp> row = make(op, build))
      return row;
  return nullptr;
}
