//===- Codes.h - Codes of weights by the error of products -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A row w of weights, K numbers, gets a scale s and integer codes q. What that costs is e^T H e with the
// error e = w - s q and the Gram matrix H of the inputs that the row multiplies: the sum of the squared errors
// of the products. Nothing here knows what the weights belong to.
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_FITTING_CODES_H
#define VITQ_FITTING_CODES_H

#include "vitq/Fitting/Moments.h"
#include "vitq/Numerics/Quantize.h"

#include <cstdint>
#include <optional>

namespace vitq::fitting {

/// All signed codes of `bits`, 2 to 8; of 8 all but the lowest.
numerics::Interval rangeOfCodes(unsigned bits);

/// How codes are searched for. Each part can be left out.
struct CodeOptions {
  /// Codes are those of `rangeOfCodes`; 2 to 8.
  unsigned bits = 4;
  /// What is added to the diagonal of H, as a share of its mean.
  double damping = 0.01;
  /// Column by column, each error made up for by the columns that follow (GPTQ, Frantar et al., arXiv
  /// 2210.17323); otherwise each weight is rounded by itself.
  bool propagate = true;
  /// With `propagate`: factors of the starting scale of which the one with the least error is kept.
  std::vector<double> candidates = {0.75, 0.9, 1.05, 1.2};
  /// How often each code is moved to where the error, all others as they are, is least; the scale is fitted
  /// to the codes before and after each of them.
  unsigned sweeps = 1;
};

/// Codes [rows, K] and a scale for each row.
struct RowCodes {
  std::vector<int8_t> codes;
  std::vector<double> scales;
};

/// What all rows that multiply the same inputs share.
class CodeFitter {
public:
  /// `gram` is H, `[K, K]`. If its factors cannot be computed for want of samples, the damping is raised tenfold until
  /// they can; none where no damping helps (H holds a NaN or an infinity, or is not positive).
  static std::optional<CodeFitter> create(const Matrix &gram, const CodeOptions &options);

  /// For errors that count alike and by themselves, H = 1, with rows of `columns` weights; `propagate` is no use then.
  static CodeFitter forSquares(size_t columns, const CodeOptions &options);

  /// The damping that was used.
  double damping() const { return options.damping; }

  /// Codes of `weights`, `[rows, K]`. No scale falls below its row's entry of `smallestScales`.
  RowCodes fit(const Matrix &weights, llvm::ArrayRef<double> smallestScales, ParallelFor parallelFor) const;

private:
  struct Group;
  CodeFitter(size_t columns, const CodeOptions &options);
  bool factorize();
  void startScales(Group &group) const;
  void propagate(Group &group) const;
  void descend(Group &group) const;
  void refitScales(Group &group) const;

  CodeOptions options;
  /// Which column comes at which place: the largest diagonal element first.
  std::vector<size_t> order;
  /// H with the damping, in that order; empty: 1.
  Matrix gram;
  /// The upper triangular U with U^T U the inverse of `gram`, each row divided by its diagonal element.
  Matrix factors;
};

/// e^T H e of each row, for errors `[rows, K]`.
std::vector<double> quadraticErrors(const Matrix &gram, const Matrix &errors, ParallelFor parallelFor);

} // namespace vitq::fitting

#endif // VITQ_FITTING_CODES_H
