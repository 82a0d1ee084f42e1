//===- Codes.cpp - Codes of weights by the error of products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "vitq/Fitting/Codes.h"

#include "vitq/Numerics/Quantize.h"
#include "vitq/Numerics/TargetClones.h"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>

using namespace vitq;
using namespace vitq::fitting;

#pragma STDC FP_CONTRACT OFF // vitq/Numerics/TargetClones.h

/// Rows that are fitted together: a number of each in the lanes of a vector, so that an element of H is
/// read once for all of them.
static constexpr size_t kRows = 8;
typedef double Lanes __attribute__((vector_size(kRows * sizeof(double))));
using LaneArray = std::vector<Lanes>;

numerics::Interval vitq::fitting::rangeOfCodes(unsigned bits) {
  numerics::Interval range = numerics::codeRange(static_cast<int>(bits), /*isSigned=*/true);
  // One more of 256 is nothing, one more of 16 is half a dB.
  if (bits == 8)
    range.min = -range.max;
  return range;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// `products[i] = sum_j h[i, j] * values[j]`.
VITQ_CLONES
static void multiply(const double *h, const Lanes *values, Lanes *products, size_t k) {
  size_t i = 0;
  for (; i + 4 <= k; i += 4) {
    const double *rows = h + i * k;
    Lanes sums[4] = {};
    for (size_t j = 0; j < k; ++j) {
      const Lanes value = values[j];
      sums[0] += value * rows[j];
      sums[1] += value * rows[k + j];
      sums[2] += value * rows[2 * k + j];
      sums[3] += value * rows[3 * k + j];
    }
    std::copy_n(sums, 4, products + i);
  }
  for (; i < k; ++i) {
    Lanes sum = {};
    for (size_t j = 0; j < k; ++j)
      sum += values[j] * h[i * k + j];
    products[i] = sum;
  }
}

/// `values[j] -= factor * h[j]`.
VITQ_CLONES
static void subtract(const double *h, const Lanes *factor, Lanes *values, size_t k) {
  const Lanes by = *factor;
  for (size_t j = 0; j < k; ++j)
    values[j] -= by * h[j];
}

static Lanes dot(const LaneArray &a, const LaneArray &b) {
  Lanes sum = {};
  for (size_t i = 0; i < a.size(); ++i)
    sum += a[i] * b[i];
  return sum;
}

/// H v; an empty H is 1.
static LaneArray product(const Matrix &h, const LaneArray &values) {
  if (h.values.empty())
    return values;
  LaneArray products(values.size());
  multiply(h.values.data(), values.data(), products.data(), values.size());
  return products;
}

/// v^T H v.
static Lanes quadratic(const Matrix &h, const LaneArray &values) { return dot(values, product(h, values)); }

/// The codes nearest to `values`.
static Lanes nearest(const Lanes &values, const Lanes &scales, numerics::Interval range) {
  Lanes codes;
  for (size_t lane = 0; lane < kRows; ++lane)
    codes[lane] = static_cast<double>(
        numerics::quantizeReal(values[lane], scales[lane], 0, range.min, range.max, numerics::Rounding::HalfEven));
  return codes;
}

//===----------------------------------------------------------------------===//
// A group of rows
//===----------------------------------------------------------------------===//

struct CodeFitter::Group {
  explicit Group(size_t k) : weights(k), codes(k) {}

  /// In the fitter's order of columns.
  LaneArray weights, codes;
  Lanes scales = {}, smallest = {};

  LaneArray errors() const {
    LaneArray result(weights.size());
    for (size_t i = 0; i < result.size(); ++i)
      result[i] = weights[i] - scales * codes[i];
    return result;
  }
  void round(numerics::Interval range) {
    for (size_t i = 0; i < codes.size(); ++i)
      codes[i] = nearest(weights[i], scales, range);
  }
  /// In lanes in which `less` says so, what `other` has.
  void takeWhere(const Group &other, const Lanes &mine, Lanes &least) {
    for (size_t lane = 0; lane < kRows; ++lane) {
      if (!(mine[lane] < least[lane]))
        continue;
      least[lane] = mine[lane];
      scales[lane] = other.scales[lane];
      for (size_t i = 0; i < codes.size(); ++i)
        codes[i][lane] = other.codes[i][lane];
    }
  }
};

static Lanes larger(const Lanes &a, const Lanes &b) {
  Lanes result;
  for (size_t lane = 0; lane < kRows; ++lane)
    result[lane] = std::max(a[lane], b[lane]);
  return result;
}

static Lanes infinite() {
  Lanes result;
  for (size_t lane = 0; lane < kRows; ++lane)
    result[lane] = INFINITY;
  return result;
}

/// That of the largest magnitude, shrunk to where the error of plain rounding is least; with these codes.
void CodeFitter::startScales(Group &group) const {
  Lanes whole;
  for (size_t lane = 0; lane < kRows; ++lane) {
    double absMax = 0;
    for (const Lanes &weight : group.weights)
      absMax = std::max(absMax, std::abs(weight[lane]));
    whole[lane] = numerics::symmetricScale(absMax, static_cast<int>(options.bits));
  }
  Lanes least = infinite();
  Group trial = group;
  for (int percent = 100; percent >= 45; percent -= 5) {
    trial.scales = larger(whole * (percent / 100.0), group.smallest);
    trial.round(rangeOfCodes(options.bits));
    group.takeWhere(trial, quadratic(gram, trial.errors()), least);
  }
}

/// With the scales of `group`; its weights change.
void CodeFitter::propagate(Group &group) const {
  const size_t k = order.size();
  for (size_t i = 0; i < k; ++i) {
    group.codes[i] = nearest(group.weights[i], group.scales, rangeOfCodes(options.bits));
    const Lanes error = group.weights[i] - group.scales * group.codes[i];
    subtract(factors.values.data() + i * k + i + 1, &error, group.weights.data() + i + 1, k - i - 1);
  }
}

/// s = q^T H w / q^T H q, where that is less of an error than the scale that is there.
void CodeFitter::refitScales(Group &group) const {
  const LaneArray products = product(gram, group.codes);
  const Lanes square = dot(group.codes, products), cross = dot(group.weights, products);
  for (size_t lane = 0; lane < kRows; ++lane) {
    if (!(square[lane] > 0) || !(cross[lane] > 0))
      continue;
    const double old = group.scales[lane], scale = std::max(cross[lane] / square[lane], group.smallest[lane]);
    auto error = [&](double s) { return s * (s * square[lane] - 2 * cross[lane]); };
    if (error(scale) < error(old))
      group.scales[lane] = scale;
  }
}

/// With g = H e, moving code i alone leaves least at e_i - g_i / H_ii.
void CodeFitter::descend(Group &group) const {
  if (gram.values.empty())
    return group.round(rangeOfCodes(options.bits));
  const size_t k = order.size();
  LaneArray gradient = product(gram, group.errors());
  for (size_t i = 0; i < k; ++i) {
    const Lanes wanted = group.scales * group.codes[i] + gradient[i] / gram.at(i, i);
    const Lanes code = nearest(wanted, group.scales, rangeOfCodes(options.bits));
    const Lanes change = group.scales * (code - group.codes[i]);
    group.codes[i] = code;
    bool moved = false;
    for (size_t lane = 0; lane < kRows; ++lane)
      moved |= change[lane] != 0;
    if (moved)
      subtract(gram.values.data() + i * k, &change, gradient.data(), k);
  }
}

//===----------------------------------------------------------------------===//
// The fitter
//===----------------------------------------------------------------------===//

CodeFitter::CodeFitter(size_t columns, const CodeOptions &options) : options(options), order(columns) {
  std::iota(order.begin(), order.end(), size_t(0));
}

CodeFitter CodeFitter::forSquares(size_t columns, const CodeOptions &options) {
  CodeFitter fitter(columns, options);
  fitter.options.propagate = false;
  return fitter;
}

/// H in the order of its diagonal, which goes into `order`.
static Matrix sorted(const Matrix &h, std::vector<size_t> &order) {
  auto diagonal = [&](size_t i) { return h.at(i, i); };
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return std::pair(-diagonal(a), a) < std::pair(-diagonal(b), b); });
  Matrix result(h.rows, h.rows);
  for (size_t i = 0; i < h.rows; ++i)
    for (size_t j = 0; j < h.rows; ++j)
      result.at(i, j) = h.at(order[i], order[j]);
  return result;
}

/// Read backwards, H is L L^T; the inverse of L read backwards is U.
bool CodeFitter::factorize() {
  const auto k = static_cast<Eigen::Index>(order.size());
  Eigen::MatrixXd backwards(k, k);
  for (Eigen::Index i = 0; i < k; ++i)
    for (Eigen::Index j = 0; j < k; ++j)
      backwards(i, j) = gram.at(k - 1 - i, k - 1 - j);
  const Eigen::LLT<Eigen::MatrixXd> cholesky(backwards);
  if (cholesky.info() != Eigen::Success)
    return false;
  const Eigen::MatrixXd inverse = cholesky.matrixL().solve(Eigen::MatrixXd::Identity(k, k));
  if (!inverse.allFinite())
    return false;
  factors = Matrix(k, k);
  for (Eigen::Index i = 0; i < k; ++i)
    for (Eigen::Index j = i; j < k; ++j)
      factors.at(i, j) = inverse(k - 1 - i, k - 1 - j) / inverse(k - 1 - i, k - 1 - i);
  return true;
}

std::optional<CodeFitter> CodeFitter::create(const Matrix &gram, const CodeOptions &options) {
  assert(gram.rows == gram.columns && options.bits >= 2 && options.bits <= 8 && "no Gram matrix, or no codes");
  double mean = 0;
  for (size_t i = 0; i < gram.rows; ++i)
    mean += gram.at(i, i) / static_cast<double>(gram.rows);
  if (!std::isfinite(mean) || mean < 0)
    return std::nullopt;
  CodeFitter fitter(gram.rows, options);
  fitter.gram = sorted(gram, fitter.order);
  // Inputs that are 0 throughout leave every code as good as any other.
  if (mean == 0)
    mean = 1;
  constexpr double kMostDamping = 10;
  for (double added = 0; fitter.options.damping <= kMostDamping; fitter.options.damping *= 10) {
    const double wanted = fitter.options.damping * mean;
    for (size_t i = 0; i < gram.rows; ++i)
      fitter.gram.at(i, i) += wanted - added;
    added = wanted;
    if (fitter.factorize())
      return fitter;
    fitter.options.damping = std::max(fitter.options.damping, 1e-4);
  }
  return std::nullopt;
}

RowCodes CodeFitter::fit(const Matrix &weights, llvm::ArrayRef<double> smallestScales, ParallelFor parallelFor) const {
  const size_t k = order.size();
  assert(weights.columns == k && smallestScales.size() == weights.rows && "weights do not fit");
  RowCodes result{std::vector<int8_t>(weights.values.size()), std::vector<double>(weights.rows)};
  parallelFor((weights.rows + kRows - 1) / kRows, [&](size_t task) {
    Group group(k);
    // Lanes that are left over do the last row again.
    auto rowOf = [&](size_t lane) { return std::min(task * kRows + lane, weights.rows - 1); };
    for (size_t lane = 0; lane < kRows; ++lane) {
      group.smallest[lane] = smallestScales[rowOf(lane)];
      for (size_t i = 0; i < k; ++i)
        group.weights[i][lane] = weights.at(rowOf(lane), order[i]);
    }
    startScales(group);
    if (options.propagate) {
      const Lanes start = group.scales;
      Lanes least = infinite();
      for (double factor : options.candidates.empty() ? std::vector<double>{1.0} : options.candidates) {
        Group trial = group;
        trial.scales = larger(start * factor, group.smallest);
        propagate(trial);
        trial.weights = group.weights;
        group.takeWhere(trial, quadratic(gram, trial.errors()), least);
      }
    }
    if (options.sweeps > 0)
      refitScales(group);
    for (unsigned sweep = 0; sweep < options.sweeps; ++sweep) {
      descend(group);
      refitScales(group);
    }
    for (size_t lane = 0; lane < kRows; ++lane) {
      result.scales[rowOf(lane)] = group.scales[lane];
      for (size_t i = 0; i < k; ++i)
        result.codes[rowOf(lane) * k + order[i]] = static_cast<int8_t>(group.codes[i][lane]);
    }
  });
  return result;
}

std::vector<double> vitq::fitting::quadraticErrors(const Matrix &gram, const Matrix &errors, ParallelFor parallelFor) {
  std::vector<double> result(errors.rows);
  parallelFor((errors.rows + kRows - 1) / kRows, [&](size_t task) {
    LaneArray values(errors.columns);
    auto rowOf = [&](size_t lane) { return std::min(task * kRows + lane, errors.rows - 1); };
    for (size_t i = 0; i < values.size(); ++i)
      for (size_t lane = 0; lane < kRows; ++lane)
        values[i][lane] = errors.at(rowOf(lane), i);
    const Lanes squares = quadratic(gram, values);
    for (size_t lane = 0; lane < kRows; ++lane)
      result[rowOf(lane)] = squares[lane];
  });
  return result;
}
