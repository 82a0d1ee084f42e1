//===- LayerNormExact.cpp - Layer normalization with exact statistics -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerNormRow.h"

#include "vitq/Numerics/LayerNorm.h"
#include "vitq/Numerics/RootSteps.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

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
/// `fast`: zero point and half a unit are part of the offsets. Either y*M + offset takes 32 bits (`narrow`), or every
/// shift is at least 32, of y * 2^pre if need be, so that the result is the upper half of y*M + offset, shifted
/// further.
struct ExactLayerNorm : LayerNorm {
  /// Whether even and odd columns are stored apart, for the instruction that
  /// multiplies every other lane.
  bool pairs = false;
  bool narrow = false;
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
  /// x * l + m and k + upper of numbers of 16 bits, x and m in lanes of 32 of which only the lower halves are
  /// multiplied, `upper` the upper halves of lanes: a sum of two products of which one is zero takes half as long as a
  /// product of 32 bits, and adds at the same time where there is such an instruction.
  static Value timesLow(Emitter &e, const TargetDesc &target, Value x, Value low, Value m) {
    if (Value sum = addPairs(e, target, m, x, e.splatLike(e.zext(low, 32), x)))
      return sum;
    return e.add(e.mul(x, e.splatLike(e.sext(low, 32), x)), m);
  }
  static Value addUpper(Emitter &e, const TargetDesc &target, Value k, Value lanes) {
    if (target.isa->addDot16)
      if (Value sum = addPairs(e, target, k, lanes, e.like(lanes, 1 << 16)))
        return sum;
    return e.add(k, e.sra(lanes, 16));
  }
  /// Adds the products of the halves of lanes to `sums`; null if there is no instruction for it.
  static Value addPairs(Emitter &e, const TargetDesc &target, Value sums, Value x, Value y) {
    auto vector = dyn_cast<VectorType>(x.getType());
    if (!vector)
      return {};
    auto halves = VectorType::get({2 * vector.getNumElements()}, e.intType(16));
    auto split = [&](Value words) { return e.op<vector::BitCastOp>(halves, words); };
    Value products = pairDot(e, target, split(x), split(y));
    return products ? e.add(products, sums) : Value();
  }
  /// All rows column by column, so that they share what is loaded for it.
  void normalizeVectors(Emitter &e, const TargetDesc &target, ArrayRef<RowContext> contexts,
                        ArrayRef<Values> rows) const {
    SmallVector<Values> numbers;
    for (const Values &row : rows)
      numbers.push_back(splitStatistics(e, row));
    // Where packs make one vector of several, as many as they take.
    const unsigned bits = e.packs ? clamp.width : 32;
    const int64_t part = std::max<int64_t>(1, Columns::of(target, cols, 32).lanes);
    forColumns(e, target, cols, true, bits, [&](Value col, int64_t lanes) {
      for (auto [context, row] : llvm::zip_equal(contexts, numbers)) {
        Values parts;
        for (int64_t i = 0; i < lanes; i += part)
          parts.push_back(scaled(e, target, context, row, e.indexAdd(col, i), std::min(part, lanes)));
        e.store(clamp.apply(e, context.blob, e.join(parts)), context.results[0], {context.resultRow, col});
      }
    });
  }
  /// Results of one vector before they are limited.
  Value scaled(Emitter &e, const TargetDesc &target, const RowContext &context, ValueRange row, Value col,
               int64_t lanes) const {
    Value x = e.sext(input16(e, context, col, lanes), 32);
    auto splat = [&](Value number) { return e.splatLike(number, x); };
    Value fine = timesLow(e, target, x, row[0], splat(row[2]));
    Value y = e.sra(addUpper(e, target, e.add(e.mul(x, splat(row[1])), splat(row[3])), fine), 10);
    Value out = narrow ? affineNarrow(e, context, y, col, lanes)
                       : affineHigh(e, target, context, pre ? e.shl(y, pre) : y, col, lanes);
    Value shift = Blob::view(e, context.blob, shifts);
    return e.sra(out, uniformShift ? e.splatLike(e.load(shift, e.index(0)), out) : e.load(shift, col, lanes));
  }
  /// y * multiplier + offset, of 32 bits.
  Value affineNarrow(Emitter &e, const RowContext &context, Value y, Value col, int64_t lanes) const {
    Value m = e.load(Blob::view(e, context.blob, multipliers), col, lanes);
    return e.add(e.mul(y, m), e.load(Blob::view(e, context.blob, offsets), col, lanes));
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

} // namespace

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

/// What is added to y*M of a channel, zero point and half a unit included; it fits 64 bits where the next two say so.
static int64_t wholeOffset(LayerNormOp op, int64_t channel) {
  const int32_t shift = op.getBy().getShifts()[channel];
  const auto zero = static_cast<int64_t>(op.getResultCode().getZero()) * (int64_t(1) << shift);
  return op.getOffsets()[channel] + (int64_t(1) << (shift - 1)) + zero;
}

/// Whether y*M and what is added to it fit 32 bits.
static bool fits32(LayerNormOp op, int64_t channels) {
  const int64_t bound = numerics::layerNormNormalizedBound(channels);
  if (bound >= 1 << 21)
    return false;
  const DyadicAttr by = op.getBy();
  return llvm::all_of(llvm::seq<int64_t>(0, channels), [&](int64_t c) {
    const int64_t offset = op.getOffsets()[c], multiplier = by.getMultipliers()[c];
    return by.getShifts()[c] >= 1 && by.getShifts()[c] < 32 && std::abs(offset) <= INT32_MAX &&
           bound * std::abs(multiplier) + std::abs(wholeOffset(op, c)) <= INT32_MAX;
  });
}

void ExactLayerNorm::addFastConstants(LayerNormOp op) {
  ArrayRef<int32_t> by = op.getBy().getMultipliers();
  std::vector<int32_t> amounts, oddBy(by.drop_front()), narrowSums;
  std::vector<int64_t> sums[2];
  oddBy.push_back(0);
  for (auto [c, shift] : llvm::enumerate(op.getBy().getShifts())) {
    const int64_t sum = wholeOffset(op, static_cast<int64_t>(c));
    if (narrow)
      narrowSums.push_back(static_cast<int32_t>(sum));
    else
      sums[pairs ? c % 2 : 0].push_back(sum * (int64_t(1) << pre));
    amounts.push_back(static_cast<int32_t>(narrow ? shift : shift + pre - 32));
  }
  amounts.resize(uniformShift ? 1 : amounts.size());
  multipliers = blob.array(by);
  offsets = narrow ? blob.array(narrowSums) : blob.array(sums[0]);
  shifts = blob.array(amounts);
  if (!pairs)
    return;
  oddMultipliers = blob.array(oddBy);
  oddOffsets = blob.array(sums[1]);
}

std::unique_ptr<LayerNorm> vitq::kernels::makeExactLayerNorm(LayerNormOp op, const RowBuilder &build) {
  auto row = std::make_unique<ExactLayerNorm>();
  const int64_t channels = build.rowsOf(op.getInput()).second;
  const TargetDesc &target = build.module.target;
  row->uniformShift = llvm::all_equal(op.getBy().getShifts());
  const std::optional<int64_t> pre = exponentForUpperHalf(op, channels);
  row->narrow = fits32(op, channels);
  row->fast = row->narrow || pre;
  row->pre = pre.value_or(0);
  row->pairs =
      row->fast && !row->narrow && target.isX86() && channels % 2 == 0 && Columns::of(target, channels, 32).vectors();
  if (row->fast)
    row->addFastConstants(op);
  else
    addLayerNormConstants(*row, op, false);
  if (auto pwl = dyn_cast<NormPwlAttr>(op.getAlgorithm()))
    row->lines = ScaledLines(row->blob, pwl.getLines().lines());
  return row;
}
