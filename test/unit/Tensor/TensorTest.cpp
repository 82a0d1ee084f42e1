//===- TensorTest.cpp -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Tensor/Tensor.h"
#include "vitq/Tensor/MemoryPool.h"
#include "gtest/gtest.h"

#include <cmath>
#include <limits>
#include <thread>

using namespace vitq;

TEST(Tensor, KindsHaveSizesAndNames) {
  EXPECT_EQ(sizeOf(ElementKind::I1), 1u);
  EXPECT_EQ(sizeOf(ElementKind::I16), 2u);
  EXPECT_EQ(sizeOf(ElementKind::F64), 8u);
  EXPECT_EQ(toString(ElementKind::I8), "i8");
  EXPECT_EQ(kindOf<uint8_t>(), ElementKind::I8);
  EXPECT_EQ(kindOf<bool>(), ElementKind::I1);
}

TEST(Tensor, CopiesShareTheElements) {
  Tensor tensor = Tensor::of<int16_t>({2, 2}, {1, -2, 3, -4});
  Tensor copy = tensor, reshaped = tensor.reshaped({4}), part = tensor.part(1, {2});
  EXPECT_EQ(copy.bytes(), tensor.bytes());
  EXPECT_EQ(reshaped.bytes(), tensor.bytes());
  EXPECT_EQ(part.bytes(), tensor.bytes() + 2);
  tensor = copy = reshaped = Tensor();
  EXPECT_TRUE(tensor.empty());
  EXPECT_EQ(part.intAt(0), -2);
  EXPECT_EQ(part.intAt(1), 3);
  EXPECT_TRUE(part.ownsElements());
}

TEST(Tensor, ViewsKeepTheirOwner) {
  auto values = std::make_shared<std::vector<float>>(3, 0.5f);
  std::weak_ptr<std::vector<float>> alive = values;
  Tensor view = Tensor::view(ElementKind::F32, {3}, values->data(), values);
  values.reset();
  EXPECT_FALSE(alive.expired());
  EXPECT_EQ(view.realAt(2), 0.5);
  view = Tensor();
  EXPECT_TRUE(alive.expired());
  float outside = 1;
  EXPECT_FALSE(Tensor::view(ElementKind::F32, {}, &outside).ownsElements());
}

TEST(Tensor, ConvertsBySign) {
  Tensor bytes = Tensor::of<int8_t>({3}, {-128, 0, 127});
  Tensor words = bytes.converted(ElementKind::I64);
  EXPECT_EQ(words.intAt(0), -128);
  EXPECT_EQ(words.intAt(2), 127);
  EXPECT_EQ(bytes.converted(ElementKind::I8).bytes(), bytes.bytes());
  Tensor wide = Tensor::of<int64_t>({3}, {256, -1, 2});
  EXPECT_EQ(wide.converted(ElementKind::I8).intAt(0), 0);
  EXPECT_EQ(wide.converted(ElementKind::I1).intAt(1), 1);
  EXPECT_EQ(wide.converted(ElementKind::I1).intAt(2), 1);
  EXPECT_EQ(Tensor::of<bool>({1}, {true}).converted(ElementKind::I32).intAt(0), 1);
  EXPECT_EQ(Tensor::of<double>({1}, {0.1}).converted(ElementKind::F32).realAt(0), double(0.1f));
  EXPECT_EQ(bytes.converted(ElementKind::F32).realAt(0), -128.0);
}

// Equal by bits: 0 and -0 differ, a NaN is like itself.
TEST(Tensor, KnowsASplat) {
  EXPECT_TRUE(Tensor::of<int8_t>({4}, {3, 3, 3, 3}).isSplat());
  EXPECT_FALSE(Tensor::of<int8_t>({4}, {3, 3, 3, 4}).isSplat());
  EXPECT_FALSE(Tensor::of<float>({2}, {0.0f, -0.0f}).isSplat());
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(Tensor::of<float>({2}, {nan, nan}).isSplat());
  EXPECT_TRUE(Tensor::of<float>({}, {1.0f}).isSplat());
  EXPECT_FALSE(Tensor::allocate(ElementKind::F32, {0}).isSplat());
}

TEST(MemoryPool, GivesMemoryOfTensorsThatAreGone) {
  Tensor kept;
  {
    MemoryPool pool;
    const void *first = Tensor::allocate(ElementKind::F32, {1 << 16}).bytes();
    EXPECT_EQ(Tensor::allocate(ElementKind::I32, {1 << 15, 2}).bytes(), first);
    // Not what is in use, and not what has another size.
    Tensor used = Tensor::allocate(ElementKind::F32, {1 << 16});
    EXPECT_NE(Tensor::allocate(ElementKind::F32, {1 << 16}).bytes(), used.bytes());
    EXPECT_NE(Tensor::allocate(ElementKind::F32, {1 << 15}).bytes(), used.bytes());
    {
      MemoryPool inner;
      kept = Tensor::allocate(ElementKind::F32, {1 << 16});
    }
    std::thread([tensor = std::move(used)] {}).join();
  }
  // Tensors outlive their pool.
  kept.mutableData<float>()[65535] = 1.5f;
  EXPECT_EQ(kept.values<float>().back(), 1.5f);
}
