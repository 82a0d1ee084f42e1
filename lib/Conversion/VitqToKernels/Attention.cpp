//===- Attention.cpp - Attention in one kernel -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A unit of work is a head and one tile of its rows: scores, softmax and context of
// a few rows stay in L1. Keys and values are packed once for each head, before.
//
//===----------------------------------------------------------------------===//

#include "Attention.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

/// The op that exchanges the two middle axes of four to give `value`.
static TransposeOp headTranspose(Value value) {
  auto op = value.getDefiningOp<TransposeOp>();
  return op && op.getPermutation() == ArrayRef<int64_t>{0, 2, 1, 3} ? op : TransposeOp();
}

std::optional<AttentionOps> AttentionOps::match(Operation *finish) {
  if (!isa<DivideRowsOp, RequantOp, ThresholdOp>(finish))
    return std::nullopt;
  AttentionOps ops;
  ops.finish = finish;
  ops.context = finish->getOperand(0).getDefiningOp<MatmulOp>();
  if (!ops.context || !ops.context->hasOneUse() || ops.context.getTransposeRhs() || ops.context.getBias())
    return std::nullopt;
  ops.softmax = ops.context.getLhs().getDefiningOp();
  if (!isa_and_nonnull<SoftmaxOp, ShiftmaxOp>(ops.softmax) || !ops.softmax->getResult(0).hasOneUse())
    return std::nullopt;
  if (auto softmax = dyn_cast<SoftmaxOp>(ops.softmax)) {
    auto divide = dyn_cast<DivideRowsOp>(finish);
    if (!divide || divide.getSums() != softmax.getSums() || !softmax.getSums().hasOneUse())
      return std::nullopt;
  }
  ops.scores = ops.softmax->getOperand(0).getDefiningOp<MatmulOp>();
  if (!ops.scores || !ops.scores->hasOneUse() || !ops.scores.getTransposeRhs() || ops.scores.getBias())
    return std::nullopt;
  // One head after the other, [B, H, T, D]; no matrix that heads share.
  for (Value operand : {ops.scores.getLhs(), ops.scores.getRhs(), ops.context.getRhs()})
    if (shapeOf(operand).size() != 4 || widthOf(operand) != 8)
      return std::nullopt;
  ops.transposeOf[0] = headTranspose(ops.scores.getLhs());
  ops.transposeOf[1] = headTranspose(ops.scores.getRhs());
  ops.transposeOf[2] = headTranspose(ops.context.getRhs());
  if (finish->hasOneUse())
    if (auto transpose = dyn_cast<TransposeOp>(*finish->user_begin()))
      ops.transpose = headTranspose(transpose);
  return ops;
}

SmallVector<Operation *> AttentionOps::all() const {
  SmallVector<Operation *> ops{scores, softmax, context, finish};
  if (transpose)
    ops.push_back(transpose);
  return ops;
}

namespace {

/// [B, H, T, D], or [B, T, H, D] if `tokensFirst`, seen as rows of D elements.
struct HeadRows {
  Value memref;
  int64_t heads, tokens;
  bool tokensFirst;

  int64_t stride() const { return tokensFirst ? heads : 1; }
  /// The row of token 0.
  Value first(Emitter &e, Value head) const {
    if (!tokensFirst)
      return e.indexMul(head, tokens);
    Value image = e.divu(head, e.index(heads)), own = e.remu(head, e.index(heads));
    return e.add(e.indexMul(image, tokens * heads), own);
  }
  std::string key() const { return tokensFirst ? "t" : "h"; }
};

/// A right operand of all heads, packed.
struct Packed {
  Value panels, bias;
};

class AttentionKernel {
public:
  AttentionKernel(AttentionOps ops, KernelModule &module, MemrefOf memrefOf);
  Value emitCalls();

private:
  HeadRows rowsOf(Value tensor, TransposeOp transpose);
  void prepareScratch();
  Packed pack(const Geometry &g, const LeftFormat &left, const HeadRows &rhs, bool transposed, MatmulOp op);
  std::string key() const;
  void emitUnit(Emitter &e, Value head, Value token, int64_t rows);
  void emitScores(Emitter &e, Value head, Value token, int64_t rows);
  void emitSoftmax(Emitter &e, Value firstRow, int64_t rows);
  void emitContext(Emitter &e, Value head, Value token, int64_t rows);
  void widen(Emitter &e, const Geometry &g, const LeftFormat &left, Slot zeroPoint, Value to, int64_t row, int64_t cols,
             llvm::function_ref<Value(Value, int64_t)> load);
  Value scratchView(Emitter &e, int64_t offset, ArrayRef<int64_t> shape, int64_t width) {
    return memref::ViewOp::create(e.b, e.loc, MemRefType::get(shape, e.intType(width)), scratch, e.index(offset),
                                  ValueRange());
  }
  int64_t reserve(int64_t bytes) {
    const int64_t at = scratchBytes;
    scratchBytes += (bytes + 63) / 64 * 64;
    return at;
  }
  bool readsCodes() const { return codesFormat.width == gc.dot.width && codesFormat.isUnsigned == gc.dot.unsignedLhs; }

  AttentionOps ops;
  KernelModule &module;
  MemrefOf memrefOf;
  Location loc;
  /// Of the scores and of the context.
  Geometry gs, gc;
  LeftFormat queryFormat, codesFormat;
  HeadRows query;
  std::unique_ptr<RowOp> softmax, finish;
  int64_t headCount, tokens, scratchBytes = 0, queryAt = 0, scoresAt = 0, codesAt = 0, wordsAt = 0, sumsAt = 0,
                             contextAt = 0;
  bool inTile;
  Slot queryZeroPoint, codesZeroPoint;
  Blob blob;
  HeadRows result;

  // Values of the function that is being built.
  Value queryIn, scratch, blobIn, resultIn;
  Packed keys, values;
  RowArguments softmaxArguments, finishArguments;
};

} // namespace

AttentionKernel::AttentionKernel(AttentionOps ops, KernelModule &module, MemrefOf memrefOf)
    : ops(ops), module(module), memrefOf(memrefOf), loc(ops.context.getLoc()),
      gs(Geometry::of(ops.scores, module.target)), gc(Geometry::of(ops.context, module.target)),
      queryFormat(LeftFormat::of(ops.scores)), codesFormat(LeftFormat::of(ops.context)),
      query(rowsOf(ops.scores.getLhs(), ops.transposeOf[0])) {
  ArrayRef<int64_t> shape = shapeOf(ops.scores.getLhs());
  headCount = shape[0] * shape[1];
  tokens = shape[2];
  queryZeroPoint = blob.scalar(queryFormat.zeroPoint);
  codesZeroPoint = blob.scalar(codesFormat.zeroPoint);
}

HeadRows AttentionKernel::rowsOf(Value tensor, TransposeOp transpose) {
  ArrayRef<int64_t> shape = shapeOf(tensor);
  Value memref = memrefOf(transpose ? transpose.getInput() : tensor);
  return {module.reshape(loc, memref, {shape[0] * shape[1] * shape[2], shape[3]}), shape[1], shape[2],
          static_cast<bool>(transpose)};
}

void AttentionKernel::prepareScratch() {
  const int64_t rows = gs.tileRows;
  queryAt = reserve(rows * gs.paddedDepth() * gs.dot.width / 8);
  scoresAt = reserve(rows * gs.paddedCols() * 4);
  codesAt = reserve(rows * gc.paddedDepth() * codesFormat.width / 8 + 64);
  wordsAt = reserve(readsCodes() ? 0 : rows * gc.paddedDepth() * gc.dot.width / 8);
  sumsAt = reserve(rows * 4);
  contextAt = reserve(inTile ? 0 : rows * gc.paddedCols() * 4);
}

/// Adds the call that packs a right operand.
Packed AttentionKernel::pack(const Geometry &g, const LeftFormat &left, const HeadRows &rhs, bool transposed,
                             MatmulOp op) {
  OpBuilder &main = module.builder();
  const int64_t correction = left.correction(g);
  Blob constants;
  Slot slot = constants.scalar(correction);
  Packed packed;
  packed.panels = module.alloc(loc, {headCount * g.packedElements()}, main.getIntegerType(g.dot.width));
  Values args{rhs.memref, packed.panels};
  if (correction) {
    packed.bias = module.alloc(loc, {headCount * g.paddedCols()}, main.getI32Type());
    args.push_back(packed.bias);
  }
  args.push_back(module.blob(loc, constants));
  std::string key = std::string(module.target.isa->name) + (g.spelt ? "s" : "") + (transposed ? ".nk" : ".kn") + ".n" +
                    std::to_string(g.n) + ".k" + std::to_string(g.k) + rhs.key() + std::to_string(rhs.heads);
  module.call(Step(op.getLoc(), "pack"), "pack", key, args, headCount,
              [&](Emitter &e, ValueRange in, Value first, Value last) {
                e.loop(first, last, 1, [&](Value head) {
                  const RightView view{in[0], rhs.first(e, head), rhs.stride(), transposed};
                  Value offset = e.indexMul(head, g.packedElements());
                  if (correction)
                    emitPack(e, g, view, in[1], offset, in[2], e.indexMul(head, g.paddedCols()),
                             Blob::load(e, in[3], slot, 32));
                  else
                    emitPack(e, g, view, in[1], offset, {}, {}, {});
                });
              });
  return packed;
}

std::string AttentionKernel::key() const {
  std::string text = module.target.isa->name;
  text += gs.spelt ? ".spelt." : ".";
  text += queryFormat.key() + codesFormat.key() + query.key() + result.key();
  text += std::to_string(query.heads) + "x" + std::to_string(tokens) + "x" + std::to_string(gs.k) + "x" +
          std::to_string(gs.n) + "x" + std::to_string(gc.n);
  text += keys.bias ? "k" : "";
  text += values.bias ? "v" : "";
  for (const RowOp *op : {softmax.get(), finish.get()})
    text += "+" + op->name.str() + op->key + op->blob.layout();
  return text;
}

Value AttentionKernel::emitCalls() {
  softmax = makeRowOp(ops.softmax, module, memrefOf, ops.scores);
  if (!softmax)
    return {};
  auto lookup = [&](Value value) {
    for (auto [softmaxResult, buffer] : llvm::zip_equal(ops.softmax->getResults(), softmax->buffers))
      if (value == softmaxResult)
        return buffer;
    return memrefOf(value);
  };
  finish = makeRowOp(ops.finish, module, lookup, ops.context);
  if (!finish)
    return {};
  softmax->results.clear();
  finish->results.clear();
  finish->rowOperands.clear();
  if (isa<DivideRowsOp>(ops.finish))
    finish->operands.clear();
  inTile = fitsTile(gc, *finish, module.target);
  prepareScratch();
  keys = pack(gs, queryFormat, rowsOf(ops.scores.getRhs(), ops.transposeOf[1]), true, ops.scores);
  values = pack(gc, codesFormat, rowsOf(ops.context.getRhs(), ops.transposeOf[2]), false, ops.context);

  Value last = ops.all().back()->getResult(0);
  Value buffer = module.alloc(loc, shapeOf(last), elementOf(last));
  result = {module.reshape(loc, buffer, {headCount * tokens, gc.n}), query.heads, tokens,
            static_cast<bool>(ops.transpose)};
  Values args{query.memref, keys.panels, values.panels};
  for (Value bias : {keys.bias, values.bias})
    if (bias)
      args.push_back(bias);
  SmallVector<int64_t> ignored;
  for (RowOp *op : {softmax.get(), finish.get()})
    appendArguments(loc, module, *op, args, ignored);
  args.append({result.memref, module.scratch(loc, scratchBytes), module.blob(loc, blob)});

  const int64_t tiles = gs.tiles(), tail = gs.tailRows();
  module.call(Step(ops.all(), macsOf(ops.scores) + macsOf(ops.context)), "attention", key(), args, headCount * tiles,
              [&](Emitter &e, ValueRange in, Value first, Value last) {
                queryIn = in[0];
                keys.panels = in[1];
                values.panels = in[2];
                in = in.drop_front(3);
                for (Value *bias : {&keys.bias, &values.bias})
                  if (*bias) {
                    *bias = in.front();
                    in = in.drop_front();
                  }
                softmaxArguments = RowArguments::take(*softmax, in);
                finishArguments = RowArguments::take(*finish, in);
                resultIn = in[0];
                scratch = in[1];
                blobIn = in[2];
                e.loop(first, last, 1, [&](Value unit) {
                  Value head = e.divu(unit, e.index(tiles)), tile = e.remu(unit, e.index(tiles));
                  Value token = e.indexMul(tile, gs.tileRows), whole = e.index(tokens / gs.tileRows);
                  if (tokens >= gs.tileRows)
                    e.ifThen(e.cmp(arith::CmpIPredicate::ult, tile, whole),
                             [&] { emitUnit(e, head, token, gs.tileRows); });
                  if (tail)
                    e.ifThen(e.cmp(arith::CmpIPredicate::eq, tile, whole), [&] { emitUnit(e, head, token, tail); });
                });
              });
  return buffer;
}

void AttentionKernel::emitUnit(Emitter &e, Value head, Value token, int64_t rows) {
  emitScores(e, head, token, rows);
  emitSoftmax(e, e.add(e.indexMul(head, tokens), token), rows);
  emitContext(e, head, token, rows);
}

/// Writes one row of a left operand in the format of the dot product.
void AttentionKernel::widen(Emitter &e, const Geometry &g, const LeftFormat &left, Slot zeroPoint, Value to,
                            int64_t row, int64_t cols, function_ref<Value(Value, int64_t)> load) {
  Value z = Blob::load(e, blobIn, zeroPoint, g.dot.width), at = e.index(row);
  forColumns(e, module.target, cols, true, g.dot.width,
             [&](Value k, int64_t lanes) { e.store(widenLeft(e, g, left, z, load(k, lanes)), to, {at, k}); });
  for (int64_t k = cols; k < g.paddedDepth(); ++k)
    e.store(e.constant(e.intType(g.dot.width), 0), to, {at, e.index(k)});
}

void AttentionKernel::emitScores(Emitter &e, Value head, Value token, int64_t rows) {
  Value first = e.add(query.first(e, head), e.indexMul(token, query.stride())), words;
  int64_t stride = query.stride();
  if (queryFormat.isDirect(gs)) {
    auto bytes = MemRefType::get({elementCount(queryIn.getType())}, e.intType(8));
    Value flat = memref::ReinterpretCastOp::create(e.b, e.loc, bytes, queryIn, 0, bytes.getShape(), {1});
    words =
        memref::ViewOp::create(e.b, e.loc, MemRefType::get({headCount * tokens, gs.groups()}, e.intType(gs.wordBits())),
                               flat, e.index(0), ValueRange());
  } else {
    Value to = scratchView(e, queryAt, {gs.tileRows, gs.paddedDepth()}, gs.dot.width);
    for (int64_t r = 0; r < rows; ++r) {
      Value from = e.indexAdd(first, r * stride);
      widen(e, gs, queryFormat, queryZeroPoint, to, r, gs.k,
            [&](Value k, int64_t lanes) { return e.load(queryIn, {from, k}, lanes); });
    }
    words = scratchView(e, queryAt, {gs.tileRows, gs.groups()}, gs.wordBits());
    first = e.index(0);
    stride = 1;
  }
  TileStore store;
  store.arguments.push_back(scratchView(e, scoresAt, {gs.tileRows, gs.paddedCols()}, 32));
  TileCaller tiles(module, gs, words, stride, keys.panels, keys.bias, store);
  Value zero = e.index(0), panelsAt = e.indexMul(head, gs.packedElements());
  Value colsAt = keys.bias ? e.indexMul(head, gs.paddedCols()) : zero;
  forPanels(e, gs, [&](const Panel &panel) {
    // Scratch rows have room for whole vectors.
    const Panel whole{panel.first, panel.vectors, panel.vectors * gs.dot.lanes};
    Value offset = e.add(panelsAt, e.indexMul(panel.first, gs.paddedDepth()));
    tiles.call(e, rows, whole, {first, offset, panel.first, zero, zero, zero, e.add(colsAt, panel.first)});
  });
}

void AttentionKernel::emitSoftmax(Emitter &e, Value firstRow, int64_t rows) {
  Value scores = scratchView(e, scoresAt, {gs.tileRows, gs.paddedCols()}, 32);
  Values results{scratchView(e, codesAt, {gs.tileRows, gc.paddedDepth()}, codesFormat.width)};
  if (ops.softmax->getNumResults() > 1)
    results.push_back(scratchView(e, sumsAt, {gs.tileRows}, 32));
  e.loop(rows, [&](Value r) {
    Value row = e.add(firstRow, r);
    softmax->emitRow(e, module.target,
                     {scores, r, row, softmaxArguments.operands, results, softmaxArguments.blob, r, row});
  });
}

void AttentionKernel::emitContext(Emitter &e, Value head, Value token, int64_t rows) {
  Value words = scratchView(e, codesAt, {gs.tileRows, gc.groups()}, gc.wordBits());
  if (!readsCodes()) {
    Value codes = scratchView(e, codesAt, {gs.tileRows, gc.paddedDepth()}, codesFormat.width);
    Value to = scratchView(e, wordsAt, {gs.tileRows, gc.paddedDepth()}, gc.dot.width);
    for (int64_t r = 0; r < rows; ++r) {
      Value row = e.index(r);
      widen(e, gc, codesFormat, codesZeroPoint, to, r, gc.k,
            [&](Value k, int64_t lanes) { return e.load(codes, {row, k}, lanes); });
    }
    words = scratchView(e, wordsAt, {gs.tileRows, gc.groups()}, gc.wordBits());
  }
  Values operands(finishArguments.operands);
  if (isa<DivideRowsOp>(ops.finish))
    operands.push_back(scratchView(e, sumsAt, {gs.tileRows}, 32));
  Value sums = scratchView(e, contextAt, {inTile ? 0 : gs.tileRows, gc.paddedCols()}, 32);
  // In a tile, the operand takes the place that it has outside of the fused kernel.
  finish->operands.assign(operands.begin(), operands.end());
  TileStore store;
  store.rowStride = result.stride();
  if (inTile) {
    store.ops.push_back(finish.get());
    store.arguments = operands;
    store.arguments.push_back(finishArguments.blob);
    store.arguments.push_back(resultIn);
  } else {
    store.rowStride = 1;
    store.arguments.push_back(sums);
  }
  TileCaller tiles(module, gc, words, 1, values.panels, values.bias, store);
  Value zero = e.index(0), panelsAt = e.indexMul(head, gc.packedElements());
  Value row = e.add(e.indexMul(head, tokens), token);
  Value resultRow = e.add(result.first(e, head), e.indexMul(token, result.stride()));
  Value colsAt = values.bias ? e.indexMul(head, gc.paddedCols()) : zero;
  forPanels(e, gc, [&](const Panel &panel) {
    Panel stored = panel;
    if (!inTile)
      stored.valid = panel.vectors * gc.dot.lanes;
    Value offset = e.add(panelsAt, e.indexMul(panel.first, gc.paddedDepth()));
    TilePlace at{zero, offset, panel.first, row, resultRow, zero, e.add(colsAt, panel.first)};
    if (!inTile)
      at.row = at.resultRow = zero;
    tiles.call(e, rows, stored, at);
  });
  if (inTile)
    return;
  e.loop(rows, [&](Value r) {
    finish->emitRow(e, module.target,
                    {sums, r, e.add(row, r), operands, ValueRange(resultIn), finishArguments.blob,
                     e.add(resultRow, e.indexMul(r, result.stride())), r});
  });
}

Value vitq::kernels::lowerAttention(const AttentionOps &ops, KernelModule &module, MemrefOf memrefOf) {
  return AttentionKernel(ops, module, memrefOf).emitCalls();
}
