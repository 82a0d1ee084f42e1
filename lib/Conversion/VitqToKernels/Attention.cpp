//===- Attention.cpp - Attention in one kernel -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A unit of work is a head and one tile of its rows: scores, what is done to them, and
// context of a few rows stay in L1. Keys and values are packed once for each head, before.
//
//===----------------------------------------------------------------------===//

#include "Attention.h"

#include "HeadRows.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

namespace {

/// A right operand of all heads, packed.
struct Packed {
  Value panels, bias;
};

/// An op on the rows of one of the products.
struct Stage {
  Operation *op = nullptr;
  std::unique_ptr<RowOp> row;
  /// Which of its operands are results of ops before it in the kernel: null for others.
  Values inside;
  /// Where in scratch memory its results lie; none of the last stage's, which are the kernel's.
  SmallVector<int64_t> resultOffsets;
  RowArguments arguments;

  bool readsScratch() const {
    return llvm::any_of(inside, [](Value value) { return static_cast<bool>(value); });
  }
  bool readsMemory() const { return llvm::is_contained(inside, Value()); }
};

class AttentionKernel {
public:
  AttentionKernel(const KernelParts &parts, ArrayRef<Operation *> moves, KernelModule &module, MemrefOf memrefOf);
  Value emitCalls();

private:
  HeadRows rowsOf(Value tensor);
  HeadRows rowsOfResult(Value buffer);
  bool makeStages(ArrayRef<Operation *> ops, MatmulOp product, SmallVectorImpl<Stage> &stages);
  void prepareScratch();
  void reserveResults(MutableArrayRef<Stage> stages, int64_t paddedCols);
  Packed pack(const Geometry &geometry, const LeftFormat &left, MatmulOp op);
  void takeArguments(ValueRange in);
  void emitUnits(Emitter &e, Value first, Value last);
  void emitUnit(Emitter &e, Value head, Value token, int64_t rows);
  void emitScores(Emitter &e, Value head, Value token, int64_t rows);
  void emitScoreStages(Emitter &e, Value firstRow, int64_t rows);
  void emitRows(Emitter &e, const Stage &stage, Value primary, ValueRange operands, ValueRange results, Value opBlob,
                Value firstRow, int64_t rows);
  void callRows(Emitter &e, const Stage &stage, Value primary, ValueRange results, Value firstRow, int64_t rows);
  Value emitCodeWords(Emitter &e, int64_t rows);
  void emitContext(Emitter &e, Value head, Value token, int64_t rows);
  void emitContextStages(Emitter &e, Value sums, Value row, Value resultRow, int64_t rows,
                         ArrayRef<Values> operandsOfStages);
  Values operandsOf(Emitter &e, const Stage &stage);
  Value resultView(Emitter &e, const Stage &stage, unsigned index);
  void widen(Emitter &e, const Geometry &geometry, const LeftFormat &left, Slot zeroPoint, Value to, int64_t row,
             int64_t cols, llvm::function_ref<Value(Value, int64_t)> load);
  Value scratchView(Emitter &e, int64_t offset, ArrayRef<int64_t> shape, int64_t width) {
    return memref::ViewOp::create(e.b, e.loc, MemRefType::get(shape, e.intType(width)), scratch, e.index(offset),
                                  ValueRange());
  }
  int64_t reserve(int64_t bytes) {
    const int64_t offset = scratchBytes;
    scratchBytes += llvm::alignTo(bytes, 64);
    return offset;
  }
  bool readsCodes() const {
    return codesFormat.width == contextGeometry.dot.width && codesFormat.isUnsigned == contextGeometry.dot.unsignedLhs;
  }

  KernelParts parts;
  ArrayRef<Operation *> moves;
  KernelModule &module;
  MemrefOf memrefOf;
  Location loc;
  Geometry scoresGeometry, contextGeometry;
  LeftFormat queryFormat, codesFormat;
  HeadRows query;
  SmallVector<Stage> scoreStages, contextStages;
  int64_t headCount, tokens, scratchBytes = 0, queryOffset = 0, scoresOffset = 0, codesOffset = 0, wordsOffset = 0,
                             contextOffset = 0;
  /// Whether the ops on the context work on its sums in registers.
  bool inTile = false;
  Slot queryZeroPoint, codesZeroPoint;
  Blob blob;
  HeadRows result;

  // Values of the function that is being built.
  Value queryIn, scratch, blobIn, resultIn;
  Packed keys, values;
};

} // namespace

AttentionKernel::AttentionKernel(const KernelParts &parts, ArrayRef<Operation *> moves, KernelModule &module,
                                 MemrefOf memrefOf)
    : parts(parts), moves(moves), module(module), memrefOf(memrefOf), loc(MatmulOp(parts.context).getLoc()),
      scoresGeometry(Geometry::of(parts.product, module.target)),
      contextGeometry(Geometry::of(parts.context, module.target)), queryFormat(LeftFormat::of(parts.product)),
      codesFormat(LeftFormat::of(parts.context)), query(rowsOf(this->parts.product.getLhs())) {
  ArrayRef<int64_t> shape = shapeOf(this->parts.product.getLhs());
  tokens = shape[shape.size() - 2];
  headCount = query.count() / tokens;
  queryZeroPoint = blob.scalar(queryFormat.zeroPoint);
  codesZeroPoint = blob.scalar(codesFormat.zeroPoint);
}

/// The rows of an operand, read through the transpose that gives it if that is one of the moves.
HeadRows AttentionKernel::rowsOf(Value tensor) {
  auto transpose = tensor.getDefiningOp<TransposeOp>();
  if (!transpose || !llvm::is_contained(moves, transpose))
    return HeadRows::of(module, loc, memrefOf(tensor), shapeOf(tensor));
  return HeadRows::of(module, loc, memrefOf(transpose.getInput()), shapeOf(tensor), transpose.getPermutation());
}

/// The rows of the result, as the heads see them.
HeadRows AttentionKernel::rowsOfResult(Value buffer) {
  ArrayRef<int64_t> shape = shapeOf(parts.contextOps.back()->getResult(0));
  if (!parts.transpose)
    return HeadRows::of(module, loc, buffer, shape);
  return HeadRows::of(module, loc, buffer, shape, invertPermutationVector(parts.transpose.getPermutation()));
}

//===----------------------------------------------------------------------===//
// In @main
//===----------------------------------------------------------------------===//

/// Makes the row ops of `ops`, which work on the rows of `product`; false if one has no code.
bool AttentionKernel::makeStages(ArrayRef<Operation *> ops, MatmulOp product, SmallVectorImpl<Stage> &stages) {
  auto lookup = [&](Value value) {
    for (const Stage &stage : scoreStages)
      for (auto [result, buffer] : llvm::zip_equal(stage.op->getResults(), stage.row->buffers))
        if (value == result)
          return buffer;
    return memrefOf(value);
  };
  SmallVector<Operation *> all = parts.all();
  Value previous = product;
  for (Operation *op : ops) {
    std::unique_ptr<RowOp> row = makeRowOp(op, module, lookup, previous);
    if (!row)
      return false;
    // Results stay in the kernel, and so do operands that are results of it.
    row->results.clear();
    row->rowOperands.clear();
    Stage &stage = stages.emplace_back();
    Values outside;
    for (auto [memref, tensor] : llvm::zip_equal(row->operands, row->tensors)) {
      const bool isInside = tensor && llvm::is_contained(all, tensor.getDefiningOp());
      stage.inside.push_back(isInside ? tensor : Value());
      if (!isInside)
        outside.push_back(memref);
    }
    row->operands = outside;
    stage.op = op;
    stage.row = std::move(row);
    previous = op->getResult(0);
  }
  return true;
}

void AttentionKernel::prepareScratch() {
  const int64_t rows = scoresGeometry.tileRows;
  queryOffset = reserve(rows * scoresGeometry.paddedDepth() * scoresGeometry.dot.width / 8);
  scoresOffset = reserve(rows * scoresGeometry.paddedCols() * 4);
  codesOffset = reserve(rows * contextGeometry.paddedDepth() * codesFormat.width / 8 + 64);
  wordsOffset = reserve(readsCodes() ? 0 : rows * contextGeometry.paddedDepth() * contextGeometry.dot.width / 8);
  // Sums of rows, one number each.
  scoreStages.back().resultOffsets.push_back(codesOffset);
  for (unsigned i = 1; i < scoreStages.back().op->getNumResults(); ++i)
    scoreStages.back().resultOffsets.push_back(reserve(rows * 4));
  if (scoreStages.back().op->getNumResults() == 1)
    reserve(rows * 4);
  contextOffset = reserve(inTile ? 0 : rows * contextGeometry.paddedCols() * 4);
  reserveResults(MutableArrayRef(scoreStages).drop_back(), scoresGeometry.paddedCols());
  if (!inTile)
    reserveResults(MutableArrayRef(contextStages).drop_back(), contextGeometry.paddedCols());
}

/// Places for the rows that ops give each other; vectors may reach beyond the last one.
void AttentionKernel::reserveResults(MutableArrayRef<Stage> stages, int64_t paddedCols) {
  for (Stage &stage : stages)
    for (Value value : stage.op->getResults())
      stage.resultOffsets.push_back(reserve(scoresGeometry.tileRows * paddedCols * widthOf(value) / 8 + 64));
}

/// Adds the call that packs a right operand.
Packed AttentionKernel::pack(const Geometry &geometry, const LeftFormat &left, MatmulOp op) {
  OpBuilder &main = module.builder();
  const HeadRows rows = rowsOf(op.getRhs());
  const bool transposed = op.getTransposeRhs();
  const int64_t correction = left.correction(geometry);
  Blob constants;
  Slot slot = constants.scalar(correction);
  Packed packed;
  packed.panels = module.alloc(loc, {headCount * geometry.packedElements()}, main.getIntegerType(geometry.dot.width));
  Values args{rows.memref, packed.panels};
  if (correction) {
    packed.bias = module.alloc(loc, {headCount * geometry.paddedCols()}, main.getI32Type());
    args.push_back(packed.bias);
  }
  args.push_back(module.blob(loc, constants));
  module.call(Step(op.getLoc(), "pack"), "pack", args, headCount,
              [&](Emitter &e, ValueRange in, Value first, Value last) {
                e.loop(first, last, 1, [&](Value head) {
                  const RightView view{in[0], rows.first(e, head), rows.tokenStride, transposed};
                  Value offset = e.indexMul(head, geometry.packedElements());
                  if (correction)
                    emitPack(e, geometry, view, in[1], offset, in[2], e.indexMul(head, geometry.paddedCols()),
                             Blob::load(e, in[3], slot, 32));
                  else
                    emitPack(e, geometry, view, in[1], offset, {}, {}, {});
                });
              });
  return packed;
}

Value AttentionKernel::emitCalls() {
  if (!makeStages(parts.rowOps, parts.product, scoreStages) ||
      !makeStages(parts.contextOps, parts.context, contextStages))
    return {};
  // A tile has one row for all operands: that of scratch memory, or that of the tensors.
  const auto count = [&](auto predicate) { return llvm::count_if(contextStages, predicate); };
  inTile = llvm::all_of(contextStages,
                        [&](const Stage &stage) { return fitsTile(contextGeometry, *stage.row, module.target); }) &&
           (count([](const Stage &stage) { return stage.readsScratch(); }) == 0 ||
            count([](const Stage &stage) { return stage.readsMemory(); }) == 0);
  prepareScratch();
  keys = pack(scoresGeometry, queryFormat, parts.product);
  values = pack(contextGeometry, codesFormat, parts.context);

  Value last = parts.last()->getResult(0);
  Value buffer = module.alloc(loc, shapeOf(last), elementOf(last));
  result = rowsOfResult(buffer);
  Values args{query.memref, keys.panels, values.panels};
  for (Value bias : {keys.bias, values.bias})
    if (bias)
      args.push_back(bias);
  SmallVector<int64_t> ignored;
  for (SmallVectorImpl<Stage> *stages : {&scoreStages, &contextStages})
    for (Stage &stage : *stages)
      appendArguments(loc, module, *stage.row, args, ignored);
  args.append({result.memref, module.scratch(loc, scratchBytes), module.blob(loc, blob)});
  module.call(Step(parts.all(), macsOf(parts.product) + macsOf(parts.context)), "attention", args,
              headCount * scoresGeometry.tiles(), [&](Emitter &e, ValueRange in, Value first, Value last) {
                takeArguments(in);
                emitUnits(e, first, last);
              });
  return buffer;
}

//===----------------------------------------------------------------------===//
// In the kernel
//===----------------------------------------------------------------------===//

void AttentionKernel::takeArguments(ValueRange in) {
  queryIn = in[0];
  keys.panels = in[1];
  values.panels = in[2];
  in = in.drop_front(3);
  for (Value *bias : {&keys.bias, &values.bias})
    if (*bias) {
      *bias = in.front();
      in = in.drop_front();
    }
  for (SmallVectorImpl<Stage> *stages : {&scoreStages, &contextStages})
    for (Stage &stage : *stages)
      stage.arguments = RowArguments::take(*stage.row, in);
  resultIn = in[0];
  scratch = in[1];
  blobIn = in[2];
}

void AttentionKernel::emitUnits(Emitter &e, Value first, Value last) {
  const int64_t tileRows = scoresGeometry.tileRows, tiles = scoresGeometry.tiles(), tail = scoresGeometry.tailRows();
  e.loop(first, last, 1, [&](Value unit) {
    Value head = e.divu(unit, e.index(tiles)), tile = e.remu(unit, e.index(tiles));
    Value token = e.indexMul(tile, tileRows), whole = e.index(tokens / tileRows);
    if (tokens >= tileRows)
      e.ifThen(e.cmp(arith::CmpIPredicate::ult, tile, whole), [&] { emitUnit(e, head, token, tileRows); });
    if (tail)
      e.ifThen(e.cmp(arith::CmpIPredicate::eq, tile, whole), [&] { emitUnit(e, head, token, tail); });
  });
}

void AttentionKernel::emitUnit(Emitter &e, Value head, Value token, int64_t rows) {
  emitScores(e, head, token, rows);
  emitScoreStages(e, e.add(e.indexMul(head, tokens), token), rows);
  emitContext(e, head, token, rows);
}

/// Writes one row of a left operand in the format of the dot product.
void AttentionKernel::widen(Emitter &e, const Geometry &geometry, const LeftFormat &left, Slot zeroPoint, Value to,
                            int64_t row, int64_t cols, function_ref<Value(Value, int64_t)> load) {
  Value zero = Blob::load(e, blobIn, zeroPoint, geometry.dot.width), toRow = e.index(row);
  forColumns(e, module.target, cols, true, geometry.dot.width, [&](Value k, int64_t lanes) {
    e.store(widenLeft(e, geometry, left, zero, load(k, lanes)), to, {toRow, k});
  });
  for (int64_t k = cols; k < geometry.paddedDepth(); ++k)
    e.store(e.constant(e.intType(geometry.dot.width), 0), to, {toRow, e.index(k)});
}

void AttentionKernel::emitScores(Emitter &e, Value head, Value token, int64_t rows) {
  const Geometry &geometry = scoresGeometry;
  Value first = e.add(query.first(e, head), e.indexMul(token, query.tokenStride)), words;
  int64_t stride = query.tokenStride;
  if (queryFormat.isDirect(geometry)) {
    auto bytes = MemRefType::get({elementCount(queryIn.getType())}, e.intType(8));
    Value flat = memref::ReinterpretCastOp::create(e.b, e.loc, bytes, queryIn, 0, bytes.getShape(), {1});
    words = memref::ViewOp::create(
        e.b, e.loc, MemRefType::get({headCount * tokens, geometry.groups()}, e.intType(geometry.wordBits())), flat,
        e.index(0), ValueRange());
  } else {
    Value to = scratchView(e, queryOffset, {geometry.tileRows, geometry.paddedDepth()}, geometry.dot.width);
    for (int64_t r = 0; r < rows; ++r) {
      Value from = e.indexAdd(first, r * stride);
      widen(e, geometry, queryFormat, queryZeroPoint, to, r, geometry.k,
            [&](Value k, int64_t lanes) { return e.load(queryIn, {from, k}, lanes); });
    }
    words = scratchView(e, queryOffset, {geometry.tileRows, geometry.groups()}, geometry.wordBits());
    first = e.index(0);
    stride = 1;
  }
  TileStore store;
  store.arguments.push_back(scratchView(e, scoresOffset, {geometry.tileRows, geometry.paddedCols()}, 32));
  TileCaller tiles(module, geometry, words, stride, keys.panels, keys.bias, store);
  Value zero = e.index(0), panelsOffset = e.indexMul(head, geometry.packedElements());
  Value biasCol = keys.bias ? e.indexMul(head, geometry.paddedCols()) : zero;
  forPanels(e, geometry, [&](const Panel &panel) {
    // Scratch rows have room for whole vectors.
    const Panel whole{panel.first, panel.vectors, panel.vectors * geometry.dot.lanes};
    Value offset = e.add(panelsOffset, e.indexMul(panel.first, geometry.paddedDepth()));
    tiles.call(e, rows, whole, {first, offset, panel.first, zero, zero, zero, e.add(biasCol, panel.first)});
  });
}

/// Result `index` of a stage, in scratch memory.
Value AttentionKernel::resultView(Emitter &e, const Stage &stage, unsigned index) {
  const int64_t rows = scoresGeometry.tileRows;
  Value tensor = stage.op->getResult(index);
  const unsigned width = widthOf(tensor);
  const int64_t offset = stage.resultOffsets[index];
  if (index > 0)
    return scratchView(e, offset, {rows}, width);
  const bool isCodes = &stage == &scoreStages.back();
  const bool isScores = stage.op->isBeforeInBlock(parts.context);
  const int64_t cols = isCodes    ? contextGeometry.paddedDepth()
                       : isScores ? scoresGeometry.paddedCols()
                                  : contextGeometry.paddedCols();
  return scratchView(e, offset, {rows, cols}, width);
}

/// The operands of a stage: arguments of the kernel, and results in scratch memory.
Values AttentionKernel::operandsOf(Emitter &e, const Stage &stage) {
  Values operands;
  ValueRange outside = stage.arguments.operands;
  for (Value tensor : stage.inside) {
    if (!tensor) {
      operands.push_back(outside.front());
      outside = outside.drop_front();
      continue;
    }
    const Stage *source = llvm::find_if(scoreStages, [&](const Stage &s) { return s.op == tensor.getDefiningOp(); });
    operands.push_back(resultView(e, *source, cast<OpResult>(tensor).getResultNumber()));
  }
  return operands;
}

/// The ops between scores and codes; their rows are in scratch memory.
void AttentionKernel::emitScoreStages(Emitter &e, Value firstRow, int64_t rows) {
  Value previous = scratchView(e, scoresOffset, {scoresGeometry.tileRows, scoresGeometry.paddedCols()}, 32);
  const bool several = scoreStages.size() > 1;
  for (const Stage &stage : scoreStages) {
    Values results;
    for (unsigned i = 0; i < stage.op->getNumResults(); ++i)
      results.push_back(resultView(e, stage, i));
    if (several)
      callRows(e, stage, previous, results, firstRow, rows);
    else
      emitRows(e, stage, previous, stage.arguments.operands, results, stage.arguments.blob, firstRow, rows);
    previous = results.front();
  }
}

/// The loop over the rows of a tile.
void AttentionKernel::emitRows(Emitter &e, const Stage &stage, Value primary, ValueRange operands, ValueRange results,
                               Value opBlob, Value firstRow, int64_t rows) {
  e.loop(rows, [&](Value r) {
    Value row = e.add(firstRow, r);
    stage.row->emitRow(e, module.target, {primary, r, row, operands, results, opBlob, r, row});
  });
}

/// The same in a function of its own: as its arguments, what is read and what is written lie apart,
/// which LLVM must know to make vectors of an op's loops.
void AttentionKernel::callRows(Emitter &e, const Stage &stage, Value primary, ValueRange results, Value firstRow,
                               int64_t rows) {
  ValueRange operands = stage.arguments.operands;
  Values args{primary};
  args.append(results.begin(), results.end());
  args.append(operands.begin(), operands.end());
  args.append({stage.arguments.blob, firstRow});
  func::FuncOp function = module.function("rows", TypeRange(ValueRange(args)), {}, [&](Emitter &inner, ValueRange in) {
    ValueRange to = in.slice(1, results.size()), from = in.slice(1 + results.size(), operands.size());
    emitRows(inner, stage, in.front(), from, to, in[in.size() - 2], in.back(), rows);
  });
  func::CallOp::create(e.b, e.loc, function, args);
}

/// The codes as the left operand of the second product.
Value AttentionKernel::emitCodeWords(Emitter &e, int64_t rows) {
  const Geometry &geometry = contextGeometry;
  Value words = scratchView(e, codesOffset, {scoresGeometry.tileRows, geometry.groups()}, geometry.wordBits());
  if (readsCodes())
    return words;
  Value codes = scratchView(e, codesOffset, {scoresGeometry.tileRows, geometry.paddedDepth()}, codesFormat.width);
  Value to = scratchView(e, wordsOffset, {scoresGeometry.tileRows, geometry.paddedDepth()}, geometry.dot.width);
  for (int64_t r = 0; r < rows; ++r) {
    Value row = e.index(r);
    widen(e, geometry, codesFormat, codesZeroPoint, to, r, geometry.k,
          [&](Value k, int64_t lanes) { return e.load(codes, {row, k}, lanes); });
  }
  return scratchView(e, wordsOffset, {scoresGeometry.tileRows, geometry.groups()}, geometry.wordBits());
}

void AttentionKernel::emitContext(Emitter &e, Value head, Value token, int64_t rows) {
  const Geometry &geometry = contextGeometry;
  Value words = emitCodeWords(e, rows);
  SmallVector<Values> operands;
  bool readsMemory = false;
  for (const Stage &stage : contextStages) {
    operands.push_back(operandsOf(e, stage));
    readsMemory |= stage.readsMemory();
  }
  TileStore store;
  Value sums;
  if (inTile) {
    store.rowStride = result.tokenStride;
    for (auto [stage, own] : llvm::zip_equal(contextStages, operands)) {
      // In a tile, operands take the place that they have outside of the fused kernel.
      stage.row->operands = own;
      store.ops.push_back(stage.row.get());
      store.arguments.append(own);
      store.arguments.push_back(stage.arguments.blob);
    }
    store.arguments.push_back(resultIn);
  } else {
    sums = scratchView(e, contextOffset, {scoresGeometry.tileRows, geometry.paddedCols()}, 32);
    store.arguments.push_back(sums);
  }
  TileCaller tiles(module, geometry, words, 1, values.panels, values.bias, store);
  Value zero = e.index(0), panelsOffset = e.indexMul(head, geometry.packedElements());
  Value row = e.add(e.indexMul(head, tokens), token);
  Value resultRow = e.add(result.first(e, head), e.indexMul(token, result.tokenStride));
  Value biasCol = values.bias ? e.indexMul(head, geometry.paddedCols()) : zero;
  forPanels(e, geometry, [&](const Panel &panel) {
    Panel stored = panel;
    if (!inTile)
      stored.valid = panel.vectors * geometry.dot.lanes;
    Value offset = e.add(panelsOffset, e.indexMul(panel.first, geometry.paddedDepth()));
    TilePlace place{zero, offset, panel.first, row, resultRow, readsMemory ? row : zero, e.add(biasCol, panel.first)};
    if (!inTile)
      place.row = place.resultRow = place.operandRow = zero;
    tiles.call(e, rows, stored, place);
  });
  if (!inTile)
    emitContextStages(e, sums, row, resultRow, rows, operands);
}

/// The ops on the context, row by row.
void AttentionKernel::emitContextStages(Emitter &e, Value sums, Value row, Value resultRow, int64_t rows,
                                        ArrayRef<Values> operandsOfStages) {
  Values results;
  for (const Stage &stage : ArrayRef(contextStages).drop_back())
    results.push_back(resultView(e, stage, 0));
  results.push_back(resultIn);
  e.loop(rows, [&](Value r) {
    Value previous = sums, tensorRow = e.add(row, r);
    Value toRow = e.add(resultRow, e.indexMul(r, result.tokenStride));
    for (auto [stage, operands, to] : llvm::zip_equal(contextStages, operandsOfStages, results)) {
      const bool isLast = &stage == &contextStages.back();
      stage.row->emitRow(e, module.target,
                         {previous, r, tensorRow, operands, ValueRange(to), stage.arguments.blob, isLast ? toRow : r,
                          stage.readsScratch() ? r : tensorRow});
      previous = to;
    }
  });
}

Value vitq::kernels::lowerAttention(const KernelParts &parts, ArrayRef<Operation *> moves, KernelModule &module,
                                    MemrefOf memrefOf) {
  return AttentionKernel(parts, moves, module, memrefOf).emitCalls();
}
