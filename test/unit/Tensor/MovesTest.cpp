//===- MovesTest.cpp -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Random.h"

#include "vitq/Tensor/Moves.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

#include <optional>

using namespace vitq;
using llvm::ArrayRef;
using vitq::test::Random;

namespace {

using Index = Extents;

int64_t linear(ArrayRef<int64_t> index, ArrayRef<int64_t> shape) {
  int64_t result = 0;
  for (auto [i, extent] : llvm::zip_equal(index, shape))
    result = result * extent + i;
  return result;
}

/// Calls `visit` with all indices of a shape in row-major order.
void forEachIndex(ArrayRef<int64_t> shape, llvm::function_ref<void(ArrayRef<int64_t>)> visit) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  for (int64_t i = 0; i < count; ++i) {
    Index index(shape.size());
    for (int64_t rest = i, axis = static_cast<int64_t>(shape.size()) - 1; axis >= 0; --axis) {
      index[axis] = rest % shape[axis];
      rest /= shape[axis];
    }
    visit(index);
  }
}

/// Elements 1, 2, 3 ... of a kind (I1: whether they are odd).
Tensor counting(ElementKind kind, ArrayRef<int64_t> shape) {
  Tensor tensor = Tensor::allocate(kind, shape);
  for (int64_t i = 0; i < tensor.numElements(); ++i)
    tensor.setInt(i, kind == ElementKind::I1 ? (i + 1) & 1 : i + 1);
  return tensor;
}

/// `actual` has `shape`, and at each index the element that `source` has where
/// `from` says; 7 (I1: 1) where it says nothing.
void expectMoved(const Tensor &actual, const Tensor &source, ArrayRef<int64_t> shape,
                 llvm::function_ref<std::optional<Index>(ArrayRef<int64_t>)> from) {
  ASSERT_EQ(actual.shape(), shape);
  ASSERT_EQ(actual.kind(), source.kind());
  const double padding = source.kind() == ElementKind::I1 ? 1 : 7;
  forEachIndex(shape, [&](ArrayRef<int64_t> index) {
    std::optional<Index> origin = from(index);
    double expected = origin ? source.realAt(linear(*origin, source.shape())) : padding;
    ASSERT_EQ(actual.realAt(linear(index, shape)), expected);
  });
}

constexpr ElementKind kKinds[] = {ElementKind::F32, ElementKind::F64, ElementKind::I1, ElementKind::I8,
                                  ElementKind::I16, ElementKind::I32, ElementKind::I64};

/// A tensor of up to five axes of 1 to 4.
Tensor randomTensor(Random &random) {
  Extents shape(random.between(0, 5));
  for (int64_t &extent : shape)
    extent = random.between(1, 4);
  return counting(random.pick<ElementKind>(kKinds), shape);
}

Extents randomPermutation(Random &random, size_t rank) {
  Extents permutation;
  for (size_t i = 0; i < rank; ++i)
    permutation.insert(permutation.begin() + random.between(0, static_cast<int64_t>(i)), static_cast<int64_t>(i));
  return permutation;
}

} // namespace

TEST(Moves, Transpose) {
  Random random(1);
  for (int trial = 0; trial < 300; ++trial) {
    Tensor tensor = randomTensor(random);
    Extents permutation = randomPermutation(random, tensor.shape().size()), shape;
    for (int64_t axis : permutation)
      shape.push_back(tensor.shape()[axis]);
    expectMoved(transposed(tensor, permutation), tensor, shape, [&](ArrayRef<int64_t> index) {
      Index origin(index.size());
      for (auto [i, axis] : llvm::enumerate(permutation))
        origin[axis] = index[i];
      return origin;
    });
  }
}

// Steps may be negative.
TEST(Moves, Slice) {
  Random random(2);
  for (int trial = 0; trial < 300; ++trial) {
    Tensor tensor = randomTensor(random);
    Extents offsets, sizes, steps;
    for (int64_t extent : tensor.shape()) {
      int64_t first = random.between(0, extent - 1), last = random.between(0, extent - 1);
      int64_t step = random.between(1, 2) * (last < first ? -1 : 1);
      offsets.push_back(first);
      sizes.push_back((last - first) / step + 1);
      steps.push_back(step);
    }
    expectMoved(sliced(tensor, offsets, sizes, steps), tensor, sizes, [&](ArrayRef<int64_t> index) {
      Index origin;
      for (size_t i = 0; i < index.size(); ++i)
        origin.push_back(offsets[i] + index[i] * steps[i]);
      return origin;
    });
  }
}

TEST(Moves, Broadcast) {
  Random random(3);
  for (int trial = 0; trial < 300; ++trial) {
    Tensor tensor = randomTensor(random);
    Extents shape(random.between(0, 2), 3);
    const size_t added = shape.size();
    for (int64_t extent : tensor.shape())
      shape.push_back(extent == 1 ? random.between(1, 3) : extent);
    expectMoved(broadcastTo(tensor, shape), tensor, shape, [&](ArrayRef<int64_t> index) {
      Index origin(index.drop_front(added));
      for (auto [i, extent] : llvm::zip_equal(origin, tensor.shape()))
        i = extent == 1 ? 0 : i;
      return origin;
    });
  }
}

TEST(Moves, Gather) {
  Random random(4);
  for (int trial = 0; trial < 300; ++trial) {
    Tensor tensor = randomTensor(random);
    if (tensor.shape().empty())
      continue;
    const int64_t axis = random.between(0, static_cast<int64_t>(tensor.shape().size()) - 1);
    Extents indices(random.between(0, 5)), shape(tensor.shape());
    for (int64_t &index : indices)
      index = random.between(0, shape[axis] - 1);
    shape[axis] = static_cast<int64_t>(indices.size());
    expectMoved(gathered(tensor, indices, axis), tensor, shape, [&](ArrayRef<int64_t> index) {
      Index origin(index);
      origin[axis] = indices[index[axis]];
      return origin;
    });
  }
}

// The parts of a tensor put together are the tensor; one may be empty.
TEST(Moves, Concat) {
  Random random(5);
  for (int trial = 0; trial < 300; ++trial) {
    Tensor tensor = randomTensor(random);
    if (tensor.shape().empty())
      continue;
    const int64_t axis = random.between(0, static_cast<int64_t>(tensor.shape().size()) - 1);
    llvm::SmallVector<Tensor> parts;
    for (int64_t from = 0, extent = tensor.shape()[axis]; from < extent || parts.empty();) {
      Extents offsets(tensor.shape().size(), 0), sizes(tensor.shape()), steps(offsets.size(), 1);
      offsets[axis] = from;
      sizes[axis] = random.between(0, extent - from);
      from += sizes[axis];
      parts.push_back(sliced(tensor, offsets, sizes, steps));
    }
    expectMoved(concatenated(parts, axis), tensor, tensor.shape(),
                [&](ArrayRef<int64_t> index) { return Index(index); });
  }
}

TEST(Moves, Pad) {
  Random random(6);
  for (int trial = 0; trial < 300; ++trial) {
    Tensor tensor = randomTensor(random);
    Extents low, shape;
    for (int64_t extent : tensor.shape()) {
      low.push_back(random.between(0, 2));
      shape.push_back(low.back() + extent + random.between(0, 2));
    }
    expectMoved(padded(tensor, low, shape, 7), tensor, shape, [&](ArrayRef<int64_t> index) -> std::optional<Index> {
      Index origin;
      for (auto [i, first, extent] : llvm::zip_equal(index, low, tensor.shape())) {
        if (i < first || i >= first + extent)
          return std::nullopt;
        origin.push_back(i - first);
      }
      return origin;
    });
  }
}

// Moves that follow each other on a view give what they give one by one.
TEST(Moves, ChainsOnViews) {
  Random random(7);
  for (int trial = 0; trial < 300; ++trial) {
    Tensor tensor = randomTensor(random);
    TensorView view(tensor);
    for (int step = 0; step < 4; ++step) {
      const size_t rank = view.shape().size();
      if (random.oneIn(2)) {
        Extents permutation = randomPermutation(random, rank);
        view = view.transposed(permutation);
        tensor = transposed(tensor, permutation);
        continue;
      }
      Extents offsets, sizes, steps(rank, 1);
      for (int64_t extent : view.shape()) {
        offsets.push_back(random.between(0, extent - 1));
        sizes.push_back(random.between(1, extent - offsets.back()));
      }
      view = view.sliced(offsets, sizes, steps);
      tensor = sliced(tensor, offsets, sizes, steps);
    }
    expectMoved(view.toTensor(), tensor, tensor.shape(), [&](ArrayRef<int64_t> index) { return Index(index); });
  }
}

TEST(Moves, Strides) {
  EXPECT_EQ(rowMajorStrides({2, 3, 4}), Extents({12, 4, 1}));
  EXPECT_EQ(rowMajorStrides({}), Extents());
  Tensor tensor = counting(ElementKind::I8, {2, 3, 4});
  TensorView turned = TensorView(tensor).transposed({2, 0, 1});
  EXPECT_EQ(turned.strides(), ArrayRef<int64_t>({1, 12, 4}));
  EXPECT_FALSE(turned.isRowMajor());
  // Axes of one element have any stride.
  EXPECT_TRUE(TensorView(tensor, 0, {1, 4}, {77, 1}).isRowMajor());
}

// What stays in a row is not copied, and lives as long as the last that shares it.
TEST(Moves, ShareWhatStaysInARow) {
  Tensor tensor = counting(ElementKind::I32, {3, 4});
  const char *bytes = tensor.bytes();
  Tensor row = sliced(tensor, {1, 0}, {2, 4}, {1, 1});
  EXPECT_EQ(row.bytes(), bytes + 4 * sizeof(int32_t));
  EXPECT_EQ(transposed(tensor.reshaped({1, 12}), {1, 0}).bytes(), bytes);
  EXPECT_EQ(broadcastTo(tensor, {1, 3, 4}).bytes(), bytes);
  EXPECT_NE(transposed(tensor, {1, 0}).bytes(), bytes);
  tensor = Tensor();
  EXPECT_EQ(row.intAt(0), 5);
  EXPECT_EQ(row.intAt(7), 12);
}

TEST(Moves, OfNothing) {
  Tensor nothing = Tensor::allocate(ElementKind::F32, {2, 0, 3});
  EXPECT_EQ(transposed(nothing, {2, 1, 0}).shape(), ArrayRef<int64_t>({3, 0, 2}));
  EXPECT_EQ(broadcastTo(nothing, {4, 2, 0, 3}).numElements(), 0);
  Tensor tensor = counting(ElementKind::F32, {2, 3});
  EXPECT_EQ(sliced(tensor, {2, 0}, {0, 3}, {1, 1}).numElements(), 0);
  EXPECT_EQ(padded(Tensor::allocate(ElementKind::F32, {0}), {1}, {2}, 7).realAt(1), 7);
}
