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

#include "RowOpsDetail.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/NormQuant.h"
#include "vitq/Numerics/RootSteps.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

//===----------------------------------------------------------------------===//
// Roots
//===----------------------------------------------------------------------===//

namespace {

/// The arithmetic of numerics::rootBySteps as IR.
struct RootEmitter {
  Emitter &e;
  Value table;

  Value c(uint64_t value) const { return e.constant(e.intType(64), static_cast<int64_t>(value)); }
  Value c(Value value) const { return value; }

  Value clz(Value x) const { return e.op<LLVM::CountLeadingZerosOp>(x.getType(), x, e.b.getBoolAttr(false)); }
  Value entry(Value i) const { return e.zext(e.load(table, e.toIndexUnsigned(i)), 64); }
  template <typename L, typename R>
  Value add(L x, R y) const {
    return e.add(c(x), c(y));
  }
  template <typename L, typename R>
  Value sub(L x, R y) const {
    return e.sub(c(x), c(y));
  }
  Value mul(Value x, Value y) const { return e.mul(x, y); }
  template <typename R>
  Value shl(Value x, R y) const {
    return e.shl(x, c(y));
  }
  template <typename R>
  Value shr(Value x, R y) const {
    return e.srl(x, c(y));
  }
  Value andC(Value x, uint64_t y) const { return e.op<arith::AndIOp>(x, c(y)); }
  Value minC(Value x, uint64_t y) const { return e.umin(x, c(y)); }
  template <typename R>
  Value lessSigned(Value x, R y) const {
    return e.zext(e.cmp(arith::CmpIPredicate::slt, x, c(y)), 64);
  }
};

} // namespace

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

//===----------------------------------------------------------------------===//
// Row ops
//===----------------------------------------------------------------------===//

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

namespace {

struct LayerNorm : RowOp {
  bool inputUnsigned, uniformShift, centered = true;
  /// Whether vectors do; else elements are computed one by one, in 64 bits.
  bool fast = false;
  Slot eps, zeroPoint, offsets, multipliers, shifts;
  std::optional<Slot> postOffsets;
  Clamp clamp;

  /// The numbers, of 64 bits, that normalize a row.
  virtual Values statistics(Emitter &e, const TargetDesc &target, const RowContext &context) const = 0;
  virtual void normalize(Emitter &e, const TargetDesc &target, const RowContext &context, ValueRange row) const = 0;
  /// The same for several rows.
  virtual void normalizeRows(Emitter &e, const TargetDesc &target, ArrayRef<RowContext> contexts,
                             ArrayRef<Values> rows) const {
    for (auto [context, row] : llvm::zip_equal(contexts, rows))
      normalize(e, target, context, row);
  }

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    normalize(e, target, context, statistics(e, target, context));
  }
  /// A row's root takes longer than its sums, and waits for them: so those of several come first.
  void emitRows(Emitter &e, const TargetDesc &target, const RowContext &context, int64_t count) const override {
    SmallVector<RowContext> contexts;
    SmallVector<Values> rows;
    for (int64_t i = 0; i < count; ++i) {
      contexts.push_back(advanced(e, context, e.index(i)));
      rows.push_back(statistics(e, target, contexts.back()));
    }
    normalizeRows(e, target, contexts, rows);
  }

  /// Elements as signed 16-bit numbers, unsigned 16-bit ones less 2^15: neither
  /// algorithm takes notice of a constant that is added to a row.
  Value input16(Emitter &e, const RowContext &context, Value col, int64_t lanes) const {
    Value x = e.load(context.primary, {context.primaryRow, col}, lanes);
    if (widthOf(x) == 16)
      return inputUnsigned ? e.op<arith::XOrIOp>(x, e.like(x, -32768)) : x;
    return e.extend(x, 16, inputUnsigned);
  }
  /// Sums of the row's elements and of their squares as 64 bits.
  std::pair<Value, Value> sums(Emitter &e, const TargetDesc &target, const RowContext &context) const;
  /// The sum, and V = C * sum of squares - sum^2 + eps.
  std::pair<Value, Value> moments(Emitter &e, const TargetDesc &target, const RowContext &context) const {
    auto [sum, squares] = sums(e, target, context);
    if (!centered)
      sum = e.like(sum, 0);
    Value variance = e.sub(e.mul(squares, cols), e.mul(sum, sum));
    return {sum, e.add(variance, Blob::load(e, context.blob, eps, 64))};
  }

  Value shiftOf(Emitter &e, const RowContext &context, Value col) const {
    Value view = Blob::view(e, context.blob, shifts);
    return e.load(view, uniformShift ? e.index(0) : col);
  }
};

} // namespace

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
  // of them in a lane of 64 bits, and exact at any length. The sums themselves fit
  // their lanes of 32 bits where there are fewer than 2^16 of them.
  auto narrow = VectorType::get({columns.lanes / 2}, e.intType(32));
  auto wide = VectorType::get({columns.lanes / 4}, i64);
  Values acc = reduceColumns(e, columns, {e.constant(narrow, 0), e.constant(wide, 0), e.constant(wide, 0)},
                             [&](Value col, Value isNew, ValueRange acc) {
                               Value x = input16(e, context, col, columns.lanes);
                               if (isNew)
                                 x = e.select(isNew, x, e.like(x, 0));
                               Value squares = e.op<vector::BitCastOp>(wide, pairSums(e, target, x, x));
                               return Values{e.add(acc[0], pairSums(e, target, x, e.like(x, 1))),
                                             e.add(acc[1], e.op<arith::AndIOp>(squares, e.like(squares, UINT32_MAX))),
                                             e.add(acc[2], e.srl(squares, e.like(squares, 32)))};
                             });
  auto total = [&](Value vector) { return e.op<vector::ReductionOp>(vector::CombiningKind::ADD, vector); };
  return {e.sext(total(acc[0]), 64), total(e.add(acc[1], acc[2]))};
}

namespace {

/// Exact statistics (docs/Numerics.md "newton").
///
/// With G = C*F and K = 2^25 - F*sum, y = (G*x + K) >> 26. As |G*x + K| < 2^47
/// (where |y| < 2^21, which holds for up to 2^13 channels), the 32 bits from bit 16
/// on say it all: G = g*2^16 + l with a signed 16-bit l and K = k*2^16 + m with an
/// unsigned one give
///   y = (g*x + k + ((l*x + m) >> 16)) >> 10
/// modulo 2^32 everywhere, and l*x + m is below 2^31 in magnitude.
///
/// `fast`: every shift is at least 32, of y * 2^pre if need be, and zero point and half a unit are part of
/// the offsets: the result is the upper half of y*M + offset, shifted further.
struct ExactLayerNorm : LayerNorm {
  /// Whether even and odd columns are stored apart, for the instruction that
  /// multiplies every other lane.
  bool pairs = false;
  /// What y is multiplied by, as an exponent of 2, where shifts are below 32.
  int64_t pre = 0;
  Slot oddMultipliers, oddOffsets;
  /// Of the inverse root (`pwl`).
  std::optional<ScaledLines> lines;

  void addFastConstants(LayerNormOp op);

  /// Each row keeps four vectors of its own.
  int64_t rowsAtOnce(const TargetDesc &target) const override {
    if (!fast || !Columns::of(target, cols, 16).vectors())
      return 1;
    return target.isX86() && target.vectorBits < 512 ? 2 : 4;
  }
  Values statistics(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    auto [sum, variance] = moments(e, target, context);
    Value factor = lines ? lines->apply(e, context.blob, variance, numerics::kInverseRootCodes, 13, 2)
                         : reciprocalRoot(e, context.operands[0], variance);
    if (!fast)
      return {factor, sum};
    Value offset = e.sub(e.like(factor, int64_t(1) << 25), e.mul(factor, sum));
    return {e.mul(factor, cols), offset};
  }
  /// floor(2^46 / floor(sqrt(variance * 2^12)))
  static Value reciprocalRoot(Emitter &e, Value table, Value variance) {
    RootEmitter arithmetic{e, table};
    return e.divu(e.like(variance, int64_t(1) << 46), numerics::rootBySteps(arithmetic, e.shl(variance, 12)));
  }
  void normalize(Emitter &e, const TargetDesc &target, const RowContext &context, ValueRange row) const override {
    if (fast)
      return normalizeVectors(e, target, context, Values(row));
    Value factor = row[0], sum = e.trunc(row[1], 32);
    Value m = Blob::view(e, context.blob, multipliers), offset = Blob::view(e, context.blob, offsets);
    e.loop(cols, [&](Value col) {
      Value x = e.sext(input16(e, context, col, 1), 32);
      Value centred = e.sub(e.mul(x, cols), sum);
      Value y = e.sra(e.add(e.mul(e.sext(centred, 64), factor), int64_t(1) << 25), 26);
      // Saying that y has 32 bits lets the next product be one of 32-bit numbers.
      y = e.sext(e.trunc(y, 32), 64);
      Value p = e.add(e.mul(y, e.sext(e.load(m, col), 64)), e.load(offset, col));
      Value out = Rescale::roundShift(e, p, e.sext(shiftOf(e, context, col), 64), Rounding::HalfUp);
      e.store(finishSum(e, context.blob, out, zeroPoint, clamp), context.results[0], {context.resultRow, col});
    });
  }
  void normalizeRows(Emitter &e, const TargetDesc &target, ArrayRef<RowContext> contexts,
                     ArrayRef<Values> rows) const override {
    if (fast)
      normalizeVectors(e, target, contexts, rows);
    else
      LayerNorm::normalizeRows(e, target, contexts, rows);
  }
  /// The four numbers that G and K are: l of 16 bits, g, m and k of 32.
  static Values splitStatistics(Emitter &e, ValueRange row) {
    Value low = e.trunc(row[0], 16), gain = e.trunc(e.sra(e.sub(row[0], e.sext(low, 64)), 16), 32);
    Value rest = e.trunc(e.op<arith::AndIOp>(row[1], e.like(row[1], 0xffff)), 32);
    return {low, gain, rest, e.trunc(e.sra(row[1], 16), 32)};
  }
  /// x * l of numbers of 16 bits, x in lanes of 32: a sum of two products of which one is zero takes half as long as
  /// a product of 32 bits.
  static Value timesLow(Emitter &e, const TargetDesc &target, Value x, Value low) {
    if (auto vector = dyn_cast<VectorType>(x.getType())) {
      auto halves = VectorType::get({2 * vector.getNumElements()}, e.intType(16));
      auto split = [&](Value words) { return e.op<vector::BitCastOp>(halves, words); };
      if (Value product = pairDot(e, target, split(x), split(e.splatLike(e.zext(low, 32), x))))
        return product;
    }
    return e.mul(x, e.splatLike(e.sext(low, 32), x));
  }
  /// All rows column by column, so that they share what is loaded for it.
  void normalizeVectors(Emitter &e, const TargetDesc &target, ArrayRef<RowContext> contexts,
                        ArrayRef<Values> rows) const {
    SmallVector<Values> numbers;
    for (const Values &row : rows)
      numbers.push_back(splitStatistics(e, row));
    forColumns(e, target, cols, true, 32, [&](Value col, int64_t lanes) {
      for (auto [context, row] : llvm::zip_equal(contexts, numbers)) {
        Value x = e.sext(input16(e, context, col, lanes), 32);
        auto splat = [&](Value number) { return e.splatLike(number, x); };
        Value fine = e.add(timesLow(e, target, x, row[0]), splat(row[2]));
        Value y = e.add(e.add(e.mul(x, splat(row[1])), splat(row[3])), e.sra(fine, 16));
        y = e.sra(y, 10);
        Value out = affineHigh(e, target, context, pre ? e.shl(y, pre) : y, col, lanes);
        Value shift = Blob::view(e, context.blob, shifts);
        shift = uniformShift ? e.splatLike(e.load(shift, e.index(0)), out) : e.load(shift, col, lanes);
        e.store(clamp.apply(e, context.blob, e.sra(out, shift)), context.results[0], {context.resultRow, col});
      }
    });
  }
  /// The upper 32 bits of y * multiplier + offset.
  Value affineHigh(Emitter &e, const TargetDesc &target, const RowContext &context, Value y, Value col,
                   int64_t lanes) const {
    Value m = e.load(Blob::view(e, context.blob, multipliers), col, lanes);
    if (!pairs) {
      Value offset = e.load(Blob::view(e, context.blob, offsets), col, lanes);
      Value p = e.add(e.mul(e.sext(y, 64), e.sext(m, 64)), offset);
      return e.trunc(e.sra(p, 32), 32);
    }
    auto wide = VectorType::get({lanes / 2}, e.intType(64));
    auto low = [&](Value v) { return e.sra(e.shl(e.op<vector::BitCastOp>(wide, v), 32), 32); };
    auto high = [&](Value v) { return e.sra(e.op<vector::BitCastOp>(wide, v), 32); };
    Value half = e.divu(col, e.index(2));
    Value oddM = e.load(Blob::view(e, context.blob, oddMultipliers), col, lanes);
    Value even = e.add(e.mul(low(y), low(m)), e.load(Blob::view(e, context.blob, offsets), half, lanes / 2));
    Value odd = e.add(e.mul(high(y), low(oddM)), e.load(Blob::view(e, context.blob, oddOffsets), half, lanes / 2));
    SmallVector<int64_t> upper;
    for (int64_t i = 1; i < lanes; i += 2)
      upper.append({i, lanes + i});
    return e.op<vector::ShuffleOp>(e.op<vector::BitCastOp>(y.getType(), even),
                                   e.op<vector::BitCastOp>(y.getType(), odd), upper);
  }
};

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

/// numerics::normQuantRow.
struct NormQuant : LayerNorm {
  int64_t levels = 0;
  Slot lowest, signs;

  Values statistics(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    auto [sum, variance] = moments(e, target, context);
    Value zeros = e.op<LLVM::CountLeadingZerosOp>(variance.getType(), variance, e.b.getBoolAttr(false));
    // 64 - zeros bits, of which 31 stay.
    Value excess = e.smax(e.sub(e.like(zeros, 33), zeros), e.like(zeros, 0));
    return {sum, excess, e.srl(variance, excess)};
  }
  void normalize(Emitter &e, const TargetDesc &target, const RowContext &context, ValueRange row) const override {
    Value sum = e.trunc(row[0], 32), variance = e.trunc(row[2], 32);
    forColumns(e, target, cols, true, 32, [&](Value col, int64_t lanes) {
      Value x = e.sext(input16(e, context, col, lanes), 32);
      Value centred = e.sub(e.mul(x, cols), e.splatLike(sum, x)), wide = e.sext(centred, 64);
      Value square = e.shl(e.srl(e.mul(wide, wide), e.splatLike(row[1], wide)), numerics::kNormQuantFractionBits);
      // All ones where the centred value is negative, the other way round where gamma is.
      Value negative = e.op<arith::XOrIOp>(e.sra(centred, 31), e.load(Blob::view(e, context.blob, signs), col, lanes));
      negative = e.sext(negative, 64);
      Value g = e.sub(e.op<arith::XOrIOp>(square, negative), negative);
      // Both factors as 32-bit numbers, for the instruction that multiplies these.
      Value v = e.sext(e.splatLike(variance, x), 64), count = e.like(g, 0);
      for (int64_t k = 0; k < levels; ++k) {
        Value threshold = e.mul(e.sext(e.load(context.operands[0], {e.index(k), col}, lanes), 64), v);
        Value reached = e.cmp(arith::CmpIPredicate::sge, g, threshold);
        count = e.add(count, e.select(reached, e.like(count, 1), e.like(count, 0)));
      }
      Value code = e.add(count, e.splatLike(Blob::load(e, context.blob, lowest, 64), count));
      e.store(e.trunc(code, widthOf(context.results[0])), context.results[0], {context.resultRow, col});
    });
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

/// The least exponent of 2, if there is one, by which y*M + offset, zero point and half a unit included, can be
/// multiplied so that it fits 64 bits and its upper half holds every bit of the result.
static std::optional<int64_t> exponentForUpperHalf(LayerNormOp op, int64_t channels) {
  constexpr int64_t kThird = int64_t(1) << 61;
  const int64_t bound = numerics::layerNormNormalizedBound(channels);
  const int64_t pre = std::max(0, 32 - *llvm::min_element(op.getBy().getShifts()));
  if (bound >= 1 << 21 || bound >= (int64_t(1) << 29) >> pre)
    return std::nullopt;
  const int64_t zeroPoint = std::abs(static_cast<int64_t>(op.getResultCode().getZero()));
  for (auto [shift, offset] : llvm::zip_equal(op.getBy().getShifts(), op.getOffsets()))
    if (shift + pre > 62 || zeroPoint > kThird >> (shift + pre) || std::abs(offset) > kThird >> pre)
      return std::nullopt;
  return pre;
}

void ExactLayerNorm::addFastConstants(LayerNormOp op) {
  ArrayRef<int32_t> by = op.getBy().getMultipliers();
  std::vector<int32_t> amounts, oddBy(by.drop_front());
  std::vector<int64_t> sums[2];
  oddBy.push_back(0);
  for (auto [c, shift] : llvm::enumerate(op.getBy().getShifts())) {
    const auto zero = static_cast<int64_t>(op.getResultCode().getZero()) * (int64_t(1) << shift);
    const int64_t sum = op.getOffsets()[c] + (int64_t(1) << (shift - 1)) + zero;
    sums[pairs ? c % 2 : 0].push_back(sum * (int64_t(1) << pre));
    amounts.push_back(static_cast<int32_t>(shift + pre - 32));
  }
  amounts.resize(uniformShift ? 1 : amounts.size());
  multipliers = blob.array(by);
  offsets = blob.array(sums[0]);
  shifts = blob.array(amounts);
  if (!pairs)
    return;
  oddMultipliers = blob.array(oddBy);
  oddOffsets = blob.array(sums[1]);
}

static void addConstants(LayerNorm &row, LayerNormOp op, bool narrow) {
  row.multipliers = row.blob.array(op.getBy().getMultipliers());
  row.shifts = row.blob.array(op.getBy().getShifts());
  auto array = [&](ArrayRef<int64_t> values) {
    return narrow ? row.blob.array(std::vector<int32_t>(values.begin(), values.end())) : row.blob.array(values);
  };
  row.offsets = array(op.getOffsets());
  if (auto shift = dyn_cast<NormShiftAttr>(op.getAlgorithm()); shift && shift.getPostOffsets())
    row.postOffsets = array(shift.getPostOffsets().asArrayRef());
}

static std::unique_ptr<LayerNorm> makeExact(LayerNormOp op, const RowBuilder &build) {
  auto row = std::make_unique<ExactLayerNorm>();
  const int64_t channels = build.rowsOf(op.getInput()).second;
  const TargetDesc &target = build.module.target;
  row->uniformShift = llvm::all_equal(op.getBy().getShifts());
  const std::optional<int64_t> pre = exponentForUpperHalf(op, channels);
  row->fast = pre.has_value();
  row->pre = pre.value_or(0);
  row->pairs = row->fast && target.isX86() && channels % 2 == 0 && Columns::of(target, channels, 32).vectors();
  if (row->fast)
    row->addFastConstants(op);
  else
    addConstants(*row, op, false);
  if (auto pwl = dyn_cast<NormPwlAttr>(op.getAlgorithm()))
    row->lines = ScaledLines(row->blob, pwl.getLines().lines());
  return row;
}

static std::unique_ptr<LayerNorm> makeShift(LayerNormOp op, NormShiftAttr algorithm, const RowBuilder &build) {
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
  addConstants(*row, op, row->fast);
  return row;
}

static std::unique_ptr<RowOp> makeNormQuant(NormQuantOp op, const RowBuilder &build) {
  auto row = std::make_unique<NormQuant>();
  build.shape(*row, "norm_quant", op.getInput(), false);
  row->inputUnsigned = op.getInputCode().isUnsigned();
  row->eps = row->blob.scalar(op.getEps());
  row->lowest = row->blob.scalar(op.getMin());
  row->signs =
      row->blob.array(ArrayRef<int32_t>(llvm::map_to_vector(op.getNegative(), [](bool n) { return n ? -1 : 0; })));
  row->levels = cast<ShapedType>(op.getSquares().getType()).getDimSize(0);
  row->addOperand(op.getSquares(), build.memrefOf(op.getSquares()));
  build.result(*row, op.getResult());
  return row;
}

std::unique_ptr<RowOp> vitq::kernels::makeLayerNormRowOp(Operation *op, const RowBuilder &build) {
  if (auto quant = dyn_cast<NormQuantOp>(op))
    return makeNormQuant(quant, build);
  auto norm = dyn_cast<LayerNormOp>(op);
  if (!norm)
    return nullptr;
  auto shift = dyn_cast<NormShiftAttr>(norm.getAlgorithm());
  std::unique_ptr<LayerNorm> row = shift ? makeShift(norm, shift, build) : makeExact(norm, build);
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
