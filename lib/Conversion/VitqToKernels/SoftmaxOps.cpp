//===- SoftmaxOps.cpp - Softmax and Shiftmax row by row -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ByteTable.h"
#include "Contraction.h"
#include "RowOpsDetail.h"

#include "vitq/Numerics/Softmax.h"
#include "vitq/Support/Constants.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

/// The largest element of the row, as signed numbers.
static Value rowMaximum(Emitter &e, const TargetDesc &target, const RowContext &context, int64_t cols) {
  const unsigned width = widthOf(context.primary);
  const Columns columns = Columns::of(target, cols, width);
  Value lowest = e.constant(Emitter::lanesOf(e.intType(width), columns.lanes), width == 8 ? INT8_MIN : INT32_MIN);
  if (columns.vectors() && columns.rest() && columns.whole + columns.lanes <= context.room) {
    // The last vector reaches beyond the row, so that none is loaded across two that were stored.
    auto load = [&](Value col) { return e.load(context.primary, {context.primaryRow, col}, columns.lanes); };
    Value best = e.loop(e.index(0), e.index(columns.whole), columns.lanes, lowest,
                        [&](Value col, ValueRange best) { return Values{e.smax(best[0], load(col))}; })[0];
    Value last = e.select(e.lanesBetween(columns.lanes, 0, columns.rest()), load(e.index(columns.whole)), lowest);
    return e.op<vector::ReductionOp>(vector::CombiningKind::MAXSI, e.smax(best, last));
  }
  Value best = reduceColumns(e, columns, lowest, [&](Value col, Value, ValueRange best) {
    return Values{e.smax(best[0], e.load(context.primary, {context.primaryRow, col}, columns.lanes))};
  })[0];
  return columns.vectors() ? e.op<vector::ReductionOp>(vector::CombiningKind::MAXSI, best) : best;
}

/// `sums` plus four unsigned bytes each, in lanes of 32 bits.
static Value addFours(Emitter &e, const TargetDesc &target, Value sums, Value bytes) {
  const DotInstruction &dot = target.isa->dot8;
  const int64_t lanes = cast<VectorType>(bytes.getType()).getNumElements();
  if (dot.unsignedLhs && dot.width == 8 && dot.accumulates && !target.emulateDot && lanes == dot.lanes * dot.group)
    return emitDot(e, dot, /*spelt=*/false, dot.intrinsic, sums, bytes, e.like(bytes, 1));
  Value words = e.op<vector::BitCastOp>(VectorType::get({lanes / 4}, e.intType(32)), bytes);
  auto masked = [&](Value x, int64_t mask) { return e.op<arith::AndIOp>(x, e.like(x, mask)); };
  Value pairs = e.add(masked(words, 0x00ff00ff), masked(e.srl(words, e.like(words, 8)), 0x00ff00ff));
  return e.add(sums, e.add(masked(pairs, 0xffff), e.srl(pairs, e.like(pairs, 16))));
}

namespace {

/// What softmaxes share: distances from the row's largest score.
struct SoftmaxRow : RowOp {
  Rescale rescale;

  /// rescale(min(max - x, 2^31 - 1)) in 32 or 64 bits, not negative.
  Value distances(Emitter &e, const RowContext &context, Value top, Value col, int64_t lanes) const {
    Value x = e.load(context.primary, {context.primaryRow, col}, lanes);
    // The difference is an unsigned 32-bit number.
    Value difference = e.sub(e.splatLike(top, x), x);
    difference = e.umin(difference, e.like(difference, INT32_MAX));
    return rescale.apply(e, context.blob, difference, context.row, col, /*positive=*/true);
  }
  Value distances(Emitter &e, const RowContext &context, Value top, Value col, int64_t lanes, int64_t limit) const {
    Value distance = distances(e, context, top, col, lanes);
    return e.umin(distance, e.like(distance, limit));
  }
};

/// numerics::ShortDistance in vectors. A distance is the top byte of a lane.
class ShortDistances {
public:
  /// None where some multiplier has no such form.
  static std::optional<ShortDistances> of(Blob &blob, integer::DyadicAttr by, ChannelMap map);

  /// What all rows with the same multiplier share, and what those of one row do.
  struct Constants {
    Value factor, furthest;
  };
  struct RowConstants {
    Value factor, least, sum;
  };
  Constants start(Emitter &e, const RowContext &context) const {
    Value number = e.index(0);
    if (map.kind == ChannelMap::Row)
      number = e.remu(map.divisor == 1 ? context.row : e.divu(context.row, e.index(map.divisor)), e.index(map.count));
    auto load = [&](Slot slot) { return e.load(Blob::view(e, context.blob, slot), number); };
    return {load(factors), load(furthest)};
  }
  static RowConstants startRow(Emitter &e, const Constants &constants, Value top) {
    // No score is below the least number.
    Value room = e.sub(top, e.like(top, INT32_MIN));
    Value sum = e.add(e.mul(top, constants.factor), int64_t{numerics::ShortDistance::half});
    return {constants.factor, e.sub(top, e.umin(constants.furthest, room)), sum};
  }
  /// Whether rows of one of such groups have the same constants.
  bool isSharedBy(int64_t rows) const { return map.kind != ChannelMap::Row || map.divisor % rows == 0; }
  /// Lanes of 32 bits of which the top byte is the distance: (top - x) * factor + half, x limited from below. Modulo
  /// 2^32, which the result is below.
  static Value lanes(Emitter &e, const RowConstants &row, Value x) {
    Value limited = e.smax(x, e.splatLike(row.least, x));
    return e.sub(e.splatLike(row.sum, x), e.mul(limited, e.splatLike(row.factor, x)));
  }

private:
  Slot factors, furthest;
  ChannelMap map;
};

/// code = table[distance], sum of the codes
struct Softmax : SoftmaxRow {
  Slot table;
  std::optional<ShortDistances> shortDistances;

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    Value top = rowMaximum(e, target, context, cols);
    std::optional<ShortDistances::RowConstants> constants;
    if (shortDistances)
      constants = ShortDistances::startRow(e, shortDistances->start(e, context), top);
    ByteTable entries(e, target, Blob::view(e, context.blob, table), {e.index(0)}, /*signedCodes=*/false);
    auto positions = [&](Value col, int64_t lanes) {
      if (!constants)
        return longPositions(e, context, top, col, lanes);
      Value x = e.load(context.primary, {context.primaryRow, col}, lanes);
      return entries.topBytes(e, ShortDistances::lanes(e, *constants, x));
    };
    const Columns columns = Columns::of(target, cols, 8, context.room);
    Value sum = isFast() && columns.vectors() && ByteTable::lanesOf(target) > 1
                    ? codesOfVectors(e, target, context, entries, columns, positions)
                    : codesApart(e, target, context, entries, positions);
    e.store(sum, context.results[1], context.resultRow);
  }
  std::unique_ptr<RowPieces> pieces(const TargetDesc &target, int64_t room, int64_t sharing) const override;

private:
  /// Positions in the table, of 8 bits.
  using Positions = function_ref<Value(Value col, int64_t lanes)>;

  bool isFast() const { return shortDistances || rescale.isFast(); }
  Value longPositions(Emitter &e, const RowContext &context, Value top, Value col, int64_t lanes) const {
    Value distance = distances(e, context, top, col, lanes);
    if (e.packsTo(8, distance))
      return e.packBytes(distance, /*isUnsigned=*/true);
    return e.trunc(e.umin(distance, e.like(distance, numerics::kDistances - 1)), 8);
  }
  Value codesOfVectors(Emitter &e, const TargetDesc &target, const RowContext &context, const ByteTable &entries,
                       const Columns &columns, Positions positions) const {
    auto codes = [&](Value col, int64_t lanes) {
      Value codes = entries.lookup(e, positions(col, lanes));
      e.store(codes, context.results[0], {context.resultRow, col});
      return codes;
    };
    Value zero = e.constant(VectorType::get({columns.lanes / 4}, e.intType(32)), 0);
    Value sums = e.loop(e.index(0), e.index(columns.whole), columns.lanes, zero, [&](Value col, ValueRange sums) {
      return Values{addFours(e, target, sums[0], codes(col, columns.lanes))};
    })[0];
    Value sum = e.op<vector::ReductionOp>(vector::CombiningKind::ADD, sums);
    if (!columns.tail)
      return sum;
    Value none = e.constant(VectorType::get({columns.tail / 4}, e.intType(32)), 0);
    Value rest = addFours(e, target, none, columns.onlyNew(e, codes(e.index(columns.tailColumn()), columns.tail)));
    return e.add(sum, e.op<vector::ReductionOp>(vector::CombiningKind::ADD, rest));
  }
  /// Positions first, in vectors if they can be, then entries one by one.
  Value codesApart(Emitter &e, const TargetDesc &target, const RowContext &context, const ByteTable &entries,
                   Positions positions) const {
    forColumns(e, target, cols, isFast(), 8, [&](Value col, int64_t lanes) {
      e.store(positions(col, lanes), context.results[0], {context.resultRow, col});
    });
    return e.loop(cols, e.constant(e.intType(32), 0), [&](Value col, ValueRange sum) {
      Value code = entries.lookup(e, e.load(context.results[0], {context.resultRow, col}));
      e.store(code, context.results[0], {context.resultRow, col});
      return Values{e.add(sum[0], e.zext(code, 32))};
    })[0];
  }
};

/// A piece is what one lookup takes. The sums of codes are carried; a row's largest score must be known.
class SoftmaxPieces : public RowPieces {
public:
  SoftmaxPieces(const Softmax &op, const TargetDesc &target) : op(op), target(target), step(target.vectorBits / 32) {}

  int64_t columns() const override { return ByteTable::lanesOf(target); }
  int64_t pauses() const override { return columns() / step; }
  void start(Emitter &e, const RowContext &context) override {
    constants = op.shortDistances->start(e, context);
    entries.emplace(e, target, Blob::view(e, context.blob, op.table), Values{e.index(0)}, /*signedCodes=*/false);
  }
  Value survey(Emitter &e, const RowContext &context) override { return rowMaximum(e, target, context, op.cols); }
  Value startRow(Emitter &e, Value top) override {
    row = ShortDistances::startRow(e, constants, top);
    return e.constant(VectorType::get({step}, e.intType(32)), 0);
  }
  Value emit(Emitter &e, const RowContext &context, Value sums, Value col, function_ref<void()> pause) override {
    return addFours(e, target, sums, codes(e, context, col, columns(), pause));
  }
  void finishRow(Emitter &e, const RowContext &context, Value sums, function_ref<void()> pause) override {
    const Columns all = Columns::of(target, op.cols, 8, context.room);
    if (all.tail) {
      Value rest = all.onlyNew(e, codes(e, context, e.index(all.tailColumn()), all.tail, pause));
      // As many lanes as a piece has, so that one reduction does.
      Value none = e.constant(VectorType::get({columns()}, e.intType(8)), 0);
      rest = e.op<vector::InsertStridedSliceOp>(rest, none, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
      sums = addFours(e, target, sums, rest);
    }
    e.store(e.op<vector::ReductionOp>(vector::CombiningKind::ADD, sums), context.results[1], context.resultRow);
  }

private:
  Value codes(Emitter &e, const RowContext &context, Value col, int64_t lanes, function_ref<void()> pause) {
    const int64_t count = std::min(lanes, step);
    Values products;
    for (int64_t lane = 0; lane < lanes; lane += count) {
      Value x = e.load(context.primary, {context.primaryRow, e.indexAdd(col, lane)}, count);
      products.push_back(ShortDistances::lanes(e, row, x));
      pause();
    }
    Value codes = entries->lookup(e, entries->topBytes(e, e.join(products)));
    e.store(codes, context.results[0], {context.resultRow, col});
    return codes;
  }

  const Softmax &op;
  const TargetDesc &target;
  /// Lanes of scores.
  int64_t step;
  ShortDistances::Constants constants;
  ShortDistances::RowConstants row;
  std::optional<ByteTable> entries;
};

/// code = 2^top >> min(15, distance), sum of the codes
struct SoftmaxLog2 : SoftmaxRow {
  Slot largest;

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    Value top = rowMaximum(e, target, context, cols), first = Blob::load(e, context.blob, largest, 32);
    auto codes = [&](Value col, int64_t lanes) {
      Value octaves = e.trunc(distances(e, context, top, col, lanes, 15), 32);
      Value code = e.srl(e.splatLike(first, octaves), octaves);
      e.store(e.trunc(code, 16), context.results[0], {context.resultRow, col});
      return code;
    };
    const Columns columns = rescale.isFast() ? Columns::of(target, cols, 32) : Columns{cols, 1, cols, 0};
    Value zero = e.constant(Emitter::lanesOf(e.intType(32), columns.lanes), 0);
    Value sum = e.loop(e.index(0), e.index(columns.whole), columns.lanes, zero,
                       [&](Value col, ValueRange sum) { return Values{e.add(sum[0], codes(col, columns.lanes))}; })[0];
    auto total = [&](Value x) { return e.op<vector::ReductionOp>(vector::CombiningKind::ADD, x); };
    if (columns.vectors())
      sum = total(sum);
    if (columns.tail)
      sum = e.add(sum, total(columns.onlyNew(e, codes(e.index(cols - columns.tail), columns.tail))));
    e.store(sum, context.results[1], context.resultRow);
  }
};

/// code = entry of the distance within its octave, shifted by its octaves; sum of the codes
struct SoftmaxOctave : SoftmaxRow {
  Slot entries;

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    Value top = rowMaximum(e, target, context, cols);
    // Distances first, in vectors if they can be, then codes one by one.
    forColumns(e, target, cols, rescale.isFast(), 16, [&](Value col, int64_t lanes) {
      Value distance = distances(e, context, top, col, lanes, numerics::kLastOctaveDistance);
      e.store(e.trunc(distance, 16), context.results[0], {context.resultRow, col});
    });
    Value octave = Blob::view(e, context.blob, entries);
    Value sum = e.loop(cols, e.constant(e.intType(32), 0), [&](Value col, ValueRange sum) {
      Value distance = e.zext(e.load(context.results[0], {context.resultRow, col}), 32);
      Value within = e.op<arith::AndIOp>(distance, e.like(distance, numerics::kOctaveSteps - 1));
      Value shift = e.srl(distance, e.like(distance, llvm::Log2_32(numerics::kOctaveSteps)));
      Value entry = e.zext(e.load(octave, e.toIndexUnsigned(within)), 32);
      Value one = e.like(distance, 1), half = e.srl(e.shl(one, shift), one);
      Value code = e.srl(e.add(entry, half), shift);
      e.store(e.trunc(code, 16), context.results[0], {context.resultRow, col});
      return Values{e.add(sum[0], code)};
    })[0];
    e.store(sum, context.results[1], context.resultRow);
  }
};

/// code = min((E * floor(M / min(sum of E, M))) >> shift, top), M = 2^m - 1
/// (numerics::shiftmaxRow).
struct Shiftmax : RowOp {
  Slot numerator, shift;
  /// The largest code: those below 8 bits do not fill the bytes that hold them.
  int64_t largest = 0;

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    const unsigned width = widthOf(context.results[0]);
    Value top = rowMaximum(e, target, context, cols);
    Value most = Blob::load(e, context.blob, numerator, 64);
    // Both addends are below 2^62.
    Value sum = e.loop(cols, e.constant(e.intType(64), 0), [&](Value col, ValueRange sum) {
      return Values{e.umin(e.add(sum[0], exponential(e, context, top, col)), most)};
    })[0];
    Value factor = e.divu(most, sum);
    Value amount = Blob::load(e, context.blob, shift, 64);
    e.loop(cols, [&](Value col) {
      Value code = e.srl(e.mul(exponential(e, context, top, col), factor), amount);
      code = e.umin(code, e.like(code, largest));
      e.store(e.trunc(code, width), context.results[0], {context.resultRow, col});
    });
  }
  /// E of an element in 64 bits; it is formed twice, for the sum and for the code.
  virtual Value exponential(Emitter &e, const RowContext &context, Value top, Value col) const = 0;
};

/// The distance of 8-bit codes to their maximum is one of 256.
struct Shiftmax8 : Shiftmax {
  Slot exponentials;

  Value exponential(Emitter &e, const RowContext &context, Value top, Value col) const override {
    Value distance = e.sub(top, e.load(context.primary, {context.primaryRow, col}));
    return e.load(Blob::view(e, context.blob, exponentials), e.toIndexUnsigned(distance));
  }
};

/// numerics::shiftExp of a distance of 32 bits.
struct Shiftmax32 : Shiftmax {
  Slot octave, bits, furthest;

  Value exponential(Emitter &e, const RowContext &context, Value top, Value col) const override {
    Value a = e.sub(e.sext(e.load(context.primary, {context.primaryRow, col}), 64), e.sext(top, 64));
    // p = log2(e) * a as -p >= 0, limited to `bits` octaves.
    Value p = e.sub(e.sra(a, 4), e.add(a, e.sra(a, 1)));
    p = e.smin(p, Blob::load(e, context.blob, furthest, 64));
    Value width = Blob::load(e, context.blob, octave, 64);
    Value q = e.divu(p, width);
    Value mantissa = e.sub(e.add(e.mul(q, width), e.shl(width, 1)), p);
    // At most 2^31 * 2^30: half of it after the shift instead of one place less.
    Value shifted = e.shl(mantissa, e.sub(Blob::load(e, context.blob, bits, 64), q));
    return e.srl(shifted, e.like(shifted, 1));
  }
};

} // namespace

std::unique_ptr<RowPieces> Softmax::pieces(const TargetDesc &target, int64_t room, int64_t sharing) const {
  const int64_t lanes = ByteTable::lanesOf(target), step = target.vectorBits / 32;
  // Other lookups take many registers.
  if (target.byteLookup != ByteLookup::Permute128 || target.emulateDot || !shortDistances ||
      !shortDistances->isSharedBy(sharing) || room < (cols + step - 1) / step * step ||
      Columns::of(target, cols, 8, room).whole != cols / lanes * lanes)
    return nullptr;
  return std::make_unique<SoftmaxPieces>(*this, target);
}

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

std::optional<ShortDistances> ShortDistances::of(Blob &blob, DyadicAttr by, ChannelMap map) {
  std::vector<int32_t> factors, furthest;
  for (auto [multiplier, shift] : llvm::zip_equal(by.getMultipliers(), by.getShifts())) {
    const auto distance = numerics::ShortDistance::of({multiplier, shift});
    if (!distance)
      return std::nullopt;
    factors.push_back(static_cast<int32_t>(distance->factor));
    furthest.push_back(static_cast<int32_t>(distance->furthest));
  }
  ShortDistances distances;
  distances.factors = blob.array(factors);
  distances.furthest = blob.array(furthest);
  distances.map = map;
  return distances;
}

static std::unique_ptr<RowOp> makeSoftmax(SoftmaxOp op, const RowBuilder &build) {
  std::unique_ptr<SoftmaxRow> row;
  StringRef name = "softmax";
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getInput().getType()).getShape();
  const ChannelMap map = ChannelMap::of(op.getBy(), shape, 1);
  std::optional<numerics::DistanceTable> table = op.getAlgorithm().getDistanceCodes(codeOf(op.getCodes()).bits);
  if (table) {
    auto bytes = std::make_unique<Softmax>();
    bytes->table = bytes->blob.array(ArrayRef<uint8_t>(*table));
    bytes->shortDistances = ShortDistances::of(bytes->blob, op.getBy(), map);
    row = std::move(bytes);
  } else if (auto octave = dyn_cast<ExpOctaveAttr>(op.getAlgorithm())) {
    auto words = std::make_unique<SoftmaxOctave>();
    words->entries = words->blob.array(ArrayRef(llvm::to_vector(octave.getEntries().getValues<int16_t>())));
    row = std::move(words);
    name = "softmax_octave";
  } else {
    auto powers = std::make_unique<SoftmaxLog2>();
    powers->largest = powers->blob.scalar(op.getAlgorithm().getLargestCode(codeOf(op.getCodes()).bits));
    row = std::move(powers);
    name = "softmax_log2";
  }
  build.shape(*row, name, op.getInput(), false);
  row->rescale = Rescale(build.module.target, row->blob, op.getBy(), Rounding::HalfUp, 31, map);
  build.result(*row, op.getCodes());
  build.result(*row, op.getSums(), /*perRow=*/true);
  return row;
}

static std::unique_ptr<RowOp> makeShiftmax(ShiftmaxOp op, const RowBuilder &build) {
  const auto step = static_cast<int64_t>(op.getExponentStep());
  const auto bits = static_cast<unsigned>(op.getFractionBits());
  std::unique_ptr<Shiftmax> row;
  Blob blob;
  if (widthOf(op.getInput()) == 8) {
    auto narrow = std::make_unique<Shiftmax8>();
    std::vector<int64_t> exponentials;
    for (int64_t d = 0; d < numerics::kDistances; ++d)
      exponentials.push_back(numerics::shiftExp(-d, step, bits));
    narrow->exponentials = blob.array(exponentials);
    row = std::move(narrow);
  } else {
    auto wide = std::make_unique<Shiftmax32>();
    wide->octave = blob.scalar(-step);
    wide->bits = blob.scalar(bits);
    wide->furthest = blob.scalar(-step * bits);
    row = std::move(wide);
  }
  row->numerator = blob.scalar((int64_t(1) << op.getReciprocalBits()) - 1);
  row->shift = blob.scalar(static_cast<int64_t>(op.getReciprocalBits() - op.getResultBits() + 1));
  row->largest = codeOf(op.getResult()).max();
  row->blob = std::move(blob);
  build.shape(*row, "shiftmax", op.getInput(), false);
  build.result(*row, op.getResult());
  return row;
}

std::unique_ptr<RowOp> vitq::kernels::makeSoftmaxRowOp(Operation *op, const RowBuilder &build) {
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return makeSoftmax(softmax, build);
  if (auto shiftmax = dyn_cast<ShiftmaxOp>(op))
    return makeShiftmax(shiftmax, build);
  return nullptr;
}
