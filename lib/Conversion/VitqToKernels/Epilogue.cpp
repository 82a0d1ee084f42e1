//===- Epilogue.cpp - What follows sums in their kernel --- -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Epilogue.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

//===----------------------------------------------------------------------===//
// Sums in registers
//===----------------------------------------------------------------------===//

/// Writes the first `valid` lanes.
static void storeColumns(Emitter &e, Value value, int64_t valid, Value c, Value row, Value col) {
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type || valid >= type.getNumElements())
    return e.store(value, c, {row, col});
  // LLVM 22 makes a scalar store of a masked one of one lane, and forgets that it truncates.
  if (valid == 1)
    return e.store(e.op<vector::ExtractOp>(value, 0), c, {row, col});
  Value mask = e.lanesBetween(type.getNumElements(), 0, valid);
  vector::MaskedStoreOp::create(e.b, e.loc, c, ValueRange{row, col}, mask, value);
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

int64_t vitq::kernels::vectorsTogether(Emitter &e, const TileStore &store, unsigned width, int64_t lanes,
                                       int64_t most) {
  // Results of 16 bytes where they are bytes, or of one vector that packs give: as many vectors as that takes.
  const int64_t together = e.packs && width < 32 ? int64_t{64} * 8 / width : 16;
  int64_t count = store.ops.empty() ? 1 : std::max<int64_t>(1, together / lanes);
  while (count > most)
    count /= 2;
  return count;
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
  for (int64_t v = 0; v < vectors;) {
    const int64_t count = vectorsTogether(e, store, widthOf(args.back()), lanes, vectors - v);
    Value col = e.indexAdd(firstCol, v * lanes), y = e.join(sums.slice(v, count));
    for (auto [op, context, start] : llvm::zip_equal(store.ops, contexts, starts)) {
      context.valid = std::max<int64_t>(0, valid - v * lanes);
      y = op->emitElements(e, context, start, y, col);
    }
    storeColumns(e, y, store.paddedRows ? count * lanes : valid - v * lanes, args.back(), resultRow, col);
    v += count;
  }
}

//===----------------------------------------------------------------------===//
// All ops
//===----------------------------------------------------------------------===//

void Epilogue::appendArguments(Location loc, KernelModule &module, Values &args, std::string &name,
                               SmallVectorImpl<int64_t> &local) {
  auto append = [&](RowOp &row) {
    kernels::appendArguments(loc, module, row, args, local);
    name += "_" + row.name.str();
  };
  for (const auto &row : elementwise)
    append(*row);
  if (rowwise)
    append(*rowwise);
  for (const auto &row : posts)
    append(*row);
}

void EpilogueCode::takeArguments(ValueRange &in) {
  for (const auto &row : epilogue.elementwise)
    elementwise.push_back(RowArguments::take(*row, in));
  if (epilogue.rowwise)
    rowwise = RowArguments::take(*epilogue.rowwise, in);
  for (const auto &row : epilogue.posts)
    posts.push_back(RowArguments::take(*row, in));
}

TileStore EpilogueCode::store(Value sums) const {
  TileStore store;
  for (auto [row, arguments] : llvm::zip_equal(epilogue.elementwise, elementwise)) {
    store.ops.push_back(row.get());
    store.arguments.append(arguments.operands.begin(), arguments.operands.end());
    store.arguments.push_back(arguments.blob);
  }
  store.arguments.push_back(elementwise.empty() ? sums : elementwise.back().results[0]);
  return store;
}

/// `count` rows from `row` on.
void EpilogueCode::emitGroup(Emitter &e, const TargetDesc &target, Value row, Value sums, Value sumsRow,
                             int64_t count) const {
  Value previous, previousRow = row;
  auto emit = [&](const RowOp &rowOp, const RowArguments &arguments) {
    RowContext context = RowContext::ofRow(row, arguments.operands, arguments.results, arguments.blob);
    context.primary = previous;
    context.primaryRow = previousRow;
    rowOp.emitRows(e, target, context, count);
    previous = arguments.results[0];
    previousRow = row;
  };
  if (epilogue.rowwise) {
    previous = sums;
    previousRow = sumsRow;
    emit(*epilogue.rowwise, rowwise);
  } else {
    previous = elementwise.back().results[0];
  }
  for (auto [post, arguments] : llvm::zip_equal(epilogue.posts, posts))
    emit(*post, arguments);
}

/// How many rows are computed as one: as few as fill vectors, or all but fill them; 1 where some op does not join rows.
int64_t EpilogueCode::joinedRows(const TargetDesc &target, int64_t most) const {
  if (epilogue.rowwise || !llvm::all_of(epilogue.posts, [](const auto &post) { return post->joinsRows(); }))
    return 1;
  const int64_t cols = epilogue.posts.front()->cols, lanes = target.vectorBits / 8;
  int64_t joined = 1;
  while (joined * cols % lanes != 0 && joined * cols < 8 * lanes)
    ++joined;
  return std::min(joined, most);
}

void EpilogueCode::emitJoined(Emitter &e, const TargetDesc &target, Value row, int64_t joined) const {
  // Rows of so many of them, which begin at each.
  auto longRows = [&](Value memref) {
    auto type = cast<MemRefType>(memref.getType());
    const int64_t rows = type.getDimSize(0), cols = type.getDimSize(1);
    const SmallVector<int64_t> sizes{rows - joined + 1, joined * cols}, strides{cols, 1};
    auto layout = StridedLayoutAttr::get(e.b.getContext(), 0, strides);
    return e.op<memref::ReinterpretCastOp>(MemRefType::get(sizes, type.getElementType(), layout), memref, 0, sizes,
                                           strides);
  };
  Value previous = longRows(elementwise.back().results[0]);
  for (auto [post, arguments] : llvm::zip_equal(epilogue.posts, posts)) {
    const Values results{longRows(arguments.results[0])};
    RowContext context = RowContext::ofRow(row, arguments.operands, results, arguments.blob);
    context.primary = previous;
    context.primaryRow = row;
    context.joined = joined;
    post->emitRow(e, target, context);
    previous = results[0];
  }
}

void EpilogueCode::emitRows(Emitter &e, const TargetDesc &target, Value first, Value count, int64_t most,
                            Value sums) const {
  if (!epilogue.rowwise && epilogue.posts.empty())
    return;
  Value joinedCount = e.index(0);
  if (const int64_t joined = joinedRows(target, most); joined > 1) {
    joinedCount = e.indexMul(e.divu(count, e.index(joined)), joined);
    e.loop(e.index(0), joinedCount, joined, [&](Value r) { emitJoined(e, target, e.add(first, r), joined); });
  }
  int64_t atOnce = epilogue.rowwise ? epilogue.rowwise->rowsAtOnce(target) : 1;
  for (const auto &post : epilogue.posts)
    atOnce = std::max(atOnce, post->rowsAtOnce(target));
  forRowGroups(e, joinedCount, count, std::min(atOnce, most),
               [&](Value r, int64_t rows) { emitGroup(e, target, e.add(first, r), sums, r, rows); });
}
