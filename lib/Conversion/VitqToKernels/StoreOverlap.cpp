//===- StoreOverlap.cpp - Results beside the next products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StoreOverlap.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

namespace {

/// Sums of a tile that wait in memory, [rows, columns of the panel], and what is to be done with them.
struct WaitingSums {
  const TileStore &store;
  int64_t rows, lanes;
  const Panel &panel;
  /// Of the function that is being built: `store.arguments`, the sums, the tile's row of the result, its column.
  ValueRange arguments;
  Value sums, row, firstCol;

  /// Vectors of a row that are stored as one.
  llvm::SmallVector<int64_t> pieces(Emitter &e) const;
  /// Stores `count` vectors of row `r`, from `first` on.
  void emit(Emitter &e, Value r, int64_t first, int64_t count) const;
};

/// Computes what becomes of the sums of one tile between the products of another.
class StoreBeside : public TileCompanion {
public:
  /// `sums`: those that wait; `row`: their first row of the result.
  StoreBeside(const TileStore &store, const Geometry &geometry, const Panel &panel, Value sums, Value row)
      : store(store), geometry(geometry), panel(panel), outside(store.arguments) {
    outside.append({sums, row, panel.first});
  }

  Values arguments() const override { return outside; }
  Values emit(Emitter &e, ValueRange in, TileSums &sums, ValueRange init) override;

private:
  const TileStore &store;
  const Geometry &geometry;
  const Panel &panel;
  Values outside;
};

} // namespace

SmallVector<int64_t> WaitingSums::pieces(Emitter &e) const {
  const unsigned width = widthOf(store.arguments.back());
  SmallVector<int64_t> counts;
  for (int64_t v = 0; v < panel.vectors; v += counts.back())
    counts.push_back(vectorsTogether(e, store, width, lanes, panel.vectors - v));
  return counts;
}

void WaitingSums::emit(Emitter &e, Value r, int64_t first, int64_t count) const {
  Values vectors;
  for (int64_t v = first; v < first + count; ++v)
    vectors.push_back(e.load(sums, {r, e.index(v * lanes)}, lanes));
  Value at = e.add(row, r);
  storeSums(e, store, arguments, vectors, at, at, at, e.indexAdd(firstCol, first * lanes), panel.valid - first * lanes);
}

/// Zero, of which the compiler knows only that it depends on `turn`.
static Value hiddenZero(Emitter &e, Value turn) {
  Type i64 = e.b.getI64Type();
  Values in{e.constant(i64, 0), e.op<arith::IndexCastOp>(i64, turn)};
  auto same = LLVM::InlineAsmOp::create(e.b, e.loc, i64, in, /*asm_string=*/"", /*constraints=*/"=r,0,r",
                                        /*has_side_effects=*/false, /*is_align_stack=*/false, LLVM::TailCallKind::None,
                                        /*asm_dialect=*/nullptr, /*operand_attrs=*/nullptr);
  return e.toIndex(same.getResult(0));
}

/// The arguments of `store`, whose constants seem to lie elsewhere in every `turn`: they are loaded where they are
/// used, and take no register beside the sums.
static Values withoutInvariants(Emitter &e, const TileStore &store, ValueRange arguments, Value turn) {
  Value zero = hiddenZero(e, turn);
  Values result(arguments);
  size_t blob = 0;
  for (const RowOp *op : store.ops) {
    blob += op->operands.size();
    result[blob] = e.op<memref::ViewOp>(cast<MemRefType>(result[blob].getType()), result[blob], zero, ValueRange());
    ++blob;
  }
  return result;
}

bool vitq::kernels::storesBeside(const Geometry &geometry, const TileStore &store, const TargetDesc &target) {
  return target.isa->storesBeside && !geometry.spelt && !geometry.shortSteps && geometry.dot.rows == 1 &&
         geometry.dot.accumulates && !store.ops.empty() &&
         llvm::any_of(store.ops, [](const RowOp *op) { return !op->operands.empty(); }) &&
         geometry.m >= 2 * geometry.tileRows && geometry.groups() >= geometry.tileRows * geometry.tileVectors;
}

int64_t vitq::kernels::bytesOfWaiting(const Geometry &geometry) {
  return geometry.tileRows * geometry.tileVectors * geometry.dot.lanes * 4;
}

Values StoreBeside::emit(Emitter &e, ValueRange in, TileSums &sums, ValueRange init) {
  const int64_t rows = geometry.tileRows, groups = geometry.groups();
  const ValueRange arguments = in.drop_back(3);
  WaitingSums waiting{store,    rows, geometry.dot.lanes, panel, arguments, in[in.size() - 3], in[in.size() - 2],
                      in.back()};
  const SmallVector<int64_t> pieces = waiting.pieces(e);
  const auto count = static_cast<int64_t>(pieces.size());
  const int64_t share = groups / (rows * count);
  Values all = e.loop(rows, init, [&](Value r, ValueRange acc) {
    Values next(acc);
    int64_t vector = 0;
    for (auto [i, vectors] : llvm::enumerate(pieces)) {
      Value piece = e.indexAdd(e.indexMul(r, count), static_cast<int64_t>(i)), from = e.indexMul(piece, share);
      next = sums.emitGroups(from, e.indexAdd(from, share), next);
      const Values own = withoutInvariants(e, store, arguments, piece);
      waiting.arguments = own;
      waiting.emit(e, r, vector, vectors);
      vector += vectors;
    }
    return next;
  });
  forbidUnrolling(all.front().getDefiningOp());
  const int64_t before = rows * share * count;
  return before < groups ? sums.emitGroups(e.index(before), e.index(groups), all) : all;
}

/// Where the sums of tile `number` wait: they are read while those of the next are written, so there are two places.
Value TilesAhead::sumsAt(Emitter &e, const Panel &panel, Value number) const {
  Value odd = e.op<arith::AndIOp>(number, e.index(1));
  Value at = e.indexAdd(e.indexMul(odd, bytesOfWaiting(geometry)), offset);
  auto type = MemRefType::get({geometry.tileRows, panel.vectors * geometry.dot.lanes}, e.intType(32));
  return e.op<memref::ViewOp>(type, scratch, at, ValueRange());
}

/// The tile at `place`, of which the sums are stored as they are.
void TilesAhead::call(Emitter &e, const Panel &panel, TilePlace place, Value sums, TileCompanion *beside) const {
  TileStore plain;
  plain.arguments.push_back(sums);
  Panel whole = panel;
  whole.valid = panel.vectors * geometry.dot.lanes;
  place.biasCol = panel.first;
  place.row = place.resultRow = place.operandRow = place.firstCol = e.index(0);
  TileCaller(module, geometry, left, 1, panels, bias, plain).call(e, geometry.tileRows, whole, place, beside);
}

void TilesAhead::emit(Emitter &e, const Panel &panel, Value from, Value end,
                      function_ref<TilePlace(Value row)> placeAt) const {
  const int64_t step = geometry.tileRows;
  auto sumsOf = [&](Value row) { return sumsAt(e, panel, e.divu(e.sub(row, from), e.index(step))); };
  e.ifThen(e.cmp(arith::CmpIPredicate::ult, from, end), [&] {
    call(e, panel, placeAt(from), sumsOf(from), nullptr);
    e.loop(e.indexAdd(from, step), end, step, [&](Value row) {
      Value before = e.sub(row, e.index(step));
      StoreBeside beside(store, geometry, panel, sumsOf(before), placeAt(before).row);
      call(e, panel, placeAt(row), sumsOf(row), &beside);
    });
    Value last = e.sub(end, e.index(step));
    WaitingSums waiting{store,           step,         geometry.dot.lanes, panel,
                        store.arguments, sumsOf(last), placeAt(last).row,  panel.first};
    e.loop(step, [&](Value r) {
      int64_t vector = 0;
      for (int64_t count : waiting.pieces(e)) {
        waiting.emit(e, r, vector, count);
        vector += count;
      }
    });
  });
}
