//===- HadamardTest.cpp - Products with Hadamard matrices -----------------===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Numerics/Hadamard.h"

#include "gtest/gtest.h"

#include <numeric>
#include <random>
#include <vector>

using vitq::numerics::Hadamard;

namespace {

/// Both kinds of Paley's, with and without doublings.
constexpr int64_t kOrders[] = {1, 2, 4, 8, 12, 20, 24, 28, 36, 44, 48, 64, 76, 96, 60, 192, 384, 768, 1152};

TEST(Hadamard, RowsAreOrthogonal) {
  for (int64_t n : kOrders) {
    std::optional<Hadamard> matrix = Hadamard::ofOrder(n);
    ASSERT_TRUE(matrix) << n;
    ASSERT_EQ(matrix->order(), n);
    std::vector<int8_t> elements(n * n);
    for (int64_t i = 0; i < n * n; ++i) {
      elements[i] = static_cast<int8_t>(matrix->element(i / n, i % n));
      ASSERT_EQ(elements[i] * elements[i], 1);
    }
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j <= i; ++j)
        ASSERT_EQ(std::inner_product(&elements[i * n], &elements[i * n] + n, &elements[j * n], 0), i == j ? n : 0)
            << n << ": " << i << ", " << j;
  }
}

TEST(Hadamard, MultiplyIsTheSumOfElements) {
  std::mt19937_64 random(7);
  for (int64_t n : {int64_t(1), int64_t(8), int64_t(12), int64_t(72), int64_t(192)}) {
    const Hadamard matrix = *Hadamard::ofOrder(n);
    std::vector<int64_t> x(n);
    for (int64_t &value : x)
      value = static_cast<int64_t>(random() % 255) - 127;
    for (bool transposed : {false, true}) {
      std::vector<int64_t> y = x;
      matrix.multiply(llvm::MutableArrayRef<int64_t>(y), transposed);
      for (int64_t c = 0; c < n; ++c) {
        int64_t sum = 0;
        for (int64_t r = 0; r < n; ++r)
          sum += x[r] * (transposed ? matrix.element(c, r) : matrix.element(r, c));
        ASSERT_EQ(y[c], sum) << n << ", column " << c;
      }
    }
    std::vector<int64_t> back = x;
    matrix.multiply(llvm::MutableArrayRef<int64_t>(back));
    matrix.multiply(llvm::MutableArrayRef<int64_t>(back), /*transposed=*/true);
    for (int64_t c = 0; c < n; ++c)
      ASSERT_EQ(back[c], n * x[c]);
  }
}

TEST(Hadamard, UnknownOrdersAreDivided) {
  for (int64_t n : {-4, 0, 3, 6, 10, 14, 52, 1 << 21}) // 52 takes a field of 25 elements
    EXPECT_FALSE(Hadamard::ofOrder(n)) << n;
  EXPECT_EQ(Hadamard::ofLargestDivisor(6).order(), 2);
  EXPECT_EQ(Hadamard::ofLargestDivisor(7).order(), 1);
  EXPECT_EQ(Hadamard::ofLargestDivisor(192).order(), 192);
  EXPECT_EQ(Hadamard::ofLargestDivisor(90).order(), 2);
  EXPECT_EQ(Hadamard::ofLargestDivisor(60).order(), 60);
}

TEST(Hadamard, RowsAreCenteredShiftedAndTransformed) {
  int32_t row[] = {3, 1, -2, 5};
  vitq::numerics::hadamardRow(llvm::MutableArrayRef<int32_t>(row), 2, {0, 1, 4, 0});
  EXPECT_EQ(llvm::ArrayRef<int32_t>(row), llvm::ArrayRef<int32_t>({5, 1, -27, -37}));
}

TEST(Hadamard, BackIsTheTranspose) {
  for (int64_t n : {2, 8, 64}) {
    std::vector<int64_t> x(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i)
      x[static_cast<size_t>(i)] = i * i - 3 * i + 1;
    std::vector<int64_t> y = x;
    vitq::numerics::hadamardBlock(llvm::MutableArrayRef<int64_t>(y));
    vitq::numerics::hadamardBlockBack(llvm::MutableArrayRef<int64_t>(y));
    for (auto [a, b] : llvm::zip(x, y))
      EXPECT_EQ(a * n, b);
  }
}

// 8 << 1 and 9 in the second block.
TEST(Hadamard, ReachIsThatOfTheWidestBlock) {
  EXPECT_EQ(vitq::numerics::hadamardReach({-8, 7}, 0, {}, {}, 2), 16);
  EXPECT_EQ(vitq::numerics::hadamardReach({-8, 7}, 1, {}, {}, 2), 18);
  EXPECT_EQ(vitq::numerics::hadamardReach({-8, 7}, 0, {}, {0, 0, 1, 0}, 2), 24);
  EXPECT_EQ(vitq::numerics::hadamardReach({-8, 7}, 5, {0, 0, 0, 1}, {0, 0, 1, 0}, 2), 25);
}

} // namespace
