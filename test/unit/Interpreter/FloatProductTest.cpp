//===- FloatProductTest.cpp - Products of float matrices -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lib/Interpreter/FloatProduct.h"
#include "gtest/gtest.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace vitq::interp;

#pragma STDC FP_CONTRACT OFF

namespace {

std::vector<float> randomFloats(std::mt19937 &random, size_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float &value : values)
    value = normal(random);
  return values;
}

std::vector<uint32_t> bitsOf(const std::vector<float> &values) {
  std::vector<uint32_t> bits;
  for (float value : values)
    bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

/// In the order that FloatProduct.h promises.
std::vector<float> inOrder(const std::vector<float> &a, const std::vector<float> &b, bool transposed, float scale,
                           const float *bias, int64_t m, int64_t n, int64_t k) {
  std::vector<float> y(static_cast<size_t>(m * n));
  for (int64_t row = 0; row < m; ++row)
    for (int64_t column = 0; column < n; ++column) {
      float sum = 0;
      for (int64_t i = 0; i < k; ++i) {
        const float product = a[row * k + i] * (transposed ? b[column * k + i] : b[i * n + column]);
        sum += product;
      }
      const float scaled = sum * scale;
      y[row * n + column] = bias ? scaled + bias[column] : scaled;
    }
  return y;
}

TEST(FloatProduct, SumsInOrderWhateverTheProcessor) {
  std::mt19937 random(1);
  for (int64_t m : {1, 2, 5, 6, 7, 13})
    for (int64_t n : {1, 3, 15, 16, 17, 40})
      for (int64_t k : {0, 1, 7, 64, 301})
        for (bool transposed : {false, true}) {
          const std::vector<float> a = randomFloats(random, m * k), b = randomFloats(random, n * k);
          // What was in y does not count.
          std::vector<float> y(static_cast<size_t>(m * n), std::numeric_limits<float>::quiet_NaN());
          multiplyFloats(a.data(), b.data(), transposed, /*scale=*/1, /*bias=*/nullptr, y.data(), m, n, k);
          EXPECT_EQ(bitsOf(y), bitsOf(inOrder(a, b, transposed, 1, nullptr, m, n, k))) << m << 'x' << n << 'x' << k;
          const std::vector<float> bias = randomFloats(random, n);
          multiplyFloats(a.data(), b.data(), transposed, 0.3f, bias.data(), y.data(), m, n, k);
          EXPECT_EQ(bitsOf(y), bitsOf(inOrder(a, b, transposed, 0.3f, bias.data(), m, n, k)));
        }
}

TEST(FloatProduct, RowsKeepTheirInfinities) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> a{1, infinity, 1, 1, 0, infinity}, b{2, 3, 0, 1};
  std::vector<float> y(6);
  multiplyFloats(a.data(), b.data(), /*transposed=*/true, /*scale=*/1, /*bias=*/nullptr, y.data(), 3, 2, 2);
  EXPECT_EQ(y[0], infinity);
  EXPECT_EQ(y[1], infinity);
  EXPECT_EQ(y[2], 5);
  EXPECT_EQ(y[3], 1);
  EXPECT_EQ(y[4], infinity);
  EXPECT_EQ(y[5], infinity);
}

} // namespace
