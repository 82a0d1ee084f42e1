//===- WindowOps.cpp - Kernels of windows of maps -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Rows of a result are computed apart, pixel by pixel, and channels in vectors. Where a
// window begins and how much of it lies inside the map is data.

#include "MoveOps.h"
#include "RowOpsDetail.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;
using namespace vitq::integer;

namespace {
/// The taps of windows along one axis that lie inside the map.
struct InsideTaps {
  SmallVector<int64_t> first, count;

  InsideTaps(int64_t outputs, int64_t size, int64_t kernel, int64_t stride, int64_t low, int64_t dilation) {
    for (int64_t i = 0; i < outputs; ++i) {
      const int64_t begin = i * stride - low;
      const int64_t skipped = begin < 0 ? (-begin + dilation - 1) / dilation : 0;
      first.push_back(begin + skipped * dilation);
      count.push_back(std::min(kernel - skipped, (size - first.back() + dilation - 1) / dilation));
    }
  }
};
} // namespace

/// Calls `body(b, i, j)` for the pixels of rows [first, last) of a result.
static void forPixels(Emitter &e, ArrayRef<int64_t> shape, Value first, Value last,
                      function_ref<void(Value, Value, Value)> body) {
  e.loop(first, last, 1, [&](Value row) {
    Value rows = e.index(shape[1]);
    Value b = e.divu(row, rows), i = e.remu(row, rows);
    e.loop(shape[2], [&](Value j) { body(b, i, j); });
  });
}

static Value maxPool(MaxPoolOp op, KernelModule &module, Value input) {
  ArrayRef<int64_t> from = cast<MemRefType>(input.getType()).getShape(), shape = op.getType().getShape();
  const bool isUnsigned = op.getInputCode().isUnsigned();
  const int64_t down = op.getDilations()[0], across = op.getDilations()[1];
  InsideTaps rows(shape[1], from[1], op.getKernel()[0], op.getStrides()[0], op.getPads()[0], down);
  InsideTaps columns(shape[2], from[2], op.getKernel()[1], op.getStrides()[1], op.getPads()[1], across);
  Blob blob;
  const Slot firstRow = blob.array(ArrayRef(rows.first)), numRows = blob.array(ArrayRef(rows.count));
  const Slot firstColumn = blob.array(ArrayRef(columns.first)), numColumns = blob.array(ArrayRef(columns.count));
  Value result = module.alloc(op.getLoc(), shape, elementOf(input));
  const unsigned width = widthOf(input);
  const int64_t lowest = isUnsigned ? 0 : numerics::codeRange(static_cast<int>(width), /*isSigned=*/true).min;
  module.call(op.getLoc(), "max_pool", {input, result, module.blob(op.getLoc(), blob)}, shape[0] * shape[1],
              [&](Emitter &e, ValueRange in, Value first, Value last) {
                auto at = [&](Slot slot, Value i) { return e.toIndex(e.load(Blob::view(e, in[2], slot), i)); };
                forPixels(e, shape, first, last, [&](Value b, Value i, Value j) {
                  Value row = at(firstRow, i), column = at(firstColumn, j), height = at(numRows, i),
                        breadth = at(numColumns, j);
                  forColumns(e, module.target, shape[3], /*vectors=*/true, width, [&](Value c, int64_t lanes) {
                    Value least = e.constant(Emitter::lanesOf(e.intType(width), lanes), lowest);
                    Values largest = e.loop(e.index(0), height, 1, {least}, [&](Value k, ValueRange carried) {
                      Value y = e.add(row, e.indexMul(k, down));
                      return e.loop(e.index(0), breadth, 1, carried, [&](Value l, ValueRange carried) {
                        Value x = e.load(in[0], {b, y, e.add(column, e.indexMul(l, across)), c}, lanes);
                        return Values{isUnsigned ? e.op<arith::MaxUIOp>(carried[0], x) : e.smax(carried[0], x)};
                      });
                    });
                    e.store(largest[0], in[1], {b, i, j, c});
                  });
                });
              });
  return result;
}

/// For each output the sum of its weights, modulo 2^32.
static SmallVector<int32_t> sumsOf(ArrayRef<int64_t> weights, int64_t taps) {
  SmallVector<int32_t> sums;
  for (; !weights.empty(); weights = weights.drop_front(taps)) {
    uint64_t sum = 0;
    for (int64_t weight : weights.take_front(taps))
      sum += static_cast<uint64_t>(weight);
    sums.push_back(static_cast<int32_t>(sum));
  }
  return sums;
}

/// acc = sum of w * x - z * (sum of w) modulo 2^32, which fits 32 bits (vitq.resample, C3).
static Value resample(ResampleOp op, KernelModule &module, Value input) {
  ArrayRef<int64_t> shape = op.getType().getShape();
  const auto taps = static_cast<int64_t>(op.getRowWeights().size()) / shape[1],
             across = static_cast<int64_t>(op.getColumnWeights().size()) / shape[2];
  auto narrow = [](ArrayRef<int64_t> weights) {
    return llvm::map_to_vector(weights, [](int64_t weight) { return static_cast<int32_t>(weight); });
  };
  Blob blob;
  const Slot rows = blob.array(op.getRows()), columns = blob.array(op.getColumns());
  const Slot rowWeights = blob.array(ArrayRef<int32_t>(narrow(op.getRowWeights())));
  const Slot columnWeights = blob.array(ArrayRef<int32_t>(narrow(op.getColumnWeights())));
  const Slot rowSums = blob.array(ArrayRef<int32_t>(sumsOf(op.getRowWeights(), taps)));
  const Slot columnSums = blob.array(ArrayRef<int32_t>(sumsOf(op.getColumnWeights(), across)));
  const Slot minusZero = blob.scalar(-op.getInputCode().getZero()),
             zeroPoint = blob.scalar(op.getResultCode().getZero());
  const Clamp clamp = Clamp::of(op.getResult(), op.getResultCode());
  const Rescale rescale(module.target, blob, op.getBy(), op.getRounding(), 31, ChannelMap(), clamp.addend());
  Value result = module.alloc(op.getLoc(), shape, elementOf(op.getResult()));
  module.call(op.getLoc(), "resample", {input, result, module.blob(op.getLoc(), blob)}, shape[0] * shape[1],
              [&](Emitter &e, ValueRange in, Value first, Value last) {
                auto at = [&](Slot slot, Value i) { return e.load(Blob::view(e, in[2], slot), i); };
                forPixels(e, shape, first, last, [&](Value b, Value i, Value j) {
                  Value row = e.toIndex(at(rows, i)), column = e.toIndex(at(columns, j));
                  Value start = e.mul(e.mul(at(rowSums, i), at(columnSums, j)), Blob::load(e, in[2], minusZero, 32));
                  const bool vectors = rescale.isFast() && clamp.fits32();
                  forColumns(e, module.target, shape[3], vectors, 8, [&](Value c, int64_t lanes) {
                    Value sum = e.splatLike(start, e.constant(Emitter::lanesOf(e.intType(32), lanes), 0));
                    Values sums = e.loop(taps, {sum}, [&](Value k, ValueRange carried) {
                      Value down = at(rowWeights, e.add(e.indexMul(i, taps), k)), y = e.add(row, k);
                      return e.loop(across, carried, [&](Value l, ValueRange carried) {
                        Value weight = e.mul(down, at(columnWeights, e.add(e.indexMul(j, across), l)));
                        Value x = e.load(in[0], {b, y, e.add(column, l), c}, lanes);
                        x = e.extend(x, 32, op.getInputCode().isUnsigned());
                        return Values{e.add(carried[0], e.mul(x, e.splatLike(weight, x)))};
                      });
                    });
                    Value y = rescale.apply(e, in[2], sums[0], e.index(0), e.index(0));
                    y = rescale.adds() ? clamp.apply(e, in[2], y) : finishSum(e, in[2], y, zeroPoint, clamp);
                    e.store(y, in[1], {b, i, j, c});
                  });
                });
              });
  return result;
}

Value vitq::kernels::lowerWindowOp(Operation *op, KernelModule &module, MemrefOf memrefOf) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](MaxPoolOp o) { return maxPool(o, module, memrefOf(o.getInput())); })
      .Case([&](ResampleOp o) { return resample(o, module, memrefOf(o.getInput())); })
      .Default([](Operation *) { return Value(); });
}
