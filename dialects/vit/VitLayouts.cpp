//===- VitLayouts.cpp - Ops on axes in another order -------*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// RowLinearOp, and PermutableOp where an op differs from the default. Axis i of an operand is axis permutation[i] of
// what the op is to read instead.

#include "dialects/vit/Vit.h"

using namespace mlir;
using namespace vitq;
using namespace vitq::vit;

using MaybePermutation = FailureOr<SmallVector<int64_t>>;

Value vit::planesOf(Value map) {
  if (auto view = map.getDefiningOp<TransposeOp>())
    return view.getPermutation() == ArrayRef<int64_t>{0, 2, 3, 1} ? Value(view.getInput()) : Value();
  auto view = map.getDefiningOp<ReshapeOp>();
  if (!view || shapeOf(map).size() != 4 || shapeOf(view.getInput()).size() != 4)
    return {};
  ArrayRef<int64_t> planes = shapeOf(view.getInput()), shape = shapeOf(map);
  const bool isView =
      planes[1] == 1 && shape[3] == 1 && planes[0] == shape[0] && planes.drop_front(2) == shape.slice(1, 2);
  return isView ? Value(view.getInput()) : Value();
}

/// One number for each axis, in the other order.
static SmallVector<int64_t> permuted(ArrayRef<int64_t> values, ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> result(values);
  for (auto [value, axis] : llvm::zip_equal(values, permutation))
    result[axis] = value;
  return result;
}

static bool keepsLastAxis(ArrayRef<int64_t> permutation) {
  return !permutation.empty() && permutation.back() == static_cast<int64_t>(permutation.size()) - 1;
}

//===----------------------------------------------------------------------===//
// Rows: the last axis stays where it is
//===----------------------------------------------------------------------===//

static MaybePermutation permuteRows(ArrayRef<int64_t> permutation) {
  if (!keepsLastAxis(permutation))
    return failure();
  return SmallVector<int64_t>(permutation);
}

MaybePermutation LinearOp::getResultPermutation(ArrayRef<int64_t> permutation) { return permuteRows(permutation); }
bool LinearOp::isPermutedOperand(unsigned index) { return index == 0; }
MaybePermutation SoftmaxOp::getResultPermutation(ArrayRef<int64_t> permutation) { return permuteRows(permutation); }
MaybePermutation LayerNormOp::getResultPermutation(ArrayRef<int64_t> permutation) { return permuteRows(permutation); }
bool LayerNormOp::isPermutedOperand(unsigned index) { return index == 0; }

//===----------------------------------------------------------------------===//
// Axes by their numbers
//===----------------------------------------------------------------------===//

void ConcatOp::permuteAttributes(ArrayRef<int64_t> permutation) {
  setAxis(permutation[static_cast<int64_t>(getAxis())]);
}

void GatherOp::permuteAttributes(ArrayRef<int64_t> permutation) {
  setAxis(permutation[static_cast<int64_t>(getAxis())]);
}

void SliceOp::permuteAttributes(ArrayRef<int64_t> permutation) {
  setOffsets(permuted(getOffsets(), permutation));
  setSizes(permuted(getSizes(), permutation));
  setStrides(permuted(getStrides(), permutation));
}

void PadOp::permuteAttributes(ArrayRef<int64_t> permutation) {
  setLow(permuted(getLow(), permutation));
  setHigh(permuted(getHigh(), permutation));
}

MaybePermutation BroadcastOp::getResultPermutation(ArrayRef<int64_t> permutation) {
  if (permutation.size() != getShape().size())
    return failure();
  return SmallVector<int64_t>(permutation);
}
void BroadcastOp::permuteAttributes(ArrayRef<int64_t> permutation) { setShape(permuted(getShape(), permutation)); }

MaybePermutation MeanOp::getResultPermutation(ArrayRef<int64_t> permutation) {
  if (getKeepDims())
    return SmallVector<int64_t>(permutation);
  // The axes that are left, in either order.
  SmallVector<int64_t> left, result;
  for (auto [i, axis] : llvm::enumerate(permutation))
    if (!llvm::is_contained(getAxes(), static_cast<int64_t>(i)))
      left.push_back(axis);
  for (int64_t axis : left)
    result.push_back(llvm::count_if(left, [&](int64_t other) { return other < axis; }));
  return result;
}
void MeanOp::permuteAttributes(ArrayRef<int64_t> permutation) {
  SmallVector<int64_t> axes = llvm::map_to_vector(getAxes(), [&](int64_t axis) { return permutation[axis]; });
  llvm::sort(axes);
  setAxes(axes);
}

//===----------------------------------------------------------------------===//
// Reshapes
//===----------------------------------------------------------------------===//

namespace {
/// Axes of both sides that have the same elements: [H, W] and [H*W], say.
struct AxisGroup {
  SmallVector<int64_t> from, to;
  /// Where it is in the other order: the first axis of several elements there; and in this one.
  int64_t place = 0, index = 0;
};
} // namespace

/// The smallest groups of neighbouring axes, in the order of the operand's; axes of one element join the group
/// before them.
static SmallVector<AxisGroup> groupAxes(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  SmallVector<AxisGroup> groups;
  size_t i = 0, j = 0;
  while (i < from.size() || j < to.size()) {
    AxisGroup group;
    int64_t left = 1, right = 1;
    do {
      if (i < from.size() && (left <= right || j == to.size())) {
        left *= from[i];
        group.from.push_back(static_cast<int64_t>(i++));
      } else if (j < to.size()) {
        right *= to[j];
        group.to.push_back(static_cast<int64_t>(j++));
      }
    } while (left != right && (i < from.size() || j < to.size()));
    while (i < from.size() && from[i] == 1)
      group.from.push_back(static_cast<int64_t>(i++));
    while (j < to.size() && to[j] == 1)
      group.to.push_back(static_cast<int64_t>(j++));
    groups.push_back(std::move(group));
  }
  return groups;
}

/// The groups in the order that their elements have there; failure where those of a group are apart, or in
/// another order.
static FailureOr<SmallVector<AxisGroup>> groupsInOtherOrder(ReshapeOp op, ArrayRef<int64_t> permutation) {
  ArrayRef<int64_t> from = shapeOf(op.getInput());
  if (llvm::is_contained(from, 0))
    return failure();
  SmallVector<AxisGroup> groups = groupAxes(from, op.getShape());
  SmallVector<int64_t> place(from.size());
  // Axes of several elements, numbered in the other order.
  SmallVector<int64_t> shape = permuted(from, permutation);
  for (size_t i = 0; i < from.size(); ++i)
    place[i] = llvm::count_if(ArrayRef(shape).take_front(permutation[i]), [](int64_t size) { return size > 1; });
  int64_t last = -1;
  for (AxisGroup &group : groups) {
    std::optional<int64_t> previous;
    group.place = last;
    for (int64_t axis : group.from) {
      if (from[axis] == 1)
        continue;
      if (previous && place[axis] != *previous + 1)
        return failure();
      if (!previous)
        group.place = place[axis];
      previous = place[axis];
    }
    last = group.place;
  }
  for (auto [i, group] : llvm::enumerate(groups))
    group.index = static_cast<int64_t>(i);
  llvm::sort(groups, [](const AxisGroup &a, const AxisGroup &b) {
    return std::pair(a.place, a.index) < std::pair(b.place, b.index);
  });
  return groups;
}

MaybePermutation ReshapeOp::getResultPermutation(ArrayRef<int64_t> permutation) {
  FailureOr<SmallVector<AxisGroup>> groups = groupsInOtherOrder(*this, permutation);
  if (failed(groups))
    return failure();
  SmallVector<int64_t> result(getShape().size());
  int64_t next = 0;
  for (const AxisGroup &group : *groups)
    for (int64_t axis : group.to)
      result[axis] = next++;
  return result;
}
void ReshapeOp::permuteAttributes(ArrayRef<int64_t> permutation) {
  FailureOr<SmallVector<AxisGroup>> groups = groupsInOtherOrder(*this, permutation);
  SmallVector<int64_t> shape;
  for (const AxisGroup &group : *groups)
    for (int64_t axis : group.to)
      shape.push_back(getShape()[axis]);
  setShape(shape);
}

//===----------------------------------------------------------------------===//
// Sums of rows
//===----------------------------------------------------------------------===//

static int64_t lastAxisOf(Value value) { return static_cast<int64_t>(shapeOf(value).size()) - 1; }

/// Whether the last axis is the same on both sides; a scalar has none.
static bool keepsChannels(Value from, Value to) {
  return lastAxisOf(from) >= 0 && lastAxisOf(to) >= 0 && shapeOf(from).back() == shapeOf(to).back();
}

bool ReshapeOp::isRowLinear() { return keepsChannels(getInput(), getResult()); }
bool TransposeOp::isRowLinear() { return keepsLastAxis(getPermutation()); }
bool ConcatOp::isRowLinear() { return static_cast<int64_t>(getAxis()) != lastAxisOf(getResult()); }
bool SliceOp::isRowLinear() { return keepsChannels(getInput(), getResult()); }
bool GatherOp::isRowLinear() { return static_cast<int64_t>(getAxis()) != lastAxisOf(getResult()); }
bool BroadcastOp::isRowLinear() { return keepsChannels(getInput(), getResult()); }
bool PadOp::isRowLinear() { return keepsChannels(getInput(), getResult()); }
bool PadOp::keepsOffsets() { return getInput().getType() == getType(); }
bool MeanOp::isRowLinear() { return !llvm::is_contained(getAxes(), lastAxisOf(getInput())); }
bool AddOp::isRowLinear() { return keepsChannels(getLhs(), getResult()) && keepsChannels(getRhs(), getResult()); }
bool AddOp::keepsOffsets() { return false; }
