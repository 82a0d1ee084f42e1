//===- PiecewiseOps.cpp - Functions as lines and parabolas -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RowOpsDetail.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
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

  /// For codes `x` as they are stored and `q` in 32 bits, less the zero point.
  virtual Value function(Emitter &e, const RowContext &context, Value x, Value q) const = 0;

  bool isNarrow() const override { return rescale.isFast() && clamp.fits32(); }
  /// Too much for registers that hold a tile of sums; rows of results are in L1.
  bool isElementwise() const override { return false; }
  Value emitElements(Emitter &e, const RowContext &context, ValueRange, Value x, Value col) const override {
    Value q = e.extend(x, 32, inputUnsigned);
    q = e.sub(q, e.splatLike(Blob::load(e, context.blob, inputZeroPoint, 32), q));
    Value y = rescale.apply(e, context.blob, function(e, context, x, q), context.row, col);
    return rescale.adds() ? clamp.apply(e, context.blob, y) : finishSum(e, context.blob, y, zeroPoint, clamp);
  }
};

/// slopes[i] * q + intercepts[i], i the number of breakpoints that q has reached.
struct Pwl : Function {
  /// In the width of the codes, which are compared as signed numbers.
  Slot breakpoints;
  /// Padded to whole registers.
  Slot slopes, intercepts;
  /// Intrinsic that permutes a register of `lanes` words; null where there is none, or
  /// where there are more than two registers of entries.
  const char *permute = nullptr;
  int64_t lanes = 0;

  Value function(Emitter &e, const RowContext &context, Value x, Value q) const override {
    Value code = inputUnsigned ? e.op<arith::XOrIOp>(x, e.like(x, int64_t(1) << (widthOf(x) - 1))) : x;
    Value rise = Blob::view(e, context.blob, slopes), offset = Blob::view(e, context.blob, intercepts);
    auto vector = dyn_cast<VectorType>(x.getType());
    if (vector && (!permute || vector.getNumElements() % lanes != 0))
      return byComparison(e, context, code, q, rise, offset);
    Value i = e.zext(entryOf(e, context, code), 32);
    Value slope = vector ? lookup(e, rise, i) : e.load(rise, e.toIndexUnsigned(i));
    Value intercept = vector ? lookup(e, offset, i) : e.load(offset, e.toIndexUnsigned(i));
    return e.add(e.mul(slope, q), intercept);
  }

private:
  Value reached(Emitter &e, const RowContext &context, Value code, Value i) const {
    Value point = e.load(Blob::view(e, context.blob, breakpoints), i);
    return e.cmp(arith::CmpIPredicate::sge, code, e.splatLike(point, code));
  }
  Value entryOf(Emitter &e, const RowContext &context, Value code) const {
    auto next = [&](Value entry, Value i) {
      return e.sub(entry, e.op<arith::ExtSIOp>(code.getType(), reached(e, context, code, i)));
    };
    Value entry = e.like(code, 0);
    // Vectors have few entries; scalars up to 256.
    if (!isa<VectorType>(code.getType()))
      return e.loop(breakpoints.count, entry, [&](Value i, ValueRange entry) { return Values{next(entry[0], i)}; })[0];
    for (int64_t i = 0; i < breakpoints.count; ++i)
      entry = next(entry, e.index(i));
    return entry;
  }
  /// Words of the table at `table`, of which one or two registers hold all.
  Value lookup(Emitter &e, Value table, Value entry) const {
    const int64_t count = cast<VectorType>(entry.getType()).getNumElements();
    auto ofRegister = [&](int64_t first, Value i) {
      Value words = e.load(table, e.index(first), lanes);
      return Value(
          LLVM::CallIntrinsicOp::create(e.b, e.loc, i.getType(), e.b.getStringAttr(permute), ValueRange{words, i})
              ->getResult(0));
    };
    Value result = e.like(entry, 0);
    for (int64_t at = 0; at < count; at += lanes) {
      Value i = e.op<vector::ExtractStridedSliceOp>(entry, ArrayRef<int64_t>{at}, ArrayRef<int64_t>{lanes},
                                                    ArrayRef<int64_t>{1});
      Value words = ofRegister(0, i);
      if (slopes.count > lanes)
        words = e.select(e.cmp(arith::CmpIPredicate::sge, i, e.like(i, lanes)), ofRegister(lanes, i), words);
      result = e.op<vector::InsertStridedSliceOp>(words, result, ArrayRef<int64_t>{at}, ArrayRef<int64_t>{1});
    }
    return result;
  }
  /// Slope and intercept of the last breakpoint that was reached stay.
  Value byComparison(Emitter &e, const RowContext &context, Value code, Value q, Value rise, Value offset) const {
    auto entry = [&](Value values, Value i) { return e.splatLike(e.load(values, i), q); };
    Value zero = e.index(0);
    Values line = e.loop(breakpoints.count, {entry(rise, zero), entry(offset, zero)}, [&](Value i, ValueRange line) {
      Value yes = reached(e, context, code, i), next = e.indexAdd(i, 1);
      return Values{e.select(yes, entry(rise, next), line[0]), e.select(yes, entry(offset, next), line[1])};
    });
    return e.add(e.mul(line[0], q), line[1]);
  }
};

/// q * (one + sgn(q) * (one - (min(|q|, clip) - clip)^2))
struct PolyGelu : Function {
  Slot clip, one;

  Value function(Emitter &e, const RowContext &context, Value, Value q) const override {
    auto constant = [&](Slot slot) { return e.splatLike(Blob::load(e, context.blob, slot, 32), q); };
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
  const numerics::Interval values = codeOf(op.getInput(), op.getInputCode()).values();
  int64_t most = 1;
  for (int64_t value = values.min; value <= values.max; ++value)
    most = std::max(most, std::abs(f(value)));
  return llvm::Log2_64_Ceil(static_cast<uint64_t>(most));
}

template <typename OpT>
static void finish(Function &row, OpT op, const RowBuilder &build, StringRef name, unsigned bits) {
  build.shape(row, name, op.getInput(), op.getBy().size() == 1);
  row.inputUnsigned = op.getInputCode().isUnsigned();
  row.inputZeroPoint = row.blob.scalar(op.getInputCode().getZero());
  row.zeroPoint = row.blob.scalar(op.getResultCode().getZero());
  row.clamp = Clamp::of(op.getResult(), op.getResultCode());
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getInput().getType()).getShape();
  row.rescale = Rescale(build.module.target, row.blob, op.getBy(), op.getRounding(), bits,
                        ChannelMap::of(op.getBy(), shape, -1), row.clamp.addend());
  build.result(row, op.getResult());
}

/// Breakpoints as codes, in the order of signed numbers. One below all codes is always
/// reached, like the lowest code; behind one above all of them the line before goes on.
template <typename Code>
static std::vector<Code> codesOf(PwlOp op, numerics::PiecewiseLinear &lines) {
  constexpr int64_t lo = llvm::minIntN(8 * sizeof(Code)), hi = llvm::maxIntN(8 * sizeof(Code));
  const int64_t shift = static_cast<int64_t>(op.getInputCode().getZero()) + (op.getInputCode().isUnsigned() ? lo : 0);
  std::vector<Code> codes;
  for (auto [i, point] : llvm::enumerate(lines.breakpoints)) {
    const int64_t code = point + shift;
    if (code > hi) {
      lines.slopes[i + 1] = lines.slopes[i];
      lines.intercepts[i + 1] = lines.intercepts[i];
    }
    codes.push_back(static_cast<Code>(std::clamp(code, lo, hi)));
  }
  return codes;
}

static std::unique_ptr<RowOp> makePwl(PwlOp op, const RowBuilder &build) {
  auto row = std::make_unique<Pwl>();
  numerics::PiecewiseLinear lines = op.getLines().lines();
  const unsigned bits = bitsOf(op, [&](int64_t q) { return lines.evaluate(q); });
  row->breakpoints = widthOf(op.getInput()) == 8 ? row->blob.array(codesOf<int8_t>(op, lines))
                                                 : row->blob.array(codesOf<int16_t>(op, lines));
  const TargetDesc &target = build.module.target;
  const int64_t lanes = target.vectorBits / 32;
  if (target.permuteWords && static_cast<int64_t>(lines.entries()) <= 2 * lanes) {
    row->permute = target.permuteWords;
    row->lanes = lanes;
    const size_t padded = llvm::alignTo(lines.entries(), lanes);
    lines.slopes.resize(padded);
    lines.intercepts.resize(padded);
  }
  row->slopes = row->blob.array(lines.slopes);
  row->intercepts = row->blob.array(lines.intercepts);
  finish(*row, op, build, "pwl", bits);
  return row;
}

std::unique_ptr<RowOp> vitq::kernels::makePiecewiseRowOp(Operation *op, const RowBuilder &build) {
  if (auto pwl = dyn_cast<PwlOp>(op))
    return makePwl(pwl, build);
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
