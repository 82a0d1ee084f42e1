//===- Tile.cpp - Output tiles of matrix products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <numeric>

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

/// The same without the instruction: every group's element s at a time.
static Value spellDot(Emitter &e, const DotInstruction &dot, Value acc, Value left, Value right) {
  for (int64_t s = 0; s < dot.group; ++s) {
    SmallVector<int64_t> picked;
    for (int64_t lane = 0; lane < dot.lanes; ++lane)
      picked.push_back(lane * dot.group + s);
    auto pick = [&](Value v) { return e.op<vector::ShuffleOp>(v, v, picked); };
    acc = e.add(acc, e.mul(e.extend(pick(left), 32, dot.unsignedLhs), e.sext(pick(right), 32)));
  }
  return acc;
}

Value vitq::kernels::emitDot(Emitter &e, const Geometry &geometry, Value acc, Value a, Value b) {
  const DotInstruction &dot = geometry.dot;
  auto operandType = cast<VectorType>(b.getType());
  if (dot.group == 1)
    return e.add(acc, e.mul(e.sext(e.op<vector::BroadcastOp>(operandType, a), 32), e.sext(b, 32)));
  Value left = e.op<vector::BroadcastOp>(VectorType::get({dot.lanes}, e.intType(geometry.wordBits())), a);
  left = e.op<vector::BitCastOp>(operandType, left);
  if (geometry.spelt)
    return spellDot(e, dot, acc, left, b);
  auto intrinsic = e.b.getStringAttr(dot.intrinsic);
  Values args = dot.accumulates ? Values{acc, left, b} : Values{left, b};
  Value result = LLVM::CallIntrinsicOp::create(e.b, e.loc, acc.getType(), intrinsic, args)->getResult(0);
  return dot.accumulates ? result : e.add(acc, result);
}

/// Writes the first `valid` lanes.
static void storeColumns(Emitter &e, Value value, int64_t valid, Value c, Value row, Value col) {
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type || valid >= type.getNumElements())
    return e.store(value, c, {row, col});
  SmallVector<bool> lanes(type.getNumElements());
  std::fill_n(lanes.begin(), valid, true);
  auto maskType = VectorType::get(type.getShape(), e.intType(1));
  Value mask = e.op<arith::ConstantOp>(DenseElementsAttr::get(maskType, ArrayRef<bool>(lanes)));
  vector::MaskedStoreOp::create(e.b, e.loc, c, ValueRange{row, col}, mask, value);
}

/// One vector of all lanes of `vectors`, a power of two of them.
static Value join(Emitter &e, ValueRange vectors) {
  if (vectors.size() == 1)
    return vectors.front();
  Value low = join(e, vectors.take_front(vectors.size() / 2)), high = join(e, vectors.drop_front(vectors.size() / 2));
  SmallVector<int64_t> lanes(2 * cast<VectorType>(low.getType()).getNumElements());
  std::iota(lanes.begin(), lanes.end(), 0);
  return e.op<vector::ShuffleOp>(low, high, lanes);
}

bool vitq::kernels::fitsTile(const Geometry &geometry, const RowOp &op, const TargetDesc &target) {
  return target.variableShifts && op.isElementwise() && geometry.n % geometry.dot.lanes == 0;
}

void TileCaller::call(Emitter &e, int64_t rows, const Panel &panel, const TilePlace &place) {
  Values args{left, panels};
  if (bias)
    args.push_back(bias);
  args.append(store.arguments);
  args.append({place.leftRow, place.panelOffset, place.firstCol, place.row});
  const bool apart = place.resultRow != place.row || place.operandRow != place.row || place.biasCol;
  if (apart)
    args.append({place.resultRow, place.operandRow, place.biasCol ? place.biasCol : place.firstCol});
  func::FuncOp tile = module.function("tile", TypeRange(ValueRange(args)), {},
                                      [&](Emitter &inner, ValueRange in) { emitTile(inner, in, rows, panel); });
  func::CallOp::create(e.b, e.loc, tile, args);
}

/// The sums leave few registers: an unrolled loop would spill some of them.
static void forbidUnrolling(Operation *loop) {
  MLIRContext *context = loop->getContext();
  auto unroll = LLVM::LoopUnrollAttr::get(context, BoolAttr::get(context, true), {}, {}, {}, {}, {}, {});
  loop->setAttr("llvm.loop_annotation",
                LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, unroll, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}));
}

void TileCaller::emitTile(Emitter &e, ValueRange in, int64_t rows, const Panel &panel) {
  Value a = in[0], b = in[1], start;
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

  const int64_t lanes = geometry.dot.lanes, vectors = panel.vectors, step = geometry.dot.group * lanes;
  Values init;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t v = 0; v < vectors; ++v) {
      if (r)
        init.push_back(init[v]);
      else if (bias)
        init.push_back(e.load(start, e.indexAdd(place.biasCol, v * lanes), lanes));
      else
        init.push_back(e.constant(VectorType::get({lanes}, e.intType(32)), 0));
    }
  Values sums = e.loop(geometry.groups(), init, [&](Value kg, ValueRange acc) {
    Values right, next;
    Value from = e.add(place.panelOffset, e.indexMul(kg, vectors * step));
    for (int64_t v = 0; v < vectors; ++v)
      right.push_back(e.load(b, e.indexAdd(from, v * step), step, step * geometry.dot.width / 8));
    for (int64_t r = 0; r < rows; ++r) {
      Value word = e.load(a, {e.indexAdd(place.leftRow, r * leftStride), kg});
      for (int64_t v = 0; v < vectors; ++v)
        next.push_back(emitDot(e, geometry, acc[r * vectors + v], word, right[v]));
    }
    return next;
  });
  forbidUnrolling(sums.front().getDefiningOp());
  storeTile(e, args, panel, rows, sums, place);
}

/// The arguments of each op of `store`, of which `args` has those of all, and the last result.
static SmallVector<RowArguments> splitArguments(const TileStore &store, ValueRange args) {
  SmallVector<RowArguments> own;
  for (const RowOp *op : store.ops) {
    own.push_back({args.take_front(op->operands.size()), {}, args[op->operands.size()]});
    args = args.drop_front(op->operands.size() + 1);
  }
  return own;
}

void vitq::kernels::storeSums(Emitter &e, const TileStore &store, ValueRange args, ValueRange sums, Value row,
                              Value operandRow, Value resultRow, Value firstCol, int64_t valid) {
  auto type = dyn_cast<VectorType>(sums.front().getType());
  const int64_t lanes = type ? type.getNumElements() : 1, vectors = static_cast<int64_t>(sums.size());
  const SmallVector<RowArguments> own = splitArguments(store, args);
  SmallVector<RowContext> contexts;
  SmallVector<Values> starts;
  for (auto [op, arguments] : llvm::zip_equal(store.ops, own)) {
    RowContext context = RowContext::ofRow(row, arguments.operands, {}, arguments.blob);
    context.operandRow = operandRow;
    starts.push_back(op->emitRowStart(e, context));
    contexts.push_back(context);
  }
  // Results of 16 bytes where they are bytes: as many vectors as that takes.
  for (int64_t v = 0; v < vectors;) {
    int64_t count = store.ops.empty() ? 1 : std::max<int64_t>(1, 16 / lanes);
    while (count > vectors - v)
      count /= 2;
    Value col = e.indexAdd(firstCol, v * lanes), y = join(e, sums.slice(v, count));
    for (auto [op, context, start] : llvm::zip_equal(store.ops, contexts, starts))
      y = op->emitElements(e, context, start, y, col);
    storeColumns(e, y, valid - v * lanes, args.back(), resultRow, col);
    v += count;
  }
}

void TileCaller::storeTile(Emitter &e, ValueRange args, const Panel &panel, int64_t rows, ValueRange sums,
                           const TilePlace &place) {
  for (int64_t r = 0; r < rows; ++r)
    storeSums(e, store, args, sums.slice(r * panel.vectors, panel.vectors), e.indexAdd(place.row, r),
              e.indexAdd(place.operandRow, r), e.indexAdd(place.resultRow, r * store.rowStride), place.firstCol,
              panel.valid);
}
