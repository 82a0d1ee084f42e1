//===- AttentionBody.cpp - What the kernel of an attention does -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionKernel.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

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

Unit AttentionKernel::unitAt(Emitter &e, Value number) const {
  const int64_t tiles = scoresGeometry.tiles(), low = scoresGeometry.lowRows(), tall = scoresGeometry.tallTiles();
  Unit unit{e.divu(number, e.index(tiles)), e.remu(number, e.index(tiles)), {}, {}};
  // Sums of a single row would wait for each other: tiles differ by one row at most.
  unit.token = e.add(e.indexMul(unit.tile, low), e.umin(unit.tile, e.index(tall)));
  unit.row = e.add(e.indexMul(unit.head, tokens), unit.token);
  return unit;
}

/// The code of a unit, for each number of rows that it may have.
void AttentionKernel::forUnit(Emitter &e, Value number, function_ref<void(const Unit &)> emit) const {
  const int64_t low = scoresGeometry.lowRows(), tall = scoresGeometry.tallTiles();
  Unit unit = unitAt(e, number);
  auto emitRows = [&](int64_t rows) {
    unit.rows = rows;
    emit(unit);
  };
  if (!tall)
    return emitRows(low);
  Value isTall = e.cmp(arith::CmpIPredicate::ult, unit.tile, e.index(tall));
  e.ifThenElse(isTall, [&] { emitRows(low + 1); }, [&] { emitRows(low); });
}

void AttentionKernel::emitUnits(Emitter &e, Value first, Value last) {
  if (besideRows)
    return emitUnitsAhead(e, first, last);
  e.loop(first, last, 1, [&](Value number) {
    forUnit(e, number, [&](const Unit &unit) {
      emitScores(e, unit.head, unit.token, unit.rows);
      emitScoreStages(e, unit.row, unit.rows);
      emitContext(e, unit.head, unit.token, unit.rows);
    });
  });
}

/// Writes one row of a left operand in the format of the dot product.
void AttentionKernel::widen(Emitter &e, const Geometry &geometry, const LeftFormat &left, Slot zeroPoint, Value to,
                            int64_t row, int64_t cols, function_ref<Value(Value, int64_t)> load) {
  Value zero = Blob::load(e, blobIn, zeroPoint, geometry.leftWidth()), toRow = e.index(row);
  forColumns(e, module.target, cols, true, geometry.leftWidth(), [&](Value k, int64_t lanes) {
    e.store(widenLeft(e, geometry, left, zero, load(k, lanes)), to, {toRow, k});
  });
  for (int64_t k = cols; k < geometry.paddedDepth(); ++k)
    e.store(e.constant(e.intType(geometry.leftWidth()), 0), to, {toRow, e.index(k)});
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
    Value to = scratchView(e, queryOffset, {geometry.tileRows, geometry.paddedDepth()}, geometry.leftWidth());
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
  // Scratch rows have room for whole vectors.
  store.paddedRows = true;
  for (const Stage &stage : ArrayRef(scoreStages).take_front(tileStages)) {
    store.ops.push_back(stage.row.get());
    store.arguments.append(stage.arguments.operands.begin(), stage.arguments.operands.end());
    store.arguments.push_back(stage.arguments.blob);
  }
  store.arguments.push_back(scoresView(e));
  Value row = e.add(e.indexMul(head, tokens), token);
  TileCaller tiles(module, geometry, words, stride, keys.panels, keys.bias, store);
  Value zero = e.index(0), panelsOffset = e.indexMul(head, geometry.packedElements());
  Value biasCol = keys.bias ? e.indexMul(head, geometry.paddedCols()) : zero;
  tiles.shapeRegisters(e, rows);
  forPanels(e, geometry, [&](const Panel &panel) {
    Panel stored = panel;
    TilePlace place{first,
                    e.add(panelsOffset, e.indexMul(panel.first, geometry.paddedDepth())),
                    panel.first,
                    row,
                    zero,
                    row,
                    e.add(biasCol, panel.first)};
    if (!tileStages) {
      stored.valid = panel.vectors * geometry.dot.lanes;
      place.row = place.operandRow = zero;
    }
    tiles.call(e, rows, stored, place);
  });
}

/// Result `index` of a stage, in scratch memory.
Value AttentionKernel::resultView(Emitter &e, const Stage &stage, unsigned index) {
  const int64_t rows = scoresGeometry.tileRows;
  Value tensor = stage.op->getResult(index);
  const unsigned width = widthOf(tensor);
  const bool isCodes = &stage == &scoreStages.back();
  Value offset = e.index(stage.resultOffsets[index]);
  if (isCodes && besideRows)
    offset = e.add(offset, e.indexMul(parity, index > 0 ? bytesOfSums() : bytesOfCodes()));
  if (index > 0)
    return scratchView(e, offset, {rows}, width);
  const bool isScores = stage.op->isBeforeInBlock(parts.context);
  const int64_t cols = isCodes ? codesStride() : isScores ? scoresStride() : contextGeometry.paddedCols();
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

/// The rows of scores, or of what ops on them in registers gave.
Value AttentionKernel::scoresView(Emitter &e) {
  return tileStages ? resultView(e, scoreStages[tileStages - 1], 0)
                    : scratchView(e, scoresOffset, {scoresGeometry.tileRows, scoresStride()}, 32);
}

/// The other ops between scores and codes; their rows are in scratch memory.
void AttentionKernel::emitScoreStages(Emitter &e, Value firstRow, int64_t rows) {
  Value previous = scoresView(e);
  const ArrayRef<Stage> stages = ArrayRef(scoreStages).drop_front(tileStages);
  const bool several = stages.size() > 1;
  for (const Stage &stage : stages) {
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
    RowContext context{primary, r, row, operands, results, opBlob, r, row};
    context.room = scoresGeometry.paddedCols();
    stage.row->emitRow(e, module.target, context);
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
  if (readsCodes()) {
    Value offset = e.index(codesOffset);
    if (besideRows)
      offset = e.add(offset, e.indexMul(parity, bytesOfCodes()));
    return scratchView(e, offset, {scoresGeometry.tileRows, codesStride() / geometry.dot.group}, geometry.wordBits());
  }
  Value codes = scratchView(e, codesOffset, {scoresGeometry.tileRows, codesStride()}, codesFormat.width);
  Value to = scratchView(e, wordsOffset, {scoresGeometry.tileRows, geometry.paddedDepth()}, geometry.leftWidth());
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
  tiles.shapeRegisters(e, rows);
  forPanels(e, geometry, [&](const Panel &panel) {
    Panel stored = panel;
    if (!inTile)
      stored.valid = panel.vectors * geometry.dot.lanes;
    Value offset = e.add(panelsOffset, e.indexMul(panel.first, geometry.paddedDepth()));
    TilePlace place{zero, offset, panel.first, row, resultRow, readsMemory ? row : zero, e.add(biasCol, panel.first)};
    if (!inTile)
      place.row = place.resultRow = place.operandRow = zero;
    if (besideRows)
      callBeside(e, tiles, stored, place, rows);
    else
      tiles.call(e, rows, stored, place);
  });
  tiles.releaseRegisters(e);
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
