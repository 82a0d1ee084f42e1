//===- WeightCodes.h - What gives weights their codes -*- C++ -*-===//
//
// Part of vitq, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// vit-quantize-weights and vit-fit-weights share what a weight is multiplied by before it is coded, what its scales
// must leave room for, and how it is written.
//
//===----------------------------------------------------------------------===//

#ifndef LIB_TRANSFORMS_WEIGHTCODES_H
#define LIB_TRANSFORMS_WEIGHTCODES_H

#include "QuantizeDetail.h"

namespace vitq::quantize {

/// Codes of a weight and their scales, one per output channel.
struct WeightCodes {
  Tensor codes;
  llvm::SmallVector<double> scales;
};

/// What the scale of a weight's row is chosen for besides its values: the accumulator,
/// in units of input scale times row scale, also holds the bias.
struct Accumulator {
  /// Of the input codes, and their largest distance to the zero point.
  double inputScale = 1;
  double inputReach = 255;
  /// Magnitude of what is added to the products of each row, in reals.
  std::vector<double> addends;

  /// Of a contraction whose bias is `bias` [N]; without codes of the input, of unsigned bytes.
  static Accumulator of(const std::optional<UniformParameters> &input, llvm::ArrayRef<double> bias);

  /// The smallest scale of row `c`, of `row` codes up to `limit`, at which the sum stays
  /// below 2^31: products, the zero point's share, and the addend. Not so small either
  /// that its product with the input's leaves the normal range of a 32-bit float.
  double smallestScale(int64_t c, int64_t row, int64_t limit) const;
};

/// What is known of the input of a contraction with constant weights.
struct WeightInput {
  /// Its codes, which moves leave as they are; none: not quantized.
  std::optional<UniformParameters> codes;
  /// Real values per unit of the folded codes, one for each input channel; empty: all 1.
  llvm::SmallVector<double> factors;
  /// Magnitude of what another accumulator adds to each row's, in reals; empty: nothing.
  std::vector<double> added;
};

/// A weight as its codes are to stand for it.
struct FoldedWeight {
  /// `[rows, ...]`, with the factors of the input's channels, or the deviation of pixels, in it.
  std::vector<double> values;
  /// `[rows]`, that of the op; zeros where it has none.
  std::vector<double> bias;
  Accumulator accumulator;
  /// The normalization of the image whose bytes the op is to read, or null.
  vit::NormalizePixelsOp pixels;

  int64_t rows() const { return static_cast<int64_t>(bias.size()); }
  /// The elements of a row.
  int64_t rowSize() const { return static_cast<int64_t>(values.size()) / rows(); }
};

/// The contractions of a function that have weights, and what they read.
class WeightedOps {
public:
  explicit WeightedOps(mlir::func::FuncOp function);

  /// In the order of the function.
  llvm::ArrayRef<vit::WeightedOp> ops() const { return contractions; }
  /// Sums of two of their accumulators on the way to another sum.
  llvm::ArrayRef<mlir::Operation *> sums() const { return accumulatorSums; }
  const WeightInput &inputOf(mlir::Operation *op) const { return inputs.find(op)->second; }

  /// The weight of `op` to code; an error at `op` where weight or bias are no constants.
  mlir::FailureOr<FoldedWeight> fold(vit::WeightedOp op) const;

private:
  llvm::SmallVector<vit::WeightedOp> contractions;
  llvm::SmallVector<mlir::Operation *> accumulatorSums;
  llvm::DenseMap<mlir::Operation *, WeightInput> inputs;
};

inline mlir::Value weightOf(vit::WeightedOp op) { return op->getOperand(1); }
inline mlir::Value biasOf(vit::WeightedOp op) { return op->getNumOperands() > 2 ? op->getOperand(2) : mlir::Value(); }
void setBias(vit::WeightedOp op, mlir::Value bias);

/// Elements of a constant bias `[channels]`, zeros where there is none; an error at `op`.
mlir::FailureOr<std::vector<double>> biasValues(mlir::Operation *op, mlir::Value bias, int64_t channels);

/// Symmetric, a row a scale: that of its largest magnitude, unless the accumulator needs
/// a larger one. Codes of a row that is small beside its bias come out small, or 0;
/// what that loses vanishes beside a bias that fills the accumulator.
WeightCodes roundRows(const FoldedWeight &weight, unsigned bits);

/// A bias constant in place of `old`, which may be null; then called `name`.
mlir::Value biasConstant(mlir::RewriterBase &rewriter, mlir::Operation *op, mlir::Value old,
                         llvm::ArrayRef<double> values, llvm::StringRef name);
/// The dequantization of codes in place of the weight `old`.
mlir::Value weightConstant(mlir::RewriterBase &rewriter, mlir::Operation *op, mlir::Value old,
                           const WeightCodes &weight, unsigned bits);

} // namespace vitq::quantize

#endif // LIB_TRANSFORMS_WEIGHTCODES_H
