//===- OptimalTest.cpp - Tables of least squared error -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

#include <chrono>

using namespace vitq;
using namespace vitq::approximation;
using namespace vitq::approximation::test;

namespace {

struct Row {
  const char *function;
  unsigned entries;
  std::array<double, 7> errors; ///< at 2^0 ... 2^-6
};

// Exact dynamic programming with 8-bit storage and lambda 6, computed by another program.
constexpr Row kRows[] = {
    {"gelu", 8, {5.4e-6, 3.6e-6, 2.1e-5, 2.6e-5, 2.7e-5, 2.8e-5, 7.1e-6}},
    {"gelu", 16, {5.4e-6, 3.6e-6, 2.4e-6, 2.9e-6, 3.1e-6, 3.2e-6, 2.4e-6}},
    {"hardswish", 8, {1.2e-5, 8.0e-6, 7.4e-5, 1.1e-4, 1.1e-4, 1.1e-4, 1.4e-5}},
    {"hardswish", 16, {1.2e-5, 8.0e-6, 4.7e-6, 6.4e-6, 7.8e-6, 8.0e-6, 4.9e-6}},
    {"exp", 8, {1.6e-5, 1.2e-5, 1.1e-5, 1.1e-5, 1.2e-5, 7.5e-6, 6.7e-6}},
    {"exp", 16, {1.6e-5, 1.2e-5, 7.2e-6, 5.8e-6, 5.3e-6, 4.8e-6, 5.0e-6}},
};

} // namespace

static double errorOf(const FitProblem &problem) { return meanSquaredError(problem, tableOf(fitOptimal(problem))); }

// At most 5 % above the rows; below where more slopes are tried than they tried.
TEST(Optimal, ReachesTheReferenceRows) {
  for (const Row &row : kRows)
    for (int k = 0; k <= 6; ++k)
      EXPECT_LE(errorOf(problemFor(row.function, std::ldexp(1.0, -k), row.entries)), 1.05 * row.errors[k])
          << row.function << "-" << row.entries << " at k = " << k;
}

TEST(Optimal, ReachesTheReferenceOfReciprocals) {
  struct {
    llvm::StringLiteral function;
    unsigned entries, fractionBits, bits;
    double error;
  } const rows[] = {
      {"reciprocal", 8, 6, 9, 1.5e-5}, {"reciprocal", 16, 6, 9, 3.0e-6}, {"rsqrt", 8, 6, 9, 1.2e-5},
      {"rsqrt", 16, 6, 9, 1.9e-6},     {"reciprocal", 8, 5, 8, 3.5e-5},  {"reciprocal", 16, 5, 8, 1.4e-5},
      {"rsqrt", 8, 5, 8, 4.4e-5},      {"rsqrt", 16, 5, 8, 2.9e-5},
  };
  for (const auto &row : rows)
    EXPECT_LE(errorOf(problemFor(row.function, 0x1p-5, row.entries, row.fractionBits, row.bits)), 1.05 * row.error)
        << row.function.str() << "-" << row.entries << " with lambda " << row.fractionBits;
}

/// The least squared error of one stored line over samples begin..end-1.
static double bestLine(const FitProblem &problem, int64_t begin, int64_t end) {
  double best = std::numeric_limits<double>::infinity();
  for (int64_t slope = -128; slope < 128; ++slope)
    for (int64_t intercept = -128; intercept < 128; ++intercept) {
      double sum = 0.0;
      for (int64_t code = begin; code < end && sum < best; ++code) {
        const double value = (slope * code * problem.scale + intercept) * 0x1p-6;
        sum += std::pow(value - problem.function(code * problem.scale), 2);
      }
      best = std::min(best, sum);
    }
  return best;
}

// Every place of two breakpoints, every slope and every intercept.
TEST(Optimal, NothingIsBetter) {
  FitProblem problem = problemFor("gelu", 0x1p-2, 3);
  problem.firstCode = -7;
  problem.lastCode = 6;
  const int64_t end = problem.lastCode + 1;
  double best = bestLine(problem, problem.firstCode, end);
  for (int64_t first = problem.firstCode + 1; first < end; ++first)
    for (int64_t second = first; second < end; ++second)
      best = std::min(best, bestLine(problem, problem.firstCode, first) + bestLine(problem, first, second) +
                                (second < end ? bestLine(problem, second, end) : 0.0));
  EXPECT_NEAR(errorOf(problem) * static_cast<double>(end - problem.firstCode), best, 1e-12);
}

TEST(Optimal, WideCodes) {
  FitProblem problem = problemFor("gelu", 8.0 / 32768, 16);
  problem.firstCode = -32768;
  problem.lastCode = 32767;
  problem.format = {14, 16, 32, true};
  const auto start = std::chrono::steady_clock::now();
  PiecewiseTable table = tableOf(fitOptimal(problem));
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 2.0);
  EXPECT_LT(meanSquaredError(problem, table), 6e-7);
  EXPECT_TRUE(table.lines().fits(-32768, 32767));
  // The arithmetic of a program is that of the table.
  for (int64_t code = -32768; code < 32768; code += 97)
    EXPECT_EQ(static_cast<double>(table.lines().evaluate(code)) * problem.scale * 0x1p-14,
              table.value(code, problem.scale));
}

TEST(Optimal, WeightsSayWhatCounts) {
  FitProblem problem = problemFor("gelu", 0x1p-5, 6);
  const double plain = errorOf(problem);
  FitProblem weighted = problem;
  for (int64_t code = -128; code <= 127; ++code)
    weighted.weights.push_back(std::exp(-0.5 * std::pow(code * problem.scale, 2)));
  PiecewiseTable table = tableOf(fitOptimal(weighted));
  EXPECT_LT(meanSquaredError(weighted, table), meanSquaredError(weighted, tableOf(fitOptimal(problem))));
  EXPECT_GT(meanSquaredError(problem, table), plain);

  // Codes that never occur get a sensible line all the same.
  for (int64_t code = -128; code <= 127; ++code)
    weighted.weights[code + 128] = std::abs(code) <= 32;
  EXPECT_LT(largestError(problem, tableOf(fitOptimal(weighted))), 0.5);
}

TEST(Optimal, FewCodesLeaveEntriesUnused) {
  FitProblem problem = problemFor("gelu", 1.0, 16);
  PiecewiseTable table = tableOf(fitOptimal(problem));
  ASSERT_EQ(table.entries(), 16u);
  ASSERT_EQ(table.breakpoints.size(), 15u);
  EXPECT_TRUE(llvm::is_sorted(table.breakpoints));
  EXPECT_EQ(table.breakpoints.front(), problem.firstCode);
  EXPECT_EQ(table.entryOf(problem.firstCode - 1), 0u);
  EXPECT_EQ(table.value(problem.firstCode - 1, 1.0),
            table.slopes[table.entryOf(problem.firstCode)] * (problem.firstCode - 1) * 0x1p-6 +
                table.intercepts[0] * 0x1p-6);
  problem.firstCode = problem.lastCode = 3;
  EXPECT_NEAR(tableOf(fitOptimal(problem)).value(3, 1.0), problem.function(3.0), 0x1p-7);
}

TEST(Optimal, OtherMethodsAreWorse) {
  for (llvm::StringRef name : {"gelu", "exp", "sigmoid", "softplus", "silu", "tanh"}) {
    const FitProblem problem = problemFor(name, functionNamed(name).defaultScale(8), 8);
    const double optimal = errorOf(problem);
    EXPECT_LT(optimal, meanSquaredError(problem, tableOf(fitUniform(problem)))) << name.str();
    const double network = meanSquaredError(problem, tableOf(fitNetwork(problem)));
    EXPECT_LT(optimal, network) << name.str();
    EXPECT_LT(network, 5e-3) << name.str();
  }
}

TEST(Optimal, LargestFractionBits) {
  FitProblem problem = problemFor("reciprocal", 0x1p-5, 8);
  llvm::Expected<unsigned> bits = largestFractionBits(problem);
  ASSERT_TRUE(static_cast<bool>(bits));
  EXPECT_EQ(*bits, 5u);
  problem.format.slopeBits = 2;
  EXPECT_NE(textOf(largestFractionBits(problem)), "");
}
