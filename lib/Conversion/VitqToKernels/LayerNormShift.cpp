//===- LayerNormShift.cpp - I-LayerNorm row by row -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerNormRow.h"

#include "vitq/Numerics/RootSteps.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

/// 2^ceil(bitLength(v) / 2)
static Value newtonStart(Emitter &e, Value v) {
  Value zeros = e.op<LLVM::CountLeadingZerosOp>(v.getType(), v, e.b.getBoolAttr(false));
  Value half = e.op<arith::ShRUIOp>(e.sub(e.like(v, 65), zeros), e.like(v, 1));
  return e.shl(e.like(v, 1), half);
}

/// numerics::newtonSqrt(v, newtonStart(v), 10)
static func::FuncOp tenStepSquareRoot(Location loc, KernelModule &module, Type i64) {
  return module.function("newton_sqrt", i64, i64, [&](Emitter &e, ValueRange in) {
    Value v = in[0], one = e.constant(i64, 1);
    Values root = e.loop(10, newtonStart(e, v), [&](Value, ValueRange k) {
      Value quotient = e.divu(v, k[0]);
      Value mean = e.add(e.srl(k[0], one), e.srl(quotient, one));
      mean = e.add(mean, e.op<arith::AndIOp>(e.op<arith::AndIOp>(k[0], quotient), one));
      return Values{e.op<arith::MaxUIOp>(mean, one)};
    });
    func::ReturnOp::create(e.b, e.loc, root);
  });
}

namespace {

/// I-LayerNorm (docs/Numerics.md "ivit", bit-length start).
///
/// The root is exact when the iteration ends, or one more: it goes on between the
/// two where V + 1 is a square (and for V = 0). So |x - mean| <= root, the product
/// with the factor floor((2^31 - 1) / root) fits 32 bits.
struct ShiftLayerNorm : LayerNorm {
  Rounding rounding;
  Rescale rescale;
  func::FuncOp squareRoot;

  /// round(sum / C), ties to even
  Value meanOf(Emitter &e, Value sum) const {
    Value c = e.like(sum, cols);
    Value quotient = e.op<arith::FloorDivSIOp>(sum, c);
    Value rest = e.sub(sum, e.mul(quotient, c));
    Value twice = e.mul(rest, 2);
    Value odd = e.cmp(arith::CmpIPredicate::ne, e.op<arith::AndIOp>(quotient, e.like(sum, 1)), e.like(sum, 0));
    Value up = e.op<arith::OrIOp>(e.cmp(arith::CmpIPredicate::sgt, twice, c),
                                  e.op<arith::AndIOp>(e.cmp(arith::CmpIPredicate::eq, twice, c), odd));
    return e.add(quotient, e.zext(up, 64));
  }
  Values statistics(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    auto [sum, squares] = sums(e, target, context);
    // 2^15, which unsigned elements are short of, is even: ties stay ties.
    Value mean = meanOf(e, sum);
    // sum of (x - mean)^2
    Value variance = e.add(e.sub(squares, e.mul(e.mul(mean, sum), 2)), e.mul(e.mul(mean, mean), cols));
    RootEmitter arithmetic{e, context.operands[0]};
    Value root = numerics::rootBySteps(arithmetic, e.op<arith::MaxUIOp>(variance, e.like(variance, 1)));
    Value beyond = e.sub(variance, e.mul(root, root));
    Value unsteady = e.op<arith::OrIOp>(e.cmp(arith::CmpIPredicate::eq, beyond, e.mul(root, 2)),
                                        e.cmp(arith::CmpIPredicate::eq, variance, e.like(variance, 0)));
    auto chosen = scf::IfOp::create(
        e.b, e.loc, unsteady,
        [&](OpBuilder &b, Location loc) {
          Value slow = func::CallOp::create(b, loc, squareRoot, variance).getResult(0);
          scf::YieldOp::create(b, loc, slow);
        },
        [&](OpBuilder &b, Location loc) { scf::YieldOp::create(b, loc, root); });
    Value factor = e.divu(e.like(root, INT32_MAX), chosen.getResult(0));
    return {factor, mean};
  }
  void normalize(Emitter &e, const TargetDesc &target, const RowContext &context, ValueRange row) const override {
    Value factor = e.trunc(row[0], 32), mean = e.trunc(row[1], 32);
    Value m = Blob::view(e, context.blob, multipliers), offset = Blob::view(e, context.blob, offsets);
    forColumns(e, target, cols, fast, 32, [&](Value col, int64_t lanes) {
      Value x = e.sext(input16(e, context, col, lanes), 32);
      Value y = e.sra(e.mul(e.sub(x, e.splatLike(mean, x)), e.splatLike(factor, x)), 1);
      if (fast) {
        Value out =
            rescale.apply(e, context.blob, e.op<LLVM::SAddSat>(y, e.load(offset, col, lanes)), context.row, col);
        if (postOffsets)
          out = e.add(out, e.load(Blob::view(e, context.blob, *postOffsets), col, lanes));
        return e.store(finishSum(e, context.blob, out, zeroPoint, clamp), context.results[0], {context.resultRow, col});
      }
      y = e.add(e.sext(y, 64), e.sext(e.load(offset, col), 64));
      y = e.clamp(y, e.like(y, INT32_MIN), e.like(y, INT32_MAX));
      Value p = e.mul(y, e.sext(e.load(m, col), 64));
      Value out = Rescale::roundShift(e, p, e.sext(shiftOf(e, context, col), 64), rounding);
      if (postOffsets)
        out = e.add(out, e.sext(e.load(Blob::view(e, context.blob, *postOffsets), col), 64));
      e.store(finishSum(e, context.blob, out, zeroPoint, clamp), context.results[0], {context.resultRow, col});
    });
  }
};

} // namespace

std::unique_ptr<LayerNorm> vitq::kernels::makeShiftLayerNorm(LayerNormOp op, NormShiftAttr algorithm,
                                                             const RowBuilder &build) {
  auto row = std::make_unique<ShiftLayerNorm>();
  row->uniformShift = llvm::all_equal(op.getBy().getShifts());
  row->rounding = algorithm.getRounding();
  row->squareRoot = tenStepSquareRoot(op.getLoc(), build.module, IntegerType::get(op.getContext(), 64));
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getInput().getType()).getShape();
  Blob own;
  Rescale rescale(build.module.target, own, op.getBy(), row->rounding, 31, ChannelMap::of(op.getBy(), shape, -1));
  // Results of the rescaling are below 2^29; another 2^29 is left for these.
  auto small = [](int64_t x) { return std::abs(x) <= int64_t(1) << 28; };
  row->fast = rescale.isFast() &&
              llvm::all_of(op.getOffsets(), [](int64_t x) { return x >= INT32_MIN && x <= INT32_MAX; }) &&
              (!algorithm.getPostOffsets() || llvm::all_of(algorithm.getPostOffsets().asArrayRef(), small));
  if (row->fast) {
    row->blob = std::move(own);
    row->rescale = rescale;
  }
  addLayerNormConstants(*row, op, row->fast);
  return row;
}
