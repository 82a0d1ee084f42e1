//===- Rotation.h - Random orthogonal matrices of Hadamard's -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef VITQ_LIB_TRANSFORMS_ROTATION_H
#define VITQ_LIB_TRANSFORMS_ROTATION_H

#include "vitq/Numerics/Hadamard.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>
#include <random>
#include <vector>

namespace vitq {

/// R = diag(s) H / sqrt(n), s random signs, in blocks of the largest order n that divides the number of channels. R is
/// orthogonal (QuaRot, Ashkboos et al. 2024, section 3).
class Rotation {
public:
  /// Equal seeds give equal rotations, on every machine.
  Rotation(int64_t channels, uint64_t seed)
      : matrix(numerics::Hadamard::ofLargestDivisor(channels)), signs(static_cast<size_t>(channels)) {
    std::mt19937_64 random(seed);
    for (double &sign : signs)
      sign = random() >> 63 ? -1 : 1;
  }

  int64_t order() const { return matrix.order(); }
  int64_t blocks() const { return static_cast<int64_t>(signs.size()) / matrix.order(); }

  /// x = x R.
  void apply(llvm::MutableArrayRef<double> x) const {
    const double scale = 1 / std::sqrt(static_cast<double>(order()));
    for (size_t c = 0; c < x.size(); ++c)
      x[c] *= signs[c] * scale;
    for (int64_t block = 0; block < blocks(); ++block)
      matrix.multiply(x.slice(static_cast<size_t>(block * order()), static_cast<size_t>(order())));
  }

private:
  numerics::Hadamard matrix;
  std::vector<double> signs;
};

/// An error at an op whose ranges are known: they would not be those of the rotated values.
mlir::LogicalResult checkUncalibrated(mlir::func::FuncOp function, llvm::StringRef pass);

/// The elements of a constant operand of floats; a diagnostic if it has none.
mlir::FailureOr<std::vector<float>> elementsOf(mlir::OpOperand &operand);
/// Another constant in its place.
void replaceConstant(mlir::OpOperand &operand, llvm::ArrayRef<float> values);
/// Another in its place, with the elements that `update` leaves.
mlir::LogicalResult updateConstant(mlir::OpOperand &operand,
                                   llvm::function_ref<void(llvm::MutableArrayRef<float>)> update);

} // namespace vitq

#endif // VITQ_LIB_TRANSFORMS_ROTATION_H
