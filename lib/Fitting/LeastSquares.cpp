//===- LeastSquares.cpp - Weights for changed inputs -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Fitting/LeastSquares.h"

#include "vitq/Fitting/Codes.h"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cassert>

using namespace vitq::fitting;

using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMap = Eigen::Map<const RowMajor>;

static ConstMap mapOf(const Matrix &matrix) {
  return {matrix.values.data(), static_cast<Eigen::Index>(matrix.rows), static_cast<Eigen::Index>(matrix.columns)};
}

Moments &Moments::operator+=(const Moments &other) {
  for (auto [sum, part] : {std::pair(&gram, &other.gram), std::pair(&cross, &other.cross)}) {
    assert(sum->values.size() == part->values.size() && "moments of other things");
    for (size_t i = 0; i < sum->values.size(); ++i)
      sum->values[i] += part->values[i];
  }
  return *this;
}

std::optional<Matrix> vitq::fitting::leastSquaresStep(const Moments &moments, double ridge) {
  RowMajor system = mapOf(moments.gram);
  system.diagonal().array() += ridge * system.diagonal().mean();
  const Eigen::LLT<RowMajor> factors(system);
  if (factors.info() != Eigen::Success)
    return std::nullopt;
  const RowMajor solution = factors.solve(mapOf(moments.cross).transpose()).transpose();
  // A NaN passes for a square.
  if (!solution.allFinite())
    return std::nullopt;
  Matrix step(moments.cross.rows, moments.cross.columns);
  std::copy_n(solution.data(), step.values.size(), step.values.begin());
  return step;
}

/// |r - D x|^2 - |r|^2 = x^T D^T D x - 2 r^T D x.
double vitq::fitting::changeOfError(const Moments &moments, const Matrix &step, ParallelFor parallelFor) {
  double change = 0;
  for (double error : quadraticErrors(moments.gram, step, parallelFor))
    change += error;
  for (size_t i = 0; i < step.values.size(); ++i)
    change -= 2 * step.values[i] * moments.cross.values[i];
  return change;
}
