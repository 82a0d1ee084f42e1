//===- TableOps.cpp - Functions that are tables -*- C++ -*-===//
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

#include "ByteTable.h"
#include "RowOpsDetail.h"

#include "vitq/Numerics/Gelu.h"
#include "vitq/Numerics/Requantize.h"
#include "vitq/Numerics/Table.h"
#include "vitq/Support/Constants.h"
#include "vitq/Tensor/Moves.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

namespace {

/// A row in the split table that begins at byte `first` of `bytes`.
void lookUpWords(Emitter &e, const TargetDesc &target, const RowContext &context, Value bytes, Value first,
                 int64_t cols, bool signedCodes) {
  const WordTable entries(e, target, bytes, first, signedCodes);
  forColumns(e, target, cols, true, 8, [&](Value col, int64_t lanes) {
    Value codes = e.load(context.primary, {context.primaryRow, col}, lanes);
    e.store(entries.lookup(e, codes), context.results[0], {context.resultRow, col});
  });
}

/// y = table[x]
struct Table : RowOp {
  bool inputUnsigned;
  /// A constant table of words, split.
  std::optional<Slot> words;

  bool joinsRows() const override { return true; }
  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    if (widthOf(context.results[0]) == 8)
      return lookUp(e, target, context, {e.index(0)});
    if (words)
      return lookUpWords(e, target, context, Blob::view(e, context.blob, *words), e.index(0), cols * context.joined,
                         !inputUnsigned);
    e.loop(cols * context.joined, [&](Value col) {
      Value i = e.toIndexUnsigned(tablePosition(e, e.load(context.primary, {context.primaryRow, col}), inputUnsigned));
      e.store(e.load(context.operands[0], i), context.results[0], {context.resultRow, col});
    });
  }
  /// The whole row in the 256 bytes at `table` of operand 0.
  void lookUp(Emitter &e, const TargetDesc &target, const RowContext &context, const Values &table) const {
    ByteTable entries(e, target, context.operands[0], table, !inputUnsigned);
    forColumns(e, target, cols * context.joined, ByteTable::lanesOf(target) > 1, 8, [&](Value col, int64_t lanes) {
      Value codes = e.load(context.primary, {context.primaryRow, col}, lanes);
      e.store(entries.lookup(e, codes), context.results[0], {context.resultRow, col});
    });
  }
};

/// y = table[index[c]][x]. Where most columns share a table, all are looked up in
/// it, and those of other tables once more: their numbers are data.
struct IndexedTable : Table {
  Slot common;
  std::optional<Slot> others;

  bool joinsRows() const override { return false; }
  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    auto own = [&](Value col) {
      Value i = e.toIndexUnsigned(tablePosition(e, e.load(context.primary, {context.primaryRow, col}), inputUnsigned));
      Value table = e.toIndexUnsigned(e.load(context.operands[1], col));
      e.store(e.load(context.operands[0], {table, i}), context.results[0], {context.resultRow, col});
    };
    if (!others)
      return e.loop(cols, own);
    lookUp(e, target, context, {e.toIndex(Blob::load(e, context.blob, common, 64)), e.index(0)});
    Value columns = Blob::view(e, context.blob, *others);
    e.loop(others->count, [&](Value i) { own(e.toIndex(e.load(columns, i))); });
  }
};

/// Linear interpolation between the entries of a table (numerics::interpolate).
struct Interpolate : RowOp {
  Slot start, shift;
  Rescale tail;

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    Value first = Blob::load(e, context.blob, start, 32), amount = Blob::load(e, context.blob, shift, 32);
    Value interval = e.shl(e.like(amount, 1), amount), half = e.srl(interval, e.like(amount, 1));
    Value last = e.add(e.shl(interval, 10), -1);
    const Clamp clamp{16, {16, /*isUnsigned=*/false, /*zero=*/0}, {}, {}};
    forColumns(e, target, cols, tail.isFast(), 32, [&](Value col, int64_t lanes) {
      Value x = e.sext(e.load(context.primary, {context.primaryRow, col}, lanes), 32);
      Value distance = e.sub(x, e.splatLike(first, x)), steps = e.splatLike(amount, x), end = e.splatLike(last, x);
      // Below the table this is the first entry, as nothing is left of it.
      Value inside = e.clamp(distance, e.like(distance, 0), end);
      Value i = e.sra(inside, steps), fraction = e.sub(inside, e.shl(i, steps));
      Value pair = entriesAt(e, context.operands[0], i, lanes);
      Value low = e.sra(e.shl(pair, 16), 16), high = e.sra(pair, 16);
      Value y = e.add(low, e.sra(e.add(e.mul(e.sub(high, low), fraction), e.splatLike(half, x)), steps));
      Value identity = clamp.apply(e, context.blob, tail.apply(e, context.blob, x, context.row, col));
      Value above = e.cmp(arith::CmpIPredicate::sgt, distance, end);
      e.store(e.select(above, identity, e.trunc(y, 16)), context.results[0], {context.resultRow, col});
    });
  }
  /// Entries i (the lower half) and i + 1.
  static Value entriesAt(Emitter &e, Value table, Value i, int64_t lanes) {
    auto both = [&](Value context) {
      Value pair = e.load(table, e.toIndex(context), 2);
      return e.op<vector::BitCastOp>(VectorType::get({1}, e.intType(32)), pair);
    };
    if (lanes == 1) {
      Value at = e.toIndex(i), low = e.load(table, at), high = e.load(table, e.indexAdd(at, 1));
      return e.op<arith::OrIOp>(e.zext(low, 32), e.shl(e.sext(high, 32), 16));
    }
    Value result = e.like(i, 0);
    for (int64_t lane = 0; lane < lanes; ++lane)
      result = e.op<vector::InsertStridedSliceOp>(both(e.op<vector::ExtractOp>(i, lane)), result,
                                                  ArrayRef<int64_t>{lane}, ArrayRef<int64_t>{1});
    return result;
  }
};

/// y = table[max of the row][x], both as positions in the range
struct Gelu : RowOp {
  bool inputUnsigned, splitWords = false;
  Slot table;

  void emitRow(Emitter &e, const TargetDesc &target, const RowContext &context) const override {
    const Columns columns = Columns::of(target, cols, 8);
    auto position = [&](Value col, int64_t lanes) {
      return tablePosition(e, e.load(context.primary, {context.primaryRow, col}, lanes), inputUnsigned);
    };
    Value zero = e.constant(Emitter::lanesOf(e.intType(8), columns.lanes), 0);
    Value top = reduceColumns(e, columns, zero, [&](Value col, Value, ValueRange best) {
      return Values{e.op<arith::MaxUIOp>(best[0], position(col, columns.lanes))};
    })[0];
    if (columns.vectors())
      top = e.op<vector::ReductionOp>(vector::CombiningKind::MAXUI, top);
    Value entries = Blob::view(e, context.blob, table), number = e.toIndexUnsigned(top);
    if (splitWords)
      return lookUpWords(e, target, context, entries, e.mul(number, 512), cols, !inputUnsigned);
    Value base = e.mul(number, kBytes);
    if (widthOf(entries) != 8)
      return e.loop(cols, [&](Value col) {
        Value i = e.toIndexUnsigned(position(col, 1));
        e.store(e.load(entries, e.add(base, i)), context.results[0], {context.resultRow, col});
      });
    ByteTable ofRow(e, target, entries, {base}, !inputUnsigned);
    forColumns(e, target, cols, ByteTable::lanesOf(target) > 1, 8, [&](Value col, int64_t lanes) {
      Value codes = e.load(context.primary, {context.primaryRow, col}, lanes);
      e.store(ofRow.lookup(e, codes), context.results[0], {context.resultRow, col});
    });
  }
};

} // namespace

//===----------------------------------------------------------------------===//
// Construction
//===----------------------------------------------------------------------===//

/// The constant tables of `op` for bytes: narrow codes have as many entries all the same.
static FailureOr<Tensor> byteTablesOf(TableOp op, const CodeSigns &signs) {
  FailureOr<Tensor> tables = getIntTensor(op.getTable());
  if (succeeded(tables))
    *tables = signs.inMemory(*tables, op.getResult());
  const numerics::Code code = codeOf(op.getInput(), op.getInputCode());
  if (failed(tables) || code.bits == 8)
    return tables;
  const int64_t count = tables->numElements() / code.count();
  std::vector<int32_t> all;
  for (int64_t t = 0; t < count; ++t) {
    std::vector<int32_t> entries;
    for (int64_t i = 0; i < code.count(); ++i)
      entries.push_back(static_cast<int32_t>(tables->intAt(t * code.count() + i)));
    llvm::append_range(all, numerics::widenTable(entries, code));
  }
  SmallVector<int64_t> shape(tables->shape());
  shape.back() = kBytes;
  return Tensor::of<int32_t>(shape, all).converted(tables->kind());
}

FailureOr<std::vector<int64_t>> vitq::kernels::byteTableEntries(TableOp op, const CodeSigns &signs) {
  FailureOr<Tensor> tables = byteTablesOf(op, signs);
  if (failed(tables))
    return failure();
  std::vector<int64_t> entries;
  for (int64_t i = 0; i < tables->numElements(); ++i)
    entries.push_back(tables->intAt(i));
  return entries;
}

/// The tables, several as a power of two of them: ops that differ in their number, which are
/// as many as there are scales, then mostly share a kernel.
static Value tablesOf(TableOp op, const RowBuilder &build) {
  FailureOr<Tensor> tables = byteTablesOf(op, build.module.signs);
  if (failed(tables))
    return codeOf(op.getInput()).bits == 8 ? build.memrefOf(op.getTable()) : Value();
  SmallVector<int64_t> shape(tables->shape());
  if (op.getIndex())
    shape.front() = static_cast<int64_t>(llvm::PowerOf2Ceil(shape.front()));
  auto type = MemRefType::get(shape, elementOf(op.getTable()));
  if (!op.getIndex())
    return build.module.constant(op.getLoc(), tables->raw(), type);
  Tensor filled = vitq::padded(*tables, {0, 0}, shape, /*padding=*/0);
  return build.module.constant(op.getLoc(), filled.raw(), type);
}

/// Sets the table that most columns share, and the list of the others, their number
/// rounded up: blocks of a model differ in it, and their kernels should not.
static void addCommonTable(IndexedTable &row, ArrayRef<uint8_t> index) {
  if (index.size() < 32)
    return;
  std::array<int64_t, kBytes> uses{};
  for (uint8_t table : index)
    ++uses[table];
  const auto common = llvm::max_element(uses) - uses.begin();
  std::vector<int32_t> others;
  for (auto [column, table] : llvm::enumerate(index))
    if (table != common)
      others.push_back(static_cast<int32_t>(column));
  if (others.size() > index.size() / 2)
    return;
  // Repeats do no harm; without others any column will do.
  const int32_t last = others.empty() ? 0 : others.back();
  others.resize(std::max<size_t>(8, llvm::alignTo(others.size(), 8)), last);
  row.common = row.blob.scalar(common);
  row.others = row.blob.array(others);
}

static std::unique_ptr<RowOp> makeTable(TableOp op, const RowBuilder &build) {
  const bool indexed = static_cast<bool>(op.getIndex());
  std::unique_ptr<Table> row = indexed ? std::make_unique<IndexedTable>() : std::make_unique<Table>();
  row->inputUnsigned = op.getInputCode().isUnsigned();
  build.shape(*row, "table", op.getInput(), !indexed);
  Value tables = tablesOf(op, build);
  if (!tables) {
    build.module.refuse(op) << "the table of narrow codes must be a constant";
    return nullptr;
  }
  row->addOperand(op.getTable(), tables);
  if (indexed) {
    FailureOr<Tensor> index = getIntTensor(op.getIndex());
    const int64_t count = cast<ShapedType>(op.getTable().getType()).getShape()[0];
    if (failed(index) || llvm::any_of(index->values<uint8_t>(), [&](uint8_t t) { return t >= count; })) {
      build.module.refuse(op) << "the index must be a constant below " << count << ", the number of tables";
      return nullptr;
    }
    row->addOperand(op.getIndex(), build.memrefOf(op.getIndex()));
    if (widthOf(op.getResult()) == 8 && ByteTable::lanesOf(build.module.target) > 1)
      addCommonTable(static_cast<IndexedTable &>(*row), index->values<uint8_t>());
  }
  FailureOr<Tensor> entries = byteTablesOf(op, build.module.signs);
  if (!indexed && succeeded(entries) && widthOf(op.getResult()) == 16 && ByteTable::lanesOf(build.module.target) > 1) {
    row->words = row->blob.array(WordTable::split(entries->values<uint16_t>()));
    row->operands.clear();
    row->tensors.clear();
  }
  build.result(*row, op.getResult());
  return row;
}

static std::unique_ptr<RowOp> makeInterpolate(InterpolateOp op, const RowBuilder &build) {
  auto row = std::make_unique<Interpolate>();
  build.shape(*row, "interpolate", op.getInput(), true);
  row->start = row->blob.scalar(op.getStart());
  row->shift = row->blob.scalar(op.getShift());
  row->tail = Rescale(build.module.target, row->blob, op.getTailBy(), Rounding::HalfUp, 15, {});
  row->addOperand(op.getTable(), build.memrefOf(op.getTable()));
  build.result(*row, op.getResult());
  return row;
}

/// One entry per maximum of the row and value below it, in units of the result.
template <typename T>
static std::vector<T> geluTable(GeluOp op, const Clamp &clamp) {
  std::vector<T> table(kBytes * kBytes);
  const int64_t first = numerics::Code{8, op.getInputCode().isUnsigned(), op.getInputCode().getZero()}.values().min;
  const numerics::Dyadic by = op.getBy().entry(0);
  const auto rounding = integer::toNumerics(op.getRounding());
  std::vector<int32_t> in(kBytes), out(kBytes);
  for (int32_t m = 0; m < kBytes; ++m) {
    for (int32_t i = 0; i <= m; ++i)
      in[i] = static_cast<int32_t>(first + i);
    numerics::shiftGeluRow(in.data(), out.data(), m + 1, op.getExponentStep(), op.getFractionBits(),
                           op.getReciprocalBits(), 8);
    for (int32_t i = 0; i <= m; ++i)
      table[m * kBytes + i] = static_cast<T>(numerics::requantize(out[i], by, rounding, op.getResultCode().getZero(),
                                                                  clamp.literalLo(), clamp.literalHi()));
  }
  return table;
}

static std::unique_ptr<RowOp> makeGelu(GeluOp op, const RowBuilder &build) {
  auto row = std::make_unique<Gelu>();
  build.shape(*row, "gelu", op.getInput(), false);
  row->inputUnsigned = op.getInputCode().isUnsigned();
  const Clamp clamp = Clamp::of(op.getResult(), op.getResultCode());
  row->splitWords = clamp.width == 16 && ByteTable::lanesOf(build.module.target) > 1;
  if (row->splitWords)
    row->table = row->blob.array(WordTable::split(geluTable<uint16_t>(op, clamp)));
  else
    row->table = clamp.width == 8 ? row->blob.array(geluTable<uint8_t>(op, clamp))
                                  : row->blob.array(geluTable<uint16_t>(op, clamp));
  build.result(*row, op.getResult());
  return row;
}

std::unique_ptr<RowOp> vitq::kernels::makeTableRowOp(Operation *op, const RowBuilder &build) {
  if (auto table = dyn_cast<TableOp>(op))
    return makeTable(table, build);
  if (auto interpolate = dyn_cast<InterpolateOp>(op))
    return makeInterpolate(interpolate, build);
  if (auto gelu = dyn_cast<GeluOp>(op))
    return makeGelu(gelu, build);
  return nullptr;
}
