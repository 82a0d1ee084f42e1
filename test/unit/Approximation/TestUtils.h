//===- TestUtils.h - Helpers for the tests of lib/Approximation -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_TEST_UNIT_APPROXIMATION_TESTUTILS_H
#define VITQ_TEST_UNIT_APPROXIMATION_TESTUTILS_H

#include "vitq/Approximation/Fit.h"
#include "vitq/Approximation/Functions.h"

#include "gtest/gtest.h"

#include <cmath>

namespace vitq::approximation::test {

template <typename T>
std::string textOf(llvm::Expected<T> value) {
  return value ? std::string() : llvm::toString(value.takeError());
}

inline const FunctionInfo &functionNamed(llvm::StringRef name) {
  llvm::Expected<const FunctionInfo *> info = findFunction(name);
  if (!info)
    llvm::report_fatal_error(info.takeError());
  return **info;
}

/// A function on the 8-bit codes within its range.
inline FitProblem problemFor(llvm::StringRef name, double scale, unsigned entries, unsigned fractionBits = 6,
                             unsigned bits = 8) {
  const FunctionInfo &info = functionNamed(name);
  FitProblem problem;
  problem.function = info.evaluate;
  problem.name = name.str();
  problem.scale = scale;
  auto [first, last] = FunctionInfo::codesWithin(info.lower, info.upper, scale, 8, info.isSigned);
  problem.firstCode = first;
  problem.lastCode = last;
  problem.entries = entries;
  problem.format.fractionBits = fractionBits;
  problem.format.slopeBits = problem.format.interceptBits = bits;
  return problem;
}

/// The table, or a failed test.
inline PiecewiseTable tableOf(llvm::Expected<PiecewiseTable> table) {
  if (table)
    return std::move(*table);
  ADD_FAILURE() << llvm::toString(table.takeError());
  PiecewiseTable empty;
  empty.slopes = empty.intercepts = {0};
  return empty;
}

} // namespace vitq::approximation::test

#endif // VITQ_TEST_UNIT_APPROXIMATION_TESTUTILS_H
