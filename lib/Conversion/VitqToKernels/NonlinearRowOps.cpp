//===- NonlinearRowOps.cpp - Tables, softmax, layer norm -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions of 8-bit values, and of an 8-bit value and its row's maximum, are
// tables that lib/Numerics computes now: the kernels only look up.
//
//===----------------------------------------------------------------------===//

#include "RowOpsDetail.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/Requantize.h"
#include "vitq/Numerics/Softmax.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

/// Position of an 8-bit value in its range: x, or x + 128 when signed.
static Value tableIndex8(Emitter &e, Value x, bool isUnsigned) {
  return isUnsigned ? x : e.op<arith::XOrIOp>(x, e.like(x, -128));
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

namespace {

/// y = table[x], or table[index[c]][x]
struct Table : RowOp {
  bool inputUnsigned, indexed;

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &at) const override {
    e.loop(cols, [&](Value col) {
      Value i = e.toIndexUnsigned(tableIndex8(e, e.load(at.primary, {at.primaryRow, col}), inputUnsigned));
      Values where{i};
      if (indexed)
        where.insert(where.begin(), e.toIndexUnsigned(e.load(at.operands[1], col)));
      e.store(e.load(at.operands[0], where), at.results[0], {at.resultRow, col});
    });
  }
};

/// Linear interpolation between the entries of a table (numerics::interpolate).
struct Interpolate : RowOp {
  Slot start, shift;
  Rescale tail;

  void emitRow(Emitter &e, const TargetDesc &, const RowContext &at) const override {
    Value first = Blob::load(e, at.blob, start, 32), amount = Blob::load(e, at.blob, shift, 32);
    Value interval = e.shl(e.like(amount, 1), amount), half = e.srl(interval, e.like(amount, 1));
    Value last = e.add(e.shl(interval, 10), -1);
    const Clamp clamp{16, false, {}, {}};
    e.loop(cols, [&](Value col) {
      Value x = e.sext(e.load(at.primary, {at.primaryRow, col}), 32);
      Value distance = e.sub(x, first);
      // Below the table this is the first entry, as nothing is left of it.
      Value inside = e.clamp(distance, e.like(distance, 0), last);
      Value i = e.sra(inside, amount), fraction = e.sub(inside, e.shl(i, amount));
      Value at0 = e.toIndex(i);
      Value low = e.sext(e.load(at.operands[0], at0), 32);
      Value high = e.sext(e.load(at.operands[0], e.indexAdd(at0, 1)), 32);
      Value y = e.add(low, e.sra(e.add(e.mul(e.sub(high, low), fraction), half), amount));
      Value identity = clamp.apply(e, at.blob, tail.apply(e, at.blob, x, at.row, col));
      Value above = e.cmp(arith::CmpIPredicate::sgt, distance, last);
      e.store(e.select(above, identity, e.trunc(y, 16)), at.results[0], {at.resultRow, col});
    });
  }
};

/// y = table[max of the row][x], both as positions in the range
struct Gelu : RowOp {
  bool inputUnsigned;
  Slot table;

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &at) const override {
    Value zero = e.constant(e.intType(8), 0);
    Value top = e.loop(cols, zero, [&](Value col, ValueRange best) {
      Value i = tableIndex8(e, e.load(at.primary, {at.primaryRow, col}), inputUnsigned);
      return Values{e.op<arith::MaxUIOp>(best[0], i)};
    })[0];
    Value base = e.mul(e.toIndexUnsigned(top), 256);
    Value entries = Blob::view(e, at.blob, table);
    e.loop(cols, [&](Value col) {
      Value i = e.toIndexUnsigned(tableIndex8(e, e.load(at.primary, {at.primaryRow, col}), inputUnsigned));
      e.store(e.load(entries, e.add(base, i)), at.results[0], {at.resultRow, col});
    });
  }
};

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// code = table[min(255, rescale(min(max - x, 2^31 - 1)))], sum of the codes
struct Softmax : RowOp {
  Rescale rescale;
  Slot table;

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &at) const override {
    Value lowest = e.constant(e.intType(32), INT32_MIN);
    Value top = e.loop(cols, lowest, [&](Value col, ValueRange best) {
      return Values{e.smax(best[0], e.load(at.primary, {at.primaryRow, col}))};
    })[0];
    forColumns(e, target, cols, rescale.isFast(), 8, [&](Value col, int64_t lanes) {
      Value x = e.load(at.primary, {at.primaryRow, col}, lanes);
      // The difference is an unsigned 32-bit number.
      Value difference = e.sub(e.splatLike(top, x), x);
      difference = e.umin(difference, e.like(difference, INT32_MAX));
      Value distance = rescale.apply(e, at.blob, difference, at.row, col);
      distance = e.clamp(distance, e.like(distance, 0), e.like(distance, 255));
      e.store(e.trunc(distance, 8), at.results[0], {at.resultRow, col});
    });
    Value entries = Blob::view(e, at.blob, table);
    Value sum = e.loop(cols, e.constant(e.intType(32), 0), [&](Value col, ValueRange sum) {
      Value code = e.load(entries, e.toIndexUnsigned(e.load(at.results[0], {at.resultRow, col})));
      e.store(code, at.results[0], {at.resultRow, col});
      return Values{e.add(sum[0], e.zext(code, 32))};
    })[0];
    e.store(sum, at.results[1], at.resultRow);
  }
};

/// code = min((E * floor(M / min(sum of E, M))) >> shift, top), M = 2^m - 1
/// (numerics::shiftmaxRow).
struct Shiftmax : RowOp {
  Slot numerator, shift;

  void emitRow(Emitter &e, const TargetDesc &, const RowContext &at) const override {
    const unsigned width = widthOf(at.results[0]);
    Value lowest = e.constant(elementOf(at.primary), widthOf(at.primary) == 8 ? INT8_MIN : INT32_MIN);
    Value top = e.loop(cols, lowest, [&](Value col, ValueRange best) {
      return Values{e.smax(best[0], e.load(at.primary, {at.primaryRow, col}))};
    })[0];
    Value most = Blob::load(e, at.blob, numerator, 64);
    // Both addends are below 2^62.
    Value sum = e.loop(cols, e.constant(e.intType(64), 0), [&](Value col, ValueRange sum) {
      return Values{e.umin(e.add(sum[0], exponential(e, at, top, col)), most)};
    })[0];
    Value factor = e.divu(most, sum);
    Value amount = Blob::load(e, at.blob, shift, 64);
    e.loop(cols, [&](Value col) {
      Value code = e.srl(e.mul(exponential(e, at, top, col), factor), amount);
      code = e.umin(code, e.like(code, (int64_t(1) << (width - 1)) - 1));
      e.store(e.trunc(code, width), at.results[0], {at.resultRow, col});
    });
  }
  /// E of an element in 64 bits; it is formed twice, for the sum and for the code.
  virtual Value exponential(Emitter &e, const RowContext &at, Value top, Value col) const = 0;
};

/// The distance of 8-bit codes to their maximum is one of 256.
struct Shiftmax8 : Shiftmax {
  Slot exponentials;

  Value exponential(Emitter &e, const RowContext &at, Value top, Value col) const override {
    Value distance = e.sub(top, e.load(at.primary, {at.primaryRow, col}));
    return e.load(Blob::view(e, at.blob, exponentials), e.toIndexUnsigned(distance));
  }
};

/// numerics::shiftExp of a distance of 32 bits.
struct Shiftmax32 : Shiftmax {
  Slot octave, bits, furthest;

  Value exponential(Emitter &e, const RowContext &at, Value top, Value col) const override {
    Value a = e.sub(e.sext(e.load(at.primary, {at.primaryRow, col}), 64), e.sext(top, 64));
    // p = log2(e) * a as -p >= 0, limited to `bits` octaves.
    Value p = e.sub(e.sra(a, 4), e.add(a, e.sra(a, 1)));
    p = e.smin(p, Blob::load(e, at.blob, furthest, 64));
    Value width = Blob::load(e, at.blob, octave, 64);
    Value q = e.divu(p, width);
    Value mantissa = e.sub(e.add(e.mul(q, width), e.shl(width, 1)), p);
    // At most 2^31 * 2^30: half of it after the shift instead of one place less.
    Value shifted = e.shl(mantissa, e.sub(Blob::load(e, at.blob, bits, 64), q));
    return e.srl(shifted, e.like(shifted, 1));
  }
};

//===----------------------------------------------------------------------===//
// Layer normalization
//===----------------------------------------------------------------------===//

struct LayerNorm : RowOp {
  bool inputUnsigned, uniformShift;
  Slot eps, zeroPoint, offsets, multipliers, shifts;
  std::optional<Slot> postOffsets;
  Clamp clamp;
  func::FuncOp squareRoot;

  Value input(Emitter &e, const RowContext &at, Value col) const {
    return e.extend(e.load(at.primary, {at.primaryRow, col}), 32, inputUnsigned);
  }
  /// Sum of the row in `width` bits.
  Value sumOf(Emitter &e, const RowContext &at, unsigned width) const {
    return e.loop(cols, e.constant(e.intType(width), 0), [&](Value col, ValueRange sum) {
      return Values{e.add(sum[0], e.sext(input(e, at, col), width))};
    })[0];
  }
  Value shiftOf(Emitter &e, const RowContext &at, Value col) const {
    Value view = Blob::view(e, at.blob, shifts);
    return e.load(view, uniformShift ? e.index(0) : col);
  }
};

/// Exact statistics (docs/Numerics.md "newton").
struct ExactLayerNorm : LayerNorm {
  void emitRow(Emitter &e, const TargetDesc &, const RowContext &at) const override {
    Type i64 = e.intType(64);
    Value sum = sumOf(e, at, 32); // below 2^28 where V << 12 fits 64 bits
    Value squares = e.loop(cols, e.constant(i64, 0), [&](Value col, ValueRange acc) {
      Value x = input(e, at, col);
      return Values{e.add(acc[0], e.zext(e.mul(x, x), 64))}; // at most 2^32 - 1
    })[0];
    Value sum64 = e.sext(sum, 64);
    Value variance = e.sub(e.mul(squares, cols), e.mul(sum64, sum64));
    variance = e.add(variance, Blob::load(e, at.blob, eps, 64));
    Value scaled = e.shl(variance, 12);
    Value root = func::CallOp::create(e.b, e.loc, squareRoot, scaled).getResult(0);
    Value factor = e.divu(e.constant(i64, int64_t(1) << 46), root);

    Value m = Blob::view(e, at.blob, multipliers), offset = Blob::view(e, at.blob, offsets);
    e.loop(cols, [&](Value col) {
      Value centred = e.sub(e.mul(input(e, at, col), cols), sum);
      Value y = e.sra(e.add(e.mul(e.sext(centred, 64), factor), int64_t(1) << 25), 26);
      // |y| < 2^20: saying so lets the next product be one of 32-bit numbers.
      y = e.sext(e.trunc(y, 32), 64);
      Value p = e.add(e.mul(y, e.sext(e.load(m, col), 64)), e.load(offset, col));
      Value out = Rescale::roundShift(e, p, e.sext(shiftOf(e, at, col), 64), Rounding::HalfUp);
      e.store(finishSum(e, at.blob, out, zeroPoint, clamp), at.results[0], {at.resultRow, col});
    });
  }
};

/// I-LayerNorm (docs/Numerics.md "ivit", bit-length start).
struct ShiftLayerNorm : LayerNorm {
  Rounding rounding;
  explicit ShiftLayerNorm(Rounding rounding) : rounding(rounding) {}

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
  void emitRow(Emitter &e, const TargetDesc &, const RowContext &at) const override {
    Type i64 = e.intType(64);
    Value mean = e.trunc(meanOf(e, sumOf(e, at, 64)), 32);
    auto centred = [&](Value col) { return e.sext(e.sub(input(e, at, col), mean), 64); };
    Value variance = e.loop(cols, e.constant(i64, 0), [&](Value col, ValueRange acc) {
      Value y = centred(col);
      return Values{e.add(acc[0], e.mul(y, y))};
    })[0];
    Value root = func::CallOp::create(e.b, e.loc, squareRoot, variance).getResult(0);
    Value factor = e.divu(e.constant(i64, INT32_MAX), root);

    Value m = Blob::view(e, at.blob, multipliers), offset = Blob::view(e, at.blob, offsets);
    e.loop(cols, [&](Value col) {
      Value y = e.add(e.sra(e.mul(centred(col), factor), 1), e.load(offset, col));
      y = e.clamp(y, e.like(y, INT32_MIN), e.like(y, INT32_MAX));
      Value p = e.mul(y, e.sext(e.load(m, col), 64));
      Value out = Rescale::roundShift(e, p, e.sext(shiftOf(e, at, col), 64), rounding);
      if (postOffsets)
        out = e.add(out, e.load(Blob::view(e, at.blob, *postOffsets), col));
      e.store(finishSum(e, at.blob, out, zeroPoint, clamp), at.results[0], {at.resultRow, col});
    });
  }
};

} // namespace

/// 2^ceil(bitLength(v) / 2)
static Value newtonStart(Emitter &e, Value v) {
  Value zeros = e.op<LLVM::CountLeadingZerosOp>(v.getType(), v, e.b.getBoolAttr(false));
  Value half = e.op<arith::ShRUIOp>(e.sub(e.like(v, 65), zeros), e.like(v, 1));
  return e.shl(e.like(v, 1), half);
}

/// floor(sqrt(v)) for v >= 1: the iterates fall until they reach it.
static func::FuncOp exactSquareRoot(Location loc, KernelModule &module, Type i64) {
  return module.function(loc, "isqrt", "", i64, i64, [&](Emitter &e, ValueRange in) {
    Value v = in[0];
    auto step = [&](Value k) { return e.srl(e.add(k, e.divu(v, k)), e.like(k, 1)); };
    auto loop = scf::WhileOp::create(
        e.b, e.loc, TypeRange{i64}, ValueRange{newtonStart(e, v)},
        [&](OpBuilder &b, Location at, ValueRange k) {
          Value next = step(k[0]);
          Value smaller = e.cmp(arith::CmpIPredicate::ult, next, k[0]);
          scf::ConditionOp::create(b, at, smaller, e.select(smaller, next, k[0]));
        },
        [&](OpBuilder &b, Location at, ValueRange k) { scf::YieldOp::create(b, at, k); });
    func::ReturnOp::create(e.b, e.loc, loop.getResults());
  });
}

/// numerics::newtonSqrt(v, newtonStart(v), 10)
static func::FuncOp tenStepSquareRoot(Location loc, KernelModule &module, Type i64) {
  return module.function(loc, "newton_sqrt", "10", i64, i64, [&](Emitter &e, ValueRange in) {
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
// Construction
//===----------------------------------------------------------------------===//

/// The tables of `op`, constant ones as a power of two of them: ops that differ in
/// their number, which are as many as there are scales, then mostly share a kernel.
static Value tablesOf(TableOp op, const RowBuilder &build) {
  auto type = cast<ShapedType>(op.getTable().getType());
  std::optional<std::vector<char>> bytes = constantBytesOf(op.getTable());
  if (!op.getIndex() || !bytes)
    return build.memrefOf(op.getTable());
  const auto count = static_cast<int64_t>(llvm::PowerOf2Ceil(type.getShape()[0]));
  auto padded = MemRefType::get({count, 256}, type.getElementType());
  bytes->resize(byteCount(padded));
  return build.module.constant(op.getLoc(), *bytes, padded);
}

static std::unique_ptr<RowOp> makeTable(TableOp op, const RowBuilder &build) {
  auto row = std::make_unique<Table>();
  row->indexed = static_cast<bool>(op.getIndex());
  row->inputUnsigned = op.getInputUnsigned();
  build.shape(*row, "table", op.getInput(), !row->indexed);
  row->operands.push_back(tablesOf(op, build));
  if (row->indexed) {
    std::optional<std::vector<char>> index = constantBytesOf(op.getIndex());
    const int64_t tables = cast<ShapedType>(op.getTable().getType()).getShape()[0];
    if (!index || llvm::any_of(*index, [&](char t) { return static_cast<uint8_t>(t) >= tables; })) {
      op.emitOpError("the index must be a constant below ") << tables << ", the number of tables";
      return nullptr;
    }
    row->operands.push_back(build.memrefOf(op.getIndex()));
  }
  row->key = row->inputUnsigned ? "u" : "s";
  build.result(*row, op.getResult());
  return row;
}

static std::unique_ptr<RowOp> makeInterpolate(InterpolateOp op, const RowBuilder &build) {
  auto row = std::make_unique<Interpolate>();
  build.shape(*row, "interpolate", op.getInput(), true);
  row->start = row->blob.scalar(op.getStart());
  row->shift = row->blob.scalar(op.getShift());
  row->tail = Rescale(row->blob, op.getTailBy(), Rounding::HalfUp, 15, {});
  row->operands.push_back(build.memrefOf(op.getTable()));
  row->key = row->tail.key();
  build.result(*row, op.getResult());
  return row;
}

/// One entry per maximum of the row and value below it, in units of the result.
template <typename T>
static std::vector<T> geluTable(GeluOp op, const Clamp &clamp) {
  std::vector<T> table(256 * 256);
  const int64_t first = (op.getInputUnsigned() ? 0 : -128) - static_cast<int64_t>(op.getInputZeroPoint());
  const numerics::Dyadic by{op.getBy().multiplier(0), op.getBy().shift(0)};
  const auto rounding = static_cast<numerics::Rounding>(op.getRounding());
  std::vector<int32_t> in(256), out(256);
  for (int32_t m = 0; m < 256; ++m) {
    for (int32_t i = 0; i <= m; ++i)
      in[i] = static_cast<int32_t>(first + i);
    numerics::shiftGeluRow(in.data(), out.data(), m + 1, op.getExponentStep(), op.getFractionBits(),
                           op.getReciprocalBits(), 8);
    for (int32_t i = 0; i <= m; ++i)
      table[m * 256 + i] = static_cast<T>(
          numerics::requantize(out[i], by, rounding, op.getZeroPoint(), clamp.literalLo(), clamp.literalHi()));
  }
  return table;
}

static std::unique_ptr<RowOp> makeGelu(GeluOp op, const RowBuilder &build) {
  auto row = std::make_unique<Gelu>();
  build.shape(*row, "gelu", op.getInput(), false);
  row->inputUnsigned = op.getInputUnsigned();
  const Clamp clamp{widthOf(op.getResult()), op.getResultUnsigned(), {}, {}};
  row->table = clamp.width == 8 ? row->blob.array(geluTable<uint8_t>(op, clamp))
                                : row->blob.array(geluTable<uint16_t>(op, clamp));
  row->key = row->inputUnsigned ? "u" : "s";
  build.result(*row, op.getResult());
  return row;
}

static std::unique_ptr<RowOp> makeSoftmax(SoftmaxOp op, const RowBuilder &build) {
  auto row = std::make_unique<Softmax>();
  build.shape(*row, "softmax", op.getInput(), false);
  ArrayRef<int64_t> shape = cast<ShapedType>(op.getInput().getType()).getShape();
  row->rescale = Rescale(row->blob, op.getBy(), Rounding::HalfUp, 31, ChannelMap::of(op.getBy(), shape, 1));
  std::vector<uint8_t> table(256);
  if (op.getAlgorithm() == SoftmaxAlgorithm::Shift) {
    auto entries = numerics::softmaxShiftTable({static_cast<int64_t>(*op.getExponentStep()),
                                                static_cast<unsigned>(*op.getFractionBits()),
                                                static_cast<unsigned>(*op.getCodeShift())});
    llvm::copy(entries, table.begin());
  } else if (auto bytes = constantBytesOf(op.getTable())) {
    llvm::copy(*bytes, table.begin());
  } else {
    op.emitOpError("the table must be a constant");
    return nullptr;
  }
  row->table = row->blob.array(table);
  row->key = row->rescale.key();
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
    for (int64_t d = 0; d < 256; ++d)
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
  row->blob = std::move(blob);
  build.shape(*row, "shiftmax", op.getInput(), false);
  build.result(*row, op.getResult());
  return row;
}

static std::unique_ptr<RowOp> makeLayerNorm(LayerNormOp op, const RowBuilder &build) {
  const bool exact = op.getAlgorithm() == NormAlgorithm::Exact;
  std::unique_ptr<LayerNorm> row;
  if (exact)
    row = std::make_unique<ExactLayerNorm>();
  else
    row = std::make_unique<ShiftLayerNorm>(op.getRounding());
  build.shape(*row, "layer_norm", op.getInput(), false);
  Type i64 = IntegerType::get(op.getContext(), 64);
  row->squareRoot =
      exact ? exactSquareRoot(op.getLoc(), build.module, i64) : tenStepSquareRoot(op.getLoc(), build.module, i64);
  row->inputUnsigned = op.getInputUnsigned();
  row->uniformShift = llvm::all_equal(op.getBy().getShifts());
  row->eps = row->blob.scalar(op.getEps());
  row->zeroPoint = row->blob.scalar(op.getZeroPoint());
  row->offsets = row->blob.array(op.getOffsets());
  if (auto post = op.getPostOffsets())
    row->postOffsets = row->blob.array(*post);
  row->multipliers = row->blob.array(op.getBy().getMultipliers());
  row->shifts = row->blob.array(op.getBy().getShifts());
  row->clamp = {widthOf(op.getResult()), op.getResultUnsigned(), {}, {}};
  row->key = (exact ? "e" : "i") + row->clamp.key() + (row->inputUnsigned ? "u" : "s") +
             (row->uniformShift ? "1" : "c") + (row->postOffsets ? "p" : "") +
             std::to_string(static_cast<int>(op.getRounding()));
  build.result(*row, op.getResult());
  return row;
}

std::unique_ptr<RowOp> vitq::kernels::makeNonlinearRowOp(Operation *op, const RowBuilder &build) {
  if (auto table = dyn_cast<TableOp>(op))
    return makeTable(table, build);
  if (auto interpolate = dyn_cast<InterpolateOp>(op))
    return makeInterpolate(interpolate, build);
  if (auto gelu = dyn_cast<GeluOp>(op))
    return makeGelu(gelu, build);
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return makeSoftmax(softmax, build);
  if (auto shiftmax = dyn_cast<ShiftmaxOp>(op))
    return makeShiftmax(shiftmax, build);
  if (auto norm = dyn_cast<LayerNormOp>(op))
    return makeLayerNorm(norm, build);
  return nullptr;
}
