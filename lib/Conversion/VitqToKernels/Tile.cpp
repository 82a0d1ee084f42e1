//===- Tile.cpp - Output tiles of matrix products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileSums.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

/// The same without the instruction: every group's element s at a time.
static Value spellDot(Emitter &e, const DotInstruction &dot, Value acc, Value left, Value right) {
  for (int64_t s = 0; s < dot.group; ++s) {
    SmallVector<int64_t> fromLeft, fromRight;
    for (int64_t lane = 0; lane < dot.lanes; ++lane) {
      // Of squares, lanes are (row 0, column 0), (0, 1), (1, 0), (1, 1).
      const int64_t square = lane / 4 * 2;
      fromLeft.push_back((dot.rows == 1 ? lane : square + lane / 2 % 2) * dot.group + s);
      fromRight.push_back((dot.rows == 1 ? lane : square + lane % 2) * dot.group + s);
    }
    auto pick = [&](Value v, ArrayRef<int64_t> from) { return e.op<vector::ShuffleOp>(v, v, from); };
    acc = e.add(acc, e.mul(e.extend(pick(left, fromLeft), 32, dot.unsignedLhs), e.sext(pick(right, fromRight), 32)));
  }
  return acc;
}

/// A vector as one of the machine's length.
static Value toScalable(Emitter &e, Value x) {
  const unsigned width = widthOf(x);
  constexpr unsigned least = 128;
  auto type = VectorType::get({least / width}, e.intType(width), {true});
  return e.op<vector::ScalableInsertOp>(x, e.op<LLVM::PoisonOp>(type), int64_t{0});
}

Value vitq::kernels::emitDot(Emitter &e, const DotInstruction &dot, bool spelt, const char *adding, Value acc,
                             Value left, Value right) {
  if (spelt)
    return spellDot(e, dot, acc, left, right);
  auto intrinsic = e.b.getStringAttr(adding ? adding : dot.intrinsic);
  Values args = adding ? Values{acc, left, right} : Values{left, right};
  Type type = acc.getType();
  if (dot.scalable) {
    for (Value &arg : args)
      arg = toScalable(e, arg);
    type = args.front().getType();
  }
  Value result = LLVM::CallIntrinsicOp::create(e.b, e.loc, type, intrinsic, args)->getResult(0);
  if (dot.scalable)
    result = e.op<vector::ScalableExtractOp>(acc.getType(), result, int64_t{0});
  return adding ? result : e.add(acc, result);
}

Value vitq::kernels::emitDot(Emitter &e, const Geometry &geometry, Value acc, Value a, Value b) {
  const DotInstruction &dot = geometry.dot;
  if (geometry.shortDot)
    return addShortSums(e, geometry, acc, emitShortDot(e, geometry, Value(), a, b));
  if (dot.group == 1)
    return e.add(acc, e.mul(e.sext(e.splatLike(a, b), 32), e.sext(b, 32)));
  auto operandType = cast<VectorType>(b.getType());
  Value left = a;
  const int64_t words = dot.lanes / dot.rows;
  if (dot.rows == 1) {
    left = e.op<vector::BroadcastOp>(VectorType::get({words}, e.intType(geometry.wordBits())), a);
  } else if (words > dot.rows) {
    SmallVector<int64_t> repeated;
    for (int64_t i = 0; i < words; ++i)
      repeated.push_back(i % dot.rows);
    left = e.op<vector::ShuffleOp>(a, a, repeated);
  }
  left = e.op<vector::BitCastOp>(operandType, left);
  return emitDot(e, dot, geometry.spelt, dot.accumulates ? dot.intrinsic : nullptr, acc, left, b);
}

Value vitq::kernels::addColumns(Emitter &e, const Geometry &geometry, Value sums, Value words) {
  const DotInstruction &dot = geometry.dot;
  // A word of the left operand that is 1 throughout.
  int64_t ones = 0;
  for (int64_t s = 0; s < dot.group; ++s)
    ones |= int64_t(1) << (s * dot.width);
  if (dot.rows == 1)
    return emitDot(e, geometry, sums, e.constant(e.intType(geometry.wordBits()), ones), words);
  Value zero = e.like(sums, 0), left = e.constant(VectorType::get({dot.rows}, e.intType(geometry.wordBits())), ones);
  Values parts;
  for (int64_t i = 0; i < dot.rows; ++i) {
    const int64_t count = geometry.rightElements();
    Value right = vector::ExtractStridedSliceOp::create(e.b, e.loc, words, i * count, count, int64_t{1});
    parts.push_back(emitDot(e, geometry, zero, left, right));
  }
  return e.add(sums, rowsOfSquares(e, dot, parts)[0]);
}

bool vitq::kernels::fitsTile(const Geometry &geometry, const RowOp &op, const TargetDesc &target) {
  return target.variableShifts && op.isElementwise() &&
         (geometry.n % geometry.dot.lanes == 0 || target.isa->maskedMoves);
}

void TileCaller::call(Emitter &e, int64_t rows, const Panel &panel, const TilePlace &place, TileCompanion *companion) {
  Values args{left, panels};
  if (bias)
    args.push_back(bias);
  args.append(store.arguments);
  args.append({place.leftRow, place.panelOffset, place.firstCol, place.row});
  const bool apart = place.resultRow != place.row || place.operandRow != place.row || place.biasCol;
  if (apart)
    args.append({place.resultRow, place.operandRow, place.biasCol ? place.biasCol : place.firstCol});
  if (place.ahead)
    args.append({place.ahead, place.aheadFirst});
  if (companion)
    args.append(companion->arguments());
  StringRef name = companion ? "tile_beside" : "tile";
  func::FuncOp tile = module.function(name, TypeRange(ValueRange(args)), {}, [&](Emitter &inner, ValueRange in) {
    emitTile(inner, in, rows, panel, place.aheadStep, companion);
  });
  func::CallOp::create(e.b, e.loc, tile, args);
}

void TileCaller::emitTile(Emitter &e, ValueRange in, int64_t rows, const Panel &panel, int64_t aheadStep,
                          TileCompanion *companion) {
  Value a = in[0], b = in[1], start, ahead, aheadFirst;
  ValueRange besides;
  if (companion) {
    const size_t count = companion->arguments().size();
    besides = in.take_back(count);
    in = in.drop_back(count);
  }
  if (aheadStep) {
    ahead = in[in.size() - 2];
    aheadFirst = in.back();
    in = in.drop_back(2);
  }
  in = in.drop_front(2);
  if (bias) {
    start = in.front();
    in = in.drop_front();
  }
  ValueRange args = in.take_front(store.arguments.size());
  in = in.drop_front(args.size());
  TilePlace place{in[0], in[1], in[2], in[3], in[3], in[3], in[2]};
  if (in.size() > 4) {
    place.resultRow = in[4];
    place.operandRow = in[5];
    place.biasCol = in[6];
  }

  TileSums loops{e, geometry,          rows,    panel.vectors, a,          place.leftRow, leftStride,
                 b, place.panelOffset, packing, ahead,         aheadFirst, aheadStep};
  // Few lines may be asked for at once: fewer than a CPU has buffers for, so that loads do not wait for one.
  constexpr int64_t burst = 512;
  if (aheadStep && aheadStep * geometry.groups() <= burst) {
    loops.prefetch(e.index(0), geometry.groups());
    loops.aheadStep = 0;
  }
  if (geometry.tileProduct)
    return emitRegisterTile(e, args, panel, start, loops, place);
  const Values row = firstSums(e, start, panel, place);
  Values init;
  for (int64_t r = 0; r < rows; ++r)
    init.append(row);
  Values sums = companion ? companion->emit(e, besides, loops, init) : loops.emit(init);
  storeTile(e, args, panel, rows, sums, place);
}

/// What the sums of every row begin with.
Values TileCaller::firstSums(Emitter &e, Value start, const Panel &panel, const TilePlace &place) const {
  const int64_t lanes = geometry.dot.lanes;
  Values sums;
  for (int64_t v = 0; v < panel.vectors; ++v)
    sums.push_back(bias ? e.load(start, e.indexAdd(place.biasCol, v * lanes), lanes)
                        : e.constant(Emitter::lanesOf(e.intType(32), lanes), 0));
  return sums;
}

void TileCaller::storeTile(Emitter &e, ValueRange args, const Panel &panel, int64_t rows, ValueRange sums,
                           const TilePlace &place) {
  for (int64_t r = 0; r < rows; ++r)
    storeSums(e, store, args, sums.slice(r * panel.vectors, panel.vectors), e.indexAdd(place.row, r),
              e.indexAdd(place.operandRow, r), e.indexAdd(place.resultRow, r * store.rowStride), place.firstCol,
              panel.valid);
}
