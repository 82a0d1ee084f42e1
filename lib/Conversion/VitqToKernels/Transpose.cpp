//===- Transpose.cpp - Kernels that reorder axes ----------- -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// docs/CodeGeneration.md, The rest. Axes that stay neighbours are one. Where the last one stays the last, rows are
// copied; else squares of elements are transposed in registers, so that memory is read and written in rows.

#include "MoveOps.h"

#include "Rescale.h"

#include "vitq/Target/Isa/Portable.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::kernels;

using Shape = SmallVector<int64_t>;

namespace {

/// The axes of a result that reads axis `order[i]` of the input along its axis i.
struct Axes {
  Shape input, order;

  Axes(ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation);

  int64_t rank() const { return static_cast<int64_t>(order.size()); }
  Shape result() const {
    return llvm::map_to_vector(order, [&](int64_t axis) { return input[axis]; });
  }
  /// The axis of the result along which the input's last axis is read.
  int64_t lastOfInput() const { return llvm::find(order, rank() - 1) - order.begin(); }
};

} // namespace

/// Without axes of one element, and with one for each run of axes that are neighbours before and after.
Axes::Axes(ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation) {
  SmallVector<Shape> runs;
  for (int64_t axis : permutation) {
    if (shape[axis] == 1)
      continue;
    bool follows = false;
    if (!runs.empty() && axis > runs.back().back())
      follows = llvm::all_of(llvm::seq(runs.back().back() + 1, axis), [&](int64_t a) { return shape[a] == 1; });
    if (!follows)
      runs.emplace_back();
    runs.back().push_back(axis);
  }
  Shape first = llvm::map_to_vector(runs, [](const Shape &run) { return run.front(); }), sorted(first);
  llvm::sort(sorted);
  input.resize(runs.size());
  for (const Shape &run : runs) {
    order.push_back(llvm::find(sorted, run.front()) - sorted.begin());
    input[order.back()] = 1;
    for (int64_t axis : run)
      input[order.back()] *= shape[axis];
  }
  if (runs.empty()) {
    input = {1};
    order = {0};
  }
}

/// Rows of `rows`, as many as each has elements, by steps that interleave the first half of them with the second.
static Values transposeSquare(Emitter &e, Values rows) {
  const auto count = static_cast<int64_t>(rows.size());
  for (int64_t step = 1; step < count; step *= 2) {
    Values next;
    for (int64_t i = 0; i < count / 2; ++i)
      for (int64_t half : {int64_t{0}, count / 2}) {
        SmallVector<int64_t> order;
        for (int64_t lane = half; lane < half + count / 2; ++lane)
          order.append({lane, count + lane});
        next.push_back(e.op<vector::ShuffleOp>(rows[i], rows[i + count / 2], order));
      }
    rows = next;
  }
  return rows;
}

namespace {

class TransposeKernel {
public:
  TransposeKernel(const TargetDesc &target, Axes axes, unsigned bits) : target(target), axes(std::move(axes)) {
    const int64_t lanes = 128 / bits;
    if (last() != across() && hasVectors(target))
      side = std::min(lanes, static_cast<int64_t>(
                                 llvm::bit_floor(static_cast<uint64_t>(std::min(sizeOf(last()), sizeOf(across()))))));
  }

  /// The outermost axis in units that may be done apart.
  int64_t units() const { return llvm::divideCeil(sizeOf(0), stepOf(0)); }

  void emit(Emitter &e, Value from, Value to, Value first, Value last) {
    input = from;
    output = to;
    e.loop(first, last, 1, [&](Value unit) { emitAxis(e, 0, {beginOf(e, 0, unit)}); });
  }

private:
  int64_t last() const { return axes.rank() - 1; }
  int64_t across() const { return axes.lastOfInput(); }
  int64_t sizeOf(int64_t axis) const { return axes.input[axes.order[axis]]; }
  /// Elements of an axis of the result that the innermost code does at once.
  int64_t stepOf(int64_t axis) const {
    if (last() == across())
      return axis == last() ? sizeOf(axis) : 1;
    return axis == last() || axis == across() ? side : 1;
  }
  /// Where step `number` begins: the last one may have elements again that the one before it had.
  Value beginOf(Emitter &e, int64_t axis, Value number) const {
    const int64_t step = stepOf(axis), size = sizeOf(axis);
    Value begin = e.indexMul(number, step);
    return size % step ? e.smin(begin, e.index(size - step)) : begin;
  }
  void emitAxis(Emitter &e, int64_t done, Values position);
  void emitSquare(Emitter &e, ValueRange position);
  Values inputAt(ValueRange position) const {
    Values at(position.size());
    for (auto [value, axis] : llvm::zip_equal(position, axes.order))
      at[axis] = value;
    return at;
  }

  const TargetDesc &target;
  Axes axes;
  int64_t side = 1;
  Value input, output;
};

} // namespace

/// Loops over the axes of the result behind `done`, where `position` is known up to it.
void TransposeKernel::emitAxis(Emitter &e, int64_t done, Values position) {
  if (done < last())
    return e.loop(llvm::divideCeil(sizeOf(done + 1), stepOf(done + 1)), [&](Value number) {
      Values inner = position;
      inner.push_back(beginOf(e, done + 1, number));
      emitAxis(e, done + 1, inner);
    });
  if (last() != across())
    return emitSquare(e, position);
  forColumns(e, target, sizeOf(last()), true, widthOf(input), [&](Value column, int64_t lanes) {
    position.back() = column;
    e.store(e.load(input, inputAt(position), lanes), output, position);
  });
}

void TransposeKernel::emitSquare(Emitter &e, ValueRange position) {
  auto moved = [&](int64_t axis, int64_t by) {
    Values at(position);
    at[axis] = e.indexAdd(at[axis], by);
    return at;
  };
  Values rows;
  for (int64_t i = 0; i < side; ++i)
    rows.push_back(e.load(input, inputAt(moved(last(), i)), side));
  if (side > 1)
    rows = transposeSquare(e, rows);
  for (int64_t i = 0; i < side; ++i)
    e.store(rows[i], output, moved(across(), i));
}

Value vitq::kernels::transpose(Location loc, KernelModule &module, Value input, ArrayRef<int64_t> permutation) {
  ArrayRef<int64_t> shape = cast<ShapedType>(input.getType()).getShape();
  Shape resultShape = llvm::map_to_vector(permutation, [&](int64_t axis) { return shape[axis]; });
  const Axes axes(shape, permutation);
  Value result = module.alloc(loc, resultShape, elementOf(input));
  if (llvm::is_contained(shape, 0))
    return result;
  TransposeKernel kernel(module.target, axes, widthOf(input));
  const Values args{module.reshape(loc, input, axes.input), module.reshape(loc, result, axes.result())};
  module.call(loc, "transpose", args, kernel.units(),
              [&](Emitter &e, ValueRange in, Value first, Value last) { kernel.emit(e, in[0], in[1], first, last); });
  return result;
}
