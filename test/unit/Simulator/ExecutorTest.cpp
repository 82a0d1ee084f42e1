//===- ExecutorTest.cpp - What programs of the array compute -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Code.h"
#include "MatmulProgram.h"
#include "vitq/Numerics/Requantize.h"

#include "gtest/gtest.h"

#include <random>

using namespace vitq;
using namespace vitq::simulator;

namespace {

using Rng = std::mt19937_64;

int64_t pick(Rng &rng, int64_t lo, int64_t hi) { return std::uniform_int_distribution<int64_t>(lo, hi)(rng); }
template <typename T>
T oneOf(Rng &rng, std::initializer_list<T> values) {
  return values.begin()[pick(rng, 0, static_cast<int64_t>(values.size()) - 1)];
}

Config randomConfig(Rng &rng) {
  Config config;
  config.dataflow = oneOf(rng, {Dataflow::WeightStationary, Dataflow::OutputStationary});
  config.bits = oneOf<int64_t>(rng, {2, 3, 4, 8});
  // Sizes that are multiples of 8, so that packed tiles begin at a byte.
  config.rows = oneOf<int64_t>(rng, {8, 16, 24});
  config.cols = oneOf<int64_t>(rng, {8, 16, 24, 32});
  config.streamRows = oneOf<int64_t>(rng, {8, 16, 40});
  config.accumulatorBits = oneOf<int64_t>(rng, {12, 20, 32, 32});
  return config;
}

/// A matrix of values, and its bytes as the array reads them.
struct Matrix {
  std::vector<int64_t> values;
  std::vector<char> bytes;
};

Matrix randomMatrix(Rng &rng, const Config &config, int64_t rows, int64_t cols, bool split, bool isUnsigned) {
  const int64_t bits = split ? 8 : config.bits, rowBytes = split ? cols : (cols * config.bits + 7) / 8;
  const int64_t lo = isUnsigned ? 0 : -(int64_t(1) << (bits - 1)), hi = lo + (int64_t(1) << bits) - 1;
  Matrix matrix;
  matrix.bytes.resize(static_cast<size_t>(rows * rowBytes), 0);
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) {
      const int64_t value = pick(rng, lo, hi);
      matrix.values.push_back(value);
      for (int64_t bit = 0; bit < bits; ++bit) {
        const int64_t at = c * bits + bit;
        if (value >> bit & 1)
          matrix.bytes[static_cast<size_t>(r * rowBytes + at / 8)] |= static_cast<char>(1 << (at % 8));
      }
    }
  return matrix;
}

int32_t wrap(int64_t sum, int64_t bits) {
  return static_cast<int32_t>(static_cast<int64_t>(static_cast<uint64_t>(sum) << (64 - bits)) >> (64 - bits));
}

std::vector<int32_t> multiply(const Matmul &matmul, const Matrix &left, const Matrix &right,
                              const std::vector<int32_t> &bias, int64_t bits) {
  std::vector<int32_t> results;
  for (int64_t i = 0; i < matmul.m; ++i)
    for (int64_t j = 0; j < matmul.n; ++j) {
      int64_t sum = bias[static_cast<size_t>(j)];
      for (int64_t k = 0; k < matmul.k; ++k)
        sum += left.values[static_cast<size_t>(i * matmul.k + k)] *
               right.values[static_cast<size_t>(matmul.transposed ? j * matmul.k + k : k * matmul.n + j)];
      results.push_back(wrap(sum, bits));
    }
  return results;
}

void run(const Program &program, std::initializer_list<void *> operands) {
  ASSERT_EQ(llvm::toString(checkProgram(program)), "");
  std::vector<char *> pointers;
  for (void *operand : operands)
    pointers.push_back(static_cast<char *>(operand));
  Executor executor(program);
  executor.run(0, pointers);
}

} // namespace

TEST(Executor, EqualsNaiveProductsForRandomArrays) {
  Rng rng(61);
  for (int i = 0; i < 300; ++i) {
    const Config config = randomConfig(rng);
    Matmul matmul;
    matmul.m = pick(rng, 1, 70);
    matmul.n = pick(rng, 1, 70);
    matmul.k = pick(rng, 1, 70);
    matmul.leftSplit = pick(rng, 0, 1);
    matmul.rightSplit = pick(rng, 0, 1);
    // Planes of three bits are of signed bytes.
    matmul.leftUnsigned = pick(rng, 0, 1) && !(matmul.leftSplit && config.bits == 3);
    matmul.rightUnsigned = pick(rng, 0, 1) && !(matmul.rightSplit && config.bits == 3);
    matmul.transposed = config.dataflow == Dataflow::WeightStationary && pick(rng, 0, 1);
    SCOPED_TRACE(config.str() + " " + std::to_string(matmul.m) + "x" + std::to_string(matmul.k) + "x" +
                 std::to_string(matmul.n) + (matmul.leftSplit ? " left split" : "") +
                 (matmul.rightSplit ? " right split" : "") + (matmul.leftUnsigned ? " left unsigned" : "") +
                 (matmul.rightUnsigned ? " right unsigned" : "") + (matmul.transposed ? " transposed" : ""));
    const Program program = matmulProgram(config, matmul);
    Matrix left = randomMatrix(rng, config, matmul.m, matmul.k, matmul.leftSplit, matmul.leftUnsigned);
    Matrix right = matmul.transposed
                       ? randomMatrix(rng, config, matmul.n, matmul.k, matmul.rightSplit, matmul.rightUnsigned)
                       : randomMatrix(rng, config, matmul.k, matmul.n, matmul.rightSplit, matmul.rightUnsigned);
    std::vector<int32_t> bias, results(static_cast<size_t>(matmul.m * matmul.n));
    for (int64_t j = 0; j < matmul.n; ++j)
      bias.push_back(static_cast<int32_t>(pick(rng, INT32_MIN, INT32_MAX)));
    run(program, {left.bytes.data(), right.bytes.data(), bias.data(), results.data()});
    ASSERT_EQ(results, multiply(matmul, left, right, bias, config.accumulatorBits));
  }
}

TEST(Executor, KeepsWeightsAndOverwritesSums) {
  // Two tiles of rows on the same weights; the second sums are written, not added.
  const Program program = programOf(Config(), codeOf(R"(
    mvin local 0x0 rows 2 cols 3 from 0 + 0 pitch 3
    mvin local 0x10 rows 3 cols 2 from 1 + 0 pitch 2
    preload weights 0x10 rows 3 cols 2 sums 0x4
    compute left 0x0 rows 2 cols 3 fresh
    preload weights none rows 3 cols 2 sums 0x5 shift 1
    compute left 0x0 rows 1 cols 3
    mvout local 0x4 rows 2 cols 2 to 2 + 0 pitch 8)"),
                                    {{0, 0, 6, false}, {1, 0, 6, false}, {2, 0, 16, true}});
  int8_t left[] = {1, 2, 3, 4, 5, 6}, right[] = {1, -1, 0, 2, -3, 1};
  int32_t results[4];
  run(program, {left, right, results});
  EXPECT_EQ(results[0], 1 - 9);
  EXPECT_EQ(results[1], -1 + 4 + 3);
  EXPECT_EQ(results[2], 2 * (1 - 9));
  EXPECT_EQ(results[3], 2 * (-1 + 4 + 3));
}

TEST(Executor, ScalesHalfToEvenWithReluOverTiles) {
  Config config;
  const Program program = programOf(config, codeOf(R"(
    mvin_acc local 0x0 rows 1 cols 16 from 0 + 0 pitch 80
    mvin_acc local 0x8 rows 1 cols 4 from 0 + 64 pitch 80
    mvin_acc local 0x8 rows 1 cols 4 from 0 + 64 pitch 80 accumulate
    mvout local 0x0 rows 1 cols 20 to 1 + 0 pitch 20 tile_stride 8 shift 2 scale
    mvout local 0x0 rows 1 cols 20 to 2 + 0 pitch 20 tile_stride 8 shift 2 scale relu)"),
                                    {{0, 0, 80, false}, {1, 0, 20, true}, {2, 0, 20, true}});
  const int32_t sums[20] = {0, 1, 2, 3, 6, 10, -2, -6, -10, 511, 510, 509, -511, -514, -518, INT32_MAX, 1, 3, -3, 5};
  int8_t plain[20], relu[20];
  run(program, {const_cast<int32_t *>(sums), plain, relu});
  for (int i = 0; i < 20; ++i) {
    const int64_t x = i < 16 ? sums[i] : 2 * sums[i];
    EXPECT_EQ(plain[i], std::clamp<int64_t>(numerics::roundShift(x, 2, numerics::Rounding::HalfEven), -128, 127)) << i;
    EXPECT_EQ(relu[i], std::max<int8_t>(plain[i], 0)) << i;
  }
  EXPECT_EQ(plain[2], 0); // 0.5
  EXPECT_EQ(plain[4], 2); // 1.5
  EXPECT_EQ(plain[9], 127);
}

TEST(Executor, ZeroFillsTheLastTile) {
  // What a tile had before is gone: columns 3 to 15 are 0.
  const Program program = programOf(Config(), codeOf(R"(
    mvin local 0x0 rows 1 cols 16 from 0 + 0 pitch 16
    mvin local 0x0 rows 1 cols 3 from 0 + 0 pitch 16
    mvin local 0x10 rows 16 cols 1 from 1 + 0 pitch 1
    preload weights 0x10 rows 16 cols 1 sums 0x0
    compute left 0x0 rows 1 cols 16 fresh
    mvout local 0x0 rows 1 cols 1 to 2 + 0 pitch 4)"),
                                    {{0, 0, 16, false}, {1, 0, 16, false}, {2, 0, 4, true}});
  std::vector<int8_t> left(16, 5), right(16, 1);
  int32_t result = 0;
  run(program, {left.data(), right.data(), &result});
  EXPECT_EQ(result, 15);
}
