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

#include "AttentionKernel.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

static ArrayRef<int64_t> shapeOf(Value value) { return cast<ShapedType>(value.getType()).getShape(); }

AttentionKernel::AttentionKernel(const KernelParts &parts, ArrayRef<Operation *> moves, KernelModule &module,
                                 MemrefOf memrefOf)
    : parts(parts), moves(moves), module(module), memrefOf(memrefOf), loc(MatmulOp(parts.context).getLoc()),
      scoresGeometry(Geometry::of(parts.product, module.target)),
      contextGeometry(Geometry::of(parts.context, module.target)), queryFormat(LeftFormat::of(parts.product)),
      codesFormat(LeftFormat::of(parts.context)), query(rowsOf(this->parts.product.getLhs())) {
  // Both products have the same rows in a tile.
  if (!contextGeometry.tileProduct && scoresGeometry.tileProduct)
    scoresGeometry = scoresGeometry.withoutTiles(module.target);
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
  queryOffset = reserve(rows * scoresGeometry.paddedDepth() * scoresGeometry.leftWidth() / 8);
  scoresOffset = reserve(rows * scoresStride() * 4);
  const int64_t places = besideRows ? 2 : 1;
  topsOffset = reserve(besideRows ? rows * 4 : 0);
  codesOffset = reserve(places * bytesOfCodes());
  wordsOffset = reserve(readsCodes() ? 0 : rows * contextGeometry.paddedDepth() * contextGeometry.leftWidth() / 8);
  // Sums of rows, one number each.
  scoreStages.back().resultOffsets.push_back(codesOffset);
  for (unsigned i = 1; i < scoreStages.back().op->getNumResults(); ++i)
    scoreStages.back().resultOffsets.push_back(reserve(places * bytesOfSums()));
  if (scoreStages.back().op->getNumResults() == 1)
    reserve(rows * 4);
  contextOffset = reserve(inTile ? 0 : rows * contextGeometry.paddedCols() * 4);
  reserveResults(MutableArrayRef(scoreStages).drop_back(), scoresStride());
  if (!inTile)
    reserveResults(MutableArrayRef(contextStages).drop_back(), contextGeometry.paddedCols());
}

/// Places for the rows that ops give each other; vectors may reach beyond the last one.
void AttentionKernel::reserveResults(MutableArrayRef<Stage> stages, int64_t stride) {
  for (Stage &stage : stages)
    for (Value value : stage.op->getResults())
      stage.resultOffsets.push_back(reserve(scoresGeometry.tileRows * stride * widthOf(value) / 8 + 64));
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
  // Something must be left that gives codes.
  while (tileStages + 1 < scoreStages.size() && !scoreStages[tileStages].readsScratch() &&
         fitsTile(scoresGeometry, *scoreStages[tileStages].row, module.target))
    ++tileStages;
  besideRows = rowsBeside();
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
  module.call(Step(parts.all(), parts.product.getMacs() + parts.context.getMacs()), "attention", args,
              headCount * scoresGeometry.tiles(), [&](Emitter &e, ValueRange in, Value first, Value last) {
                takeArguments(in);
                emitUnits(e, first, last);
              });
  return buffer;
}

Value vitq::kernels::lowerAttention(const KernelParts &parts, ArrayRef<Operation *> moves, KernelModule &module,
                                    MemrefOf memrefOf) {
  return AttentionKernel(parts, moves, module, memrefOf).emitCalls();
}
