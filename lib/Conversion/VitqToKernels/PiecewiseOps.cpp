//===- PiecewiseOps.cpp - Functions as lines and parabolas -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowOpsDetail.h"

#include "vitq/Numerics/Gelu.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

namespace {

/// y = clamp(zp + rescale(f(x - zpIn))), f in 32 bits
struct Function : Elementwise {
  bool inputUnsigned;
  Slot inputZeroPoint, zeroPoint;
  Rescale rescale;
  Clamp clamp;

  virtual Value function(Emitter &e, const RowContext &at, Value q) const = 0;

  bool isNarrow() const override { return rescale.isFast() && clamp.fits32(); }
  /// Too much for registers that hold a tile of sums; rows of results are in L1.
  bool isElementwise() const override { return false; }
  Value emitElements(Emitter &e, const RowContext &at, ValueRange, Value x, Value col) const override {
    x = e.extend(x, 32, inputUnsigned);
    Value q = e.sub(x, e.splatLike(Blob::load(e, at.blob, inputZeroPoint, 32), x));
    Value y = rescale.apply(e, at.blob, function(e, at, q), at.row, col);
    return rescale.adds() ? clamp.apply(e, at.blob, y) : finishSum(e, at.blob, y, zeroPoint, clamp);
  }
};

/// slopes[i] * q + intercepts[i]: slope and intercept of the last breakpoint that q has
/// reached stay.
struct Pwl : Function {
  Slot breakpoints, slopes, intercepts;

  Value function(Emitter &e, const RowContext &at, Value q) const override {
    auto all = [&](Slot slot) { return Blob::view(e, at.blob, slot); };
    Value points = all(breakpoints), rise = all(slopes), offset = all(intercepts);
    auto entry = [&](Value values, Value i) { return e.splatLike(e.load(values, i), q); };
    Value zero = e.index(0);
    Values line = e.loop(breakpoints.count, {entry(rise, zero), entry(offset, zero)}, [&](Value i, ValueRange line) {
      Value reached = e.cmp(arith::CmpIPredicate::sge, q, entry(points, i)), next = e.indexAdd(i, 1);
      return Values{e.select(reached, entry(rise, next), line[0]), e.select(reached, entry(offset, next), line[1])};
    });
    return e.add(e.mul(line[0], q), line[1]);
  }
};

/// q * (one + sgn(q) * (one - (min(|q|, clip) - clip)^2))
struct PolyGelu : Function {
  Slot clip, one;

  Value function(Emitter &e, const RowContext &at, Value q) const override {
    auto constant = [&](Slot slot) { return e.splatLike(Blob::load(e, at.blob, slot, 32), q); };
    Value zero = e.like(q, 0), magnitude = e.smax(q, e.sub(zero, q)), edge = constant(clip), unit = constant(one);
    Value beyond = e.sub(e.smin(magnitude, edge), edge), erf = e.sub(unit, e.mul(beyond, beyond));
    Value isNegative = e.cmp(arith::CmpIPredicate::slt, q, zero);
    // q = 0 gives 0 whatever the sign.
    return e.mul(q, e.add(unit, e.select(isNegative, e.sub(zero, erf), erf)));
  }
};

} // namespace

/// Bits of the largest magnitude of `f` over the codes of the input.
template <typename OpT>
static unsigned bitsOf(OpT op, llvm::function_ref<int64_t(int64_t)> f) {
  const unsigned width = widthOf(op.getInput());
  const int64_t lo = op.getInputUnsigned() ? 0 : -(int64_t(1) << (width - 1)), zero = op.getInputZeroPoint();
  int64_t most = 1;
  for (int64_t code = lo; code < lo + (int64_t(1) << width); ++code)
    most = std::max(most, std::abs(f(code - zero)));
  return llvm::Log2_64_Ceil(static_cast<uint64_t>(most));
}

template <typename OpT>
static void finish(Function &row, OpT op, const RowBuilder &build, StringRef name, unsigned bits) {
  build.shape(row, name, op.getInput(), op.getBy().size() == 1);
  row.inputUnsigned = op.getInputUnsigned();
  row.inputZeroPoint = row.blob.scalar(op.getInputZeroPoint());
  row.zeroPoint = row.blob.scalar(op.getZeroPoint());
  row.clamp = {widthOf(op.getResult()), op.getResultUnsigned(), {}, {}};
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getInput().getType()).getShape();
  row.rescale = Rescale(row.blob, op.getBy(), op.getRounding(), bits, ChannelMap::of(op.getBy(), shape, -1),
                        row.clamp.addend(op.getZeroPoint()));
  row.key = row.rescale.key() + row.clamp.key() + (row.inputUnsigned ? "u" : "s");
  build.result(row, op.getResult());
}

std::unique_ptr<RowOp> vitq::kernels::makePiecewiseRowOp(Operation *op, const RowBuilder &build) {
  if (auto pwl = dyn_cast<PwlOp>(op)) {
    auto row = std::make_unique<Pwl>();
    const numerics::PiecewiseLinear lines = pwl.getLines().lines();
    row->breakpoints = row->blob.array(lines.breakpoints);
    row->slopes = row->blob.array(lines.slopes);
    row->intercepts = row->blob.array(lines.intercepts);
    finish(*row, pwl, build, "pwl", bitsOf(pwl, [&](int64_t q) { return lines.evaluate(q); }));
    return row;
  }
  if (auto gelu = dyn_cast<PolyGeluOp>(op)) {
    auto row = std::make_unique<PolyGelu>();
    const numerics::PolyGelu poly{static_cast<int64_t>(gelu.getClip()), static_cast<int64_t>(gelu.getOne())};
    row->clip = row->blob.scalar(poly.clip);
    row->one = row->blob.scalar(poly.one);
    finish(*row, gelu, build, "poly_gelu", bitsOf(gelu, [&](int64_t q) { return poly.evaluate(q); }));
    return row;
  }
  return nullptr;
}
