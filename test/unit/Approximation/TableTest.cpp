//===- TableTest.cpp - Tables, problems and their errors -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"

using namespace vitq;
using namespace vitq::approximation;
using namespace vitq::approximation::test;

TEST(PiecewiseTable, TiesGoRight) {
  PiecewiseTable table;
  table.breakpoints = {-3, 2, 2, 5};
  table.slopes = {1, 2, 3, 4, 5};
  table.intercepts = {10, 20, 30, 40, 50};
  table.interceptInSteps = true;
  const size_t expected[] = {0, 1, 1, 1, 1, 1, 3, 3, 3, 4, 4};
  for (int64_t code = -4; code <= 6; ++code) {
    EXPECT_EQ(table.entryOf(code), expected[code + 4]) << code;
    EXPECT_EQ(table.lines().entryOf(code), expected[code + 4]) << code;
    EXPECT_EQ(table.value(code, 1.0), static_cast<double>(table.lines().evaluate(code)));
  }
}

TEST(PiecewiseTable, Storage) {
  PiecewiseTable table;
  table.breakpoints = {0};
  table.slopes = {3, -5};
  table.intercepts = {7, 9};
  table.fractionBits = 4;
  // (slope * q * S + intercept) / 2^lambda
  EXPECT_EQ(table.value(-8, 0.25), (3 * -8 * 0.25 + 7) / 16);
  EXPECT_EQ(table.value(0, 0.25), 9.0 / 16);
  const PiecewiseTable steps = table.inSteps(0.25);
  EXPECT_EQ(steps.intercepts, (std::vector<int64_t>{28, 36}));
  for (int64_t code = -20; code < 20; ++code)
    EXPECT_EQ(steps.value(code, 0.25), table.value(code, 0.25));
}

TEST(PiecewiseTable, MovesToAnotherScale) {
  PiecewiseTable table;
  table.breakpoints = {-6, 3, 5, 200};
  table.slopes = {1, 2, 3, 4, 5};
  table.intercepts = {10, 20, 30, 40, 50};
  // Half to even; beyond the codes is one beyond the last.
  EXPECT_EQ(moveToScale(table, 0.5, 1.0, -2, 50).breakpoints, (std::vector<int64_t>{-2, 2, 2, 51}));
  EXPECT_EQ(moveToScale(table, 0.5, 0.25, -128, 127).breakpoints, (std::vector<int64_t>{-12, 6, 10, 128}));
  EXPECT_EQ(moveToScale(table.inSteps(0.5), 0.5, 0.25, -128, 127).intercepts,
            (std::vector<int64_t>{40, 80, 120, 160, 200}));
}

TEST(PiecewiseTable, NearestPowerOfTwo) {
  EXPECT_EQ(nearestPowerOfTwo(0.0625), 0.0625);
  EXPECT_EQ(nearestPowerOfTwo(0.09), 0.125);   // 2^-3.47
  EXPECT_EQ(nearestPowerOfTwo(0.087), 0.0625); // 2^-3.52
}

TEST(FitErrors, Scale) {
  FitProblem problem = problemFor("gelu", 0x1p-5, 8);
  for (auto [scale, text] : {std::pair(0.0, "0"), {-0.5, "-0.5"}, {std::nan(""), "nan"}, {HUGE_VAL, "inf"}}) {
    problem.scale = scale;
    EXPECT_EQ(textOf(fitOptimal(problem)),
              std::string("the input scale of gelu is ") + text + "; it must be positive and finite");
  }
}

TEST(FitErrors, EntriesAndFormat) {
  FitProblem problem = problemFor("gelu", 0x1p-5, 1);
  EXPECT_EQ(textOf(fitOptimal(problem)), "a table has 2 to 256 entries, not 1");
  problem.entries = 257;
  EXPECT_EQ(textOf(fitUniform(problem)), "a table has 2 to 256 entries, not 257");
  problem.entries = 8;
  problem.format.fractionBits = 31;
  EXPECT_EQ(textOf(fitOptimal(problem)), "lambda must be 0 to 30, not 31");
  problem.format = {6, 1, 8, false};
  EXPECT_EQ(textOf(fitOptimal(problem)), "slopes must have 2 to 32 bits, not 1");
  problem.format = {6, 8, 33, false};
  EXPECT_EQ(textOf(fitOptimal(problem)), "intercepts must have 2 to 32 bits, not 33");
}

TEST(FitErrors, Range) {
  FitProblem problem = problemFor("gelu", 0x1p-5, 8);
  problem.firstCode = 5;
  problem.lastCode = 4;
  EXPECT_EQ(textOf(fitOptimal(problem)),
            "the range of gelu holds no code: at scale 0.03125 it begins at 5 and ends at 4");
  problem.firstCode = -1;
  problem.lastCode = int64_t(1) << 20;
  EXPECT_EQ(textOf(fitNetwork(problem)), "the range -1..1048576 of gelu is wider than 20 bits");
  problem = problemFor("reciprocal", 0x1p-5, 8);
  problem.firstCode = 0;
  EXPECT_EQ(textOf(fitOptimal(problem)), "reciprocal is not finite at code 0 (x = 0): choose a range without it");
}

TEST(FitErrors, Weights) {
  FitProblem problem = problemFor("gelu", 1.0, 8);
  problem.weights = {1.0};
  EXPECT_EQ(textOf(fitOptimal(problem)), "1 weights for the 9 codes of gelu");
  problem.weights.assign(9, 0.0);
  EXPECT_EQ(textOf(fitOptimal(problem)), "the range -4..4 of gelu excludes the data: every weight in it is 0");
  problem.weights[2] = -1.0;
  EXPECT_EQ(textOf(fitOptimal(problem)), "the weight of code -2 of gelu is -1; weights are finite and not negative");
}

TEST(FitErrors, Widths) {
  // 1/x reaches a slope of 3.4 within its range; lambda 6 leaves slopes below 2.
  EXPECT_EQ(textOf(fitOptimal(problemFor("reciprocal", 0x1p-5, 8))),
            "lambda 6 leaves 1 integer bit of 8-bit slopes; the slopes of reciprocal reach 3.37 and need 2: lower "
            "lambda to 5 or give them 9 bits");
  EXPECT_EQ(textOf(fitOptimal(problemFor("sigmoid", 0x1p-4, 8, 0))),
            "lambda 0 is too small: slopes are multiples of 1, those of sigmoid reach 0.249919 and all round to 0; "
            "they need a lambda of at least 2");
  FitProblem problem = problemFor("gelu", 0x1p-5, 8);
  problem.format = {6, 8, 8, true};
  EXPECT_EQ(textOf(fitOptimal(problem)), "at lambda 6 and scale 0.03125, 8-bit intercepts in steps are too narrow; "
                                         "those of gelu reach 0.27: lower lambda to 3 or give them 11 bits");
  problem.format = {16, 32, 32, true};
  problem.scale = 0x1p-13;
  problem.firstCode = -32768;
  problem.lastCode = 32767;
  EXPECT_EQ(textOf(fitOptimal(problem)),
            "lambda 16 is too large: lines of gelu exceed 32 bits on the codes -32768..32767; lower lambda");
}

TEST(Functions, ByNameAndTitle) {
  EXPECT_EQ(&functionNamed("GELU"), &functionNamed("gelu"));
  EXPECT_EQ(&functionNamed("DIV"), &functionNamed("reciprocal"));
  EXPECT_EQ(textOf(findFunction("gleu")).substr(0, 24), "'gleu' is none of gelu, ");
  for (const FunctionInfo &info : functions()) {
    const FitProblem problem = problemFor(info.name, info.defaultScale(8), 8, info.fractionBits);
    EXPECT_LE(problem.firstCode, problem.lastCode);
    EXPECT_LT(meanSquaredError(problem, tableOf(fitOptimal(problem))), 3e-4) << info.name.str();
  }
}

TEST(Functions, Codes) {
  auto [first, last] = FunctionInfo::codesWithin(-4, 4, 0x1p-5, 8, true);
  EXPECT_EQ(first, -128);
  EXPECT_EQ(last, 127);
  auto [low, high] = FunctionInfo::codesWithin(0.5, 4, 0x1p-5, 8, false);
  EXPECT_EQ(low, 16);
  EXPECT_EQ(high, 128);
  auto [none, nothing] = FunctionInfo::codesWithin(100, 200, 0x1p-5, 8, true);
  EXPECT_GT(none, nothing);
  auto [all, ofThem] = FunctionInfo::codesWithin(-HUGE_VAL, HUGE_VAL, 0.1, 8, false);
  EXPECT_EQ(all, 0);
  EXPECT_EQ(ofThem, 255);
}
