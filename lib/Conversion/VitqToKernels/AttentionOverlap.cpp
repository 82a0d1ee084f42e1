//===- AttentionOverlap.cpp - Softmax beside products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Dot products and the arithmetic of a softmax wait for different units of a CPU. So the codes of the next unit of work
// are computed between the products of this one's codes and values: they do not depend on each other. What a CPU looks
// ahead is too short for it to find that by itself.
//
//===----------------------------------------------------------------------===//

#include "AttentionKernel.h"
#include "TileSums.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

namespace {

/// Some rows of an op on scores, in pieces of columns.
class RowsBeside : public TileCompanion {
public:
  /// `outside`: scores, what is known of each row, codes, sums, blob; the first row of all of these, and that of the
  /// tensor.
  RowsBeside(const RowOp &row, const TargetDesc &target, int64_t sharing, int64_t rows, int64_t room, Values outside)
      : pieces(row.pieces(target, room, sharing)), cols(row.cols), rows(rows), room(room), outside(std::move(outside)) {
  }

  Values arguments() const override { return outside; }
  Values emit(Emitter &e, ValueRange in, TileSums &sums, ValueRange init) override;

private:
  Values emitRow(Emitter &e, const RowContext &context, Value known, TileSums &sums, Value r, ValueRange init);

  std::unique_ptr<RowPieces> pieces;
  int64_t cols, rows, room;
  Values outside;
  /// Groups of products beside a piece, and beside the end of a row.
  int64_t groupsOfPiece = 0, groupsOfEnd = 0;
};

/// Products of `count` groups from `first` on, some of them at each pause.
struct Groups {
  Emitter &e;
  TileSums &sums;
  Value first;
  int64_t count;
  Values acc;
  /// How many pauses there are.
  int64_t pauses;
  int64_t done = 0, passed = 0;

  void upTo(int64_t end) {
    for (; done < end; ++done)
      acc = sums.addDots(e.indexAdd(first, done), acc);
  }
  void pause() {
    ++passed;
    upTo(std::min(count, static_cast<int64_t>(llvm::divideCeil(count * passed, pauses))));
  }
};

} // namespace

Values RowsBeside::emit(Emitter &e, ValueRange in, TileSums &sums, ValueRange init) {
  Value known = in[1], firstRow = in[5];
  const Values results{in[2], in[3]};
  RowContext context{in[0], firstRow, in[6], {}, results, in[4], firstRow, in[6]};
  context.room = room;
  pieces->start(e, context);
  const int64_t groups = sums.geometry.groups(), count = cols / pieces->columns();
  // The end of a row is about as much work as a piece.
  groupsOfPiece = groups / (rows * (count + 1));
  groupsOfEnd = groups / rows - count * groupsOfPiece;
  Values all = e.loop(rows, init, [&](Value r, ValueRange acc) {
    context.primaryRow = context.resultRow = e.add(firstRow, r);
    return emitRow(e, context, e.load(known, context.primaryRow), sums, r, acc);
  });
  forbidUnrolling(all.front().getDefiningOp());
  const int64_t before = rows * (count * groupsOfPiece + groupsOfEnd);
  return before < groups ? sums.emitGroups(e.index(before), e.index(groups), all) : all;
}

/// Row `r`, beside its share of the groups.
Values RowsBeside::emitRow(Emitter &e, const RowContext &context, Value known, TileSums &sums, Value r,
                           ValueRange init) {
  const int64_t count = cols / pieces->columns();
  Value first = e.indexMul(r, count * groupsOfPiece + groupsOfEnd);
  auto groupsFrom = [&](Value from, int64_t groups, ValueRange acc) {
    return Groups{e, sums, from, groups, Values(acc), pieces->pauses()};
  };
  Values carried(init);
  carried.push_back(pieces->startRow(e, known));
  if (count) {
    carried = e.loop(count, carried, [&](Value piece, ValueRange in) {
      Groups groups = groupsFrom(e.add(first, e.indexMul(piece, groupsOfPiece)), groupsOfPiece, in.drop_back());
      Value next = pieces->emit(e, context, in.back(), e.indexMul(piece, pieces->columns()), [&] { groups.pause(); });
      groups.upTo(groups.count);
      groups.acc.push_back(next);
      return groups.acc;
    });
    forbidUnrolling(carried.front().getDefiningOp());
  }
  Value last = carried.pop_back_val();
  Groups groups = groupsFrom(e.indexAdd(first, count * groupsOfPiece), groupsOfEnd, carried);
  pieces->finishRow(e, context, last, [&] { groups.pause(); });
  groups.upTo(groups.count);
  return groups.acc;
}

//===----------------------------------------------------------------------===//
// Units, one ahead
//===----------------------------------------------------------------------===//

/// How many rows of the next unit are computed beside one call of a tile; 0 where they are computed by themselves.
int64_t AttentionKernel::rowsBeside() const {
  const Geometry &geometry = contextGeometry;
  if (scoreStages.size() != tileStages + 1 || geometry.panels() != 1 || geometry.shortSteps || geometry.spelt ||
      geometry.tileProduct || geometry.dot.rows != 1 || !geometry.dot.accumulates || !readsCodes() ||
      codesFormat.width != 8 || !scoreStages.back().row->pieces(module.target, scoresGeometry.paddedCols(), tokens))
    return 0;
  // Few sums leave registers, but some must be there for products not to wait for each other.
  const int64_t all = scoresGeometry.tileRows, rows = geometry.vectors() * all > 12 ? all / 2 : all;
  return scoresGeometry.lowRows() > all - rows ? rows : 0;
}

/// The largest scores of rows.
Value AttentionKernel::topsView(Emitter &e) { return scratchView(e, topsOffset, {scoresGeometry.tileRows}, 32); }

void AttentionKernel::emitUnitsAhead(Emitter &e, Value first, Value last) {
  e.ifThen(e.cmp(arith::CmpIPredicate::ult, first, last), [&] {
    Value one = e.index(1);
    parity = e.op<arith::AndIOp>(first, one);
    forUnit(e, first, [&](const Unit &unit) {
      emitScores(e, unit.head, unit.token, unit.rows);
      emitScoreStages(e, unit.row, unit.rows);
    });
    e.loop(first, last, 1, [&](Value number) {
      Value next = e.add(number, one);
      e.ifThen(e.cmp(arith::CmpIPredicate::ult, next, last),
               [&] { forUnit(e, next, [&](const Unit &unit) { emitScores(e, unit.head, unit.token, unit.rows); }); });
      parity = e.op<arith::AndIOp>(number, one);
      // Behind the last unit the rows of old scores are computed, which nobody reads.
      nextRow = unitAt(e, e.umin(next, e.sub(last, one))).row;
      forUnit(e, number, [&](const Unit &unit) { emitContext(e, unit.head, unit.token, unit.rows); });
    });
  });
}

/// A tile of codes and values, beside rows of the next unit's codes.
void AttentionKernel::callBeside(Emitter &e, TileCaller &tiles, const Panel &panel, const TilePlace &place,
                                 int64_t rows) {
  const Stage &stage = scoreStages.back();
  Value current = parity;
  parity = e.sub(e.index(1), parity);
  const Values shared{scoresView(e), topsView(e), resultView(e, stage, 0), resultView(e, stage, 1),
                      stage.arguments.blob};
  parity = current;
  RowContext context{shared[0], Value(), nextRow, {}, {}, shared[4], Value(), nextRow};
  context.room = scoresGeometry.paddedCols();
  for (int64_t r = 0; r < scoresGeometry.tileRows; ++r) {
    context.primaryRow = context.resultRow = e.index(r);
    Value top = stage.row->pieces(module.target, context.room, tokens)->survey(e, context);
    e.store(top, shared[1], {context.primaryRow});
  }
  for (int64_t r = 0; r < scoresGeometry.tileRows; r += besideRows) {
    Values outside(shared);
    outside.append({e.index(r), nextRow});
    RowsBeside beside(*stage.row, module.target, tokens, besideRows, scoresGeometry.paddedCols(), outside);
    TilePlace part = place;
    part.leftRow = e.indexAdd(place.leftRow, r);
    part.row = e.indexAdd(place.row, r);
    part.operandRow = e.indexAdd(place.operandRow, r);
    part.resultRow = e.indexAdd(place.resultRow, r * (inTile ? result.tokenStride : 1));
    tiles.call(e, std::min(besideRows, rows - r), panel, part, &beside);
  }
}
