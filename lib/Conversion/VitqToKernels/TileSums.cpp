//===- TileSums.cpp - The loops of a tile -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileSums.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

#include <numeric>

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

void vitq::kernels::forbidUnrolling(Operation *loop) {
  MLIRContext *context = loop->getContext();
  auto unroll = LLVM::LoopUnrollAttr::get(context, BoolAttr::get(context, true), {}, {}, {}, {}, {}, {});
  loop->setAttr("llvm.loop_annotation",
                LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, unroll, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}));
}

Values vitq::kernels::squaresOfRows(Emitter &e, const DotInstruction &dot, ValueRange rows) {
  Values squares;
  for (int64_t first = 0; first < dot.lanes; first += dot.lanes / 2) {
    SmallVector<int64_t> from;
    for (int64_t lane = 0; lane < dot.lanes; ++lane)
      from.push_back(lane / 2 % 2 * dot.lanes + first + lane / 4 * 2 + lane % 2);
    squares.push_back(e.op<vector::ShuffleOp>(rows[0], rows[1], from));
  }
  return squares;
}

Values vitq::kernels::rowsOfSquares(Emitter &e, const DotInstruction &dot, ValueRange squares) {
  Values rows;
  for (int64_t row = 0; row < 2; ++row) {
    SmallVector<int64_t> from;
    for (int64_t col = 0; col < dot.lanes; ++col) {
      const int64_t half = dot.lanes / 2, inHalf = col % half;
      from.push_back(col / half * dot.lanes + inHalf / 2 * 4 + row * 2 + inHalf % 2);
    }
    rows.push_back(e.op<vector::ShuffleOp>(squares[0], squares[1], from));
  }
  return rows;
}

/// Sums by rows as sums by blocks of rows, or back. The second row of a last block may be none of the tile's.
Values TileSums::exchange(ValueRange sums, bool toSquares) {
  const int64_t height = geometry.dot.rows;
  Values result(toSquares ? blocks() * operands() : rows * vectors);
  for (int64_t block = 0; block < blocks(); ++block)
    for (int64_t v = 0; v < vectors; ++v) {
      Values own;
      for (int64_t i = 0; i < height; ++i)
        own.push_back(toSquares ? sums[std::min(block * height + i, rows - 1) * vectors + v]
                                : sums[block * operands() + v * height + i]);
      own = toSquares ? squaresOfRows(e, geometry.dot, own) : rowsOfSquares(e, geometry.dot, own);
      for (int64_t i = 0; i < height; ++i)
        if (toSquares)
          result[block * operands() + v * height + i] = own[i];
        else if (block * height + i < rows)
          result[(block * height + i) * vectors + v] = own[i];
    }
  return result;
}

Values TileSums::emit(ValueRange init) {
  if (geometry.dot.rows == 1)
    return emitLoops(init);
  return exchange(emitLoops(exchange(init, /*toSquares=*/true)), /*toSquares=*/false);
}

Values TileSums::emitLoops(ValueRange init) {
  if (packing)
    return emitUnpacking(init);
  if (geometry.shortSteps == 2 && geometry.shortDot->holdsTwoGroups)
    return emitPairs(init);
  return geometry.shortSteps > 1 ? emitShortLoops(init) : emitLoop(init);
}

void TileSums::prefetch(Value first, int64_t count) {
  constexpr int64_t line = 64;
  for (int64_t byte = 0; byte < aheadStep * count; byte += line)
    memref::PrefetchOp::create(e.b, e.loc, ahead, e.indexAdd(e.add(aheadFirst, e.indexMul(first, aheadStep)), byte),
                               /*isWrite=*/false, /*localityHint=*/2, /*isDataCache=*/true);
}

/// What a block of rows has of one group: a word, or one of each row.
Value TileSums::word(int64_t block, Value kg) {
  auto load = [&](int64_t row) { return e.load(left, {e.indexAdd(leftRow, row * leftStride), kg}); };
  const int64_t height = geometry.dot.rows, first = block * height;
  if (height == 1)
    return load(first);
  Value words = e.op<vector::BroadcastOp>(VectorType::get({height}, e.intType(geometry.wordBits())), load(first));
  for (int64_t i = 1; i < std::min(height, rows - first); ++i)
    words = e.op<vector::InsertOp>(load(first + i), words, i);
  return words;
}

/// The right operands of one group.
Values TileSums::loadGroup(Value kg) {
  const int64_t step = geometry.rightElements();
  Values weights;
  Value from = e.add(rightOffset, e.indexMul(kg, operands() * step));
  for (int64_t v = 0; v < operands(); ++v)
    weights.push_back(e.load(right, e.indexAdd(from, v * step), step, step * geometry.dot.width / 8));
  return weights;
}

/// The products of one group; without `sums` these are the sums.
Values TileSums::addGroup(Value kg, ValueRange sums, AddProduct add) {
  prefetch(kg, 1);
  const Values weights = loadGroup(kg);
  Values next;
  for (int64_t r = 0; r < blocks(); ++r) {
    Value a = word(r, kg);
    for (int64_t v = 0; v < operands(); ++v)
      next.push_back(add(sums.empty() ? Value() : sums[r * operands() + v], a, weights[v]));
  }
  return next;
}

Values TileSums::addDots(Value kg, ValueRange sums) {
  return addGroup(kg, sums, [&](Value sum, Value a, Value b) { return emitDot(e, geometry, sum, a, b); });
}

Values TileSums::emitGroups(Value first, Value last, ValueRange init) {
  Values sums = e.loop(first, last, 1, init, [&](Value kg, ValueRange acc) { return addDots(kg, acc); });
  forbidUnrolling(sums.front().getDefiningOp());
  return sums;
}

Values TileSums::emitLoop(ValueRange init) { return emitGroups(e.index(0), e.index(geometry.groups()), init); }

/// The same by short sums of two groups each: one short sum at a time, all others stay in registers.
Values TileSums::emitPairs(ValueRange init) {
  const int64_t groups = geometry.groups();
  Values sums = e.loop(e.index(0), e.index(groups / 2 * 2), 2, init, [&](Value first, ValueRange acc) {
    prefetch(first, 2);
    Value second = e.indexAdd(first, 1);
    const Values weights[] = {loadGroup(first), loadGroup(second)};
    Values next;
    for (int64_t r = 0; r < rows; ++r) {
      Value a = word(r, first), b = word(r, second);
      for (int64_t v = 0; v < vectors; ++v) {
        Value products = emitShortDot(e, geometry, Value(), a, weights[0][v]);
        products = emitShortDot(e, geometry, products, b, weights[1][v]);
        next.push_back(addShortSums(e, geometry, acc[r * vectors + v], products));
      }
    }
    return next;
  });
  forbidUnrolling(sums.front().getDefiningOp());
  if (groups % 2 == 0)
    return sums;
  return addDots(e.index(groups - 1), sums);
}

/// The same by longer runs. Sums of 32 bits leave the registers meanwhile.
Values TileSums::emitShortLoops(ValueRange init) {
  auto add = [&](Value sum, Value a, Value b) { return emitShortDot(e, geometry, sum, a, b); };
  // The first products are no sums yet.
  auto run = [&](Value first, Value end, ValueRange acc) {
    Values sums = e.loop(e.indexAdd(first, 1), end, 1, addGroup(first, {}, add),
                         [&](Value kg, ValueRange shortSums) { return addGroup(kg, shortSums, add); });
    forbidUnrolling(sums.front().getDefiningOp());
    for (auto [sum, all] : llvm::zip_equal(sums, acc))
      sum = addShortSums(e, geometry, all, sum);
    return sums;
  };
  const int64_t groups = geometry.groups(), steps = geometry.shortSteps;
  if (steps >= groups)
    return run(e.index(0), e.index(groups), init);
  return e.loop(e.index(0), e.index(groups), steps, init, [&](Value first, ValueRange acc) {
    Value end = e.indexAdd(first, steps);
    return run(first, groups % steps ? e.smin(end, e.index(groups)) : end, acc);
  });
}

/// Weights that no other tile uses are unpacked where they are multiplied: so many groups at a time as are whole
/// blocks.
Values TileSums::emitUnpacking(ValueRange init) {
  const int64_t block = packing->blockCodes() / (int64_t{geometry.dot.lanes} * geometry.dot.group);
  const int64_t span = block / std::gcd(block, vectors), whole = geometry.groups() / span * span;
  Values sums(init);
  if (whole) {
    sums = e.loop(e.index(0), e.index(whole), span, init,
                  [&](Value first, ValueRange acc) { return addPacked(first, span, acc); });
    forbidUnrolling(sums.front().getDefiningOp());
  }
  return whole < geometry.groups() ? addPacked(e.index(whole), geometry.groups() - whole, sums) : sums;
}

/// Adds the products of `count` groups.
Values TileSums::addPacked(Value first, int64_t count, ValueRange sums) {
  prefetch(first, count);
  const Values weights = unpack(first, count);
  const int64_t run = std::min(geometry.shortSteps, count);
  Values next(sums), shortSums(sums.size());
  for (int64_t s = 0; s < count; ++s)
    for (int64_t r = 0; r < blocks(); ++r) {
      Value a = word(r, e.indexAdd(first, s));
      for (int64_t v = 0; v < operands(); ++v) {
        const int64_t i = r * operands() + v;
        if (!run) {
          next[i] = emitDot(e, geometry, next[i], a, weights[s * operands() + v]);
          continue;
        }
        shortSums[i] = emitShortDot(e, geometry, s % run ? shortSums[i] : Value(), a, weights[s * operands() + v]);
        if ((s + 1) % run == 0 || s + 1 == count)
          next[i] = addShortSums(e, geometry, next[i], shortSums[i]);
      }
    }
  return next;
}

/// The vectors of `count` groups, as the dot product reads them.
Values TileSums::unpack(Value first, int64_t count) {
  const int64_t words = int64_t{geometry.dot.lanes} * geometry.dot.group, block = packing->blockCodes() / words;
  // A group need not end at a byte, but what is before `first` does.
  const int64_t bits = vectors * words * packing->codeBits();
  Value before = bits % 8 ? e.divu(e.indexMul(first, bits), e.index(8)) : e.indexMul(first, bits / 8);
  Value at = e.add(rightOffset, before);
  Values weights;
  for (int64_t i = 0; i < count * vectors; i += block) {
    Value codes = packing->load(e, right, e.indexAdd(at, i / block * packing->blockBytes()));
    for (int64_t from = 0; from < block * words; from += geometry.rightElements()) {
      Value vector =
          vector::ExtractStridedSliceOp::create(e.b, e.loc, codes, from, geometry.rightElements(), int64_t{1});
      weights.push_back(e.sext(vector, geometry.dot.width));
    }
  }
  return weights;
}
